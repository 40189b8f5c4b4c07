"""How two scenarios differ in what they mean, however they are written.

Inheritance is resolved and defaults are filled in; durations, rates and shares
count by their value, instants by local clock time and days since the scenario's
date, profiles by the shares that their weights make, contact lists by their
rows. The order of entries means nothing, and neither does a scenario's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel

from outsim.scenario.contacts import ContactList
from outsim.scenario.model import Campaign, Outage, Scenario, Suspension

NOT_THERE = "not there"
NONE = "none"


@dataclass(frozen=True)
class Difference:
    """One key in which two scenarios differ."""

    key: str
    """Key path; campaigns and other entries by name: ``campaign[clinic/reminders].start``."""
    left: str
    """What the first scenario says."""
    right: str
    """What the second one says."""


_Meaning = dict[str, tuple[Any, str]]
"""Key path, with a value to compare and the same value as people write it."""


def differences(left: Scenario, right: Scenario) -> list[Difference]:
    """Keys in which two scenarios differ, in the order of the first one's keys.

    A campaign or another entry that only one of them has is one difference.
    """
    meanings = _meaning(left), _meaning(right)
    found: dict[str, Difference] = {}
    for key in [*meanings[0], *(key for key in meanings[1] if key not in meanings[0])]:
        values = [meaning.get(key) for meaning in meanings]
        if values[0] is None or values[1] is None:
            key = _part_that_is_missing(key, meanings)
            values = [meaning.get(key) for meaning in meanings]
            shown = [value[1] if value else NOT_THERE for value in values]
        elif values[0][0] != values[1][0]:
            shown = _told_apart(values[0], values[1])
        else:
            continue
        found.setdefault(key, Difference(key, *shown))
    return list(found.values())


def _part_that_is_missing(key: str, meanings: tuple[_Meaning, _Meaning]) -> str:
    """Outermost part of a key path that only one of two scenarios has."""
    for i, character in enumerate(key):
        part = key[:i]
        if character == "." and any(part in m for m in meanings):
            if not all(part in m for m in meanings):
                return part
    return key


def _told_apart(left: tuple[Any, str], right: tuple[Any, str]) -> list[str]:
    """Both values as people write them; exactly, where rounding makes them look alike."""
    if left[1] != right[1]:
        return [left[1], right[1]]
    return [str(left[0]), str(right[0])]


def _meaning(scenario: Scenario) -> _Meaning:
    local = partial(_local, scenario)
    meaning: _Meaning = {"seed": _same(scenario.seed)}
    clock = scenario.clock
    meaning["clock.zone"] = _same(clock.zone)
    meaning["clock.date"] = _same(str(clock.date))
    for key in ("begins", "ends"):
        meaning[f"clock.{key}"] = local(getattr(clock, key))
    meaning["clock.latest"] = local(clock.latest_end)
    for part in ("platform", "carrier", "callees"):
        meaning |= _fields(part, getattr(scenario, part), local)
    peak = scenario.carrier.other_traffic_peak
    shares = [peak.get(minute, scenario.carrier.other_traffic) for minute in range(60)]
    meaning["carrier.other_traffic_peak"] = (shares, str(peak) if peak else NONE)
    meaning |= _profiles(scenario)
    for tenant in scenario.tenant:
        meaning |= _fields(f"tenant[{tenant.name}]", tenant, local, but=("name",))
    for campaign in scenario.campaign:
        meaning |= _campaign(scenario, campaign, local)
    for endpoint in scenario.endpoint:
        meaning |= _entry(f"endpoint[{endpoint.name}]", endpoint, local, but=("name",))
    meaning |= _numbered("suspension", scenario.suspension, local)
    meaning |= _numbered("outage", scenario.outage, local)
    if scenario.background is not None:
        meaning |= _entry("background", scenario.background, local)
    study = scenario.campaign_under_study
    meaning["study.campaign"] = _same(f"{study.tenant}/{study.name}" if study else NONE)
    meaning["study.deadline"] = local(scenario.study.deadline if scenario.study else None)
    return meaning


_Local = Callable[[datetime | None], tuple[Any, str]]


def _same(value: Any) -> tuple[Any, str]:
    return value, NONE if value is None else str(value)


def _local(scenario: Scenario, instant: datetime | None) -> tuple[Any, str]:
    """Local clock time, with the days since the scenario's date."""
    if instant is None:
        return None, NONE
    here = instant.astimezone(scenario.clock.zone_info)
    days = (here.date() - scenario.clock.date).days
    time = f"{here:%H:%M:%S}".removesuffix(":00")
    text = f"{time} ({days:+d} d)" if days else time
    return (days, here.time(), here.fold), text


def _fields(
    prefix: str, part: BaseModel, local: _Local, but: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[Any, str]]]:
    raise NotImplementedError
