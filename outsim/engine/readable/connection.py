"""What becomes of an attempt at the carrier and beyond (rules 6 and 7)."""

from __future__ import annotations

from bisect import bisect_right

from outsim.clock import MISSING
from outsim.engine.readable.carrier import Carrier
from outsim.engine.readable.events import EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Attempt
from outsim.plan import Plan
from outsim.plan.answering import GAPS_US
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID
from outsim.vocabulary import (
    CAUSES,
    CONGESTION,
    DROPPED,
    FAX,
    HUMAN,
    INTERVAL_ORDER,
    INVALID,
    NO_ANSWER,
    NO_TYPE,
    OUTCOME_TABLE,
    OUTCOMES,
    PROCESSING,
    VOICEMAIL,
)


class Connection:
    """Sets an attempt's course as it is dialed: its outcome, and the instants that are to come."""

    def __init__(
        self, events: EventList, recorder: Recorder, carrier: Carrier, plan: Plan
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.carrier = carrier
        self.platform = plan.platform
        self.thresholds = plan.answering.thresholds.tolist()
        self.segment_starts = [starts.tolist() for starts in plan.answering.segment_starts_us]
        self.segment_factors = [factors.tolist() for factors in plan.answering.segment_factors]

    def dial(self, attempt: Attempt) -> None:
        """The attempt is at the carrier."""
        attempt.dialed = self.events.now
        attempt.cause = self.carrier.admit(attempt)
        if attempt.cause:
            attempt.outcome = CONGESTION
            attempt.ends = attempt.dialed + self.platform.refusal_us
            why = CAUSES[attempt.cause]
            self.recorder.note(6, attempt, "refused ({}) until {}", why, attempt.ends)
        else:
            attempt.outcome = self._outcome(attempt)
            self._set_course(attempt)
            self.recorder.note(
                7,
                attempt,
                "{}: rings at {}, answered at {}, detected at {}, ends at {}, as {}",
                OUTCOMES[attempt.outcome],
                attempt.ringing,
                attempt.answered,
                attempt.detected,
                attempt.ends,
                attempt.callee_type,
            )

    def _outcome(self, attempt: Attempt) -> int:
        """Look the outcome up: a record, a trait of the contact, or a uniform (rule 7)."""
        index = attempt.call.index
        recorded: int = attempt.draws.recorded_outcome[index]
        if recorded >= 0:
            return recorded
        trait = attempt.call.campaign.trait[index]
        if trait == TRAIT_INVALID:
            return INVALID
        if trait == TRAIT_FAX:
            return FAX
        uniform, bounds = attempt.draws.outcome[index], self._bounds(attempt)
        self.recorder.note(7, attempt, "draws {:.9f} of {}", uniform, bounds)
        return INTERVAL_ORDER[bisect_right(bounds, uniform)]

    def _bounds(self, attempt: Attempt) -> list[float]:
        """Where the share of one outcome ends and that of the next begins."""
        call, campaign = attempt.call, attempt.call.campaign
        zone = campaign.zones[call.index]
        segment = bisect_right(self.segment_starts[zone], attempt.dispatched) - 1
        by_failures = self.thresholds[campaign.plan.profile][self.segment_factors[zone][segment]]
        failures = min(call.failures, len(by_failures) - 1)
        gap = len(GAPS_US)
        if call.last_failure_at != MISSING:
            gap = bisect_right(GAPS_US, attempt.dispatched - call.last_failure_at)
        bounds: list[float] = by_failures[failures][gap]
        return bounds

    def _set_course(self, attempt: Attempt) -> None:
        """Set the instants that are to come, the end among them."""
        index, draws = attempt.call.index, attempt.draws
        rings_at = attempt.dialed + max(1, draws.post_dial_ms[index] * 1000)
        attempt.ends = rings_at
        if not OUTCOME_TABLE[attempt.outcome].rings:
            return
        attempt.ringing = rings_at
        timeout_us = self.platform.ring_timeout_us
        ring_ms = draws.ring_voicemail_ms if attempt.outcome == VOICEMAIL else draws.ring_human_ms
        ring_us = max(1, ring_ms[index] * 1000)
        if attempt.outcome != NO_ANSWER and ring_us > timeout_us:
            attempt.outcome = NO_ANSWER
        if attempt.outcome == NO_ANSWER:
            attempt.ends = rings_at + timeout_us
            return
        self._set_talk(attempt, rings_at + ring_us)

    def _set_talk(self, attempt: Attempt, answered_at: int) -> None:
        index, draws, outcome = attempt.call.index, attempt.draws, attempt.outcome
        person, machine = self.platform.detection_person_us, self.platform.detection_machine_us
        if outcome == HUMAN:
            talk_us, detection_us = draws.talk_human_ms[index] * 1000, person
        elif outcome == VOICEMAIL:
            talk_us, detection_us = draws.talk_voicemail_ms[index] * 1000, machine
        else:
            talk_us, detection_us = machine, machine
        attempt.ends = answered_at + max(1, talk_us)
        attempt.answered = answered_at
        attempt.callee_type = PROCESSING
        if answered_at + detection_us <= attempt.ends:
            attempt.detected = answered_at + detection_us
            attempt.callee_type = OUTCOME_TABLE[outcome].reported[draws.misdetected[index]]

    def cut_off(self, attempt: Attempt) -> None:
        """An attempt that the carrier carries is cut off: congestion (rule 13)."""
        now = self.events.now
        attempt.outcome, attempt.cause = CONGESTION, DROPPED
        if attempt.ringing >= now:
            attempt.ringing = MISSING
        if attempt.answered >= now:
            attempt.answered = MISSING
            attempt.callee_type = NO_TYPE
        if attempt.detected >= now:
            attempt.detected = MISSING
            attempt.callee_type = PROCESSING if attempt.answered != MISSING else NO_TYPE
        self.recorder.note(13, attempt, "is cut off: {}", OUTCOMES[attempt.outcome])
