"""Intake (rule 18): which requests the platform takes, and which it refuses at once."""

from __future__ import annotations

from collections.abc import Mapping

from outsim.engine.order import EventClass, call_key
from outsim.engine.readable.bucket import TokenBucket
from outsim.engine.readable.events import Event, EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Call, CampaignState, TenantState
from outsim.engine.records import RequestRecord
from outsim.plan.model import IntakePlan
from outsim.vocabulary import (
    NO_REFUSAL,
    PLATFORM_QUEUE,
    PLATFORM_RATE,
    REFUSAL_REASONS,
    SCHEDULED,
    TENANT_QUEUE,
    TENANT_RATE,
)


class Request(RequestRecord):
    """A list, or a single call, that asks to be taken."""

    __slots__ = ("calls", "campaign", "index")

    def __init__(self, campaign: CampaignState, calls: list[Call], now: int) -> None:
        self.campaign = campaign
        self.calls = calls
        """Those that can be dialed."""
        self.index = 0 if campaign.plan.is_list else calls[0].index
        super().__init__(campaign.plan.first_call_id + self.index, now)

    def __str__(self) -> str:
        return f"{self.campaign} request {self.index}"

    @property
    def is_given_up(self) -> bool:
        """Whether its client asks no more."""
        campaign = self.campaign
        is_over = campaign.stopped or campaign.canceler is not None or campaign.expired
        return is_over or self.tries > len(campaign.rules.asks_again_us)

    @property
    def wait_us(self) -> int:
        """How long its client waits before it asks again."""
        waits = self.campaign.plan.asks_again_after_us[self.tries - 1]
        return int(waits[self.index if len(waits) > 1 else 0])


class Intake:
    """Looks at each request as it comes, and takes all of it or nothing."""

    def __init__(
        self,
        events: EventList,
        recorder: Recorder,
        plan: IntakePlan,
        tenants: Mapping[str, TenantState],
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.queue_limit = plan.queue_limit
        self.tokens = TokenBucket(plan.rate, plan.burst) if plan.rate else None
        self.tenants = tenants

    def comes(self, request: Request, at: int) -> Event:
        """What happens when a request comes, for the first time or again."""
        key = call_key(request.campaign.plan.rank, request.index)
        return self.events.at(at, EventClass.REQUEST, key)

    def refusal(self, tenant: TenantState, calls: int, now: int) -> int:
        """Why a request for so many calls would be refused now; NO_REFUSAL if it would not."""
        if tenant.intake_tokens is not None and tenant.intake_tokens.ready_at > now:
            return TENANT_RATE
        if self.tokens is not None and self.tokens.ready_at > now:
            return PLATFORM_RATE
        if tenant.queue_limit and tenant.waiting + calls > tenant.queue_limit:
            return TENANT_QUEUE
        if self.queue_limit and self._waiting + calls > self.queue_limit:
            return PLATFORM_QUEUE
        return NO_REFUSAL

    @property
    def _waiting(self) -> int:
        return sum(tenant.waiting for tenant in self.tenants.values())

    def takes(self, request: Request) -> bool:
        """Take a request, or refuse it: only what is taken uses up tokens."""
        tenant, now = request.campaign.tenant, self.events.now
        if request.tries == 0:
            self.recorder.requests.begin(request)
        request.tries += 1
        reason = self.refusal(tenant, len(request.calls), now)
        if reason != NO_REFUSAL:
            request.reason = reason
            self.recorder.note(
                18, request, "is refused, try {}: {}", request.tries, REFUSAL_REASONS[reason]
            )
            return False
        for tokens in (tenant.intake_tokens, self.tokens):
            if tokens is not None:
                tokens.take(now)
        request.taken = now
        tenant.unfinished += len(request.calls)
        for call in request.calls:
            call.status = SCHEDULED
            if call.campaign.canceler is not None:
                call.campaign.canceler.look_again(call.index)
        self.recorder.requests.settle(request)
        self.recorder.note(18, request, "is taken, try {}", request.tries)
        return True

    def give_up(self, request: Request) -> None:
        """The client of a refused request asks no more."""
        self.recorder.note(18, request, "is given up")
        request.campaign.unfinished -= sum(not call.is_wedged for call in request.calls)
        self.recorder.requests.settle(request)
