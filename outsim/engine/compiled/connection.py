"""What becomes of an attempt at the carrier and beyond (rules 6 and 7)."""

from __future__ import annotations

from outsim.clock import MISSING
from outsim.engine.compiled import carrier, events, recorder
from outsim.engine.compiled.events import ATTEMPT_ENDS, OTHER
from outsim.engine.compiled.layout import (
    COURSES,
    attempt_at,
    block_at,
    call_at,
    campaign_at,
    draws_at,
    zone_at,
)
from outsim.engine.compiled.memory import Row, instant_at, kernel, share_at, small_at
from outsim.engine.order import ANSWER_STEP
from outsim.plan.answering import GAPS_US
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID
from outsim.vocabulary import (
    CONGESTION,
    FAX,
    HUMAN,
    INTERVAL_ORDER,
    INVALID,
    NO_ANSWER,
    NO_TYPE,
    OUTCOME_TABLE,
    PROCESSING,
    RINGING,
    VOICEMAIL,
)
from outsim.vocabulary import DROPPED as CUT_OFF

BOUNDS = len(INTERVAL_ORDER) - 1
SHORT_GAP_US, LONG_GAP_US = GAPS_US
REPORTED = tuple(outcome.reported for outcome in OUTCOME_TABLE)


@kernel
def dial(p: Row, port: int) -> None:
    """The dial work is done: the attempt is at the carrier."""
    attempt = attempt_at(p.ports, port)
    campaign, call = campaign_at(p.campaigns, attempt.campaign), call_at(p.calls, attempt.call)
    draws = draws_at(
        block_at(p.blocks, campaign.blocks + attempt.number).attempts,
        attempt.call - campaign.first_call,
    )
    attempt.dialed_at = p.now
    attempt.cause = carrier.admit(p, attempt, call, draws, p.now)
    if attempt.cause:
        attempt.outcome = CONGESTION
        attempt.ends_at = p.now + p.refusal_us
    else:
        attempt.outcome = _outcome(p, attempt, campaign, call, draws)
        _course(p, attempt, draws)
    recorder.dial(p, attempt)
    if attempt.answered_at != MISSING:
        key = OTHER | attempt.key | ANSWER_STEP
        events.schedule(p, COURSES, attempt.answered_at, key, port)
    else:
        events.schedule(p, COURSES, attempt.ends_at, ATTEMPT_ENDS | attempt.key, port)


@kernel
def _outcome(p: Row, attempt: Row, campaign: Row, call: Row, draws: Row) -> int:
    """Look the outcome up: a record, a trait of the contact, or a uniform (rule 7)."""
    if draws.recorded_outcome >= 0:
        return draws.recorded_outcome
    if call.trait == TRAIT_INVALID:
        return INVALID
    if call.trait == TRAIT_FAX:
        return FAX
    bounds = _bounds(p, attempt, campaign, call)
    place = 0
    while place < BOUNDS and draws.outcome >= share_at(p.thresholds, bounds + place):
        place += 1
    return INTERVAL_ORDER[place]


@kernel
def _bounds(p: Row, attempt: Row, campaign: Row, call: Row) -> int:
    """Where the attempt's bounds begin in the table of thresholds."""
    zone = zone_at(p.zones, call.zone)
    segment = zone.segments - 1
    while instant_at(zone.starts_us, segment) > attempt.dispatched_at:
        segment -= 1
    failures = min(call.failures, p.threshold_failures - 1)
    gap = p.threshold_gaps - 1
    if call.last_failure_at != MISSING:
        since_us = attempt.dispatched_at - call.last_failure_at
        gap = (since_us >= SHORT_GAP_US) + (since_us >= LONG_GAP_US)
    row = campaign.profile * p.threshold_factors + small_at(zone.factors, segment)
    return ((row * p.threshold_failures + failures) * p.threshold_gaps + gap) * BOUNDS


@kernel
def _course(p: Row, attempt: Row, draws: Row) -> None:
    """Set the instants that are to come, the end among them, each 1 µs or more after the last."""
    rings_at = p.now + max(1, draws.post_dial_ms * 1000)
    attempt.ends_at = rings_at
    if attempt.outcome not in RINGING:
        return
    attempt.ringing_at = rings_at
    ring_ms = draws.ring_human_ms
    if attempt.outcome == VOICEMAIL:
        ring_ms = draws.ring_voicemail_ms
    ring_us = max(1, ring_ms * 1000)
    if attempt.outcome != NO_ANSWER and ring_us > p.ring_timeout_us:
        attempt.outcome = NO_ANSWER
    if attempt.outcome == NO_ANSWER:
        attempt.ends_at = rings_at + p.ring_timeout_us
        return
    _talk(p, attempt, draws, rings_at + ring_us)


@kernel
def _talk(p: Row, attempt: Row, draws: Row, answered_at: int) -> None:
    talk_us, detection_us = p.detection_machine_us, p.detection_machine_us
    if attempt.outcome == HUMAN:
        talk_us, detection_us = draws.talk_human_ms * 1000, p.detection_person_us
    elif attempt.outcome == VOICEMAIL:
        talk_us = draws.talk_voicemail_ms * 1000
    attempt.ends_at = answered_at + max(1, talk_us)
    attempt.answered_at = answered_at
    attempt.callee_type = PROCESSING
    if answered_at + detection_us <= attempt.ends_at:
        attempt.detected_at = answered_at + detection_us
        attempt.callee_type = REPORTED[attempt.outcome][draws.misdetected]


@kernel
def cut_off(p: Row, attempt: Row) -> None:
    """An attempt that the carrier carries is cut off: congestion (rule 13)."""
    attempt.outcome = CONGESTION
    attempt.cause = CUT_OFF
    if attempt.ringing_at >= p.now:
        attempt.ringing_at = MISSING
    if attempt.answered_at >= p.now:
        attempt.answered_at = MISSING
        attempt.callee_type = NO_TYPE
    if attempt.detected_at >= p.now:
        attempt.detected_at = MISSING
        attempt.callee_type = PROCESSING if attempt.answered_at != MISSING else NO_TYPE
    recorder.dial(p, attempt)
