"""What a sweep varies: keys of a scenario with ranges, and the assumptions that it rests on.

A position in a range goes from 0, its low end, to 1, its high one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import exp, floor, isfinite, log, log10
from typing import Any

from outsim.clock import SECOND, after, format_duration, parse_duration_us, parse_rate
from outsim.errors import ScenarioError
from outsim.scenario.defaults import DEFAULTS, defaults_in_use
from outsim.scenario.keys import key_path, kinds_at
from outsim.scenario.model import Scenario
from outsim.units import shown

FINE = 101
"""Values of a range whose unit has no steps of its own."""

_MEASURE = re.compile(r"\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?)\s*([a-zA-Zµ/%].*?)?\s*")
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
    listed: tuple[str, ...] = ()
    """The values as they were written, where each was; a value is then its place among them."""
    is_descending: bool = False
    """Whether the values go from the high end to the low one."""

    def text(self, value: float) -> str:
        """A value as a scenario file has it."""
        if self.listed:
            return self.listed[round(value)]
        if self.unit == _CLOCK:
            return f"{int(value) // 60:02d}:{int(value) % 60:02d}"
        return f"{value:.10g}{self.unit}"

    def values(self, count: int | None = None) -> tuple[float, ...]:
        """Values from the low end to the high one, or back, in the unit."""
        count = count or self.count
        if count is None:
            count = int(self.high - self.low) + 1 if self.is_whole else FINE
        steps = max(1, count - 1)
        spaced = [self.low + (self.high - self.low) * k / steps for k in range(count)]
        if self.is_whole:
            spaced = [float(round(value)) for value in spaced]
        values = tuple(dict.fromkeys(spaced))
        return values[::-1] if self.is_descending else values

    @property
    def is_clock(self) -> bool:
        """Whether the values are clock times, counted in minutes of the day."""
        return self.unit == _CLOCK

    @property
    def first_number(self) -> int:
        """The low end as a whole number, where every one from there on is a value; else 0.

        Where values go down it is the high end, below 0, so that they go up from there as well.
        """
        if not self.is_whole or self.count is not None:
            return 0
        return -int(self.high) if self.is_descending else int(self.low)

    def set_in(self, scenario: Scenario, value: float) -> Scenario:
        """The scenario, called as before, with this value at the key."""
        return scenario.with_({self.key: self.text(value)}, name=scenario.name)


_CLOCK = ":00"


@dataclass(frozen=True)
class Moments(Range):
    """Clock times of one key, in even steps, counted in minutes of the day of the first one."""

    first: datetime | None = None

    @classmethod
    def of(cls, key: str, moments: Sequence[datetime], *, is_descending: bool) -> Moments:
        """These moments, which are evenly spaced, in the order of time or back."""
        first = moments[0]
        low = first.hour * 60 + first.minute + (first.second + first.microsecond / 1e6) / 60
        high = low + (moments[-1].timestamp() - first.timestamp()) / 60
        count = len(moments)
        return cls(key, low, high, _CLOCK, False, count, (), is_descending, first)

    def moment(self, value: float) -> datetime:
        """The moment that a value stands for."""
        assert self.first is not None
        return after(self.first, round((value - self.low) * 60 * SECOND))

    def text(self, value: float) -> str:
        """Clock time of a value; with its date, where that is not the first one's."""
        at = self.moment(value)
        form = "%H:%M" if not at.second else "%H:%M:%S"
        if self.first is not None and at.date() != self.first.date():
            form = f"%Y-%m-%d {form}"
        return at.strftime(form)

    def set_in(self, scenario: Scenario, value: float) -> Scenario:
        """The scenario, called as before, with this moment at the key."""
        return scenario.with_({self.key: self.moment(value)}, name=scenario.name)


def read_range(text: str, scenario: Scenario) -> Range:
    """Read ``KEY=LOW:HIGH`` or ``KEY=LOW:HIGH:COUNT``, such as ``platform.dial_rate=5/s:40/s``."""
    key, equals, ends = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ScenarioError(f"range {text!r}: write KEY=LOW:HIGH, such as platform.ports=100:2000")
    ends_found = _read_clock(key, ends) or _read_ends(key, ends, text)
    if not ends_found.low < ends_found.high:
        raise ScenarioError(f"range {text!r}: the low end must be less than the high one")
    for end in (ends_found.low, ends_found.high):
        ends_found.set_in(scenario, end)
    path = key_path(key, scenario.model_dump(mode="json"))
    if ends_found.unit == "" and float in kinds_at(Scenario, path):
        return Range(key, ends_found.low, ends_found.high, is_whole=False, count=ends_found.count)
    return ends_found


def _read_clock(key: str, ends: str) -> Range | None:
    match = _CLOCK_RANGE.fullmatch(ends)
    if match is None:
        return None
    low, high = (int(end[:-3]) * 60 + int(end[-2:]) for end in match.group(1, 2))
    return Range(key, low, high, _CLOCK, True, _count(match[3], ends))


def _read_ends(key: str, ends: str, text: str) -> Range:
    parts = ends.split(":")
    numbers = [_MEASURE.fullmatch(part) for part in parts[:2]]
    low, high = numbers if len(parts) in (2, 3) else (None, None)
    if low is None or high is None:
        raise ScenarioError(
            f"range {text!r}: found {ends.strip()!r} for the ends; write two numbers, with their "
            "units, such as 100:2000, 5/s:40/s or 1 min:10 min, and behind another colon how many "
            "values if not all"
        )
    unit = low[2] or high[2] or ""
    factor = unit_size(high[2] or unit, text) / unit_size(unit, text)
    first, last = (float(number[1].replace("_", "")) for number in (low, high))
    last = round(last * factor, 9)
    if not (isfinite(first) and isfinite(last)):
        raise ScenarioError(
            f"range {shown(text)}: one of its ends is not a number that a scenario can have"
        )
    spaced = unit if not unit or unit.startswith("/") else f" {unit}"
    is_whole = first == int(first) and last == int(last)
    return Range(key, first, last, spaced, is_whole, _count(parts[2:], ends))


def unit_size(unit: str, text: str) -> float:
    """What one of a unit of a range is, as the model has it: microseconds, tokens, a fraction."""
    unit = unit.strip()
    try:
        if unit in ("", "%"):
            return 1.0 if not unit else 0.01
        if unit.startswith("/") or re.match(r"(a|an|per)\b", unit):
            return parse_rate(f"3600 {unit}") / 3600  # one of them may be rounded
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


Settings = dict[str, str]
"""Values by key, for `Scenario.with_`."""

WIDE = 10.0
"""High end over low end from which an assumption's range is gone through by equal factors."""

_STEPS = 1000
"""Steps of a range, at least, between values that no whole unit separates."""

ASKED = "as asked"


@dataclass(frozen=True)
class Factor:
    """Something that a sweep varies."""

    range: Range
    """Its values; the key is what people call it."""
    settings: Callable[[str], Settings] | None = None
    """Settings for a value; None where the range's key is the one that is set."""
    is_log: bool = False
    """Whether equal steps in position are equal factors of the value."""
    source: str = ASKED
    """Where the range comes from."""

    @property
    def name(self) -> str:
        """What people call it: the key."""
        return self.range.key

    @property
    def levels(self) -> int | None:
        """How many values, evenly spaced, if that was said."""
        return self.range.count

    def value(self, position: float) -> float:
        """Value at a position, in the range's unit, to a step that people can write."""
        low, high = self.range.low, self.range.high
        if position in (0, 1):
            return float(high if position else low)
        if self.is_log:
            value = exp(log(low) + position * (log(high) - log(low)))
            step = 10 ** floor(log10(value)) / 100
        else:
            value = low + position * (high - low)
            step = 10 ** floor(log10(high - low)) / _STEPS
        if self.range.is_whole:
            step = max(1.0, round(step))
        return float(min(high, max(low, round(round(value / step) * step, 12))))

    def text(self, position: float) -> str:
        """Value at a position as a scenario file has it."""
        return self.range.text(self.value(position))

    def shown(self, position: float) -> str:
        """Value at a position as people read it."""
        return _shown(self.text(position))

    @property
    def ends(self) -> str:
        """The range as people read it."""
        if self.range.listed:
            return ", ".join(map(_shown, self.range.listed))
        return f"{self.shown(0)} to {self.shown(1)}"

    def level(self, position: float) -> float:
        """Position of the level that a point of a design takes, if there are levels."""
        if self.levels is None:
            return position
        return min(self.levels - 1, floor(position * self.levels)) / (self.levels - 1)

    def changes(self, position: float) -> Settings:
        """What `Scenario.with_` has to set for the value at a position."""
        text = self.text(position)
        return {self.name: text} if self.settings is None else self.settings(text)


def read_factor(text: str, *scenarios: Scenario) -> Factor:
    """Read ``KEY=LOW:HIGH``, ``KEY=LOW:HIGH:COUNT`` or ``KEY=A,B,C``.

    All `scenarios` must have the key, and can be used with its ends, or with each of its values.
    """
    read = _read_list if "," in text.partition("=")[2] else read_range
    ranges = [read(text, scenario) for scenario in scenarios]
    return Factor(ranges[0])


def _read_list(text: str, scenario: Scenario) -> Range:
    key, _, written = text.partition("=")
    values = tuple(value.strip() for value in written.split(","))
    if not all(values) or len(set(values)) < len(values):
        raise ScenarioError(
            f"values {shown(text)}: write two or more different values with commas between, such "
            "as campaign[0].max_retry=0,2,5"
        )
    listed = Range(key.strip(), 0, len(values) - 1, count=len(values), listed=values)
    for place in range(len(values)):
        listed.set_in(scenario, place)
    return listed


def _shown(text: str) -> str:
    try:
        return format_duration(parse_duration_us(text))
    except ValueError:
        return text


# Assumptions

_SWEEP = re.compile(r"(?:[a-z]+ )?([0-9.,]+)(?: ([a-z]+))?-([0-9.,]+)\s*(.*)")
_NUMBER = re.compile(r"([0-9.]+)(.*)")
_PEAK = (35, 30, 20, 10)
"""Percent of the carrier that other traffic takes in minutes 0 to 3 of an hour at its peak."""

WITHOUT_RANGE = {
    "platform.reconciliation_every": "it is off; switching it on is another scenario",
    "platform.intake_rate": "there is none; a limit is another scenario",
    "platform.intake_burst": "it counts only where there is an intake_rate",
    "platform.queue_limit": "there is none; a limit is another scenario",
    "campaign.when_refused": "it is a word, not a number",
    "campaign.asks_again": "nobody asks again unless a scenario says so",
    "campaign.profile": "it is a word, not a number; the shares of the profile are varied",
    "campaign.pacing_at": "it is a word, not a number",
    "campaign.stop_cancels_retries": "it is yes or no, not a number",
    "campaign.stop_mode": "it is a word, not a number",
    "campaign.cancel_rate": "it counts only where a stop cancels calls one by one",
    "campaign.cancel_order": "it is a word, not a number",
    "platform.one_call_per_number": "it is yes or no, not a number",
    "campaign.duplicates": "it is a word, not a number",
    "endpoint.retry_after": "it is a list, not a number",
    "platform.queue": "it is a word, not a number",
    "campaign.stop_reaches": "it is a word, not a number",
    "callees.weekday_factors": "its source finds 2 points between weekdays at most",
    "callees.gap_factors": "it is yes or no, not a number",
}
"""Defaults that no range can be given for, and why."""

_GUESSES = {"campaign.missing_ani_share": "0-10 %", "endpoint.failure_share": "0-10 %"}
"""Ranges of assumptions that are 0, of which there is no half and no double."""

FACTS = "dialing facts"
PEAK_SOURCE = "dialing facts: none of the peak named there, to all of it"
OWN = "none given: half to double"
GUESS = "none given: a guess"


@dataclass(frozen=True)
class Assumed:
    """Assumptions of a scenario, as far as they can be swept."""

    factors: tuple[Factor, ...]
    left_out: tuple[tuple[str, str], ...]
    """Key of each that can't be, and why."""


def assumed(*scenarios: Scenario, grades: Collection[str] = ("A",)) -> Assumed:
    """Every default of some grades that scenarios rest on, with the range that it may lie in.

    The range is the one of the dialing facts; where they give none, from half of the default to
    its double. All scenarios must rest on it: what one of them sets by itself is left out.
    """
    factors: list[Factor] = []
    left_out: list[tuple[str, str]] = []
    in_use = [defaults_in_use(scenario) for scenario in scenarios]
    for key, default in DEFAULTS.items():
        if default.grade not in grades or not any(key in keys for keys in in_use):
            continue
        if key in WITHOUT_RANGE:
            left_out.append((key, WITHOUT_RANGE[key]))
        elif not all(key in keys for keys in in_use):
            left_out.append((key, "one of the scenarios says what it is"))
        else:
            factors.append(_factor(key, in_use[0][key], scenarios[0]))
    return Assumed(tuple(factors), tuple(left_out))


def _factor(name: str, keys: list[str], scenario: Scenario) -> Factor:
    """The range of a default, for all `keys` of a scenario that leave it."""
    key, default = name, DEFAULTS[name]
    if key == "carrier.other_traffic_peak":
        return Factor(Range(key, 0, 100, " %"), _peak(scenario), source=PEAK_SOURCE)
    value = default.value
    if key in _SHAPES:
        low, high, shape = _SHAPES[key]
        return Factor(Range(key, low, high, " %"), shape, source=FACTS)
    centre = next(
        (parameter for parameter in CENTRES if isinstance(value, Mapping) and parameter in value),
        "",
    )
    if centre:
        key, value = f"{key}.{centre}", value[centre]
    settings: Callable[[str], Settings] | None = None
    if name == "background.start_minutes":
        settings = _share_setting(f"{key}.top", value, "top")
    elif name.startswith("profiles."):
        settings = _share_setting(f"{key}.human", value, "human")
    elif name.startswith(("campaign.", "endpoint.")):
        parameter = key.removeprefix(name)
        settings = _in_all([f"{key}{parameter}" for key in keys])
    return replace(plausible(key, name, value), settings=settings)


def plausible(key: str, name: str, value: Any) -> Factor:
    """Range of a key: that of the default of this name, or else half of a value to its double.

    The value is as a scenario file has it.
    """
    stated = DEFAULTS[name].sweep if name in DEFAULTS else ""
    sweep = stated or _GUESSES.get(name, "")
    span = _stated(key, sweep, value) or _between(key, value, 0.5, 2.0)
    is_log = not sweep.startswith("0-") and span.low > 0 and span.high / span.low >= WIDE
    return Factor(span, None, is_log, FACTS if stated else GUESS if sweep else OWN)


def _hour_factors(text: str) -> Settings:
    """Factors of the day that swing by so much at most, as the default ones do."""
    key = "callees.hour_factors"
    usual: Mapping[str, float] = DEFAULTS[key].value
    widest = max(abs(factor - 1) for factor in usual.values())
    return {
        f"{key}.{part}": f"{1 + (usual_factor - 1) * _percent(text) / widest:.6g}"
        for part, usual_factor in usual.items()
    }


def _redial_factors(text: str) -> Settings:
    """One factor after any failed attempt; none for the first dial."""
    key = "callees.redial_factors"
    return {f"{key}[{k}]": f"{_percent(text):.6g}" for k in range(1, len(DEFAULTS[key].value))}


CENTRES = ("median", "mean", "most")
"""Parameter of a distribution that its range is about: the first of these that it has."""

_SHAPES: dict[str, tuple[float, float, Callable[[str], Settings]]] = {
    "callees.hour_factors": (0, 20, _hour_factors),
    "callees.redial_factors": (50, 100, _redial_factors),
}
"""Ends, in percent, of ranges of several factors at once, and what they set."""


def _stated(key: str, sweep: str, value: Any) -> Range | None:
    """The range that comes with a default, such as ``5-100 ms`` or ``+-50 %``."""
    if sweep.startswith("+-"):
        part = float(sweep[2:].rstrip(" %")) / 100
        return _between(key, value, 1 - part, 1 + part)
    match = _SWEEP.fullmatch(sweep)
    if match is None:
        return None
    low, high = (float(end.replace(",", "")) for end in match.group(1, 3))
    unit = match[4]
    if match[2] is not None:
        high *= parse_duration_us(f"1 {unit}") / parse_duration_us(f"1 {match[2]}")
        unit = match[2]
    if unit in ("s", "min") and (low == 0 or low != int(low)):
        # A duration is more than 0: to the millisecond, as durations are drawn.
        size = 1000 if unit == "s" else 60_000
        low, high, unit = max(1.0, low * size), high * size, "ms"
    spaced = unit if unit.startswith("/") or not unit else f" {unit}"
    return Range(key, low, high, spaced, low == int(low) and not isinstance(value, float))


def _between(key: str, value: Any, low: float, high: float) -> Range:
    """From so many times a default to so many times."""
    number, unit = (value, "")
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        assert match is not None, value
        number, unit = float(match[1]), match[2]
    is_whole = isinstance(value, int)
    ends = [number * low, number * high]
    if is_whole:
        ends = [max(1, floor(ends[0])), round(ends[1])]
    return Range(key, float(ends[0]), float(ends[1]), unit, is_whole)


def _peak(scenario: Scenario) -> Callable[[str], Settings]:
    """Settings of a part of the peak; it is never less than the traffic outside of it."""
    usual = 100 * scenario.carrier.other_traffic

    def settings(text: str) -> Settings:
        share = _percent(text)
        return {
            f"carrier.other_traffic_peak.{minute}": f"{max(usual, peak * share):.6g} %"
            for minute, peak in enumerate(_PEAK)
            if share > 0
        }

    return settings


def _share_setting(key: str, weights: Mapping[str, float], name: str) -> Callable[[str], Settings]:
    """Setting of the one weight that makes a share of all of them; the others stay."""
    others = sum(weight for other, weight in weights.items() if other != name)

    def settings(text: str) -> Settings:
        share = _percent(text)
        return {key: f"{others * share / (1 - share):.6g}"}

    return settings


def _percent(text: str) -> float:
    return float(text.rstrip(" %")) / 100


def _in_all(keys: list[str]) -> Callable[[str], Settings]:
    return lambda text: dict.fromkeys(keys, text)


def check(factors: Sequence[Factor], scenarios: Sequence[Scenario]) -> None:
    """Refuse what would be varied twice, and values that a scenario can't be used with."""
    for name, count in Counter(factor.name for factor in factors).items():
        if count > 1:
            raise ScenarioError(f"{name}: given {count} times; a key has one range")
    for factor in factors:
        for scenario in scenarios:
            for position in (0.0, 1.0):
                scenario.with_(factor.changes(position))
