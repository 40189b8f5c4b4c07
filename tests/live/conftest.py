"""What tests of the sandbox share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from outsim.scenario import Scenario, load
from tests.live.serving import PACED, SCENARIO, Running, running


@pytest.fixture
def scenario_of() -> Callable[..., Scenario]:
    """Makes a scenario with the tenant acme, no campaigns, and calls that all take as long."""

    def scenario(**platform: Any) -> Scenario:
        return load(
            {
                "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "12:00"},
                "platform": {
                    "ports": 10,
                    "dial_rate": "5/s",
                    "workers": 2,
                    "dial_work": "20 ms",
                    "status_work": "20 ms",
                    "lost_updates": 0.0,
                    "wedged_calls": 0.0,
                    "stop_latency": "2 s",
                    **platform,
                },
                "tenant": [{"name": "acme"}, {"name": "bolt"}],
            }
        )

    return scenario


@pytest.fixture(scope="session")
def a_server() -> Iterator[Running]:
    """One sandbox for all tests that only ask it something."""
    with running(SCENARIO, settings=PACED) as server:
        yield server


@pytest.fixture
def server(a_server: Running) -> Running:
    """The same, at its beginning."""
    a_server.client.post("/sandbox/reset").raise_for_status()
    return a_server
