"""Disciplines of the queue (rule 3): who goes next of those that may go."""

from __future__ import annotations

from heapq import heappop, heappush

from typing_extensions import override

from outsim.engine.order import TURN
from outsim.engine.readable.state import Attempt, SubQueue, TenantState


class Fifo:
    """The oldest eligible entry goes next; sub-queues of a lower priority go before others."""

    priorities = 1
    """How many sub-queues a campaign has for the same callee zone."""

    def __init__(self) -> None:
        self._offers: list[tuple[int, int, SubQueue]] = []

    def priority_of(self, _attempt: Attempt) -> int:
        """The priority of the sub-queue that an attempt enters."""
        return 0

    def offer(self, sub_queue: SubQueue) -> None:
        """Take note of a sub-queue with an eligible call."""
        heappush(self._offers, (sub_queue.priority, sub_queue.first.sequence, sub_queue))

    def head(self) -> SubQueue | None:
        """The sub-queue whose first call goes next; None if no call is eligible."""
        offers = self._offers
        while offers:
            _, sequence, sub_queue = offers[0]
            # An offer is stale when its sub-queue is held back now, or its call has gone.
            if (
                sub_queue.blockers == 0
                and sub_queue.entries
                and sub_queue.first.sequence == sequence
            ):
                return sub_queue
            heappop(offers)
        return None

    def taken(self, sub_queue: SubQueue) -> None:
        """Take note that the first call of a sub-queue has gone."""


class FirstAttemptsFirst(Fifo):
    """First attempts go before retries; the oldest first among either."""

    priorities = 2

    @override
    def priority_of(self, _attempt: Attempt) -> int:
        return int(_attempt.attempt > 1)


class StartTimeFairQueue(Fifo):
    """Tenants take turns, each as often as its weight says; the oldest first within a tenant.

    Start-time fair queueing: a tenant's turn starts where its last one ended,
    or where the queue has got to if it had nothing to dial meanwhile, so that
    nobody saves up turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tenants: dict[int, Fifo] = {}
        self._turn_ends: dict[int, int] = {}
        self._reached = 0

    @override
    def offer(self, sub_queue: SubQueue) -> None:
        rank = self._turn_of(sub_queue).rank
        if rank not in self._tenants:
            self._tenants[rank] = Fifo()
            self._turn_ends[rank] = 0
        self._tenants[rank].offer(sub_queue)

    def _turn_of(self, sub_queue: SubQueue) -> TenantState:
        return sub_queue.campaign.tenant

    def _turn_starts(self, rank: int) -> int:
        return max(self._turn_ends[rank], self._reached)

    @override
    def head(self) -> SubQueue | None:
        heads = [(rank, fifo.head()) for rank, fifo in self._tenants.items()]
        waiting = [(self._turn_starts(rank), rank, head) for rank, head in heads if head]
        return min(waiting, key=lambda turn: turn[:2])[2] if waiting else None

    @override
    def taken(self, sub_queue: SubQueue) -> None:
        tenant = self._turn_of(sub_queue)
        self._reached = self._turn_starts(tenant.rank)
        self._turn_ends[tenant.rank] = self._reached + TURN // tenant.weight


DISCIPLINES: dict[str, type[Fifo]] = {
    "fifo": Fifo,
    "fair": StartTimeFairQueue,
    "first_attempts_first": FirstAttemptsFirst,
}
"""By the name that a scenario calls them."""
