"""The outbound queue (rule 3) and dispatch from it (rule 4).

One queue for all tenants, made of sub-queues. A call that is held back keeps its
entry time and place and blocks nobody. Dispatch is the instant at which a port and
a dial token are taken together.
"""

from __future__ import annotations

from numpy import int64

from outsim.clock import MISSING, NEVER
from outsim.engine.compiled import by_expiry, disciplines, events, numbers, ports, recorder
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.events import (
    CONTROL,
    KINDS,
    RELEASE_CAMPAIGN,
    RELEASE_TENANT,
    call_key,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    CALL_BYTES,
    DRAWS_BYTES,
    NONE,
    attempt_at,
    block_at,
    bucket_at,
    call_at,
    campaign_at,
    shared_number_at,
    sub_queue_at,
    tenant_at,
)
from outsim.engine.compiled.memory import Row, fetch, kernel, number_at, rare, set_number
from outsim.engine.compiled.updates import change
from outsim.engine.order import RELEASE_CAMPAIGN_STEP, RELEASE_TENANT_STEP
from outsim.vocabulary import DIALING, FIRST_FINAL, NO_TYPE

DIAL_TOKENS = 0
"""Place of the platform's dial rate among the buckets."""


@kernel
def enter(p: Row, at: int) -> None:
    """Put a call at the tail of its sub-queue."""
    call = call_at(p.calls, at)
    place = _sub_queue_of(p, campaign_at(p.campaigns, call.campaign), call)
    sub_queue = sub_queue_at(p.sub_queues, place)
    call.queued_at = p.now
    call.sequence = p.sequence
    call.next = NONE
    p.sequence += 1
    if p.by_expiry:
        _enter_by_expiry(p, place, sub_queue, at)
        return
    if sub_queue.first != NONE:
        call_at(p.calls, sub_queue.last).next = at
        sub_queue.last = at
        return
    sub_queue.first = at
    sub_queue.last = at
    if sub_queue.blockers == 0:
        disciplines.offer(p, place)
        wake(p, p.now)


@rare
def _enter_by_expiry(p: Row, place: int, sub_queue: Row, at: int) -> None:
    before = sub_queue.first
    sub_queue.first = by_expiry.add(p, place, at)
    if sub_queue.first == at and sub_queue.blockers == 0:
        if before == NONE:
            disciplines.offer(p, place)
        else:
            disciplines.goes_sooner(p, place)
        wake(p, p.now)


@kernel
def _sub_queue_of(p: Row, campaign: Row, call: Row) -> int:
    """Lane that a call waits in: by its zone, and by whether it is a retry."""
    place = number_at(campaign.place_of_zone, call.zone)
    if p.retries_last and call.number > 1:
        place += campaign.zones
    return campaign.first_sub_queue + place


@kernel
def hold(p: Row, first: int, count: int) -> None:
    """Add a reason to hold these sub-queues back."""
    for at in range(first, first + count):
        sub_queue = sub_queue_at(p.sub_queues, at)
        sub_queue.blockers += 1
        if sub_queue.blockers == 1 and sub_queue.first != NONE:
            disciplines.withdraw(p, at)
            wake(p, p.now)


@kernel
def release(p: Row, first: int, count: int) -> None:
    """Take a reason to hold these sub-queues back away again."""
    for at in range(first, first + count):
        sub_queue = sub_queue_at(p.sub_queues, at)
        sub_queue.blockers -= 1
        if sub_queue.blockers == 0:
            sub_queue.eligible_since = p.now
            if sub_queue.first != NONE:
                disciplines.offer(p, at)
                wake(p, p.now)


@kernel
def clear(p: Row, campaign: Row) -> None:
    """Take all calls of a campaign off the queue."""
    for at in range(campaign.first_sub_queue, campaign.first_sub_queue + campaign.sub_queues):
        sub_queue = sub_queue_at(p.sub_queues, at)
        if sub_queue.first != NONE:
            if sub_queue.blockers == 0:
                disciplines.withdraw(p, at)
            sub_queue.first = NONE
            if p.by_expiry:
                by_expiry.clear(p, at)
            wake(p, p.now)


@rare
def leave(p: Row, at: int) -> None:
    """Take a call that has got its final status off the queue, wherever it stands there.

    One in the middle stays linked, and is passed over when those before it have gone.
    """
    call = call_at(p.calls, at)
    place = _sub_queue_of(p, campaign_at(p.campaigns, call.campaign), call)
    sub_queue = sub_queue_at(p.sub_queues, place)
    if sub_queue.first != at:
        return
    sub_queue.first = _following(p, place, at)
    if sub_queue.blockers == 0:
        disciplines.passed_on(p, place)
        wake(p, p.now)


@kernel
def _following(p: Row, place: int, at: int) -> int:
    """The call that comes first once `at` has gone, and is still queued; NONE if none is."""
    if p.by_expiry:
        return by_expiry.drop_first(p, place)
    following: int = call_at(p.calls, at).next
    while following != NONE and call_at(p.calls, following).status >= FIRST_FINAL:
        following = call_at(p.calls, following).next
    return following


@kernel
def wake(p: Row, at: int) -> None:
    """Have the dispatcher look at the head of the queue at the end of this instant."""
    p.look_at = min(p.look_at, at)


@kernel
def look(p: Row) -> None:
    """Dispatch from the head of the queue while port and token allow."""
    p.look_at = NEVER
    tokens = bucket_at(p.buckets, DIAL_TOKENS)
    while True:
        at = disciplines.head(p)
        if at == NONE:
            p.head_sub_queue = NONE
            return
        sub_queue = sub_queue_at(p.sub_queues, at)
        if p.holds_numbers and numbers.is_up(p, sub_queue.first):
            _set_aside(p, at, sub_queue)
            continue
        if p.head_sub_queue != at or p.head_call != sub_queue.first:
            p.head_sub_queue = at
            p.head_call = sub_queue.first
            p.head_since = p.now
        if ports.free(p) <= 0:
            return
        if tokens.ready_at > p.now:
            wake(p, tokens.ready_at)
            return
        _dispatch(p, at, sub_queue, tokens)


@rare
def _set_aside(p: Row, place: int, sub_queue: Row) -> None:
    """Hold back a call that another one to its number keeps waiting: it blocks nobody."""
    at = sub_queue.first
    number = shared_number_at(p.numbers, numbers.of_call(p, at))
    sub_queue.first = _following(p, place, at)
    call_at(p.calls, at).next = number.first_waiting
    number.first_waiting = at
    disciplines.passed_on(p, place)


@rare
def free_number(p: Row, at: int) -> None:
    """The call to a number is over: whoever waited for that has its old place again."""
    place = numbers.of_call(p, at)
    if place == NONE:
        return
    number = shared_number_at(p.numbers, place)
    number.is_up = 0
    number.free_since = p.now
    waiting = int64(number.first_waiting)
    number.first_waiting = NONE
    while waiting != NONE:
        following = int64(call_at(p.calls, waiting).next)
        # One that has left the queue meanwhile is over.
        if call_at(p.calls, waiting).status < FIRST_FINAL:
            _put_back(p, waiting)
        waiting = following


@rare
def _put_back(p: Row, at: int) -> None:
    """A call that was first and left has its place again, before all that entered later."""
    call = call_at(p.calls, at)
    place = _sub_queue_of(p, campaign_at(p.campaigns, call.campaign), call)
    sub_queue = sub_queue_at(p.sub_queues, place)
    if p.by_expiry:
        _enter_by_expiry(p, place, sub_queue, at)
        return
    first = sub_queue.first
    if first != NONE and call_at(p.calls, first).sequence < call.sequence:
        _put_behind(p, sub_queue, first, at)
        return
    call.next = first
    sub_queue.first = at
    if first == NONE:
        sub_queue.last = at
    if sub_queue.blockers == 0:
        if first == NONE:
            disciplines.offer(p, place)
        else:
            disciplines.goes_sooner(p, place)
        wake(p, p.now)


@kernel
def _put_behind(p: Row, sub_queue: Row, before: int, at: int) -> None:
    call = call_at(p.calls, at)
    following: int = call_at(p.calls, before).next
    while following != NONE and call_at(p.calls, following).sequence < call.sequence:
        before = following
        following = call_at(p.calls, before).next
    call.next = following
    call_at(p.calls, before).next = at
    if following == NONE:
        sub_queue.last = at


@kernel
def _dispatch(p: Row, place: int, sub_queue: Row, tokens: Row) -> None:
    at = _take_first(p, place)
    call = call_at(p.calls, at)
    rank = sub_queue.campaign
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
    eligible_at = max(call.queued_at, sub_queue.eligible_since)
    if p.holds_numbers:
        eligible_at = max(eligible_at, numbers.take(p, at))
    recorder.begin(p, attempt, call, eligible_at, tokens.ready_at)
    p.head_sub_queue = NONE
    p.ports_busy += 1
    take(tokens, p.now)
    call.attempts = call.number
    _count_up(p, rank, campaign)
    change(p, rank, at, number, DIALING, int64(call.lost))
    fetch(block_at(p.blocks, campaign.blocks + number).attempts, index * DRAWS_BYTES)
    set_number(p.dial_work, attempt.row % p.port_count, port)


@kernel
def _take_first(p: Row, at: int) -> int:
    """Take the first call of an offered sub-queue off the queue."""
    sub_queue = sub_queue_at(p.sub_queues, at)
    first = sub_queue.first
    sub_queue.first = _following(p, at, first)
    if sub_queue.first != NONE:
        following = call_at(p.calls, sub_queue.first).next
        if following != NONE:
            fetch(p.calls, following * CALL_BYTES)
    disciplines.taken(p, at)
    return first


@kernel
def _count_up(p: Row, rank: int, campaign: Row) -> None:
    """Hold back who has reached a limit with this dispatch."""
    tenant = tenant_at(p.tenants, campaign.tenant)
    campaign.active += 1
    tenant.active += 1
    if campaign.active == campaign.max_simultaneous:
        hold_campaign(p, campaign)
    if tenant.active == tenant.max_simultaneous:
        hold_tenant(p, campaign.tenant)
    if campaign.bucket != NONE and campaign.paced_at_dispatch:
        pacer = bucket_at(p.buckets, campaign.bucket)
        take(pacer, p.now)
        if pacer.ready_at > p.now:
            hold_campaign(p, campaign)
            key = CONTROL | call_key(rank, 0, 0, RELEASE_CAMPAIGN_STEP)
            item = RELEASE_CAMPAIGN + KINDS * rank
            events.schedule(p, AGENDA, pacer.ready_at, key, item)
    if tenant.bucket != NONE:
        bucket = bucket_at(p.buckets, tenant.bucket)
        take(bucket, p.now)
        if bucket.ready_at > p.now:
            hold_tenant(p, campaign.tenant)
            key = CONTROL | call_key(rank, 0, 0, RELEASE_TENANT_STEP)
            item = RELEASE_TENANT + KINDS * campaign.tenant
            events.schedule(p, AGENDA, bucket.ready_at, key, item)


@kernel
def hold_campaign(p: Row, campaign: Row) -> None:
    """Hold back all sub-queues of a campaign."""
    hold(p, campaign.first_sub_queue, campaign.sub_queues)


@kernel
def release_campaign(p: Row, campaign: Row) -> None:
    """Release all sub-queues of a campaign."""
    release(p, campaign.first_sub_queue, campaign.sub_queues)


@kernel
def hold_tenant(p: Row, rank: int) -> None:
    """Hold back all sub-queues of a tenant."""
    tenant = tenant_at(p.tenants, rank)
    hold(p, tenant.first_sub_queue, tenant.sub_queues)


@kernel
def release_tenant(p: Row, rank: int) -> None:
    """Release all sub-queues of a tenant."""
    tenant = tenant_at(p.tenants, rank)
    release(p, tenant.first_sub_queue, tenant.sub_queues)


@kernel
def give_back(p: Row, campaign: Row) -> None:
    """An attempt has ended: its port is free, and so is its place under the limits."""
    tenant = tenant_at(p.tenants, campaign.tenant)
    if campaign.active == campaign.max_simultaneous:
        release_campaign(p, campaign)
    if tenant.active == tenant.max_simultaneous:
        release_tenant(p, campaign.tenant)
    campaign.active -= 1
    tenant.active -= 1
    ports.give_back(p)
    if p.head_sub_queue != NONE:
        wake(p, p.now)
