"""The queue and what a call in it waits for: its order, the parts of a wait, Little's law."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import RunArrays, came, count_before, first_of_each
from outsim.results.tables.flows import FLOW_COLUMNS, flows
from outsim.results.tables.run_tables import RunTables
from outsim.vocabulary import DISCIPLINES, DROPPED, REFUSALS


def queue_order_is_kept(run: RunArrays) -> Iterator[Violation]:
    """The oldest eligible entry goes next; none is passed over by a younger one.

    With `first_attempts_first` the oldest first attempt goes before any retry; with `fair` it
    is the oldest of its tenant. What is held back together leaves in the order of entry. At
    one instant the order of entry is that of tenant, campaign, place and attempt.
    """
    a = run.attempts
    yield from violation(run, "not in order", "attempts", np.diff(a["dispatched"], prepend=0) < 0)
    entry = run.entry_of_attempt
    yield from violation(run, "never entered the queue", "attempts", entry < 0)
    discipline = DISCIPLINES[run.plan.platform.queue]
    retry = (a["attempt"] > 1) & discipline.retries_last
    seat = entry + (retry.astype(np.int64) << 40)
    order = np.arange(len(entry))

    # Those who left the queue undialed, from campaigns that nothing holds back.
    left = run.undispatched
    left = left[~run.held_back_at_times[run.update_rank[run.entries[left]]]]
    rows = run.entries[left]
    since, until = run.updates["happened"][rows], run.left_queue_us(left)
    again = (run.updates["attempt"][rows] > 1) & discipline.retries_last
    position = left + (again.astype(np.int64) << 40)

    groups = (
        run.tenant_of_rank if discipline.tenants_take_turns else np.zeros_like(run.tenant_of_rank)
    )
    of_attempt, of_row = groups[run.rank], groups[run.update_rank[rows]]
    for group in np.unique(of_attempt):
        mine, other = order[of_attempt == group], np.flatnonzero(of_row == group)
        at, highest = a["dispatched"][mine], _RangeMaximum(seat[mine])
        first = count_before(at, a["eligible"][mine])
        passed = highest.between(first, np.arange(len(mine))) > seat[mine]
        yield from violation(run, "a younger one went before it", "attempts", mine[passed])
        first, end = count_before(at, since[other]), count_before(at, until[other])
        passed = highest.between(first, end) > position[other]
        yield from violation(run, "younger ones went before it", "updates", rows[other[passed]])


class _RangeMaximum:
    """Largest of the values between two places, for many pairs of places at once."""

    def __init__(self, values: Integers) -> None:
        self.levels = [values]
        while len(self.levels[-1]) > 1 << (len(self.levels) - 1):
            last, step = self.levels[-1], 1 << (len(self.levels) - 1)
            self.levels.append(np.maximum(last[:-step], last[step:]))

    def between(self, first: Integers, end: Integers) -> Integers:
        """Largest from `first` up to but not including `end`; -1 where there is none."""
        largest = np.full(len(first), -1, dtype=np.int64)
        length = end - first
        for level, values in enumerate(self.levels):
            width = 1 << level
            here = np.flatnonzero((length >= width) & (length < 2 * width))
            if len(here):
                largest[here] = np.maximum(values[first[here]], values[end[here] - width])
        return largest


def parts_of_every_wait_add_up(run: RunArrays) -> Iterator[Violation]:
    """The instants of an attempt come in their order, and its waits fill the time between.

    Ready, queued, eligible, at the head, port and token free, dispatched, work started, dialed,
    ringing, answered, ended. A call goes at the instant at which it has both port and token.
    """
    a = run.attempts
    names = ("ready", "queued", "eligible", "at_head", "port_free", "dispatched")
    for earlier, later in (*pairwise(names), ("at_head", "token_free")):
        wrong = ~came(a[earlier]) | (a[earlier] > a[later])
        yield from violation(run, f"{earlier} after {later}", "attempts", wrong)
    together = np.maximum(a["port_free"], a["token_free"])
    yield from violation(run, "not dispatched with both", "attempts", a["dispatched"] != together)
    least = {"work_started": np.int64(0), "ended": (a["cause"] != DROPPED).astype(np.int64)}
    for course in (
        ("dispatched", "work_started", "dialed", "ended"),
        ("dialed", "ringing", "answered", "detected"),
    ):
        for earlier, later in pairwise(course):
            soon = a[later] < a[earlier] + least.get(later, np.int64(1))
            wrong = came(a[later]) & (~came(a[earlier]) | soon)
            yield from violation(run, f"{earlier} after {later}", "attempts", wrong)
            wrong = came(a["ended"]) & (a[later] > a["ended"])
            yield from violation(run, f"{later} after the end", "attempts", wrong)
    free = ~run.held_back_at_times[run.rank] & (a["eligible"] != a["queued"])
    yield from violation(run, "held back by nothing", "attempts", free)
    before = np.append(MISSING, a["dispatched"][:-1]) if len(free) else a["dispatched"]
    early = a["at_head"] < np.maximum(a["eligible"], before)
    yield from violation(run, "at the head before the one ahead went", "attempts", early)
    entry = run.entry_of_attempt
    happened = np.append(run.updates["happened"][run.entries], MISSING)[entry]
    wrong = (entry >= 0) & (a["queued"] != happened)
    yield from violation(run, "not in the queue since then", "attempts", wrong)
    yield from _waits(run)


def _waits(run: RunArrays) -> Iterator[Violation]:
    """A wait ends with the dispatch of the first attempt that the carrier does not refuse."""
    table = RunTables(run).calls(
        ("call_id", "went_out_at", "wait_starts_at", "wait_s", "wait_state")
    )
    a = run.attempts
    refused = np.isin(a["cause"], REFUSALS)
    order = run.by_call[(came(a["dialed"]) & ~refused)[run.by_call]]
    order = order[first_of_each(a["call_id"][order])]
    went_out = np.full(len(run.rank_of_call), MISSING)
    went_out[a["call_id"][order]] = a["dispatched"][order]
    went_out[run.out_before] = MISSING
    call_id = np.asarray(table["call_id"], dtype=np.int64)
    ours = run.local_times(went_out[call_id])
    off = ~((ours.asi8 == table["went_out_at"].astype("int64")).to_numpy())
    exact = np.asarray((table["went_out_at"] - table["wait_starts_at"]).dt.total_seconds())
    shown = np.asarray(table["wait_s"])
    off |= ~((np.isnan(exact) & np.isnan(shown)) | (np.abs(exact - shown) < 1e-6))
    off |= (table["wait_state"] == "complete").to_numpy() != ~np.isnan(exact)
    yield from violation(run, "wait", "calls", call_id[off])


def littles_law(run: RunArrays) -> Iterator[Violation]:
    """Integral of a queue's length = sum of the waits in it, exactly.

    Of the outbound queue, of the ports, and of the backlog of updates. No length is negative.
    """
    tables = RunTables(run)
    amounts = flows(
        tables.calls(("call_id", "wedged")), tables.attempts(FLOW_COLUMNS), tables.changes()
    )
    a, u, until = run.attempts, run.updates, run.ended_us

    def stay(since: Integers, to: Integers) -> int:
        to = np.where(came(to), to, until)
        return int((to - since).sum())

    left = run.undispatched
    sums = {
        "queue": stay(a["queued"], a["dispatched"])
        + stay(u["happened"][run.entries[left]], run.left_queue_us(left)),
        "busy_ports": stay(a["dispatched"], a["ended"]),
        "status_backlog": stay(u["happened"], u["begun"]),
    }
    horizon = run.origin_us + until
    for name, waited in sums.items():
        at, values = amounts[name].steps()
        lasts = np.diff(np.append(at, horizon))
        area = int((values * lasts).sum())
        if area != waited:
            frame = pd.DataFrame({"integral_us": [area], "sum_of_waits_us": [waited]}, [name])
            yield Violation("integral of the length against the waits", frame)
        negative = (values < 0) & (lasts > 0)
        if negative.any():
            frame = pd.DataFrame({"at_us": at[negative], name: values[negative]})
            yield Violation("negative length", frame)
