"""Nothing that is recorded changes unnoticed: a change needs a higher model version."""

from __future__ import annotations

import os

import numpy as np
import pytest

from outsim.engine import execute
from outsim.engine.records import ATTEMPT_TYPES, MODEL_VERSION, Columns, Records
from outsim.plan import build_plan
from outsim.tape import Tape
from tests.golden_traces import (
    COMMAND,
    NAMES,
    SettledError,
    digest,
    keep_present,
    read,
    scenario,
    traced,
    with_version,
)


@pytest.fixture(scope="module", autouse=True)
def _keep_if_asked() -> None:
    if os.environ.get("OUTSIM_KEEP") == "traces":
        keep_present()


@pytest.mark.parametrize("name", NAMES)
def test_the_records_are_those_that_are_kept(name):
    """With a message that says what to do, if they are not."""
    kept = read()
    found = with_version(kept, MODEL_VERSION, {name: traced(name)})
    assert found == kept, f"these are not kept yet: {COMMAND}"


@pytest.mark.parametrize("name", ["everything", "stop-race"])
def test_the_other_engine_leaves_the_same_trace(name):
    assert traced(name, "compiled") == traced(name)


def test_every_scenario_of_the_present_version_is_kept_and_the_version_is_the_latest():
    kept = read()
    assert set(kept[MODEL_VERSION]) == set(NAMES)
    assert [*kept] == [*range(1, MODEL_VERSION + 1)]


def test_other_records_are_refused_until_the_version_is_raised():
    """And then both are kept: what a study of the older version holds stays known."""
    kept = {1: {"a": "old", "b": "same"}}
    changed = {"a": "new", "b": "same"}
    with pytest.raises(
        SettledError, match=r"version 1 has other records of a\. .*MODEL_VERSION to 2"
    ):
        with_version(kept, 1, changed)
    raised = with_version(kept, 2, changed)
    assert raised == {1: kept[1], 2: changed}
    with pytest.raises(SettledError, match="there is 2 already"):
        with_version(raised, 1, kept[1])
    with pytest.raises(SettledError, match="MODEL_VERSION to 3"):
        with_version(raised, 2, kept[1])


def test_a_scenario_that_is_new_joins_the_present_version():
    assert with_version({1: {"a": "x"}}, 1, {"a": "x", "b": "y"}) == {1: {"a": "x", "b": "y"}}


@pytest.mark.parametrize("column", ATTEMPT_TYPES)
def test_a_value_that_changes_in_any_column_changes_the_digest(column):
    records, _ = execute(build_plan(scenario("everything"), Tape(1)), "simpy")
    arrays = {name: np.array(values) for name, values in records.attempts.items()}
    arrays[column][-1] += 1
    changed = Records(
        Columns(ATTEMPT_TYPES, arrays),
        records.updates,
        records.deliveries,
        records.calls,
        records.ended_us,
    )
    assert digest(changed) != digest(records)
