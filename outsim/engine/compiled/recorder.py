"""Writes attempts down, each time as much as is known: an attempt's row is then at hand."""

from __future__ import annotations

from outsim.engine.compiled.memory import Row, kernel, set_code, set_instant, set_number


@kernel
def begin(p: Row, attempt: Row, call: Row, eligible_at: int, token_at: int) -> None:
    """Put a dispatched attempt into the records, in the order of dispatch."""
    row = attempt.row
    set_number(p.attempt_call_id, row, attempt.call)
    set_code(p.attempt_attempt, row, attempt.number)
    set_instant(p.attempt_ready, row, call.ready_at)
    set_instant(p.attempt_queued, row, call.queued_at)
    set_instant(p.attempt_eligible, row, eligible_at)
    set_instant(p.attempt_at_head, row, p.head_since)
    set_instant(p.attempt_port_free, row, max(p.head_since, p.ports_free_since))
    set_instant(p.attempt_token_free, row, max(p.head_since, token_at))
    set_instant(p.attempt_dispatched, row, p.now)


@kernel
def dial(p: Row, attempt: Row) -> None:
    """Add the course of a dialed attempt: it is set, unless somebody cuts the call off."""
    row = attempt.row
    set_instant(p.attempt_work_started, row, attempt.work_started_at)
    set_instant(p.attempt_dialed, row, attempt.dialed_at)
    set_instant(p.attempt_ringing, row, attempt.ringing_at)
    set_instant(p.attempt_answered, row, attempt.answered_at)
    set_instant(p.attempt_detected, row, attempt.detected_at)
    set_code(p.attempt_outcome, row, attempt.outcome)
    set_code(p.attempt_cause, row, attempt.cause)
    set_code(p.attempt_callee_type, row, attempt.callee_type)


@kernel
def end(p: Row, attempt: Row) -> None:
    """Add the end of an attempt."""
    set_instant(p.attempt_ended, attempt.row, p.now)
