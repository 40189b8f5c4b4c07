"""Small campaigns that differ from one replication to the next, for studies of a second."""

from __future__ import annotations

from typing import Any

from outsim.scenario.model import Scenario
from tests.engine import scenarios


def chancy(name: str = "chancy", **keys: Any) -> Scenario:
    """Thirty calls on ten ports, with every outcome as the usual list has it."""
    campaign = {"contacts": 30, "profile": "known_list", "max_retry": 1} | keys
    return scenarios.scenario(
        scenarios.campaign(**campaign), name=name, platform={"ports": 10, "workers": 1}
    )


def without_campaigns() -> Scenario:
    """Nobody to compare."""
    return scenarios.scenario(name="nobody")
