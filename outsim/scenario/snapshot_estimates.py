"""What a forecast estimates because its snapshot does not say it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import Snapshot
from outsim.scenario.standing_campaigns import campaign_of


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
        whose = "/".join(campaign.key)
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
    for each in scenario.campaigns:
        if (each.tenant, each.name) not in there:
            fate = "over" if each.start <= snapshot.at else "still to start"
            yield f"{each.tenant}/{each.name}: not in the snapshot, taken as {fate}"
