"""Runs that can't fit in memory are refused before anything is made for them."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from outsim.errors import ScenarioError
from outsim.plan import build_plan
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario, load, memory
from outsim.scenario.memory import check_drawn, check_size, runs_that_fit
from outsim.tape import Tape

CAMPAIGN = {"name": "a", "tenant": "t", "start": "09:00", "contacts": 1000}
LARGE = {
    "contacts": ({"contacts": 100_000_000}, {}, "campaign[t/a].contacts: found 100,000,000"),
    "requests": (
        {"contacts": None, "requests": {"rate": "10000/s"}},
        {},
        "campaign[t/a].requests: found some 36,000,000 requests",
    ),
    "too many to be numbered": (
        {"contacts": None, "requests": {"rate": "1000000/s"}},
        {},
        "a campaign can have 134,217,727 at most",
    ),
    "requests by hour": (
        {"contacts": None, "requests": {"rate_by_hour": {"9": "9000/s"}}},
        {},
        "campaign[t/a].requests: found some 32,000,000 requests",
    ),
    "sizes of others": (
        {},
        {"background": {"median_size": 1_000_000, "campaigns_per_hour": 30, "size_log_sd": 0}},
        "background.median_size: found 1000000",
    ),
    "campaigns of others": (
        {},
        {
            "clock": {"latest": "2027-03-10 09:00"},
            "background": {"campaigns_per_hour": 1000, "median_size": 1},
        },
        "background.campaigns_per_hour: found 1000",
    ),
    "a queue as it stands": (
        {},
        {
            "snapshot": {
                "at": "09:10",
                "campaign": [{"name": "b", "tenant": "u", "queued": [{"count": 1_000_000}] * 40}],
            }
        },
        "snapshot.campaign[u/b]: found 40,000,000",
    ),
}


def scenario(campaign: dict[str, Any] | None = None, **parts: Any) -> Scenario:
    clock = {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "10:00"}
    merged = {k: v for k, v in (CAMPAIGN | (campaign or {})).items() if v is not None}
    return load({"clock": clock | parts.pop("clock", {}), "campaign": [merged], **parts})


@pytest.mark.parametrize("size", LARGE)
def test_a_run_that_can_not_fit_is_refused_with_the_key_that_takes_most(
    size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 4e9)
    campaign, parts, message = LARGE[size]
    with pytest.raises(ScenarioError) as caught:
        build_plan(scenario(campaign, **parts), Tape(1))
    assert message in str(caught.value)


def test_a_larger_machine_may_run_what_a_smaller_one_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = scenario({"contacts": 10_000_000})
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e9)
    with pytest.raises(ScenarioError, match=r"takes 3\.\d GB of memory at least, and 1\.0 GB are"):
        check_size(large)
    monkeypatch.setattr(memory, "available_bytes", lambda: 64e9)
    check_size(large)


def test_a_giant_among_drawn_campaigns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e9)
    check_drawn(scenario(), [10, 20])
    with pytest.raises(ScenarioError, match="a campaign of 5,000,000 calls was drawn"):
        check_drawn(scenario(), [10, 5_000_000])


def test_the_limit_on_a_process_is_what_is_available() -> None:
    code = "from outsim.scenario.memory import available_bytes; print(available_bytes())"
    limit = 3_000_000_000
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert 0 < float(told.stdout) < limit


def test_what_is_asked_for_is_less_than_what_records_take() -> None:
    """So that nothing is refused that would have fitted."""
    result = simulate(scenario({"contacts": 3000, "max_retry": 2}), engine="simpy")
    records = result.arrays.records
    kept = sum(
        np.asarray(column).nbytes
        for table in (records.calls, records.attempts, records.updates)
        for column in table.values()
    )
    least = memory.CALL_BYTES * 3000
    assert kept / 3000 < memory.CALL_BYTES + memory.ATTEMPT_BYTES * len(result.attempts) / 3000
    assert least < 3 * kept


def test_only_as_many_runs_are_made_at_once_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them takes some 250 bytes a call at least; small ones always fit."""
    large, small = scenario({"contacts": 4_000_000}), scenario()
    monkeypatch.setattr(memory, "available_bytes", lambda: 4e9)
    assert 1 <= runs_that_fit([small, large]) <= 4
    monkeypatch.setattr(memory, "available_bytes", lambda: 8e8)
    assert runs_that_fit([large]) == 1
    assert runs_that_fit([small]) > 1_000
