"""The queue and what a call in it waits for: its order, the parts of a wait, Little's law."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import (
    Mask,
    RunArrays,
    came,
    count_before,
    count_until,
    first_of_each,
)
from outsim.results.tables.flows import FLOW_COLUMNS, flows
from outsim.results.tables.run_tables import RunTables
from outsim.units import WHOLE
from outsim.vocabulary import DROPPED, OWN_DISCIPLINE, REFUSALS, Discipline


def queue_order_is_kept(run: RunArrays) -> Iterator[Violation]:
    """The oldest eligible entry goes next; none is passed over by a younger one.

    With `first_attempts_first` the oldest first attempt goes before any retry, with `priority`
    none goes before one of a lower number, with `earliest_expiry` none before one that expires
    earlier; with `fair` it is the oldest of its tenant, with `guaranteed` so it is where its
    tenant holds less than it is guaranteed. At one instant the order of entry is that of tenant,
    campaign, place and attempt.
    """
    a = run.attempts
    yield from violation(run, "not in order", "attempts", np.diff(a["dispatched"], prepend=0) < 0)
    entry = run.entry_of_attempt
    yield from violation(run, "never entered the queue", "attempts", entry < 0)
    discipline = run.plan.platform.discipline
    seats = np.append(_seats(run, discipline), MISSING)[entry]
    by_tenant, together = run.tenant_of_rank, np.zeros_like(run.tenant_of_rank)
    if discipline.tenants_take_turns or discipline.has_guarantees:
        yield from _in_order(run, discipline, by_tenant, seats)
    if not discipline.tenants_take_turns and discipline is not OWN_DISCIPLINE:
        passing = np.where(_Guarantees(run).first, MISSING, seats)
        yield from _in_order(run, discipline, together, passing)


def _seats(run: RunArrays, discipline: Discipline) -> Integers:
    """Place of each entry among all entries, in the order in which they are to go."""
    before = np.zeros(len(run.entries), dtype=np.int64)
    if discipline.retries_last:
        before = (run.updates["attempt"][run.entries] > 1).astype(np.int64)
    elif discipline.by_priority:
        priority = run.per_campaign(lambda campaign: campaign.rules.priority)
        before = priority[run.update_rank[run.entries]]
    elif discipline.by_expiry:
        expires = run.of_calls(lambda campaign: campaign.call_expires_us)
        before = expires[run.updates["call_id"][run.entries]]
    seats = np.empty_like(before)
    seats[np.argsort(before, kind="stable")] = np.arange(len(before))
    return seats


def _in_order(
    run: RunArrays, discipline: Discipline, groups: Integers, passing: Integers
) -> Iterator[Violation]:
    """No call is passed over by one of a later seat in its group of campaigns.

    `passing` has the seat of each attempt; MISSING where it may pass others by.
    """
    a, entry, every_seat = run.attempts, run.entry_of_attempt, _seats(run, discipline)
    seat, order = np.append(every_seat, MISSING)[entry], np.arange(len(entry))

    # Those who left the queue undialed, from campaigns that nothing holds back.
    left = run.undispatched
    left = left[~run.held_back_at_times[run.update_rank[run.entries[left]]]]
    rows = run.entries[left]
    since, until = run.updates["happened"][rows], run.left_queue_us(left)
    position = every_seat[left]

    of_attempt, of_row = groups[run.rank], groups[run.update_rank[rows]]
    for group in np.unique(of_attempt):
        mine, other = order[of_attempt == group], np.flatnonzero(of_row == group)
        at, highest = a["dispatched"][mine], _RangeMaximum(passing[mine])
        first = count_before(at, a["eligible"][mine])
        passed = highest.between(first, np.arange(len(mine))) > seat[mine]
        yield from violation(run, "a later one went before it", "attempts", mine[passed])
        first, end = count_before(at, since[other]), count_before(at, until[other])
        passed = highest.between(first, end) > position[other]
        yield from violation(run, "later ones went before it", "updates", rows[other[passed]])


class _Guarantees:
    """What tenants with a guaranteed share of ports held before each dispatch, in their order."""

    def __init__(self, run: RunArrays) -> None:
        a, tenants = run.attempts, run.plan.tenants
        self.at, self.tenant = a["dispatched"], run.tenant_of_rank[run.rank]
        counts = run.plan.platform.discipline.has_guarantees
        self.ranks = [rank for rank, one in enumerate(tenants) if one.guaranteed and counts]
        self.shares = [tenants[rank].guaranteed for rank in self.ranks]
        service = run.ports_in_service(self.at) if self.ranks else 0
        self.held, self.lacks = [], []
        self.first: Mask = np.zeros(len(self.at), dtype=np.bool_)
        """Per attempt, whether its tenant held less than it is guaranteed."""
        self.own_held, self.own_share = np.zeros_like(self.at), np.ones_like(self.at)
        for rank, share in zip(self.ranks, self.shares, strict=True):
            mine = self.tenant == rank
            over = np.sort(a["ended"][mine & came(a["ended"])])
            held = np.cumsum(mine) - mine - count_until(over, self.at)
            lacks = held * WHOLE < share * service
            self.held.append(held)
            self.lacks.append(lacks)
            self.first[mine] = lacks[mine]
            self.own_held[mine], self.own_share[mine] = held[mine], share


def guaranteed_shares_come_first(run: RunArrays) -> Iterator[Violation]:
    """A tenant below its guaranteed share of ports is not passed over while a call of it may go.

    Nobody goes before it but a tenant that holds as small a part of its own guarantee, or a
    smaller one.
    """
    g, a, u = _Guarantees(run), run.attempts, run.updates
    left = run.undispatched
    left = left[~run.held_back_at_times[run.update_rank[run.entries[left]]]]
    of_left = run.tenant_of_rank[run.update_rank[run.entries[left]]]
    for rank, share, held, lacks in zip(g.ranks, g.shares, g.held, g.lacks, strict=True):
        mine, other = g.tenant == rank, left[of_left == rank]
        since = np.concatenate([a["eligible"][mine], u["happened"][run.entries[other]]])
        gone = np.cumsum(mine) - mine + count_until(np.sort(run.left_queue_us(other)), g.at)
        waits = count_until(np.sort(since), g.at) > gone
        # Parts of two guarantees are compared without dividing.
        is_nearer = g.first & (g.own_held * share <= held * g.own_share)
        passed = waits & lacks & ~mine & ~is_nearer
        what = f"went before {run.plan.tenants[rank].name}, which held less than its share"
        yield from violation(run, what, "attempts", passed)


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
