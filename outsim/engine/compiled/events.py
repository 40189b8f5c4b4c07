"""What is to happen when: heaps of entries, in the order that both engines share.

Few events need a heap. Those of a campaign's loader, of its retries and of posts
that wait come in their order by themselves, and only the first of each is on the
agenda.
"""

from __future__ import annotations

from outsim.clock import NEVER
from outsim.engine import order
from outsim.engine.compiled.layout import entry_at, heap_at
from outsim.engine.compiled.memory import Row, kernel
from outsim.engine.order import CLASS_BITS, EventClass

REQUEST = int(EventClass.REQUEST) << CLASS_BITS
ATTEMPT_ENDS = int(EventClass.ATTEMPT_ENDS) << CLASS_BITS
WORKER_FINISHES = int(EventClass.WORKER_FINISHES) << CLASS_BITS
CONTROL = int(EventClass.CONTROL) << CLASS_BITS
ENTERS_QUEUE = int(EventClass.ENTERS_QUEUE) << CLASS_BITS
DISPATCH = int(EventClass.DISPATCH) << CLASS_BITS
OTHER = int(EventClass.OTHER) << CLASS_BITS

call_key = kernel(order.call_key)
campaign_of = kernel(order.campaign_of)
index_of = kernel(order.index_of)
attempt_of = kernel(order.attempt_of)
step_of = kernel(order.step_of)

LOAD, RETRY, ADMIT, RELEASE_CAMPAIGN, RELEASE_TENANT, POST_DUE, RECONCILE, RETRY_OF_CALL = range(8)
ASKS, ASKS_AGAIN, BEGIN, MOVE, EXPIRY_OF_CALL = range(8, 13)
"""What an entry of the agenda is about."""
CANCEL = 15
KINDS = 16

_BRANCHES = 4
"""Entries below each in a heap: as many as fill a cache line and a half."""


@kernel
def is_before(at: int, order: int, other_at: int, other_order: int) -> bool:
    """Whether one event comes before another, worked out without a jump to guess."""
    return (at < other_at) | ((at == other_at) & (order < other_order))


@kernel
def _put(entry: Row, at: int, order: int, item: int) -> None:
    entry.at = at
    entry.order = order
    entry.item = item


@kernel
def _rise(heap: Row, place: int, at: int, order: int, item: int) -> None:
    """Put an entry at `place` or above."""
    while place > 0:
        above = entry_at(heap.entries, (place - 1) // _BRANCHES)
        if not is_before(at, order, above.at, above.order):
            break
        _put(entry_at(heap.entries, place), above.at, above.order, above.item)
        place = (place - 1) // _BRANCHES
    _put(entry_at(heap.entries, place), at, order, item)


@kernel
def _earlier(heap: Row, one: int, other: int) -> int:
    """Which of two places has the earlier entry, again without a jump."""
    first, second = entry_at(heap.entries, one), entry_at(heap.entries, other)
    return one + (other - one) * is_before(second.at, second.order, first.at, first.order)


@kernel
def _sink(heap: Row, place: int, at: int, order: int, item: int) -> None:
    """Put an entry at `place` or below."""
    while True:
        best = place * _BRANCHES + 1
        if best + _BRANCHES <= heap.count:
            pair = _earlier(heap, best + 2, best + 3)
            best = _earlier(heap, _earlier(heap, best, best + 1), pair)
        elif best < heap.count:
            for below in range(best + 1, heap.count):
                best = _earlier(heap, best, below)
        else:
            break
        least = entry_at(heap.entries, best)
        if not is_before(least.at, least.order, at, order):
            break
        _put(entry_at(heap.entries, place), least.at, least.order, least.item)
        place = best
    _put(entry_at(heap.entries, place), at, order, item)


@kernel
def schedule(p: Row, which: int, at: int, order: int, item: int) -> None:
    """Have something happen then."""
    heap = heap_at(p.heaps, which)
    heap.count += 1
    _rise(heap, heap.count - 1, at, order, item)


@kernel
def first_of(p: Row, which: int) -> Row:
    """Entry that comes first; at NEVER if there is none."""
    return entry_at(heap_at(p.heaps, which).entries, 0)


@kernel
def _remove_at(heap: Row, place: int) -> None:
    heap.count -= 1
    last = entry_at(heap.entries, heap.count)
    at, order, item = last.at, last.order, last.item
    if heap.count == 0:
        _put(last, NEVER, 0, 0)
    elif place < heap.count:
        _sink(heap, place, at, order, item)
        moved = entry_at(heap.entries, place)
        _rise(heap, place, moved.at, moved.order, moved.item)


@kernel
def drop_first(p: Row, which: int) -> None:
    """Take the first entry off."""
    _remove_at(heap_at(p.heaps, which), 0)


@kernel
def replace_first(p: Row, which: int, at: int, order: int) -> None:
    """Have what the first entry is about happen again, later."""
    heap = heap_at(p.heaps, which)
    _sink(heap, 0, at, order, entry_at(heap.entries, 0).item)


@kernel
def remove(p: Row, which: int, item: int) -> None:
    """Take the entry about `item` off, wherever it is."""
    heap = heap_at(p.heaps, which)
    for place in range(heap.count):
        if entry_at(heap.entries, place).item == item:
            _remove_at(heap, place)
            return
