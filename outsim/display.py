"""How figures are written for people: units they think in, and no digit too many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from outsim.clock import SECOND, after, days_of, format_duration
from outsim.estimates import LEVEL, Estimate, exact_bounds

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "-"

NO_DIFFERENCE = "none"

INTERVALS = "mean ± half of the 95 % interval over replications, or with both its ends"
"""What tables of estimates show."""

_EXACT = 9
"""Decimals of a figure that are its own: beyond them is what floating point leaves behind."""

_TIME_UNITS = (("min", 60.0, 120.0), ("s", 1.0, 0.1), ("ms", 0.001, 0.0))
"""Unit, its seconds, and the shortest time that it is used for."""

_TIME_NAMES = [name for name, *_ in _TIME_UNITS]


_ROWS_A_DAY = 3.0


def rows_for(begins: datetime, ends: datetime, rows: float = 6.0) -> float:
    """How high a picture over time is, in rows of text: higher where it has a row a day."""
    return max(rows, 2 + _ROWS_A_DAY * len(days_of(begins, ends)))


def clock_text(at: object, begins: datetime, ends: datetime) -> str:
    """A local clock time of a run, with its weekday where the run lasts for days."""
    return f"{at:%a %H:%M}" if days_of(begins, ends) else f"{at:%H:%M}"


def percent(share: float, decimals: int = 0) -> str:
    """A share as a percentage, such as ``68.4 %``."""
    return f"{100 * share:.{decimals}f} %"


def _decimals(half_width: float) -> int:
    """Decimals that an interval deserves: two digits of its half-width."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    exponent = int(f"{half_width:.1e}".partition("e")[2])
    return max(0, 1 - exponent)


@dataclass(frozen=True)
class Unit:
    """What figures of one kind are written in."""

    name: str
    size: float
    """In the unit that they are kept in: seconds, fractions."""


def _time_unit(seconds: float) -> Unit:
    for unit, size, least in _TIME_UNITS:
        if seconds >= least:
            return Unit(unit, size)
    raise ValueError(f"{seconds} s has no unit")


def unit_of(kind: str, values: Iterable[Estimate], *, signed: bool = False) -> Unit:
    """The unit of estimates that stand side by side: times in that of the longest of them."""
    if kind == "share":
        return Unit("points" if signed else "%", 0.01)
    if kind not in ("seconds", "clock"):
        return Unit("", 1.0)
    sizes = [_size(value) for value in values if value.count]
    return _time_unit(max(sizes, default=0.0))


def _size(value: Estimate) -> float:
    half = round(value.half_width, _EXACT)
    return max(abs(round(value.mean, _EXACT)), half if math.isfinite(half) else 0.0)


_EVEN = 2.0
"""Where one side of an interval is at most so many times the other, the longer one is said of
both, unless the figure can't be there; else both ends are."""


def _sides(value: Estimate) -> tuple[float, float]:
    """How far the ends of the interval are from the mean, below and above."""
    below, above = value.sides
    return round(below, _EXACT), round(above, _EXACT)


def _is_even(value: Estimate, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether the longer side of the interval may be said of both."""
    longer, shorter = max(_sides(value)), min(_sides(value))
    rounding = 10.0**-_EXACT
    leaves = value.mean - longer < least - rounding or value.mean + longer > most + rounding
    if leaves and value.low >= least and value.high <= most:
        return False
    return longer <= _EVEN * shorter + rounding


def _in_unit(value: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """Mean and interval, or why there is none, rounded to what the interval deserves."""
    sign, rare = "+" if signed else "", value.rare
    mean, half = round(value.mean, _EXACT) / unit.size, max(_sides(value)) / unit.size
    leaves_0_out = signed and rare is None and value.is_clear

    def written(number: float, decimals: int) -> str:
        if leaves_0_out and number and not round(number, decimals):
            decimals = _decimals(abs(number)) - 1
        return f"{number:{sign}z,.{decimals}f}"

    if signed and rare is not None and rare.times == 0 and rare.place == 0:
        return f"under {_bound(rare.within, unit)}"
    if not math.isfinite(half):
        varies = rare is not None and rare.most > rare.least
        seen = max(rare.half_width, rare.within * 6) if rare and varies else math.nan
        decimals = _decimals(round(seen, _EXACT) / unit.size)
        text = f"{written(mean, decimals)} {unit.name}".rstrip()
        return f"{text}{_instead(value, unit, signed=signed)}"
    limits = (-math.inf, math.inf) if signed else (0.0, 1.0 if unit.name == "%" else math.inf)
    decimals = _decimals(half)
    hides_sign = leaves_0_out and round(abs(mean), decimals) <= round(half, decimals)
    if _is_even(value, *limits) and not hides_sign:
        return f"{written(mean, decimals)} ± {half:,.{decimals}f} {unit.name}".rstrip()
    decimals = _decimals(min(value.half_width / unit.size, half))
    low, high = (written(end / unit.size, decimals) for end in (value.low, value.high))
    return f"{written(mean, decimals)} ({low} to {high}) {unit.name}".rstrip()


def _instead(value: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """What is known where there is no interval, in brackets; empty from one replication."""
    rare = value.rare
    if rare is None:
        return f" ({value.count} runs: no interval yet)" if value.count > 1 else ""
    if rare.least == rare.most:
        return f" (all {rare.runs} runs)"

    within = _bound(rare.within, unit)
    there, elsewhere = f"within {within}", "differ"
    if signed:
        elsewhere = f"beyond {within}"
    elif rare.place == 0:
        there, elsewhere = f"under {within}", f"over {within}"
    elif unit.name == "%" and rare.place == 1:
        end = f"{100 * (1 - rare.within):g} %"
        there, elsewhere = f"over {end}", f"under {end}"
    if rare.times == 0:
        return f" (all {there})"
    return f" ({rare.times} of {rare.runs} {elsewhere})"


def _bound(number: float, unit: Unit) -> str:
    """How near to something figures are, in a unit of its own if they are times."""
    if number < 10.0**-_EXACT:
        return "0"
    own = unit if unit.name not in _TIME_NAMES else _time_unit(number)
    return f"{number / own.size:.2g} {own.name}".rstrip()


def explain_missing(values: Iterable[Estimate]) -> str:
    """What so few runs can know, where estimates have no interval; empty where all have one."""
    rare = [value.rare for value in values if value.rare is not None]
    if not rare:
        return ""
    runs = max(value.runs for value in rare)
    unseen = exact_bounds(0, runs, 1 - LEVEL)[1]
    text = (
        "No interval where all runs agree, or all but a few: what none of "
        f"{runs:,} runs met may still come in up to {percent(unseen, int(unseen < 0.0995))} of "
        "days (95 %)."
    )
    takes = [value.takes for value in rare if value.takes is not None]
    if takes:
        text += f" Where a few differ, an interval takes some {_rounded_up(max(takes)):,} runs."
    return text


def _rounded_up(count: int) -> int:
    """Two digits of it."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def _clock_time(seconds: float, step: int, begins: datetime) -> str:
    """Local clock time rounded to whole steps, with the days since the run began."""
    local = after(begins, round((seconds + step / 2) * SECOND))
    days = (local.date() - begins.date()).days
    text = local.strftime("%H:%M:%S" if step == 1 else "%H:%M")
    return f"{text} ({days:+d} d)" if days else text


def _clock_estimate(value: Estimate, begins: datetime) -> str:
    seconds, half = round(value.mean, _EXACT), max(_sides(value))
    if not math.isfinite(half):
        step = 60 if value.rare is None else 1
        return _clock_time(seconds, step, begins) + _instead(value, _time_unit(60.0))
    unit, step = ("s", 1) if half < 60 else ("min", 60)
    at = _clock_time(seconds, step, begins)
    if _is_even(value):
        return f"{at} ± {math.ceil(half / step)} {unit}"
    low, high = (_clock_time(end, step, begins) for end in (value.low, value.high))
    return f"{at} ({low} to {high})"


def format_half_width(kind: str, half: float) -> str:
    """Half of an interval's width, in the unit of its figure, such as ``1.2 points``."""
    unit = unit_of(kind, [Estimate(0.0, half, 2)], signed=True)
    half /= unit.size
    return f"{half:,.{_decimals(half)}f} {unit.name}".rstrip()


def format_figure(kind: str, value: float, begins: datetime) -> str:
    """One figure of one run: what happened in it, so no interval belongs to it."""
    if math.isnan(value):
        return UNKNOWN
    if kind == "share":
        return percent(value, 1)
    if kind == "seconds":
        return format_duration(value * SECOND)
    if kind == "clock":
        return _clock_time(value, 1, begins)
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def format_estimate(
    kind: str,
    value: Estimate,
    begins: datetime | None = None,
    *,
    signed: bool = False,
    unit: Unit | None = None,
) -> str:
    """An estimate with half of its interval's width, such as ``68.4 ± 1.2 %``.

    An interval that lies unevenly is shown by its ends, such as ``0.12 (0.04 to 0.35) %``; where
    there is none, what is known stands in brackets. `begins` is what clock times count from; a
    `signed` one is a difference: clock times are durations then, and shares points. `unit` is that
    of what stands beside it.
    """
    if value.count == 0:
        return UNKNOWN
    if signed and round(value.mean, _EXACT) == 0 and (value.is_zero or _size(value) == 0):
        return NO_DIFFERENCE
    if kind == "clock" and not signed:
        if begins is None:
            raise ValueError("a clock time takes the instant that its seconds count from")
        return _clock_estimate(value, begins)
    if unit is None:
        unit = unit_of(kind, [value], signed=signed)
    return _in_unit(value, unit, signed=signed)


def format_estimates(
    kind: str, values: Sequence[Estimate], begins: datetime | None = None, *, signed: bool = False
) -> list[str]:
    """Estimates that stand side by side, in one unit; see `format_estimate`."""
    unit = unit_of(kind, values, signed=signed)
    return [format_estimate(kind, value, begins, signed=signed, unit=unit) for value in values]


def in_runs(value: Estimate) -> str:
    """In how many runs there is a value, in brackets behind it; empty where it is in all."""
    return (
        f" (in {value.count} of {value.count + value.n_missing} runs)" if value.n_missing else ""
    )


def format_matters(kind: str, least: float) -> str:
    """Smallest difference that matters, such as ``0.5 points``."""
    unit = unit_of(kind, [Estimate(least, 0.0, 2)], signed=True)
    return f"{least / unit.size:.3g} {unit.name}".rstrip()


MOST_ROWS, MOST_COLUMNS, MOST_IN_A_CELL = 100, 50, 120
"""Of a table in a notebook: rows, columns, and characters of a cell that are shown."""


def table_html(table: pd.DataFrame, *, index: bool = True) -> str:
    """A table as a cell of a notebook shows it: its first and last rows, long texts cut."""
    import pandas as pd

    with pd.option_context("display.max_colwidth", MOST_IN_A_CELL):
        return table.to_html(
            index=index,
            max_rows=MOST_ROWS,
            max_cols=MOST_COLUMNS,
            show_dimensions=table.shape[0] > MOST_ROWS or table.shape[1] > MOST_COLUMNS,
        )
