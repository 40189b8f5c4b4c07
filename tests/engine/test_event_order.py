"""The order of events at one instant: by class, then by whose they are, never by chance.

An attempt ends; a worker finishes; stops, suspensions and outages; calls enter the
queue; dispatch; everything else. Within a class the order is that of tenant name,
campaign name, index in the campaign and attempt.
"""

from __future__ import annotations

from itertools import permutations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from outsim.results.checkpoint import simulate
from outsim.tape import Tape

from .scenarios import (
    campaign,
    dials,
    dispatched,
    moment,
    of,
    order_of_dispatch,
    outcomes,
    part,
    recorded,
    requests,
    run,
    scenario,
    statuses,
)


def told(result, second):
    """(campaign, status) of the changes at one instant, in the order of their happening."""
    rows = result.updates[result.updates["happened_at"] == moment(second)]
    return list(zip(rows["campaign"], rows["status"], strict=True))


# Classes


def test_an_attempt_ends_before_a_worker_finishes():
    """The only channel falls free at 20 s, when the next call is dialed: it gets through."""
    result = run(
        campaign("first", tenant="zeta"),
        campaign("second", tenant="acme", start=19),
        carrier={"channels": 1},
    )
    assert outcomes(result) == ["human", "human"]


def test_an_attempt_ends_before_an_outage():
    """Over at 20 s, it is not there any more to be cut off."""
    result = run(campaign(), outage=[part(of="carrier", begins=20, drop=True)])
    assert outcomes(result) == ["human"]


def test_an_attempt_ends_before_a_stop():
    """Not answered at 32 s, it waits for its retry, and that is what the stop finds."""
    result = run(campaign(max_retry=1, stop_at=30), tape=recorded(list=["no_answer"]))
    assert told(result, 32) == [("list", "waiting_retry"), ("list", "canceled")]


def test_a_worker_finishes_before_an_outage():
    """Dialed at 10 s, the very instant at which the carrier goes out: it was taken."""
    result = run(campaign(start=9), outage=[part(of="carrier", begins=10, ends=60)])
    assert outcomes(result) == ["human"]


def test_a_worker_finishes_before_an_outage_that_drops():
    """And having been taken, it is cut off."""
    result = run(campaign(start=9), outage=[part(of="carrier", begins=10, drop=True)])
    assert list(result.attempts["cause"]) == ["dropped"]


def test_an_outage_is_over_before_a_call_enters():
    result = run(
        campaign(requests=requests(10)),
        platform={"ports": 1},
        outage=[part(of="ports", begins=0, ends=10)],
    )
    assert dispatched(result) == [10.0]


def test_a_stop_takes_effect_before_a_call_enters_the_queue():
    """In effect at 20 s, when the third call would be admitted: it is not."""
    result = run(campaign(contacts=4, pacing="6/min", stop_at=18))
    assert dispatched(result) == [0.0, 10.0]
    assert statuses(result) == ["completed"] * 2 + ["canceled"] * 2


def test_a_suspension_begins_before_a_dispatch():
    result = run(campaign(requests=requests(10)), suspension=[part(begins=10, ends=60)])
    assert dispatched(result) == [60.0]


def test_calls_enter_the_queue_before_the_dispatch():
    """The port falls free at 80 s, and a first attempt comes: it is there to be preferred."""
    result = run(
        campaign("again", max_retry=1),
        campaign("plug", start=60),
        campaign("first", tenant="zeta", start=80),
        platform={"ports": 1, "queue": "first_attempts_first"},
        tape=recorded(again=["busy"]),
    )
    assert order_of_dispatch(result) == ["again", "plug", "first", "again"]


def test_a_dispatch_comes_before_an_answer():
    """At 5 s one call is answered and another one is dispatched: that is told first."""
    result = run(campaign("answered"), campaign("dispatched", tenant="zeta", start=5))
    assert told(result, 5) == [
        ("dispatched", "scheduled"),
        ("dispatched", "queued"),
        ("dispatched", "dialing"),
        ("answered", "connected"),
    ]


# Ties within a class


def test_who_enters_at_the_same_instant_enters_by_tenant_then_campaign_then_index():
    result = run(
        campaign("b", tenant="zeta", requests=requests(10, 10)),
        campaign("a", tenant="zeta", requests=requests(10)),
        campaign("z", tenant="acme", requests=requests(10, 10)),
        platform={"ports": 1},
    )
    assert [(name, index) for name, index, _, _ in dials(result)] == [
        ("z", 0),
        ("z", 1),
        ("a", 0),
        ("b", 0),
        ("b", 1),
    ]


def test_the_index_goes_before_the_attempt():
    """Call 0 is due for its retry at 62 s, when call 1 comes in for the first time."""
    result = run(
        campaign(max_retry=1, requests=requests(0, 62)),
        platform={"ports": 1},
        tape=recorded(list=["busy"]),
    )
    assert [(index, attempt) for _, index, attempt, _ in dials(result)] == [
        (0, 1),
        (0, 2),
        (1, 1),
    ]


def test_attempts_that_end_together_end_by_tenant():
    """Zeta's was dispatched 18 s earlier; that is no reason to be first."""
    result = run(
        campaign("early", tenant="zeta"),
        campaign("late", tenant="acme", start=18),
        tape=recorded(late=["busy"]),
    )
    assert told(result, 20) == [("late", "failed"), ("early", "completed")]


def test_workers_that_finish_together_finish_by_tenant():
    """Both are dialed at 63 s, and the carrier has one channel.

    Zeta's first attempt went before acme's retry at the dispatch, and its dial work was
    begun first. At the carrier it is acme's turn.
    """
    result = run(
        campaign("again", tenant="acme", max_retry=1),
        campaign("first", tenant="zeta", start=62),
        platform={"queue": "first_attempts_first"},
        carrier={"channels": 1},
        tape=recorded(again=["busy"]),
    )
    assert order_of_dispatch(result) == ["again", "first", "again"]
    assert list(of(result.attempts, "again")["cause"]) == ["", ""]
    assert list(of(result.attempts, "first")["cause"]) == ["carrier_channels"]


def test_stops_that_take_effect_together_do_so_by_tenant():
    result = run(
        campaign("a", tenant="zeta", submitted_at=0, start=100, stop_at=10),
        campaign("b", tenant="acme", submitted_at=0, start=100, stop_at=10),
    )
    assert told(result, 12) == [("b", "canceled"), ("a", "canceled")]


def test_answers_at_the_same_instant_come_by_tenant():
    tape = Tape.from_table(
        pd.DataFrame({"campaign": ["early", "late"], "index": 0, "ring_s": [10.0, 3.0]})
    )
    result = run(
        campaign("early", tenant="zeta"), campaign("late", tenant="acme", start=7), tape=tape
    )
    assert told(result, 12) == [("late", "connected"), ("early", "connected")]


# Names, not places in the file


def test_call_ids_follow_the_order_of_names():
    result = run(
        campaign("b", tenant="zeta", contacts=2),
        campaign("a", tenant="zeta"),
        campaign("z", tenant="acme", contacts=2),
    )
    rows = result.calls
    assert rows["call_id"].tolist() == [0, 1, 2, 3, 4]
    assert list(zip(rows["tenant"], rows["campaign"], rows["index"], strict=True)) == [
        ("acme", "z", 0),
        ("acme", "z", 1),
        ("zeta", "a", 0),
        ("zeta", "b", 0),
        ("zeta", "b", 1),
    ]


CROWD = {
    "campaign": [
        campaign("m", tenant="zeta", contacts=9, max_retry=2, profile="mixed", result_url="x"),
        campaign("k", tenant="acme", contacts=9, max_retry=2, profile="mixed", result_url="y"),
        campaign("a", tenant="acme", start=1, contacts=9, profile="mixed", stop_at=100),
        campaign("x", tenant="beta", contacts=9, pacing="6/min", profile="mixed"),
    ],
    "tenant": [
        {"name": "zeta", "weight": 2, "max_simultaneous": 3},
        {"name": "acme", "dial_rate": "6/min"},
        {"name": "beta", "weight": 3},
    ],
    "endpoint": [
        {"name": "y", "failure_share": 0.5},
        {"name": "x", "posts_at_once": 1},
    ],
    "suspension": [
        part(tenant="zeta", begins=30, ends=90),
        part(begins=30, ends=50),
        part(tenant="acme", begins=20, ends=50),
    ],
    "outage": [
        part(of="ports", count=2, begins=60, ends=100, drop=True),
        part(of="channels", count=1, begins=60, ends=90),
        part(of="status", begins=50, ends=60),
    ],
}
MIXED = {"mixed": {"human": 40, "voicemail": 20, "no_answer": 30, "busy": 10}}


@pytest.mark.parametrize("queue", ["fifo", "fair", "first_attempts_first"])
@pytest.mark.parametrize("what", CROWD)
def test_the_order_in_the_file_means_nothing(what, queue):
    """The same campaigns, tenants or outages written down in another order: the same run."""

    def tables(entries):
        parts = CROWD | {what: list(entries)}
        campaigns = parts.pop("campaign")
        return run(
            *campaigns,
            platform={"ports": 4, "workers": 2, "queue": queue},
            carrier={"channels": 4},
            profiles=MIXED,
            clock={"latest": "10:00"},
            study={"campaign": "k"},
            **parts,
        ).tables

    first, *others = permutations(CROWD[what])
    expected = tables(first)
    assert len(expected["attempts"]) > 40
    assert len(expected["deliveries"]) > 10
    for other in others[:: max(1, len(others) // 5)]:
        for name, table in tables(other).items():
            assert_frame_equal(table, expected[name], obj=name)


def test_the_same_run_twice_is_the_same_run():
    lists = CROWD["campaign"]
    first, second = (run(*lists, profiles=MIXED, endpoint=CROWD["endpoint"]) for _ in range(2))
    for name, table in first.tables.items():
        assert_frame_equal(table, second.tables[name], obj=name)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_lost_updates_are_repaired_in_the_order_of_tenants(engine):
    """Not of call_id, by which the calls of customers that only a snapshot has come last."""
    hook = {"name": "hook", "latency": "1 s", "failure_share": 0.0, "posts_at_once": 1}
    stands = {"queued": 2, "start": moment(0)}
    known = scenario(
        campaign("list", tenant="mid", contacts=2, result_url="hook"),
        background={"tenants": 1, "result_url": "hook", "profile": "people", "max_retry": 0},
        platform={"lost_updates": 1.0, "reconciliation_every": "60 s"},
        endpoint=[hook],
        snapshot={
            "at": moment(1),
            "campaign": [
                {"tenant": tenant, "name": "list", **stands} for tenant in ("zeta", "mid", "acme")
            ],
        },
    )
    posts = simulate(known, engine=engine).deliveries.sort_values("started_at")
    repaired = posts[posts["due_at"] == posts["due_at"].min()]
    assert repaired["tenant"].tolist() == ["acme", "acme", "mid", "mid", "zeta", "zeta"]
