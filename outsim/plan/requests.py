"""Single-call requests that come in over time (rule 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsim.clock import RATE_SECONDS, SECOND, local_segments
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.tape import Purpose, Tape


def _poisson_requests_us(
    scenario: Scenario, campaign: Campaign, tape: Tape, until_us: int
) -> NDArray[np.int64]:
    """Poisson request times by inversion of the mean number of requests up to each instant."""
    requests = campaign.requests
    assert requests is not None
    submitted_us = scenario.instant_us(campaign.submitted)
    until_us = min(until_us, scenario.instant_us(requests.until or scenario.clock.ends))
    starts, hours = local_segments(scenario.clock.begins, until_us, scenario.clock.zone_info)
    rates = np.array(
        [requests.rate_by_hour.get(hour, requests.rate or 0) for _, hour in hours], np.float64
    )
    edges = np.clip(np.append(starts, until_us), submitted_us, until_us).astype(np.float64)
    expected = np.concatenate([[0.0], np.cumsum(rates / RATE_SECONDS * np.diff(edges) / SECOND)])
    count = 64
    while True:
        uniforms = tape.uniforms(campaign.tenant, campaign.name, Purpose.REQUEST, count=count)
        arrivals = np.cumsum(-np.log1p(-uniforms))
        if arrivals[-1] > expected[-1]:
            break
        count *= 2
    within = arrivals[arrivals < expected[-1]]
    instants = np.interp(within, expected, edges)
    whole_ms: NDArray[np.int64] = np.rint(instants / 1000).astype(np.int64)
    return np.multiply(whole_ms, 1000)


def requests_us(
    scenario: Scenario, campaign: Campaign, tape: Tape, until_us: int
) -> NDArray[np.int64] | None:
    """When each single-call request comes in; None for a campaign with a list (rule 1)."""
    if campaign.requests is None:
        return None
    if campaign.requests.times_s is None:
        return _poisson_requests_us(scenario, campaign, tape, until_us)
    recorded = np.sort(np.array(campaign.requests.times_s, dtype=np.float64))
    return np.rint(recorded * SECOND).astype(np.int64)
