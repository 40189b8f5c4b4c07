"""What becomes of an attempt at the carrier and beyond (rules 7, 8 and 9)."""

from __future__ import annotations

from bisect import bisect_right

from outsim.clock import MISSING
from outsim.engine.order import ANSWER_STEP, EventClass
from outsim.engine.readable.agenda import Agenda
from outsim.engine.readable.carrier import Carrier
from outsim.engine.readable.dispatch import Dispatcher
from outsim.engine.readable.journal import Journal
from outsim.engine.readable.state import Attempt, CampaignState
from outsim.engine.readable.submission import Admission
from outsim.engine.readable.updates import ENDED_KIND, StatusBoard
from outsim.plan import Plan
from outsim.plan.answering import GAPS_US, ORDER
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID
from outsim.vocabulary import (
    ANSWERED,
    ANSWERING_MACHINE,
    BUSY,
    CANCELED,
    COMPLETED,
    CONGESTION,
    CONNECTED,
    DROPPED,
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

CONNECTED_KIND = 2

REPORTED_TYPE = {
    HUMAN: (VOICE, ANSWERING_MACHINE),
    VOICEMAIL: (ANSWERING_MACHINE, VOICE),
    FAX: (FAX_MACHINE, UNKNOWN),
}
"""Callee type that is reported rightly, and wrongly."""


class Line:
    """Takes an attempt from the end of its dial work to its end."""

    def __init__(
        self,
        agenda: Agenda,
        plan: Plan,
        carrier: Carrier,
        dispatcher: Dispatcher,
        board: StatusBoard,
        admission: Admission,
        journal: Journal,
    ) -> None:
        self.agenda = agenda
        self.platform = plan.platform
        self.carrier = carrier
        self.dispatcher = dispatcher
        self.board = board
        self.admission = admission
        self.journal = journal
        self.thresholds = plan.answering.thresholds.tolist()
        self.segment_starts = [starts.tolist() for starts in plan.answering.segment_starts_us]
        self.segment_factors = [factors.tolist() for factors in plan.answering.segment_factors]

    def dial(self, attempt: Attempt) -> None:
        """The dial work is done: the attempt is at the carrier."""
        now = self.agenda.now
        attempt.dialed_at = now
        attempt.cause = self.carrier.admit(attempt, now)
        if attempt.cause:
            attempt.outcome = CONGESTION
            ends_at = now + self.platform.refusal_us
        else:
            attempt.outcome = self._outcome(attempt)
            ends_at = self._course(attempt, now)
        if attempt.answered_at != MISSING:
            key = attempt.key | ANSWER_STEP
            self.agenda.call(attempt.answered_at, EventClass.OTHER, key, self._answer, attempt)
        self.agenda.call(ends_at, EventClass.ATTEMPT_ENDS, attempt.key, self._end, attempt)

    def _outcome(self, attempt: Attempt) -> int:
        """Look the outcome up: a record, a trait of the contact, or a uniform (rule 7)."""
        campaign, index = attempt.campaign, attempt.index
        draws = campaign.attempt_draws(attempt.number)
        recorded = draws.recorded_outcome[index]
        if recorded >= 0:
            return recorded
        trait = campaign.trait[index]
        if trait == TRAIT_INVALID:
            return INVALID
        if trait == TRAIT_FAX:
            return FAX
        uniform = draws.outcome[index]
        for outcome, bound in zip(ORDER, self._bounds(attempt), strict=False):
            if uniform < bound:
                return outcome
        return BUSY

    def _bounds(self, attempt: Attempt) -> list[float]:
        campaign, index = attempt.campaign, attempt.index
        zone = campaign.zones[index]
        segment = bisect_right(self.segment_starts[zone], attempt.dispatched_at) - 1
        by_failures = self.thresholds[campaign.plan.profile][self.segment_factors[zone][segment]]
        failures = min(campaign.failures[index], len(by_failures) - 1)
        gap = len(GAPS_US)
        last_failure_at = campaign.last_failure_at[index]
        if last_failure_at != MISSING:
            gap = bisect_right(GAPS_US, attempt.dispatched_at - last_failure_at)
        bounds: list[float] = by_failures[failures][gap]
        return bounds

    def _course(self, attempt: Attempt, now: int) -> int:
        """Set the instants that are to come; return when the attempt ends.

        Every duration is at least 1 µs.
        """
        index = attempt.index
        draws = attempt.campaign.attempt_draws(attempt.number)
        rings_at = now + max(1, draws.post_dial_ms[index] * 1000)
        if attempt.outcome in (BUSY, INVALID):
            return rings_at
        attempt.ringing_at = rings_at
        timeout_us = self.platform.ring_timeout_us
        ring_ms = draws.ring_voicemail_ms if attempt.outcome == VOICEMAIL else draws.ring_human_ms
        ring_us = max(1, ring_ms[index] * 1000)
        if attempt.outcome != NO_ANSWER and ring_us > timeout_us:
            attempt.outcome = NO_ANSWER
        if attempt.outcome == NO_ANSWER:
            return rings_at + timeout_us
        return self._talk(attempt, rings_at + ring_us)

    def _talk(self, attempt: Attempt, answered_at: int) -> int:
        index, outcome = attempt.index, attempt.outcome
        draws = attempt.campaign.attempt_draws(attempt.number)
        person, machine = self.platform.detection_person_us, self.platform.detection_machine_us
        if outcome == HUMAN:
            talk_us, detection_us = draws.talk_human_ms[index] * 1000, person
        elif outcome == VOICEMAIL:
            talk_us, detection_us = draws.talk_voicemail_ms[index] * 1000, machine
        else:
            talk_us, detection_us = machine, machine
        ends_at = answered_at + max(1, talk_us)
        attempt.answered_at = answered_at
        attempt.callee_type = PROCESSING
        if answered_at + detection_us <= ends_at:
            attempt.detected_at = answered_at + detection_us
            attempt.callee_type = REPORTED_TYPE[outcome][draws.misdetected[index]]
        return ends_at

    def _answer(self, attempt: Attempt) -> None:
        if attempt.ended_at != MISSING:
            return
        attempt.campaign.status[attempt.index] = CONNECTED
        self.board.change(
            attempt.campaign, attempt.index, attempt.number, CONNECTED, CONNECTED_KIND
        )

    def drop(self, attempt: Attempt) -> None:
        """Cut an attempt off that the carrier carries: congestion (rule 13)."""
        now = self.agenda.now
        attempt.outcome, attempt.cause = CONGESTION, DROPPED
        if attempt.ringing_at >= now:
            attempt.ringing_at = MISSING
        if attempt.answered_at >= now:
            attempt.answered_at = MISSING
            attempt.callee_type = NO_TYPE
        if attempt.detected_at >= now:
            attempt.detected_at = MISSING
            attempt.callee_type = PROCESSING if attempt.answered_at != MISSING else NO_TYPE
        self._end(attempt)

    def _end(self, attempt: Attempt) -> None:
        """The attempt is over: free what it held, and decide what becomes of the call."""
        if attempt.ended_at != MISSING:
            return
        now = self.agenda.now
        attempt.ended_at = now
        campaign, index = attempt.campaign, attempt.index
        self.carrier.hang_up(attempt)
        self.dispatcher.count_down(campaign, now)
        self.journal.end(attempt)
        if attempt.outcome in (NO_ANSWER, BUSY):
            campaign.failures[index] += 1
            campaign.last_failure_at[index] = now
        status = self._next_status(attempt)
        campaign.status[index] = status
        self.board.change(campaign, index, attempt.number, status, ENDED_KIND)
        if status == WAITING_RETRY:
            self.admission.retry(campaign, index, attempt.number + 1, now)

    def _next_status(self, attempt: Attempt) -> int:
        """What ended the call, or a wait for its retry (rules 8, 9 and 12)."""
        campaign: CampaignState = attempt.campaign
        rules = campaign.rules
        if attempt.outcome in ANSWERED:
            return COMPLETED
        if attempt.outcome == INVALID or attempt.number > rules.max_retry:
            return FAILED
        if campaign.expired:
            return EXPIRED
        if campaign.stopped and rules.stop_cancels_retries:
            return CANCELED
        return WAITING_RETRY
