"""What a snapshot tells of its calls, as arrays; what it does not say is spread evenly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import CampaignSnapshot, Standing, attempts_of
from outsim.scenario.standing_campaigns import campaign_of

Instants = NDArray[np.int64]
Small = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Calls:
    """Calls that stand in one state, as parallel arrays."""

    since_us: Instants
    attempts: Small
    failures: Small


def since_us(
    scenario: Scenario, campaign: CampaignSnapshot, state: str, first_us: int, last_us: int
) -> Instants:
    """When each call of a campaign came into a state; what is not said is spread evenly.

    Parameters
    ----------
    first_us, last_us : int
        Instants between which calls are spread of which nothing is said.
    """
    assert scenario.snapshot is not None
    at_us = scenario.instant_us(scenario.snapshot.at)
    standings = campaign.standing(state)
    untimed = sum(each.count for each in standings if not each.is_timed)
    spread = np.linspace(first_us, last_us, untimed + 2)[1:-1].astype(np.int64)
    used, parts = 0, [np.empty(0, dtype=np.int64)]
    for each in standings:
        if each.since is not None:
            parts.append(np.full(each.count, scenario.instant_us(each.since)))
        elif each.lasting is not None:
            parts.append(np.full(each.count, at_us - each.lasting))
        elif each.oldest is not None:
            oldest_us = scenario.instant_us(each.oldest)
            ends = np.linspace(oldest_us, max(oldest_us, last_us), each.count + 1)[:-1]
            parts.append(ends.astype(np.int64))
        else:
            parts.append(spread[used : used + each.count])
            used += each.count
    return np.concatenate(parts).astype(np.int64)


def queued_since_us(scenario: Scenario, campaign: CampaignSnapshot) -> Instants:
    """When each queued call of a campaign entered the queue, as it is known or estimated."""
    found = since_us(scenario, campaign, "queued", *_entries_us(scenario, campaign))
    # Calls are in the order of the queue; an entry before the run begins, as a duration may
    # have it, comes first.
    return np.maximum(np.maximum.accumulate(found), 0) if len(found) else found


def _entries_us(scenario: Scenario, campaign: CampaignSnapshot) -> tuple[int, int]:
    """Instants between which the queued calls of a campaign entered the queue.

    What stands in the queue of a campaign that was stopped entered it before the stop.
    """
    assert scenario.snapshot is not None
    rules = campaign_of(scenario, campaign)
    last_us = scenario.instant_us(scenario.snapshot.at)
    if rules.stop_at is not None and rules.stop_reaches == "loading":
        last_us = min(last_us, scenario.instant_us(rules.stop_at) + scenario.platform.stop_latency)
    return min(max(0, scenario.instant_us(rules.start)), last_us), last_us


def _small(campaign: CampaignSnapshot, state: str, of: Callable[[Standing], int]) -> Small:
    standings = campaign.standing(state)
    values = np.array([of(each) for each in standings], dtype=np.int8)
    return np.repeat(values, [each.count for each in standings])


def _failures(standing: Standing, state: str) -> int:
    return attempts_of(standing, state) if standing.failures is None else standing.failures


def calls_in(scenario: Scenario, campaign: CampaignSnapshot, state: str, over_us: int) -> Calls:
    """Calls of a campaign of a scenario's snapshot in one state, in the order told.

    Parameters
    ----------
    over_us : int
        Time before the moment over which calls are spread of which nothing is said; queued
        ones are spread over the time since the campaign's start.
    """
    assert scenario.snapshot is not None
    at_us = scenario.instant_us(scenario.snapshot.at)
    is_queued = state == "queued"
    span = _entries_us(scenario, campaign) if is_queued else (at_us - over_us, at_us)
    key = state, span, scenario.clock.begins, scenario.snapshot.at
    if key not in campaign.kept:
        if is_queued:
            since = queued_since_us(scenario, campaign)
        else:
            since = since_us(scenario, campaign, state, *span)
        campaign.kept[key] = Calls(
            since,
            _small(campaign, state, lambda each: attempts_of(each, state)),
            _small(campaign, state, lambda each: _failures(each, state)),
        )
    calls: Calls = campaign.kept[key]
    return calls
