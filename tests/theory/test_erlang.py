"""Ports as servers with a queue (Erlang C) and channels as servers without (Erlang B).

Poisson requests, exponential talk. The formulas are those of A. K. Erlang (1917), as in
L. Kleinrock, Queueing Systems, vol. 1, section 3.5 and 3.6. Talk is drawn in whole
milliseconds and takes some microseconds more (`bare.OVERHEAD_US`): 1 part in a million.

Replications, standard errors and power are those of `estimation`. Here 24 replications of
1,500 to 3,000 calls give standard errors of 0.5 to 1 % (control variates make them about a
third of what they were): an error of 5 % is found with certainty, for all that matters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from outsim.clock import SECOND
from outsim.outcomes import CARRIER_CHANNELS, COMPLETED
from outsim.result import simulate
from tests.theory.bare import bare
from tests.theory.estimation import (
    Comparison,
    assert_agrees,
    compare,
    lindley,
    pollaczek_khinchine,
)

TALK_S = 10.0


def erlang_b(servers: int, offered: float) -> float:
    """Share of arrivals that are lost."""
    terms = [offered**k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


def erlang_c(servers: int, offered: float) -> float:
    """Share of arrivals that wait."""
    lost = erlang_b(servers, offered)
    return lost / (1 - offered / servers * (1 - lost))


def mean_wait_s(servers: int, offered: float) -> float:
    """Mean wait of all arrivals, in seconds."""
    return erlang_c(servers, offered) * TALK_S / (servers - offered)


def replications(
    count: int, calls: int, offered: float, talk_s: float = TALK_S, **scarce: Any
) -> Any:
    """Records of independent runs, with request and talk times in seconds."""
    rate_per_s = offered / TALK_S
    requests = {"rate": f"{rate_per_s * 3600:.6f} / hour"}
    talk = {"distribution": "exponential", "mean": f"{round(talk_s * 1e6)} us"}
    scenario = bare(calls / rate_per_s, {"requests": requests}, talk, **scarce)
    for replication in range(count):
        result = simulate(scenario, seed=12, replication=replication)
        plan = result.frames.plan.campaigns[0]
        talk_drawn = plan.attempts(1).talk_human_ms / 1000
        yield result.frames.records, plan.submitted_at_us / SECOND, talk_drawn


def controls(
    requests: np.ndarray, talk: np.ndarray, servers: int, offered: float, kept: slice
) -> list[float]:
    """Figures of the input, less their known means.

    What the same calls would meet at one server that is as fast as all of them (its mean
    wait is Pollaczek and Khinchine's, its busy share the load), and how often they would
    find all of these servers busy if there were no end of servers, which is a tail of the
    Poisson distribution.
    """
    rate, mean = offered / TALK_S, TALK_S / servers
    gaps = np.diff(requests, prepend=0.0)
    wait = lindley(gaps, talk / servers)[kept]
    busy = np.arange(len(talk)) - np.searchsorted(np.sort(requests + talk), requests)
    return [
        float(wait.mean()) - pollaczek_khinchine(rate, mean, 2 * mean**2),
        float((wait > 0).mean()) - rate * mean,
        float((busy[kept] >= servers).mean()) - float(stats.poisson.sf(servers - 1, offered)),
    ]


def waits_against_erlang_c(
    servers: int, offered: float, *, count: int, calls: int, talk_s: float = TALK_S
) -> tuple[Comparison, Comparison]:
    """Mean wait and share of waiting calls beside the formulas."""
    waits, shares, known = [], [], []
    settled = slice(300, -200)  # the run begins empty, and its last calls may not be served
    for records, requests, talk in replications(count, calls, offered, talk_s, ports=servers):
        a = records.attempts
        wait = (a["dispatched"] - a["queued"])[settled] / SECOND
        waits.append(float(wait.mean()))
        shares.append(float((wait > 0).mean()))
        kept = slice(300, 300 + len(wait))
        known.append(controls(requests, talk * TALK_S / talk_s, servers, offered, kept))
    return (
        compare(mean_wait_s(servers, offered), waits, known),
        compare(erlang_c(servers, offered), shares, known),
    )


@pytest.mark.parametrize(("servers", "offered", "calls"), [(2, 1.4, 1_500), (3, 2.1, 3_000)])
def test_ports_are_a_queue_of_erlang_c(servers: int, offered: float, calls: int) -> None:
    wait, share = waits_against_erlang_c(servers, offered, count=24, calls=calls)
    assert_agrees(wait, 0.05)
    assert_agrees(share, 0.05)


@pytest.mark.deep
@pytest.mark.parametrize(("servers", "offered"), [(2, 1.4), (3, 2.1), (5, 3.5)])
def test_ports_are_a_queue_of_erlang_c_to_2_percent(servers: int, offered: float) -> None:
    wait, share = waits_against_erlang_c(servers, offered, count=40, calls=15_000)
    assert_agrees(wait, 0.02)
    assert_agrees(share, 0.02)


def test_a_platform_whose_waits_are_5_percent_longer_fails() -> None:
    """Talk is 1.1 % longer than the theory is told: at this load the wait is 5 % longer."""
    longer = 1.011
    off = mean_wait_s(2, 1.4 * longer) * longer / mean_wait_s(2, 1.4) - 1
    assert 0.04 < off < 0.06
    wait, _ = waits_against_erlang_c(2, 1.4, count=24, calls=1_500, talk_s=TALK_S * longer)
    assert not wait.agrees


def refusals_against_erlang_b(
    servers: int, offered: float, *, count: int, calls: int, theory_servers: int | None = None
) -> Comparison:
    """Share of calls that find all channels busy beside the formula."""
    shares, known = [], []
    scarce = {"carrier": {"channels": servers}}
    for records, requests, talk in replications(count, calls, offered, **scarce):
        refused = records.attempts["cause"] == CARRIER_CHANNELS
        kept = slice(100, len(refused))
        shares.append(float(refused[kept].mean()))
        known.append(controls(requests, talk, servers, offered, kept))
        completed = records.calls["status"] == COMPLETED
        assert not (completed[records.attempts["call_id"]] & refused).any()
    return compare(erlang_b(theory_servers or servers, offered), shares, known)


def test_channels_are_a_loss_system_of_erlang_b() -> None:
    assert_agrees(refusals_against_erlang_b(5, 3.5, count=24, calls=2_500), 0.05)


@pytest.mark.deep
@pytest.mark.parametrize(("servers", "offered"), [(1, 0.7), (5, 3.5), (10, 7.0)])
def test_channels_are_a_loss_system_of_erlang_b_to_2_percent(servers: int, offered: float) -> None:
    assert_agrees(refusals_against_erlang_b(servers, offered, count=40, calls=15_000), 0.02)


def test_the_formulas_are_those_of_the_tables() -> None:
    """Values of published tables: 1 % is lost of 4.46 erlang at 10 servers, and so on."""
    assert erlang_b(1, 1.0) == pytest.approx(0.5)
    assert erlang_b(10, 4.461) == pytest.approx(0.01, rel=1e-3)
    assert erlang_b(20, 12.031) == pytest.approx(0.01, rel=1e-3)
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
