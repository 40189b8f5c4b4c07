"""Rule 3: one queue for all, first in first out, in which nobody blocks anybody."""

from __future__ import annotations

import pytest

from .scenarios import (
    campaign,
    dials,
    dispatched,
    order_of_dispatch,
    part,
    recorded,
    requests,
    run,
    seconds,
)

# First in, first out


def test_there_is_one_queue_for_all_tenants():
    """A short list behind a long one of somebody else waits for all of it."""
    result = run(
        campaign("long", tenant="zeta", contacts=3),
        campaign("short", tenant="acme", start=1, contacts=2),
        platform={"ports": 1},
    )
    assert order_of_dispatch(result) == ["long", "long", "long", "short", "short"]
    assert dispatched(result) == [0.0, 20.0, 40.0, 60.0, 80.0]


def test_calls_go_out_in_the_order_in_which_they_entered():
    """Two lists that are loaded side by side alternate, call by call."""
    result = run(
        campaign("odd", contacts=3),
        campaign("even", tenant="zeta", start=0.0005, contacts=3),
        platform={"ports": 1},
    )
    assert order_of_dispatch(result) == ["odd", "even"] * 3
    entered = seconds(result.attempts["queued_at"])
    assert entered == sorted(entered)


def test_time_of_entry_counts_and_not_that_of_submission():
    """A paced list that was there first is overtaken by what enters the queue first."""
    result = run(
        campaign("paced", contacts=2, pacing="6/min"),
        campaign("late", tenant="zeta", start=5, contacts=2),
        platform={"ports": 1},
    )
    assert order_of_dispatch(result) == ["paced", "late", "late", "paced"]


# A call that is held back keeps its place and blocks nobody


HELD = {
    "window": ({"window": {"opens": "09:00:50", "closes": "12:00"}}, {}),
    "suspension": ({}, {"suspension": [part(tenant="acme", begins=0, ends=50)]}),
}


@pytest.mark.parametrize("reason", HELD)
def test_a_call_held_back_for_a_while(reason):
    """The held list came first. The other one goes on without it; when it may go, it is next."""
    rules, parts = HELD[reason]
    result = run(
        campaign("held", contacts=2, **rules),
        campaign("other", tenant="zeta", start=1, contacts=5),
        platform={"ports": 1},
        **parts,
    )
    assert [(name, at) for name, _, _, at in dials(result)] == [
        ("other", 1.0),
        ("other", 21.0),
        ("other", 41.0),
        ("held", 61.0),
        ("held", 81.0),
        ("other", 101.0),
        ("other", 121.0),
    ]
    held = result.attempts[result.attempts["campaign"] == "held"]
    assert seconds(held["queued_at"]) == [0.0, 0.001]
    assert seconds(held["eligible_at"]) == [50.0, 50.0]


LIMITED = {
    "campaign": ({"max_simultaneous": 1}, {}),
    "tenant": ({}, {"tenant": [{"name": "acme", "max_simultaneous": 1}]}),
}


@pytest.mark.parametrize("whose", LIMITED)
def test_a_call_held_back_by_a_limit_on_simultaneous_calls(whose):
    """Of two ports the limited list has one; the other port serves those behind it."""
    rules, parts = LIMITED[whose]
    result = run(
        campaign("limited", contacts=3, **rules),
        campaign("other", tenant="zeta", start=1, contacts=3),
        platform={"ports": 2},
        **parts,
    )
    assert [(name, at) for name, _, _, at in dials(result)] == [
        ("limited", 0.0),
        ("other", 1.0),
        ("limited", 20.0),
        ("other", 21.0),
        ("limited", 40.0),
        ("other", 41.0),
    ]


RATED = {
    "tenant's dial rate": ({}, {"tenant": [{"name": "acme", "dial_rate": "6/min"}]}),
    "pacing at dispatch": ({"pacing": "6/min", "pacing_at": "dispatch"}, {}),
}


@pytest.mark.parametrize("whose", RATED)
def test_a_call_held_back_by_a_rate(whose):
    """Behind a list that may dial once in 10 s the queue moves on at its own speed."""
    rules, parts = RATED[whose]
    result = run(
        campaign("rated", contacts=3, **rules),
        campaign("other", tenant="zeta", start=1, contacts=2),
        **parts,
    )
    assert dispatched(result, "rated") == [0.0, 10.0, 20.0]
    assert dispatched(result, "other") == [1.0, 1.001]


@pytest.mark.parametrize("whose", RATED)
def test_a_call_held_back_by_a_rate_keeps_its_place(whose):
    """Its turn by the rate comes at 10 s, the next free port at 20 s: it is its own again."""
    rules, parts = RATED[whose]
    result = run(
        campaign("rated", contacts=2, **rules),
        campaign("other", tenant="zeta", start=1, contacts=3),
        platform={"ports": 2},
        **parts,
    )
    assert order_of_dispatch(result) == ["rated", "other", "rated", "other", "other"]
    assert dispatched(result, "rated") == [0.0, 20.0]


def test_a_limit_of_the_tenant_spans_its_campaigns():
    result = run(
        campaign("first", contacts=2),
        campaign("second", start=1, contacts=2),
        tenant=[{"name": "acme", "max_simultaneous": 2}],
    )
    assert dials(result) == [
        ("first", 0, 1, 0.0),
        ("first", 1, 1, 0.001),
        ("second", 0, 1, 20.0),
        ("second", 1, 1, 20.001),
    ]


def test_a_limit_of_a_campaign_is_its_own():
    result = run(
        campaign("limited", contacts=2, max_simultaneous=1),
        campaign("sister", start=1, contacts=2),
    )
    assert dispatched(result, "limited") == [0.0, 20.0]
    assert dispatched(result, "sister") == [1.0, 1.001]


def test_a_dial_rate_of_the_tenant_spans_its_campaigns():
    result = run(
        campaign("first", contacts=2),
        campaign("second", start=1, contacts=2),
        tenant=[{"name": "acme", "dial_rate": "6/min"}],
    )
    assert dispatched(result) == [0.0, 10.0, 20.0, 30.0]
    assert order_of_dispatch(result) == ["first", "first", "second", "second"]


def test_a_call_with_several_reasons_to_be_held_waits_for_the_last_of_them():
    """Suspended until 50 s, and its window opens at 70 s."""
    result = run(
        campaign(window={"opens": "09:01:10", "closes": "12:00"}),
        suspension=[part(tenant="acme", begins=0, ends=50)],
    )
    assert dispatched(result) == [70.0]


# What if: tenants take turns


def test_in_the_fair_queue_tenants_take_turns():
    """Ten calls of one customer do not come before the first of another."""
    lists = (
        campaign("long", tenant="acme", contacts=6),
        campaign("short", tenant="zeta", start=1, contacts=3),
    )
    fifo = run(*lists, platform={"ports": 1})
    assert order_of_dispatch(fifo) == ["long"] * 6 + ["short"] * 3
    fair = run(*lists, platform={"ports": 1, "queue": "fair"})
    assert order_of_dispatch(fair) == ["long", *["short", "long"] * 3, "long", "long"]


def test_turns_follow_the_weights():
    result = run(
        campaign("light", tenant="acme", contacts=4),
        campaign("heavy", tenant="zeta", contacts=8),
        tenant=[{"name": "acme", "weight": 1}, {"name": "zeta", "weight": 2}],
        platform={"ports": 1, "queue": "fair"},
    )
    assert order_of_dispatch(result) == ["light", "heavy", "heavy"] * 4


def test_turns_are_tenants_and_not_campaigns():
    """A customer gets no more by splitting the list; inside, the oldest call is next."""
    result = run(
        campaign("half 2", tenant="acme", contacts=2, start=0.01),
        campaign("half 1", tenant="acme", contacts=2),
        campaign("whole", tenant="zeta", contacts=4),
        platform={"ports": 1, "queue": "fair"},
    )
    assert order_of_dispatch(result) == [
        *["half 1", "whole"] * 2,
        *["half 2", "whole"] * 2,
    ]


def test_nobody_saves_up_turns():
    """Who had nothing to dial for a while gets no more than every other turn afterwards."""
    result = run(
        campaign("steady", tenant="acme", contacts=8),
        campaign("before", tenant="zeta"),
        campaign("after", tenant="zeta", start=70, contacts=3),
        platform={"ports": 1, "queue": "fair"},
    )
    assert order_of_dispatch(result) == [
        "steady",
        "before",
        "steady",
        "steady",
        "after",
        "steady",
        "after",
        "steady",
        "after",
        "steady",
        "steady",
        "steady",
    ]


# What if: first attempts first


def test_first_attempts_first():
    """A redial that entered before a first attempt goes after it, and after all the others."""
    lists = (
        campaign("again", contacts=1, max_retry=1),
        campaign("first", tenant="zeta", start=50, contacts=2),
        campaign("later", tenant="zeta", start=65, contacts=2),
    )
    tape = recorded(again=["busy"])
    fifo = run(*lists, platform={"ports": 1}, tape=tape)
    assert [name for name, *_ in dials(fifo)] == [
        "again",
        "first",
        "first",
        "again",
        "later",
        "later",
    ]
    first = run(*lists, platform={"ports": 1, "queue": "first_attempts_first"}, tape=tape)
    assert [name for name, *_ in dials(first)] == [
        "again",
        "first",
        "first",
        "later",
        "later",
        "again",
    ]


def test_redials_among_themselves_are_first_in_first_out():
    result = run(
        campaign("zulu", contacts=2, max_retry=1),
        campaign("alpha", start=1, contacts=2, max_retry=1),
        campaign("plug", tenant="zeta", requests=requests(55), max_retry=0),
        platform={"ports": 1, "queue": "first_attempts_first"},
        tape=recorded(zulu=["busy", "busy"], alpha=["busy", "busy"]),
    )
    assert [(name, index) for name, index, attempt, _ in dials(result) if attempt == 2] == [
        ("zulu", 0),
        ("zulu", 1),
        ("alpha", 0),
        ("alpha", 1),
    ]
