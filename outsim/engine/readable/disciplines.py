"""Disciplines of the queue (rules 3 and 20): who goes next of those that may go."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from heapq import heappop, heappush

from typing_extensions import override

from outsim.engine.order import TURN
from outsim.engine.readable.ports import Ports
from outsim.engine.readable.state import (
    Attempt,
    CampaignState,
    OrderedSubQueue,
    SubQueue,
    TenantState,
)
from outsim.units import WHOLE


class Fifo:
    """The oldest eligible entry goes next; sub-queues of a lower priority go before others."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._offers: list[tuple[int, int, SubQueue]] = []

    def priorities_of(self, _campaign: CampaignState) -> tuple[int, ...]:
        """Priorities of the sub-queues that a campaign has for the same callee zone."""
        return (0,)

    def place_of(self, _attempt: Attempt) -> int:
        """Place among those of the sub-queue that an attempt enters."""
        return 0

    def open_sub_queue(self, campaign: CampaignState, place: int, priority: int) -> SubQueue:
        """A sub-queue of a campaign."""
        return SubQueue(campaign, place, priority)

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

    @override
    def priorities_of(self, _campaign: CampaignState) -> tuple[int, ...]:
        return 0, 1

    @override
    def place_of(self, attempt: Attempt) -> int:
        return int(attempt.attempt > 1)


class Priority(Fifo):
    """Calls of the lowest priority number go first; the oldest first within one."""

    @override
    def priorities_of(self, campaign: CampaignState) -> tuple[int, ...]:
        return (campaign.rules.priority,)


class EarliestExpiry(Fifo):
    """The call that expires first goes first; the oldest of those that expire together."""

    @override
    def open_sub_queue(self, campaign: CampaignState, place: int, priority: int) -> SubQueue:
        return OrderedSubQueue(campaign, place, priority, self._expires_us)

    def _expires_us(self, attempt: Attempt) -> int:
        expires_us: int = attempt.call.campaign.expires_us[attempt.call.index]
        return expires_us

    @override
    def offer(self, sub_queue: SubQueue) -> None:
        first = sub_queue.first
        heappush(self._offers, (self._expires_us(first), first.sequence, sub_queue))


class ByTenant(Fifo):
    """The oldest first within a tenant; which tenant's goes is for others to say."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self._tenants: dict[int, Fifo] = {}

    @override
    def offer(self, sub_queue: SubQueue) -> None:
        rank = self._tenant_of(sub_queue).rank
        if rank not in self._tenants:
            self._tenants[rank] = Fifo(self.ports)
        self._tenants[rank].offer(sub_queue)

    def _tenant_of(self, sub_queue: SubQueue) -> TenantState:
        return sub_queue.campaign.tenant

    def _heads(self) -> Iterator[SubQueue]:
        """The sub-queue of each tenant whose first call is its oldest that may go."""
        heads = (fifo.head() for fifo in self._tenants.values())
        return (head for head in heads if head)


class StartTimeFairQueue(ByTenant):
    """Tenants take turns, each as often as its weight says; the oldest first within a tenant.

    Start-time fair queueing: a tenant's turn starts where its last one ended,
    or where the queue has got to if it had nothing to dial meanwhile, so that
    nobody saves up turns.
    """

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self._turn_ends: dict[int, int] = {}
        self._reached = 0

    def _turn_starts(self, rank: int) -> int:
        return max(self._turn_ends.get(rank, 0), self._reached)

    def _turn(self, sub_queue: SubQueue) -> tuple[int, int]:
        rank = self._tenant_of(sub_queue).rank
        return self._turn_starts(rank), rank

    @override
    def head(self) -> SubQueue | None:
        return min(self._heads(), key=self._turn, default=None)

    @override
    def taken(self, sub_queue: SubQueue) -> None:
        tenant = self._tenant_of(sub_queue)
        self._reached = self._turn_starts(tenant.rank)
        self._turn_ends[tenant.rank] = self._reached + TURN // tenant.weight


class GuaranteedShares(ByTenant):
    """A tenant that holds fewer ports than it is guaranteed goes first; else the oldest entry.

    Of several such tenants it is the one that holds the smallest part of its guarantee, and
    where these are equal the one with the oldest entry. Nobody is cut off: what others have
    borrowed comes back as their calls end.
    """

    def _place(self, sub_queue: SubQueue) -> tuple[bool, Fraction, int]:
        tenant = self._tenant_of(sub_queue)
        is_below = tenant.active * WHOLE < tenant.guaranteed * self.ports.in_service
        part = Fraction(tenant.active, tenant.guaranteed) if is_below else Fraction()
        return not is_below, part, sub_queue.first.sequence

    @override
    def head(self) -> SubQueue | None:
        return min(self._heads(), key=self._place, default=None)


DISCIPLINES: dict[str, type[Fifo]] = {
    "fifo": Fifo,
    "fair": StartTimeFairQueue,
    "first_attempts_first": FirstAttemptsFirst,
    "priority": Priority,
    "earliest_expiry": EarliestExpiry,
    "guaranteed": GuaranteedShares,
}
"""By the name that a scenario calls them."""
