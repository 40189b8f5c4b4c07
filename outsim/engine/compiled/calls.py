"""The life of a call, in order: loaded, admitted, queued, dispatched, dialed, answered, ended.

It is told by the steps between which others act: `load`, `go_on`, `retry`.
"""

from __future__ import annotations

from numpy import int64

from outsim.engine.compiled import (
    canceling,
    carrier,
    connection,
    events,
    pacing,
    queue,
    recorder,
    retries,
)
from outsim.engine.compiled.events import (
    ATTEMPT_ENDS,
    CONTROL,
    ENTERS_QUEUE,
    KINDS,
    OTHER,
    RETRY,
    RETRY_OF_CALL,
    call_key,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    CALL_BYTES,
    COURSES,
    NONE,
    attempt_at,
    call_at,
    campaign_at,
)
from outsim.engine.compiled.memory import Row, fetch, instant_at, kernel, rare, set_number
from outsim.engine.compiled.updates import change, withdraw
from outsim.engine.order import EXPIRY_STEP
from outsim.vocabulary import (
    ANSWERED,
    CALLEE_FAILURES,
    CANCELED,
    COMPLETED,
    CONNECTED,
    EXPIRED,
    FAILED,
    FIRST_FINAL,
    QUEUED,
    RETRIED,
    SCHEDULED,
    WAITING_RETRY,
)


@kernel
def load(p: Row, rank: int) -> None:
    """The loader of a campaign moves its next call, in list order or in that of schedules."""
    campaign = campaign_at(p.campaigns, rank)
    at = campaign.first_call + loading(campaign)
    campaign.loading += 1
    while campaign.loading < campaign.size and not _is_to_load(p, campaign):
        campaign.loading += 1
    if campaign.loading == campaign.size:
        events.drop_first(p, AGENDA)
    else:
        index = loading(campaign)
        key = ENTERS_QUEUE | call_key(rank, index, 1, 0)
        events.replace_first(p, AGENDA, instant_at(campaign.ready_us, index), key)
    move(p, rank, at)


@kernel
def _is_to_load(p: Row, campaign: Row) -> bool:
    """Whether the loader has anything to do with the call that it stands at."""
    index = loading(campaign)
    if call_at(p.calls, campaign.first_call + index).status != SCHEDULED:
        return False
    is_list = campaign.requests_us == 0
    return is_list or instant_at(campaign.requests_us, index) < campaign.refusable_from_us


@kernel
def move(p: Row, rank: int, at: int) -> None:
    """Have a call begin to live, unless it was withdrawn before."""
    campaign = campaign_at(p.campaigns, rank)
    if call_at(p.calls, at).status != SCHEDULED:
        return
    expired = campaign.expired or (
        campaign.own_expires_us != 0
        and p.now >= instant_at(campaign.own_expires_us, at - campaign.first_call)
    )
    if campaign.stopped or expired:
        # Taken after it was over: it never gets a place.
        withdraw(p, rank, at, EXPIRED if expired else CANCELED)
    else:
        _make(p, rank, at)
        if campaign.canceling:
            canceling.wake(p, rank, at - campaign.first_call)


@kernel
def loading(campaign: Row) -> int:
    """Index of the call that the loader waits for."""
    if campaign.loading_order == 0:
        place: int = campaign.loading
        return place
    return instant_at(campaign.loading_order, campaign.loading)


@rare
def expire(p: Row, rank: int) -> None:
    """The next of the calls of a campaign that expire one by one does so (rule 16)."""
    campaign = campaign_at(p.campaigns, rank)
    at = campaign.first_call + expiring(campaign)
    campaign.expiring += 1
    if campaign.expiring == campaign.expiries:
        events.drop_first(p, AGENDA)
    else:
        index = expiring(campaign)
        key = CONTROL | call_key(rank, index, 0, EXPIRY_STEP)
        events.replace_first(p, AGENDA, instant_at(campaign.own_expires_us, index), key)
    call = call_at(p.calls, at)
    in_queue = call.status == QUEUED and not call.wedged
    if in_queue or call.status == SCHEDULED or call.status == WAITING_RETRY:
        withdraw(p, rank, at, EXPIRED)
    if in_queue:
        queue.leave(p, at)


@kernel
def expiring(campaign: Row) -> int:
    """Index of the call that expires next."""
    return instant_at(campaign.expiry_order, campaign.expiring)


@kernel
def _make(p: Row, rank: int, at: int) -> None:
    """A call asks for the queue, for its next attempt."""
    campaign, call = campaign_at(p.campaigns, rank), call_at(p.calls, at)
    if call.status >= FIRST_FINAL:
        return
    call.ready_at = p.now
    if campaign.bucket == NONE or campaign.paced_at_dispatch:
        pacing.enter(p, rank, at)
    else:
        pacing.admit(p, rank, at)


@kernel
def go_on(p: Row) -> None:
    """The first of the attempts at the carrier is answered, or ends."""
    entry = events.first_of(p, COURSES)
    port = entry.item
    attempt = attempt_at(p.ports, port)
    if entry.order >= OTHER:
        events.replace_first(p, COURSES, attempt.ends_at, ATTEMPT_ENDS | attempt.key)
        _change(p, attempt, CONNECTED)
    else:
        events.drop_first(p, COURSES)
        _end(p, port)


@kernel
def _change(p: Row, attempt: Row, status: int) -> None:
    rank, at, number = int64(attempt.campaign), int64(attempt.call), int64(attempt.number)
    change(p, rank, at, number, status, int64(call_at(p.calls, at).lost))


@kernel
def cut_off(p: Row, port: int) -> None:
    """An attempt at the carrier is cut off (rule 13): so it ends."""
    events.remove(p, COURSES, port)
    connection.cut_off(p, attempt_at(p.ports, port))
    _end(p, port)


@kernel
def _end(p: Row, port: int) -> None:
    """The attempt is over: free what it held, and decide what becomes of the call."""
    attempt = attempt_at(p.ports, port)
    attempt.under_way = 0
    campaign, call = campaign_at(p.campaigns, attempt.campaign), call_at(p.calls, attempt.call)
    carrier.hang_up(p, attempt)
    set_number(p.free_ports, p.free_ports_left, port)
    p.free_ports_left += 1
    if p.holds_numbers:
        queue.free_number(p, int64(attempt.call))
    queue.give_back(p, campaign)
    recorder.end(p, attempt)
    if attempt.outcome in CALLEE_FAILURES:
        call.failures += 1
        call.last_failure_at = p.now
    if campaign.retry_intervals != 0:
        retries.count(p, campaign, int64(attempt.call), int64(attempt.outcome))
    status = next_status(p, attempt, campaign)
    _change(p, attempt, status)
    if status == WAITING_RETRY:
        if campaign.canceling:
            canceling.wake(p, int64(attempt.campaign), attempt.call - campaign.first_call)
        if campaign.retry_intervals == 0:
            retry(p, int64(attempt.campaign), int64(attempt.call), attempt.number + 1)
        else:
            _retry_by_outcome(p, attempt, campaign)


@kernel
def next_status(p: Row, attempt: Row, campaign: Row) -> int:
    """What ended the call, or a wait for its retry (rules 8, 9 and 12)."""
    if attempt.outcome in ANSWERED:
        return COMPLETED
    if attempt.outcome not in RETRIED or attempt.number > campaign.max_retry:
        return FAILED
    if campaign.retry_intervals != 0 and not retries.is_left(
        p, campaign, int64(attempt.call), int64(attempt.outcome)
    ):
        return FAILED
    if campaign.expired or (
        campaign.own_expires_us != 0
        and p.now > instant_at(campaign.own_expires_us, attempt.call - campaign.first_call)
    ):
        return EXPIRED
    if campaign.stopped and campaign.stop_cancels_retries:
        return CANCELED
    return WAITING_RETRY


@kernel
def retry(p: Row, rank: int, at: int, attempt: int) -> None:
    """Have a call ask for the queue again after its retry interval.

    The interval is the same for all, so calls stand in the order in which they ended; those
    that ended at one instant in the order of their keys, whatever ended them.
    """
    campaign, call = campaign_at(p.campaigns, rank), call_at(p.calls, at)
    call.number = attempt
    call.ready_at = p.now + campaign.retry_interval_us
    before = campaign.last_retry
    if before != NONE and call_at(p.calls, before).ready_at == call.ready_at:
        if before > at:
            before = _last_before(p, campaign, at)
    elif before != NONE:
        campaign.before_last_retries = before
    if before == NONE:
        call.next = campaign.first_retry
        campaign.first_retry = at
    else:
        call.next = call_at(p.calls, before).next
        call_at(p.calls, before).next = at
    if call.next == NONE:
        campaign.last_retry = at
    if before == NONE:
        item = RETRY + KINDS * rank
        if call.next != NONE:
            events.remove(p, AGENDA, item)
        events.schedule(p, AGENDA, call.ready_at, _retry_key(p, rank, at), item)


@rare
def _retry_by_outcome(p: Row, attempt: Row, campaign: Row) -> None:
    """Have a call ask for the queue again when its outcome says, each at an instant of its own."""
    rank, at = int64(attempt.campaign), int64(attempt.call)
    call, number, outcome = call_at(p.calls, at), int64(attempt.number), int64(attempt.outcome)
    call.number = number + 1
    due = p.now + retries.wait_us(p, campaign, at, number, outcome)
    events.schedule(p, AGENDA, due, _retry_key(p, rank, at), RETRY_OF_CALL + KINDS * at)


@rare
def retry_of_call_is_due(p: Row, at: int) -> None:
    """A call whose outcome decided how long it waits asks for the queue."""
    events.drop_first(p, AGENDA)
    _make(p, int64(call_at(p.calls, at).campaign), at)


@kernel
def _retry_key(p: Row, rank: int, at: int) -> int:
    index = at - campaign_at(p.campaigns, rank).first_call
    return ENTERS_QUEUE | call_key(rank, index, int64(call_at(p.calls, at).number), 0)


@kernel
def _last_before(p: Row, campaign: Row, at: int) -> int:
    """The call that `at` stands behind, among those that are ready at its instant."""
    ready_at = call_at(p.calls, at).ready_at
    before = campaign.before_last_retries
    following = campaign.first_retry if before == NONE else call_at(p.calls, before).next
    while following != NONE:
        call = call_at(p.calls, following)
        if call.ready_at == ready_at and following > at:
            break
        before = following
        following = call.next
    return before


@kernel
def first_retry(p: Row, rank: int) -> int:
    """The call whose wait for its retry ends first."""
    return campaign_at(p.campaigns, rank).first_retry


@kernel
def retry_is_due(p: Row, rank: int) -> None:
    """The first of the calls that wait for their retry asks for the queue."""
    campaign = campaign_at(p.campaigns, rank)
    at = first_retry(p, rank)
    campaign.first_retry = call_at(p.calls, at).next
    if campaign.before_last_retries == at:
        campaign.before_last_retries = NONE
    if campaign.first_retry == NONE:
        campaign.last_retry = NONE
        events.drop_first(p, AGENDA)
    else:
        following = campaign.first_retry
        after = call_at(p.calls, following).next
        if after != NONE:
            fetch(p.calls, after * CALL_BYTES)
        key = _retry_key(p, rank, following)
        events.replace_first(p, AGENDA, call_at(p.calls, following).ready_at, key)
    _make(p, rank, at)
