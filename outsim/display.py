"""How figures are written for people: units they think in, and no digit too many."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from outsim.clock import SECOND, after, format_duration
from outsim.estimates import Estimate

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "-"

NO_DIFFERENCE = "none"

_EXACT = 9
"""Decimals of a figure that are its own: beyond them is what floating point leaves behind."""

_TIME_UNITS = (("min", 60.0, 120.0), ("s", 1.0, 0.1), ("ms", 0.001, 0.0))
"""Unit, its seconds, and the shortest time that it is used for."""


def _decimals(half_width: float) -> int:
    """Decimals that an interval deserves: two digits of its half-width."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    exponent = int(f"{half_width:.1e}".partition("e")[2])
    return max(0, 1 - exponent)


def _time_unit(seconds: float) -> tuple[str, float]:
    for unit, size, least in _TIME_UNITS:
        if seconds >= least:
            return unit, size
    raise ValueError(f"{seconds} s has no unit")


def _with_half_width(mean: float, half: float, unit: str, *, signed: bool = False) -> str:
    """Both rounded to what the half-width deserves; without one, the mean alone."""
    decimals = _decimals(half)
    text = f"{mean:+z,.{decimals}f}" if signed else f"{mean:z,.{decimals}f}"
    if math.isfinite(half):
        text += f" ± {half:,.{decimals}f}"
    return f"{text} {unit}".rstrip()


def _clock_time(seconds: float, step: int, begins: datetime) -> str:
    """Local clock time rounded to whole steps, with the days since the run began."""
    local = after(begins, round((seconds + step / 2) * SECOND))
    days = (local.date() - begins.date()).days
    text = local.strftime("%H:%M:%S" if step == 1 else "%H:%M")
    return f"{text} ({days:+d} d)" if days else text


def _clock_estimate(seconds: float, half: float, begins: datetime) -> str:
    if not math.isfinite(half):
        return _clock_time(seconds, 60, begins)
    unit, step = ("s", 1) if half < 60 else ("min", 60)
    return f"{_clock_time(seconds, step, begins)} ± {math.ceil(half / step)} {unit}"


def format_half_width(kind: str, half: float) -> str:
    """Half of an interval's width, in the unit of its figure, such as ``1.2 points``."""
    if kind == "share":
        return f"{half * 100:,.{_decimals(half * 100)}f} points"
    if kind in ("seconds", "clock"):
        unit, size = _time_unit(half)
        return f"{half / size:,.{_decimals(half / size)}f} {unit}"
    return f"{half:,.{_decimals(half)}f}"


def format_figure(kind: str, value: float, begins: datetime) -> str:
    """One figure of one run: what happened in it, so no interval belongs to it."""
    if math.isnan(value):
        return UNKNOWN
    if kind == "share":
        return f"{value:.1%}"
    if kind == "seconds":
        return format_duration(value * SECOND)
    if kind == "clock":
        return _clock_time(value, 1, begins)
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def format_estimate(kind: str, value: Estimate, begins: datetime, *, signed: bool = False) -> str:
    """An estimate with half of its interval's width, such as ``68.4 ± 1.2 %``.

    Parameters
    ----------
    kind : str
        Kind of the measure: share, seconds, clock (seconds since `begins`) or number.
    signed : bool
        Whether it is a difference: then clock times become durations, and shares points.
    """
    if value.count == 0:
        return UNKNOWN
    mean, half = round(value.mean, _EXACT), round(value.half_width, _EXACT)
    if signed and mean == half == 0:
        return NO_DIFFERENCE
    if kind == "clock" and not signed:
        return _clock_estimate(mean, half, begins)
    if kind in ("seconds", "clock"):
        unit, size = _time_unit(max(abs(mean), half if math.isfinite(half) else 0.0))
        return _with_half_width(mean / size, half / size, unit, signed=signed)
    if kind == "share":
        unit = "points" if signed else "%"
        return _with_half_width(mean * 100, half * 100, unit, signed=signed)
    return _with_half_width(mean, half, "", signed=signed)


MOST_ROWS, MOST_COLUMNS, MOST_IN_A_CELL = 100, 50, 120
"""Of a table in a notebook: rows, columns, and characters of a cell that are shown."""


def table_html(table: pd.DataFrame, *, index: bool = True) -> str:
    """A table as a cell of a notebook shows it.

    Of one with more rows or columns than `MOST_ROWS` and `MOST_COLUMNS` the first and last ones
    are there, and how many it has; a longer text than `MOST_IN_A_CELL` is cut.
    """
    import pandas as pd

    with pd.option_context("display.max_colwidth", MOST_IN_A_CELL):
        return table.to_html(
            index=index,
            max_rows=MOST_ROWS,
            max_cols=MOST_COLUMNS,
            show_dimensions=table.shape[0] > MOST_ROWS or table.shape[1] > MOST_COLUMNS,
        )
