"""Rule 12: what a stop still reaches, and what goes out all the same."""

from __future__ import annotations

import pytest

from .scenarios import (
    campaign,
    changes,
    dials,
    dispatched,
    moment,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)

# Before the start


def test_a_stop_before_the_start_is_the_clean_case():
    result = run(campaign(submitted_at=0, start=600, contacts=5, stop_at=300))
    assert result.attempts.empty
    assert statuses(result) == ["canceled"] * 5
    assert seconds(result.calls["final_at"]) == [302.0] * 5


# While calls are loaded


def test_from_the_stop_on_nothing_new_is_loaded():
    """One call each 10 s; stopped at 25 s: three are out, the rest never comes into the queue."""
    result = run(campaign(contacts=6, pacing="6/min", stop_at=25))
    assert dispatched(result) == [0.0, 10.0, 20.0]
    assert statuses(result) == ["completed"] * 3 + ["canceled"] * 3
    assert seconds(result.calls["final_at"])[3:] == [27.0] * 3


def test_a_slow_loader_is_stopped_as_well():
    result = run(campaign(contacts=6, stop_at=25), platform={"loader_rate": "6/min"})
    assert dispatched(result) == [0.0, 10.0, 20.0]
    assert statuses(result) == ["completed"] * 3 + ["canceled"] * 3
    assert seconds(result.calls["final_at"])[3:] == [27.0] * 3


def test_a_stop_takes_effect_after_its_latency():
    """Asked for at 29 s, in effect at 31 s: the call of 30 s still slips through."""
    rules = {"contacts": 6, "pacing": "6/min", "stop_at": 29}
    slow = run(campaign(**rules), platform={"stop_latency": "2 s"})
    assert dispatched(slow) == [0.0, 10.0, 20.0, 30.0]
    quick = run(campaign(**rules), platform={"stop_latency": "500 ms"})
    assert dispatched(quick) == [0.0, 10.0, 20.0]


def test_the_sooner_the_stop_the_fewer_go_out():
    """The race of the stop with the queue: what counts is how much is loaded by then."""
    dialed = [
        len(run(campaign(contacts=30, pacing="30/min", stop_at=second)).attempts)
        for second in (0, 10, 20, 40)
    ]
    assert dialed == [1, 6, 11, 21]
    at_once = [len(run(campaign(contacts=30, stop_at=second)).attempts) for second in (0, 10)]
    assert at_once == [30, 30]


# What is in the queue


def test_what_is_in_the_queue_goes_out():
    """All five are queued at once; the stop of 10 s reaches none of them."""
    result = run(campaign(contacts=5, stop_at=10), platform={"ports": 1})
    assert dispatched(result) == [0.0, 20.0, 40.0, 60.0, 80.0]
    assert statuses(result) == ["completed"] * 5
    after = result.attempts["dispatched_at"] > moment(10)
    assert after.sum() == 4


def test_a_stop_that_reaches_the_queue_takes_it_back():
    result = run(campaign(contacts=5, stop_at=10, stop_reaches="queue"), platform={"ports": 1})
    assert dispatched(result) == [0.0]
    assert statuses(result) == ["completed"] + ["canceled"] * 4
    assert seconds(result.calls["final_at"]) == [20.0, 12.0, 12.0, 12.0, 12.0]


def test_a_stop_that_reaches_the_queue_reaches_calls_that_are_held_back():
    result = run(
        campaign(contacts=2, stop_at=10, stop_reaches="queue"),
        suspension=[part(tenant="acme", begins=0, ends=30)],
    )
    assert result.attempts.empty
    assert statuses(result) == ["canceled"] * 2


def test_calls_under_way_are_not_hung_up():
    for reaches in ("loading", "queue"):
        result = run(campaign(contacts=2, stop_at=3, stop_reaches=reaches))
        assert statuses(result) == ["completed"] * 2
        assert seconds(result.calls["final_at"]) == [20.0, 20.001]


def test_with_pacing_at_dispatch_a_stop_comes_too_late():
    """All are in the queue from the beginning: this is what pacing at admission is for."""
    result = run(campaign(contacts=4, pacing="6/min", pacing_at="dispatch", stop_at=5))
    assert dispatched(result) == [0.0, 10.0, 20.0, 30.0]


# Retries


def test_a_call_that_waits_for_its_retry_is_canceled_with_its_attempts_kept():
    result = run(campaign(max_retry=3, stop_at=30), tape=recorded(list=["busy"]))
    assert dispatched(result) == [0.0]
    assert statuses(result) == ["canceled"]
    assert result.calls["attempts"].tolist() == [1]
    assert list(result.calls["outcome"]) == ["busy"]
    assert changes(result)[-2:] == [("waiting_retry", 1, 2.0), ("canceled", 1, 32.0)]


def test_a_call_that_comes_to_wait_for_a_retry_is_canceled():
    """It rings at the stop, and nobody answers at 32 s: there is no next time."""
    result = run(campaign(max_retry=3, stop_at=5), tape=recorded(list=["no_answer"]))
    assert statuses(result) == ["canceled"]
    assert changes(result)[-2:] == [("dialing", 1, 0.0), ("canceled", 1, 32.0)]


def test_a_stop_can_leave_retries_alone():
    """Both go on: the one that waits at the stop, and the one that comes to wait after it."""
    result = run(
        campaign(contacts=2, max_retry=1, stop_at=5, stop_cancels_retries=False),
        tape=recorded(list=["busy", "no_answer"]),
    )
    assert dials(result)[2:] == [("list", 0, 2, 62.0), ("list", 1, 2, 92.001)]
    assert statuses(result) == ["completed"] * 2


@pytest.mark.parametrize("cancels", [True, False])
def test_a_retry_that_waits_for_its_pace_is_still_a_retry(cancels):
    """Due at 62 s, its turn by the pace is at 200 s; the stop comes in between."""
    result = run(
        campaign(
            contacts=2, max_retry=1, pacing="0.6/min", stop_at=150, stop_cancels_retries=cancels
        ),
        tape=recorded(list=["busy"]),
    )
    assert dispatched(result) == ([0.0, 100.0] if cancels else [0.0, 100.0, 200.0])
    assert statuses(result) == ["canceled" if cancels else "completed", "completed"]


def test_a_stop_that_leaves_retries_alone_still_stops_the_loader():
    result = run(
        campaign(
            contacts=3, max_retry=1, pacing="0.6/min", stop_at=50, stop_cancels_retries=False
        ),
        tape=recorded(list=["busy"]),
    )
    assert statuses(result) == ["completed", "canceled", "canceled"]
    assert dispatched(result) == [0.0, 100.0]


def test_a_queued_retry_is_in_the_queue():
    """It entered again at 62 s and stands behind a busy port: it goes out."""
    result = run(
        campaign("mine", max_retry=1, stop_at=65),
        campaign("theirs", tenant="zeta", start=60),
        platform={"ports": 1},
        tape=recorded(mine=["busy"]),
    )
    assert dispatched(result, "mine") == [0.0, 80.0]


# A lasting state


def test_a_request_that_comes_after_the_stop_is_canceled_at_once():
    result = run(campaign(requests=requests(0, 11, 30, 50), stop_at=10))
    assert dispatched(result) == [0.0, 11.0]
    assert changes(result, call=2) == [("scheduled", 0, 30.0), ("canceled", 0, 30.0)]
    assert changes(result, call=3) == [("scheduled", 0, 50.0), ("canceled", 0, 50.0)]


def test_so_is_one_that_comes_after_the_stop_and_before_the_start():
    """Stopped at 22 s, with a start at 100 s: requests of 10 s, 30 s and 50 s get no place."""
    result = run(campaign(submitted_at=0, start=100, requests=requests(10, 30, 50), stop_at=20))
    assert statuses(result) == ["canceled"] * 3
    assert seconds(result.calls["final_at"])[0] == 22.0
    assert result.attempts.empty


def test_a_stop_stops_one_campaign():
    result = run(
        campaign("mine", contacts=3, pacing="6/min", stop_at=5),
        campaign("sister", contacts=3, pacing="6/min"),
        campaign("theirs", tenant="zeta", contacts=3, pacing="6/min"),
    )
    assert dispatched(result, "mine") == [0.0]
    assert dispatched(result, "sister") == [0.0, 10.0, 20.0]
    assert dispatched(result, "theirs") == [0.0, 10.0, 20.0]


def test_a_stop_of_a_campaign_that_is_over_changes_nothing():
    result = run(campaign(contacts=3, stop_at=1000), tape=recorded(list=["human", "busy"]))
    assert statuses(result) == ["completed", "failed", "completed"]
    assert max(seconds(result.calls["final_at"])) < 21


def test_canceled_calls_are_told_like_other_changes():
    result = run(campaign(submitted_at=0, start=600, stop_at=300))
    final = result.updates[result.updates["status"] == "canceled"]
    assert seconds(final["happened_at"]) == [302.0]
    assert seconds(final["visible_at"]) == [302.01]


def test_canceled_calls_that_were_wedged_do_not_end_the_run():
    """A good ten calls are out when the stop cancels the rest, of which half are wedged.

    The talks last three hours. The run goes on until they are over, for nobody waited for
    the wedged calls anyway.
    """
    result = run(
        campaign(contacts=40, pacing="60/min", stop_at=10, transfers_to_agent=True),
        platform={"wedged_calls": 0.5},
        callees={"agent_talk": "3 h"},
    )
    sound = result.calls[~result.calls["wedged"]]
    assert set(sound["status"]) == {"completed", "canceled"}
