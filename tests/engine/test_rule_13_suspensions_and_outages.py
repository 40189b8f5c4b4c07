"""Rule 13: suspensions of a tenant or of all, and outages of parts of the platform."""

from __future__ import annotations

import pytest

from .scenarios import (
    campaign,
    changes,
    dials,
    dispatched,
    order_of_dispatch,
    outcomes,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)

# Suspend and resume


def test_a_suspended_tenant_dials_nothing_and_the_others_go_on():
    result = run(
        campaign("mine", requests=requests(5, 10, 49.999, 50)),
        campaign("theirs", tenant="zeta", requests=requests(5, 10, 50)),
        suspension=[part(tenant="acme", begins=10, ends=50)],
    )
    assert dispatched(result, "mine") == [5.0, 50.0, 50.0, 50.0]
    assert dispatched(result, "theirs") == [5.0, 10.0, 50.0]


def test_all_can_be_suspended():
    result = run(
        campaign("mine", requests=requests(5, 10)),
        campaign("theirs", tenant="zeta", requests=requests(5, 10)),
        suspension=[part(begins=10, ends=50)],
    )
    assert dispatched(result, "mine") == dispatched(result, "theirs") == [5.0, 50.0]


def test_all_campaigns_of_a_tenant_are_suspended():
    result = run(
        campaign("first"),
        campaign("second", start=20),
        suspension=[part(tenant="acme", begins=0, ends=50)],
    )
    assert dispatched(result) == [50.0, 50.0]


def test_a_suspension_without_an_end_lasts():
    result = run(
        campaign(contacts=2),
        platform={"ports": 1},
        suspension=[part(begins=10)],
        clock={"latest": "10:00"},
    )
    assert statuses(result) == ["completed", "queued"]


def test_calls_under_way_are_not_touched():
    result = run(campaign(), suspension=[part(begins=0.5, ends=100)])
    assert statuses(result) == ["completed"]
    assert seconds(result.calls["final_at"]) == [20.0]


def test_loading_goes_on_and_places_are_kept():
    """What was loaded meanwhile goes out in the order of the queue."""
    result = run(
        campaign("mine", tenant="zeta", contacts=2),
        campaign("theirs", contacts=2, start=10),
        platform={"ports": 1},
        suspension=[part(begins=0, ends=50)],
    )
    assert seconds(result.attempts["queued_at"]) == [0.0, 0.001, 10.0, 10.001]
    assert order_of_dispatch(result) == ["mine", "mine", "theirs", "theirs"]
    assert dispatched(result) == [50.0, 70.0, 90.0, 110.0]


def test_a_retry_is_held_back_too():
    result = run(
        campaign(max_retry=1),
        tape=recorded(list=["busy"]),
        suspension=[part(begins=30, ends=100)],
    )
    assert dispatched(result) == [0.0, 100.0]


@pytest.mark.parametrize(
    "suspensions",
    [
        [part(begins=0, ends=50), part(tenant="acme", begins=30, ends=80)],
        [part(tenant="acme", begins=0, ends=80), part(begins=10, ends=60)],
        [part(tenant="acme", begins=0, ends=80), part(tenant="acme", begins=10, ends=60)],
        [part(begins=0, ends=40), part(begins=40, ends=80)],
    ],
)
def test_who_is_suspended_twice_waits_for_the_end_of_both(suspensions):
    result = run(campaign(), suspension=suspensions)
    assert dispatched(result) == [80.0]


# Ports


def test_busy_ports_leave_as_their_calls_end():
    """Of two ports one goes out of service while both are busy: no call is cut off."""
    result = run(
        campaign(contacts=5),
        platform={"ports": 2},
        outage=[part(of="ports", count=1, begins=10, ends=50)],
    )
    assert seconds(result.attempts["ended_at"])[:2] == [20.0, 20.001]
    assert dispatched(result) == [0.0, 0.001, 20.001, 40.001, 50.0]


def test_free_ports_leave_at_once():
    result = run(
        campaign(requests=requests(0, 15, 15)),
        platform={"ports": 3},
        outage=[part(of="ports", count=2, begins=10, ends=40)],
    )
    assert dispatched(result) == [0.0, 20.0, 40.0]


def test_all_ports_can_be_out():
    result = run(
        campaign(contacts=3),
        platform={"ports": 2},
        outage=[part(of="ports", begins=10, ends=60)],
    )
    assert dispatched(result) == [0.0, 0.001, 60.0]
    assert statuses(result) == ["completed"] * 3


def test_outages_add_up():
    result = run(
        campaign(requests=requests(*[20] * 3)),
        platform={"ports": 3},
        outage=[
            part(of="ports", count=1, begins=0, ends=60),
            part(of="ports", count=1, begins=10, ends=70),
        ],
    )
    assert dispatched(result) == [20.0, 40.0, 60.0]


def test_more_ports_can_be_out_than_there_are():
    result = run(
        campaign(),
        platform={"ports": 2},
        outage=[
            part(of="ports", begins=0, ends=30),
            part(of="ports", count=1, begins=0, ends=50),
        ],
    )
    assert dispatched(result) == [30.0]


def test_an_outage_that_drops_cuts_off_as_many_calls_as_it_must():
    """Three of four ports are busy and two go: one call is cut off, the first of the list."""
    result = run(
        campaign(contacts=3),
        platform={"ports": 4},
        outage=[part(of="ports", count=2, begins=10, ends=50, drop=True)],
    )
    assert outcomes(result) == ["congestion", "human", "human"]
    assert list(result.attempts["cause"]) == ["dropped", "", ""]
    assert seconds(result.attempts["ended_at"]) == [10.0, 20.001, 20.002]


def test_a_call_that_was_cut_off_is_dialed_again():
    result = run(
        campaign(max_retry=1),
        outage=[part(of="ports", begins=10, ends=50, drop=True)],
    )
    assert dials(result) == [("list", 0, 1, 0.0), ("list", 0, 2, 70.0)]
    assert changes(result)[3:5] == [("connected", 1, 5.0), ("waiting_retry", 1, 10.0)]
    assert statuses(result) == ["completed"]


def test_a_call_cut_off_is_no_failure_of_the_callee():
    result = run(
        campaign(contacts=20, max_retry=1),
        callees={"redial_factors": [1.0, 0.0], "gap_factors": True},
        outage=[part(of="carrier", begins=10, ends=50, drop=True)],
    )
    assert outcomes(result) == ["congestion"] * 20 + ["human"] * 20


@pytest.mark.parametrize(
    ("cut", "ringing", "answered", "detected", "callee_type"),
    [
        (1.5, None, None, None, ""),
        (2.0, None, None, None, ""),
        (4.0, 2.0, None, None, ""),
        (5.0, 2.0, None, None, ""),
        (6.0, 2.0, 5.0, None, "processing"),
        (7.0, 2.0, 5.0, None, "processing"),
        (8.0, 2.0, 5.0, 7.0, "voice"),
    ],
)
def test_what_a_call_cut_off_had_come_to(cut, ringing, answered, detected, callee_type):
    result = run(campaign(), outage=[part(of="carrier", begins=cut, drop=True)])
    row = result.attempts
    found = [seconds(row[f"{name}_at"])[0] for name in ("ringing", "answered", "detected")]
    assert found == [ringing, answered, detected]
    assert seconds(row["ended_at"]) == [cut]
    assert list(row["callee_type"]) == [callee_type]
    told = [status for status, _, _ in changes(result)]
    assert told == ["scheduled", "queued", "dialing", *["connected"] * (cut > 5), "failed"]


# Workers


def test_without_workers_nothing_is_dialed_and_ports_are_held():
    result = run(
        campaign(contacts=3),
        platform={"ports": 2, "workers": 1},
        outage=[part(of="workers", begins=0, ends=60)],
    )
    assert dispatched(result) == [0.0, 0.001, 80.0]
    assert seconds(result.attempts["work_started_at"])[:2] == [60.0, 61.0]


def test_some_workers_can_be_out():
    result = run(
        campaign(contacts=4),
        platform={"workers": 2},
        outage=[part(of="workers", count=1, begins=0, ends=60)],
    )
    assert seconds(result.attempts["work_started_at"]) == [0.0, 1.0, 2.0, 3.0]


def test_a_worker_finishes_what_it_has_begun():
    result = run(
        campaign(contacts=2),
        platform={"workers": 1, "dial_work": "10 s"},
        outage=[part(of="workers", begins=5, ends=60)],
    )
    assert seconds(result.attempts["dialed_at"]) == [10.0, 70.0]


# Status processing


def test_without_status_processing_calls_go_on_unseen():
    result = run(
        campaign(),
        outage=[part(of="status", begins=3, ends=100)],
    )
    assert statuses(result) == ["completed"]
    assert seconds(result.calls["final_at"]) == [20.0]
    shown = list(zip(result.updates["status"], seconds(result.updates["visible_at"]), strict=True))
    assert shown == [
        ("scheduled", 0.0),
        ("queued", 0.01),
        ("dialing", 0.01),
        ("connected", 100.01),
        ("completed", 100.01),
    ]


# The carrier


def test_a_carrier_that_is_out_refuses_everything():
    result = run(
        campaign(requests=requests(0, 9.5, 29.5)),
        outage=[part(of="carrier", begins=10, ends=30)],
    )
    assert list(result.attempts["cause"]) == ["", "carrier_outage", ""]
    assert seconds(result.attempts["ended_at"]) == [20.0, 11.5, 49.5]


def test_a_carrier_outage_that_drops_ends_all_calls():
    result = run(
        campaign(requests=requests(0, 5)),
        outage=[part(of="carrier", begins=10, ends=30, drop=True)],
    )
    assert list(result.attempts["cause"]) == ["dropped", "dropped"]
    assert seconds(result.attempts["ended_at"]) == [10.0, 10.0]


def test_a_call_in_its_dial_work_has_nothing_to_be_cut_off():
    """Dispatched at 0 s and dialed at 1 s; the carrier was out for a moment in between."""
    result = run(campaign(), outage=[part(of="carrier", begins=0.5, ends=0.6, drop=True)])
    assert outcomes(result) == ["human"]


def test_channels_leave_as_their_calls_end():
    """Of two channels one is out: both calls go on, and then there is room for one."""
    result = run(
        campaign(requests=requests(0, 0, 20, 20, 50, 50)),
        carrier={"channels": 2},
        outage=[part(of="channels", count=1, begins=10, ends=45)],
    )
    assert list(result.attempts["cause"]) == ["", "", "", "carrier_channels", "", ""]


def test_all_channels_can_be_out():
    result = run(
        campaign(requests=requests(0, 10, 40)),
        carrier={"channels": 2},
        outage=[part(of="channels", begins=5, ends=30)],
    )
    assert list(result.attempts["cause"]) == ["", "carrier_channels", ""]


def test_channels_that_drop_cut_off_as_many_calls_as_they_must():
    result = run(
        campaign(requests=requests(0, 0, 0)),
        carrier={"channels": 4},
        outage=[part(of="channels", count=2, begins=10, ends=30, drop=True)],
    )
    assert list(result.attempts["cause"]) == ["dropped", "", ""]
    assert seconds(result.attempts["ended_at"]) == [10.0, 20.0, 20.0]


def test_a_port_of_a_call_that_was_cut_off_is_free_again():
    result = run(
        campaign(contacts=2),
        platform={"ports": 1},
        outage=[part(of="carrier", begins=10, ends=10.5, drop=True)],
    )
    assert dispatched(result) == [0.0, 10.0]
    assert outcomes(result) == ["congestion", "human"]


# Endpoints


def test_an_endpoint_that_is_out_delays_posts_and_no_calls():
    hook = {"name": "hook", "latency": "1 s", "timeout": "5 s", "retry_after": ["2 s"] * 4}
    result = run(
        campaign(result_url="hook"),
        endpoint=[hook],
        outage=[part(of="endpoint", endpoint="hook", begins=0, ends=30)],
    )
    assert seconds(result.calls["final_at"]) == [20.0]
    assert list(result.deliveries["result"]) == ["unreachable", "unreachable", "accepted"]
    assert seconds(result.deliveries["started_at"]) == [20.01, 27.01, 34.01]
