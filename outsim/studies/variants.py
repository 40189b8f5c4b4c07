"""A scenario altered along axes: when a campaign starts or stops, load, carrier, retries.

Variants(scenario, {"name of a variant": {"key": value}}).stream(measures=..., replications=20)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from outsim.clock import HOUR, SECOND, after, format_duration, parse_duration_us, write_rate
from outsim.errors import StudyError, parsed
from outsim.results.checkpoint import simulate
from outsim.scenario.background import Background
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.study import run_of
from outsim.studies.study_run import StudyRun
from outsim.text import title


@dataclass(frozen=True)
class Variants:
    """Scenarios that differ from another one at some keys; the first is the baseline."""

    base: Scenario
    changes: Mapping[str, Mapping[str, Any]]
    """Value by key, by the name of the variant."""
    are_named: bool = True
    """Whether scenarios are called as their variants; else as the one that they come from."""

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """One for each variant, in their order."""
        return tuple(
            self.base.with_(keys, name=title(name) if self.are_named else self.base.name)
            for name, keys in self.changes.items()
        )

    def stream(self, **options: Any) -> StudyRun:
        """A study of them, from options of `Study` and of `Study.stream`."""
        return run_of(self.scenarios, **options)


def about_campaign(campaign: Campaign, **keys: Any) -> dict[str, Any]:
    """Changes by key of a campaign that is the one under study."""
    changes = {f"campaign[{campaign.entry}].{key}": value for key, value in keys.items()}
    return changes | {"study.campaign": campaign.full_name}


# Starts

MOST_STARTS = 100


def labels_of(starts: Sequence[datetime]) -> list[str]:
    """Clock times of some starts, as short as they can be told apart."""
    form = "%H:%M" if not any(at.second for at in starts) else "%H:%M:%S"
    if len({at.date() for at in starts}) > 1:
        form = f"%m-%d {form}"
    labels = [at.strftime(form) for at in starts]
    if len(set(labels)) < len(labels):
        # Clocks are put back: an hour comes twice.
        labels = [at.strftime(f"{form} %Z") for at in starts]
    return labels


def starts_of(
    scenario: Scenario,
    campaign: Campaign,
    every: str,
    between: tuple[str | datetime, str | datetime] | None,
) -> list[datetime]:
    """Starts from the first to the latest, see `outsim.questions.schedule.schedule`."""
    every_us = parsed("every", parse_duration_us, every)
    if every_us < SECOND:
        raise StudyError(f"every {every!r}: must be 1 s or more")
    if between is None:
        hour = campaign.start.replace(minute=0, second=0, microsecond=0)
        first, last = max(hour, scenario.clock.begins), after(hour, HOUR)
    else:
        first, last = (moment_of(scenario, end) for end in between)
    span_us = scenario.instant_us(last) - scenario.instant_us(first)
    if span_us < every_us:
        raise StudyError(
            f"between {first:%H:%M:%S} and {last:%H:%M:%S}: the latest start must be later than "
            f"the first by {format_duration(every_us)} or more, or there is nothing to compare"
        )
    count = span_us // every_us + 1
    if count > MOST_STARTS:
        raise StudyError(
            f"every {every!r}: that makes {count:,} starts; at most {MOST_STARTS} are allowed: "
            "take longer steps"
        )
    return [after(first, k * every_us) for k in range(count)]


_STEPS_MIN = (5, 10, 15, 20, 30, 60, 120, 240)
"""Minutes between two starts that read well."""

_OVER_THE_DAY = 12
"""Starts that are tried at most over the whole time in which a start makes sense."""


def over_the_day(
    scenario: Scenario, campaign: Campaign
) -> tuple[str, tuple[datetime, datetime] | None]:
    """Step and ends of starts, the own among them, over the time in which one makes sense."""
    clock = scenario.clock
    begins = max(clock.begins, campaign.submitted_at or clock.begins)
    bounds = (scenario.deadline, clock.ends, campaign.stop_at, campaign.expires_at)
    ends = min(bound for bound in bounds if bound is not None)
    start = scenario.instant_us(campaign.start)
    before, behind = start - scenario.instant_us(begins), scenario.instant_us(ends) - start - 1
    for step in _STEPS_MIN:
        earlier, later = (max(0, room) // (step * 60 * SECOND) for room in (before, behind))
        if earlier + later < _OVER_THE_DAY:
            break
    if earlier + later == 0:
        return "15min", None
    first, last = (
        after(campaign.start, count * step * 60 * SECOND) for count in (-earlier, later)
    )
    return f"{step}min", (first, last)


def moment_of(scenario: Scenario, at: str | datetime) -> datetime:
    """A local time that a start may be at, as it is written or a datetime."""
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise StudyError(f"between: found {at!r}; give a datetime with a time zone")
        return at.astimezone(scenario.clock.zone_info)
    return parsed("between", scenario.clock.at, at)


def check_start(scenario: Scenario, campaign: Campaign, start: datetime) -> None:
    """Refuse a start that makes no sense with what else the scenario says."""
    name, clock = campaign.full_name, scenario.clock
    if campaign.requests is not None:
        raise StudyError(
            f"{name}: its calls are handed in one by one; only a list has a start to choose"
        )
    if start < clock.begins or start >= clock.latest_end:
        raise StudyError(
            f"start {start:%Y-%m-%d %H:%M:%S}: the run begins at {clock.begins:%Y-%m-%d %H:%M} "
            f"and ends at {clock.latest_end:%Y-%m-%d %H:%M} at the latest; choose starts between, "
            "or give the scenario another clock.begins or clock.latest"
        )
    reasons = {
        "submitted_at": "before it is handed in",
        "stop_at": "when it is stopped already",
        "expires_at": "when it has expired already",
    }
    for key, why in reasons.items():
        bound: datetime | None = getattr(campaign, key)
        if bound is None:
            continue
        if start < bound if key == "submitted_at" else start >= bound:
            raise StudyError(
                f"start {start:%H:%M:%S}: {name} can't start {why}, at {bound:%H:%M:%S} "
                f"({key}, which keeps its clock time); choose other starts, or change {key}"
            )


# Stops

MOST_STOPS = 100

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Steps between stops that read well."""

_FINE, _COARSE = 10, 5
"""Stops while first dials are still saved, and later ones until everything is dialed, about."""


def written(after_us: int) -> str:
    """Time from the start to a stop, for people."""
    return format_duration(after_us) if after_us else "0 s"


def read_stops(texts: Sequence[str]) -> list[int]:
    """Microseconds of some durations, each once, shortest first."""
    if not texts:
        raise StudyError("after: give one time or more, such as 0s")
    stops = sorted({parsed("after", parse_duration_us, text) for text in texts})
    if len(stops) > MOST_STOPS:
        raise StudyError(f"after: {len(stops)} stops; at most {MOST_STOPS} are allowed")
    return stops


def usual_stops(never: Scenario, seed: int | None) -> list[int]:
    """Stops from the start on until none saves a dial any more, in steps that read well."""
    result = simulate(never, seed=seed)
    campaign = never.campaign_under_study
    assert campaign is not None
    run, key = result.arrays, (campaign.tenant, campaign.name)
    rows = run.rows_of(lambda plan: plan.key == key)(run.attempts["call_id"])
    attempts = result.frames.attempts(("attempt", "queued_at", "dispatched_at"), rows)
    first = attempts[attempts["attempt"] == 1]
    if first.empty:
        raise StudyError(f"{campaign.full_name}: none of its calls is ever dialed")
    dialed_s = (first["dispatched_at"].max() - campaign.start).total_seconds()
    reaches_queue = campaign.stop_reaches == "queue" or campaign.stop_mode == "calls"
    reached = "dispatched_at" if reaches_queue else "queued_at"
    saved_s = (first[reached].max() - campaign.start).total_seconds()
    stops_s = _steps(0.0, saved_s, _FINE)
    stops_s += _steps(max(stops_s, default=0.0), dialed_s, _COARSE)
    if campaign.stop_cancels_retries:
        # Such a stop saves some of them until the last one is made.
        last_s = (attempts["dispatched_at"].max() - campaign.start).total_seconds()
        stops_s += _steps(max(stops_s, default=0.0), last_s, _COARSE)
    latest_us = never.instant_us(never.clock.latest_end) - never.instant_us(campaign.start)
    return [0, *(at for stop_s in stops_s if (at := round(stop_s * SECOND)) < latest_us)]


def _steps(begin_s: float, end_s: float, count: int) -> list[float]:
    """Multiples of a step that reads well, later than `begin_s`, until one is past `end_s`."""
    if end_s <= begin_s:
        return []
    step = next((s for s in _STEPS_S if s * count >= end_s - begin_s), _STEPS_S[-1])
    first, last = int(begin_s // step) + 1, int(np.ceil(end_s / step))
    return [k * step for k in range(first, last + 1)]


# Load, carrier and retries


@dataclass(frozen=True, order=True)
class Condition:
    """Under which a campaign is started: its retries, and how much load and carrier there is."""

    max_retry: int
    """Retries of the campaign under study."""
    load: float
    """Factor on the background campaigns that start at :00."""
    carrier: float
    """Factor on the carrier's rate and channels."""

    @property
    def label(self) -> str:
        """Short name, which can be that of a directory."""
        return f"retries-{self.max_retry}_load-{self.load:g}_carrier-{self.carrier:g}"


def starts_under(scenario: Scenario, condition: Condition, minutes: Sequence[int]) -> Variants:
    """The campaign under study, started at each minute of its hour under a condition."""
    campaign, background, carrier = (
        scenario.campaign_under_study,
        scenario.background,
        scenario.carrier,
    )
    if campaign is None:
        raise StudyError(
            f"scenario {scenario.name!r} has no campaign to study; add one, or name it under "
            "[study]"
        )
    if background is None or not background.campaigns_per_hour:
        raise StudyError(
            f"scenario {scenario.name!r} has no [background] at all hours: nothing to scale at "
            ":00; add one"
        )
    shared = scaled_load(background, condition.load) | {
        "carrier.rate": write_rate(max(1, round(carrier.rate * condition.carrier))),
        "carrier.channels": max(1, round(carrier.channels * condition.carrier)),
    }
    changes = {}
    for minute in minutes:
        start = campaign.start.replace(minute=minute, second=0, microsecond=0)
        keys = about_campaign(campaign, start=start, max_retry=condition.max_retry)
        changes[f"start at :{minute:02d}"] = keys | shared
    return Variants(scenario, changes)


def scaled_load(background: Background, load: float) -> dict[str, Any]:
    """Changes for as many campaigns at all other minutes, and so many times as many at :00."""
    weights = background.start_minutes
    others = weights.half + weights.quarter + weights.other
    top = weights.top * load
    count = max(1, round(background.campaigns_per_hour * (others + top) / (others + weights.top)))
    return {
        "background.campaigns_per_hour": count,
        "background.start_minutes": {
            "top": top,
            "half": weights.half,
            "quarter": weights.quarter,
            "other": weights.other,
        },
    }


def conditions_of(
    loads: Sequence[float], carriers: Sequence[float], retries: Sequence[int]
) -> tuple[Condition, ...]:
    """Every combination of loads, carriers and retries, in this order: retries, load, carrier."""
    for name, values in (("loads", loads), ("carriers", carriers)):
        if not values or len(set(values)) < len(values) or not all(0 < v <= 1000 for v in values):
            raise StudyError(
                f"{name} {', '.join(f'{value:g}' for value in values) or 'none'}: give one or "
                "more factors, each above 0, at most 1000, and once"
            )
    if not retries or len(set(retries)) < len(retries):
        raise StudyError(f"retries {', '.join(map(str, retries)) or 'none'}: give each count once")
    return tuple(
        Condition(max_retry, load, carrier)
        for max_retry, load, carrier in product(sorted(retries), sorted(loads), sorted(carriers))
    )


def check_minutes(minutes: tuple[int, ...]) -> None:
    """Refuse what are no starts to compare with :00."""
    right = all(0 < minute < 60 for minute in minutes) and len(set(minutes)) == len(minutes)
    if not minutes or not right:
        raise StudyError(
            f"starts {', '.join(map(str, minutes)) or 'none'}: give minutes of the hour to hold "
            "against :00, from 1 to 59, each once"
        )
