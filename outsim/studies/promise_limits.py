"""Promises that no run can keep, as the scenario alone shows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import numpy as np

from outsim.clock import RATE_SECONDS, SECOND, after
from outsim.plan import build_plan
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.promises import Promise
from outsim.tape import Tape

_WAIT = re.compile(r"(?:wait|time_to_first_dispatch)_p([\d.]+)_s")


def never_kept(promises: Sequence[Promise], *scenarios: Scenario) -> tuple[str, ...]:
    """Why promises can't be kept in any of these scenarios, one sentence each."""
    texts = []
    for promise in promises:
        reasons = [_reason(promise, scenario) for scenario in scenarios]
        if all(reasons):
            texts.append(f"No run can keep {promise.text!r}: {reasons[-1]}.")
    return tuple(texts)


def _reason(promise: Promise, scenario: Scenario) -> str:
    """Why a promise about the campaign under study can't be kept; empty where it may be."""
    campaign = scenario.campaign_under_study
    if campaign is None or promise.measure.of is not None:
        return ""
    plan = build_plan(scenario, Tape(scenario.seed))
    mine = plan.campaigns[plan.under_study]
    calls = int(np.count_nonzero((mine.reject_reason == 0) & ~mine.contacts.wedged))
    if promise.measure.name == "calls_dialed" and not promise.at_most:
        return f"there are {calls:,} calls" if promise.limit > calls else ""
    by = _by(promise, scenario, campaign)
    # A call that is canceled or expires is over, or does not count, without having been dialed.
    ends_early = campaign.stop_at is not None or campaign.expires_at is not None
    if by is None or calls == 0 or ends_early or campaign.expires_after is not None:
        return ""
    at, share = by
    if at <= campaign.start:
        return f"the campaign starts at {campaign.start:%H:%M:%S}"
    return _too_fast(scenario, campaign, at, math.ceil(share * calls - 1e-9))


def _by(promise: Promise, scenario: Scenario, campaign: Campaign) -> tuple[datetime, float] | None:
    """By when which share of the calls has to be dialed; None where that is not promised."""
    measure = promise.measure
    wait = _WAIT.fullmatch(measure.name)
    if wait is not None and promise.at_most and campaign.requests is None:
        return after(campaign.start, round(promise.limit * SECOND)), float(wait[1]) / 100
    if measure.name == "finish_time_s" and promise.at_most:
        return after(scenario.clock.begins, round(promise.limit * SECOND)), 1.0
    compute = measure.compute
    if isinstance(compute, partial) and "at" in compute.keywords and promise.limit > 0:
        return compute.keywords["at"], promise.limit
    return None


def _too_fast(scenario: Scenario, campaign: Campaign, at: datetime, calls: int) -> str:
    """What does not let so many calls go out by a time; empty where nothing keeps them."""
    platform = scenario.platform
    tenant = next((t for t in scenario.tenant if t.name == campaign.tenant), None)
    rates = {
        "platform.dial_rate": (platform.dial_rate, platform.dial_burst),
        "carrier.rate": (scenario.carrier.rate, scenario.carrier.burst),
        "campaign.pacing": (campaign.pacing, 1),
        "tenant.dial_rate": (tenant and tenant.dial_rate, platform.dial_burst),
    }
    seconds = (at - campaign.start).total_seconds()
    for key, (rate, burst) in rates.items():
        if not rate:
            continue
        most = math.floor(rate / RATE_SECONDS * seconds) + max(1, burst or 1) + 1
        if most < calls:
            return (
                f"{key} lets at most {most:,} calls out by {at:%H:%M:%S}, and it takes {calls:,}"
            )
    return ""
