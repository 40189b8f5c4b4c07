"""Measures of everybody, against what plain pandas makes of the whole tables."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.results.checkpoint import simulate
from outsim.results.everybody import EVERYBODY, FAIRNESS, Everybody, tenants_of
from outsim.results.measures import ALL_MEASURES, Subject, measure
from outsim.results.port_time import jain_index
from outsim.results.result import Result
from outsim.scenario import Scenario
from outsim.scenario.campaigns import ALL_CALLS
from outsim.studies.promises import read_measure
from tests.engine.scenarios import campaign, run
from tests.strategies import crowded_scenarios, scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 4))
SECOND = pd.Timedelta("1s")
DAY = r"\d{4}-\d\d-\d\d"


def value(result: Result, words: str) -> float:
    """A measure of a run as people write it."""
    item = read_measure(words, "test", result.scenario)
    return Everybody(result).values([item])[item.name]


def same(found: float, expected: float) -> bool:
    return found == pytest.approx(expected, nan_ok=True, rel=1e-9, abs=1e-9)


def worked_out(calls: pd.DataFrame) -> dict[str, float]:
    """Measures of some calls, by counting."""
    wanted = calls[calls["status"].astype(str) != "rejected"]
    counts = ["complete", "censored", "never", "refused"]
    counted = calls[calls["wait_state"].astype(str).isin(counts)]
    waits = sorted(math.inf if math.isnan(wait) else wait for wait in counted["wait_s"])
    p95 = waits[math.ceil(0.95 * len(waits)) - 1] if waits else math.nan
    completed = (wanted["status"].astype(str) == "completed").sum()
    return {
        "p95 wait": p95 if math.isfinite(p95) else math.nan,
        "completed_share": completed / len(wanted) if len(wanted) else math.nan,
        "is_unknown": float(bool(waits) and math.isinf(p95)),
    }


@FEWER
@given(st.one_of(scenarios(), crowded_scenarios()))
def test_measures_of_tenants_campaigns_and_classes_are_those_of_their_calls(
    scenario: Scenario,
) -> None:
    result = simulate(scenario)
    calls, ended_us = result.calls, result.arrays.ended_us
    latest_us = ended_us - min(3600 * 10**6, ended_us // 4)
    starts_us = {(plan.tenant, plan.name): plan.start_us for plan in result.arrays.campaigns}
    keys = zip(calls["tenant"], calls["campaign"], strict=True)
    is_late = calls["background"] & np.array([starts_us[key] >= latest_us for key in keys], bool)
    counting = calls[~is_late]
    for words in ("p95 wait", "completed_share"):
        by_tenant = {
            str(name): worked_out(theirs)
            for name, theirs in counting.groupby(counting["tenant"].astype(str))
        }
        for name in tenants_of(scenario):
            expected = by_tenant.get(name, worked_out(calls[:0]))[words]
            assert same(value(result, f"{words} of tenant {name}"), expected)
        for one in scenario.campaign:
            # One that repeats is called by its day, of which such a run has one.
            is_one = (
                calls["campaign"].astype(str).str.fullmatch(rf"{re.escape(one.name)}( {DAY})?")
            )
            theirs = calls[(calls["tenant"] == one.tenant) & is_one]
            found = value(result, f"{words} of {one.full_name}")
            assert same(found, worked_out(theirs)[words])
        classes = {"background": counting[counting["background"]], "everybody": counting}
        for kind, theirs in classes.items():
            assert same(value(result, f"{words} of {kind}"), worked_out(theirs)[words])
        everyone = by_tenant.values()
        known = [of[words] for of in everyone if not math.isnan(of[words])]
        if words == "p95 wait":
            is_unknown = any(of["is_unknown"] for of in everyone)
            largest = math.nan if is_unknown else max(known, default=math.nan)
            assert same(value(result, "every tenant's p95 wait"), largest)
        else:
            smallest = min(known, default=math.nan)
            assert same(value(result, "every tenant's completed_share"), smallest)


@FEWER
@given(st.one_of(scenarios(), crowded_scenarios()))
def test_port_time_and_fairness_are_those_of_the_step_functions(scenario: Scenario) -> None:
    result = simulate(scenario)
    attempts, end = result.attempts, pd.Timestamp(result.end)
    held = attempts["ended_at"].fillna(end) - attempts["dispatched_at"]
    total = held.sum() / SECOND
    for tenant in tenants_of(scenario):
        own = held[attempts["tenant"] == tenant].sum() / SECOND
        found = value(result, f"port_share of tenant {tenant}")
        assert same(found, own / total if total else math.nan)
    if len(attempts):
        longest = max(0, int(result.timeline(None)["queue"].max()))
        assert value(result, "peak_queue of everybody") == longest
        of_fair, of_ports = waiting_shares(result)
        assert same(value(result, "fairness"), jain_index(np.array([*of_fair.values()])))
        for tenant in tenants_of(scenario):
            for words, shares in (("fair share", of_fair), ("waiting port share", of_ports)):
                expected = shares.get(tenant, math.nan)
                assert same(value(result, f"{words} of tenant {tenant}"), expected)


def waiting_shares(result: Result) -> tuple[dict[str, float], dict[str, float]]:
    """Port time of tenants while their calls waited, over their fair share and over all of it."""
    steps = result.timeline(None, by="tenant")
    at = [*steps.index, pd.Timestamp(result.end)]
    lengths = [(then - now) / SECOND for now, then in pairwise(at)]
    weights = {tenant.name: tenant.weight for tenant in result.arrays.plan.tenants}
    queue, busy = steps["queue"].to_dict("list"), steps["busy_ports"].to_dict("list")
    got, fair, whole = (dict.fromkeys(weights, 0.0) for _ in range(3))
    for step, length in enumerate(lengths):
        waiting = [name for name in weights if name in queue and queue[name][step] > 0]
        ports = sum(column[step] for column in busy.values())
        for name in waiting:
            got[name] += busy[name][step] * length
            fair[name] += ports * length * weights[name] / sum(weights[other] for other in waiting)
            whole[name] += ports * length

    def over(of: dict[str, float]) -> dict[str, float]:
        return {name: got[name] / of[name] if of[name] > 1e-9 else math.nan for name in weights}

    return over(fair), over(whole)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12))
def test_jains_index_is_1_for_equal_shares_and_no_less_than_one_nth(shares: list[float]) -> None:
    index = jain_index(np.array(shares))
    if max(shares) < 1e-100:
        assert math.isnan(index) or index <= 1 + 1e-9
        return
    assert 1 / len(shares) - 1e-9 <= index <= 1 + 1e-9
    assert jain_index(np.full(len(shares), 3.0)) == pytest.approx(1)
    assert jain_index(np.array([*shares, np.nan])) == index


def shared(**platform: Any) -> Result:
    """Two lists on four ports; the second, and shorter, comes when the first is in the queue."""
    return run(
        campaign("long", "gold", contacts=30),
        campaign("short", "silver", start=1, contacts=10),
        platform={"ports": 4} | platform,
        clock={"ends": "10:00"},
    )


def test_taking_turns_is_fairer_than_first_come_first_served() -> None:
    turns, first = (value(shared(queue=queue), "fairness") for queue in ("fair", "fifo"))
    assert turns > first


def test_a_retry_policy_is_judged_by_the_port_time_that_it_takes() -> None:
    """Ten people who answer hold a port for 20 s each: ten completed in 200 s of a port."""
    result = run(campaign(contacts=10))
    assert value(result, "completed per port-hour") == pytest.approx(10 / (200 / 3600))


def test_port_use_leaves_out_ports_in_an_outage() -> None:
    """One call holds one of two ports for all the time that it is there, then one of one."""
    whole = run(campaign(contacts=1), platform={"ports": 2})
    half = run(
        campaign(contacts=1),
        platform={"ports": 2},
        outage=[{"of": "ports", "count": 1, "begins": "09:00", "ends": "09:30"}],
    )
    assert [value(result, "port use") for result in (whole, half)] == pytest.approx([0.5, 1])


def test_the_longest_queue_is_when_the_list_is_loaded_and_ports_are_busy() -> None:
    """A list of 20 on one port: loaded one a millisecond, it is longest at the last of them."""
    result = run(campaign(contacts=20), platform={"ports": 1})
    assert value(result, "peak_queue") == 19
    assert value(result, "peak_queue_at_s") == pytest.approx(0.02, abs=0.002)


def test_dial_throughput_is_the_dial_rate_where_that_is_scarce() -> None:
    result = run(campaign(contacts=50), platform={"dial_rate": "30/min", "dial_burst": 1})
    assert value(result, "dial throughput") == pytest.approx(30)


def test_every_measure_of_all_calls_is_that_of_their_view() -> None:
    result = shared()
    items = [item.about(EVERYBODY) for item in ALL_MEASURES if "stop" not in item.name]
    found = Everybody(result).values(items)
    expected = measure(result.measure_view(ALL_CALLS), ALL_MEASURES)
    for item in items:
        assert same(found[item.name], expected[item.name.removesuffix(f" of {EVERYBODY}")])


def test_a_tenant_without_calls_has_no_measure_and_is_never_the_worst() -> None:
    result = shared()
    nobody = Subject("tenant", "nobody")
    item = next(item for item in ALL_MEASURES if item.name == "completed_share").about(nobody)
    assert math.isnan(Everybody(result).values([item])[item.name])
    assert math.isnan(value(result, "p90 wait of background"))
    assert value(result, "min completed of tenants") == 1


def test_fairness_is_a_measure_of_its_own() -> None:
    assert FAIRNESS.name == "jain_index"
    assert 0 < value(shared(), "jain_index") <= 1
