"""The values of a key of a scenario between two ends."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from outsim.clock import parse_duration_us, parse_rate
from outsim.errors import ScenarioError
from outsim.scenario.keys import key_path, kinds_at
from outsim.scenario.model import Scenario
from outsim.units import shown

FINE = 101
"""Values of a range whose unit has no steps of its own."""

_NUMBER = re.compile(r"\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?)\s*([a-zA-Zµ/%].*?)?\s*")
_CLOCK_RANGE = re.compile(r"\s*(\d{1,2}:\d{2}):(\d{1,2}:\d{2})(?::(\d+))?\s*")


@dataclass(frozen=True)
class Range:
    """Values of one key, between two ends that count.

    They are counted in the unit that the ends are written in: ``5/s`` to ``40/s`` goes by whole
    calls a second.
    """

    key: str
    low: float
    high: float
    unit: str = ""
    """What stands behind the number: ``/s``, `` min``, `` %``; ``:00`` for minutes of a clock."""
    is_whole: bool = True
    """Whether only whole numbers of the unit are meant."""
    count: int | None = None
    """How many values, evenly spaced, if that was said."""

    def text(self, value: float) -> str:
        """A value as a scenario file has it."""
        if self.unit == _CLOCK:
            return f"{int(value) // 60:02d}:{int(value) % 60:02d}"
        return f"{value:.10g}{self.unit}"

    def values(self, count: int | None = None) -> tuple[float, ...]:
        """Values from the low end to the high one, in the unit."""
        count = count or self.count
        if count is None:
            count = int(self.high - self.low) + 1 if self.is_whole else FINE
        steps = max(1, count - 1)
        spaced = [self.low + (self.high - self.low) * k / steps for k in range(count)]
        if self.is_whole:
            spaced = [float(round(value)) for value in spaced]
        return tuple(dict.fromkeys(spaced))

    @property
    def is_clock(self) -> bool:
        """Whether the values are clock times, counted in minutes of the day."""
        return self.unit == _CLOCK

    @property
    def first_number(self) -> int:
        """The low end as a whole number, where every one from there on is a value; else 0."""
        return int(self.low) if self.is_whole and self.count is None else 0

    def set_in(self, scenario: Scenario, value: float) -> Scenario:
        """The scenario, called as before, with this value at the key."""
        return scenario.with_({self.key: self.text(value)}, name=scenario.name)


_CLOCK = ":00"


def read_range(text: str, scenario: Scenario) -> Range:
    """Read ``KEY=LOW:HIGH`` or ``KEY=LOW:HIGH:COUNT``, such as ``platform.dial_rate=5/s:40/s``."""
    key, equals, ends = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ScenarioError(f"range {text!r}: write KEY=LOW:HIGH, such as platform.ports=100:2000")
    found = _read_clock(key, ends) or _read_ends(key, ends, text)
    if not found.low < found.high:
        raise ScenarioError(f"range {text!r}: the low end must be less than the high one")
    for end in (found.low, found.high):
        found.set_in(scenario, end)
    path = key_path(key, scenario.model_dump(mode="json"))
    if found.unit == "" and float in kinds_at(Scenario, path):
        return Range(key, found.low, found.high, is_whole=False, count=found.count)
    return found


def _read_clock(key: str, ends: str) -> Range | None:
    found = _CLOCK_RANGE.fullmatch(ends)
    if found is None:
        return None
    low, high = (int(end[:-3]) * 60 + int(end[-2:]) for end in found.group(1, 2))
    return Range(key, low, high, _CLOCK, True, _count(found[3], ends))


def _read_ends(key: str, ends: str, text: str) -> Range:
    parts = ends.split(":")
    numbers = [_NUMBER.fullmatch(part) for part in parts[:2]]
    low, high = numbers if len(parts) in (2, 3) else (None, None)
    if low is None or high is None:
        raise ScenarioError(
            f"range {text!r}: found {ends.strip()!r} for the ends; write two numbers, with their "
            "units, such as 100:2000, 5/s:40/s or 1 min:10 min, and behind another colon how many "
            "values if not all"
        )
    unit = low[2] or high[2] or ""
    factor = _size(high[2] or unit, text) / _size(unit, text)
    first, last = (float(number[1].replace("_", "")) for number in (low, high))
    last = round(last * factor, 9)
    if not (math.isfinite(first) and math.isfinite(last)):
        raise ScenarioError(
            f"range {shown(text)}: one of its ends is not a number that a scenario can have"
        )
    spaced = unit if not unit or unit.startswith("/") else f" {unit}"
    is_whole = first == int(first) and last == int(last)
    return Range(key, first, last, spaced, is_whole, _count(parts[2:], ends))


def _size(unit: str, text: str) -> float:
    """What one of a unit is, to hold units against each other."""
    try:
        if unit in ("", "%"):
            return 1.0 if not unit else 0.01
        if unit.startswith("/") or re.match(r"(a|an|per)\b", unit):
            return float(parse_rate(f"1 {unit}"))
        return float(parse_duration_us(f"1 {unit}"))
    except ValueError as error:
        raise ScenarioError(f"range {text!r}: {error}") from None


def _count(written: str | list[str] | None, ends: str) -> int | None:
    if not written:
        return None
    count = written if isinstance(written, str) else written[0]
    if not re.fullmatch(r"\s*\d{1,9}\s*", count) or int(count) < 2:
        raise ScenarioError(
            f"range {shown(ends.strip())}: found {shown(count)} for how many values; "
            "write 2 or more"
        )
    return int(count)
