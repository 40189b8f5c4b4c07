"""What is drawn of a run over time is what its tables have at every instant."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outsim
from outsim.clock import MISSING, SECOND, after
from outsim.errors import MomentError, StudyError
from outsim.live.sandbox import Sandbox
from outsim.plots.animation import animation, calls, course, instant, story
from outsim.plots.style import COLOURS, GREY
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.causes import PHASES, STAGES
from outsim.vocabulary import FINAL_STATUSES, STATUS_TABLE
from tests.engine.scenarios import campaign, part, recorded, run
from tests.results.runs import EMPTY, full
from tests.strategies import scenarios

PORT_PHASES = ("dialing", "ringing", "talking")


def read_back(data: dict[str, Any]) -> dict[str, Any]:
    """The data as a browser gets it: standard JSON, without anything but numbers and words."""
    text = json.dumps(data, allow_nan=False)
    found: dict[str, Any] = json.loads(text)
    return found


def instants_of(data: dict[str, Any]) -> list[float]:
    return [data["from_s"] + data["step_s"] * k for k in range(len(data["queue"]["most"]))]


def timeline_of(result: Result, step_s: int) -> pd.DataFrame:
    return result.timeline(f"{step_s}s")


def random_runs() -> st.SearchStrategy[Result]:
    return scenarios().map(lambda scenario: simulate(scenario, engine="compiled"))


# Over time


@settings(max_examples=60)
@given(random_runs(), st.sampled_from([1, 7, 60]), st.integers(2, 8))
def test_sums_over_tenants_are_the_timeline(result, step_s, tenants):
    data = read_back(animation(result, step_s=step_s, tenants=tenants))
    timeline = timeline_of(result, step_s)
    length = len(timeline)
    assert len(data["tenants"]) <= min(tenants, len(COLOURS))
    ports = [row for phase in PORT_PHASES for row in data["ports"][phase]]
    for rows, column in (
        (data["queue"]["by_tenant"], "queue"),
        (ports, "busy_ports"),
        (data["ports"]["talking"], "connected"),
    ):
        together = [sum(numbers) for numbers in zip(*rows, [0] * length, strict=False)]
        assert together == timeline[column].tolist()
    assert data["carrier"]["busy"][:length] == timeline["busy_channels"].tolist()
    assert data["carrier"]["refused"][:length] == timeline["refused"].tolist()
    assert data["workers"]["status_backlog"][:length] == timeline["status_backlog"].tolist()
    for rate, column in (("dispatched_per_s", "dispatched"), ("dialed_per_s", "dialed")):
        expected = [round(number / step_s, 2) for number in timeline[column]]
        assert data["dial_rate"][rate][:length] == expected


@settings(max_examples=60)
@given(random_runs(), st.sampled_from([1, 7, 60]))
def test_no_peak_between_two_instants_is_lost(result, step_s):
    data = animation(result, step_s=step_s)
    every = result.timeline(None)
    for column, most in (
        ("queue", data["queue"]["most"]),
        ("status_backlog", data["workers"]["status_backlog_most"]),
    ):
        assert max(most) == every[column].max() if len(every) else max(most) == 0


@settings(max_examples=60)
@given(random_runs(), st.data())
def test_counters_are_those_of_the_page_at_any_instant(result, drawn):
    data = read_back(animation(result, step_s=7))
    place = drawn.draw(st.integers(0, len(data["queue"]["most"]) - 1))
    at = after(result.start, 7 * place * SECOND)
    page = result.status_page(at)
    group_of = {status.name: "pending" for status in STATUS_TABLE if not status.is_final}
    for counter in data["counters"]:
        mine = page[
            page["tenant"].eq(counter["tenant"]) & page["campaign"].eq(counter["campaign"])
        ]
        for side, column in (("happened", "true_status"), ("seen", "status")):
            counts = mine[column].astype(str).replace(group_of).value_counts()
            found = {word: numbers[place] for word, numbers in counter[side].items()}
            assert {word: found[word] for word in found if found[word]} == counts.to_dict()


@settings(max_examples=40)
@given(random_runs())
def test_the_lag_of_a_campaign_is_that_of_its_updates(result):
    data = animation(result, step_s=60)
    for counter in data["counters"]:
        view = result.view(f"{counter['tenant']}/{counter['campaign']}")
        updates = view.updates[view.updates["happened_at"] != view.updates["visible_at"]]
        lags = (updates["visible_at"] - updates["happened_at"]).dt.total_seconds()
        places = (updates["happened_at"] - result.start) // pd.Timedelta("60s")
        for place, p90 in enumerate(counter["status_lag_p90_s"]):
            mine = lags[places == place].fillna(np.inf)
            if len(mine) == 0:
                assert p90 is None
                continue
            exact = np.quantile(mine, 0.9, method="inverted_cdf")
            assert p90 is None if np.isinf(exact) else p90 == pytest.approx(exact, abs=0.051)


@settings(max_examples=40)
@given(random_runs())
def test_lanes_are_those_of_the_tables(result):
    data = read_back(animation(result))
    for lane in data["campaigns"]:
        attempts = result.attempts
        mine = attempts[
            attempts["tenant"].eq(lane["tenant"]) & attempts["campaign"].eq(lane["name"])
        ]
        since = (mine["dispatched_at"] - result.start).dt.total_seconds()
        until = (mine["ended_at"] - result.start).dt.total_seconds()
        for found, exact in (
            (lane["first_dispatched_s"], since.min()),
            (lane["last_ended_s"], until.max()),
        ):
            assert found is None if np.isnan(exact) else found == pytest.approx(exact, abs=0.001)
        requested = lane["stop_requested_s"]
        came = requested is not None and requested <= data["until_s"]
        assert lane["calls_after_stop"] == (int((since >= requested).sum()) if came else None)


@pytest.mark.parametrize("make", [*EMPTY, full], ids=lambda make: make.__name__)
def test_a_run_of_nobody_and_one_cut_off_have_data_too(make):
    data = read_back(animation(make()))
    assert {len(data["queue"]["most"])} == {
        len(numbers)
        for part_ in ("dial_rate", "carrier", "workers")
        for numbers in data[part_].values()
    }
    assert data["until_s"] == make().duration.total_seconds()


@pytest.mark.parametrize(
    ("duration_s", "step_s"),
    [(0, 1), (1_500, 1), (1_501, 2), (18_000, 15), (90_000, 60), (40 * 86_400, 3_600)],
)
def test_a_step_is_round_and_there_are_not_too_many(duration_s, step_s):
    assert course.round_step_s(duration_s * SECOND) == step_s


def test_the_longest_runs_have_steps_of_days():
    assert course.round_step_s(1_500 * 86_400 * SECOND) == 86_400
    assert course.round_step_s(10_000 * 86_400 * SECOND) == 7 * 86_400


def test_a_step_of_a_live_run_that_is_not_over_has_the_rates_of_the_one_before():
    result = run(
        campaign(contacts=300, pacing="30/min"), clock={"ends": "09:02", "latest": "09:02"}
    )
    over, live = (animation(result, step_s=8, is_live=is_live) for is_live in (False, True))
    assert over["until_s"] == live["until_s"] == 120
    for part_, name in (("dial_rate", "dispatched_per_s"), ("workers", "dial_work")):
        assert live[part_][name] == [*over[part_][name][:-1], over[part_][name][-2]]
        assert over[part_][name][-1] == 0 < live[part_][name][-1]
    assert live["queue"] == over["queue"]


# Tenants


def test_the_tenant_under_study_comes_first_then_the_others_of_the_scenario():
    result = run(
        *(campaign("list", f"t{k}", contacts=1 + k) for k in range(4)),
        study={"campaign": "t1/list"},
        background={"tenants": 8, "median_size": 20},
    )
    data = animation(result, tenants=6)
    shown = data["tenants"]
    assert [tenant["name"] for tenant in shown[:4]] == ["t1", "t0", "t2", "t3"]
    assert [tenant["is_background"] for tenant in shown] == [False] * 4 + [True] * 2
    assert shown[-1]["label"].endswith("other tenants")
    assert (shown[-1]["name"], shown[-1]["color"], shown[-1]["mark"]) == ("", GREY, len(COLOURS))
    assert len({tenant["color"] for tenant in shown}) == len({t["mark"] for t in shown}) == 6
    places = {lane["tenant"]: lane["tenant_place"] for lane in data["campaigns"]}
    assert [places[f"t{k}"] for k in range(4)] == [1, 0, 2, 3]
    assert max(places.values()) == 5
    assert [tenant["mark"] for tenant in animation(result, tenants=20)["tenants"]] == [
        *range(len(COLOURS) - 1),
        len(COLOURS),
    ]


def test_tenants_of_a_session_that_has_just_begun_are_those_of_its_whole_day():
    result = run(
        *(campaign("list", f"t{k}", contacts=1 + k, start=600 * (2 - k)) for k in range(3)),
        study={"campaign": "t1/list"},
        background={"tenants": 8, "median_size": 20},
        clock={"ends": "10:00", "latest": "10:00"},
    )

    async def begun() -> Result:
        async with Sandbox(result.scenario) as sandbox:
            await sandbox.clock.advance_to(60 * SECOND)
            return sandbox.result()

    shown = animation(asyncio.run(begun()), tenants=6, is_live=True)["tenants"]
    assert shown == animation(result, tenants=6)["tenants"]


def test_names_are_plain_data():
    name = "<img src=x onerror=alert(1)>"
    assert read_back(animation(run(campaign(), name=name)))["title"] == name


def test_campaigns_without_a_lane_or_counter_of_their_own_are_counted(monkeypatch):
    monkeypatch.setattr(course, "MOST_LANES", 2)
    monkeypatch.setattr(course, "MOST_COUNTERS", 2)
    result = run(
        *(campaign(f"list {k}", contacts=1 + k) for k in range(5)), study={"campaign": "list 0"}
    )
    data = animation(result)
    assert [lane["name"] for lane in data["campaigns"]] == ["list 4", "list 3"]
    assert data["campaigns_left_out"] == 3
    labels = {counter["label"]: counter["contacts"] for counter in data["counters"]}
    assert labels == {"list 0": 1, "list 4": 5, "3 other campaigns": 9}
    assert data["counters"][-1]["happened"]["completed"][-1] == 9


# Clock times


def test_local_clock_times_follow_a_change_of_the_clocks():
    zone = {"zone": "Europe/Berlin", "date": "2026-03-28", "begins": "12:30", "ends": "18:00"}
    data = animation(
        run(campaign(start="2026-03-30 09:00"), clock=zone | {"latest": "2026-03-30 12:00"})
    )
    change_s = int(
        (
            datetime(2026, 3, 29, 3, tzinfo=ZoneInfo("Europe/Berlin"))
            - datetime.fromisoformat(data["begins"])
        ).total_seconds()
    )
    assert data["utc_offsets"] == [[0, 3600], [change_s, 7200]]


def test_where_no_clock_is_changed_there_is_one_offset():
    zone = {"zone": "Asia/Kolkata", "begins": "09:00", "ends": "10:00"}
    assert animation(run(campaign(), clock=zone))["utc_offsets"] == [[0, 19_800]]


# Capacities and incidents


def test_outages_and_suspensions_are_named_and_take_their_part():
    result = run(
        campaign(contacts=50, pacing="30/min"),
        platform={"ports": 5, "workers": 3},
        outage=[
            part(of="ports", count=2, begins=30, ends=60, drop=True),
            part(of="workers", begins=90),
        ],
        suspension=[part(tenant="acme", begins=10, ends=20)],
    )
    data = animation(result, step_s=10)
    assert data["incidents"] == [
        {
            "kind": "outage",
            "label": "outage of ports (2), calls cut off",
            "from_s": 30,
            "until_s": 60,
        },
        {"kind": "outage", "label": "outage of workers", "from_s": 90, "until_s": None},
        {"kind": "suspension", "label": "suspension of acme", "from_s": 10, "until_s": 20},
    ]
    assert data["ports"]["in_service"][:8] == [5, 5, 5, 3, 3, 3, 5, 5]
    assert data["workers"]["in_service"][7:11] == [3, 3, 0, 0]


# Calls


@settings(max_examples=40)
@given(random_runs())
def test_calls_have_their_attempts_and_what_was_seen_of_them(result):
    table = read_back(animation(result))["calls"]
    own = result.calls[~result.calls["background"]].set_index("call_id")
    assert table["call_id"] == own.index.tolist()
    assert [table["statuses"][code] for code in table["status"]] == [
        status.replace("_", " ") for status in own["status"].astype(str)
    ]
    assert [table["campaigns"][place][1] for place in table["campaign_place"]] == own[
        "campaign"
    ].tolist()
    updates = result.updates[result.updates["status"].isin(FINAL_STATUSES)].set_index("call_id")
    seen = updates["visible_at"].reindex(own.index)
    assert ms_of(seen, result) == table["final_visible_ms"]
    attempts = result.attempts[result.attempts["call_id"].isin(own.index)]
    attempts = attempts.sort_values(["call_id", "attempt"])
    assert table["attempts"]["call_id"] == attempts["call_id"].tolist()
    for name in calls.INSTANTS:
        assert table["attempts"][f"{name}_ms"] == ms_of(attempts[f"{name}_at"], result)
    phases, first = table["phases"], table["phases"]["first"]
    for place, call_id in enumerate(table["call_id"]):
        mine = slice(first[place], first[place + 1])
        words = [phases["names"][code] for code in phases["name"][mine]]
        found = [*zip(words, phases["attempt"][mine], phases["lasted_ms"][mine], strict=True)]
        told = result.causes.phases(np.array([call_id]))
        edges_ms = [told["since"] // 1000, told["until"] // 1000]
        lasted_ms = (edges_ms[1] - edges_ms[0]).tolist()
        names = [PHASES[phase] for phase in told["phase"]]
        expected = zip(names, told["attempt"], lasted_ms, strict=True)
        assert found == [phase for phase in expected if phase[2] > 0]


def ms_of(instants: pd.Series[Any], result: Result) -> list[int | None]:
    whole = instants.astype("int64").to_numpy()
    return [None if at == MISSING else int(at - result.arrays.origin_us) // 1000 for at in whole]


def test_calls_that_there_is_no_room_for_are_counted(monkeypatch):
    monkeypatch.setattr(calls, "MOST_CALLS", 4)
    table = animation(run(campaign(contacts=10)))["calls"]
    assert table["call_id"] == table["attempts"]["call_id"] == [0, 3, 6, 9]
    assert table["left_out"] == 6


def test_phases_are_left_out_where_somebody_can_be_asked_for_a_story():
    assert "phases" not in animation(full(), with_phases=False)["calls"]


def test_calls_are_left_out_where_somebody_can_be_asked():
    assert "calls" not in animation(full(), with_calls=False)


# Stories


@settings(max_examples=60)
@given(random_runs(), st.data())
def test_phases_of_a_call_follow_each_other_and_add_up_by_cause(result, drawn):
    ids = result.calls["call_id"].to_numpy(dtype="int64")
    phases = result.causes.phases(ids)
    cause = phases["phase"].astype(str).where(~phases["phase"].isin(STAGES), "dialing_and_talking")
    lasted = (phases["until"] - phases["since"]).groupby([phases["call_id"], cause]).sum()
    spent = result.time_by_cause().astype("int64").stack()
    assert lasted.to_dict() == spent[spent > 0].to_dict()
    submitted = result.calls.set_index("call_id")["submitted_at"].astype("int64")
    for call_id, mine in phases.groupby("call_id"):
        assert mine["since"].iloc[0] == submitted[call_id] - result.arrays.origin_us
        assert mine["since"].tolist()[1:] == mine["until"].tolist()[:-1]
        assert mine["attempt"].is_monotonic_increasing
    if not len(ids):
        return
    call_id = drawn.draw(st.sampled_from(ids.tolist()))
    told = read_back(story(result, call_id))
    edges = [edge for phase in told["phases"] for edge in (phase["from_s"], phase["until_s"])]
    assert edges == sorted(edges)
    assert edges[1:-1:2] == edges[2::2]


def test_a_story_tells_what_the_answer_tells():
    result = full()
    told = story(result, 1)
    answer = outsim.explain(result, call=1).run().document()
    assert told["answer"] == answer.answer
    assert told["more"] == answer.more
    assert told["changes"][0]["status"] == "scheduled"
    assert told["number"] is not None


def test_phases_are_those_of_a_telephone():
    result = run(
        campaign(contacts=1, max_retry=1, retry_interval="60 s"),
        tape=recorded(list=[["busy", "human"]]),
    )
    names = [phase["phase"] for phase in story(result, 0)["phases"]]
    first, again = names.index("dial work"), names.index("waiting for a retry")
    assert names[first : again + 1] == ["dial work", "connecting", "waiting for a retry"]
    assert names[again + 1 :][-5:-1] == ["dial work", "connecting", "ringing", "talking"]


def test_a_story_of_nobody_is_refused():
    with pytest.raises(StudyError, match="call 99: no such call in this run; there is: 0 to 0"):
        story(run(campaign()), 99)
    with pytest.raises(StudyError, match="there is: none"):
        story(run(), 0)


# Instants


@settings(max_examples=60)
@given(random_runs(), st.floats(0, 1))
def test_who_is_there_at_an_instant_is_whom_the_course_counts(result, share):
    at_s = int(share * result.duration.total_seconds())
    found = read_back(instant(result, at_s))
    data = animation(result, step_s=1)
    assert found["queue"]["calls_waiting"] == sum(row[at_s] for row in data["queue"]["by_tenant"])
    assert (
        sum(each["waiting"] for each in found["queue"]["by_campaign"])
        == found["queue"]["calls_waiting"]
    )
    for phase in PORT_PHASES:
        held = sum(holder[phase] for holder in found["ports"]["by_campaign"])
        assert held == sum(row[at_s] for row in data["ports"][phase])
    assert found["ports"]["in_service"] == data["ports"]["in_service"][at_s]
    assert found["local"] == after(result.start, at_s * SECOND).isoformat()


def test_who_is_first_in_the_queue_is_named_first():
    result = run(
        campaign("early", contacts=3),
        campaign("late", "zeta", start=1, contacts=2),
        platform={"ports": 1},
    )
    found = instant(result, 2)
    assert [each["campaign"] for each in found["queue"]["by_campaign"]] == ["early", "late"]
    assert [each["first_place"] for each in found["queue"]["by_campaign"]] == [1, 3]
    assert [each["call_id"] for each in found["queue"]["calls"]] == [1, 2, 3, 4]
    assert [each["call_id"] for each in found["ports"]["calls"]] == [0]


@pytest.mark.parametrize("at_s", [-1, 1e9])
def test_an_instant_outside_the_run_is_refused(at_s):
    with pytest.raises(MomentError, match="lies outside the run; give seconds from 0 to"):
        instant(full(), at_s)


def test_times_are_seconds_since_the_run_begins():
    data = animation(full(), step_s=1)
    (late,) = [lane for lane in data["campaigns"] if lane["name"] == "late"]
    assert late["starts_s"] == 95
    assert data["until_s"] == 100
    assert datetime.fromisoformat(data["begins"]) + timedelta(seconds=100) == full().end
