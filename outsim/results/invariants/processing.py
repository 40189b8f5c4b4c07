"""Workers, and what becomes of the updates and deliveries that they process."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from outsim.clock import MISSING, NEVER
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import (
    Mask,
    RunArrays,
    came,
    count_before,
    count_until,
    first_of_each,
    keys_of,
    place_in_each,
)
from outsim.vocabulary import ACCEPTED, FIRST_FINAL, QUEUED, STATUS_TABLE


def dial_work_goes_first(run: RunArrays) -> Iterator[Violation]:
    """No status update is begun while dial work waits; each kind of work in its own order."""
    a, u = run.attempts, run.updates
    begun = u["begun"]
    started = a["work_started"]
    rows = np.flatnonzero(came(begun))
    waiting = count_until(a["dispatched"], begun[rows])
    waiting -= count_until(np.sort(started[came(started)]), begun[rows])
    yield from violation(run, "dial work waited", "updates", rows[waiting > 0])
    for table, instants in (("attempts", started), ("updates", begun)):
        in_order = np.where(came(instants), instants, NEVER)
        wrong = np.diff(in_order, prepend=in_order[:1]) < 0
        yield from violation(run, "begun before what came first", table, wrong)


def workers_are_enough(run: RunArrays) -> Iterator[Violation]:
    """Busy workers <= workers in service + those due to leave, and none idles while work waits.

    No status update is begun while their processing is out.
    """
    platform, a, u = run.plan.platform, run.attempts, run.updates
    begun, constant = u["begun"], platform.status_work_us
    direct = came(u["visible"]) & (u["repaired"] == 0)
    finished = np.where(direct, u["visible"], MISSING)
    lasting = came(begun) & ~direct
    if constant >= 0:
        finished = np.where(lasting, begun + constant, finished)
    # Where an update's length was drawn and it is lost, or not yet visible, its end is not in
    # the tables: it is left out, which can only make workers look less busy.
    known = came(begun) & came(finished)
    begins = np.concatenate([a["work_started"][came(a["work_started"])], begun[known]])
    ends = np.concatenate([a["dialed"][came(a["dialed"])], finished[known]])
    begins, ends = np.sort(begins), np.sort(ends)
    out = run.out_of_service("workers", platform.workers)

    def able(at: Integers) -> Integers:
        return np.maximum(0, platform.workers - out(at))

    stopped = run.out_of_service("status", 1)
    suspect: list[tuple[str, Integers, Integers]] = [
        ("attempts", a["work_started"], a["dispatched"]),
        ("updates", begun, u["happened"]),
    ]
    all_known = bool((known == came(begun)).all())
    for table, starts, since in suspect:
        rows = np.flatnonzero(came(starts))
        at = starts[rows]
        busy = count_until(begins, at) - count_until(ends, at)
        yield from violation(run, "no worker was free", table, rows[busy > able(at)])
        if not all_known:
            continue
        busy = count_before(begins, at) - count_before(ends, at)
        idle = (at > since[rows]) & (busy < able(at - 1))
        if table == "updates":
            idle &= stopped(at - 1) == 0
        yield from violation(run, "waited while a worker was free", table, rows[idle])
    rows = np.flatnonzero(came(begun))
    yield from violation(run, "processing was out", "updates", rows[stopped(begun[rows]) > 0])


def updates_are_seen_after_they_happen(run: RunArrays) -> Iterator[Violation]:
    """Every update: happened_at <= started_at < visible_at; a lost one is seen if reconciled."""
    u = run.updates
    begun, visible = came(u["begun"]), came(u["visible"])
    wrong = begun & (u["begun"] < u["happened"])
    yield from violation(run, "begun before it happened", "updates", wrong)
    wrong = visible & (~begun | (u["visible"] <= u["begun"]))
    yield from violation(run, "visible before it was processed", "updates", wrong)
    wrong = visible & (u["lost"] == 1) & (u["repaired"] == 0)
    yield from violation(run, "lost, and yet visible", "updates", wrong)
    final = (u["lost"] == 1) & (u["status"] >= FIRST_FINAL) & visible
    yield from violation(run, "repaired", "updates", (u["repaired"] == 1) & ~final)


def changes_follow_the_attempts(run: RunArrays) -> Iterator[Violation]:
    """Updates are, for each attempt: queued, dialing, connected if answered, and what follows."""
    a, u = run.attempts, run.updates
    keys, update_keys = keys_of(a), keys_of(u)
    instants = {code: a[row.came_at] for code, row in enumerate(STATUS_TABLE) if row.came_at}
    order = np.argsort(keys, kind="stable")
    for status, expected in instants.items():
        rows = np.flatnonzero(u["status"] == status)
        wanted = update_keys[rows]
        at = np.searchsorted(keys[order], wanted)
        has_attempt = np.zeros(len(rows), dtype=np.bool_)
        within = at < len(keys)
        matched = order[at[within]]
        has_attempt[within] = (keys[matched] == wanted[within]) & (
            expected[matched] == u["happened"][rows[within]]
        )
        if status == QUEUED:
            unmatched = ~has_attempt & ~np.isin(wanted, keys)
            has_attempt |= unmatched  # not dispatched yet, or never
        yield from violation(run, "no such attempt at that instant", "updates", rows[~has_attempt])
        if len(np.unique(wanted)) != len(wanted):
            twice = pd.Series(wanted).duplicated().to_numpy()
            yield from violation(run, "told twice", "updates", rows[twice])
        without_update = came(expected) & ~np.isin(keys, wanted)
        yield from violation(run, "no update told of it", "attempts", without_update)


def one_final_delivery_per_call(run: RunArrays) -> Iterator[Violation]:
    """One final POST per call: due when its final status is visible; again only if it failed.

    An endpoint, and all of them together, never get more posts at once than they take.
    """
    d, u = run.deliveries, run.updates
    order = np.lexsort((d["post"], d["call_id"]))
    call_id, post = d["call_id"][order], d["post"][order]
    first = first_of_each(call_id)
    wrong = post != place_in_each(first) + 1
    yield from violation(run, "posts of a call are not 1, 2, ...", "deliveries", wrong, order)
    accepted = (d["result"][order][:-1] == ACCEPTED) & ~first[1:]
    yield from violation(run, "posted again though accepted", "deliveries", accepted, order[:-1])

    final = np.flatnonzero((u["status"] >= FIRST_FINAL) & came(u["visible"]))
    has_url = np.array([c.result_url is not None for c in run.plan.campaigns], dtype=np.bool_)
    due = np.full(len(run.rank_of_call), MISSING, dtype=np.int64)
    final = final[has_url[run.update_rank[final]]]
    due[u["call_id"][final]] = u["visible"][final]
    posted = np.full(len(due), MISSING, dtype=np.int64)
    firsts = np.flatnonzero(d["post"] == 1)
    posted[d["call_id"][firsts]] = d["due"][firsts]
    yield from violation(
        run, "first post is not due with the final status", "calls", posted != due
    )

    begun, ended = came(d["begun"]), came(d["ended"])
    wrong = begun & (d["begun"] < d["due"]) | ended & (~begun | (d["ended"] <= d["begun"]))
    yield from violation(run, "due, begun and ended not in order", "deliveries", wrong)
    urls = [c.result_url.endpoint if c.result_url else -1 for c in run.plan.campaigns]
    endpoint = np.array(urls, dtype=np.int64)[run.rank_of_call[d["call_id"]]]
    for number, rules in enumerate(run.plan.endpoints):
        mine = begun & (endpoint == number)
        yield from _too_many_posts(run, mine, rules.posts_at_once, rules.name)
        waits = np.array([*rules.retry_after_us, NEVER], dtype=np.int64)
        rows = np.flatnonzero((endpoint[order] == number) & ~first)
        gap = d["due"][order][rows] - d["ended"][order][rows - 1]
        wait = waits[np.minimum(post[rows] - 2, len(waits) - 1)]
        again = rows[gap != wait]
        yield from violation(run, "posted again at another time", "deliveries", again, order)
    yield from _too_many_posts(run, begun, run.plan.platform.delivery_pool, "all endpoints")


def _too_many_posts(run: RunArrays, mine: Mask, most: int, whose: str) -> Iterator[Violation]:
    d = run.deliveries
    rows = np.flatnonzero(mine)
    ended = np.sort(d["ended"][rows][came(d["ended"][rows])])
    at = d["begun"][rows]
    busy = count_until(np.sort(at), at) - count_until(ended, at)
    yield from violation(run, f"too many at once for {whose}", "deliveries", rows[busy > most])
