"""Rule 2: contacts wait for the start, and then come into the queue at their loader's pace."""

from __future__ import annotations

import pytest

from .scenarios import (
    campaign,
    dials,
    dispatched,
    moment,
    of,
    recorded,
    requests,
    run,
    seconds,
)


def queued(result, name=None):
    return seconds(of(result.attempts, name)["queued_at"])


# Start and loader


def test_contacts_are_scheduled_until_the_start():
    result = run(campaign(submitted_at=0, start=60, contacts=2))
    assert list(result.status_page(moment(59.9))["status"]) == ["scheduled", "scheduled"]
    assert dispatched(result) == [60.0, 60.001]


def test_contacts_are_loaded_in_list_order_at_the_loaders_rate():
    result = run(campaign(start=60, contacts=4), platform={"loader_rate": "2/s"})
    assert dials(result) == [
        ("list", 0, 1, 60.0),
        ("list", 1, 1, 60.5),
        ("list", 2, 1, 61.0),
        ("list", 3, 1, 61.5),
    ]
    assert queued(result) == [60.0, 60.5, 61.0, 61.5]


def test_each_campaign_has_a_loader_of_its_own():
    """Two lists that start together do not slow each other down, not even one tenant's."""
    result = run(
        campaign("first", contacts=3),
        campaign("second", contacts=3),
        platform={"loader_rate": "1/s"},
    )
    assert queued(result, "first") == queued(result, "second") == [0.0, 1.0, 2.0]


def test_the_loader_rounds_up_to_the_microsecond():
    result = run(campaign(contacts=4), platform={"loader_rate": "3/s"})
    assert queued(result) == [0.0, 0.333334, 0.666667, 1.0]


def test_a_start_comes_late_by_its_jitter_and_by_no_more():
    """Each campaign is late by a draw of its own, whoever else there is."""
    names = [f"list {k}" for k in range(20)]
    together = run(*(campaign(name) for name in names), platform={"start_jitter": "60 s"})
    late = {name: dispatched(together, name)[0] for name in names}
    assert all(0 <= second <= 60 for second in late.values())
    assert len(set(late.values())) == 20
    assert 15 < sum(late.values()) / 20 < 45
    alone = run(campaign("list 7"), platform={"start_jitter": "60 s"})
    assert dispatched(alone) == [late["list 7"]]


# Pacing at admission


def test_pacing_throttles_admission_to_the_queue():
    """Six a minute: every ten seconds one more call is queued, and goes out at once."""
    result = run(campaign(contacts=4, pacing="6/min"))
    assert seconds(result.attempts["ready_at"]) == [0.0, 0.001, 0.002, 0.003]
    assert queued(result) == dispatched(result) == [0.0, 10.0, 20.0, 30.0]


def test_what_is_not_admitted_is_still_scheduled():
    result = run(campaign(contacts=4, pacing="6/min"))
    assert list(result.status_page(moment(12))["true_status"]) == [
        "connected",
        "dialing",
        "scheduled",
        "scheduled",
    ]


@pytest.mark.parametrize("place", ["admission", "dispatch"])
def test_pacing_saves_up_no_more_than_one_call(place):
    """After five quiet minutes the pace is what it was: the bucket holds one token."""
    result = run(campaign(requests=requests(0, 300, 300, 300), pacing="6/min", pacing_at=place))
    assert dispatched(result) == [0.0, 300.0, 310.0, 320.0]


@pytest.mark.parametrize("place", ["admission", "dispatch"])
def test_retries_count_in_the_pace(place):
    """A call each 100 s means a dial each 100 s, whether it is the first or a redial."""
    result = run(
        campaign(contacts=4, pacing="0.6/min", pacing_at=place, max_retry=1),
        tape=recorded(list=["busy"]),
    )
    assert dispatched(result) == [0.0, 100.0, 200.0, 300.0, 400.0]
    assert dials(result)[-1][1:3] == (0, 2)


def test_calls_are_admitted_in_the_order_in_which_they_became_ready():
    """A redial that falls due waits behind the contacts that were loaded before it."""
    result = run(campaign(contacts=4, pacing="0.6/min", max_retry=1), tape=recorded(list=["busy"]))
    assert [(index, attempt) for _, index, attempt, _ in dials(result)] == [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 1),
        (0, 2),
    ]
    again = result.attempts.iloc[-1:]
    assert seconds(again["ready_at"]) == [62.0]
    assert seconds(again["queued_at"]) == [400.0]


def test_each_campaign_keeps_its_own_pace():
    result = run(
        campaign("slow", contacts=3, pacing="6/min"),
        campaign("fast", contacts=3, pacing="60/min"),
    )
    assert dispatched(result, "slow") == [0.0, 10.0, 20.0]
    assert dispatched(result, "fast") == [0.0, 1.0, 2.0]


# Pacing at dispatch


def test_pacing_at_dispatch_lets_calls_into_the_queue_at_once():
    result = run(campaign(contacts=4, pacing="6/min", pacing_at="dispatch"))
    assert queued(result) == [0.0, 0.001, 0.002, 0.003]
    assert dispatched(result) == [0.0, 10.0, 20.0, 30.0]


def test_a_token_of_pacing_at_dispatch_is_taken_by_the_dispatch():
    """Behind a busy port nothing is dispatched, so nothing is spent: then they go 10 s apart."""
    result = run(
        campaign("first", tenant="aaa"),
        campaign("paced", contacts=2, pacing="6/min", pacing_at="dispatch"),
        platform={"ports": 1},
    )
    assert dispatched(result, "paced") == [20.0, 40.0]
    roomy = run(
        campaign("first", tenant="aaa"),
        campaign("paced", contacts=2, pacing="1.5/min", pacing_at="dispatch"),
        platform={"ports": 1},
    )
    assert dispatched(roomy, "paced") == [20.0, 60.0]
