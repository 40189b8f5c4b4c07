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
from outsim.display import percent
from outsim.results.measures import Measure
from outsim.results.view import View
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import utilisation
from outsim.theory import conditions, formulas, measures
from outsim.theory.formulas import Stream
from outsim.theory.measures import Window

Kind = Literal["exact", "approximation", "at least", "at most"]

FEW_S = 0.0005
"""Draws are whole milliseconds: a mean wait is held to half of one."""

_DRAWN_S = 0.001


@dataclass(frozen=True)
class Check:
    """A formula that applies, and what it is compared with."""

    formula: str
    of: str
    """The measure, in words."""
    kind: Kind
    simulated: Measure
    predict: Callable[[Mapping[str, float]], float]
    """The formula, given the means over the runs of `inputs`, by name."""
    inputs: tuple[Measure, ...] = ()
    """What the formula needs of the runs: nothing where the scenario says it all."""
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


Checks = Iterator[Check | DoesNotApply]
"""Formulas about one thing, and whether they apply."""


class _InWindow(Protocol):
    __name__: str

    def __call__(self, view: View, window: Window) -> float: ...


def _in_window(compute: _InWindow, kind: str, window: Window) -> Measure:
    name = compute.__name__
    return Measure(name, name, kind, partial(compute, window=window), None)


def _numbers(window: Window, *computes: _InWindow) -> tuple[Measure, ...]:
    """Measures in a window that formulas take as given."""
    return tuple(_in_window(compute, "number", window) for compute in computes)


def _of_run(compute: Callable[[View], float]) -> Measure:
    return Measure(compute.__name__, compute.__name__, "clock", compute, None)


def _bound(
    formula: str, of: str, kind: Kind, simulated: Measure, compute: Callable[[View], float]
) -> Check:
    """A bound on a measure of each run, itself computed from the run."""
    bound = _of_run(compute)
    return Check(formula, of, kind, simulated, lambda means: means[bound.name], (bound,))


def _batch(scenario: Scenario) -> Checks:
    """When a list that has the platform to itself is over (Graham)."""
    name, of, end = "batch makespan", "last call ends", _of_run(measures.last_end_s)
    if reason := conditions.first([conditions.alone(scenario), conditions.undisturbed(scenario)]):
        yield DoesNotApply(name, reason)
        return
    yield _bound(name, of, "at least", end, measures.batch_end_least_s)
    yield _bound(name, of, "at most", end, measures.batch_end_most_s)


def _fluid(scenario: Scenario) -> Checks:
    """When the last call of a list can go out, and its updates be seen, at the earliest."""
    name, campaign = "fluid bound", scenario.campaign_under_study
    if scenario.snapshot is not None:
        yield DoesNotApply(name, "the run begins in the middle of a live queue")
    elif campaign is None:
        yield DoesNotApply(name, "there is no campaign to ask about")
    elif campaign.requests is not None:
        yield DoesNotApply(name, "calls come in one by one: no backlog is there to drain")
    else:
        of = f"last first call of {campaign.name} out"
        out, visible = _of_run(measures.last_first_dispatch_s), _of_run(measures.last_update_s)
        for resource, compute in (
            ("dial rate", measures.last_by_dial_rate_s),
            ("ports", measures.last_by_ports_s),
            ("workers", measures.last_by_workers_s),
            ("loading", measures.last_by_loading_s),
        ):
            yield _bound(f"{name}, {resource}", of, "at least", out, compute)
        of = "last update of these first calls visible"
        compute = measures.last_update_by_workers_s
        yield _bound(f"{name}, workers", of, "at least", visible, compute)


def _port_stream(means: Mapping[str, float]) -> Stream:
    names = ("rate_per_s", "port_time_mean_s", "port_time_square")
    return Stream(*(means[name] for name in names))


def _ports(scenario: Scenario) -> Checks:
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
    inputs = _numbers(
        window, measures.rate_per_s, measures.port_time_mean_s, measures.port_time_square
    )
    wait, of = _in_window(measures.wait_mean_s, "seconds", window), "mean wait for a port"

    def erlang_wait_s(means: Mapping[str, float]) -> float:
        stream = _port_stream(means)
        return formulas.erlang_c_wait_s(servers, stream.load, stream.mean_s)

    not_exponential = conditions.exponential_times(scenario)
    if not_exponential is None:
        yield Check(
            name,
            "share that waits for a port",
            "exact",
            _in_window(measures.waiting_share, "share", window),
            lambda means: formulas.erlang_c(servers, _port_stream(means).load),
            inputs,
        )
        yield Check(name, of, "exact", wait, erlang_wait_s, inputs, FEW_S)
        return
    yield DoesNotApply(name, not_exponential)
    kind: Kind = "exact" if servers == 1 else "approximation"
    name = "Pollaczek-Khinchine, ports" if servers == 1 else "Lee-Longton, ports"
    if reason := conditions.order_blind_to_length(scenario):
        yield DoesNotApply(name, reason)
        return

    def any_time_wait_s(means: Mapping[str, float]) -> float:
        return formulas.several_servers_wait_s(servers, _port_stream(means))

    yield Check(name, of, kind, wait, any_time_wait_s, inputs, FEW_S)


def _channels(scenario: Scenario) -> Checks:
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
    servers = conditions.channels_left(scenario)
    if reason is None:
        attempt = conditions.means(scenario)
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
        _in_window(measures.refused_by_channels, "share", window),
        lambda means: formulas.erlang_b(
            servers, means["channel_rate_per_s"] * means["channel_time_mean_s"]
        ),
        _numbers(window, measures.channel_rate_per_s, measures.channel_time_mean_s),
    )


def _dial_rate(scenario: Scenario) -> Checks:
    """Waits for the dial rate: a token bucket."""
    name, platform = "token bucket, dial rate", scenario.platform
    tokens_per_s = platform.dial_rate / RATE_SECONDS
    load = conditions.requests_per_s(scenario) / tokens_per_s
    reason = conditions.first(
        [conditions.at_random(scenario), conditions.undisturbed(scenario, "pacing")]
    ) or conditions.first(
        [
            conditions.one_bucket(scenario),
            conditions.ports_to_spare(scenario),
            conditions.settles(scenario, 1, load, 1 / tokens_per_s),
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
        _in_window(measures.wait_mean_s, "seconds", window),
        lambda means: formulas.token_wait_s(
            means["rate_per_s"], tokens_per_s, platform.dial_burst
        ),
        _numbers(window, measures.rate_per_s),
        FEW_S,
    )


def _dial_work_wait_s(means: Mapping[str, float]) -> float:
    dial = Stream(means["rate_per_s"], means["dial_work_mean_s"], means["dial_work_square"])
    status = Stream(
        means["update_rate_per_s"], means["status_work_mean_s"], means["status_work_square"]
    )
    return formulas.first_class_wait_s(dial, [status], grid_s=_DRAWN_S)


def _workers(scenario: Scenario) -> Checks:
    """Waits of dial work for a worker (Cobham), and how busy workers are."""
    name = "Cobham, workers"
    reason = conditions.first(
        [conditions.at_random(scenario), conditions.undisturbed(scenario, "pacing")]
    ) or conditions.first(
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
        inputs = _numbers(
            window,
            measures.rate_per_s,
            measures.dial_work_mean_s,
            measures.dial_work_square,
            measures.update_rate_per_s,
            measures.status_work_mean_s,
            measures.status_work_square,
        )
        of = "mean wait of dial work for the worker"
        wait = _in_window(measures.worker_wait_mean_s, "seconds", window)
        yield Check(name, of, "exact", wait, _dial_work_wait_s, inputs, FEW_S)
        reason = "a call's updates follow one another, they don't come at random"
        name = "Cobham, status updates"
    yield DoesNotApply(name, reason)
    yield _worker_stability(scenario)


def _worker_stability(scenario: Scenario) -> Check | DoesNotApply:
    name = "worker stability"
    loads = {usage.resource: usage for usage in utilisation(scenario)}
    if not loads:
        return DoesNotApply(name, "there is nobody to call")
    if scenario.snapshot is not None:
        return DoesNotApply(name, "the run begins in the middle of a live queue")
    ends_us = scenario.instant_us(scenario.clock.ends)
    compute = partial(measures.workers_busy, until_us=ends_us)
    full, offered = loads["workers"].load, loads["workers"].offered
    return Check(
        name,
        f"workers busy over the run (at the full dial rate {percent(full)}: updates "
        f"{'keep up' if full < 1 else 'fall behind'})",
        "approximation",
        Measure("workers_busy", "workers_busy", "share", compute, None),
        lambda _: min(1.0, offered),
    )


_ALL = (_ports, _channels, _dial_rate, _workers, _batch, _fluid)


def checks(scenario: Scenario) -> tuple[list[Check], list[DoesNotApply]]:
    """Formulas that apply to a scenario or to part of it, and the others."""
    both = [check for of in _ALL for check in of(scenario)]
    return (
        [check for check in both if isinstance(check, Check)],
        [check for check in both if isinstance(check, DoesNotApply)],
    )
