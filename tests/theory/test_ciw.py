"""Ciw, another simulator, given the same arrivals and services: the same waits, call by call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from outsim.clock import SECOND
from outsim.results.checkpoint import simulate
from outsim.theory.ciw_check import begins_in_ciw
from tests.theory.bare import OVERHEAD_US, bare
from tests.theory.test_priorities import Jobs, begins_at, constant, drawn, exponential

CLOSE_S = 1e-6
"""Ciw adds up floats; a microsecond is the unit of time here."""


TALKS: dict[str, Any] = {
    "exponential": {"distribution": "exponential", "mean": "10 s"},
    "constant": "10 s",
    "lognormal": {"distribution": "lognormal", "median": "7 s", "log_sd": 0.9},
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize(("ports", "per_hour"), [(1, 250), (4, 1000), (4, 1700)])
def test_calls_wait_for_ports_as_long_as_ciw_says(talk: Any, ports: int, per_hour: int) -> None:
    """At loads of 0.7 and, where the queue only grows, above 1."""
    scenario = bare(
        14_400, {"requests": {"rate": f"{per_hour}/hour", "until": "11:30"}}, talk, ports=ports
    )
    result = simulate(scenario, seed=21)
    plan = result.arrays.plan.campaigns[0]
    arrives = plan.submitted_at_us / SECOND
    services = (plan.attempts(1).talk_human_ms * 1000 + OVERHEAD_US) / SECOND
    a = result.arrays.records.attempts
    assert len(a["dispatched"]) > 500
    theirs = begins_in_ciw({"call": (arrives, services)}, ports)["call"]
    ours = a["dispatched"] / SECOND
    assert (ours - arrives[: len(ours)]).max() > 10
    np.testing.assert_allclose(ours, theirs[: len(ours)], rtol=0, atol=CLOSE_S)


def class_of(jobs: Jobs, is_dial: int) -> tuple[np.ndarray, np.ndarray]:
    mine = jobs.is_dial == is_dial
    return jobs.arrives[mine] / SECOND, jobs.lasts[mine] / SECOND


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("dial", [exponential, constant])
def test_jobs_wait_for_workers_as_long_as_ciw_says(
    workers: int, dial: Callable[[float, float], Any]
) -> None:
    kinds = (dial(8.0 * workers, 0.05), exponential(10.0 * workers, 0.03))
    jobs = drawn(kinds, 3_000, np.random.default_rng(17))
    ours = begins_at(jobs, workers) / SECOND
    theirs = begins_in_ciw(
        {"dial": class_of(jobs, 1), "status": class_of(jobs, 0)},
        workers,
        {"dial": 0, "status": 1},
    )
    for name, is_dial in (("dial", 1), ("status", 0)):
        mine = jobs.is_dial == is_dial
        np.testing.assert_allclose(ours[mine], theirs[name], rtol=0, atol=CLOSE_S)


def test_a_port_less_or_a_longer_call_would_show() -> None:
    """Ciw with other arrivals or services gives other waits: the comparison is one."""
    scenario = bare(7_200, {"requests": {"rate": "900/hour"}}, TALKS["exponential"], ports=4)
    result = simulate(scenario, seed=21)
    plan = result.arrays.plan.campaigns[0]
    arrives = plan.submitted_at_us / SECOND
    services = (plan.attempts(1).talk_human_ms * 1000 + OVERHEAD_US) / SECOND
    ours = result.arrays.records.attempts["dispatched"] / SECOND
    for servers, stretched in ((3, 1.0), (4, 1.001)):
        theirs = begins_in_ciw({"call": (arrives, services * stretched)}, servers)["call"]
        assert np.abs(ours - theirs[: len(ours)]).max() > 0.001
