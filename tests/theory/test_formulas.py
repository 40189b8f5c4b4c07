"""The formulas themselves, against tables, chains solved by hand, scipy and other formulas."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from outsim.theory import formulas
from outsim.theory.formulas import Stream
from tests.theory import textbook

SERVERS = st.integers(1, 60)
LOADS = st.floats(0.02, 0.97)
MEANS = st.floats(0.01, 300.0)
TIMES = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=40).map(np.array)


def birth_and_death(servers: int, offered: float, room: int) -> np.ndarray:
    """Stationary distribution of the calls in a system that holds no more than `room`."""
    ends = np.minimum(np.arange(1, room + 1), servers)
    weights = np.cumprod(np.append(1.0, offered / ends))
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("servers", "offered", "lost"),
    [
        (1, 1.0, 0.5),
        (10, 4.461, 0.01),
        (20, 12.031, 0.01),
        (50, 37.901, 0.01),
        (100, 84.064, 0.01),
    ],
)
def test_erlang_b_is_that_of_published_tables(servers, offered, lost):
    assert formulas.erlang_b(servers, offered) == pytest.approx(lost, rel=1e-3)


@given(SERVERS, st.floats(0.01, 100.0))
def test_erlang_b_is_the_poisson_distribution_cut_off(servers, offered):
    busy = stats.poisson(offered)
    lost = busy.pmf(servers) / busy.cdf(servers)
    assert formulas.erlang_b(servers, offered) == pytest.approx(lost, rel=1e-9)


@given(SERVERS, st.floats(0.02, 0.9))
def test_erlang_c_is_the_chain_of_births_and_deaths(servers, load):
    chain = birth_and_death(servers, load * servers, servers + 600)
    assert formulas.erlang_c(servers, load * servers) == pytest.approx(
        chain[servers:].sum(), rel=1e-6
    )
    waiting = chain[servers:] @ np.arange(len(chain) - servers)
    wait_s = formulas.erlang_c_wait_s(servers, load * servers, 8.0)
    assert wait_s == pytest.approx(waiting * 8.0 / (load * servers), rel=1e-6), "Little's law"


@given(SERVERS, LOADS, MEANS)
def test_the_tail_of_waits_has_their_mean(servers, load, mean_s):
    offered = load * servers
    assert textbook.erlang_c_longer_than(servers, offered, mean_s, 0) == formulas.erlang_c(
        servers, offered
    )
    area_s, _ = integrate.quad(
        lambda t: textbook.erlang_c_longer_than(servers, offered, mean_s, t),
        0,
        50 * mean_s / (servers - offered),
        epsabs=0,
    )
    wait_s = formulas.erlang_c_wait_s(servers, offered, mean_s)
    assert area_s == pytest.approx(wait_s, rel=1e-6, abs=0)


@given(LOADS, MEANS)
def test_one_server_waits_as_everybody_knows(load, mean_s):
    exponential = Stream(load / mean_s, mean_s, 2 * mean_s**2)
    constant = Stream(load / mean_s, mean_s, mean_s**2)
    known_s = load / (1 - load) * mean_s
    assert textbook.pollaczek_khinchine_s(exponential) == pytest.approx(known_s)
    assert textbook.pollaczek_khinchine_s(constant) == pytest.approx(known_s / 2)
    assert formulas.erlang_c_wait_s(1, load, mean_s) == pytest.approx(known_s)


@given(SERVERS, LOADS, MEANS, st.floats(1.0, 9.0))
def test_several_servers_are_exact_for_one_and_for_exponential_times(
    servers, load, mean_s, spread
):
    rate = load * servers / mean_s
    one = Stream(load / mean_s, mean_s, spread * mean_s**2)
    assert formulas.several_servers_wait_s(1, one) == pytest.approx(
        textbook.pollaczek_khinchine_s(one)
    )
    exponential = Stream(rate, mean_s, 2 * mean_s**2)
    assert formulas.several_servers_wait_s(servers, exponential) == pytest.approx(
        formulas.erlang_c_wait_s(servers, load * servers, mean_s)
    )


@given(
    st.lists(st.tuples(st.floats(0.01, 0.3), MEANS, st.floats(1.0, 9.0)), min_size=1, max_size=3)
)
def test_priorities_only_pass_waiting_on(kinds):
    """Kleinrock's conservation law: the sum of load x wait is that without priorities."""
    streams = [Stream(load / mean, mean, spread * mean**2) for load, mean, spread in kinds]
    waits_s = formulas.cobham_s(streams)
    together = Stream(
        sum(each.rate_per_s for each in streams),
        sum(each.load for each in streams) / sum(each.rate_per_s for each in streams),
        sum(each.rate_per_s * each.second_moment for each in streams)
        / sum(each.rate_per_s for each in streams),
    )
    kept = sum(each.load * wait for each, wait in zip(streams, waits_s, strict=True))
    assert kept == pytest.approx(together.load * textbook.pollaczek_khinchine_s(together))
    assert waits_s == sorted(waits_s)


@given(SERVERS, st.lists(st.floats(0.01, 0.3), min_size=1, max_size=3), MEANS)
def test_priorities_at_several_servers(servers, loads, mean_s):
    rates = [load * servers / mean_s for load in loads]
    waits_s = textbook.priority_wait_s(servers, rates, mean_s)
    mean_wait_s = np.average(waits_s, weights=rates)
    offered = sum(loads) * servers
    assert mean_wait_s == pytest.approx(formulas.erlang_c_wait_s(servers, offered, mean_s))
    if servers == 1:
        streams = [Stream(rate, mean_s, 2 * mean_s**2) for rate in rates]
        assert waits_s == pytest.approx(formulas.cobham_s(streams))


def in_system_of_constant_service(load: float, most: int) -> np.ndarray:
    """Calls at one server with constant service, from one service to the next (a chain)."""
    arrivals = stats.poisson.pmf(np.arange(most + 1), load)
    chance = np.zeros(most + 1)
    chance[0] = 1 - load
    chance[1] = chance[0] * (1 / arrivals[0] - 1)
    for n in range(1, most):
        known = chance[0] * arrivals[n] + chance[1 : n + 1] @ arrivals[n:0:-1]
        chance[n + 1] = (chance[n] - known) / arrivals[0]
    return chance


@given(st.floats(0.05, 0.9), st.integers(1, 12))
def test_constant_service_is_the_chain_from_service_to_service(load, services):
    """Work is at most k services where there are no more than k calls."""
    chain = in_system_of_constant_service(load, services).cumsum()
    found = (1 - load) * formulas._constant_service(load, np.arange(services + 1.0))
    assert found == pytest.approx(chain, abs=1e-7)


@given(LOADS)
def test_a_bucket_of_one_token_is_a_server(load):
    wait_s = textbook.pollaczek_khinchine_s(Stream(load * 3, 1 / 3, 1 / 9))
    assert formulas.token_wait_s(load * 3, 3.0, 1) == pytest.approx(wait_s)
    assert formulas.token_refusals(load * 3, 3.0, 1) == pytest.approx(formulas.erlang_b(1, load))


def bucket(gaps_s: np.ndarray, tokens_per_s: float, burst: int, *, waits: bool) -> np.ndarray:
    """Of each arrival, its wait for a token, or whether there is none and it goes away."""
    tokens, found = float(burst), []
    for gap_s in gaps_s:
        tokens = min(burst, tokens + gap_s * tokens_per_s)
        found.append(max(0.0, 1 - tokens) / tokens_per_s if waits else float(tokens < 1))
        if waits or tokens >= 1:
            tokens -= 1
    return np.array(found)


@pytest.mark.parametrize(("load", "burst"), [(0.8, 2), (0.8, 5), (0.9, 3), (0.7, 4)])
def test_buckets_are_as_a_bucket_counted_out(load, burst):
    """Thirty series of 8,000 arrivals, each from a full bucket; four standard errors."""
    random = np.random.default_rng(17)
    gaps_s = random.exponential(1 / (load * 2), (30, 8_000))
    for waits, theory in (
        (True, formulas.token_wait_s(load * 2, 2.0, burst)),
        (False, formulas.token_refusals(load * 2, 2.0, burst)),
    ):
        means = [bucket(series, 2.0, burst, waits=waits)[500:].mean() for series in gaps_s]
        error = np.std(means, ddof=1) / np.sqrt(len(means))
        assert abs(np.mean(means) - theory) < 4 * error
        assert error < 0.1 * theory


def test_a_bucket_refuses_more_than_comes_too_fast():
    assert formulas.token_refusals(10.0, 2.0, 3) == pytest.approx(1 - 2 / 10, abs=0.01)
    with pytest.raises(ValueError, match="no steady state"):
        formulas.token_wait_s(3.0, 2.0, 1)
    with pytest.raises(ValueError, match="must be 1 to 25"):
        formulas.token_wait_s(1.0, 2.0, 26)


def list_schedule(entered_s: np.ndarray, times_s: np.ndarray, servers: int) -> np.ndarray:
    """When each call ends, in order of entry: whoever is free first takes the next one."""
    free = [0.0] * servers
    ends = []
    for k in np.argsort(entered_s, kind="stable"):
        ends.append(max(heapq.heappop(free), entered_s[k]) + times_s[k])
        heapq.heappush(free, ends[-1])
    return np.array(ends)


@given(TIMES, st.integers(1, 8))
def test_a_batch_ends_within_grahams_bounds(times_s, servers):
    end_s = list_schedule(np.zeros(len(times_s)), times_s, servers).max()
    low, high = formulas.makespan_bounds_s(times_s, servers)
    assert low - 1e-9 <= end_s <= high + 1e-9


@given(TIMES, st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_nothing_ends_before_the_fluid_bound(times_s, servers, seed):
    entered_s = np.random.default_rng(seed).uniform(0, times_s.sum(), len(times_s))
    end_s = list_schedule(entered_s, times_s, servers).max()
    bound_s = formulas.fluid_bound_s(entered_s, times_s, servers)
    assert bound_s <= end_s + 1e-9
    if servers == 1:
        assert bound_s == pytest.approx(end_s), "one server is never idle for nothing"


def test_a_burst_is_done_ahead():
    entered_s, work = np.array([0.0, 0.0, 0.0, 30.0]), np.ones(4)
    assert formulas.fluid_bound_s(entered_s[:3], work[:3], 0.5, ahead=1) == 4.0
    assert formulas.fluid_bound_s(entered_s, work, 0.5, ahead=1) == 30.0
    assert textbook.token_drain_s(3, 0.5, 1) == 4.0
    assert np.isnan(formulas.fluid_bound_s(np.empty(0), np.empty(0), 1.0))


@pytest.mark.parametrize(("calls", "servers"), [(1, 1), (40, 1), (40, 7), (5, 9)])
def test_batches_of_exponential_calls(calls, servers):
    """Against 2,000 batches; four standard errors."""
    random = np.random.default_rng(5)
    ends, waits = [], []
    for _ in range(2_000):
        times_s = random.exponential(10.0, calls)
        end_s = list_schedule(np.zeros(calls), times_s, servers)
        waits.append(np.mean(end_s - times_s))
        ends.append(end_s.max())
    for found, theory in (
        (waits, textbook.batch_wait_s(calls, servers, 10.0)),
        (ends, textbook.batch_end_s(calls, servers, 10.0)),
    ):
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert abs(np.mean(found) - theory) <= 4 * error + 1e-9


@given(st.floats(0.001, 0.999), st.integers(0, 10))
def test_attempts_are_geometric_up_to_the_last(answered, retries):
    until = stats.geom(answered)
    assert textbook.answered_in_the_end(answered, retries) == pytest.approx(until.cdf(1 + retries))
    mean = until.sf(np.arange(1 + retries)).sum()
    assert textbook.attempts_a_call(answered, retries) == pytest.approx(mean)


def test_attempts_at_nobody_and_at_everybody():
    assert textbook.attempts_a_call(0, 3) == 4
    assert textbook.attempts_a_call(1, 3) == 1
    assert textbook.answered_in_the_end(0, 3) == 0
    assert textbook.answered_in_the_end(1, 3) == 1
