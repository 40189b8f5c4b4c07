"""Rule 4: a dispatch takes a port and a dial token together, and is checked at that instant."""

from __future__ import annotations

import pytest

from .scenarios import campaign, dispatched, moment, outcomes, part, run, seconds, statuses

# Ports


def test_a_call_waits_for_a_free_port():
    result = run(campaign(contacts=5), platform={"ports": 2})
    assert dispatched(result) == [0.0, 0.001, 20.0, 20.001, 40.0]


def test_a_port_is_held_from_dispatch_to_the_end_of_the_attempt():
    busy = run(campaign(contacts=3), platform={"ports": 1}).timeline(None)["busy_ports"]
    assert seconds(busy.index[busy == 0]) == [60.0]
    assert busy.max() == 1


# Dial tokens


def test_dials_keep_to_the_platforms_rate():
    result = run(campaign(contacts=4), platform={"dial_rate": "2/s", "dial_burst": 1})
    assert dispatched(result) == [0.0, 0.5, 1.0, 1.5]


def test_after_a_pause_a_burst_may_go_at_once():
    """Three at once, and then one a second: the bucket gains from the first dial on."""
    result = run(
        campaign("first", contacts=5),
        campaign("second", start=60, contacts=5),
        platform={"dial_rate": "1/s", "dial_burst": 3},
    )
    assert dispatched(result, "first") == [0.0, 0.001, 0.002, 1.0, 2.0]
    assert dispatched(result, "second") == [60.0, 60.001, 60.002, 61.0, 62.0]


def test_the_rate_is_the_whole_platforms():
    result = run(
        campaign("one", tenant="acme", contacts=2),
        campaign("two", tenant="zeta", start=0.0005, contacts=2),
        platform={"dial_rate": "1/s", "dial_burst": 1},
    )
    assert dispatched(result) == [0.0, 1.0, 2.0, 3.0]


# Both together


def test_no_token_is_spent_while_the_ports_are_busy():
    """A token is there from 4 s, the port from 20 s: the next token counts from 20 s."""
    result = run(
        campaign(contacts=3),
        platform={"ports": 1, "dial_rate": "15/min", "dial_burst": 1},
    )
    assert dispatched(result) == [0.0, 20.0, 40.0]
    row = result.attempts.iloc[1:2]
    assert seconds(row["token_free_at"]) == [4.0]
    assert seconds(row["port_free_at"]) == [20.0]
    slower = run(
        campaign(contacts=3),
        platform={"ports": 1, "dial_rate": "2.4/min", "dial_burst": 1},
    )
    assert dispatched(slower) == [0.0, 25.0, 50.0]
    # The second token is there all the time: the call at the head does not take it yet.
    saved = run(
        campaign(contacts=3),
        platform={"ports": 1, "dial_rate": "2.4/min", "dial_burst": 2},
    )
    assert dispatched(saved) == [0.0, 20.0, 40.0]


def test_no_port_is_held_while_there_is_no_token():
    """Somebody waits for a token from 0 s to 10 s, and the port stays free for all to see."""
    result = run(
        campaign(contacts=2), platform={"ports": 5, "dial_rate": "6/min", "dial_burst": 1}
    )
    assert dispatched(result) == [0.0, 10.0]
    second = result.attempts.iloc[1:2]
    assert seconds(second["port_free_at"]) == [0.001]
    assert seconds(second["token_free_at"]) == [10.0]
    ports = result.timeline(None)["busy_ports"]
    assert ports[ports.index < moment(10)].max() == 1


def test_a_dispatch_comes_as_soon_as_both_are_there():
    result = run(
        campaign(contacts=30),
        platform={"ports": 3, "dial_rate": "13/min", "dial_burst": 2},
    )
    both = result.attempts[["port_free_at", "token_free_at", "at_head_at"]].max(axis=1)
    assert (both == result.attempts["dispatched_at"]).all()


# Checked at the instant of dispatch


CHECKED = {
    "window": ({"window": {"opens": "09:00", "closes": "09:00:10"}}, {}),
    "suspension": ({}, {"suspension": [part(begins=10)]}),
    "expiry": ({"expires_at": 10}, {}),
    "stop that reaches the queue": ({"stop_at": 8, "stop_reaches": "queue"}, {}),
}


@pytest.mark.parametrize("reason", CHECKED)
def test_what_holds_a_call_back_is_checked_when_its_port_is_free(reason):
    """At its entry it might have gone; the port is free at 20 s, and then it may not."""
    rules, parts = CHECKED[reason]
    without = run(campaign(contacts=2), platform={"ports": 1})
    assert dispatched(without) == [0.0, 20.0]
    result = run(
        campaign(contacts=2, **rules),
        platform={"ports": 1},
        clock={"latest": "10:00"},
        **parts,
    )
    assert dispatched(result) == [0.0]
    assert statuses(result)[0] == "completed"


def test_what_comes_after_the_dispatch_stops_nothing():
    """Dispatched at 0 s, still waiting for its dial work: it is dialed all the same."""
    result = run(
        campaign(expires_at=0.2, stop_at=0.1, stop_reaches="queue"),
        platform={"stop_latency": "100 ms"},
        suspension=[part(begins=0.3)],
    )
    assert seconds(result.attempts["dialed_at"]) == [1.0]
    assert statuses(result) == ["completed"]


# Dial work


def test_dial_work_waits_for_a_worker_and_holds_the_port():
    """One worker, 5 s a dial: the second call's port is idle for 5 s, and nobody else's."""
    result = run(campaign(contacts=4), platform={"ports": 2, "workers": 1, "dial_work": "5 s"})
    assert dispatched(result) == [0.0, 0.001, 24.0, 29.0]
    assert seconds(result.attempts["work_started_at"]) == [0.0, 5.0, 24.0, 29.0]
    assert seconds(result.attempts["dialed_at"]) == [5.0, 10.0, 29.0, 34.0]
    assert seconds(result.attempts["ended_at"]) == [24.0, 29.0, 48.0, 53.0]


def test_a_shortage_of_workers_shows_as_ports_held_idle():
    """Ten times the workers: the same ports, never waiting, dial the list in half the time."""

    def idle_and_finish(workers):
        result = run(
            campaign(contacts=40),
            platform={"ports": 10, "workers": workers, "dial_work": "4 s"},
        )
        rows = result.attempts
        idle = (rows["work_started_at"] - rows["dispatched_at"]).dt.total_seconds().sum()
        return idle, max(seconds(rows["ended_at"]))

    scarce_idle, scarce_finish = idle_and_finish(1)
    ample_idle, ample_finish = idle_and_finish(100)
    assert ample_idle == 0
    assert scarce_idle > 300
    assert scarce_finish > 1.7 * ample_finish


def test_the_attempt_is_at_the_carrier_when_its_dial_work_ends():
    """The carrier refuses at 10 s what was dispatched at 0 s, when it was still there."""
    result = run(
        campaign(),
        platform={"dial_work": "10 s"},
        outage=[part(of="carrier", begins=5, ends=15)],
    )
    assert outcomes(result) == ["congestion"]
    assert seconds(result.attempts["dialed_at"]) == [10.0]
