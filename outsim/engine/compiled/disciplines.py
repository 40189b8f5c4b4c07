"""Disciplines of the queue (rules 3 and 20): who goes next of those that may go.

A sub-queue that has calls and is not held back is an offer. The offers of a group
are a heap of sub-queues; each knows its place in it, so that one that is held back
leaves it at once.
"""

from __future__ import annotations

from outsim.engine.compiled import ports
from outsim.engine.compiled.layout import (
    NONE,
    call_at,
    expiry_queue_at,
    group_at,
    sub_queue_at,
    tenant_at,
)
from outsim.engine.compiled.memory import Row, kernel, number_at, rare, set_number
from outsim.units import WHOLE

PRIORITY_BITS = 40
"""A sub-queue's order is its priority above the number of its first entry."""


@kernel
def _set_offer(p: Row, group: Row, place: int, at: int) -> None:
    """Put a sub-queue at a place among the offers of its group."""
    set_number(p.offers, group.first_offer + place, at)
    sub_queue_at(p.sub_queues, at).place = place


@kernel
def _rise(p: Row, group: Row, place: int, at: int) -> None:
    order = sub_queue_at(p.sub_queues, at).order
    while place > 0:
        above = number_at(p.offers, group.first_offer + (place - 1) // 2)
        if sub_queue_at(p.sub_queues, above).order < order:
            break
        _set_offer(p, group, place, above)
        place = (place - 1) // 2
    _set_offer(p, group, place, at)


@kernel
def _sink(p: Row, group: Row, place: int, at: int) -> None:
    order = sub_queue_at(p.sub_queues, at).order
    while True:
        below = 2 * place + 1
        if below >= group.offers:
            break
        best = number_at(p.offers, group.first_offer + below)
        if below + 1 < group.offers:
            other = number_at(p.offers, group.first_offer + below + 1)
            # Which of the two it is nobody can guess, the processor neither: no jump.
            later = (
                sub_queue_at(p.sub_queues, other).order < sub_queue_at(p.sub_queues, best).order
            )
            below += later
            best += (other - best) * later
        if order < sub_queue_at(p.sub_queues, best).order:
            break
        _set_offer(p, group, place, best)
        place = below
    _set_offer(p, group, place, at)


@kernel
def _set_order(p: Row, sub_queue: Row) -> None:
    sub_queue.order = (sub_queue.priority << PRIORITY_BITS) | call_at(
        p.calls, sub_queue.first
    ).sequence


@kernel
def offer(p: Row, at: int) -> None:
    """Take note of a sub-queue with an eligible call."""
    sub_queue = sub_queue_at(p.sub_queues, at)
    group = group_at(p.groups, sub_queue.group)
    _set_order(p, sub_queue)
    group.offers += 1
    _rise(p, group, group.offers - 1, at)


@kernel
def goes_sooner(p: Row, at: int) -> None:
    """Take note that an offered sub-queue has a first call that goes before the one it had."""
    sub_queue = sub_queue_at(p.sub_queues, at)
    _set_order(p, sub_queue)
    _rise(p, group_at(p.groups, sub_queue.group), sub_queue.place, at)


@kernel
def withdraw(p: Row, at: int) -> None:
    """Leave a sub-queue out."""
    sub_queue = sub_queue_at(p.sub_queues, at)
    group = group_at(p.groups, sub_queue.group)
    place = sub_queue.place
    group.offers -= 1
    if place < group.offers:
        last = number_at(p.offers, group.first_offer + group.offers)
        _sink(p, group, place, last)
        _rise(p, group, sub_queue_at(p.sub_queues, last).place, last)


@kernel
def _turn_starts(p: Row, group: Row) -> int:
    return max(group.turn_ends, p.turns_reached)


@kernel
def head(p: Row) -> int:
    """Lane whose first call goes next; NONE if no call is eligible.

    The oldest eligible entry goes next, sub-queues of a lower priority number before others. Where
    tenants take turns, it is the oldest of the tenant whose turn starts first.
    """
    if p.looks_at_all:
        return _head_by_expiry(p) if p.by_expiry else _head_by_guarantee(p)
    best = NONE
    for place in range(p.group_count):
        group = group_at(p.groups, place)
        if group.offers > 0 and (
            best == NONE or _turn_starts(p, group) < _turn_starts(p, group_at(p.groups, best))
        ):
            best = place
    if best == NONE:
        return NONE
    return number_at(p.offers, group_at(p.groups, best).first_offer)


@rare
def _head_by_expiry(p: Row) -> int:
    """The sub-queue whose first call expires first; each is a group of its own."""
    best, order, expires = NONE, 0, 0
    for place in range(p.group_count):
        group = group_at(p.groups, place)
        if group.offers == 0:
            continue
        at = number_at(p.offers, group.first_offer)
        its_order = sub_queue_at(p.sub_queues, at).order
        its_expires = expiry_queue_at(p.expiry_queues, at).expires
        if best == NONE or its_expires < expires or (its_expires == expires and its_order < order):
            best, order, expires = at, its_order, its_expires
    return best


@rare
def _head_by_guarantee(p: Row) -> int:
    """That of a tenant with less than it is guaranteed; see `readable.GuaranteedShares`."""
    service = ports.in_service(p)
    best, order, is_below, active, guaranteed = NONE, 0, False, 0, 1
    for place in range(p.group_count):
        group = group_at(p.groups, place)
        if group.offers == 0:
            continue
        at = number_at(p.offers, group.first_offer)
        its_order, its_active = (
            sub_queue_at(p.sub_queues, at).order,
            tenant_at(p.tenants, place).active,
        )
        below = its_active * WHOLE < group.guaranteed * service
        goes = its_order < order
        if below and is_below:
            mine, others = its_active * guaranteed, active * group.guaranteed
            goes = mine < others or (mine == others and goes)
        elif below or is_below:
            goes = below
        if best == NONE or goes:
            best, order, is_below = at, its_order, below
            active, guaranteed = its_active, group.guaranteed
    return best


@kernel
def taken(p: Row, at: int) -> None:
    """Take note that the first call of an offered sub-queue has gone."""
    group = group_at(p.groups, sub_queue_at(p.sub_queues, at).group)
    p.turns_reached = _turn_starts(p, group)
    group.turn_ends = p.turns_reached + group.turn
    passed_on(p, at)


@kernel
def passed_on(p: Row, at: int) -> None:
    """Take note that an offered sub-queue has another first call, or none."""
    sub_queue = sub_queue_at(p.sub_queues, at)
    group = group_at(p.groups, sub_queue.group)
    if sub_queue.first == NONE:
        withdraw(p, at)
    else:
        _set_order(p, sub_queue)
        _sink(p, group, sub_queue.place, at)
