"""What is said of two engines that differ: the first record, its columns, what was around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from outsim.clock import MISSING, SECOND
from outsim.engine import execute
from outsim.engine.records import Records
from outsim.plan import Plan, build_plan
from outsim.scenario import load
from outsim.tape import Tape
from outsim.testing.differences import AROUND
from tests.both_engines import first_difference
from tests.strategies import PROFILES

Arrays = dict[str, np.ndarray]

BEGINS = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("UTC"))


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Two campaigns with posts, so that every kind of record has rows."""
    campaign = {
        "start": BEGINS,
        "contacts": 10,
        "profile": "mixed",
        "max_retry": 1,
        "retry_interval": "60 s",
        "result_url": "url",
    }
    scenario = load(
        {
            "clock": {"zone": "UTC", "date": BEGINS.date(), "begins": BEGINS, "ends": "09:10"},
            "profiles": PROFILES,
            "endpoint": [{"name": "url", "failure_share": 0.5}],
            "campaign": [
                campaign | {"name": "one", "tenant": "acme"},
                campaign | {"name": "two", "tenant": "bolt", "stop_at": "09:01"},
            ],
        }
    )
    return build_plan(scenario, Tape(1))


@pytest.fixture(scope="module")
def records(plan: Plan) -> Records:
    return execute(plan, "simpy")[0]


def tampered(records: Records, kind: str, tamper: Callable[[Arrays], Arrays | None]) -> Records:
    """The records with one kind of them changed."""
    arrays = {name: column.copy() for name, column in getattr(records, kind).items()}
    return replace(records, **{kind: tamper(arrays) or arrays})


def add(column: str, row: int, by: int) -> Callable[[Arrays], None]:
    def tamper(arrays: Arrays) -> None:
        arrays[column][row] += by

    return tamper


def without(row: int) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: np.delete(column, row) for name, column in arrays.items()}


def marked(said: str) -> list[str]:
    """Names of the columns that are said to differ."""
    above, _ = said.split("\nAround it", 1)
    return [line.split()[1] for line in above.splitlines() if line.startswith("* ")]


def seconds(at: int) -> str:
    return f"{at / SECOND:.6f} s"


def test_of_equal_records_there_is_nothing_to_say(plan: Plan, records: Records) -> None:
    assert first_difference(plan, records, execute(plan, "simpy")[0]) == ""


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("attempts", "eligible"),
        ("attempts", "ended"),
        ("attempts", "outcome"),
        ("updates", "begun"),
        ("updates", "lost"),
        ("deliveries", "ended"),
        ("deliveries", "result"),
        ("calls", "attempts"),
        ("calls", "final"),
    ],
)
def test_one_value_is_found_in_its_record(
    kind: str, column: str, plan: Plan, records: Records
) -> None:
    known = getattr(records, kind)
    row = int(np.flatnonzero(known[column] != MISSING)[2])
    said = first_difference(plan, records, tampered(records, kind, add(column, row, 1)))
    assert f", in {kind}: " in said
    assert marked(said)[:1] == [column]
    call = int(known["call_id"][row]) if "call_id" in known else row
    campaign = plan.campaigns[call >= plan.campaigns[1].first_call_id]
    whose = f"{campaign.tenant}/{campaign.name} call {call - campaign.first_call_id}"
    assert whose in said.splitlines()[0]


def test_what_differs_is_dated_by_when_it_came_about(plan: Plan, records: Records) -> None:
    """An attempt that ends too late parts at its end, after a later attempt's beginning."""
    late, early = 0, 5
    ends = int(records.attempts["ended"][late])
    begins = int(records.attempts["work_started"][early])
    assert begins < ends
    other = tampered(records, "attempts", add("ended", late, SECOND))
    assert f"part at {seconds(ends)}, " in first_difference(plan, records, other)
    other = tampered(other, "attempts", add("work_started", early, SECOND))
    assert f"part at {seconds(begins)}, " in first_difference(plan, records, other)


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("attempts", "dispatched"), ("updates", "happened"), ("deliveries", "due")],
)
def test_a_record_that_only_one_engine_has(
    kind: str, begins: str, plan: Plan, records: Records
) -> None:
    """Not the records behind it, though each has another place."""
    row = 4
    at = seconds(int(getattr(records, kind)[begins][row]))
    shorter = tampered(records, kind, without(row))
    for one, other in ((records, shorter), (shorter, records)):
        said = first_difference(plan, one, other)
        assert f"part at {at}, in {kind}: " in said
        assert "no such record" in said


def test_two_records_of_one_instant_that_changed_places(plan: Plan, records: Records) -> None:
    happened = records.updates["happened"]
    row = int(np.flatnonzero(np.diff(happened) == 0)[0])

    def swap(arrays: Arrays) -> None:
        for column in arrays.values():
            column[[row, row + 1]] = column[[row + 1, row]]

    said = first_difference(plan, records, tampered(records, "updates", swap))
    assert f"part at {seconds(int(happened[row]))}, in updates: " in said
    assert marked(said) == ["place"]


def test_a_run_that_ended_elsewhere(plan: Plan, records: Records) -> None:
    longer = replace(records, ended_us=records.ended_us + 1)
    said = first_difference(plan, records, longer)
    assert f"part at {seconds(records.ended_us)}, in the run: its end" in said


def test_both_engines_events_are_shown_around_it(plan: Plan, records: Records) -> None:
    """In their order, with what only one engine has marked, and what the plan does."""
    row = len(records.attempts["ended"]) // 2
    at = int(records.attempts["ended"][row])
    other = tampered(records, "attempts", add("ended", row, 1))
    said = first_difference(plan, records, other, sides=("left", "right"))
    lines = said.split("or both:\n")[1].splitlines()
    assert len(lines) == 2 * AROUND
    instants = [float(line[1:].split()[0]) for line in lines]
    assert instants == sorted(instants)
    only = [line.split()[3:6] for line in lines if line.startswith("*")]
    assert only == [["left", "attempts", "ended"], ["right", "attempts", "ended"]]
    assert lines[AROUND].split()[1] == seconds(at).split()[0]

    effect = plan.campaigns[1].rules.stop_effect_us
    near = int(np.flatnonzero(records.updates["happened"] >= effect)[0])
    said = first_difference(plan, records, tampered(records, "updates", add("lost", near, 1)))
    assert "plan      stop takes effect        bolt/two" in said
