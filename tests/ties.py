"""How often events shared an instant in a run, by what they are and whose.

The order of events is time, then class, then whose event it is. Where nothing ties, any order
will do: so a comparison of engines says as much as there are ties in its runs.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.engine.order import EventClass
from outsim.engine.records import Integers, Records
from outsim.plan import Plan
from outsim.testing.differences import controls
from outsim.vocabulary import DROPPED, QUEUED

WORDS = {
    EventClass.REQUEST: "a request",
    EventClass.ATTEMPT_ENDS: "an attempt ends",
    EventClass.WORKER_FINISHES: "a worker finishes",
    EventClass.CONTROL: "a control",
    EventClass.ENTERS_QUEUE: "a call enters the queue",
    EventClass.DISPATCH: "a dispatch",
    EventClass.OTHER: "an answer or a post",
}


def ties(plan: Plan, records: Records) -> dict[str, int]:
    """Instants that events shared, by the classes of events, by campaigns and by tenants."""
    happened = _happened(plan, records)
    instants = {each: np.unique(at) for each, (at, _) in happened.items()}
    tenant_of = np.array([c.tenant_rank for c in plan.campaigns], dtype=np.int64)
    counts = {
        f"tie: {WORDS[one]}, {WORDS[other]}": len(
            np.intersect1d(instants[one], instants[other], assume_unique=True)
        )
        for one, other in combinations(EventClass, 2)
    }
    for each, (at, rank) in happened.items():
        word = WORDS[each].split(" ", 1)[1]
        counts[f"tie: two of one class: {word}"] = len(at) and int(
            (np.unique(at, return_counts=True)[1] > 1).sum()
        )
        own = rank >= 0
        counts[f"tie: two campaigns: {word}"] = _shared(at[own], rank[own])
        counts[f"tie: two tenants: {word}"] = _shared(at[own], tenant_of[rank[own]])
    return counts | _posts(plan, records)


def _shared(at: Integers, whose: Integers) -> int:
    """Instants at which events of more than one owner happened."""
    owners = np.unique(np.stack([at, whose]), axis=1)[0]
    return int((np.unique(owners, return_counts=True)[1] > 1).sum())


def _happened(plan: Plan, records: Records) -> dict[EventClass, tuple[Integers, Integers]]:
    """Per class of events, when they happened, and the ranks of their campaigns."""
    a, u, d = records.attempts, records.updates, records.deliveries
    firsts = np.array([c.first_call_id for c in plan.by_call], dtype=np.int64)
    ranks = np.array([c.rank for c in plan.by_call], dtype=np.int64)
    ended = records.ended_us

    def at(instants: Integers, call_ids: NDArray[np.signedinteger]) -> tuple[Integers, Integers]:
        came = (instants != MISSING) & (instants < ended)
        return instants[came], ranks[np.searchsorted(firsts, call_ids[came], side="right") - 1]

    def joined(*parts: tuple[Integers, Integers]) -> tuple[Integers, Integers]:
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    # A call that an outage drops ends with the outage's beginning, not by itself.
    by_itself = a["cause"] != DROPPED
    work_us = plan.platform.status_work_us
    shown = np.where(u["repaired"] == 1, MISSING, u["visible"])
    processed = shown if work_us < 0 else np.where(u["begun"] < 0, MISSING, u["begun"] + work_us)
    entered = u["status"] == QUEUED
    paced = a["ready"] < a["queued"]
    again = d["post"] > 1
    outside = controls(plan, ended)
    repairs = np.arange(1, 1 + _repairs(plan, ended)) * plan.platform.reconciliation_us
    requests = records.requests
    return {
        EventClass.REQUEST: joined(
            at(requests["came"], requests["call_id"]), at(requests["taken"], requests["call_id"])
        ),
        EventClass.ATTEMPT_ENDS: at(a["ended"][by_itself], a["call_id"][by_itself]),
        EventClass.WORKER_FINISHES: joined(
            at(a["dialed"], a["call_id"]), at(processed, u["call_id"])
        ),
        EventClass.CONTROL: (
            np.array([when for when, _, _ in outside], dtype=np.int64),
            np.array([rank for _, _, rank in outside], dtype=np.int64),
        ),
        EventClass.ENTERS_QUEUE: joined(
            at(u["happened"][entered], u["call_id"][entered]),
            at(a["ready"][paced], a["call_id"][paced]),
        ),
        EventClass.DISPATCH: at(a["dispatched"], a["call_id"]),
        EventClass.OTHER: joined(
            at(a["answered"], a["call_id"]),
            at(d["due"][again], d["call_id"][again]),
            at(d["ended"], d["call_id"]),
            (repairs, np.full(len(repairs), -1)),
        ),
    }


def _repairs(plan: Plan, ended: int) -> int:
    """How often lost updates were looked for before the end of the run."""
    every = plan.platform.reconciliation_us
    return (ended - 1) // every if every else 0


def _posts(plan: Plan, records: Records) -> dict[str, int]:
    """Ties among the events of the last class, which their steps tell apart."""
    d, answered = records.deliveries, records.attempts["answered"]
    answered = answered[answered != MISSING]
    ended = d["ended"][d["ended"] != MISSING]
    due = d["due"][d["post"] > 1]
    repaired = records.updates["visible"][records.updates["repaired"] == 1]

    def both(one: Integers, other: Integers) -> int:
        return len(np.intersect1d(one, other))

    def twice(one: Integers) -> int:
        return int((np.unique(one, return_counts=True)[1] > 1).sum())

    return {
        "tie: two answers": twice(answered),
        "tie: two posts end": twice(ended),
        "tie: two posts become due again": twice(due),
        "tie: an answer, a post ends": both(answered, ended),
        "tie: an answer, a post due again": both(answered, due),
        "tie: a post ends, a post due again": both(ended, due),
        "tie: a repair, an answer": both(repaired, answered),
        "tie: a repair, a post ends": both(repaired, ended),
        "tie: two repairs": twice(repaired),
    }
