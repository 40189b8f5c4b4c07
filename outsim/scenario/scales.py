"""Values that are worth trying of a key, in order, and how they are written."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from math import ceil, floor, log10
from typing import Any, Literal, Protocol

from outsim.clock import (
    MINUTE,
    after,
    format_duration,
    format_rate,
    parse_duration_us,
    parse_rate,
    parse_share,
    write_duration,
    write_rate,
)
from outsim.scenario.factors import WIDE, Factor, Range, plausible, read_range, unit_size
from outsim.scenario.model import Scenario

_Quantity = Literal["count", "number", "share", "rate", "duration", "clock"]
Kind = _Quantity | Literal["choice", "switch", "text", "list", "map"]

NONE = "none"
"""What turns off a key that is optional."""
STEPS = 100
"""Steps of a range that has more values than `MOST_STEPS`."""
MOST_STEPS = 600
"""A morning has so many minutes."""


class Scale(Protocol):
    """Values of a key in order, by step from 0 to `last`."""

    @property
    def last(self) -> int:
        """The last step."""

    def text(self, step: int) -> str:
        """Value as a scenario file has it."""

    def step(self, value: Any) -> int:
        """The step that is nearest to a value, as the model has it."""


# Values as texts


def written_text(scenario: Scenario, kind: Kind, value: Any) -> str:
    """A value of a scenario as people write it in a file, to the last digit."""
    if value is None:
        return NONE
    match kind:
        case "list":
            return ", ".join(map(str, value)) or NONE
        case "map":
            return ", ".join(f"{key}: {item}" for key, item in value.items()) or NONE
        case "duration":
            return _exact(kind, format_duration(value), write_duration(value))
        case "rate":
            return _exact(kind, format_rate(value), write_rate(value))
        case "share":
            return _exact(kind, f"{100 * value:.10g} %", repr(value))
        case "clock":
            return _time_text(value) if isinstance(value, time) else _clock_text(scenario, value)
        case "switch":
            return str(value).lower()
    return f"{value:.15g}" if kind == "number" else str(value)


def _time_text(at: time) -> str:
    """A time of day as a scenario file has it."""
    return "24:00" if at == time.max else at.isoformat("auto" if at.second else "minutes")


def _exact(kind: Kind, text: str, exact: str) -> str:
    """A text that reads well, unless it is rounded."""
    with suppress(ValueError):
        if value_of(kind, text) == value_of(kind, exact):
            return text
    return exact


def _clock_text(scenario: Scenario, moment: datetime) -> str:
    local = moment.astimezone(scenario.clock.zone_info)
    text = f"{local:%H:%M:%S}".removesuffix(":00")
    return text if local.date() == scenario.clock.date else f"{local:%Y-%m-%d} {text}"


def value_of(kind: Kind, text: str) -> Any:
    """What a text stands for; a clock time is left as it is."""
    match kind:
        case "duration":
            return parse_duration_us(text)
        case "rate":
            return parse_rate(text)
        case "share":
            return parse_share(text) if "%" in text else float(text)
        case "count" | "number":
            return float(text)
    return text


# Ranges


def scale_of(
    scenario: Scenario,
    key: str,
    kind: Kind,
    value: Any,
    default: str,
    limits: Mapping[str, Any],
) -> Scale | None:
    """What is worth trying of a key, by its source, its default's, or around what it is."""
    if kind == "clock":
        return None if isinstance(value, time) else _Clock.of(scenario)
    if kind in ("choice", "switch", "text", "list", "map"):
        return None
    factor = _stated(scenario, key) or _of_platform(scenario, key)
    if factor is None and value is not None:
        factor = plausible(key, default, _in_one_unit(kind, value))
    if factor is None:
        return None
    unit = unit_size(factor.range.unit, key)
    own = None if value is None else round(value / unit, 12)
    span = _around(factor.range, own, limits)
    if kind == "share":
        span = replace(span, is_whole=False)
    if span.low >= span.high:
        return None
    return _Numbers(kind, span, unit, _numbers(replace(factor, range=span), own))


def _in_one_unit(kind: Kind, value: Any) -> Any:
    """A value as a scenario file has it, with no more than one unit."""
    match kind:
        case "duration":
            return write_duration(value)
        case "rate":
            return write_rate(value)
        case "share":
            return f"{100 * value:.10g} %"
    return value


def _stated(scenario: Scenario, key: str) -> Factor | None:
    """The range that comes with the source of a value."""
    source = scenario.sources.get(key)
    if source is None or source.range is None:
        return None
    return Factor(read_range(f"{key}={source.range}", scenario))


def _of_platform(scenario: Scenario, key: str) -> Factor | None:
    """Up to what the platform can do, for limits below which a customer keeps."""
    platform, name = scenario.platform, key.rpartition(".")[2]
    if name == "max_simultaneous":
        return Factor(Range(key, 1, platform.ports), is_log=platform.ports > WIDE)
    if name == "pacing" or key.endswith("].dial_rate"):
        most = max(2, round(platform.dial_rate / unit_size("/min", key)))
        return Factor(Range(key, max(1, most // STEPS), most, "/min"), is_log=True)
    return None


def _around(span: Range, value: float | None, limits: Mapping[str, Any]) -> Range:
    """A range with a value in it and something on both sides, within the limits of the schema."""
    low, high = span.low, span.high
    if value is not None:
        low = low if low < value else (value // 2 or value) if span.is_whole else value / 2
        high = high if high > value else 2 * value
    if span.unit in ("", " %"):
        least, most = (limits.get(name) for name in ("minimum", "maximum"))
        size = 100 if span.unit else 1
        low = low if least is None else max(low, size * least)
        high = high if most is None else min(high, size * most)
    return replace(span, low=low, high=high)


@dataclass(frozen=True)
class _Clock:
    """Minutes from the begin of a scenario to its end."""

    scenario: Scenario
    every_us: int
    last: int

    @classmethod
    def of(cls, scenario: Scenario) -> _Clock:
        span_us = scenario.instant_us(scenario.clock.ends)
        minutes = (1, 5, 15, 30, 60)
        every = next((m for m in minutes if span_us // (m * MINUTE) <= MOST_STEPS), 24 * 60)
        return cls(scenario, every * MINUTE, span_us // (every * MINUTE))

    def text(self, step: int) -> str:
        begins = self.scenario.clock.begins
        return _clock_text(self.scenario, after(begins, step * self.every_us))

    def step(self, value: Any) -> int:
        step = round(self.scenario.instant_us(self.scenario.clock.at(value)) / self.every_us)
        return min(self.last, max(0, step))


@dataclass(frozen=True)
class _Numbers:
    """Numbers that read well, in the unit of a range."""

    kind: Kind
    span: Range
    unit: float
    """What one of the range's unit is, as the model has it."""
    values: tuple[float, ...]

    @property
    def last(self) -> int:
        return len(self.values) - 1

    def text(self, step: int) -> str:
        text = self.span.text(self.values[step])
        if self.kind != "duration":
            return text
        return _exact(self.kind, format_duration(parse_duration_us(text)), text)

    def step(self, value: Any) -> int:
        number = value / self.unit
        place = bisect_left(self.values, number)
        near = (k for k in (place - 1, place) if 0 <= k <= self.last)
        return min(near, key=lambda k: abs(self.values[k] - number))


_MANTISSAS = (
    *(k / 10 for k in range(10, 20)),
    *(k / 10 for k in range(20, 50, 2)),
    *(k / 10 for k in range(50, 100, 5)),
)
"""Numbers from 1 to 10 that read well, each some 5 % above the one before."""


def _numbers(factor: Factor, own: float | None) -> tuple[float, ...]:
    """The ends of a range, numbers between them that read well, and the one that is there."""
    span = factor.range
    if factor.is_log:
        decades = range(floor(log10(span.low)), ceil(log10(span.high)) + 1)
        between = [mantissa * 10.0**decade for decade in decades for mantissa in _MANTISSAS]
        if span.is_whole:
            between = [*map(round, between)]
    else:
        step = max(_reads_well((span.high - span.low) / STEPS), 1 if span.is_whole else 0)
        between = [k * step for k in range(ceil(span.low / step), floor(span.high / step) + 1)]
    inside = {round(float(v), 12) for v in between if span.low < v < span.high}
    return tuple(sorted(inside | {span.low, span.high, *([] if own is None else [own])}))


def _reads_well(number: float) -> float:
    """The next of 1, 2, 5, 10 ... from a number on, whatever its size."""
    decade = 10.0 ** floor(log10(number))
    return next(k * decade for k in (1, 2, 5, 10) if k * decade >= number * (1 - 1e-9))
