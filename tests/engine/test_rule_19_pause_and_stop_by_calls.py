"""Rule 19: one campaign is paused for a while; a stop that cancels its calls one by one."""

from __future__ import annotations

import pytest

from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants

from .scenarios import (
    campaign,
    changes,
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


# Stop by calls: one port, calls of 20 s, in effect at 12 s, one canceled each 10 s.


def by_calls(name="list", **keys):
    """A campaign whose calls are canceled one by one from 12 s on."""
    rules = {"stop_at": 10, "stop_mode": "calls", "cancel_rate": "6/min"}
    return campaign(name, **rules | keys)


def canceled(result):
    """(place in the list, second) of each canceled call, in the order of canceling."""
    calls = result.calls[result.calls["status"] == "canceled"]
    at = seconds(calls["final_at"])
    return sorted(zip(calls["index"].tolist(), at, strict=True), key=lambda call: call[1])


def test_the_newest_are_canceled_one_by_one_while_the_oldest_go_out():
    result = run(by_calls(contacts=6), platform={"ports": 1})
    assert canceled(result) == [(5, 12.0), (4, 22.0), (3, 32.0)]
    assert dispatched(result) == [0.0, 20.0, 40.0]
    assert statuses(result) == ["completed"] * 3 + ["canceled"] * 3


def test_the_oldest_first_leaves_what_is_dialed_alone():
    """At 12 s the first call is up; the second one is canceled before its turn comes at 20 s."""
    result = run(by_calls(contacts=6, cancel_order="oldest"), platform={"ports": 1})
    assert canceled(result) == [(1, 12.0), (3, 22.0), (4, 32.0)]
    assert dials(result)[1:] == [("list", 2, 1, 20.0), ("list", 5, 1, 40.0)]


def test_loading_goes_on_and_scheduled_calls_are_canceled_too():
    """One call is loaded each 10 s; at 12 s, 22 s and 32 s the last of the list are canceled."""
    result = run(by_calls(contacts=8), platform={"loader_rate": "6/min"})
    assert canceled(result) == [(7, 12.0), (6, 22.0), (5, 32.0)]
    assert dispatched(result) == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_a_call_that_waits_for_its_pace_is_canceled_and_the_next_takes_its_turn():
    result = run(by_calls(contacts=4, pacing="3/min", cancel_order="oldest"))
    assert canceled(result) == [(1, 12.0), (3, 22.0)]
    assert dials(result) == [("list", 0, 1, 0.0), ("list", 2, 1, 20.0)]


def test_what_is_in_the_queue_leaves_it_from_wherever_it_stands():
    """Nine are canceled while they are held back until 100 s."""
    for order, left in (("newest", [0, 1]), ("oldest", [9, 10])):
        result = run(
            by_calls(contacts=11, cancel_order=order),
            suspension=[part(tenant="acme", begins=0, ends=100)],
        )
        assert [index for _, index, _, _ in dials(result)] == left
        assert [at for _, at in canceled(result)] == [12.0 + 10 * k for k in range(9)]


def test_a_call_that_comes_to_wait_for_a_retry_is_canceled_at_once_if_nobody_else_is_left():
    """Nobody answers at 32 s; a token has been there since 22 s."""
    result = run(
        by_calls(contacts=2, max_retry=3),
        platform={"ports": 1},
        tape=recorded(list=["no_answer", "human"]),
    )
    assert canceled(result) == [(1, 12.0), (0, 32.0)]
    assert changes(result)[-2:] == [("waiting_retry", 1, 32.0), ("canceled", 1, 32.0)]


def test_a_call_that_waits_for_its_retry_has_its_turn_by_its_place_in_the_list():
    result = run(
        by_calls(contacts=3, max_retry=3),
        platform={"ports": 1},
        tape=recorded(list=["busy", "human", "human"]),
    )
    assert canceled(result) == [(2, 12.0), (0, 22.0)]


def test_a_stop_by_calls_can_spare_whoever_was_dialed():
    """The retry of the first call is due at 62 s, behind a busy port, and stays in the queue."""
    result = run(
        by_calls(contacts=2, max_retry=1, stop_cancels_retries=False),
        campaign("other", tenant="zeta", start=50),
        platform={"ports": 1},
        tape=recorded(list=["busy", "human"]),
    )
    assert statuses(result, "list") == ["completed", "completed"]
    assert dispatched(result, "list") == [0.0, 2.0, 70.0]


def test_a_request_that_comes_in_later_is_canceled_before_it_can_be_dialed():
    """Nothing is left at 12 s. The request of 30 s is canceled at once, the next in its turn."""
    result = run(by_calls(requests=requests(0, 30, 35, 36)), platform={"ports": 1})
    assert canceled(result) == [(1, 30.0), (3, 40.0)]
    assert dispatched(result) == [0.0, 35.0]


def test_requests_that_come_in_before_the_start_are_canceled_newest_first():
    result = run(by_calls(requests=requests(0, 1, 2, 15, 60), submitted_at=0, start=50))
    assert canceled(result) == [(2, 12.0), (3, 22.0), (1, 32.0), (0, 42.0), (4, 60.0)]


def test_it_takes_effect_after_its_latency_and_stops_one_campaign():
    result = run(
        by_calls("mine", contacts=2),
        campaign("sister", contacts=2),
        suspension=[part(tenant="acme", begins=0, ends=30)],
    )
    assert seconds(result.calls["final_at"])[:2] == [22.0, 12.0]
    assert statuses(result, "sister") == ["completed"] * 2


def test_an_expiry_ends_what_is_left_to_cancel():
    result = run(
        by_calls(contacts=4, expires_at=25),
        suspension=[part(tenant="acme", begins=0, ends=30)],
    )
    assert statuses(result) == ["expired", "expired", "canceled", "canceled"]


def test_a_wedged_call_in_the_queue_stays_as_it_is_shown():
    result = run(by_calls(contacts=3), platform={"wedged_calls": 1.0})
    assert statuses(result) == ["queued"] * 3


STOPS = {
    "newest": {},
    "oldest": {"cancel_order": "oldest"},
    "sparing retries": {"stop_cancels_retries": False},
    "quick": {"cancel_rate": "1000000/s"},
    "paced": {"pacing": "30/min"},
    "requests": {"requests": requests(*(k % 7 * 9.0 for k in range(40)))},
    "expiring": {"expires_at": 70},
}


@pytest.mark.parametrize("how", STOPS)
@pytest.mark.parametrize("queue", ["fifo", "fair", "first_attempts_first"])
def test_both_engines_cancel_alike(how, queue):
    keys = {"max_retry": 2, "cancel_rate": "20/min"} | STOPS[how]
    keys |= {} if "requests" in keys else {"contacts": 40}
    stopped = scenario(
        by_calls("mine", profile="mixed", **keys),
        campaign("theirs", tenant="zeta", contacts=20, max_retry=2, profile="mixed"),
        platform={"ports": 3, "queue": queue, "wedged_calls": 0.1},
        profiles={"mixed": {"human": 20, "voicemail": 10, "no_answer": 40, "busy": 30}},
    )
    both = [simulate(stopped, engine=engine) for engine in ("simpy", "compiled")]
    assert (both[0].calls["status"] == "canceled").sum() > 5
    assert both[0].attempts.equals(both[1].attempts)
    assert both[0].updates.equals(both[1].updates)
    for result in both:
        check_invariants(result)
