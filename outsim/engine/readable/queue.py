"""The outbound queue (rule 3) and dispatch from it (rule 4).

One queue for all tenants, made of sub-queues. A call that is held back keeps its
entry time and place and blocks nobody: its sub-queue is left out while there is
a reason to hold it, and comes back with its old place when the last one is gone.

Dispatch is the instant at which a port and a dial token are taken together.
"""

from __future__ import annotations

from collections.abc import Iterable

from outsim.engine.discipline import Discipline
from outsim.engine.order import RELEASE_CAMPAIGN_STEP, RELEASE_TENANT_STEP, EventClass, call_key
from outsim.engine.readable.bucket import TokenBucket
from outsim.engine.readable.disciplines import DISCIPLINES, OwnDiscipline
from outsim.engine.readable.events import Event, EventList
from outsim.engine.readable.ports import Ports
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Attempt, Call, CampaignState, SharedNumber, SubQueue
from outsim.plan import PlatformPlan

LIMIT_RULE, PACING_RULE = 3, 2
"""The rules by which limits on simultaneous calls, and pacing at dispatch, hold calls back."""


class OutboundQueue:
    """All calls that wait to be dialed, and what they wait for: ports and dial tokens."""

    def __init__(
        self,
        events: EventList,
        recorder: Recorder,
        plan: PlatformPlan,
        own: Discipline | None = None,
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.ports = Ports(plan.ports)
        self.discipline = (
            OwnDiscipline(self.ports, events, own) if own else DISCIPLINES[plan.queue](self.ports)
        )
        self.tokens = TokenBucket(plan.dial_rate, plan.dial_burst)
        self.blockers = 0
        """Reasons that hold back every sub-queue, those to come included."""
        self._sequence = 0
        self._look_at = -1
        self._head: Attempt | None = None
        self._head_since = 0

    def open_sub_queues(self, campaign: CampaignState) -> None:
        """Give a campaign its sub-queues, one for each callee zone and priority."""
        zones = campaign.rules.lane_zones or (-1,)
        for place, zone in enumerate(zones):
            campaign.place_of_zone[zone] = place
        for priority in self.discipline.priorities_of(campaign):
            for _ in zones:
                place = len(campaign.sub_queues)
                sub_queue = self.discipline.open_sub_queue(campaign, place, priority)
                sub_queue.blockers = self.blockers + campaign.tenant.blockers
                campaign.sub_queues.append(sub_queue)
        campaign.tenant.sub_queues.extend(campaign.sub_queues)
        priorities = {sub_queue.priority for sub_queue in campaign.sub_queues}
        rule = 14 if campaign.plan.background else self.discipline.rule
        self.recorder.note(rule, campaign, "waits in the one queue, with priority {}", priorities)

    def enter(self, attempt: Attempt) -> Event:
        """Put an attempt at the tail; what is returned happens when it is dispatched."""
        sub_queue = self._sub_queue_of(attempt)
        attempt.queued = self.events.now
        attempt.sequence = self._sequence
        self._sequence += 1
        attempt.dispatch = self.events.event()
        attempt.call.entry = attempt
        sub_queue.add(attempt)
        rule = 8 if attempt.attempt > 1 else 3
        place = len(sub_queue.entries)
        self.recorder.note(rule, attempt, "enters as {}, place {}", attempt.sequence, place)
        if sub_queue.blockers == 0 and sub_queue.first is attempt:
            self.discipline.offer(sub_queue)
            self.wake()
        return attempt.dispatch

    def _sub_queue_of(self, attempt: Attempt) -> SubQueue:
        campaign = attempt.call.campaign
        place = 0
        if campaign.rules.lane_zones:
            place = campaign.place_of_zone[campaign.zones[attempt.call.index]]
        place += self.discipline.place_of(attempt) * len(campaign.place_of_zone)
        return campaign.sub_queues[place]

    def hold(self, sub_queues: Iterable[SubQueue], rule: int) -> None:
        """Add a reason to hold these sub-queues back: the rule that says so."""
        for sub_queue in sub_queues:
            sub_queue.blockers += 1
            self.recorder.note(rule, sub_queue, "held back, {} reasons", sub_queue.blockers)
            if sub_queue.blockers == 1 and sub_queue.entries:
                self.wake()

    def release(self, sub_queues: Iterable[SubQueue], rule: int) -> None:
        """Take a reason to hold these sub-queues back away again."""
        for sub_queue in sub_queues:
            sub_queue.blockers -= 1
            self.recorder.note(rule, sub_queue, "released, {} reasons left", sub_queue.blockers)
            if sub_queue.blockers == 0:
                sub_queue.eligible_since = self.events.now
                if sub_queue.entries:
                    self.discipline.offer(sub_queue)
                    self.wake()

    def clear(self, campaign: CampaignState) -> None:
        """Take all calls of a campaign off the queue."""
        for sub_queue in campaign.sub_queues:
            if sub_queue.entries:
                sub_queue.entries.clear()
                self.wake()
        for number in campaign.numbers:
            number.waiting.clear()

    def leave(self, call: Call) -> None:
        """Take a call that has got its final status off the queue, wherever it stands there."""
        attempt, call.entry = call.entry, None
        assert attempt is not None
        sub_queue = self._sub_queue_of(attempt)
        if attempt.sequence not in sub_queue.entries:
            assert call.number is not None
            call.number.waiting.remove(attempt)
            return
        was_first = sub_queue.first is attempt
        del sub_queue.entries[attempt.sequence]
        self.recorder.note(3, attempt, "leaves, {} stay", len(sub_queue.entries))
        if was_first and sub_queue.blockers == 0:
            if sub_queue.entries:
                self.discipline.offer(sub_queue)
            self.wake()

    def wake(self, at: int | None = None) -> None:
        """Look at the head of the queue at the end of this instant, or of a later one."""
        at = self.events.now if at is None else at
        if self._look_at != at:
            self._look_at = at
            self.events.call(at, EventClass.DISPATCH, 0, self._look)

    def _look(self) -> None:
        """Dispatch from the head of the queue while port and token allow."""
        now = self.events.now
        if self._look_at == now:
            self._look_at = -1
        while True:
            sub_queue = self.discipline.head()
            if sub_queue is None:
                self._head = None
                return
            head = sub_queue.first
            number = head.call.number
            if number is not None and number.is_up:
                self._set_aside(sub_queue, number)
                continue
            if head is not self._head:
                self._head = head
                self._head_since = now
            self.recorder.note(
                self.discipline.rule, head, "is at the head, entry {}", head.sequence
            )
            free = self.ports.free
            self.recorder.note(
                4, head, "{} ports free, a token from {}", free, self.tokens.ready_at
            )
            if free <= 0:
                return
            if self.tokens.ready_at > now:
                self.wake(self.tokens.ready_at)
                return
            self._dispatch(sub_queue)

    def _set_aside(self, sub_queue: SubQueue, number: SharedNumber) -> None:
        """Hold back a call that another one to its number keeps waiting: it blocks nobody."""
        attempt = sub_queue.take_first()
        number.waiting.append(attempt)
        self.recorder.note(3, attempt, "waits for the other call to its number")
        if sub_queue.entries:
            self.discipline.offer(sub_queue)

    def _free(self, number: SharedNumber) -> None:
        """The call to a number is over: whoever waited for that has its old place again."""
        number.is_up = False
        number.free_since = self.events.now
        waiting, number.waiting = number.waiting, []
        for attempt in waiting:
            sub_queue = self._sub_queue_of(attempt)
            sub_queue.put_back(attempt)
            self.recorder.note(3, attempt, "has its place again")
            if sub_queue.blockers == 0 and sub_queue.first is attempt:
                self.discipline.offer(sub_queue)
                self.wake()

    def _dispatch(self, sub_queue: SubQueue) -> None:
        now = self.events.now
        attempt = sub_queue.take_first()
        self.discipline.taken(sub_queue, attempt)
        if sub_queue.entries:
            self.discipline.offer(sub_queue)
        attempt.eligible = max(attempt.queued, sub_queue.eligible_since)
        number = attempt.call.number
        if number is not None:
            attempt.eligible = max(attempt.eligible, number.free_since)
            number.is_up = True
        attempt.at_head = self._head_since
        attempt.port_free = max(self._head_since, self.ports.free_since)
        attempt.token_free = max(self._head_since, self.tokens.ready_at)
        attempt.dispatched = now
        self._head = None
        self.ports.busy += 1
        self.tokens.take(now)
        attempt.call.attempts = attempt.attempt
        attempt.call.entry = None
        self.recorder.attempts.begin(attempt)
        self.recorder.note(
            4,
            attempt,
            "dispatched: {} ports busy, a token from {}",
            self.ports.busy,
            self.tokens.ready_at,
        )
        self._count_up(attempt.call.campaign)
        attempt.dispatch.happen()

    def _count_up(self, campaign: CampaignState) -> None:
        """Hold back who has reached a limit with this dispatch."""
        now, tenant = self.events.now, campaign.tenant
        campaign.active += 1
        tenant.active += 1
        if campaign.active == campaign.rules.max_simultaneous:
            self.hold(campaign.sub_queues, LIMIT_RULE)
        if tenant.active == tenant.max_simultaneous:
            self._hold_tenant(campaign)
        if campaign.pace is not None and campaign.rules.paced_at_dispatch:
            campaign.pace.take(now)
            if campaign.pace.ready_at > now:
                self.hold(campaign.sub_queues, PACING_RULE)
                self.events.call(
                    campaign.pace.ready_at,
                    EventClass.CONTROL,
                    call_key(campaign.plan.rank, 0, 0, RELEASE_CAMPAIGN_STEP),
                    lambda: self.release(campaign.sub_queues, PACING_RULE),
                )
        if tenant.bucket is not None:
            tenant.bucket.take(now)
            if tenant.bucket.ready_at > now:
                self._hold_tenant(campaign)
                self.events.call(
                    tenant.bucket.ready_at,
                    EventClass.CONTROL,
                    call_key(campaign.plan.rank, 0, 0, RELEASE_TENANT_STEP),
                    lambda: self._release_tenant(campaign),
                )

    def _hold_tenant(self, campaign: CampaignState) -> None:
        campaign.tenant.blockers += 1
        self.hold(campaign.tenant.sub_queues, LIMIT_RULE)

    def _release_tenant(self, campaign: CampaignState) -> None:
        campaign.tenant.blockers -= 1
        self.release(campaign.tenant.sub_queues, LIMIT_RULE)

    def give_back(self, attempt: Attempt) -> None:
        """An attempt has ended: its port is free, and so is its place under the limits."""
        campaign = attempt.call.campaign
        tenant = campaign.tenant
        if campaign.active == campaign.rules.max_simultaneous:
            self.release(campaign.sub_queues, LIMIT_RULE)
        if tenant.active == tenant.max_simultaneous:
            self._release_tenant(campaign)
        if attempt.call.number is not None:
            self._free(attempt.call.number)
        campaign.active -= 1
        tenant.active -= 1
        self.ports.give_back(self.events.now)
        self.recorder.note(4, attempt, "gives its port back, {} are busy", self.ports.busy)
        if self._head is not None:
            self.wake()
