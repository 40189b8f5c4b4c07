"""Rule 8: which calls are dialed again, when, and how often."""

from __future__ import annotations

import pytest

from outsim.errors import ScenarioError

from .scenarios import (
    campaign,
    dials,
    dispatched,
    order_of_dispatch,
    outcomes,
    part,
    recorded,
    requests,
    run,
    scenario,
    seconds,
    statuses,
)


@pytest.mark.parametrize("outcome", ["busy", "no_answer"])
def test_who_was_not_reached_is_dialed_again(outcome):
    result = run(campaign(max_retry=1), tape=recorded(list=[outcome]))
    assert outcomes(result) == [outcome, "human"]
    assert statuses(result) == ["completed"]


def test_what_the_carrier_refused_is_dialed_again():
    result = run(campaign(max_retry=1), outage=[part(of="carrier", begins=0, ends=30)])
    assert outcomes(result) == ["congestion", "human"]
    assert statuses(result) == ["completed"]


def test_an_invalid_number_is_never_dialed_again():
    result = run(campaign(max_retry=10), tape=recorded(list=["invalid"]))
    assert outcomes(result) == ["invalid"]
    assert statuses(result) == ["failed"]
    assert seconds(result.calls["final_at"]) == [2.0]


@pytest.mark.parametrize("outcome", ["human", "voicemail", "fax"])
def test_who_was_reached_is_left_alone(outcome):
    result = run(campaign(max_retry=10), tape=recorded(list=[outcome]))
    assert outcomes(result) == [outcome]
    assert statuses(result) == ["completed"]


@pytest.mark.parametrize("retries", [0, 1, 3, 10])
def test_a_call_is_dialed_once_and_then_as_often_as_it_may_be_again(retries):
    result = run(campaign(max_retry=retries), tape=recorded(list=[["busy"] * 11]))
    assert outcomes(result) == ["busy"] * (1 + retries)
    assert result.attempts["attempt"].tolist() == list(range(1, 2 + retries))
    assert result.calls["attempts"].tolist() == [1 + retries]
    assert statuses(result) == ["failed"]


@pytest.mark.parametrize(("outcome", "ended"), [("busy", 2.0), ("no_answer", 32.0)])
def test_the_interval_counts_from_the_end_of_the_attempt(outcome, ended):
    result = run(campaign(max_retry=2, retry_interval="90 s"), tape=recorded(list=[[outcome] * 3]))
    assert dispatched(result) == [0.0, ended + 90, 2 * (ended + 90)]


def test_a_retry_waits_its_turn_at_the_tail_of_the_queue():
    """Due at 62 s, it comes behind everybody who was queued by then, whoever they are."""
    result = run(
        campaign("mine", max_retry=1),
        campaign("theirs", tenant="zeta", requests=requests(50, 55, 60, 62, 62.001)),
        platform={"ports": 1},
        tape=recorded(mine=["busy"]),
    )
    assert order_of_dispatch(result) == [
        "mine",
        "theirs",
        "theirs",
        "theirs",
        "mine",
        "theirs",
        "theirs",
    ]
    again = result.attempts[result.attempts["attempt"] == 2]
    assert seconds(again["queued_at"]) == [62.0]
    assert seconds(again["dispatched_at"]) == [110.0]


def test_the_gap_is_a_minimum():
    """Retries of a list stand in the same queue: the more ports are busy, the longer the gap."""
    result = run(
        campaign(contacts=20, max_retry=1, pacing="12/min"),
        platform={"ports": 2},
        tape=recorded(list=["no_answer"] * 20),
    )
    ended = result.attempts.set_index(["call_id", "attempt"])["ended_at"].unstack()[1]
    again = result.attempts.set_index(["call_id", "attempt"])["dispatched_at"].unstack()[2]
    gaps = (again - ended).dt.total_seconds()
    assert gaps.min() >= 60
    assert gaps.max() > 61


def test_ones_retries_delay_the_others():
    """A customer's list that nobody answers slows down another customer's list."""

    def last_of_theirs(retries):
        result = run(
            campaign("mine", contacts=10, max_retry=retries),
            campaign("theirs", tenant="zeta", start=200, contacts=10),
            platform={"ports": 2},
            tape=recorded(mine=[["no_answer"] * 4] * 10),
        )
        return dispatched(result, "theirs")[-1]

    assert last_of_theirs(0) == 280.001
    assert last_of_theirs(3) > 350


def test_each_attempt_takes_up_where_the_last_one_left():
    result = run(
        campaign(contacts=2, max_retry=3),
        tape=recorded(list=[["busy", "no_answer", "human"], ["no_answer", "voicemail"]]),
    )
    assert dials(result) == [
        ("list", 0, 1, 0.0),
        ("list", 1, 1, 0.001),
        ("list", 0, 2, 62.0),
        ("list", 1, 2, 92.001),
        ("list", 0, 3, 154.0),
    ]


@pytest.mark.parametrize(
    "rules",
    [{"max_retry": 11}, {"max_retry": -1}, {"retry_interval": "59 s"}, {"retry_interval": "49 h"}],
)
def test_the_platform_takes_0_to_10_retries_a_minute_to_two_days_apart(rules):
    with pytest.raises(ScenarioError, match=next(iter(rules))):
        scenario(campaign(**rules))
    scenario(campaign(max_retry=10, retry_interval="48 h"))
