"""Which formulas apply to a scenario, and which don't and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from outsim.clock import RATE_SECONDS
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import utilisation
from outsim.tables.measures import Measure, View
from outsim.theory import conditions, figures, formulas
from outsim.theory.figures import Window
from outsim.theory.formulas import Stream

Kind = Literal["exact", "approximation", "at least", "at most"]

FEW_S = 0.0005
"""Draws are whole milliseconds: a mean wait is held to half of one."""


@dataclass(frozen=True)
class Check:
    """A formula that applies, and what it is held against."""

    formula: str
    of: str
    """The figure, in words."""
    kind: Kind
    simulated: Measure
    """The figure of each run."""
    predict: Callable[[Mapping[str, float]], float]
    """The formula, given the means over the runs of `inputs`, by name."""
    inputs: tuple[Measure, ...] = ()
    """What the formula is told of the runs: none where the scenario says it all."""
    slack: float = 0.0
    """Difference that rounding may make."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every figure that it needs of a run."""
        return (self.simulated, *self.inputs)


@dataclass(frozen=True)
class DoesNotApply:
    """A formula that does not apply, and why."""

    formula: str
    because: str

    def __str__(self) -> str:
        return f"{self.formula}: no, {self.because}"


def checks(scenario: Scenario) -> tuple[list[Check], list[DoesNotApply]]:
    """Formulas that apply to a scenario or to part of it, and the others."""
    applying: list[Check] = []
    others: list[DoesNotApply] = []
    for each in (
        *_ports(scenario),
        *_channels(scenario),
        *_dial_rate(scenario),
        *_workers(scenario),
        *_batch(scenario),
        *_fluid(scenario),
    ):
        if isinstance(each, Check):
            applying.append(each)
        else:
            others.append(each)
    return applying, others


Found = Iterator[Check | DoesNotApply]


class _InWindow(Protocol):
    __name__: str

    def __call__(self, view: View, window: Window) -> float: ...


def _in_window(compute: _InWindow, kind: str, window: Window) -> Measure:
    name = compute.__name__
    return Measure(name, name, kind, partial(compute, window=window), 0)


def _of_run(compute: Callable[[View], float], kind: str = "clock") -> Measure:
    return Measure(compute.__name__, compute.__name__, kind, compute, 0)


# Predictions: functions of the module, so that other processes can be handed them


def _stream(rate: str, mean: str, square: str, told: Mapping[str, float]) -> Stream:
    return Stream(told[rate], told[mean], told[square])


def _port_stream(told: Mapping[str, float]) -> Stream:
    return _stream("rate_per_s", "port_time_mean_s", "port_time_square", told)


def _erlang_c(servers: int, told: Mapping[str, float]) -> float:
    return formulas.erlang_c(servers, _port_stream(told).load)


def _erlang_c_wait(servers: int, told: Mapping[str, float]) -> float:
    stream = _port_stream(told)
    return formulas.erlang_c_wait_s(servers, stream.load, stream.mean_s)


def _any_time_wait(servers: int, told: Mapping[str, float]) -> float:
    return formulas.several_servers_wait_s(servers, _port_stream(told))


def _erlang_b(servers: int, told: Mapping[str, float]) -> float:
    return formulas.erlang_b(servers, told["rate_per_s"] * told["channel_time_mean_s"])


def _token_wait(tokens_per_s: float, burst: int, told: Mapping[str, float]) -> float:
    return formulas.token_wait_s(told["rate_per_s"], tokens_per_s, burst)


_DRAWN_S = 0.001


def _dial_work_wait(told: Mapping[str, float]) -> float:
    return formulas.first_class_wait_s(
        _stream("rate_per_s", "dial_work_mean_s", "dial_work_square", told),
        [_stream("update_rate_per_s", "status_work_mean_s", "status_work_square", told)],
        grid_s=_DRAWN_S,
    )


def _constant(value: float, _told: Mapping[str, float]) -> float:
    return value


def _same(name: str, told: Mapping[str, float]) -> float:
    return told[name]


def _ports(scenario: Scenario) -> Found:
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
    ports, wait_s = scenario.platform.ports, conditions.expected_port_wait_s(scenario, attempt)
    load = conditions.requests_per_s(scenario) * attempt.port_s / ports
    reason = conditions.first(
        [
            conditions.settles(scenario, ports, load, attempt.port_s),
            conditions.tokens_to_spare(scenario, wait_s),
            conditions.workers_to_spare(scenario),
            conditions.no_refusals(scenario),
        ]
    )
    if reason:
        yield DoesNotApply(name, reason)
        return
    window = conditions.settled_window(scenario)
    told = tuple(
        _in_window(compute, kind, window)
        for compute, kind in (
            (figures.rate_per_s, "number"),
            (figures.port_time_mean_s, "seconds"),
            (figures.port_time_square, "number"),
        )
    )
    wait = _in_window(figures.wait_mean_s, "seconds", window)
    of = "mean wait for a port"
    not_exponential = conditions.exponential_times(scenario)
    if not_exponential is None:
        share = _in_window(figures.waiting_share, "share", window)
        yield Check(
            name, "share that waits for a port", "exact", share, partial(_erlang_c, ports), told
        )
        yield Check(name, of, "exact", wait, partial(_erlang_c_wait, ports), told, FEW_S)
        return
    yield DoesNotApply(name, not_exponential)
    formula, kind = ("Pollaczek-Khinchine", "exact") if ports == 1 else ("Lee-Longton", None)
    yield Check(
        f"{formula}, ports",
        of,
        "exact" if kind else "approximation",
        wait,
        partial(_any_time_wait, ports),
        told,
        FEW_S,
    )


def _channels(scenario: Scenario) -> Found:
    name = "Erlang B, carrier's channels"
    reason = conditions.first(
        [
            conditions.at_random(scenario),
            conditions.undisturbed(scenario, "pacing"),
            conditions.constant_channels(scenario),
            conditions.ports_to_spare(scenario),
            conditions.carrier_rate_to_spare(scenario),
        ]
    )
    if reason is None:
        attempt, channels = conditions.means(scenario), conditions.channels_left(scenario)
        assert attempt is not None, "requests that come in have attempts"
        # A loss system has a steady state at any load, and comes to it in a few calls' time.
        reason = conditions.settles(scenario, channels, 0.0, attempt.carrier_s)
    if reason:
        yield DoesNotApply(name, reason)
        return
    window = conditions.settled_window(scenario)
    yield Check(
        name,
        "attempts refused for want of a channel",
        "exact",
        _in_window(figures.refused_by_channels, "share", window),
        partial(_erlang_b, channels),
        (
            _in_window(figures.rate_per_s, "number", window),
            _in_window(figures.channel_time_mean_s, "seconds", window),
        ),
    )


def _dial_rate(scenario: Scenario) -> Found:
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
        _in_window(figures.wait_mean_s, "seconds", window),
        partial(_token_wait, tokens_per_s, platform.dial_burst),
        (_in_window(figures.rate_per_s, "number", window),),
        FEW_S,
    )


def _workers(scenario: Scenario) -> Found:
    name = "Cobham, workers"
    at_random = conditions.first(
        [conditions.at_random(scenario), conditions.undisturbed(scenario, "pacing")]
    )
    loads = {each.resource: each for each in utilisation(scenario)}
    reason = at_random or conditions.first(
        [
            conditions.one_worker(scenario),
            conditions.ports_to_spare(scenario),
            conditions.settles(scenario, 1, loads["workers"].offered, 1.0) if loads else None,
        ]
    )
    if reason is None:
        window = conditions.settled_window(scenario)
        yield Check(
            name,
            "mean wait of dial work for the worker",
            "exact",
            _in_window(figures.worker_wait_mean_s, "seconds", window),
            _dial_work_wait,
            tuple(
                _in_window(compute, "number", window)
                for compute in (
                    figures.rate_per_s,
                    figures.dial_work_mean_s,
                    figures.dial_work_square,
                    figures.update_rate_per_s,
                    figures.status_work_mean_s,
                    figures.status_work_square,
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
    busy = Measure(
        "workers_busy", "workers_busy", "share", partial(figures.workers_busy, until_us=ends_us), 0
    )
    full = loads["workers"].load
    yield Check(
        "worker stability",
        f"workers busy over the run (at the full dial rate {full:.0%}: updates "
        f"{'keep up' if full < 1 else 'fall behind'})",
        "approximation",
        busy,
        partial(_constant, min(1.0, loads["workers"].offered)),
    )


def _batch(scenario: Scenario) -> Found:
    reason = conditions.first([conditions.alone(scenario), conditions.undisturbed(scenario)])
    if reason:
        yield DoesNotApply("batch makespan", reason)
        return
    end = _of_run(figures.last_end_s)
    for kind, compute in (
        ("at least", figures.batch_end_least_s),
        ("at most", figures.batch_end_most_s),
    ):
        bound = _of_run(compute)
        yield Check(
            "batch makespan",
            "last call ends",
            "at least" if kind == "at least" else "at most",
            end,
            partial(_same, bound.name),
            (bound,),
        )


def _fluid(scenario: Scenario) -> Found:
    if scenario.snapshot is not None:
        yield DoesNotApply("fluid bound", "the run begins in the middle of a live queue")
        return
    campaign = scenario.campaign_under_study
    if campaign is None:
        yield DoesNotApply("fluid bound", "there is no campaign to ask about")
    elif campaign.requests is not None:
        yield DoesNotApply("fluid bound", "calls come in one by one: no backlog is there to drain")
    else:
        bounds = [
            ("dial rate", figures.last_by_dial_rate_s),
            ("ports", figures.last_by_ports_s),
            ("workers", figures.last_by_workers_s),
            ("loading", figures.last_by_loading_s),
        ]
        for resource, compute in bounds:
            bound = _of_run(compute)
            yield Check(
                f"fluid bound, {resource}",
                f"last first call of {campaign.name} out",
                "at least",
                _of_run(figures.last_first_dispatch_s),
                partial(_same, bound.name),
                (bound,),
            )
        bound = _of_run(figures.last_update_by_workers_s)
        yield Check(
            "fluid bound, workers",
            "last update of these first calls visible",
            "at least",
            _of_run(figures.last_update_s),
            partial(_same, bound.name),
            (bound,),
        )
