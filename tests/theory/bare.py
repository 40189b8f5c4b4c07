"""The platform with everything out of the way but one resource.

Dial work and updates take a microsecond and have workers to spare, nothing is dialed too
fast, everybody answers at once. An attempt then holds its port, and its channel, for its
talk and for `OVERHEAD_US` besides.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from outsim.clock import SECOND, after
from outsim.scenario import Scenario, load

BEGINS = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("UTC"))
PLENTY = 1_000_000
INSTANT = "1 us"
OVERHEAD_US = 3
"""One microsecond each of dial work, post-dial delay and ringing."""
CARRIED_OVERHEAD_US = 2
"""Those of them that the channel is held for."""


def bare(
    seconds: float, campaign: dict[str, Any], talk: Any, *, ports: int = PLENTY, **parts: Any
) -> Scenario:
    """Scenario of one campaign on a platform where only what `parts` names is scarce."""
    ends = after(BEGINS, round(seconds * SECOND))
    mapping: dict[str, Any] = {
        "clock": {
            "zone": "UTC",
            "date": date(2026, 3, 10),
            "begins": BEGINS,
            "ends": ends,
            "latest": ends,
        },
        "platform": {
            "ports": ports,
            "dial_rate": "1000000/s",
            "dial_burst": PLENTY,
            "loader_rate": "1000000/s",
            "workers": PLENTY,
            "dial_work": INSTANT,
            "status_work": INSTANT,
            "start_jitter": "none",
            "lost_updates": 0.0,
            "wedged_calls": 0.0,
        }
        | parts.get("platform", {}),
        "carrier": {
            "rate": "1000000/s",
            "burst": PLENTY,
            "channels": PLENTY,
            "other_traffic": 0.0,
            "refusal_time": INSTANT,
        }
        | parts.get("carrier", {}),
        "callees": {
            "post_dial_delay": INSTANT,
            "ring_human": INSTANT,
            "message": talk,
            "early_hang_up": 0.0,
            "fax_share": 0.0,
            "redial_factors": [1.0],
            "hour_factors": {"morning": 1.0, "afternoon": 1.0, "evening": 1.0, "night": 1.0},
        },
        "profiles": {
            "people": {"human": 1, "voicemail": 0, "no_answer": 0, "busy": 0},
            "nobody": {"human": 0, "voicemail": 0, "no_answer": 1, "busy": 0},
        },
        "campaign": [
            {
                "name": "list",
                "tenant": "acme",
                "start": BEGINS,
                "profile": "people",
                "max_retry": 0,
            }
            | campaign
        ],
    }
    return load(mapping)
