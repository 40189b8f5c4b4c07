"""What is there on a grid of instants is what the step functions have there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import SECOND
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.flows import (
    Grid,
    flows,
    moves,
    port_phases,
    settled,
    value_at,
    worker_tasks,
)
from outsim.results.tables.over_time import group_of_calls, tenant_groups, tenants_by_size
from tests.strategies import scenarios

STEPS_US = (1, 999_999, SECOND, 7 * SECOND, 600 * SECOND)


def grid_of(result: Result, step_us: int, count: int, since_us: int) -> Grid:
    return Grid(result.arrays.origin_us + since_us, step_us, count)


@settings(max_examples=60)
@given(
    scenarios(),
    st.sampled_from(STEPS_US),
    st.integers(1, 40),
    st.sampled_from([-SECOND, 0, 33_333_333]),
    st.integers(1, 3),
)
def test_a_grid_has_what_the_step_functions_have(scenario, step_us, count, since_us, most):
    result = simulate(scenario, engine="compiled")
    tables = result.calls, result.attempts, result.updates
    grid, groups = (
        grid_of(result, step_us, count, since_us),
        tenant_groups(tenants_by_size(result.calls, None), most),
    )
    group_of = group_of_calls(result.calls, groups)
    edges = np.append(grid.marks, grid.begins + count * step_us)
    for flow in (*flows(*tables).values(), *port_phases(result.attempts).values()):
        everything = settled(flow.steps())
        levels = grid.level(flow, group_of, len(groups))
        for place, level in enumerate(levels):
            assert (
                level.tolist() == value_at(flow.of(group_of == place).steps(), grid.marks).tolist()
            )
        assert grid.level(flow)[0].tolist() == value_at(everything, grid.marks).tolist()
        uneven = np.sort(grid.begins + np.arange(count) ** 2 % 97 * step_us)
        assert flow.level_at(uneven).tolist() == value_at(everything, uneven).tolist()
        within = np.unique(np.concatenate([everything[0], edges]))
        values = value_at(everything, within)
        most_of = [
            values[(within >= low) & (within < high)].max() for low, high in pairwise(edges)
        ]
        assert grid.most(flow).tolist() == most_of
        until = int(edges[-2] + (edges[-1] - edges[-2]) // 2)
        within = np.unique(np.append(within, until))
        values, lasted = value_at(everything, within), np.diff(within, append=within[-1])
        for mean, (low, high) in zip(grid.mean(flow, until), pairwise(edges), strict=True):
            is_within = (within >= low) & (within < min(high, until))
            amount = int((values[is_within] * lasted[is_within]).sum())
            lasts = min(high, until) - low
            assert mean == (amount / lasts if lasts else value_at(everything, [low])[0])


@settings(max_examples=40)
@given(scenarios(), st.sampled_from(STEPS_US[2:]))
def test_numbers_of_a_grid_are_those_of_the_timeline(scenario, step_us):
    result = simulate(scenario, engine="compiled")
    timeline = result.timeline(f"{step_us // SECOND}s")
    grid = grid_of(result, step_us, len(timeline), 0)
    for column in ("dispatched", "dialed"):
        came = moves(result.attempts, f"{column}_at")
        assert grid.number(came)[0].tolist() == timeline[column].tolist()


@settings(max_examples=60)
@given(scenarios())
def test_phases_of_ports_add_up_to_the_busy_ones(scenario):
    result = simulate(scenario, engine="compiled")
    marks = np.unique(
        result.attempts[["dispatched_at", "ringing_at", "ended_at"]].stack().astype("int64")
    )
    phases = [value_at(flow.steps(), marks) for flow in port_phases(result.attempts).values()]
    timeline = flows(result.calls, result.attempts, result.updates)
    assert sum(phases).tolist() == value_at(timeline["busy_ports"].steps(), marks).tolist()
    assert phases[2].tolist() == value_at(timeline["connected"].steps(), marks).tolist()
    assert np.min(phases, initial=0) >= 0


@settings(max_examples=60)
@given(scenarios())
def test_no_more_workers_are_busy_than_there_are(scenario):
    result = simulate(scenario, engine="compiled")
    tasks = worker_tasks(result.arrays, result.attempts, result.updates)
    grid = grid_of(result, SECOND, 600, 0)
    busy = sum(grid.level(flow)[0] for flow in tasks.values())
    assert busy.max() <= result.scenario.platform.workers
    assert busy.min() >= 0
