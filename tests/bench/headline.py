"""The headline scenario at any size: scenarios/morning.toml with a stop, and more of all."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

MORNING = Path(__file__).parents[2] / "scenarios" / "morning.toml"

CALLS = 92_000
"""Calls that the morning begins with, background tenants included, and with the stopped offer."""

PLATFORM = {"ports": 300, "dial_burst": 20, "workers": 2}
RATES = {"dial_rate": 20}
CARRIER = {"burst": 15, "channels": 400}
CARRIER_RATES = {"rate": 15}


def headline(calls: int) -> dict[str, Any]:
    """Mapping of a scenario file with about so many calls on a platform that is as much larger."""
    factor = calls / CALLS
    mapping = copy.deepcopy(tomllib.loads(MORNING.read_text()))

    def scaled(counts: dict[str, int], rates: dict[str, int]) -> dict[str, Any]:
        return {name: max(1, round(count * factor)) for name, count in counts.items()} | {
            name: f"{rate * factor:.6f}/s" for name, rate in rates.items()
        }

    mapping["name"] = f"headline, {calls:,} calls"
    mapping["platform"] |= scaled(PLATFORM, RATES)
    mapping["carrier"] = mapping.get("carrier", {}) | scaled(CARRIER, CARRIER_RATES)
    mapping["background"]["median_size"] = max(1, round(830 * factor))
    (campaign,) = mapping["campaign"]
    campaign["contacts"] = round(campaign["contacts"] * factor)
    mapping["campaign"].append(
        {
            "name": "offer",
            "tenant": "retailer",
            "start": "09:00",
            "contacts": max(1, round(2_000 * factor)),
            "pacing": f"{2 * factor:.6f}/s",
            "stop_at": "09:10",
        }
    )
    return mapping
