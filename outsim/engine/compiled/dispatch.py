"""Dispatch (rule 4): the instant at which a port and a dial token are taken together."""

from __future__ import annotations

from numpy import int64

from outsim.clock import MISSING, NEVER
from outsim.engine.compiled import agenda, journal, queue
from outsim.engine.compiled.agenda import (
    CONTROL,
    KINDS,
    RELEASE_CAMPAIGN,
    RELEASE_TENANT,
    call_key,
)
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.layout import (
    AGENDA,
    DRAWS_BYTES,
    NONE,
    attempt_at,
    block_at,
    bucket_at,
    call_at,
    campaign_at,
    lane_at,
    tenant_at,
)
from outsim.engine.compiled.memory import Row, fetch, kernel, number_at, set_number
from outsim.engine.compiled.updates import DIALING_KIND, change
from outsim.engine.order import RELEASE_CAMPAIGN_STEP, RELEASE_TENANT_STEP
from outsim.vocabulary import DIALING, NO_TYPE

DIAL_TOKENS = 0
"""Place of the platform's dial rate among the buckets."""


@kernel
def free_ports(p: Row) -> int:
    """Ports that can be taken; negative while busy ones are due to leave."""
    return max(0, p.port_count - p.ports_out) - p.ports_busy


@kernel
def change_ports(p: Row, out_of_service: int) -> None:
    """Put ports in or out of service."""
    had_free = free_ports(p) > 0
    p.ports_out += out_of_service
    if free_ports(p) > 0 and not had_free:
        p.ports_free_since = p.now
    queue.wake(p, p.now)


@kernel
def look(p: Row) -> None:
    """Dispatch from the head of the queue while port and token allow."""
    p.look_at = NEVER
    tokens = bucket_at(p.buckets, DIAL_TOKENS)
    while True:
        at = queue.head(p)
        if at == NONE:
            p.head_lane = NONE
            return
        lane = lane_at(p.lanes, at)
        if p.head_lane != at or p.head_sequence != lane.order:
            p.head_lane = at
            p.head_sequence = lane.order
            p.head_since = p.now
        if free_ports(p) <= 0:
            return
        if tokens.ready_at > p.now:
            queue.wake(p, tokens.ready_at)
            return
        _dispatch(p, at, lane, tokens)


@kernel
def _dispatch(p: Row, lane_place: int, lane: Row, tokens: Row) -> None:
    at = queue.take(p, lane_place)
    call = call_at(p.calls, at)
    rank = lane.campaign
    campaign = campaign_at(p.campaigns, rank)
    p.free_ports_left -= 1
    port = number_at(p.free_ports, p.free_ports_left)
    attempt = attempt_at(p.ports, port)
    attempt.call = at
    attempt.campaign = rank
    index, number = at - campaign.first_call, int64(call.number)
    attempt.number = number
    attempt.key = call_key(rank, index, number, 0)
    attempt.row = p.dispatches
    p.dispatches += 1
    attempt.dispatched_at = p.now
    attempt.work_started_at = MISSING
    attempt.dialed_at = MISSING
    attempt.ringing_at = MISSING
    attempt.answered_at = MISSING
    attempt.detected_at = MISSING
    attempt.outcome = 0
    attempt.cause = 0
    attempt.callee_type = NO_TYPE
    attempt.under_way = 1
    journal.begin(p, attempt, call, max(call.queued_at, lane.eligible_since), tokens.ready_at)
    p.head_lane = NONE
    p.ports_busy += 1
    take(tokens, p.now)
    call.attempts = call.number
    _count_up(p, rank, campaign)
    change(p, rank, at, number, DIALING, DIALING_KIND, int64(call.lost))
    fetch(block_at(p.blocks, campaign.blocks + number).attempts, index * DRAWS_BYTES)
    set_number(p.dial_work, attempt.row % p.port_count, port)


@kernel
def _count_up(p: Row, rank: int, campaign: Row) -> None:
    """Hold back who has reached a limit with this dispatch."""
    tenant = tenant_at(p.tenants, campaign.tenant)
    campaign.active += 1
    tenant.active += 1
    if campaign.active == campaign.max_simultaneous:
        queue.hold_campaign(p, campaign)
    if tenant.active == tenant.max_simultaneous:
        queue.hold_tenant(p, campaign.tenant)
    if campaign.bucket != NONE and campaign.paced_at_dispatch:
        pacer = bucket_at(p.buckets, campaign.bucket)
        take(pacer, p.now)
        if pacer.ready_at > p.now:
            queue.hold_campaign(p, campaign)
            key = CONTROL | call_key(rank, 0, 0, RELEASE_CAMPAIGN_STEP)
            item = RELEASE_CAMPAIGN + KINDS * rank
            agenda.schedule(p, AGENDA, pacer.ready_at, key, item)
    if tenant.bucket != NONE:
        bucket = bucket_at(p.buckets, tenant.bucket)
        take(bucket, p.now)
        if bucket.ready_at > p.now:
            queue.hold_tenant(p, campaign.tenant)
            key = CONTROL | call_key(rank, 0, 0, RELEASE_TENANT_STEP)
            item = RELEASE_TENANT + KINDS * campaign.tenant
            agenda.schedule(p, AGENDA, bucket.ready_at, key, item)


@kernel
def count_down(p: Row, campaign: Row) -> None:
    """An attempt has ended: its port is free, and so is its place under the limits."""
    tenant = tenant_at(p.tenants, campaign.tenant)
    if campaign.active == campaign.max_simultaneous:
        queue.release_campaign(p, campaign)
    if tenant.active == tenant.max_simultaneous:
        queue.release_tenant(p, campaign.tenant)
    campaign.active -= 1
    tenant.active -= 1
    p.ports_busy -= 1
    if free_ports(p) == 1:
        p.ports_free_since = p.now
    if p.head_lane != NONE:
        queue.wake(p, p.now)
