"""Formulas of queues: pure functions of numbers, each with its source.

Rates are per second, times in seconds. A load is a rate times a mean time; what is offered to
several servers is in erlang, the mean number that would be busy if there were no end of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stream:
    """Jobs that come at random, one by one: a Poisson stream."""

    rate_per_s: float
    mean_s: float
    """Mean time that a job takes."""
    second_moment: float
    """Mean square of that time, in square seconds."""

    @property
    def load(self) -> float:
        """Share of one server that it takes."""
        return self.rate_per_s * self.mean_s

    @property
    def squared_variation(self) -> float:
        """Variance of the time over its squared mean: 0 if constant, 1 if exponential."""
        return self.second_moment / self.mean_s**2 - 1


def check_stable(load: float) -> None:
    """Refuse a load that has no steady state."""
    if not 0 <= load < 1:
        raise ValueError(f"a load of {load:g} has no steady state; it must be below 1")


def erlang_b(servers: int, offered: float) -> float:
    """Share of random arrivals that find all servers busy and are lost, for any service time.

    A. K. Erlang, Solution of some problems in the theory of probabilities of significance in
    automatic telephone exchanges (1917); that the distribution of the time does not matter is
    B. A. Sevastyanov's (1957). By the recursion over servers, which loses no digits.
    """
    if servers < 0 or offered < 0:
        raise ValueError(f"{servers} servers, {offered:g} erlang: neither can be negative")
    lost = 1.0
    for busy in range(1, servers + 1):
        lost = offered * lost / (busy + offered * lost)
    return lost


def erlang_c(servers: int, offered: float) -> float:
    """Share of random arrivals that wait, exponential service (Erlang 1917)."""
    check_stable(offered / servers)
    lost = erlang_b(servers, offered)
    return lost / (1 - offered / servers * (1 - lost))


def erlang_c_wait_s(servers: int, offered: float, mean_s: float) -> float:
    """Mean wait of all arrivals, those that don't wait among them (Erlang 1917)."""
    return erlang_c(servers, offered) * mean_s / (servers - offered)


def several_servers_wait_s(servers: int, stream: Stream) -> float:
    """Mean wait at several servers, any service time: an approximation.

    Erlang's wait times (1 + c) / 2, where c is the squared coefficient of variation (A. M. Lee
    and P. A. Longton 1959). It is exact for one server, and for exponential service.
    """
    factor = (1 + stream.squared_variation) / 2
    return erlang_c_wait_s(servers, stream.load, stream.mean_s) * factor


def cobham_s(streams: Sequence[Stream]) -> list[float]:
    """Mean wait of each stream at one server that takes the first streams first.

    It never interrupts what it has begun. A. Cobham, Priority assignment in waiting line
    problems, Operations Research 2 (1954): with R the sum of rate x second moment / 2 over all,
    and s(k) the load of the first k streams, W(k) = R / ((1 - s(k - 1)) (1 - s(k))).
    """
    residual = sum(stream.rate_per_s * stream.second_moment for stream in streams) / 2
    return by_priority(residual, [stream.load for stream in streams])


def first_class_wait_s(first: Stream, others: Sequence[Stream], grid_s: float = 0.0) -> float:
    """Mean wait of the stream that one server takes first, whatever order the others come in.

    Cobham's, for which it is enough that the first stream comes at random: it then finds the
    server as it is on average over time, and how the others bunch is nothing to it.
    """
    wait_s = cobham_s([first, *others])[0]
    return wait_s - grid_s / 2 * sum(stream.load for stream in others) / (1 - first.load)


def by_priority(residual: float, loads: Sequence[float]) -> list[float]:
    """Mean waits of classes with these loads, the first served first, without interruption."""
    before, waits = 0.0, []
    for load in loads:
        check_stable(before + load)
        waits.append(residual / ((1 - before) * (1 - before - load)))
        before += load
    return waits


MOST_TOKENS = 25
"""Tokens that a bucket may hold here: the sum below cancels, and has no digits left beyond."""


def _constant_service(load: float, services: NDArray[np.float64]) -> NDArray[np.float64]:
    """Work found at one server with constant service, as a share of finding it idle.

    P(work <= x) / P(no work), with x counted in services: the sum over j up to x of
    y^j exp(-y) / j! with y = load (j - x), y negative. A. K. Erlang (1909); C. D. Crommelin
    (1932).
    """
    j = np.arange(math.floor(float(np.max(services))) + 1)
    y = load * (j - services[..., None])
    factorials = np.cumprod(np.maximum(j, 1.0))
    terms = np.where(j <= services[..., None], y**j * np.exp(-y) / factorials, 0.0)
    return np.asarray(terms.sum(axis=-1))


def token_wait_s(rate_per_s: float, tokens_per_s: float, burst: int) -> float:
    """Mean wait of random arrivals for a token from a bucket that holds `burst` of them.

    A bucket is a server with constant service, 1 / tokens_per_s, that works ahead: who finds
    work V there waits V less what burst - 1 tokens stand for, if that is positive. So the mean
    is Pollaczek and Khinchine's less the integral of P(V > x) up to there.
    """
    load = rate_per_s / tokens_per_s
    check_stable(load)
    _check_burst(burst)
    wait = load / (2 * (1 - load))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    for service in range(burst - 1):
        less = _constant_service(load, service + (nodes + 1) / 2)
        wait -= float(weights @ (1 - (1 - load) * less)) / 2
    return max(0.0, wait) / tokens_per_s


def token_refusals(rate_per_s: float, tokens_per_s: float, burst: int) -> float:
    """Share of random arrivals that find no token in a bucket of `burst`, and go away.

    With H the function of `_constant_service` at burst - 1 services, the share admitted is
    H / (1 + load H): below its bound, work that nobody may exceed is distributed as work
    without a bound (D. P. Gaver and R. G. Miller 1962; B. Gavish and P. J. Schweitzer 1977).
    For a bucket of one token this is Erlang's formula for one server.
    """
    _check_burst(burst)
    load = rate_per_s / tokens_per_s
    share = float(_constant_service(load, np.array([burst - 1.0]))[0])
    return 1 - share / (1 + load * share)


def _check_burst(burst: int) -> None:
    if not 1 <= burst <= MOST_TOKENS:
        raise ValueError(f"a bucket of {burst} tokens; must be 1 to {MOST_TOKENS}")


def makespan_bounds_s(times_s: NDArray[np.float64], servers: int) -> tuple[float, float]:
    """Least and most time until calls that are there at once have all ended, in any order.

    R. L. Graham, Bounds on multiprocessing timing anomalies (1969): no less than the work
    shared out evenly, or the longest call; no more than that share, and the rest of the longest.
    """
    even, longest = float(times_s.sum()) / servers, float(times_s.max(initial=0.0))
    return max(even, longest), even + (1 - 1 / servers) * longest


def fluid_bound_s(
    entered_s: NDArray[np.float64], work: NDArray[np.float64], capacity: float, ahead: float = 0.0
) -> float:
    """Before when the work of all these jobs can't be done, in whatever order.

    For each instant, what enters from then on takes work / capacity; `ahead` of it may have been
    done in advance, as a bucket's burst has. The bound is the latest of these (E. Reich 1958, as
    in J.-Y. Le Boudec and P. Thiran, Network Calculus, 2001).
    """
    if len(entered_s) == 0:
        return float("nan")
    order = np.argsort(entered_s, kind="stable")
    left = np.cumsum(work[order][::-1])[::-1]
    return float(np.max(entered_s[order] + np.maximum(0.0, left - ahead) / capacity))
