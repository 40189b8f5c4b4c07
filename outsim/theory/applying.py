"""Which formulas apply to a scenario or to part of it, and which don't and why.

Steady states are of calls that come at random, one by one, once a queue is as it stays; bounds are
kept by every run, whatever comes in and in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from outsim.clock import RATE_SECONDS
from outsim.results.measures import Measure, View
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import utilisation
from outsim.theory import conditions, formulas, measures
from outsim.theory.formulas import Stream
from outsim.theory.measures import Window

Kind = Literal["exact", "approximation", "at least", "at most"]

FEW_S = 0.0005
"""Draws are whole milliseconds: a mean wait is held to half of one."""


@dataclass(frozen=True)
class Check:
    """A formula that applies, and what it is held against."""

    formula: str
    of: str
    """The measure, in words."""
    kind: Kind
    simulated: Measure
    """The measure of each run."""
    predict: Callable[[Mapping[str, float]], float]
    """The formula, given the means over the runs of `inputs`, by name."""
    inputs: tuple[Measure, ...] = ()
    """What the formula is told of the runs: none where the scenario says it all."""
    slack: float = 0.0
    """Difference that rounding may make."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure that it needs of a run."""
        return (self.simulated, *self.inputs)


@dataclass(frozen=True)
class DoesNotApply:
    """A formula that does not apply, and why."""

    formula: str
    because: str

    def __str__(self) -> str:
        return f"{self.formula}: no, {self.because}"


Found = Iterator[Check | DoesNotApply]
"""Formulas about one thing, and whether they apply."""


class _InWindow(Protocol):
    __name__: str

    def __call__(self, view: View, window: Window) -> float: ...


def in_window(compute: _InWindow, kind: str, window: Window) -> Measure:
    """A measure in a window."""
    name = compute.__name__
    return Measure(name, name, kind, partial(compute, window=window), None)


def of_run(compute: Callable[[View], float], kind: str = "clock") -> Measure:
    """A measure of a whole run."""
    return Measure(compute.__name__, compute.__name__, kind, compute, None)


def _same(name: str, observed: Mapping[str, float]) -> float:
    return observed[name]


def _bound(
    formula: str, of: str, kind: Kind, simulated: Measure, compute: Callable[[View], float]
) -> Check:
    """A bound on a measure of each run, itself computed from the run."""
    bound = of_run(compute)
    return Check(formula, of, kind, simulated, partial(_same, bound.name), (bound,))


def batch(scenario: Scenario) -> Found:
    """When a list that has the platform to itself is over (Graham)."""
    reason = conditions.first([conditions.alone(scenario), conditions.undisturbed(scenario)])
    if reason:
        yield DoesNotApply("batch makespan", reason)
        return
    end = of_run(measures.last_end_s)
    yield _bound("batch makespan", "last call ends", "at least", end, measures.batch_end_least_s)
    yield _bound("batch makespan", "last call ends", "at most", end, measures.batch_end_most_s)


def fluid(scenario: Scenario) -> Found:
    """When the last call of a list can go out, and its updates be seen, at the earliest."""
    if scenario.snapshot is not None:
        yield DoesNotApply("fluid bound", "the run begins in the middle of a live queue")
        return
    campaign = scenario.campaign_under_study
    if campaign is None:
        yield DoesNotApply("fluid bound", "there is no campaign to ask about")
    elif campaign.requests is not None:
        yield DoesNotApply("fluid bound", "calls come in one by one: no backlog is there to drain")
    else:
        of, out = f"last first call of {campaign.name} out", of_run(measures.last_first_dispatch_s)
        for resource, compute in (
            ("dial rate", measures.last_by_dial_rate_s),
            ("ports", measures.last_by_ports_s),
            ("workers", measures.last_by_workers_s),
            ("loading", measures.last_by_loading_s),
        ):
            yield _bound(f"fluid bound, {resource}", of, "at least", out, compute)
        of, seen = "last update of these first calls visible", of_run(measures.last_update_s)
        compute = measures.last_update_by_workers_s
        yield _bound("fluid bound, workers", of, "at least", seen, compute)


# Predictions: functions of the module, so that other processes can be handed them


def _stream(rate: str, mean: str, square: str, observed: Mapping[str, float]) -> Stream:
    return Stream(observed[rate], observed[mean], observed[square])


def _port_stream(observed: Mapping[str, float]) -> Stream:
    return _stream("rate_per_s", "port_time_mean_s", "port_time_square", observed)


def _erlang_c(servers: int, observed: Mapping[str, float]) -> float:
    return formulas.erlang_c(servers, _port_stream(observed).load)


def _erlang_c_wait(servers: int, observed: Mapping[str, float]) -> float:
    stream = _port_stream(observed)
    return formulas.erlang_c_wait_s(servers, stream.load, stream.mean_s)


def _any_time_wait(servers: int, observed: Mapping[str, float]) -> float:
    return formulas.several_servers_wait_s(servers, _port_stream(observed))


def _erlang_b(servers: int, observed: Mapping[str, float]) -> float:
    return formulas.erlang_b(
        servers, observed["channel_rate_per_s"] * observed["channel_time_mean_s"]
    )


def _token_wait(tokens_per_s: float, burst: int, observed: Mapping[str, float]) -> float:
    return formulas.token_wait_s(observed["rate_per_s"], tokens_per_s, burst)


_DRAWN_S = 0.001


def _dial_work_wait(observed: Mapping[str, float]) -> float:
    return formulas.first_class_wait_s(
        _stream("rate_per_s", "dial_work_mean_s", "dial_work_square", observed),
        [_stream("update_rate_per_s", "status_work_mean_s", "status_work_square", observed)],
        grid_s=_DRAWN_S,
    )


def _constant(value: float, _observed: Mapping[str, float]) -> float:
    return value


def ports(scenario: Scenario) -> Found:
    """Waits for a port: Erlang C, Pollaczek and Khinchine, Lee and Longton."""
    attempt = conditions.means(scenario)
    name = "Erlang C, ports"
    reason = conditions.first(
        [
            conditions.at_random(scenario),
            conditions.undisturbed(scenario, "pacing"),
            None if attempt else "there is nobody to call",
        ]
    )
    if reason or attempt is None:
        yield DoesNotApply(name, reason or "")
        return
    servers, wait_s = scenario.platform.ports, conditions.expected_port_wait_s(scenario, attempt)
    load = conditions.requests_per_s(scenario) * attempt.port_s / servers
    reason = conditions.first(
        [
            conditions.settles(scenario, servers, load, attempt.port_s),
            conditions.tokens_to_spare(scenario, wait_s),
            conditions.workers_to_spare(scenario),
            conditions.no_refusals(scenario),
        ]
    )
    if reason:
        yield DoesNotApply(name, reason)
        return
    window = conditions.settled_window(scenario)
    observed = tuple(
        in_window(compute, kind, window)
        for compute, kind in (
            (measures.rate_per_s, "number"),
            (measures.port_time_mean_s, "seconds"),
            (measures.port_time_square, "number"),
        )
    )
    wait = in_window(measures.wait_mean_s, "seconds", window)
    of = "mean wait for a port"
    not_exponential = conditions.exponential_times(scenario)
    if not_exponential is None:
        share = in_window(measures.waiting_share, "share", window)
        yield Check(
            name,
            "share that waits for a port",
            "exact",
            share,
            partial(_erlang_c, servers),
            observed,
        )
        yield Check(name, of, "exact", wait, partial(_erlang_c_wait, servers), observed, FEW_S)
        return
    yield DoesNotApply(name, not_exponential)
    formula, kind = ("Pollaczek-Khinchine", "exact") if servers == 1 else ("Lee-Longton", None)
    reason = conditions.order_blind_to_length(scenario)
    if reason:
        yield DoesNotApply(f"{formula}, ports", reason)
        return
    yield Check(
        f"{formula}, ports",
        of,
        "exact" if kind else "approximation",
        wait,
        partial(_any_time_wait, servers),
        observed,
        FEW_S,
    )


def channels(scenario: Scenario) -> Found:
    """Refusals by the carrier for want of a channel: Erlang B."""
    name = "Erlang B, carrier's channels"
    reason = conditions.first(
        [
            conditions.at_random(scenario),
            conditions.undisturbed(scenario, "pacing"),
            conditions.constant_channels(scenario),
            conditions.ports_to_spare(scenario),
            conditions.workers_to_spare(scenario),
            conditions.carrier_rate_to_spare(scenario),
        ]
    )
    if reason is None:
        attempt, servers = conditions.means(scenario), conditions.channels_left(scenario)
        assert attempt is not None, "requests that come in have attempts"
        # A loss system has a steady state at any load, and comes to it in a few calls' time.
        reason = conditions.first(
            [
                conditions.comes_as_it_entered(scenario, attempt.carrier_s),
                conditions.settles(scenario, servers, 0.0, attempt.carrier_s),
            ]
        )
    if reason:
        yield DoesNotApply(name, reason)
        return
    window = conditions.settled_window(scenario)
    yield Check(
        name,
        "attempts that ask for a channel and find none",
        "exact",
        in_window(measures.refused_by_channels, "share", window),
        partial(_erlang_b, servers),
        (
            in_window(measures.channel_rate_per_s, "number", window),
            in_window(measures.channel_time_mean_s, "seconds", window),
        ),
    )


def dial_rate(scenario: Scenario) -> Found:
    """Waits for the dial rate: a token bucket."""
    name = "token bucket, dial rate"
    platform = scenario.platform
    tokens_per_s = platform.dial_rate / RATE_SECONDS
    reason = conditions.first(
        [conditions.at_random(scenario), conditions.undisturbed(scenario, "pacing")]
    ) or conditions.first(
        [
            conditions.one_bucket(scenario),
            conditions.ports_to_spare(scenario),
            conditions.settles(
                scenario, 1, conditions.requests_per_s(scenario) / tokens_per_s, 1 / tokens_per_s
            ),
        ]
    )
    if reason:
        yield DoesNotApply(name, reason)
        return
    window = conditions.settled_window(scenario)
    yield Check(
        name,
        "mean wait for the dial rate",
        "exact",
        in_window(measures.wait_mean_s, "seconds", window),
        partial(_token_wait, tokens_per_s, platform.dial_burst),
        (in_window(measures.rate_per_s, "number", window),),
        FEW_S,
    )


def workers(scenario: Scenario) -> Found:
    """Waits of dial work for a worker (Cobham), and how busy workers are."""
    name = "Cobham, workers"
    at_random = conditions.first(
        [conditions.at_random(scenario), conditions.undisturbed(scenario, "pacing")]
    )
    loads = {each.resource: each for each in utilisation(scenario)}
    reason = at_random or conditions.first(
        [
            conditions.one_worker(scenario),
            conditions.ports_to_spare(scenario),
            conditions.settles(scenario, 1, conditions.worker_load(scenario), 1.0),
        ]
    )
    if reason is None:
        reason = conditions.tokens_to_spare(scenario, conditions.least_worker_wait_s(scenario))
    if reason is None:
        window = conditions.settled_window(scenario)
        yield Check(
            name,
            "mean wait of dial work for the worker",
            "exact",
            in_window(measures.worker_wait_mean_s, "seconds", window),
            _dial_work_wait,
            tuple(
                in_window(compute, "number", window)
                for compute in (
                    measures.rate_per_s,
                    measures.dial_work_mean_s,
                    measures.dial_work_square,
                    measures.update_rate_per_s,
                    measures.status_work_mean_s,
                    measures.status_work_square,
                )
            ),
            FEW_S,
        )
        reason = "a call's updates follow one another, they don't come at random"
        name = "Cobham, status updates"
    yield DoesNotApply(name, reason)
    if not loads:
        yield DoesNotApply("worker stability", "there is nobody to call")
        return
    if scenario.snapshot is not None:
        yield DoesNotApply("worker stability", "the run begins in the middle of a live queue")
        return
    ends_us = scenario.instant_us(scenario.clock.ends)
    compute = partial(measures.workers_busy, until_us=ends_us)
    busy = Measure("workers_busy", "workers_busy", "share", compute, None)
    full = loads["workers"].load
    yield Check(
        "worker stability",
        f"workers busy over the run (at the full dial rate {full:.0%}: updates "
        f"{'keep up' if full < 1 else 'fall behind'})",
        "approximation",
        busy,
        partial(_constant, min(1.0, loads["workers"].offered)),
    )


def checks(scenario: Scenario) -> tuple[list[Check], list[DoesNotApply]]:
    """Formulas that apply to a scenario or to part of it, and the others."""
    applying: list[Check] = []
    others: list[DoesNotApply] = []
    for each in (
        *ports(scenario),
        *channels(scenario),
        *dial_rate(scenario),
        *workers(scenario),
        *batch(scenario),
        *fluid(scenario),
    ):
        if isinstance(each, Check):
            applying.append(each)
        else:
            others.append(each)
    return applying, others
