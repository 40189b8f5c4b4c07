"""Runs whose every instant can be written down, and Little's law."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from outsim.clock import HOUR, MINUTE, SECOND, TOKEN
from outsim.results.checkpoint import simulate
from tests.theory.bare import OVERHEAD_US, bare

CALLS = 200
TALK_S = 10
HELD_US = TALK_S * SECOND + OVERHEAD_US
LOADED_US = np.arange(CALLS)
"""The loader moves a contact every microsecond."""


@pytest.mark.parametrize("ports", [1, 7, 50, CALLS])
def test_a_batch_goes_out_in_rounds(ports: int) -> None:
    """Of n calls and p ports, call k goes out in round k // p; rounds last one call each."""
    scenario = bare(3_600, {"contacts": CALLS}, f"{TALK_S} s", ports=ports)
    a = simulate(scenario).arrays.records.attempts
    in_round, rounds = LOADED_US % ports, LOADED_US // ports
    assert a["dispatched"].tolist() == (rounds * HELD_US + in_round).tolist()
    assert a["ended"].tolist() == ((rounds + 1) * HELD_US + in_round).tolist()


@pytest.mark.parametrize("burst", [1, 5, 64])
@pytest.mark.parametrize("per_second", [3, 10])
def test_a_batch_goes_out_at_the_dial_rate(burst: int, per_second: int) -> None:
    """The burst goes at once; call k then goes with the (k + 1 - burst)-th token gained.

    A bucket that holds one token only loses what it gains in the microsecond in which the
    token becomes whole, so its tokens come at whole intervals.
    """
    platform = {"dial_rate": f"{per_second}/s", "dial_burst": burst}
    scenario = bare(3_600, {"contacts": CALLS}, "1 s", platform=platform)
    a = simulate(scenario).arrays.records.attempts
    rate = per_second * 1_000_000
    tokens = np.maximum(LOADED_US + 1 - burst, 0)
    gained = tokens * -(-TOKEN // rate) if burst == 1 else -(-tokens * TOKEN // rate)
    assert a["dispatched"].tolist() == np.maximum(LOADED_US, gained).tolist()


@pytest.mark.parametrize("where", ["admission", "dispatch"])
def test_a_batch_goes_out_at_its_pace(where: str) -> None:
    campaign = {"contacts": CALLS, "pacing": "30/min", "pacing_at": where}
    a = simulate(bare(3_600, campaign, "1 s")).arrays.records.attempts
    assert a["dispatched"].tolist() == (LOADED_US * 2 * SECOND).tolist()


def test_a_batch_waits_for_workers_in_rounds() -> None:
    """With w workers the k-th dial work begins in round k // w, updates having to wait."""
    workers, work_us = 4, 250_000
    platform = {"workers": workers, "dial_work": "250 ms"}
    scenario = bare(3_600, {"contacts": CALLS}, "60 s", platform=platform)
    a = simulate(scenario).arrays.records.attempts
    settled = slice(4 * workers, None)  # the first updates come before the first dial work
    started = a["work_started"][settled].reshape(-1, workers)
    gaps = np.diff(started, axis=0)
    assert (gaps == work_us).all()
    assert (a["dialed"] - a["work_started"] == work_us).all()


def test_retries_come_back_after_their_interval() -> None:
    """Of a batch that nobody answers, attempt j of call k goes out at a known instant."""
    campaign = {"contacts": CALLS, "max_retry": 3, "retry_interval": "5 min", "profile": "nobody"}
    a = simulate(bare(3_600, campaign, "1 s")).arrays.records.attempts
    ring_us = 60 * SECOND  # the ring timeout
    held_us = ring_us + OVERHEAD_US - 1  # nobody answers, so nothing rings until an answer
    expected = {(k, j + 1): k + j * (held_us + 5 * MINUTE) for k in range(CALLS) for j in range(4)}
    keys = zip(a["call_id"].tolist(), a["attempt"].tolist(), strict=True)
    assert dict(zip(keys, a["dispatched"].tolist(), strict=True)) == expected


@pytest.mark.parametrize("per_hour", [900, 1400])
def test_littles_law_holds_exactly(per_hour: int) -> None:
    """Time average of the queue = rate of arrivals x mean wait, of the ports likewise.

    Exactly, in microseconds, over a run that begins and ends empty.
    """
    talk = {"distribution": "exponential", "mean": "10 s"}
    requests = {"rate": f"{per_hour}/hour", "until": "10:00"}
    result = simulate(bare(3 * 3_600, {"requests": requests}, talk, ports=4), seed=5)
    a = result.arrays.records.attempts
    timeline = result.timeline(every=None)
    elapsed = np.diff(timeline.index.append(timeline.index[-1:])) // timedelta(microseconds=1)
    assert timeline.iloc[-1].sum() == 0
    areas = {name: int((timeline[name].to_numpy() * elapsed).sum()) for name in timeline}
    assert areas["queue"] == int((a["dispatched"] - a["queued"]).sum())
    assert areas["busy_ports"] == int((a["ended"] - a["dispatched"]).sum())
    assert areas["connected"] == int((a["ended"] - a["answered"]).sum())
    assert areas["queue"] > HOUR // 100
