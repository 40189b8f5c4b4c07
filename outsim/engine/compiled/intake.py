"""Intake (rule 18): which requests the platform takes, and which it refuses at once."""

from __future__ import annotations

from numpy import int64

from outsim.engine.compiled import calls, canceling, events
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.events import (
    ASKS_AGAIN,
    BEGIN,
    ENTERS_QUEUE,
    KINDS,
    LOAD,
    MOVE,
    REQUEST,
    call_key,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    NONE,
    bucket_at,
    call_at,
    campaign_at,
    request_at,
    tenant_at,
)
from outsim.engine.compiled.memory import Row, instant_at, kernel, rare
from outsim.vocabulary import (
    NO_REFUSAL,
    PLATFORM_QUEUE,
    PLATFORM_RATE,
    REFUSED,
    SCHEDULED,
    TENANT_QUEUE,
    TENANT_RATE,
)


@rare
def comes(p: Row, rank: int) -> None:
    """A list, or the next single call of a campaign, comes for the first time."""
    campaign = campaign_at(p.campaigns, rank)
    index = campaign.asking
    row = p.request_count
    p.request_count += 1
    request = request_at(p.requests, row)
    request.campaign = rank
    request.call_id = campaign.first_call + index
    request.came = p.now
    campaign.asking += 1
    if campaign.requests_us == 0:
        campaign.request = row
        events.drop_first(p, AGENDA)
    else:
        while campaign.asking < campaign.size and not is_refusable(campaign, campaign.asking):
            campaign.asking += 1
        if campaign.asking == campaign.size:
            events.drop_first(p, AGENDA)
        else:
            at = instant_at(campaign.requests_us, campaign.asking)
            key = REQUEST | call_key(rank, campaign.asking, 0, 0)
            events.replace_first(p, AGENDA, at, key)
    _ask(p, row)


@kernel
def is_refusable(campaign: Row, index: int) -> bool:
    """Whether a single call is one whose request may be refused."""
    return instant_at(campaign.requests_us, index) >= campaign.refusable_from_us


@rare
def comes_again(p: Row, row: int) -> None:
    """A request that was refused comes again, unless its campaign is over."""
    events.drop_first(p, AGENDA)
    campaign = campaign_at(p.campaigns, request_at(p.requests, row).campaign)
    if _is_over(campaign):
        _give_up(p, campaign, row)
    else:
        _ask(p, row)


@kernel
def _refusal(p: Row, tenant: Row, count: int) -> int:
    """Why a request for so many calls would be refused now; NO_REFUSAL if it would not."""
    if tenant.intake != NONE and bucket_at(p.buckets, tenant.intake).ready_at > p.now:
        return TENANT_RATE
    if p.intake != NONE and bucket_at(p.buckets, p.intake).ready_at > p.now:
        return PLATFORM_RATE
    waiting = tenant.unfinished - tenant.active
    if tenant.queue_limit > 0 and waiting + count > tenant.queue_limit:
        return TENANT_QUEUE
    waiting = p.unfinished - p.ports_busy
    if p.queue_limit > 0 and waiting + count > p.queue_limit:
        return PLATFORM_QUEUE
    return NO_REFUSAL


@rare
def _ask(p: Row, row: int) -> None:
    """Take a request, or refuse it: only what is taken uses up tokens."""
    request = request_at(p.requests, row)
    rank = int64(request.campaign)
    campaign = campaign_at(p.campaigns, rank)
    tenant = tenant_at(p.tenants, campaign.tenant)
    request.tries += 1
    reason = _refusal(p, tenant, campaign.asked_for)
    if reason != NO_REFUSAL:
        request.reason = reason
        _refuse(p, campaign, rank, row)
        return
    if tenant.intake != NONE:
        take(bucket_at(p.buckets, tenant.intake), p.now)
    if p.intake != NONE:
        take(bucket_at(p.buckets, p.intake), p.now)
    request.taken = p.now
    tenant.unfinished += campaign.asked_for
    p.unfinished += campaign.asked_for
    if campaign.requests_us != 0:
        call_at(p.calls, request.call_id).status = SCHEDULED
        index = request.call_id - campaign.first_call
        if campaign.canceling:
            canceling.look_again(p, rank, index)
        at = max(p.now, instant_at(campaign.ready_us, index))
        key = ENTERS_QUEUE | call_key(rank, index, 1, 0)
        events.schedule(p, AGENDA, at, key, MOVE + KINDS * row)
        return
    for at in range(campaign.first_call, campaign.first_call + campaign.size):
        if call_at(p.calls, at).status == REFUSED:
            call_at(p.calls, at).status = SCHEDULED
    events.schedule(p, AGENDA, p.now, REQUEST | call_key(rank, 0, 0, 0), BEGIN + KINDS * rank)


@kernel
def _refuse(p: Row, campaign: Row, rank: int, row: int) -> None:
    """The client of a refused request gives up, or asks again."""
    request = request_at(p.requests, row)
    if _is_over(campaign) or request.tries > campaign.refusals:
        _give_up(p, campaign, row)
        return
    index = request.call_id - campaign.first_call
    place = (request.tries - 1) * campaign.waits_after_refusal
    if campaign.waits_after_refusal > 1:
        place += index
    at = p.now + instant_at(campaign.asks_again_after_us, place)
    key = REQUEST | call_key(rank, index, 0, 0)
    events.schedule(p, AGENDA, at, key, ASKS_AGAIN + KINDS * row)


@kernel
def _is_over(campaign: Row) -> bool:
    """Whether nobody asks for the calls of a campaign any more."""
    return campaign.stopped or campaign.canceling or campaign.expired


@rare
def _give_up(p: Row, campaign: Row, row: int) -> None:
    """The client of a refused request asks no more."""
    first, count = int64(request_at(p.requests, row).call_id), 1
    if campaign.requests_us == 0:
        count = campaign.size
    for at in range(first, first + count):
        call = call_at(p.calls, at)
        if call.status == REFUSED and not call.wedged:
            campaign.unfinished -= 1


@rare
def begin(p: Row, rank: int) -> None:
    """The loader of a list that was taken waits for its first row."""
    events.drop_first(p, AGENDA)
    campaign = campaign_at(p.campaigns, rank)
    if campaign.loading < campaign.size:
        index = calls.loading(campaign)
        at = instant_at(campaign.ready_us, index)
        key = ENTERS_QUEUE | call_key(rank, index, 1, 0)
        events.schedule(p, AGENDA, at, key, LOAD + KINDS * rank)


@rare
def move(p: Row, row: int) -> None:
    """A single call that was taken is ready."""
    events.drop_first(p, AGENDA)
    request = request_at(p.requests, row)
    calls.move(p, int64(request.campaign), int64(request.call_id))
