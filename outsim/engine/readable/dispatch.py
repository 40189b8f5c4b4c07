"""Dispatch (rule 4): the instant at which a port and a dial token are taken together."""

from __future__ import annotations

from collections.abc import Callable

from outsim.engine.order import (
    RELEASE_CAMPAIGN_STEP,
    RELEASE_TENANT_STEP,
    EventClass,
    call_key,
)
from outsim.engine.readable.agenda import Agenda
from outsim.engine.readable.bucket import TokenBucket
from outsim.engine.readable.queue import OutboundQueue
from outsim.engine.readable.state import Attempt, CampaignState, Lane
from outsim.vocabulary import DIALING


class Ports:
    """The platform's ports: in service, busy, and since when one is free."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.out_of_service = 0
        self.busy = 0
        self.free_since = 0

    @property
    def in_service(self) -> int:
        """Ports that can be taken or are busy, but for those that leave as their calls end."""
        return max(0, self.count - self.out_of_service)

    @property
    def free(self) -> int:
        """Ports that can be taken; negative while busy ones are due to leave."""
        return self.in_service - self.busy

    def give_back(self, now: int) -> None:
        """A call has ended."""
        self.busy -= 1
        if self.free == 1:
            self.free_since = now

    def change_service(self, out_of_service: int, now: int) -> None:
        """Put ports in or out of service."""
        had_free = self.free > 0
        self.out_of_service += out_of_service
        if self.free > 0 and not had_free:
            self.free_since = now


class Dispatcher:
    """Watches the head of the queue, and dispatches it when a port and a token are free."""

    def __init__(
        self,
        agenda: Agenda,
        ports: Ports,
        dial_rate: int,
        dial_burst: int,
        discipline: str,
        dispatched: Callable[[Attempt], None],
    ) -> None:
        self.agenda = agenda
        self.ports = ports
        self.tokens = TokenBucket(dial_rate, dial_burst)
        self.queue = OutboundQueue(discipline, head_changed=self.wake)
        self.dispatched = dispatched
        self.dispatches = 0
        self._awake_at = -1
        self._head: tuple[Lane, int] | None = None
        self._head_since = 0

    def wake(self, at: int | None = None) -> None:
        """Look at the head of the queue at the end of this instant, or of a later one."""
        at = self.agenda.now if at is None else at
        if self._awake_at != at:
            self._awake_at = at
            self.agenda.call(at, EventClass.DISPATCH, 0, self._look)

    def port_freed(self) -> None:
        """A port is free again: whoever waits for it may go."""
        if self._head is not None:
            self.wake()

    def _look(self, _: None) -> None:
        """Dispatch from the head of the queue while port and token allow."""
        now = self.agenda.now
        if self._awake_at == now:
            self._awake_at = -1
        while True:
            lane = self.queue.discipline.head()
            if lane is None:
                self._head = None
                return
            head = (lane, lane.entries[0].sequence)
            if head != self._head:
                self._head = head
                self._head_since = now
            if self.ports.free <= 0:
                return
            if self.tokens.ready_at > now:
                self.wake(self.tokens.ready_at)
                return
            self._dispatch(lane, now)

    def _dispatch(self, lane: Lane, now: int) -> None:
        entry = self.queue.take(lane)
        campaign = lane.campaign
        attempt = Attempt(campaign, entry, self.dispatches)
        self.dispatches += 1
        attempt.eligible_at = max(entry.queued_at, lane.eligible_since)
        attempt.at_head_at = self._head_since
        attempt.port_free_at = max(self._head_since, self.ports.free_since)
        attempt.token_free_at = max(self._head_since, self.tokens.ready_at)
        attempt.dispatched_at = now
        self._head = None
        self.ports.busy += 1
        self.tokens.take(now)
        campaign.status[entry.place] = DIALING
        campaign.attempts[entry.place] = entry.attempt
        self._count_up(campaign, now)
        self.dispatched(attempt)

    def _count_up(self, campaign: CampaignState, now: int) -> None:
        """Hold back who has reached a limit with this dispatch."""
        tenant = campaign.tenant
        campaign.active += 1
        tenant.active += 1
        if campaign.active == campaign.rules.max_simultaneous:
            self.queue.hold(campaign.lanes)
        if tenant.active == tenant.max_simultaneous:
            self._hold_tenant(campaign)
        if campaign.pacer is not None and campaign.rules.paced_at_dispatch:
            campaign.pacer.take(now)
            if campaign.pacer.ready_at > now:
                self.queue.hold(campaign.lanes)
                key = call_key(campaign.rank, 0, 0, RELEASE_CAMPAIGN_STEP)
                self.agenda.call(
                    campaign.pacer.ready_at,
                    EventClass.CONTROL,
                    key,
                    lambda _: self.queue.release(campaign.lanes, self.agenda.now),
                )
        if tenant.bucket is not None:
            tenant.bucket.take(now)
            if tenant.bucket.ready_at > now:
                self._hold_tenant(campaign)
                key = call_key(campaign.rank, 0, 0, RELEASE_TENANT_STEP)
                self.agenda.call(
                    tenant.bucket.ready_at,
                    EventClass.CONTROL,
                    key,
                    lambda _: self._release_tenant(campaign),
                )

    def _hold_tenant(self, campaign: CampaignState) -> None:
        campaign.tenant.holds += 1
        self.queue.hold(campaign.tenant.lanes)

    def _release_tenant(self, campaign: CampaignState) -> None:
        campaign.tenant.holds -= 1
        self.queue.release(campaign.tenant.lanes, self.agenda.now)

    def count_down(self, campaign: CampaignState, now: int) -> None:
        """An attempt has ended: its port is free, and so is its place under the limits."""
        tenant = campaign.tenant
        if campaign.active == campaign.rules.max_simultaneous:
            self.queue.release(campaign.lanes, now)
        if tenant.active == tenant.max_simultaneous:
            self._release_tenant(campaign)
        campaign.active -= 1
        tenant.active -= 1
        self.ports.give_back(now)
        self.port_freed()
