"""Sub-queues whose calls go by their expiry: each is a heap of calls, the earliest first."""

from __future__ import annotations

from outsim.engine.compiled.layout import NONE, call_at, campaign_at, expiry_queue_at
from outsim.engine.compiled.memory import Row, instant_at, kernel, number_at, rare, set_number
from outsim.vocabulary import FIRST_FINAL


@rare
def _expires_us(p: Row, at: int) -> int:
    """When a call expires."""
    campaign = campaign_at(p.campaigns, call_at(p.calls, at).campaign)
    return instant_at(campaign.call_expires_us, at - campaign.first_call)


@rare
def _is_before(p: Row, one: int, other: int) -> bool:
    first, second = _expires_us(p, one), _expires_us(p, other)
    if first == second:
        return call_at(p.calls, one).sequence < call_at(p.calls, other).sequence
    return first < second


@rare
def add(p: Row, place: int, at: int) -> int:
    """Put a call in its sub-queue; return the one that is first now."""
    queue = expiry_queue_at(p.expiry_queues, place)
    base, hole = queue.first_entry, queue.entries
    queue.entries += 1
    while hole > 0:
        above = number_at(p.expiry_entries, base + (hole - 1) // 2)
        if _is_before(p, above, at):
            break
        set_number(p.expiry_entries, base + hole, above)
        hole = (hole - 1) // 2
    set_number(p.expiry_entries, base + hole, at)
    first = number_at(p.expiry_entries, base)
    queue.expires = _expires_us(p, first)
    return first


@rare
def drop_first(p: Row, place: int) -> int:
    """Take the first call off its sub-queue; return the one that is first now, NONE if none is.

    Those that have left it meanwhile are passed over.
    """
    queue = expiry_queue_at(p.expiry_queues, place)
    while True:
        _drop_root(p, queue)
        if queue.entries == 0:
            return NONE
        first = number_at(p.expiry_entries, queue.first_entry)
        if call_at(p.calls, first).status < FIRST_FINAL:
            queue.expires = _expires_us(p, first)
            return first


@rare
def _drop_root(p: Row, queue: Row) -> None:
    queue.entries -= 1
    base, hole = queue.first_entry, 0
    last = number_at(p.expiry_entries, base + queue.entries)
    while 2 * hole + 1 < queue.entries:
        below = 2 * hole + 1
        best = number_at(p.expiry_entries, base + below)
        if below + 1 < queue.entries:
            other = number_at(p.expiry_entries, base + below + 1)
            if _is_before(p, other, best):
                below, best = below + 1, other
        if _is_before(p, last, best):
            break
        set_number(p.expiry_entries, base + hole, best)
        hole = below
    set_number(p.expiry_entries, base + hole, last)


@kernel
def clear(p: Row, place: int) -> None:
    """Take all calls off a sub-queue."""
    expiry_queue_at(p.expiry_queues, place).entries = 0
