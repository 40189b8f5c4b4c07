"""Pacing at admission (rule 2): attempts enter the queue at the pace of their campaign."""

from __future__ import annotations

from numpy import int64

from outsim.engine.compiled import events, queue
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.events import ADMIT, ENTERS_QUEUE, KINDS, call_key
from outsim.engine.compiled.layout import AGENDA, NONE, bucket_at, call_at, campaign_at
from outsim.engine.compiled.memory import Row, kernel
from outsim.engine.compiled.updates import change, lost_updates
from outsim.engine.order import ADMIT_STEP
from outsim.vocabulary import FIRST_FINAL, QUEUED


@kernel
def admit(p: Row, rank: int, at: int) -> None:
    """An attempt may enter the queue once its pace lets it in."""
    campaign = campaign_at(p.campaigns, rank)
    call_at(p.calls, at).next = NONE
    if campaign.first_paced == NONE:
        campaign.first_paced = at
    else:
        call_at(p.calls, campaign.last_paced).next = at
    campaign.last_paced = at
    if not campaign.pacer_awake:
        let_in(p, rank)


@kernel
def let_in(p: Row, rank: int) -> None:
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
                events.schedule(p, AGENDA, bucket.ready_at, key, ADMIT + KINDS * rank)
                return
            take(bucket, p.now)
        campaign.first_paced = call.next
        if call.status < FIRST_FINAL:
            enter(p, rank, at)


@kernel
def enter(p: Row, rank: int, at: int) -> None:
    """An attempt enters the queue now."""
    call = call_at(p.calls, at)
    attempt = int64(call.number)
    lost = lost_updates(p, campaign_at(p.campaigns, rank), at, attempt)
    call.lost = lost
    change(p, rank, at, attempt, QUEUED, lost)
    if not call.wedged:
        queue.enter(p, at)
