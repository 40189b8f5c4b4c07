"""Where the time of a call goes: for each cause a scenario in which it alone binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.causes import CAUSES, QUEUE_CAUSES
from tests.engine.scenarios import campaign, part, recorded, requests, run, scenario
from tests.results.runs import EMPTY, full


def seconds(table: pd.DataFrame, cause: str) -> list[float]:
    return (table[cause] / pd.Timedelta("1s")).tolist()


def shares_of_queue(result: Result) -> dict[str, float]:
    """Share of the time in the queue that each cause is charged with."""
    charges = result.queue_time_by_blocker()
    sums = charges[list(QUEUE_CAUSES)].astype("int64").sum()
    return (sums / charges["total"].astype("int64").sum()).to_dict()


BINDING: dict[str, Callable[[], Result]] = {
    # 20 s each, one after the other.
    "no_free_port": lambda: run(campaign(contacts=30), platform={"ports": 1}),
    "dial_rate": lambda: run(
        campaign(contacts=60), platform={"dial_rate": "1/s", "dial_burst": 1}
    ),
    # One worker dials one call in 10 s: 300 ports are held, and nearly all of them idle.
    "no_worker": lambda: run(
        campaign(contacts=600),
        platform={"ports": 300, "workers": 1, "dial_work": "10 s", "status_work": "1 us"},
        clock={"ends": "11:00"},
    ),
    "calling_window": lambda: run(
        campaign(contacts=20, window={"opens": "09:30", "closes": "18:00"})
    ),
    "suspension": lambda: run(
        campaign(contacts=20, start=60), suspension=[part(begins=30, ends=600)]
    ),
    "pause": lambda: run(
        campaign(contacts=20, start=60), pause=[part(campaign="list", begins=30, ends=600)]
    ),
    "same_number": lambda: run(
        campaign(
            contact_list=pd.DataFrame({"destination": ["2125550100"] * 30}), ani="2125550199"
        ),
        platform={"one_call_per_number": True},
    ),
    "limit": lambda: run(campaign(contacts=30, max_simultaneous=1)),
    "pacing": lambda: run(campaign(contacts=60, pacing="30/min", pacing_at="dispatch")),
}


@pytest.mark.parametrize("cause", BINDING)
def test_a_cause_that_alone_binds_has_nearly_all_of_the_time_in_the_queue(cause: str) -> None:
    result = BINDING[cause]()
    assert shares_of_queue(result)[cause] > 0.95
    table = result.time_by_cause(until="first_dispatch", by_resource=True)
    waited = table.drop(columns="schedule").astype("int64").sum()
    assert waited[cause] > 0.95 * waited.sum()


OUTSIDE: dict[str, Callable[[], Result]] = {
    "schedule": lambda: run(campaign(contacts=10, start=1800, submitted_at=0)),
    "loading": lambda: run(campaign(contacts=100), platform={"loader_rate": "6/min"}),
    "pacing": lambda: run(campaign(contacts=100, pacing="6/min")),
    "calls_ahead": lambda: run(campaign(contacts=100), platform={"ports": 1}),
    "retry_gap": lambda: run(
        campaign(max_retry=1, retry_interval="2000 s"), tape=recorded(list=[["busy", "human"]])
    ),
    "dialing_and_talking": lambda: run(campaign(contacts=5)),
    # The carrier takes its time to refuse every call, which is then over.
    "refused_attempt": lambda: run(
        campaign(contacts=5),
        carrier={"refusal_time": "60 s"},
        outage=[part(of="carrier", begins=0, ends=600)],
    ),
    # The worker is busy with the updates of others.
    "status_backlog": lambda: run(
        campaign(contacts=200), platform={"workers": 1, "dial_work": "1 ms", "status_work": "2 s"}
    ),
    "lost_update": lambda: run(campaign(contacts=5), platform={"lost_updates": 1.0}),
    "delivery": lambda: run(
        campaign(contacts=5, result_url="page"),
        endpoint=[part(name="page", latency="30 s", timeout="20 s", retry_after=["2000 s"])],
    ),
    "wedged": lambda: run(campaign(contacts=5), platform={"wedged_calls": 1.0}),
    "asking_again": lambda: run(
        campaign(
            requests=requests(0, 1),
            when_refused="asks again",
            asks_again={"interval": "900 s", "cap": "900 s", "most": 6},
        ),
        platform={"intake_rate": "1/h"},
        clock={"ends": "11:00"},
    ),
}


@pytest.mark.parametrize("cause", OUTSIDE)
def test_a_cause_that_alone_binds_has_most_of_the_time(cause: str) -> None:
    sums = OUTSIDE[cause]().time_by_cause().astype("int64").sum()
    assert sums.idxmax() == cause
    assert sums[cause] > 0.9 * sums.sum()


def test_every_cause_binds_somewhere() -> None:
    assert {*BINDING, *OUTSIDE, "earlier"} == set(CAUSES)


def test_a_snapshot_hides_what_was_before_it() -> None:
    result = run(
        campaign(contacts=2),
        clock={"begins": "08:00"},
        snapshot={
            "at": "2026-03-10 09:10",
            "campaign": [
                {"tenant": "acme", "name": "list", "queued": ["2026-03-10 09:00:00"]},
            ],
        },
    )
    table = result.time_by_cause()
    assert seconds(table, "earlier") == [pytest.approx(600)]
    assert seconds(table, "suspension") == [0]


def test_the_course_of_a_call_is_told_to_the_microsecond() -> None:
    """By hand: loaded at 0, busy after 2 s, back at 62 s, answered, over after 20 s."""
    result = run(
        campaign(max_retry=1, retry_interval="60 s", start=100, submitted_at=40),
        tape=recorded(list=[["busy", "human"]]),
    )
    found = result.time_by_cause().iloc[0]
    spent = {cause: found[cause] / pd.Timedelta("1s") for cause in CAUSES if found[cause]}
    assert spent == {
        "schedule": 60,
        "retry_gap": 60,
        "dialing_and_talking": 2 + 20,
        "status_backlog": 0.01,
    }


def test_time_in_the_queue_is_charged_to_the_tenant_who_goes_next() -> None:
    """One port; four calls of 20 s are ahead of the one of zeta."""
    result = run(
        campaign(contacts=4),
        campaign("late", "zeta", start=10),
        platform={"ports": 1},
    )
    late = result.scenario.find_campaign("late")
    charges = result.queue_time_by_blocker(late).set_index("tenant")["total"] / pd.Timedelta("1s")
    # From 10 s to 60 s others are dialed in turn; then it is its own turn, at 80 s.
    assert charges.to_dict() == pytest.approx({"acme": 50, "zeta": 20}, abs=0.01)


def test_a_port_shortage_and_a_rate_together_are_what_came_last() -> None:
    """A call every 30 s by the rate, and 20 s each on one port: the token comes last."""
    result = run(
        campaign(contacts=10),
        platform={"ports": 1, "dial_rate": "2/min", "dial_burst": 1},
    )
    shares = shares_of_queue(result)
    assert shares["dial_rate"] == pytest.approx(1, abs=0.001)
    result = run(
        campaign(contacts=10),
        platform={"ports": 1, "dial_rate": "6/min", "dial_burst": 1},
    )
    assert shares_of_queue(result)["no_free_port"] == pytest.approx(1, abs=0.001)


def test_an_outage_of_ports_is_a_shortage_of_ports() -> None:
    result = run(campaign(contacts=5, start=60), outage=[part(of="ports", begins=0, ends=600)])
    assert shares_of_queue(result)["no_free_port"] == 1
    assert seconds(result.time_by_cause(by_resource=True), "no_free_port") == pytest.approx(
        [540 - 0.001 * k for k in range(5)]
    )


def test_a_call_that_expires_in_the_queue_waited_to_its_end() -> None:
    result = run(campaign(contacts=2, expires_at=15), platform={"ports": 1})
    table = result.time_by_cause(by_resource=True)
    assert seconds(table, "no_free_port")[1] == pytest.approx(15, abs=0.01)
    assert seconds(table, "dialing_and_talking")[1] == 0


def test_means_over_time_are_those_of_the_calls() -> None:
    result = full()
    found = result.causes_over_time("10s", by_resource=False)
    counted = result.calls["wait_state"].isin(("complete", "censored", "never"))
    assert found["calls"].sum() == counted.sum()
    table = result.time_by_cause(until="wait").loc[counted.to_numpy()]
    weighted = (found["calls_ahead"].astype("int64") * found["calls"]).sum()
    assert weighted == pytest.approx(table["calls_ahead"].astype("int64").sum(), abs=len(table))


@pytest.mark.parametrize("empty", EMPTY)
def test_a_run_of_nobody_has_no_time(empty: Callable[[], Result]) -> None:
    result = empty()
    assert len(result.time_by_cause()) == len(result.queue_time_by_blocker()) == 0
    assert len(result.causes_over_time()) == 0


def test_both_engines_tell_the_same() -> None:
    one: Any = scenario(campaign(contacts=200), platform={"ports": 5, "workers": 1})
    slow, quick = (simulate(one, engine=name) for name in ("simpy", "compiled"))
    pd.testing.assert_frame_equal(slow.time_by_cause(), quick.time_by_cause())
    pd.testing.assert_frame_equal(slow.queue_time_by_blocker(), quick.queue_time_by_blocker())
    assert np.all(slow.time_by_cause().to_numpy() >= np.timedelta64(0))


@pytest.mark.parametrize("table", ["calls", "attempts", "updates", "deliveries"])
@pytest.mark.parametrize("by_resource", [True, False])
def test_causes_are_the_same_before_and_after_a_table_was_opened(
    table: str, by_resource: bool
) -> None:
    """Tables share memory with what was recorded, and move instants to another origin in it."""
    crowd = scenario(campaign(contacts=30, max_retry=1), platform={"ports": 2})
    result = simulate(crowd)
    before = result.time_by_cause(by_resource=by_resource)
    charges = result.queue_time_by_blocker()
    getattr(result, table)
    assert result.time_by_cause(by_resource=by_resource).equals(before)
    assert result.queue_time_by_blocker().equals(charges)
    later = simulate(crowd)
    getattr(later, table)
    assert later.time_by_cause(by_resource=by_resource).equals(before)
