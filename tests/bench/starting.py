"""A campaign of 50,000 calls at any start: the headline scenario, with less going on beside it."""

from __future__ import annotations

from typing import Any

from headline import headline

CAMPAIGN, CALLS = "appointment reminders", 50_000
SIZE = 160_000
"""Calls of the headline scenario whose platform and background it has."""

MOST_ATTEMPTS = 400_000
"""That a run may take, whichever start and replication."""

STARTS, EVERY, BETWEEN = 12, "5min", ("09:00", "09:55")
REPLICATIONS = 30


def morning() -> dict[str, Any]:
    """Mapping of a scenario file in which no run has more than `MOST_ATTEMPTS`."""
    mapping = headline(SIZE)
    mapping["name"] = f"{CALLS:,} calls, to be started"
    mapping["clock"]["begins"] = "08:30"
    mapping["clock"]["ends"] = "11:00"
    mapping["campaign"][0]["contacts"] = CALLS
    return mapping
