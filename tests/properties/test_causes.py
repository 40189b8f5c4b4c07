"""The causes of every call's time add up to it exactly, in random scenarios, by either engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import MISSING
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.causes import WAIT_CAUSES
from outsim.scenario import Scenario
from outsim.scenario.loading import with_snapshot
from outsim.vocabulary import REFUSED, REJECTED
from tests.strategies import crowded_scenarios, scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 4))
ENGINES = pytest.mark.parametrize("engine", ["simpy", "compiled"])
ANY = st.one_of(scenarios(), crowded_scenarios())


def microseconds(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    return table.astype("int64").sum(axis=1).to_numpy()


def ends_us(result: Result) -> np.ndarray[Any, np.dtype[np.int64]]:
    """When each call was over, or the run if that was first, by going through all rows."""
    arrays, records = result.arrays, result.arrays.records
    ends = np.where(records.calls["final"] == MISSING, records.ended_us, records.calls["final"])
    never_were = np.isin(records.calls["status"], (REJECTED, REFUSED))
    ends[never_were] = arrays.submitted_us[never_were]
    return ends


@ENGINES
@FEWER
@given(ANY)
def test_the_causes_of_a_call_add_up_to_its_time(engine: str, scenario: Scenario) -> None:
    result = simulate(scenario, engine=engine)
    for by_resource in (False, True):
        table = result.time_by_cause(by_resource=by_resource)
        assert (table.astype("int64") >= 0).all(axis=None)
        after = table[["status_backlog", "lost_update", "delivery"]]
        before = microseconds(table) - microseconds(after)
        ids = table.index.to_numpy()
        assert before.tolist() == (ends_us(result) - result.arrays.submitted_us)[ids].tolist()


@ENGINES
@FEWER
@given(ANY)
def test_the_queue_is_never_idle_while_a_call_may_go(engine: str, scenario: Scenario) -> None:
    result = simulate(scenario, engine=engine)
    table = result.time_by_cause(by_resource=True)
    assert table["calls_ahead"].astype("int64").sum() == 0


@FEWER
@given(ANY)
def test_both_charges_add_up_to_the_time_in_the_queue(scenario: Scenario) -> None:
    result = simulate(scenario, engine="simpy")
    queue = result.causes.queue
    before, after = queue.split(queue.stays)
    lasted = queue.stays.until - queue.stays.since
    assert (before + after).sum(axis=1).tolist() == lasted.tolist()
    everything = result.queue_time_by_blocker()
    assert everything["total"].astype("int64").sum() == lasted.sum()
    for row in range(min(len(lasted), 40)):
        charged = result.causes.by_blocker(queue.stays.of(np.array([row])))
        assert charged["total"].astype("int64").sum() == lasted[row]


@FEWER
@given(ANY)
def test_until_a_call_goes_out_they_are_its_wait(scenario: Scenario) -> None:
    result = simulate(scenario, engine="simpy")
    calls = result.calls.set_index("call_id")
    table = result.time_by_cause(until="wait")
    assert (table.astype("int64") >= 0).all(axis=None)
    known = (calls["wait_state"] == "complete").to_numpy()
    waits = microseconds(table.drop(columns="schedule"))[known]
    assert np.allclose(waits / 1e6, calls["wait_s"][known], atol=1e-9)
    others = table.drop(columns=["schedule", *WAIT_CAUSES, "wedged", "earlier"])
    assert microseconds(others)[known].sum() == 0
    first = result.time_by_cause(until="first_dispatch").drop(columns="schedule")
    dispatched = calls["first_dispatched_at"].notna().to_numpy()
    times = (calls["first_dispatched_at"] - calls["wait_starts_at"])[dispatched].dt.total_seconds()
    assert np.allclose(microseconds(first)[dispatched] / 1e6, times, atol=1e-9)


@FEWER
@given(ANY, st.floats(0, 1))
def test_they_add_up_from_a_queue_as_it_stands(scenario: Scenario, place: float) -> None:
    first = simulate(scenario, engine="simpy")
    happened = first.updates["happened_at"]
    moment = scenario.clock.begins
    if len(happened):
        moment = happened.iloc[int(place * (len(happened) - 1))].to_pydatetime()
    result = simulate(with_snapshot(scenario, first.snapshot(moment)), engine="simpy")
    table = result.time_by_cause(by_resource=True)
    assert (table.astype("int64") >= 0).all(axis=None)
    assert table["calls_ahead"].astype("int64").sum() == 0
    before = table.drop(columns=["status_backlog", "lost_update", "delivery"])
    expected = (ends_us(result) - result.arrays.submitted_us)[table.index.to_numpy()]
    assert microseconds(before).tolist() == expected.tolist()
    lasted = result.causes.queue.stays.until - result.causes.queue.stays.since
    assert result.queue_time_by_blocker()["total"].astype("int64").sum() == lasted.sum()
