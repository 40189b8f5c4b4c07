"""From a snapshot of a live queue to campaigns that stand where it says.

The queue as it stands is rebuilt by rules that are there anyway. Queued calls enter it at the
instants at which they did, and nobody is dispatched before the moment: a suspension. Calls that
wait for a retry, or come to, are ready when their interval is over. Those under way hold a port
and a channel until they end: outages of one each. What was not seen yet, the tape draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND
from outsim.plan.answering import Answering
from outsim.plan.calls_in_progress import CallsInState, Instants, continue_attempts
from outsim.plan.campaigns import CampaignPlan, InitialState, requests_us
from outsim.plan.model import OutagePlan, PlatformPlan, SuspensionPlan
from outsim.plan.own_times import OwnTimes, loading_delays
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, attempts_of, campaign_of
from outsim.tape import Tape
from outsim.vocabulary import CALLEE_FAILURES, OUTCOMES

Small = NDArray[np.int8]


def since_us(
    scenario: Scenario, campaign: CampaignSnapshot, state: str, first_us: int, last_us: int
) -> Instants:
    """When each call of a campaign came into a state; what is not said is spread evenly."""
    assert scenario.snapshot is not None
    at_us = scenario.instant_us(scenario.snapshot.at)
    standings = campaign.standing(state)
    untimed = sum(standing.count for standing in standings if not standing.is_timed)
    spread = np.linspace(first_us, last_us, untimed + 2)[1:-1].astype(np.int64)
    used, parts = 0, [np.empty(0, dtype=np.int64)]
    for standing in standings:
        if standing.since is not None:
            parts.append(np.full(standing.count, scenario.instant_us(standing.since)))
        elif standing.lasting is not None:
            parts.append(np.full(standing.count, at_us - standing.lasting))
        elif standing.oldest is not None:
            oldest_us = scenario.instant_us(standing.oldest)
            ends = np.linspace(oldest_us, max(oldest_us, last_us), standing.count + 1)[:-1]
            parts.append(ends.astype(np.int64))
        else:
            parts.append(spread[used : used + standing.count])
            used += standing.count
    return np.concatenate(parts).astype(np.int64)


def queued_since_us(scenario: Scenario, campaign: CampaignSnapshot) -> Instants:
    """When each queued call of a campaign entered the queue, as it is known or estimated."""
    instants = since_us(scenario, campaign, "queued", *_entries_us(scenario, campaign))
    # Calls are in the order of the queue; an entry before the run begins, as a duration may
    # have it, comes first.
    return np.maximum(np.maximum.accumulate(instants), 0) if len(instants) else instants


def _entries_us(scenario: Scenario, campaign: CampaignSnapshot) -> tuple[int, int]:
    """Instants between which the queued calls of a campaign came in, before any stop."""
    assert scenario.snapshot is not None
    rules = campaign_of(scenario, campaign)
    last_us = scenario.instant_us(scenario.snapshot.at)
    if rules.stop_at is not None and rules.stop_reaches == "loading":
        last_us = min(last_us, scenario.instant_us(rules.stop_at) + scenario.platform.stop_latency)
    return min(max(0, scenario.instant_us(rules.start)), last_us), last_us


def calls_in(
    scenario: Scenario, campaign: CampaignSnapshot, state: str, over_us: int
) -> CallsInState:
    """Calls of a campaign of a scenario's snapshot in one state, in the snapshot's order."""
    assert scenario.snapshot is not None
    at_us = scenario.instant_us(scenario.snapshot.at)
    is_queued = state == "queued"
    span = _entries_us(scenario, campaign) if is_queued else (at_us - over_us, at_us)
    key = state, span, scenario.clock.begins, scenario.snapshot.at
    if key not in campaign.cache:
        if is_queued:
            since = queued_since_us(scenario, campaign)
        else:
            since = since_us(scenario, campaign, state, *span)
        standings = campaign.standing(state)
        counts = [standing.count for standing in standings]
        attempts = np.array(
            [attempts_of(standing, state) for standing in standings], dtype=np.int8
        )
        known = [-1 if standing.failures is None else standing.failures for standing in standings]
        failures = np.where(np.array(known, dtype=np.int8) < 0, attempts, known).astype(np.int8)
        campaign.cache[key] = CallsInState(
            since, np.repeat(attempts, counts), np.repeat(failures, counts)
        )
    calls: CallsInState = campaign.cache[key]
    return calls


READY = np.dtype(
    [
        ("ready_us", np.int64),
        ("submitted_us", np.int64),
        ("attempts", np.int8),
        ("failures", np.int8),
        ("last_failure_us", np.int64),
        ("is_loaded", np.bool_),
        ("places", np.int64),
    ]
)
"""A call that is to be dialed, as `InitialState` has it. Its place is that in the snapshot's
order; -1 for one that it does not tell of."""
Ready = NDArray[np.void]


def _ready(ready_us: Instants, **columns: Any) -> Ready:
    """Calls that become ready at these instants; one value may stand for all of them."""
    calls = np.empty(len(ready_us), dtype=READY)
    for name, values in {"ready_us": ready_us, **columns}.items():
        calls[name] = values
    return calls


@dataclass(frozen=True, eq=False)
class _Starter:
    """Has campaigns stand where a snapshot says."""

    scenario: Scenario
    tape: Tape
    platform: PlatformPlan
    answering: Answering
    at_us: int

    def state_of(
        self, campaign: CampaignSnapshot, base: CampaignPlan
    ) -> tuple[CampaignPlan, Instants]:
        """A campaign with its calls where they stand, and when those under way end."""
        dialing = calls_in(self.scenario, campaign, "dialing", self.platform.ring_timeout_us)
        talk_us = round(base.model.message.mean_s() * SECOND)
        connected = calls_in(self.scenario, campaign, "connected", talk_us)
        dialing_ends_us, outcomes = self._continue(dialing, base, is_connected=False)
        connected_ends_us, _ = self._continue(connected, base, is_connected=True)
        again = np.isin(outcomes, CALLEE_FAILURES) & (dialing.attempts < base.rules.max_retry)
        # What calls came to before the moment is not known: each outcome counts from here on.
        wait_us = np.array([base.rules.first_wait_us(code) for code in range(len(OUTCOMES))])
        again &= wait_us[outcomes] >= 0
        counts = np.cumsum([0, *(campaign.count(state) for state in STATES)]).tolist()
        first = dict(zip(STATES, counts, strict=False))
        redialed = _ready(
            dialing_ends_us[again] + wait_us[outcomes[again]],
            submitted_us=self._submitted_us(base),
            attempts=dialing.attempts[again] + 1,
            failures=dialing.failures[again] + 1,
            last_failure_us=dialing_ends_us[again],
            is_loaded=True,
            places=first["dialing"] + np.flatnonzero(again),
        )
        ready = np.concatenate(
            [*self._waiting(campaign, base, first), redialed, self._to_come(base)]
        )
        ready = ready[np.argsort(ready["ready_us"], kind="stable")]
        places = np.full(counts[-1], -1, dtype=np.int64)
        known = ready["places"] >= 0
        places[ready["places"][known]] = np.flatnonzero(known)
        settled_us = np.concatenate([dialing_ends_us[~again], connected_ends_us])
        over = campaign.completed + campaign.failed + campaign.expired - campaign.undialed
        column = {name: np.ascontiguousarray(ready[name]) for name in READY.names or ()}
        opening = InitialState(
            at_us=self.at_us,
            ready_us=column["ready_us"],
            attempts=column["attempts"],
            failures=column["failures"],
            last_failure_us=column["last_failure_us"],
            is_loaded=column["is_loaded"],
            places=places,
            settled_us=settled_us,
            settled_out=over + len(settled_us),
            settled_undialed=campaign.undialed,
        )
        rules = base.rules
        if rules.cancel_rate:
            # What was canceled one by one before is not among the calls: this is the rest.
            rules = replace(rules, stop_effect_us=max(rules.stop_effect_us, self.at_us))
        standing = replace(
            base,
            size=len(ready),
            requests_us=column["submitted_us"],
            opening=opening,
            own_times=OwnTimes(),
            rules=rules,
        )
        return standing, np.concatenate([dialing_ends_us, connected_ends_us])

    def _submitted_us(self, base: CampaignPlan) -> int:
        """When the calls that a snapshot tells of were handed in."""
        return min(base.submitted_us, self.at_us)

    def _waiting(
        self, campaign: CampaignSnapshot, base: CampaignPlan, first: dict[str, int]
    ) -> Iterator[Ready]:
        """Calls in the queue, on their way back to it, and still to be loaded."""
        interval_us = base.rules.retry_interval_us
        for state in ("queued", "waiting_retry", "scheduled"):
            calls = calls_in(self.scenario, campaign, state, interval_us)
            count = len(calls.since_us)
            last_failure_us: Instants | int = MISSING
            if state == "queued":
                ready_us = calls.since_us
            elif state == "waiting_retry":
                ready_us = np.maximum(calls.since_us + interval_us, self.at_us)
                last_failure_us = calls.since_us
            elif base.loading_us > self.at_us:
                ready_us = base.loading_us + loading_delays(count, base.loader_rate)
            else:
                ready_us = self.at_us + loading_delays(count + 1, base.loader_rate)[1:]
            yield _ready(
                ready_us,
                submitted_us=self._submitted_us(base),
                attempts=calls.attempts,
                failures=calls.failures,
                last_failure_us=last_failure_us,
                is_loaded=state != "scheduled",
                places=first[state] + np.arange(count),
            )

    def _continue(
        self, calls: CallsInState, base: CampaignPlan, *, is_connected: bool
    ) -> tuple[Instants, Small]:
        return continue_attempts(
            base, self.platform, self.answering, calls, self.at_us, is_connected=is_connected
        )

    def _to_come(self, base: CampaignPlan) -> Ready:
        """Single-call requests that are still to come in."""
        known = self.scenario.campaign_or_none(base.full_name)
        latest_us = self.scenario.instant_us(self.scenario.clock.latest_end)
        requests = (
            None if known is None else requests_us(self.scenario, known, self.tape, latest_us)
        )
        coming = np.empty(0, np.int64) if requests is None else requests[requests > self.at_us]
        return _ready(
            np.maximum(coming, base.loading_us),
            submitted_us=coming,
            attempts=0,
            failures=0,
            last_failure_us=MISSING,
            is_loaded=False,
            places=-1,
        )


def initial_plan(
    scenario: Scenario,
    tape: Tape,
    platform: PlatformPlan,
    answering: Answering,
    resolve: Callable[[Campaign], CampaignPlan],
    background: list[CampaignPlan],
) -> tuple[list[CampaignPlan], list[OutagePlan], list[SuspensionPlan]]:
    """Campaigns as they stand in a snapshot; outages and suspensions for what is under way."""
    snapshot = scenario.snapshot
    assert snapshot is not None
    at_us = scenario.instant_us(snapshot.at)
    starter = _Starter(scenario, tape, platform, answering, at_us)
    campaigns, ends_us = [], [np.empty(0, dtype=np.int64)]
    for campaign in (*snapshot.campaign, *_not_in_snapshot(scenario, snapshot)):
        known = scenario.campaign_or_none(campaign.full_name)
        starts = campaign_of(scenario, campaign).start
        if known is not None and scenario.instant_us(starts) > at_us:
            plan = resolve(known.model_copy(update={"start": starts}))
            if snapshot.find(campaign.key) is None or _has_not_begun(campaign, plan):
                campaigns.append(plan)
                continue
        base = replace(resolve(campaign_of(scenario, campaign)), background=known is None)
        standing, ends = starter.state_of(campaign, base)
        campaigns.append(standing)
        ends_us.append(ends)
    there = {campaign.key for campaign in campaigns}
    campaigns += [
        campaign
        for campaign in background
        if campaign.start_us > at_us and campaign.key not in there
    ]
    instants, counts = np.unique(np.concatenate(ends_us), return_counts=True)
    outages = [
        OutagePlan(at_us, of, int(count), -1, int(end), drop=False)
        for of in ("ports", "channels")
        for end, count in zip(instants, counts, strict=True)
    ]
    held = [SuspensionPlan(0, "", at_us)] if at_us > 0 else []
    return campaigns, outages, held


def _not_in_snapshot(scenario: Scenario, snapshot: Snapshot) -> Iterator[CampaignSnapshot]:
    """Campaigns of the scenario that its snapshot does not tell of: none of their calls stand."""
    for campaign in scenario.campaigns:
        if snapshot.find(campaign.key) is None:
            yield CampaignSnapshot(tenant=campaign.tenant, name=campaign.name)


def _has_not_begun(campaign: CampaignSnapshot, plan: CampaignPlan) -> bool:
    """Whether all calls of a campaign are still scheduled, as the scenario has them."""
    standing = sum(campaign.count(state) for state in STATES)
    return campaign.count("scheduled") == standing == len(plan.accepted)
