"""Formulas are named where they apply, refused with a reason where not, and held against runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import SECOND, after
from outsim.questions.theory import Line, Theory, check_theory
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario
from outsim.studies.synchronous import run_sync
from outsim.theory import ciw_check, formulas
from outsim.theory.applying import checks
from outsim.vocabulary import CARRIER_CHANNELS
from tests.strategies import crowded_scenarios, scenarios
from tests.theory.bare import BEGINS, bare

HOURS_8 = 28_800
EXPONENTIAL = {"distribution": "exponential", "mean": "10 s"}


def requests(per_hour: float) -> dict[str, Any]:
    return {"requests": {"rate": f"{per_hour}/hour"}}


QUEUES: dict[str, tuple[Scenario, dict[str, str]]] = {
    "three ports": (
        bare(HOURS_8, requests(750), EXPONENTIAL, ports=3),
        {"Erlang C, ports": "exact"},
    ),
    "a port, constant talk": (
        bare(HOURS_8, requests(200), "10 s", ports=1),
        {"Pollaczek-Khinchine, ports": "exact"},
    ),
    "three ports, constant talk": (
        bare(HOURS_8, requests(750), "10 s", ports=3),
        {"Lee-Longton, ports": "approximation"},
    ),
    "five channels": (
        bare(HOURS_8, requests(1_300), "10 s", carrier={"channels": 5}),
        {"Erlang B, carrier's channels": "exact"},
    ),
    "a dial rate": (
        bare(HOURS_8, requests(2_500), "1 s", platform={"dial_rate": "1/s", "dial_burst": 2}),
        {"token bucket, dial rate": "exact"},
    ),
    "one worker": (
        bare(
            HOURS_8,
            requests(3_600),
            EXPONENTIAL,
            platform={"workers": 1, "dial_work": "200 ms", "status_work": "100 ms"},
        ),
        {"Cobham, workers": "exact"},
    ),
}
"""Scenario, and the formulas that apply to it beside what applies to every one."""

COMMON = ("worker stability", "fluid bound")


def asked(scenario: Scenario, replications: int = 12, **options: Any) -> Theory:
    return run_sync(
        check_theory(scenario, replications, executor="threads", progress=None, **options)
    )


def particular(found: Theory) -> list[Line]:
    """Lines of the formulas that do not apply to every scenario."""
    return [line for line in found.lines if not line.check.formula.startswith(COMMON)]


@pytest.mark.parametrize(("scenario", "applying"), QUEUES.values(), ids=QUEUES)
def test_queues_of_textbooks_are_known_and_agree(scenario, applying):
    found = asked(scenario)
    lines = particular(found)
    assert {line.check.formula: line.check.kind for line in lines} == applying
    for line in lines:
        assert line.agrees is (True if line.check.kind == "exact" else None)
        assert line.predicted == pytest.approx(line.simulated.mean, rel=0.3)
        assert 0 < line.error < 0.1 * line.predicted, "there is something to compare"
    assert found.agrees


@pytest.mark.parametrize(
    ("queue", "function"),
    [
        ("three ports", "erlang_c_wait_s"),
        ("three ports", "erlang_c"),
        ("a port, constant talk", "several_servers_wait_s"),
        ("five channels", "erlang_b"),
        ("a dial rate", "token_wait_s"),
        ("one worker", "first_class_wait_s"),
    ],
)
def test_a_formula_that_is_wrong_differs(queue, function, monkeypatch):
    right = getattr(formulas, function)
    scenario, _ = QUEUES[queue]
    monkeypatch.setattr(formulas, function, lambda *args, **keys: 1.25 * right(*args, **keys))
    found = asked(scenario)
    assert not found.agrees
    assert {"DIFFERS"} <= {line.verdict for line in particular(found)}


def test_the_longer_the_study_the_smaller_an_error_that_shows():
    scenario, _ = QUEUES["three ports"]
    few, many = (particular(asked(scenario, count))[1].error for count in (6, 48))
    assert many < 0.6 * few


LIST = {"contacts": 200}


def test_a_batch_alone_ends_within_its_bounds():
    scenario = bare(7_200, LIST, EXPONENTIAL, ports=7)
    found = asked(scenario, 6)
    least, most = (line for line in found.lines if line.check.formula == "batch makespan")
    assert least.predicted < least.simulated.mean < most.predicted
    assert most.predicted < 1.4 * least.predicted
    assert least.agrees
    assert most.agrees


def test_the_pace_of_a_batch_is_set_by_what_is_scarce():
    scarce = {
        "ports": bare(7_200, LIST, "10 s", ports=7),
        "dial rate": bare(7_200, LIST, "10 s", platform={"dial_rate": "2/s", "dial_burst": 1}),
        "loading": bare(7_200, LIST | {"pacing": "2/s"}, "10 s"),
    }
    for resource, scenario in scarce.items():
        pace = asked(scenario, 2).pace
        assert pace is not None
        assert pace.resource == resource
        assert pace.difference == pytest.approx(0, abs=0.02 * pace.predicted)


def test_a_bound_that_is_too_strict_is_broken(monkeypatch):
    right = formulas.fluid_bound_s
    monkeypatch.setattr(
        "outsim.theory.measures.fluid_bound_s", lambda *args, **keys: right(*args, **keys) + 60
    )
    found = asked(bare(7_200, LIST, "10 s", ports=7), 3)
    assert not found.agrees
    assert "BROKEN in 3, holds in 0" in {line.verdict for line in found.lines}


REASONS = {
    "lists": (LIST, {}, "Erlang C, ports", "calls come in lists"),
    "recorded": ({"requests": {"times_s": [1]}}, {}, "Erlang C, ports", "at recorded times"),
    "by the hour": (
        {"requests": {"rate_by_hour": {9: "9/hour"}}},
        {},
        "Erlang C, ports",
        "changes with the hour",
    ),
    "retried": (requests(750) | {"max_retry": 1}, {}, "Erlang C, ports", "calls are retried"),
    "limited": (
        requests(750) | {"max_simultaneous": 2},
        {},
        "Erlang C, ports",
        "acme/list has max_simultaneous",
    ),
    "overloaded": (requests(1_200), {"ports": 3}, "Erlang C, ports", "no steady state"),
    "too short": (requests(1_079), {"ports": 3}, "Erlang C, ports", "too short a time"),
    "not exponential": (requests(750), {"ports": 3}, "Erlang C, ports", "not exponential"),
    "dial rate as well": (
        requests(750),
        {"ports": 3, "platform": {"dial_rate": "0.25/s", "dial_burst": 1}},
        "Erlang C, ports",
        "wait for the dial rate as well",
    ),
    "too many channels": (
        requests(750),
        {"ports": 3},
        "Erlang B, carrier's channels",
        "3 ports never fill 1,000,000 channels",
    ),
    "channels behind a dial rate": (
        requests(1_296),
        {
            "carrier": {"channels": 5},
            "platform": {"dial_rate": "0.4/s", "dial_burst": 1},
        },
        "Erlang B, carrier's channels",
        "wait for the dial rate first",
    ),
    "channels behind a dial rate that is seldom waited for": (
        requests(1_296),
        {
            "carrier": {"channels": 5},
            "platform": {"dial_rate": "1.53/s", "dial_burst": 1},
        },
        "Erlang B, carrier's channels",
        "wait for the dial rate first",
    ),
    "channels behind a busy worker": (
        requests(1_296),
        {"carrier": {"channels": 5}, "platform": {"workers": 1, "dial_work": "2 s"}},
        "Erlang B, carrier's channels",
        "dial work waits for workers, 72 % busy",
    ),
    "channels behind a slow worker": (
        requests(1_296),
        {"carrier": {"channels": 5}, "platform": {"workers": 1, "dial_work": "1 s"}},
        "Erlang B, carrier's channels",
        "dial work waits for workers first",
    ),
    "a worker behind a dial rate": (
        requests(3_600),
        {
            "platform": {
                "workers": 1,
                "dial_work": "200 ms",
                "status_work": "100 ms",
                "dial_rate": "1.1/s",
                "dial_burst": 1,
            }
        },
        "Cobham, workers",
        "wait for the dial rate as well",
    ),
    "a worker with too much to do in the only hour of requests": (
        {"requests": {"rate": "3600/hour", "until": after(BEGINS, 3_600 * SECOND)}},
        {"platform": {"workers": 1, "dial_work": "800 ms", "status_work": "100 ms"}},
        "Cobham, workers",
        "no steady state",
    ),
    "many tokens": (requests(750), {}, "token bucket, dial rate", "for at most 25 tokens"),
    "many workers": (requests(750), {}, "Cobham, workers", "is for one worker"),
    "requests": (requests(750), {}, "batch makespan", "one by one, not as a list"),
    "a batch, retried": (LIST | {"max_retry": 2}, {}, "batch makespan", "calls are retried"),
}


@pytest.mark.parametrize(
    ("campaign", "scarce", "formula", "because"), REASONS.values(), ids=REASONS
)
def test_what_does_not_apply_says_why(campaign, scarce, formula, because):
    _, others = checks(bare(HOURS_8, campaign, "10 s", **scarce))
    reasons = {each.formula: str(each) for each in others}
    assert reasons[formula].startswith(f"{formula}: no, ")
    assert because in reasons[formula]


def test_a_worker_that_waits_evens_calls_out_for_the_channels():
    """Which is why Erlang B is not asked there: it would say a tenth too much."""
    scenario = bare(
        HOURS_8,
        requests(1_296),
        "10 s",
        carrier={"channels": 5},
        platform={"workers": 1, "dial_work": "1 s"},
    )
    refused = np.mean(
        [
            np.mean(
                simulate(scenario, seed=seed).arrays.records.attempts["cause"] == CARRIER_CHANNELS
            )
            for seed in range(8)
        ]
    )
    assert refused < 0.95 * formulas.erlang_b(5, 3.6)


def test_calls_without_a_caller_id_never_ask_for_a_channel():
    """The carrier refuses half of these before it looks for one: 3.6 erlang are left of 7.2."""
    scenario = bare(
        HOURS_8,
        requests(2_592) | {"missing_ani_share": 1.0},
        "10 s",
        carrier={"channels": 5, "missing_ani_refusal": 0.5},
    )
    (line,) = particular(asked(scenario))
    assert line.check.formula == "Erlang B, carrier's channels"
    assert line.agrees
    assert line.predicted == pytest.approx(formulas.erlang_b(5, 3.6), rel=0.03)


def two_tenants(queue: str, tenant: str = "zeta") -> Scenario:
    """One port: short calls of one tenant, and every now and then a long one of another."""
    short = bare(HOURS_8, requests(1_440), "1 s", ports=1, platform={"queue": queue})
    long = bare(HOURS_8, requests(72) | {"tenant": tenant, "name": "long"}, "15 s")
    (few,) = long.campaign
    few = few.model_copy(update={"message": long.callees.message})
    return short.model_copy(update={"campaign": [*short.campaign, few]})


def test_turns_of_tenants_change_the_mean_wait_for_the_only_port(monkeypatch):
    """Long calls of the tenant that asks for less go first: all wait longer than in order."""
    formula = "Pollaczek-Khinchine, ports"
    (in_order,) = particular(asked(two_tenants("fifo")))
    assert in_order.check.formula == formula
    assert in_order.agrees
    assert formula in {each.formula for each in checks(two_tenants("fair", "acme"))[0]}
    _, others = checks(two_tenants("fair"))
    assert "tenants take turns" in {each.formula: str(each) for each in others}[formula]
    monkeypatch.setattr("outsim.theory.conditions.order_blind_to_length", lambda _: None)
    (in_turns,) = particular(asked(two_tenants("fair")))
    assert in_turns.agrees is False


PLENTIFUL: dict[str, tuple[dict[str, Any], float, dict[str, Any]]] = {
    "Erlang B, carrier's channels": (
        {"dial_rate": "15/s", "dial_burst": 1, "workers": 1, "dial_work": "20 ms"},
        1_296,
        {"carrier": {"channels": 5}},
    ),
    "Cobham, workers": (
        {
            "dial_rate": "40/s",
            "dial_burst": 1,
            "workers": 1,
            "dial_work": "200 ms",
            "status_work": "100 ms",
        },
        3_600,
        {},
    ),
}
"""Platform, calls an hour, and what else is scarce."""


@pytest.mark.parametrize("formula", PLENTIFUL)
def test_a_dial_rate_and_workers_with_plenty_to_spare_are_let_pass(formula):
    platform, per_hour, scarce = PLENTIFUL[formula]
    found = asked(bare(HOURS_8, requests(per_hour), "10 s", platform=platform, **scarce), 24)
    (line,) = (line for line in particular(found) if line.check.formula == formula)
    assert line.agrees


@settings(max_examples=60)
@given(st.one_of(scenarios(), crowded_scenarios()))
def test_bounds_hold_in_every_run_of_random_scenarios(scenario):
    """Whatever is scarce, and whatever comes between."""
    applying, _ = checks(scenario)
    view = simulate(scenario).measure_view(scenario.campaign_under_study)
    for check in applying:
        if check.kind in ("at least", "at most"):
            simulated = check.simulated.compute(view)
            (bound,) = check.inputs
            apart = simulated - bound.compute(view)
            apart = -apart if check.kind == "at most" else apart
            assert np.isnan(apart) or apart >= -1e-6, (check.formula, check.of)


class TestCiw:
    """The second opinion of another simulator."""

    def test_it_agrees_about_ports(self):
        scenario = bare(7_200, requests(750), EXPONENTIAL, ports=2)
        opinion = ciw_check.check_with_ciw(scenario, seed=4)
        assert opinion.agrees
        assert opinion.ours_s > 10
        assert "agrees" in str(opinion)

    def test_it_agrees_about_lists_and_retries(self):
        scenario = bare(
            36_000, {"contacts": 60, "max_retry": 2, "profile": "nobody"}, "10 s", ports=7
        )
        opinion = ciw_check.check_with_ciw(scenario)
        assert opinion.agrees
        assert opinion.attempts == 180

    def test_a_port_more_would_show(self, monkeypatch):
        right = ciw_check.begins_in_ciw
        monkeypatch.setattr(
            ciw_check, "begins_in_ciw", lambda classes, ports: right(classes, ports + 1)
        )
        opinion = ciw_check.check_with_ciw(bare(7_200, LIST, "10 s", ports=2))
        assert opinion.agrees is False
        assert "DIFFERS" in str(opinion)

    @pytest.mark.parametrize(
        ("campaign", "scarce", "because"),
        [
            (LIST, {"platform": {"dial_rate": "2/s", "dial_burst": 1}}, "wait for the dial rate"),
            (LIST, {"platform": {"queue": "fair"}}, "the queue is fair"),
            (LIST | {"pacing": "2/s", "pacing_at": "dispatch"}, {}, "paced at dispatch"),
            (LIST | {"max_simultaneous": 3}, {}, "max_simultaneous"),
            ({"contacts": 0}, {}, "no call goes out"),
            ({"contacts": 20_001}, {}, "many for Ciw"),
        ],
    )
    def test_it_is_not_asked_about_what_it_has_no_rule_for(self, campaign, scarce, because):
        opinion = ciw_check.check_with_ciw(bare(7_200, campaign, "1 s", **scarce))
        assert opinion.agrees is None
        assert because in str(opinion)
