"""What becomes of an attempt at the carrier and beyond (rules 7, 8 and 9)."""

from __future__ import annotations

from numpy import int64

from outsim.clock import MISSING
from outsim.engine.compiled import agenda, carrier, journal
from outsim.engine.compiled.agenda import ATTEMPT_ENDS, OTHER
from outsim.engine.compiled.dispatch import count_down
from outsim.engine.compiled.layout import (
    COURSES,
    DROPPED,
    attempt_at,
    block_at,
    call_at,
    campaign_at,
    draws_at,
    zone_at,
)
from outsim.engine.compiled.memory import Row, instant_at, kernel, set_number, share_at, small_at
from outsim.engine.compiled.submission import retry
from outsim.engine.compiled.updates import CONNECTED_KIND, ENDED_KIND, change
from outsim.engine.order import ANSWER_STEP
from outsim.plan.answering import GAPS_US, ORDER
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID
from outsim.vocabulary import (
    ANSWERING_MACHINE,
    BUSY,
    CANCELED,
    COMPLETED,
    CONGESTION,
    CONNECTED,
    EXPIRED,
    FAILED,
    FAX,
    FAX_MACHINE,
    HUMAN,
    INVALID,
    NO_ANSWER,
    NO_TYPE,
    PROCESSING,
    UNKNOWN,
    VOICE,
    VOICEMAIL,
    WAITING_RETRY,
)
from outsim.vocabulary import DROPPED as CUT_OFF

BOUNDS = len(ORDER) - 1
FIRST, SECOND, THIRD, LAST = ORDER
SHORT_GAP_US, LONG_GAP_US = GAPS_US


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
    journal.dial(p, attempt)
    if attempt.answered_at != MISSING:
        key = OTHER | attempt.key | ANSWER_STEP
        agenda.schedule(p, COURSES, attempt.answered_at, key, port)
    else:
        agenda.schedule(p, COURSES, attempt.ends_at, ATTEMPT_ENDS | attempt.key, port)


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
    if draws.outcome < share_at(p.thresholds, bounds):
        return FIRST
    if draws.outcome < share_at(p.thresholds, bounds + 1):
        return SECOND
    if draws.outcome < share_at(p.thresholds, bounds + 2):
        return THIRD
    return LAST


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
    """Set the instants that are to come, the end among them.

    Every duration is at least 1 µs.
    """
    rings_at = p.now + max(1, draws.post_dial_ms * 1000)
    attempt.ends_at = rings_at
    if attempt.outcome == BUSY or attempt.outcome == INVALID:
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
    rightly, wrongly = FAX_MACHINE, UNKNOWN
    if attempt.outcome == HUMAN:
        talk_us, detection_us = draws.talk_human_ms * 1000, p.detection_person_us
        rightly, wrongly = VOICE, ANSWERING_MACHINE
    elif attempt.outcome == VOICEMAIL:
        talk_us = draws.talk_voicemail_ms * 1000
        rightly, wrongly = ANSWERING_MACHINE, VOICE
    attempt.ends_at = answered_at + max(1, talk_us)
    attempt.answered_at = answered_at
    attempt.callee_type = PROCESSING
    if answered_at + detection_us <= attempt.ends_at:
        attempt.detected_at = answered_at + detection_us
        attempt.callee_type = wrongly if draws.misdetected else rightly


@kernel
def go_on(p: Row) -> None:
    """The first of the attempts at the carrier is answered, or ends."""
    entry = agenda.first_of(p, COURSES)
    port = entry.item
    attempt = attempt_at(p.ports, port)
    if entry.order >= OTHER:
        agenda.replace_first(p, COURSES, attempt.ends_at, ATTEMPT_ENDS | attempt.key)
        _change(p, attempt, CONNECTED, CONNECTED_KIND)
    else:
        agenda.drop_first(p, COURSES)
        _end(p, port)


@kernel
def _change(p: Row, attempt: Row, status: int, kind: int) -> None:
    rank, at, number = int64(attempt.campaign), int64(attempt.call), int64(attempt.number)
    change(p, rank, at, number, status, kind, int64(call_at(p.calls, at).lost))


@kernel
def drop(p: Row, most: int) -> None:
    """Cut off the first `most` calls that the carrier carries: congestion (rule 13)."""
    for port in range(p.port_count):
        attempt = attempt_at(p.ports, port)
        if attempt.under_way and attempt.at_carrier:
            agenda.schedule(p, DROPPED, 0, attempt.key, port)
    while agenda.first_of(p, DROPPED).at == 0:
        port = agenda.first_of(p, DROPPED).item
        agenda.drop_first(p, DROPPED)
        if most > 0:
            most -= 1
            agenda.remove(p, COURSES, port)
            _cut_off(p, port)


@kernel
def _cut_off(p: Row, port: int) -> None:
    attempt = attempt_at(p.ports, port)
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
    journal.dial(p, attempt)
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
    count_down(p, campaign)
    journal.end(p, attempt)
    if attempt.outcome == NO_ANSWER or attempt.outcome == BUSY:
        call.failures += 1
        call.last_failure_at = p.now
    status = _next_status(attempt, campaign)
    _change(p, attempt, status, ENDED_KIND)
    if status == WAITING_RETRY:
        retry(p, int64(attempt.campaign), int64(attempt.call), attempt.number + 1)


@kernel
def _next_status(attempt: Row, campaign: Row) -> int:
    """What ended the call, or a wait for its retry (rules 8, 9 and 12)."""
    if attempt.outcome == HUMAN or attempt.outcome == VOICEMAIL or attempt.outcome == FAX:
        return COMPLETED
    if attempt.outcome == INVALID or attempt.number > campaign.max_retry:
        return FAILED
    if campaign.expired:
        return EXPIRED
    if campaign.stopped and campaign.stop_cancels_retries:
        return CANCELED
    return WAITING_RETRY
