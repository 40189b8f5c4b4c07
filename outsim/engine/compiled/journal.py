"""Writes an attempt down when it has ended."""

from __future__ import annotations

from outsim.engine.compiled.memory import (
    Row,
    kernel,
    set_code,
    set_instant,
    set_number,
)


@kernel
def write(p: Row, attempt: Row) -> None:
    """Put an attempt into the records, in the place of its dispatch."""
    row = attempt.row
    set_number(p.attempt_call_id, row, attempt.call)
    set_code(p.attempt_attempt, row, attempt.number)
    set_instant(p.attempt_ready, row, attempt.ready_at)
    set_instant(p.attempt_queued, row, attempt.queued_at)
    set_instant(p.attempt_eligible, row, attempt.eligible_at)
    set_instant(p.attempt_at_head, row, attempt.at_head_at)
    set_instant(p.attempt_port_free, row, attempt.port_free_at)
    set_instant(p.attempt_token_free, row, attempt.token_free_at)
    set_instant(p.attempt_dispatched, row, attempt.dispatched_at)
    set_instant(p.attempt_work_started, row, attempt.work_started_at)
    set_instant(p.attempt_dialed, row, attempt.dialed_at)
    set_instant(p.attempt_ringing, row, attempt.ringing_at)
    set_instant(p.attempt_answered, row, attempt.answered_at)
    set_instant(p.attempt_detected, row, attempt.detected_at)
    set_instant(p.attempt_ended, row, attempt.ended_at)
    set_code(p.attempt_outcome, row, attempt.outcome)
    set_code(p.attempt_cause, row, attempt.cause)
    set_code(p.attempt_callee_type, row, attempt.callee_type)
