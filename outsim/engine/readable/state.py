"""Who and what there is: tenants, campaigns, calls, attempts, updates, sub-queues."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

import simpy
from typing_extensions import override

from outsim.clock import MISSING
from outsim.engine.order import FIRST_UPDATE_STEP, STEP_BITS, call_key
from outsim.engine.readable.bucket import TokenBucket
from outsim.engine.readable.events import Event, EventList
from outsim.engine.records import AttemptRecord, CallRecord, UpdateRecord
from outsim.plan import CampaignPlan, TenantPlan
from outsim.tape.draws import PostDraws, UpdateDraws
from outsim.vocabulary import FIRST_FINAL, SCHEDULED


class TenantState:
    """A customer: its sub-queues and its limits."""

    def __init__(self, plan: TenantPlan, rank: int) -> None:
        intake = plan.intake
        self.name = plan.name
        self.rank = rank
        self.weight = plan.weight
        self.guaranteed = plan.guaranteed
        self.max_simultaneous = plan.max_simultaneous
        self.bucket = TokenBucket(plan.dial_rate, 1) if plan.dial_rate else None
        self.intake_tokens = TokenBucket(intake.rate, intake.burst) if intake.rate else None
        self.queue_limit = intake.queue_limit
        self.unfinished = 0
        """Its calls that were taken and have no final status."""
        self.active = 0
        """Its attempts that hold a port."""
        self.blockers = 0
        """Reasons that hold back all its sub-queues, those to come included."""
        self.sub_queues: list[SubQueue] = []

    @property
    def waiting(self) -> int:
        """Its calls that wait to be dialed, be it for their start, in the queue or for a retry."""
        return self.unfinished - self.active


class SharedNumber:
    """A number that several calls of a campaign have, of which one is up at most."""

    def __init__(self) -> None:
        self.is_up = False
        self.free_since = 0
        self.waiting: list[Attempt] = []
        """Attempts that came to the head of the queue while it was up."""


class SubQueue:
    """The queued calls of a campaign that are held back together, in order of entry."""

    def __init__(self, campaign: CampaignState, place: int, priority: int) -> None:
        self.campaign = campaign
        self.place = place
        """Among those of its campaign."""
        self.priority = priority
        """Those of a lower one go first, whenever their calls entered."""
        self.entries: OrderedDict[int, Attempt] = OrderedDict()
        """By the number of their entry, so that one in the middle can leave."""
        self.blockers = 0
        """How many reasons hold it back: suspension, window, limits, pacing at dispatch."""
        self.eligible_since = 0

    def __str__(self) -> str:
        return f"{self.campaign} queue {self.place}"

    @property
    def first(self) -> Attempt:
        """Whoever goes first: has waited longest; only where there are entries."""
        return next(iter(self.entries.values()))

    def add(self, attempt: Attempt) -> None:
        """An attempt enters."""
        self.entries[attempt.sequence] = attempt

    def take_first(self) -> Attempt:
        """Whoever goes first leaves."""
        return self.entries.popitem(last=False)[1]

    def put_back(self, attempt: Attempt) -> None:
        """One that was first and left has its place again, before all that entered later."""
        older = list(takewhile(lambda sequence: sequence < attempt.sequence, self.entries))
        self.entries[attempt.sequence] = attempt
        for sequence in (attempt.sequence, *reversed(older)):
            self.entries.move_to_end(sequence, last=False)


class OrderedSubQueue(SubQueue):
    """The same, of which the lowest goes first by an order of their own; then the oldest."""

    def __init__(
        self,
        campaign: CampaignState,
        place: int,
        priority: int,
        order_of: Callable[[Attempt], Any],
    ) -> None:
        super().__init__(campaign, place, priority)
        self._order_of = order_of
        self._heap: list[tuple[Any, int]] = []

    @property
    @override
    def first(self) -> Attempt:
        while self._heap[0][1] not in self.entries:
            heappop(self._heap)
        return self.entries[self._heap[0][1]]

    @override
    def add(self, attempt: Attempt) -> None:
        super().add(attempt)
        heappush(self._heap, (self._order_of(attempt), attempt.sequence))

    @override
    def put_back(self, attempt: Attempt) -> None:
        self.add(attempt)

    @override
    def take_first(self) -> Attempt:
        return self.entries.pop(self.first.sequence)


class CampaignState:
    """A campaign and its calls."""

    def __init__(self, plan: CampaignPlan, tenant: TenantState) -> None:
        self.plan = plan
        self.rules = plan.rules
        self.tenant = tenant
        self.wedged = plan.contacts.wedged.data
        self.trait = plan.contacts.trait.data
        self.missing_ani = plan.missing_ani.data
        self.zones = plan.zones.data
        self.submitted_us = plan.submitted_at_us.data
        self.expires_us = plan.call_expires_us.data
        shared = plan.shared_number
        self.shared_number = None if shared is None else shared.data
        """Which number of `numbers` each call has; None where none is shared."""
        self.numbers = [SharedNumber() for _ in range(0 if shared is None else shared.max() + 1)]
        statuses = plan.first_statuses.tolist()
        self.calls = [Call(self, index, status) for index, status in enumerate(statuses)]
        tenant.unfinished += statuses.count(SCHEDULED)
        if plan.opening is not None:
            for call in self.calls:
                call.attempts = int(plan.opening.attempts[call.index])
                call.failures = int(plan.opening.failures[call.index])
                call.last_failure_at = int(plan.opening.last_failure_us[call.index])
        accepted = plan.accepted
        self.unfinished = len(accepted) - int(plan.contacts.wedged[accepted].sum())
        """Calls that will still get a final status, if the run is long enough."""
        self.came_to: Counter[tuple[int, int]] = Counter()
        """Attempts by the index of their call and the code of their outcome, if that decides."""
        self.active = 0
        self.stopped = False
        self.canceler: Canceler | None = None
        """Whoever cancels its calls one by one, from the effect of such a stop on."""
        self.expired = False
        self.pace = TokenBucket(plan.rules.pacing_rate, 1) if plan.rules.pacing_rate else None
        self.paced: deque[Attempt] = deque()
        """Attempts that are ready to enter the queue and wait for their pace."""
        self.pacer_awake = False
        self.sub_queues: list[SubQueue] = []
        self.place_of_zone: dict[int, int] = {}
        self._attempts: dict[int, SimpleNamespace] = {}
        self._updates: dict[int, SimpleNamespace] = {}
        self._posts: dict[int, SimpleNamespace] = {}
        self._retry_jitter: dict[int, Any] = {}

    def __str__(self) -> str:
        return f"{self.tenant.name}/{self.plan.name}"

    def attempt_draws(self, attempt: int) -> Any:
        """What the tape says about attempts with this number: views, read call by call."""
        views = self._attempts.get(attempt)
        if views is None:
            draws = self.plan.attempts(attempt)
            columns = {name: draws.rows[name].data for name in draws.rows.dtype.names or ()}
            views = SimpleNamespace(**columns, dial_work_us=draws.dial_work_us.data)
            self._attempts[attempt] = views
        return views

    def update_draws(self, attempt: int) -> Any:
        """The same about updates on attempts with this number."""
        views = self._updates.get(attempt)
        if views is None:
            views = self._updates[attempt] = _views(self.plan.updates(attempt))
        return views

    def retry_jitter(self, attempt: int) -> Any:
        """What it says about the jitter of retries after attempts with this number."""
        view = self._retry_jitter.get(attempt)
        if view is None:
            view = self._retry_jitter[attempt] = self.plan.retry_jitter(attempt).data
        return view

    def post_draws(self, post: int) -> Any:
        """The same about posts with this number."""
        views = self._posts.get(post)
        if views is None:
            views = self._posts[post] = _views(self.plan.posts(post))
        return views


def _views(draws: UpdateDraws | PostDraws) -> SimpleNamespace:
    return SimpleNamespace(**{name: array.data for name, array in vars(draws).items()})


class Canceler:
    """Whoever cancels the calls of one campaign, and how far that has come."""

    def __init__(self, campaign: CampaignState, now: int) -> None:
        rules = campaign.rules
        self.tokens = TokenBucket(rules.cancel_rate, 1, now)
        self.step = -1 if rules.cancels_newest_first else 1
        self.place = len(campaign.calls) - 1 if rules.cancels_newest_first else 0
        """Nothing before this place, on the way through the calls, can be canceled now."""
        self.is_awake = False
        """Whether its next turn is due; else it waits for something to cancel."""

    def look_again(self, index: int) -> None:
        """Have a call looked at again that may be canceled from now on."""
        self.place = max(self.place, index) if self.step < 0 else min(self.place, index)


class Call(CallRecord):
    """One contact's place in a campaign, and where it stands."""

    __slots__ = (
        "_key",
        "call_id",
        "campaign",
        "entry",
        "failures",
        "index",
        "is_wedged",
        "last_failure_at",
        "process",
    )

    def __init__(self, campaign: CampaignState, index: int, status: int) -> None:
        super().__init__(status)
        self.campaign = campaign
        self.index = index
        self.call_id = campaign.plan.first_call_id + index
        """Its number over the whole run."""
        self.is_wedged = bool(campaign.wedged[index])
        """Whether it is accepted, shown as pending, and never dialed."""
        self.failures = 0
        """Attempts that reached the callee and were not answered."""
        self.last_failure_at = MISSING
        self.process: simpy.Process
        self.entry: Attempt | None = None
        """Its attempt that is in the queue."""
        self._key = call_key(campaign.plan.rank, index)

    def __str__(self) -> str:
        return f"{self.campaign} call {self.index}"

    def key(self, number: int = 0, step: int = 0) -> int:
        """Place of one of its events among those of its class."""
        return self._key | number << STEP_BITS | step

    @property
    def number(self) -> SharedNumber | None:
        """Its number, where other calls of its campaign have it too and wait for each other."""
        of_call = self.campaign.shared_number
        place = -1 if of_call is None else of_call[self.index]
        return self.campaign.numbers[place] if place >= 0 else None

    @property
    def is_over(self) -> bool:
        """Whether it has a final status."""
        return self.status >= FIRST_FINAL


class Attempt(AttemptRecord):
    """One dial of a call, from asking for the queue to its end; instants in microseconds."""

    __slots__ = (
        "admitted",
        "at_carrier",
        "call",
        "dial_work",
        "dispatch",
        "ends",
        "key",
        "sequence",
    )

    def __init__(self, call: Call, number: int, events: EventList) -> None:
        super().__init__(call.call_id, number, events.now)
        self.call = call
        self.key = call.key(number)
        self.admitted: Event
        self.dispatch: Event
        self.dial_work: Event
        """What it waits for: its pace, its port and dial token, and the end of its dial work."""
        self.sequence = 0
        """Counts entries into the queue over the whole platform."""
        self.ends = MISSING
        """When it is to end, once it is dialed."""
        self.at_carrier = False
        """Whether it holds one of the carrier's channels."""

    def __str__(self) -> str:
        return f"{self.call} attempt {self.attempt}"

    @property
    def draws(self) -> Any:
        """What the tape says about attempts with its number; they are listed by call."""
        return self.call.campaign.attempt_draws(self.attempt)


class Update(UpdateRecord, Event):
    """One change of status on its way to being visible; it happens once a worker processed it."""

    def __init__(self, call: Call, attempt: int, kind: int, events: EventList) -> None:
        UpdateRecord.__init__(self, call.call_id, attempt, call.status, events.now)
        Event.__init__(self, events.env)
        self.call = call
        self.kind = kind
        """Its place in `UPDATE_KINDS`."""

    def __str__(self) -> str:
        return f"{self.call} update {self.attempt}.{self.kind}"

    @property
    def key(self) -> int:
        """Place of the end of its processing among those of other work."""
        return self.call.key(self.attempt, FIRST_UPDATE_STEP + self.kind)

    @property
    def is_final(self) -> bool:
        """Whether it says how the call ended."""
        return self.status >= FIRST_FINAL
