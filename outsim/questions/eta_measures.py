"""When a campaign's calls go out, and when it is finished: quantiles over replications.

A forecast is a study whose measures are instants. From a scenario with a snapshot it begins with
the queue as it stands; each replication then draws what is not known yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND
from outsim.errors import StudyError
from outsim.estimates import quantile_rank
from outsim.plan import CampaignPlan, Plan, build_plan
from outsim.plan.initial_state import queued_since_us
from outsim.results.measures import Measure
from outsim.results.measures import out_by as out_by_a_time
from outsim.results.run_arrays import first_carried_us
from outsim.results.view import View
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import STATES, Snapshot, campaign_of
from outsim.studies.promises import Promise
from outsim.tape import Tape
from outsim.vocabulary import CANCELED, EXPIRED, FIRST_FINAL, REJECTED

BAND = 0.9
"""Share of the replications that a band holds."""

_LATER = 1e15
"""Stands for an instant after every run, in seconds."""


def _planned(view: View) -> tuple[Plan, CampaignPlan]:
    assert view.arrays is not None
    plan = view.arrays.plan
    return plan, plan.campaigns[plan.under_study]


def _own(campaign: CampaignPlan) -> slice:
    return slice(campaign.first_call_id, campaign.first_call_id + campaign.size)


def _went_out_us(view: View, campaign: CampaignPlan) -> NDArray[np.int64]:
    """When each call of a campaign goes out in this run; MISSING where it does not."""
    assert view.arrays is not None
    records = view.arrays.records
    return first_carried_us(records.attempts, records.calls.rows)[_own(campaign)]


def _outgoing(view: View) -> tuple[int, NDArray[np.int64], int]:
    """Calls out before the run, when those of the run go out, and how many never do.

    Calls go out with the dispatch of their first attempt that the carrier takes, where their wait
    ends. Those canceled before are left out, as are wedged and rejected ones; one that expires,
    or is only ever refused, counts as later than any.
    """
    _, campaign = _planned(view)
    assert view.arrays is not None
    records, opening = view.arrays.records, campaign.opening
    status = records.calls["status"][_own(campaign)]
    counts = (status != REJECTED) & ~campaign.contacts.wedged
    before, undialed = 0, 0
    if opening is not None:
        before, undialed = opening.out, opening.settled_undialed
        counts &= ~opening.is_out
    first = _went_out_us(view, campaign)[counts]
    out = np.sort(first[first != MISSING])
    late = int(np.count_nonzero((first == MISSING) & (status[counts] != CANCELED))) + undialed
    return before, out, late


def out_by(view: View, at_s: float) -> float:
    """Share of the campaign's calls that are out by an instant, in seconds since the run begins.

    With a snapshot, of those that it tells of; see `outgoing_s` for those that count.
    """
    before, out, late = _outgoing(view)
    by_then = before + int(np.searchsorted(out, round(at_s * SECOND), side="right"))
    calls = before + len(out) + late
    return by_then / calls if calls else math.nan


def outgoing_s(view: View, level: float) -> float:
    """When this share of the campaign's calls have gone out, in seconds since the run begins.

    NaN where the run does not come to it; just before the moment of the snapshot where it was
    over by then. Calls that are canceled before, wedged or rejected are left out.
    """
    before, out, late = _outgoing(view)
    opening = _planned(view)[1].opening
    place = 1 + quantile_rank(level, before + len(out) + late)
    if place <= before and opening is not None:
        # Before the moment, and not at it, where what stands in the queue may go out.
        return (opening.at_us - 1) / SECOND
    return out[place - before - 1] / SECOND if place - before <= len(out) else math.nan


def finish_time_s(view: View) -> float:
    """When the campaign's last call gets its final status, in seconds since the run begins.

    NaN where the run does not come to it; the moment of the snapshot where it was over by then.
    """
    _, campaign = _planned(view)
    assert view.arrays is not None
    calls = view.arrays.records.calls
    counts = (calls["status"][_own(campaign)] != REJECTED) & ~campaign.contacts.wedged
    if np.any(calls["status"][_own(campaign)][counts] < FIRST_FINAL):
        return math.nan
    ends = [calls["final"][_own(campaign)][counts]]
    if campaign.opening is not None:
        ends += [campaign.opening.settled_us, np.array([campaign.opening.at_us - 1])]
    instants = np.concatenate(ends)
    return float(instants.max()) / SECOND if len(instants) else math.nan


def canceled_before_out(view: View) -> float:
    """Calls that are canceled before they go out, of all that are not rejected or wedged.

    With a snapshot, of those that it tells of, what is over by then included.
    """
    _, campaign = _planned(view)
    assert view.arrays is not None
    status = view.arrays.records.calls["status"][_own(campaign)]
    counts = (status != REJECTED) & ~campaign.contacts.wedged
    before = 0
    if campaign.opening is not None:
        before = campaign.opening.out + campaign.opening.settled_undialed
        counts &= ~campaign.opening.is_out
    calls = before + int(np.count_nonzero(counts))
    never = (status == CANCELED) & (_went_out_us(view, campaign) == MISSING)
    return int(np.count_nonzero(never & counts)) / calls if calls else math.nan


def next_dispatch_s(view: View, place: int) -> float:
    """When a call, by its place in the campaign or snapshot, goes out next, in seconds; or NaN.

    It does with the dispatch of an attempt that the carrier takes.
    """
    _, campaign = _planned(view)
    index = place if campaign.opening is None else int(campaign.opening.places[place])
    went_out_us = _went_out_us(view, campaign)[index] if index >= 0 else MISSING
    return math.nan if went_out_us == MISSING else float(went_out_us) / SECOND


NEVER_OUT = {
    "canceled": "canceled before it goes out",
    "expired": "expired before it goes out",
    "wedged": "wedged: accepted, and never dialed",
    "pending": "not out yet when the run ends",
}
"""Why a call does not go out, or not again, and what people say of it."""


def stays_in(view: View, place: int, why: str) -> float:
    """Whether the call at a place does not go out for a reason of `NEVER_OUT`: 1 or 0."""
    _, campaign = _planned(view)
    assert view.arrays is not None
    index = place if campaign.opening is None else int(campaign.opening.places[place])
    if index < 0 or not math.isnan(next_dispatch_s(view, place)):
        return 0.0
    status = view.arrays.records.calls["status"][_own(campaign)][index]
    ended = {CANCELED: "canceled", EXPIRED: "expired"}
    reason = "pending" if status < FIRST_FINAL else ended.get(int(status), "")
    if campaign.contacts.wedged[index]:
        reason = "wedged"
    return float(reason == why)


def forecast_of(promise: Promise, scenario: Scenario) -> Promise:
    """The promise about what a forecast measures, which counts what a snapshot says is over.

    Raises
    ------
    StudyError
        If it is about calls of which a snapshot does not say enough.
    """
    compute = promise.measure.compute
    if promise.measure.of is None:
        if promise.measure.name == "finish_time_s":
            return replace(promise, measure=CAMPAIGN_MEASURES[-1])
        if isinstance(compute, partial) and compute.func is out_by_a_time:
            at_s = scenario.instant_us(compute.keywords["at"]) / SECOND
            of_share = replace(promise.measure, compute=partial(out_by, at_s=at_s))
            return replace(promise, measure=of_share)
    if scenario.snapshot is not None:
        raise StudyError(
            f"promise {promise.text!r}: from a snapshot only finished, and the share of the "
            "campaign's calls that are out by a time, can be promised; write such as "
            "'95% of calls out by 11:00'"
        )
    return promise


CAMPAIGN_MEASURES = (
    Measure("first_out_s", "first call out", "clock", partial(outgoing_s, level=0.0), "minimize"),
    Measure(
        "median_out_s", "half of them out", "clock", partial(outgoing_s, level=0.5), "minimize"
    ),
    Measure("p90_out_s", "90 % of them out", "clock", partial(outgoing_s, level=0.9), "minimize"),
    Measure("last_out_s", "last call out", "clock", partial(outgoing_s, level=1.0), "minimize"),
    Measure("finish_time_s", "finished", "clock", finish_time_s, "minimize"),
)
"""When a campaign's calls go out, and when it is finished."""

FORECAST_MEASURES = (
    *CAMPAIGN_MEASURES,
    Measure(
        "canceled_before_out",
        "canceled before they go out",
        "share",
        canceled_before_out,
        "minimize",
    ),
)
"""What is said of a campaign."""


@dataclass(frozen=True)
class Quantiles:
    """An instant over replications, in seconds since the scenario begins.

    Infinite where so many replications don't come to it. A band is made of order statistics: it
    holds the next replication with the probability that is asked for, if there are enough.
    """

    median: float
    low: float
    high: float
    median_low: float
    median_high: float
    """95 % interval of the median; it rests on the number of replications alone."""
    never: float
    """Share of the replications that don't come to it."""


def quantiles(values: Sequence[float], band: float = BAND) -> Quantiles:
    """Quantiles of an instant over replications; NaN counts as later than any."""
    from scipy.stats import quantile_test

    instants = np.array(values, dtype=np.float64)
    never = np.isnan(instants)
    instants[never] = _LATER
    levels = [(1 - band) / 2, 0.5, (1 + band) / 2]
    of_levels = np.quantile(instants, levels, method="weibull")
    bounds: Any = quantile_test(instants, p=0.5).confidence_interval(0.95)

    def instant_or(instant: float, beyond: float) -> float:
        if math.isnan(instant):
            return beyond
        # An interpolation between an instant and one that never comes never comes.
        return math.inf if instant > instants[~never].max(initial=0.0) else float(instant)

    low, median, high = (instant_or(instant, math.inf) for instant in of_levels)
    return Quantiles(
        median=median,
        low=low,
        high=high,
        median_low=instant_or(bounds.low, -math.inf),
        median_high=instant_or(bounds.high, math.inf),
        never=float(never.mean()),
    )


@dataclass(frozen=True)
class CallOfInterest:
    """One call that is asked about."""

    campaign: tuple[str, str]
    """Tenant and name of its campaign."""
    place: int
    """Its place in the campaign; with a snapshot, among the calls that it tells of."""
    state: str
    """Where it stands: one of `STATES`; scheduled where there is no snapshot."""
    ahead: int | None
    """Calls of everybody in the queue that entered before it does, at the snapshot's moment, and
    of its own campaign those that are loaded before it; None without a snapshot, or if it is not
    waiting."""

    @property
    def measure(self) -> Measure:
        """When it goes out."""
        label = "goes out again" if self.state == "waiting_retry" else "goes out"
        return Measure(
            "call_out_s", label, "clock", partial(next_dispatch_s, place=self.place), "minimize"
        )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """When it goes out, and whether it does not, by reason of `NEVER_OUT`."""
        reasons = (
            Measure(
                f"call_{why}", text, "share", partial(stays_in, place=self.place, why=why), None
            )
            for why, text in NEVER_OUT.items()
        )
        return (self.measure, *reasons)


def find_call(
    scenario: Scenario, *, call_id: int | None = None, number: str | None = None
) -> CallOfInterest:
    """One call of the snapshot, else of the scenario, by its id or the number that it dials."""
    what = f"call {call_id}" if number is None else f"number {number}"
    if scenario.snapshot is None:
        calls = _planned_calls(scenario, call_id, number)
        where = "in the scenario"
    else:
        calls = _standing_calls(scenario, call_id, number)
        where = "among the calls that the snapshot names and that are not over"
    if len(calls) == 1:
        return calls[0]
    if calls:
        whose = ", ".join(sorted({"/".join(call.campaign) for call in calls}))
        raise StudyError(f"{what}: there are {len(calls)} {where} ({whose}); give its --call ID")
    raise StudyError(f"{what}: no such call {where}")


def _planned_calls(
    scenario: Scenario, call_id: int | None, number: str | None
) -> list[CallOfInterest]:
    calls = []
    for plan in build_plan(scenario, Tape(scenario.seed)).campaigns:
        if plan.background:
            continue
        if number is not None:
            places = np.flatnonzero(plan.numbers == int(number)).tolist()
        else:
            assert call_id is not None
            place = call_id - plan.first_call_id
            places = [place] if 0 <= place < plan.size else []
        places = [place for place in places if plan.reject_reason[place] == 0]
        calls += [CallOfInterest(plan.key, place, "scheduled", None) for place in places]
    return calls


def _standing_calls(
    scenario: Scenario, call_id: int | None, number: str | None
) -> list[CallOfInterest]:
    assert scenario.snapshot is not None
    calls = []
    for campaign in scenario.snapshot.campaign:
        first = 0
        for state in STATES:
            behind = 0
            for entry in campaign.standing(state):
                place = -1
                if number is not None:
                    place = 0 if entry.number == number else -1
                elif entry.call_id is not None and call_id is not None:
                    place = call_id - entry.call_id
                if 0 <= place < entry.count:
                    ahead = _ahead(scenario, campaign.key, state, behind + place)
                    calls.append(
                        CallOfInterest(campaign.key, first + behind + place, state, ahead)
                    )
                behind += entry.count
            first += behind
    return calls


def _ahead(scenario: Scenario, key: tuple[str, str], state: str, place: int) -> int | None:
    """Calls ahead of the one at a place among those of its campaign that stand in its state."""
    snapshot = scenario.snapshot
    assert snapshot is not None
    if state in ("dialing", "connected"):
        return None
    entered = {other.key: queued_since_us(scenario, other) for other in snapshot.campaign}
    if state != "queued":
        queued = sum(len(instants) for instants in entered.values())
        return queued + (place if state == "scheduled" else 0)
    mine_us = entered[key][place]
    ahead = place
    for other, instants in entered.items():
        if other != key:
            # Those that entered at one instant stand in the order of their names.
            side: Literal["left", "right"] = "right" if other < key else "left"
            ahead += int(np.searchsorted(instants, mine_us, side=side))
    return ahead


def estimates(scenario: Scenario) -> list[str]:
    """What a forecast from the scenario's snapshot estimates, one sentence each."""
    snapshot = scenario.snapshot
    return [] if snapshot is None else [*_estimates(scenario, snapshot)]


_SPREAD = {
    "queued": "since its start",
    "waiting_retry": "over the last retry interval",
    "dialing": "over the last ring timeout",
    "connected": "over the last mean talk",
}
"""Over what time calls are spread of which it is not said since when."""


def said(state: str) -> str:
    """A state in a sentence: calls are ..."""
    return "waiting for a retry" if state == "waiting_retry" else state


def _estimates(scenario: Scenario, snapshot: Snapshot) -> Iterator[str]:
    for campaign in snapshot.campaign:
        whose = campaign.full_name
        rules = campaign_of(scenario, campaign)
        if scenario.campaign_or_none(whose) is None:
            source = "the background's" if scenario.background else "the defaults"
            yield f"{whose}: not in the scenario, its rules are {source}"
            if campaign.start is None:
                yield f"{whose}: when it started; taken as {rules.start:%H:%M:%S}"
        for state, spread in _SPREAD.items():
            untimed = [s for s in campaign.standing(state) if not s.is_timed]
            if untimed:
                count = sum(s.count for s in untimed)
                yield f"{whose}: since when {count:,} are {said(state)}; spread evenly {spread}"
            spread_out = sum(s.count for s in campaign.standing(state) if s.oldest is not None)
            if spread_out > 1:
                when = f"since when {spread_out:,} are {said(state)}"
                yield f"{whose}: {when}; spread from the oldest on"
            unknown = sum(
                s.count for s in campaign.standing(state) if s.attempts is None and s.count
            )
            if unknown and rules.max_retry and state != "connected":
                assumed = 1 if state == "waiting_retry" else 0
                made = f"attempts made by {unknown:,} that are {said(state)}"
                yield f"{whose}: {made}; taken as {assumed}"
    own = {campaign.tenant for campaign in scenario.campaigns}
    if scenario.background is not None and own >= {c.tenant for c in snapshot.campaign}:
        yield "other customers' calls: none in the snapshot, taken as none in the queue"
    there = {campaign.key for campaign in snapshot.campaign}
    for ours in scenario.campaigns:
        if ours.key not in there:
            fate = "over" if ours.start <= snapshot.at else "still to start"
            yield f"{ours.full_name}: not in the snapshot, taken as {fate}"
