"""The outbound queue (rule 3): one queue for all tenants, made of lanes.

A call that is held back keeps its entry time and place and blocks nobody: its
lane is left out while there is a reason to hold it, and comes back with its
old place when the last reason is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Protocol

from typing_extensions import override

from outsim.engine.order import TURN
from outsim.engine.readable.state import CampaignState, Entry, Lane, TenantState


class Discipline(Protocol):
    """Which lane goes next."""

    def offer(self, lane: Lane) -> None:
        """Take note of a lane with an eligible call."""

    def head(self) -> Lane | None:
        """Lane whose first call goes next; None if no call is eligible."""

    def taken(self, lane: Lane) -> None:
        """Take note that the first call of a lane has gone."""


class OldestFirst(Discipline):
    """The oldest eligible entry goes next; lanes of a lower priority number go before others."""

    def __init__(self) -> None:
        self._offers: list[tuple[int, int, Lane]] = []

    @override
    def offer(self, lane: Lane) -> None:
        heappush(self._offers, (lane.priority, lane.entries[0].sequence, lane))

    @override
    def head(self) -> Lane | None:
        offers = self._offers
        while offers:
            _, sequence, lane = offers[0]
            # An offer is stale when its lane is held back now, or its call has gone.
            if lane.holds == 0 and lane.entries and lane.entries[0].sequence == sequence:
                return lane
            heappop(offers)
        return None

    @override
    def taken(self, lane: Lane) -> None:
        pass


class TurnsByWeight(Discipline):
    """Tenants take turns, each as often as its weight says; oldest first within a tenant.

    Start-time fair queueing: a tenant's turn starts where its last one ended,
    or where the queue has got to if it had nothing to dial meanwhile, so that
    nobody saves up turns.
    """

    def __init__(self) -> None:
        self._tenants: dict[int, tuple[TenantState, OldestFirst]] = {}
        self._turn_ends: dict[int, int] = {}
        self._reached = 0

    @override
    def offer(self, lane: Lane) -> None:
        tenant = lane.campaign.tenant
        if tenant.rank not in self._tenants:
            self._tenants[tenant.rank] = (tenant, OldestFirst())
            self._turn_ends[tenant.rank] = 0
        self._tenants[tenant.rank][1].offer(lane)

    def _turn_starts(self, rank: int) -> int:
        return max(self._turn_ends[rank], self._reached)

    @override
    def head(self) -> Lane | None:
        best: tuple[int, int, Lane] | None = None
        for rank, (_, offers) in self._tenants.items():
            lane = offers.head()
            if lane is not None:
                turn = (self._turn_starts(rank), rank, lane)
                if best is None or turn[:2] < best[:2]:
                    best = turn
        return best[2] if best else None

    @override
    def taken(self, lane: Lane) -> None:
        tenant = lane.campaign.tenant
        self._reached = self._turn_starts(tenant.rank)
        self._turn_ends[tenant.rank] = self._reached + TURN // tenant.weight


class OutboundQueue:
    """All calls that wait to be dialled."""

    def __init__(self, discipline: str, head_changed: Callable[[], None]) -> None:
        self.retries_last = discipline == "first_attempts_first"
        self.discipline: Discipline = TurnsByWeight() if discipline == "fair" else OldestFirst()
        self.head_changed = head_changed
        self.holds = 0
        """Reasons that hold back every lane, those to come included."""
        self._sequence = 0

    def open_lanes(self, campaign: CampaignState) -> None:
        """Give a campaign its lanes.

        There is one for each callee zone where its window needs it, and one each for first
        attempts and retries where those are told apart.
        """
        zones = campaign.rules.lane_zones or (-1,)
        for place, zone in enumerate(zones):
            campaign.lane_of_zone[zone] = place
        for priority in (0, 1) if self.retries_last else (0,):
            for _ in zones:
                lane = Lane(campaign, priority)
                lane.holds = self.holds + campaign.tenant.holds
                campaign.lanes.append(lane)
        campaign.tenant.lanes.extend(campaign.lanes)

    def _lane(self, campaign: CampaignState, index: int, attempt: int) -> Lane:
        place = 0
        if campaign.rules.lane_zones:
            place = campaign.lane_of_zone[campaign.zones[index]]
        if self.retries_last and attempt > 1:
            place += len(campaign.lane_of_zone)
        return campaign.lanes[place]

    def enter(
        self, campaign: CampaignState, index: int, attempt: int, ready_at: int, now: int
    ) -> None:
        """Put a call at the tail of its lane."""
        lane = self._lane(campaign, index, attempt)
        lane.entries.append(Entry(self._sequence, index, attempt, ready_at, now))
        self._sequence += 1
        if len(lane.entries) == 1 and lane.holds == 0:
            self.discipline.offer(lane)
            self.head_changed()

    def take(self, lane: Lane) -> Entry:
        """Take the first call of a lane off the queue."""
        entry = lane.entries.popleft()
        self.discipline.taken(lane)
        if lane.entries:
            self.discipline.offer(lane)
        return entry

    def hold(self, lanes: Iterable[Lane]) -> None:
        """Add a reason to hold these lanes back."""
        for lane in lanes:
            lane.holds += 1
            if lane.holds == 1 and lane.entries:
                self.head_changed()

    def release(self, lanes: Iterable[Lane], now: int) -> None:
        """Take a reason to hold these lanes back away again."""
        for lane in lanes:
            lane.holds -= 1
            if lane.holds == 0:
                lane.eligible_since = now
                if lane.entries:
                    self.discipline.offer(lane)
                    self.head_changed()

    def clear(self, campaign: CampaignState) -> None:
        """Take all calls of a campaign off the queue."""
        for lane in campaign.lanes:
            if lane.entries:
                lane.entries.clear()
                self.head_changed()
