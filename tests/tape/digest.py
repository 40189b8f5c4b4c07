"""A small tape boiled down to one number, to be compared between processes and days.

Run as a program it prints the number.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from outsim.plan import Plan, build_plan
from outsim.plan.campaigns import CampaignPlan
from outsim.scenario.model import Scenario
from outsim.tape import Tape
from outsim.tape.draws import AttemptDraws

SEED = 20_260_310
SCENARIO = {
    "clock": {"zone": "UTC", "date": date(2026, 3, 10), "begins": "09:00", "ends": "10:00"},
    "platform": {
        "lost_updates": 0.1,
        "wedged_calls": 0.1,
        "dial_work": {"distribution": "exponential", "mean": "40 ms"},
        "status_work": {"distribution": "uniform", "least": "10 ms", "most": "50 ms"},
    },
    "endpoint": [{"name": "url", "failure_share": 0.2}],
    "campaign": [
        {
            "name": "list",
            "tenant": "acme",
            "start": "09:00",
            "contacts": 2_000,
            "missing_ani_share": 0.1,
            "asks_for_key": True,
            "result_url": "url",
        },
        {
            "name": "talks",
            "tenant": "acme",
            "start": "09:00",
            "contacts": 2_000,
            "transfers_to_agent": True,
        },
        {
            "name": "requests",
            "tenant": "bolt",
            "start": "09:00",
            "requests": {"rate": "1/s", "until": "09:30"},
        },
    ],
    "background": {"campaigns_per_hour": 5},
}


ATTEMPT_FIELDS = (
    "outcome",
    "recorded_outcome",
    "post_dial_ms",
    "ring_human_ms",
    "ring_voicemail_ms",
    "talk_human_ms",
    "talk_voicemail_ms",
    "misdetected",
    "ani_refused",
    "dial_work_us",
)


def attempt_arrays(draws: AttemptDraws) -> list[np.ndarray]:
    """What is drawn for attempts, column by column."""
    return [getattr(draws, name) for name in ATTEMPT_FIELDS]


def arrays(campaign: CampaignPlan) -> list[np.ndarray]:
    """Everything that the tape says about a campaign, posts left out."""
    found = [campaign.ready_us, *astuple(campaign.contacts)]
    for attempt in (1, 2):
        found += attempt_arrays(campaign.attempts(attempt))
        found += astuple(campaign.updates(attempt))
    return [*found, *astuple(campaign.updates(0))]


def small_plan() -> Plan:
    """Plan of the scenario above."""
    clock = {"zone": ZoneInfo("UTC"), "date": date(2026, 3, 10)}
    return build_plan(Scenario.model_validate(SCENARIO, context=clock), Tape(SEED))


def tape_digest() -> str:
    """Digest of every draw of the small plan, types and shapes included."""
    digest = hashlib.sha256()
    for campaign in small_plan().campaigns:
        digest.update(f"{campaign.key} {campaign.size} {campaign.start_us}".encode())
        found = arrays(campaign)
        if campaign.result_url is not None:
            found += astuple(campaign.posts(1))
        for array in found:
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    print(tape_digest())  # noqa: T201
