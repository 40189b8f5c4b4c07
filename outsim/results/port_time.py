"""Who held ports, for how long, and while whose calls were waiting for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.engine.records import Integers
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import RunArrays
from outsim.vocabulary import QUEUED

Array = NDArray[np.float64]


def held_us(run: RunArrays) -> Integers:
    """How long each attempt held its port, up to the end of the run, in microseconds."""
    dispatched, ended = run.attempts["dispatched"], run.attempts["ended"]
    return np.asarray(np.where(ended == MISSING, run.ended_us, ended) - dispatched)


def queue_moves(
    run: RunArrays, of: Callable[[CampaignPlan], bool] | None = None
) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
    """When calls enter the outbound queue and leave it, and with whose calls: instants and ids.

    Wedged calls are in no queue. Both are of the campaigns that are asked about; default: all.
    """
    u, a = run.updates, run.attempts
    entered = (u["status"] == QUEUED) & ~run.wedged[u["call_id"]]
    came_us, came_id = u["happened"][entered], u["call_id"][entered]
    left_us, left_id = a["dispatched"], a["call_id"]
    # Each entry comes to one attempt at most: calls that have one more left when they ended.
    calls = run.calls.rows
    more = np.bincount(came_id, minlength=calls) - np.bincount(left_id, minlength=calls)
    gone = np.flatnonzero((more > 0) & (run.calls["final"] != MISSING))
    left_us = np.concatenate([left_us, run.calls["final"][gone]])
    left_id = np.concatenate([left_id, gone.astype(np.int32)])
    if of is not None:
        rows_of = run.rows_of(of)
        came, left = rows_of(came_id), rows_of(left_id)
        if came is not None and left is not None:
            came_us, came_id = came_us[came], came_id[came]
            left_us, left_id = left_us[left], left_id[left]
    return (came_us, came_id), (left_us, left_id)


def longest_queue(run: RunArrays, of: Callable[[CampaignPlan], bool] | None) -> tuple[int, int]:
    """Most calls that wait in the queue at once, and when they first do; 0 and MISSING for none.

    As it stands once everything of an instant has happened.
    """
    (came, _), (left, _) = queue_moves(run, of)
    at = np.concatenate([came, left])
    change = np.repeat([1, -1], [len(came), len(left)])
    order = np.argsort(at, kind="stable")
    at, length = at[order], np.cumsum(change[order])
    settled = np.append(at[1:] != at[:-1], True)[: len(at)]
    at, length = at[settled], length[settled]
    if not len(at) or length.max() <= 0:
        return 0, MISSING
    first = int(np.argmax(length))
    return int(length[first]), int(at[first])


def ports_us(run: RunArrays, begins_us: int, ends_us: int) -> float:
    """Ports in service between two instants, times how long they are, in microseconds."""
    edges = {begins_us, ends_us}
    for outage in run.plan.outages:
        edges |= {at for at in (outage.begins_us, outage.ends_us) if begins_us < at < ends_us}
    at = np.array(sorted(edges), dtype=np.int64)
    return float((run.ports_in_service(at[:-1]) * np.diff(at)).sum())


class _PortTime:
    """Port time of every tenant up to any instant, from what began and ended until then."""

    def __init__(self, run: RunArrays, tenant: Integers, size: int) -> None:
        dispatched = run.attempts["dispatched"]
        self._span = run.ended_us + 1
        self._sides = []
        for at in (dispatched, dispatched + held_us(run)):
            keys = np.sort(tenant * self._span + at)
            begins = np.searchsorted(keys, np.arange(size + 1) * self._span)
            sums = np.concatenate([[0], np.cumsum(keys % self._span)])
            self._sides.append((keys, begins, sums))

    def until(self, tenant: Integers, at: Integers) -> Integers:
        """Microseconds of ports that these tenants held until these instants."""
        total = np.zeros(len(at), dtype=np.int64)
        for sign, (keys, begins, sums) in zip((1, -1), self._sides, strict=True):
            places = np.searchsorted(keys, tenant * self._span + at, side="right")
            first = begins[tenant]
            total += sign * ((places - first) * at - (sums[places] - sums[first]))
        return total


def _waiting_spans(
    run: RunArrays, tenant_of_call: Integers
) -> tuple[Integers, Integers, Integers]:
    """Spans in which a tenant has calls in the queue: tenant, begin and end of each, in order."""
    (came, came_id), (left, left_id) = queue_moves(run)
    span = run.ended_us + 1
    keys = np.concatenate(
        [
            2 * (tenant_of_call[came_id] * span + came),
            2 * (tenant_of_call[left_id] * span + left) + 1,
        ]
    )
    keys.sort()
    tenant, at = keys // (2 * span), keys // 2 % span
    length = np.cumsum(1 - 2 * (keys % 2))
    is_last = np.append(tenant[1:] != tenant[:-1], True)[: len(tenant)]
    # What a tenant has left at the end of the run is no other one's.
    remains = length[is_last]
    before = np.concatenate([[0], remains[:-1]])
    length -= np.repeat(before, np.diff(np.flatnonzero(np.append(True, is_last))))[: len(length)]
    waiting = length > 0
    was_waiting = np.append(False, waiting[:-1] & ~is_last[:-1])[: len(waiting)]
    begins = np.flatnonzero(waiting & ~was_waiting)
    ends_at = np.concatenate(
        [at[~waiting & was_waiting], np.full(int((waiting & is_last).sum()), run.ended_us)]
    )
    ends_of = np.concatenate([tenant[~waiting & was_waiting], tenant[waiting & is_last]])
    order = np.lexsort((ends_at, ends_of))
    return tenant[begins], at[begins], ends_at[order]


class WaitingShares(NamedTuple):
    """What tenants have of the ports while calls of theirs are in the outbound queue.

    Shape (tenants,), in the order of the plan's; NaN for a tenant whose calls never waited. Calls
    that a window or a limit holds back in the queue count as waiting.
    """

    of_ports: Array
    """Port time of the tenant, of that of all tenants."""
    of_fair: Array
    """The same over its fair share of it, so that 1 is exactly that. At each instant, the fair
    share of the busy ports is the tenant's weight over the weights of all tenants with calls in
    the queue."""


def waiting_shares(run: RunArrays) -> WaitingShares:
    """What each tenant has of the ports while its calls wait."""
    tenants = run.plan.tenants
    size, weights = len(tenants), np.array([t.weight for t in tenants], dtype=np.float64)
    if not run.attempts.rows or not size:
        return WaitingShares(np.full(size, np.nan), np.full(size, np.nan))
    tenant_of_call = run.tenant_of_rank[run.rank_of_call]
    whose, begins, ends = _waiting_spans(run, tenant_of_call)
    attempts_of = tenant_of_call[run.attempts["call_id"]]
    held = _PortTime(run, attempts_of, size)
    own = held.until(whose, ends) - held.until(whose, begins)
    edges = np.unique(np.concatenate([begins, ends]))
    first, last = np.searchsorted(edges, begins), np.searchsorted(edges, ends)
    change = np.bincount(first, weights[whose], len(edges))
    change -= np.bincount(last, weights[whose], len(edges))
    present = np.cumsum(change)[:-1]
    together = _PortTime(run, np.zeros_like(attempts_of), 1)
    busy = np.diff(together.until(np.zeros_like(edges), edges)).astype(np.float64)
    got = np.bincount(whose, own, size).astype(np.float64)

    def share_of(ports: Array, weight: Array) -> Array:
        by_then = np.concatenate([[0.0], np.cumsum(ports)])
        whole = np.bincount(whose, weight[whose] * (by_then[last] - by_then[first]), size)
        return np.asarray(np.divide(got, whole, out=np.full(size, np.nan), where=whole > 0))

    by_weight = np.divide(busy, present, out=np.zeros(len(busy)), where=present > 1e-9)
    return WaitingShares(share_of(busy, np.ones(size)), share_of(by_weight, weights))


def jain_index(shares: Array) -> float:
    """How evenly shares are spread: 1 where all are equal, 1/n where one of n has everything.

    (Σx)² / (n Σx²), of R. Jain, D.-M. Chiu and W. Hawe, "A Quantitative Measure of Fairness and
    Discrimination for Resource Allocation in Shared Computer Systems" (DEC Research Report TR-301,
    1984). Shares that are missing are left out; NaN where none is there.
    """
    known = shares[np.isfinite(shares)]
    square = float(np.square(known).sum())
    return float(known.sum()) ** 2 / (len(known) * square) if square > 0 else float("nan")
