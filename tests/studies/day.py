"""A platform's morning in miniature: other customers' lists, half of them on the hour.

Every part of a real day is in it: requests that come and go with the hour, lists on the hour,
retries, a carrier that refuses when all call at once, workers that fall behind.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from outsim.scenario import Scenario, load


def morning(start: str) -> Scenario:
    """Eighty calls at this time, among those of others."""
    mapping: dict[str, Any] = {
        "name": f"start at {start}",
        "clock": {
            "zone": "UTC",
            "date": date(2026, 3, 10),
            "begins": "08:00",
            "ends": "10:30",
            "latest": "12:00",
        },
        "platform": {
            "ports": 12,
            "dial_rate": "1/s",
            "dial_burst": 2,
            "workers": 1,
            "dial_work": "200 ms",
            "status_work": "150 ms",
            "ring_timeout": "30 s",
        },
        "carrier": {"rate": "0.8/s", "burst": 2, "channels": 14},
        "background": {"campaigns_per_hour": 12, "median_size": 12, "max_retry": 1},
        "campaign": [
            {
                "name": "reminders",
                "tenant": "clinic",
                "start": start,
                "contacts": 80,
                "max_retry": 1,
                "retry_interval": "10 min",
            },
            {
                "name": "callbacks",
                "tenant": "airline",
                "start": "08:00",
                "max_retry": 0,
                "requests": {"rate_by_hour": {8: "20/hour", 9: "60/hour", 10: "40/hour"}},
            },
        ],
        "study": {"campaign": "clinic/reminders", "deadline": "09:50"},
    }
    return load(mapping)


TOP, QUARTER = morning("09:00"), morning("09:15")
