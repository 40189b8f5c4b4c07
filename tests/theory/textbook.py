"""Formulas of queues that only tests hold simulations against, beside `outsim.theory.formulas`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from outsim.theory import formulas
from outsim.theory.formulas import Stream


def erlang_c_longer_than(servers: int, offered: float, mean_s: float, wait_s: float) -> float:
    """Share of arrivals that wait longer than so many seconds, first come first served.

    L. Kleinrock, Queueing Systems, vol. 1 (1975), section 5.
    """
    return formulas.erlang_c(servers, offered) * math.exp(-(servers - offered) * wait_s / mean_s)


def pollaczek_khinchine_s(stream: Stream) -> float:
    """Mean wait at one server, any service time (F. Pollaczek 1930, A. Khinchine 1932)."""
    formulas.check_stable(stream.load)
    return stream.rate_per_s * stream.second_moment / (2 * (1 - stream.load))


def priority_wait_s(servers: int, rates_per_s: Sequence[float], mean_s: float) -> list[float]:
    """Mean waits by priority at several servers, all jobs exponential with one mean.

    O. Kella and U. Yechiali, Waiting times in the non-preemptive priority M/M/c queue,
    Stochastic Models 1 (1985).
    """
    residual = formulas.erlang_c(servers, sum(rates_per_s) * mean_s) * mean_s / servers
    return formulas.by_priority(residual, [r * mean_s / servers for r in rates_per_s])


def token_drain_s(calls: int, tokens_per_s: float, burst: int) -> float:
    """When the last of so many calls that are there at once gets its token, the bucket full."""
    return max(0, calls - burst) / tokens_per_s


def batch_wait_s(calls: int, servers: int, mean_s: float) -> float:
    """Mean wait of calls that are there at once, exponential service.

    The k-th call to begin, k > servers, waits for k - servers ends, which are mean_s / servers
    apart while all are busy.
    """
    late = max(0, calls - servers)
    return late * (late + 1) / (2 * calls) * mean_s / servers


def batch_end_s(calls: int, servers: int, mean_s: float) -> float:
    """Mean time until the last of calls that are there at once ends, exponential service.

    All servers are busy until the last call begins; the calls left then end one after the
    other: the largest of n exponential times has mean 1 + 1/2 + ... + 1/n.
    """
    left = min(calls, servers)
    ending = sum(1 / k for k in range(1, left + 1))
    return (max(0, calls - servers) / servers + ending) * mean_s


def answered_in_the_end(answered: float, retries: int) -> float:
    """Share of calls that one of 1 + retries attempts reaches, all alike and independent."""
    return 1 - float((1 - answered) ** (1 + retries))


def attempts_a_call(answered: float, retries: int) -> float:
    """Mean attempts at a call that is tried until it is answered, at most 1 + retries times."""
    return float(sum((1 - answered) ** k for k in range(1 + retries)))
