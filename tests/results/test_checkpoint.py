"""One past, many futures: every branch equals a whole run of its scenario, bit for bit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outsim
from outsim.clock import after
from outsim.engine import execute
from outsim.engine.compiled.run import Run
from outsim.errors import EngineError, MomentError
from outsim.plan import build_plan, build_sibling
from outsim.results.checkpoint import is_family, run_family
from outsim.results.result import Result
from outsim.scenario import Scenario, load
from outsim.tape import Tape
from tests.both_engines import first_difference
from tests.engine import scenarios
from tests.strategies import mappings

MORNING = {
    "name": "morning",
    "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "11:00"},
    "platform": {"ports": 20, "dial_rate": "2/s", "reconciliation_every": "10 min"},
    "endpoint": [{"name": "customer", "failure_share": 0.3}],
    "campaign": [
        {
            "name": "offer",
            "tenant": "retailer",
            "start": "09:05",
            "contacts": 400,
            "pacing": "60/min",
            "retry_interval": "5 min",
            "result_url": "customer",
        },
        {"name": "notices", "tenant": "utility", "start": "09:00", "contacts": 300},
    ],
}


def scenario(**changes: object) -> Scenario:
    """The morning, with other keys for its first campaign or for the whole."""
    offer = {key: value for key, value in changes.items() if key.startswith(("start", "stop"))}
    others = {key: value for key, value in changes.items() if key not in offer}
    offer_, notices = MORNING["campaign"]
    return load(MORNING | others | {"campaign": [{**offer_, **offer}, notices]})


def assert_whole(branch: Result, of: Scenario) -> None:
    """A branch has the records of a whole run of its scenario, on the engine that defines them."""
    whole = outsim.simulate(of, engine="simpy").arrays
    ours = branch.arrays.records
    difference = first_difference(whole.plan, ours, whole.records, ("branch", "whole"))
    assert not difference, difference


@pytest.mark.parametrize("at", ["09:00", "09:05", "09:07", "09:30", "11:00"])
def test_a_run_that_was_saved_and_continued_equals_one_that_was_not(at):
    past = outsim.simulate(scenario(), until=at)
    assert_whole(past.resume(), scenario())


@pytest.mark.parametrize("reaches", ["loading", "queue"])
def test_every_branch_equals_a_whole_run_and_leaves_its_past_as_it_was(reaches):
    past = outsim.simulate(scenario(), until="09:08")
    for minute in ("09:08", "09:10", "09:20"):
        stopped = scenario(stop_at=minute, stop_reaches=reaches)
        assert_whole(past.resume(stopped), stopped)
    assert_whole(past.resume(), scenario())


@pytest.mark.parametrize(
    "changes",
    [
        {"suspension": [{"tenant": "retailer", "begins": "09:10", "ends": "09:20"}]},
        {"outage": [{"of": "ports", "begins": "09:12", "ends": "09:15", "drop": True}]},
        {"outage": [{"of": "endpoint", "endpoint": "customer", "begins": "09:12"}]},
        {"clock": MORNING["clock"] | {"ends": "10:00", "latest": "23:00"}},
    ],
)
def test_suspensions_outages_and_the_end_may_differ_from_branch_to_branch(changes):
    same_end = {"clock": MORNING["clock"] | {"latest": "23:00"}}
    changed = scenario(**same_end | changes)
    past = outsim.simulate(scenario(**same_end), until="09:10")
    assert_whole(past.resume(changed), changed)


@pytest.mark.parametrize("start", ["09:02", "09:05", "09:06", "10:59"])
def test_starts_may_differ_from_branch_to_branch(start):
    """Also with a stop before the start, which cancels everything."""
    past = outsim.simulate(scenario(), until="09:02")
    for changes in ({"start": start}, {"start": start, "stop_at": start}):
        assert_whole(past.resume(scenario(**changes)), scenario(**changes))


def test_a_branch_has_the_tables_of_its_own_scenario():
    stopped = scenario(stop_at="09:10")
    branch = outsim.simulate(scenario(), until="09:08").resume(stopped)
    assert branch.scenario is stopped
    assert (branch.calls["status"] == "canceled").any()
    whole = outsim.simulate(stopped).measures()
    assert branch.measures() == pytest.approx(whole, rel=0, abs=0, nan_ok=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(mapping=mappings(), share=st.floats(0, 1), second=st.floats(0, 1))
def test_random_scenarios_may_be_cut_anywhere(mapping, share, second):
    """Also twice: a branch may be branched from again."""
    drawn = load(mapping)
    length_us = drawn.instant_us(drawn.clock.ends)
    cut = after(drawn.clock.begins, int(share * length_us))
    past = outsim.simulate(drawn, until=cut)
    assert_whole(past.resume(), drawn)
    plan = build_plan(drawn, Tape(drawn.seed))
    first = Run(plan)
    first.advance(int(share * length_us))
    later = first.branch(plan)
    later.advance(int(max(share, second) * length_us))
    readable = execute(plan, "simpy")[0]
    for run in (later.branch(plan), later, first):
        difference = first_difference(plan, run.finish(), readable, ("branch", "whole"))
        assert not difference, difference


# Families


def family(places: int) -> list[Scenario]:
    """Scenarios that share a past, with stops and starts at different times."""
    starts = ["09:20", "09:05", "09:05", "09:30", "09:05:01"]
    return [
        scenario(start=start, **({"stop_at": "09:40"} if place % 2 else {}))
        for place, start in enumerate(starts[:places])
    ]


@pytest.mark.parametrize("places", [1, 2, 5])
def test_every_member_of_a_family_has_the_records_of_a_run_by_itself(places):
    members = family(places)
    assert is_family(members)
    tape = Tape(1).remembering()
    found = dict(run_family([build_plan(member, tape) for member in members]))
    assert sorted(found) == list(range(places))
    for place, member in enumerate(members):
        plan = build_plan(member, Tape(1))
        whole, _ = execute(plan, "simpy")
        difference = first_difference(plan, found[place], whole, ("branch", "whole"))
        assert not difference, difference


@pytest.mark.parametrize("under_study", ["offer", "notices"])
def test_plans_that_share_what_is_alike_are_those_that_are_made_one_by_one(under_study):
    """Other customers' campaigns are the same objects, and the records the same bit for bit."""
    study = {"study": {"campaign": under_study}}
    others = {"background": {"campaigns_per_hour": 4, "median_size": 50}}
    outage = {"outage": [{"of": "workers", "begins": "09:20", "ends": "09:25"}]}
    first = scenario(**others)
    members = [scenario(start="09:20", **others, **study), scenario(**others, **outage)]
    tape = Tape(2).remembering()
    plans = [build_plan(first, tape)]
    plans += [build_sibling(plans[0], member, tape) for member in members]
    for ours, theirs in zip(plans[0].campaigns, plans[1].campaigns, strict=True):
        assert (ours is theirs) == ours.background
    found = dict(run_family(plans))
    for place, member in enumerate([first, *members]):
        plan = build_plan(member, Tape(2))
        assert plan.under_study == plans[place].under_study
        whole, _ = execute(plan, "simpy")
        difference = first_difference(plan, found[place], whole, ("branch", "whole"))
        assert not difference, difference


def test_a_family_differs_in_nothing_but_what_is_to_come():
    assert not is_family([scenario(), scenario(platform={"ports": 21})])
    assert not is_family([scenario(), scenario(clock=MORNING["clock"] | {"latest": "12:00"})])


# What is no branch


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"platform": {"ports": 21}}, r"platform.ports \(20, then 21\)"),
        ({"stop_at": "09:05:30"}, "the stop of retailer/offer at 09:05:32: that is before"),
        (
            {"start": "09:06"},
            r"the start of retailer/offer at 09:05:\d\d: that is before 09:08:00",
        ),
        (
            {"suspension": [{"begins": "09:01", "ends": "09:20"}]},
            "a suspension of everybody at 09:01:00: that is before 09:08:00",
        ),
        ({"clock": MORNING["clock"] | {"ends": "10:30"}}, "clock.ends: a branch ends after"),
    ],
)
def test_a_scenario_with_another_past_is_refused(changes, message):
    past = outsim.simulate(scenario(), until="09:08")
    with pytest.raises(EngineError, match=message):
        past.resume(scenario(**changes))


def test_another_end_at_the_latest_is_refused_whatever_the_background():
    background = {"background": {"tenants": 2, "campaigns_per_hour": 2, "median_size": 10}}
    past = outsim.simulate(scenario(**background), until="09:08")
    with pytest.raises(EngineError, match=r"give both the same clock\.latest"):
        past.resume(scenario(clock=MORNING["clock"] | {"ends": "11:30"}, **background))


def test_a_moment_outside_the_run_is_refused():
    with pytest.raises(MomentError, match="lies outside the run"):
        outsim.simulate(scenario(), until=scenario().clock.begins - timedelta(hours=1))


@pytest.mark.parametrize("second", [10, 25, 70, 130])
def test_a_branch_goes_on_with_what_is_canceled_paused_and_held_for_its_number(second, tmp_path):
    """Cut while calls are canceled one by one, in a pause, and while a number is up."""
    rows = [f"21255501{k % 4:02d},2125550199" for k in range(40)]
    stopped = scenarios.scenario(
        scenarios.campaign(
            "canceled",
            contact_list=scenarios.contact_list(tmp_path, *rows),
            max_retry=2,
            stop_at=5,
            stop_mode="calls",
            cancel_rate="6/min",
        ),
        scenarios.campaign("paused", contacts=30, max_retry=1),
        platform={"ports": 3, "one_call_per_number": True},
        profiles={"people": {"human": 20, "voicemail": 10, "no_answer": 40, "busy": 30}},
        pause=[scenarios.part(campaign="paused", begins=20, ends=100)],
    )
    branch = outsim.simulate(stopped, until=scenarios.moment(second)).resume()
    assert_whole(branch, stopped)
    assert (branch.calls["status"] == "canceled").sum() > 10
