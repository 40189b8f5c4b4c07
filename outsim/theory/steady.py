"""Formulas for calls that come at random, one by one, once a queue is as it stays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from outsim.clock import RATE_SECONDS
from outsim.results.measures import Measure
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import utilisation
from outsim.theory import conditions, figures, formulas
from outsim.theory.check import FEW_S, Check, DoesNotApply, Found, in_window
from outsim.theory.formulas import Stream

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
    return formulas.erlang_b(servers, told["channel_rate_per_s"] * told["channel_time_mean_s"])


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
    told = tuple(
        in_window(compute, kind, window)
        for compute, kind in (
            (figures.rate_per_s, "number"),
            (figures.port_time_mean_s, "seconds"),
            (figures.port_time_square, "number"),
        )
    )
    wait = in_window(figures.wait_mean_s, "seconds", window)
    of = "mean wait for a port"
    not_exponential = conditions.exponential_times(scenario)
    if not_exponential is None:
        share = in_window(figures.waiting_share, "share", window)
        yield Check(
            name, "share that waits for a port", "exact", share, partial(_erlang_c, servers), told
        )
        yield Check(name, of, "exact", wait, partial(_erlang_c_wait, servers), told, FEW_S)
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
        told,
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
        in_window(figures.refused_by_channels, "share", window),
        partial(_erlang_b, servers),
        (
            in_window(figures.channel_rate_per_s, "number", window),
            in_window(figures.channel_time_mean_s, "seconds", window),
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
        in_window(figures.wait_mean_s, "seconds", window),
        partial(_token_wait, tokens_per_s, platform.dial_burst),
        (in_window(figures.rate_per_s, "number", window),),
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
            in_window(figures.worker_wait_mean_s, "seconds", window),
            _dial_work_wait,
            tuple(
                in_window(compute, "number", window)
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
