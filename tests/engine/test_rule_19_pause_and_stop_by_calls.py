"""Rule 19: one campaign is paused for a while; a stop that cancels its calls one by one."""

from __future__ import annotations

import pytest

from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants

from .scenarios import (
    campaign,
    dials,
    dispatched,
    order_of_dispatch,
    part,
    recorded,
    requests,
    run,
    scenario,
    seconds,
    statuses,
)

# Pause and resume


def test_a_paused_campaign_dials_nothing_and_its_sister_goes_on():
    result = run(
        campaign("mine", requests=requests(5, 10, 49.999, 50)),
        campaign("sister", requests=requests(5, 10, 50)),
        pause=[part(campaign="mine", begins=10, ends=50)],
    )
    assert dispatched(result, "mine") == [5.0, 50.0, 50.0, 50.0]
    assert dispatched(result, "sister") == [5.0, 10.0, 50.0]


def test_a_pause_of_the_campaign_of_one_tenant_is_no_pause_of_anothers():
    result = run(
        campaign("list", tenant="acme"),
        campaign("list", tenant="zeta"),
        pause=[part(campaign="zeta/list", begins=0, ends=50)],
    )
    assert dials(result)[0][3] == 0.0
    assert result.attempts["tenant"].tolist() == ["acme", "zeta"]
    assert dispatched(result) == [0.0, 50.0]


def test_loading_goes_on_and_places_are_kept():
    result = run(
        campaign("mine", tenant="zeta", contacts=2),
        campaign("theirs", contacts=2, start=10),
        platform={"ports": 1},
        pause=[part(campaign="mine", begins=0, ends=15)],
    )
    assert seconds(result.attempts["queued_at"]) == [10.0, 0.0, 0.001, 10.001]
    assert order_of_dispatch(result) == ["theirs", "mine", "mine", "theirs"]
    assert dispatched(result) == [10.0, 30.0, 50.0, 70.0]


def test_calls_are_admitted_at_their_pace_during_a_pause():
    result = run(
        campaign(contacts=3, pacing="6/min"), pause=[part(campaign="list", begins=5, ends=25)]
    )
    assert seconds(result.attempts["queued_at"]) == [0.0, 10.0, 20.0]
    assert dispatched(result) == [0.0, 25.0, 25.0]


def test_a_retry_that_falls_due_in_a_pause_enters_the_queue_and_waits_there():
    """Busy at 2 s, due at 62 s: its interval goes on in the pause, of which it sees the end."""
    result = run(
        campaign(max_retry=1),
        tape=recorded(list=["busy"]),
        pause=[part(campaign="list", begins=10, ends=100)],
    )
    assert seconds(result.attempts["queued_at"]) == [0.0, 62.0]
    assert dispatched(result) == [0.0, 100.0]


def test_calls_under_way_are_not_touched():
    result = run(campaign(), pause=[part(campaign="list", begins=0.5, ends=100)])
    assert seconds(result.calls["final_at"]) == [20.0]


def test_a_pause_without_an_end_lasts():
    result = run(
        campaign(contacts=2),
        platform={"ports": 1},
        pause=[part(campaign="list", begins=10)],
        clock={"latest": "10:00"},
    )
    assert statuses(result) == ["completed", "queued"]


def test_a_pause_and_a_suspension_each_hold_back():
    result = run(
        campaign(),
        pause=[
            part(campaign="list", begins=0, ends=30),
            part(campaign="list", begins=60, ends=70),
        ],
        suspension=[part(tenant="acme", begins=20, ends=65)],
    )
    assert dispatched(result) == [70.0]


def test_what_is_paused_can_expire_and_be_stopped():
    result = run(
        campaign("expiring", expires_at=20),
        campaign("stopped", stop_at=20, stop_reaches="queue"),
        pause=[part(campaign=name, begins=0, ends=50) for name in ("expiring", "stopped")],
    )
    assert result.attempts.empty
    assert statuses(result) == ["expired", "canceled"]


def test_time_in_a_pause_has_a_cause_of_its_own():
    result = run(campaign(), pause=[part(campaign="list", begins=0, ends=50)])
    causes = result.time_by_cause(until="first_dispatch").iloc[0]
    assert causes["pause"].total_seconds() == 50.0
    assert causes.drop("pause").sum().total_seconds() == 0.0


@pytest.mark.parametrize("queue", ["fifo", "fair", "first_attempts_first"])
def test_both_engines_pause_alike(queue):
    paused = scenario(
        campaign("mine", contacts=30, max_retry=2),
        campaign("theirs", tenant="zeta", contacts=30, max_retry=2),
        platform={"ports": 3, "queue": queue},
        pause=[
            part(campaign="mine", begins=10, ends=50),
            part(campaign="mine", begins=100, ends=160),
            part(campaign="theirs", begins=50, ends=140),
        ],
    )
    both = [simulate(paused, engine=engine) for engine in ("simpy", "compiled")]
    assert both[0].attempts.equals(both[1].attempts)
    assert both[0].updates.equals(both[1].updates)
    for result in both:
        check_invariants(result)
