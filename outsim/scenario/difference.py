"""How two scenarios differ in what they mean, however they are written.

Inheritance is resolved and defaults are filled in; durations, rates and shares
count by their value, instants by local clock time and days since the scenario's
date, profiles by the shares that their weights make, contact lists by their
rows. The order of entries means nothing, and neither does a scenario's name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from outsim.display import percent
from outsim.distributions import Constant
from outsim.scenario.callees import Profile
from outsim.scenario.campaigns import Campaign
from outsim.scenario.contacts import ContactList
from outsim.scenario.keys import parts
from outsim.scenario.model import Scenario

NOT_THERE = "not there"
NONE = "none"

_LONG = 200


@dataclass(frozen=True)
class Difference:
    """One key in which two scenarios differ."""

    key: str
    """Key path, with entries by name: ``campaign[clinic/reminders].start``."""
    left: str
    """What the first scenario says."""
    right: str
    """What the second one says."""


def differences(left: Scenario, right: Scenario) -> list[Difference]:
    """Keys in which two scenarios differ; a part that only one of them has is one difference."""
    ours, theirs = _Meaning(left).values, _Meaning(right).values
    by_key: dict[str, Difference] = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        value, other = ours.get(key, _ABSENT), theirs.get(key, _ABSENT)
        inside_another = any(key[:i] in by_key for i, c in enumerate(key) if c == ".")
        if value.compared != other.compared and not inside_another:
            shown = (value.shown, other.shown)
            if value.shown == other.shown:
                # Rounded for reading, they look alike.
                shown = (str(value.compared), str(other.compared))
            by_key[key] = Difference(key, *shown)
    return list(by_key.values())


@dataclass(frozen=True)
class _Value:
    compared: Any
    shown: str


_ABSENT = _Value(NOT_THERE, NOT_THERE)


class _Meaning:
    """Key paths of a scenario with what stands there; a part comes before its keys."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.values: dict[str, _Value] = {"seed": _Value(scenario.seed, str(scenario.seed))}
        if scenario.load != 1:
            self.values["load"] = _Value(scenario.load, f"{scenario.load:g}")
        counts: Counter[str] = Counter()
        for key, path, part, _ in parts(_without_what_is_implied(scenario)):
            match path[0]:
                case "study":
                    continue
                case "profiles":
                    self.values[key] = self._shares(part)
                case "suspension" | "pause" | "outage":
                    # They have no names: each is known by all that it says.
                    summary = self._summary(part)
                    counts[summary] += 1
                    count = f" ({counts[summary]})" if counts[summary] > 1 else ""
                    self.values[f"{path[0]}[{summary}]{count}"] = _Value(summary, "there")
                case "clock":
                    self._fields(key, part, {"latest": part.latest_end})
                case "platform" | "carrier" | "callees":
                    self._fields(key, part, {})
                case "campaign":
                    self._part(key, part, self._implied(part))
                case _:
                    self._part(key, part, {})
        study = scenario.campaign_under_study
        name = study.full_name if study else NONE
        self.values["study.campaign"] = _Value(name, name)
        deadline = scenario.study.deadline if scenario.study else None
        self.values["study.deadline"] = self._value(deadline, None)

    def _shares(self, profile: Profile) -> _Value:
        weights = profile.model_dump()
        total = sum(weights.values())
        shares = {key: round(weight / total, 12) for key, weight in weights.items()}
        return _Value(
            shares, ", ".join(f"{key} {percent(share, 1)}" for key, share in shares.items())
        )

    def _implied(self, campaign: Campaign) -> dict[str, Any]:
        """What keys of a campaign stand for where they are left out."""
        return {
            "submitted_at": campaign.start,
            "callee_zone": self.scenario.clock.zone,
            "message": self.scenario.callees.message,
        }

    def _part(self, key: str, part: BaseModel, implied: dict[str, Any]) -> None:
        """Add a part that a scenario need not have: that it is there, and its keys."""
        self.values[key] = _Value("there", self._summary(part))
        self._fields(key, part, implied)

    def _fields(self, prefix: str, part: BaseModel, implied: dict[str, Any]) -> None:
        """Add the keys of a part; saying what is `implied` anyway says nothing."""
        written = part.model_dump(mode="json")
        for name in type(part).model_fields:
            value = getattr(part, name)
            key = f"{prefix}.{name}"
            if isinstance(value, BaseModel) and "distribution" not in type(value).model_fields:
                self._part(key, value, {})
            elif name in implied and value == implied[name]:
                self.values[key] = self._value(None, None)
            elif name not in ("name", "tenant"):
                self.values[key] = self._value(value, written[name])

    def _summary(self, part: BaseModel) -> str:
        """What a part says, in one line; its names are in its key."""
        written = part.model_dump(mode="json")
        texts = {
            name: self._value(getattr(part, name), written[name]).shown
            for name in type(part).model_fields
            if name in part.model_fields_set and name != "name"
        }
        return ", ".join(f"{name} {text}" for name, text in texts.items()) or "defaults"

    def _value(self, value: Any, written: Any) -> _Value:
        if value is None:
            return _Value(None, NONE)
        if isinstance(value, datetime):
            return self._local(value)
        if isinstance(value, ContactList):
            return _Value(value, f"{value.path} (rows: {len(value)})")
        if isinstance(value, Constant):
            return _Value(value.value, written["value"])
        if isinstance(value, BaseModel) and "distribution" not in written:
            return _Value(value, f"({self._summary(value)})")
        if isinstance(value, BaseModel):
            words = [f"{key} {text}" for key, text in written.items() if key != "distribution"]
            return _Value(value.model_dump(), f"{written['distribution']} {', '.join(words)}")
        if isinstance(value, time):
            return _Value(value, value.isoformat("minutes") if value < time.max else "24:00")
        if isinstance(value, list):
            return _Value(value, ", ".join(str(item) for item in written) or NONE)
        if isinstance(value, dict):
            return _Value(value, ", ".join(f"{k}: {v}" for k, v in written.items()) or NONE)
        return _Value(value, str(written))

    def _local(self, instant: datetime) -> _Value:
        """Local clock time, with the days since the scenario's date."""
        clock = self.scenario.clock
        here = instant.astimezone(clock.zone_info)
        days = (here.date() - clock.date).days
        text = here.time().isoformat().removesuffix(":00")
        shown = f"{text} ({days:+d} d)" if days else text
        return _Value((days, here.time(), here.fold), shown)


def _without_what_is_implied(scenario: Scenario) -> Scenario:
    """The scenario with its profiles in use, without parts and minutes that change nothing."""
    carrier = scenario.carrier
    peak = carrier.other_traffic_peak.items()
    peak_of_its_own = {m: share for m, share in peak if share != carrier.other_traffic}
    tenants = [t for t in scenario.tenant if t.model_dump(exclude_defaults=True, exclude={"name"})]
    return scenario.model_copy(
        update={
            "carrier": carrier.model_copy(update={"other_traffic_peak": peak_of_its_own}),
            "profiles": {name: scenario.all_profiles[name] for name in scenario.profiles_in_use},
            "tenant": tenants,
        }
    )


def meaning(scenario: Scenario) -> dict[str, str]:
    """Everything that a scenario means, by key path, as texts that differ where it differs."""
    values = {key: value.compared for key, value in _Meaning(scenario).values.items()}
    texts = {
        key: value.digest if isinstance(value, ContactList) else str(value)
        for key, value in values.items()
    }
    return {
        key: text if len(text) <= _LONG else sha256(text.encode()).hexdigest()
        for key, text in texts.items()
    }


def shown_values(scenario: Scenario) -> dict[str, str]:
    """Everything that a scenario means, by key path, as people read it."""
    return {key: value.shown for key, value in _Meaning(scenario).values.items()}
