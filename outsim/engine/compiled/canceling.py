"""A stop by calls (rule 19): the calls of a campaign are canceled one by one, at a rate."""

from __future__ import annotations

from outsim.engine.compiled import events, queue
from outsim.engine.compiled.bucket import take
from outsim.engine.compiled.events import CANCEL, CONTROL, KINDS, call_key
from outsim.engine.compiled.layout import (
    AGENDA,
    NONE,
    bucket_at,
    call_at,
    campaign_at,
    canceler_at,
)
from outsim.engine.compiled.memory import Row, instant_at, kernel, rare
from outsim.engine.compiled.updates import withdraw
from outsim.engine.order import CANCEL_STEP
from outsim.vocabulary import CANCELED, QUEUED, SCHEDULED, WAITING_RETRY


@rare
def begin(p: Row, rank: int) -> None:
    """A stop by calls takes effect: the first call is canceled at once."""
    campaign, canceler = campaign_at(p.campaigns, rank), canceler_at(p.cancelers, rank)
    campaign.canceling = 1
    tokens = bucket_at(p.cancel_tokens, rank)
    tokens.level = tokens.capacity
    tokens.at = p.now
    tokens.ready_at = p.now
    canceler.place = campaign.size - 1 if canceler.step < 0 else 0
    turn(p, rank)


@rare
def look_again(p: Row, rank: int, index: int) -> None:
    """Have a call looked at again that may be canceled from now on."""
    canceler = canceler_at(p.cancelers, rank)
    if canceler.step < 0:
        canceler.place = max(canceler.place, index)
    else:
        canceler.place = min(canceler.place, index)


@rare
def wake(p: Row, rank: int, index: int) -> None:
    """A call has come in, or waits for its retry, while its campaign is being canceled."""
    look_again(p, rank, index)
    if not canceler_at(p.cancelers, rank).is_awake:
        _next_turn(p, rank, max(p.now, bucket_at(p.cancel_tokens, rank).ready_at))


@kernel
def _next_turn(p: Row, rank: int, at: int) -> None:
    canceler_at(p.cancelers, rank).is_awake = 1
    key = CONTROL | call_key(rank, 0, 0, CANCEL_STEP)
    events.schedule(p, AGENDA, at, key, CANCEL + KINDS * rank)


@rare
def turn(p: Row, rank: int) -> None:
    """Cancel the newest call, or the oldest, that can be; wait where there is none."""
    canceler = canceler_at(p.cancelers, rank)
    canceler.is_awake = 0
    at = _next(p, campaign_at(p.campaigns, rank), canceler)
    if at == NONE:
        return
    tokens = bucket_at(p.cancel_tokens, rank)
    take(tokens, p.now)
    was_queued = call_at(p.calls, at).status == QUEUED
    withdraw(p, rank, at, CANCELED)
    if was_queued:
        queue.leave(p, at)
    _next_turn(p, rank, tokens.ready_at)


@kernel
def _next(p: Row, campaign: Row, canceler: Row) -> int:
    index, is_passed = canceler.place, True
    while 0 <= index < campaign.size:
        at = campaign.first_call + index
        call = call_at(p.calls, at)
        if _can_cancel(p, campaign, call, index):
            return at
        # One that is still to come in is looked at in each turn.
        is_passed = is_passed and call.status != SCHEDULED
        index += canceler.step
        if is_passed:
            canceler.place = index
    return NONE


@kernel
def _can_cancel(p: Row, campaign: Row, call: Row, index: int) -> bool:
    """Whether it is neither dialed nor over; one that was dialed can be spared."""
    if call.attempts > 0 and not campaign.stop_cancels_retries:
        return False
    if call.status == SCHEDULED:
        submitted_us = campaign.submitted_us
        if campaign.requests_us != 0:
            submitted_us = instant_at(campaign.requests_us, index)
        return submitted_us <= p.now
    return call.status == WAITING_RETRY or (call.status == QUEUED and not call.wedged)
