"""Disciplines of the queue (rules 3 and 20): who goes next of those that may go."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from heapq import heappop, heappush
from typing import Any

from typing_extensions import override

from outsim.clock import NEVER
from outsim.engine.discipline import Discipline, PortsInUse, QueuedCall
from outsim.engine.order import TURN
from outsim.engine.readable.events import EventList
from outsim.engine.readable.ports import Ports
from outsim.engine.readable.state import (
    Attempt,
    CampaignState,
    OrderedSubQueue,
    SubQueue,
    TenantState,
)
from outsim.errors import EngineError
from outsim.units import WHOLE


class Fifo:
    """The oldest eligible entry goes next; sub-queues of a lower priority go before others."""

    rule = 3

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

    def taken(self, sub_queue: SubQueue, attempt: Attempt) -> None:
        """Take note that the first call of a sub-queue has gone, for this attempt."""


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

    rule = 20

    @override
    def priorities_of(self, campaign: CampaignState) -> tuple[int, ...]:
        return (campaign.rules.priority,)


class EarliestExpiry(Fifo):
    """The call that expires first goes first; the oldest of those that expire together."""

    rule = 20

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
    def taken(self, sub_queue: SubQueue, attempt: Attempt) -> None:
        tenant = self._tenant_of(sub_queue)
        self._reached = self._turn_starts(tenant.rank)
        self._turn_ends[tenant.rank] = self._reached + TURN // tenant.weight


class GuaranteedShares(ByTenant):
    """A tenant that holds fewer ports than it is guaranteed goes first; else the oldest entry.

    Of several such tenants it is the one that holds the smallest part of its guarantee, and
    where these are equal the one with the oldest entry. Nobody is cut off: what others have
    borrowed comes back as their calls end.
    """

    rule = 20

    def _place(self, sub_queue: SubQueue) -> tuple[bool, Fraction, int]:
        tenant = self._tenant_of(sub_queue)
        is_below = tenant.active * WHOLE < tenant.guaranteed * self.ports.in_service
        part = Fraction(tenant.active, tenant.guaranteed) if is_below else Fraction()
        return not is_below, part, sub_queue.first.sequence

    @override
    def head(self) -> SubQueue | None:
        return min(self._heads(), key=self._place, default=None)


class OwnDiscipline(Fifo):
    """A discipline of the user's says who goes next."""

    rule = 20

    def __init__(self, ports: Ports, events: EventList, made: Discipline) -> None:
        super().__init__(ports)
        self.events = events
        self.made = made
        self.name = type(made).__name__
        self._offered: dict[SubQueue, None] = {}
        self._tenants: dict[str, TenantState] = {}
        self._last: Any = None

    @override
    def open_sub_queue(self, campaign: CampaignState, place: int, priority: int) -> SubQueue:
        self._tenants[campaign.tenant.name] = campaign.tenant
        return OrderedSubQueue(campaign, place, priority, self._order_of)

    def _order_of(self, attempt: Attempt) -> Any:
        order = self.made.order(_seen(attempt))
        last, self._last = order if self._last is None else self._last, order
        try:
            is_sortable = (order < last) + (order == last) + (order > last) == 1
        except TypeError:
            is_sortable = False
        if not is_sortable:
            raise EngineError(
                f"{self.name}.order: found {order!r}, which can't be compared with {last!r}; give "
                "numbers, texts or tuples of them, the same for all calls"
            )
        return order

    @override
    def offer(self, sub_queue: SubQueue) -> None:
        self._offered[sub_queue] = None

    @override
    def head(self) -> SubQueue | None:
        waiting = [one for one in self._offered if one.blockers == 0 and one.entries]
        self._offered = dict.fromkeys(waiting)
        if not waiting:
            return None
        waiting.sort(key=lambda one: one.first.sequence)
        heads = [_seen(sub_queue.first) for sub_queue in waiting]
        busy = {name: tenant.active for name, tenant in self._tenants.items()}
        ports = PortsInUse(self.events.now, self.ports.in_service, busy)
        chosen = self.made.choose(tuple(heads), ports)
        if chosen not in heads:
            raise EngineError(
                f"{self.name}.choose: found {chosen!r}; must be one of the calls that it is given"
            )
        return waiting[heads.index(chosen)]

    @override
    def taken(self, sub_queue: SubQueue, attempt: Attempt) -> None:
        self.made.dispatched(_seen(attempt))


def _seen(attempt: Attempt) -> QueuedCall:
    """An attempt in the queue, as a discipline of the user's sees it."""
    call, campaign = attempt.call, attempt.call.campaign
    expires_us = int(campaign.expires_us[call.index])
    return QueuedCall(
        call.call_id,
        campaign.tenant.name,
        campaign.plan.name,
        campaign.rules.priority,
        attempt.attempt,
        attempt.sequence,
        attempt.queued,
        None if expires_us == NEVER else expires_us,
    )


DISCIPLINES: dict[str, type[Fifo]] = {
    "fifo": Fifo,
    "fair": StartTimeFairQueue,
    "first_attempts_first": FirstAttemptsFirst,
    "priority": Priority,
    "earliest_expiry": EarliestExpiry,
    "guaranteed": GuaranteedShares,
}
"""By the name that a scenario calls them."""
