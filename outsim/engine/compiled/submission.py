"""How calls come into the queue: loading, pacing at admission, retries (rules 1, 2 and 8)."""

from __future__ import annotations

from numpy import int64

from outsim.engine.compiled import agenda, queue
from outsim.engine.compiled.agenda import ADMIT, ENTERS_QUEUE, KINDS, RETRY, call_key
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.layout import AGENDA, CALL_BYTES, NONE, bucket_at, call_at, campaign_at
from outsim.engine.compiled.memory import Row, fetch, instant_at, kernel
from outsim.engine.compiled.updates import QUEUED_KIND, change, lost_updates, withdraw
from outsim.engine.order import ADMIT_STEP
from outsim.vocabulary import CANCELED, EXPIRED, FIRST_FINAL, QUEUED, SCHEDULED, WAITING_RETRY


@kernel
def load(p: Row, rank: int) -> None:
    """The loader of a campaign moves its next call, in list order."""
    campaign = campaign_at(p.campaigns, rank)
    at = campaign.first_call + campaign.loading
    campaign.loading += 1
    while (
        campaign.loading < campaign.size
        and call_at(p.calls, campaign.first_call + campaign.loading).status != SCHEDULED
    ):
        campaign.loading += 1
    if campaign.loading == campaign.size:
        agenda.drop_first(p, AGENDA)
    else:
        key = ENTERS_QUEUE | call_key(rank, campaign.loading, 1, 0)
        agenda.replace_first(p, AGENDA, instant_at(campaign.ready_us, campaign.loading), key)
    if call_at(p.calls, at).status != SCHEDULED:
        return
    if campaign.stopped or campaign.expired:
        # Handed in after the campaign was over: it never gets a place.
        withdraw(p, rank, at, EXPIRED if campaign.expired else CANCELED)
    else:
        _ready(p, rank, at)


@kernel
def _retry_key(p: Row, rank: int, at: int) -> int:
    index = at - campaign_at(p.campaigns, rank).first_call
    return ENTERS_QUEUE | call_key(rank, index, int64(call_at(p.calls, at).number), 0)


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
            agenda.remove(p, AGENDA, item)
        agenda.schedule(p, AGENDA, call.ready_at, _retry_key(p, rank, at), item)


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
def retry_is_due(p: Row, rank: int) -> None:
    """The first of the calls that wait for their retry asks for the queue."""
    campaign = campaign_at(p.campaigns, rank)
    at = campaign.first_retry
    campaign.first_retry = call_at(p.calls, at).next
    if campaign.before_last_retries == at:
        campaign.before_last_retries = NONE
    if campaign.first_retry == NONE:
        campaign.last_retry = NONE
        agenda.drop_first(p, AGENDA)
    else:
        following = campaign.first_retry
        after = call_at(p.calls, following).next
        if after != NONE:
            fetch(p.calls, after * CALL_BYTES)
        key = _retry_key(p, rank, following)
        agenda.replace_first(p, AGENDA, call_at(p.calls, following).ready_at, key)
    _ready(p, rank, at)


@kernel
def _ready(p: Row, rank: int, at: int) -> None:
    campaign, call = campaign_at(p.campaigns, rank), call_at(p.calls, at)
    if call.status >= FIRST_FINAL:
        return
    call.ready_at = p.now
    if campaign.bucket == NONE or campaign.paced_at_dispatch:
        _enter(p, rank, at)
        return
    call.next = NONE
    if campaign.first_paced == NONE:
        campaign.first_paced = at
    else:
        call_at(p.calls, campaign.last_paced).next = at
    campaign.last_paced = at
    if not campaign.pacer_awake:
        admit(p, rank)


@kernel
def admit(p: Row, rank: int) -> None:
    """Let in whoever has waited longest, as fast as the pace allows."""
    campaign = campaign_at(p.campaigns, rank)
    bucket = bucket_at(p.buckets, campaign.bucket)
    campaign.pacer_awake = 0
    while campaign.first_paced != NONE:
        at = campaign.first_paced
        call = call_at(p.calls, at)
        if call.status < FIRST_FINAL:
            if bucket.ready_at > p.now:
                campaign.pacer_awake = 1
                index = at - campaign.first_call
                key = ENTERS_QUEUE | call_key(rank, index, int64(call.number), ADMIT_STEP)
                agenda.schedule(p, AGENDA, bucket.ready_at, key, ADMIT + KINDS * rank)
                return
            take(bucket, p.now)
        campaign.first_paced = call.next
        if call.status < FIRST_FINAL:
            _enter(p, rank, at)


@kernel
def _enter(p: Row, rank: int, at: int) -> None:
    call = call_at(p.calls, at)
    attempt = int64(call.number)
    lost = lost_updates(p, campaign_at(p.campaigns, rank), at, attempt)
    call.lost = lost
    change(p, rank, at, attempt, QUEUED, QUEUED_KIND, lost)
    if not call.wedged:
        queue.enter(p, at)


@kernel
def withdraw_all(p: Row, rank: int, status: int, retries: bool, queued: bool) -> None:
    """Give the calls that this reaches a final status, in list order."""
    campaign = campaign_at(p.campaigns, rank)
    for index in range(campaign.size):
        call = call_at(p.calls, campaign.first_call + index)
        submitted_us = campaign.submitted_us
        if campaign.requests_us != 0:
            submitted_us = instant_at(campaign.requests_us, index)
        if (
            (call.status == SCHEDULED and submitted_us <= p.now)
            or (call.status == WAITING_RETRY and retries)
            or (call.status == QUEUED and queued and not call.wedged)
        ):
            withdraw(p, rank, campaign.first_call + index, status)
    if queued:
        queue.clear(p, campaign)
