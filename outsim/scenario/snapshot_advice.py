"""What a snapshot can't mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from outsim.clock import MINUTE, SECOND, format_duration, microseconds_between
from outsim.distributions import Distribution
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import CampaignSnapshot, campaign_of

_LAST = np.array([0.9999])


def standing(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What can't be meant of the snapshot that a scenario begins with, as (key, message)."""
    snapshot = scenario.snapshot
    if snapshot is None:
        return
    at_us = scenario.instant_us(snapshot.at)
    for own in scenario.campaign:
        if snapshot.find(own.key) is None and scenario.instant_us(own.start) <= at_us:
            yield (
                "snapshot.campaign",
                f"does not tell of {own.full_name}, which started at "
                f"{own.start:%H:%M}: all of its calls are taken as over",
            )
    for campaign in snapshot.campaign:
        key = f"snapshot.campaign[{campaign.full_name}]"
        for state, fate in _too_late(scenario, campaign):
            yield f"{key}.{state}", f"{campaign.count(state):,} stand there {fate}"
        for state, most_us in _longest_us(scenario, campaign).items():
            lasting = [
                (microseconds_between(standing.since_at(snapshot.at), snapshot.at), standing.count)
                for standing in campaign.standing(state)
            ]
            count = sum(number for lasted_us, number in lasting if lasted_us > most_us)
            if count:
                longest = format_duration(max(lasting)[0])
                fate = (
                    "they are ready at once"
                    if state == "waiting_retry"
                    else "they end at once. Most likely their updates are lost: leave them out"
                )
                yield (
                    f"{key}.{state}",
                    f"{count:,} for up to {longest}, longer than the scenario allows "
                    f"({format_duration(most_us)}): {fate}",
                )
        known = scenario.campaign_or_none(campaign.full_name)
        listed = None if known is None else known.dialable(scenario.load)
        there = sum(campaign.counts.values())
        if listed is not None and 0 < there < listed:
            yield (
                key,
                f"tells of {there:,} of the {listed:,} calls of its list; the others are taken as "
                "over",
            )


def _too_late(scenario: Scenario, campaign: CampaignSnapshot) -> Iterator[tuple[str, str]]:
    """States in which calls stand that the stop or the expiry of their campaign has ended."""
    assert scenario.snapshot is not None
    rules, at_us = campaign_of(scenario, campaign), scenario.instant_us(scenario.snapshot.at)
    stopped = {
        "scheduled": True,
        "queued": rules.stop_reaches == "queue",
        "waiting_retry": rules.stop_cancels_retries,
    }
    if rules.stop_mode == "calls":
        stopped = dict.fromkeys(stopped, False)  # they are canceled from the moment on
    for state, is_stopped in stopped.items():
        if not campaign.count(state):
            continue
        latency_us = scenario.platform.stop_latency
        if rules.expires_at is not None and scenario.instant_us(rules.expires_at) <= at_us:
            yield state, f"after the campaign's expiry at {rules.expires_at:%H:%M}: they expire"
        elif (
            is_stopped
            and rules.stop_at is not None
            and scenario.instant_us(rules.stop_at) + latency_us <= at_us
        ):
            yield state, f"after the campaign's stop at {rules.stop_at:%H:%M}: they are canceled"


def _longest_us(scenario: Scenario, campaign: CampaignSnapshot) -> dict[str, int]:
    """How long calls stand in a state at most, or as good as that."""
    platform, callees = scenario.platform, scenario.callees
    rules = campaign_of(scenario, campaign)

    def last_us(*distributions: Distribution) -> int:
        return round(sum(float(d.quantile_s(_LAST)[0]) for d in distributions) * SECOND)

    talk = [callees.greeting, rules.message or callees.message]
    talk += [callees.agent_talk] if rules.transfers_to_agent else []
    talk += [callees.key_press] if rules.asks_for_key else []
    return {
        "dialing": platform.ring_timeout
        + last_us(callees.post_dial_delay, platform.dial_work)
        + MINUTE,
        "connected": last_us(*talk) + MINUTE,
        "waiting_retry": rules.longest_retry_wait_us + MINUTE,
    }
