"""Laws of the platform that every run keeps, whatever its scenario.

`check_invariants` holds a result against all of them. The laws look at what was
recorded and at what the scenario says, never at how an engine went about it, so
they hold every engine to the same rules. They cost a small part of the run itself.

What happens at one instant has an order: attempts end, workers finish, controls
(stops, suspensions, outages, windows, expiries) act, calls enter the queue,
dispatch. A law about a moment says which of these it comes before or after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from outsim.errors import InvariantError
from outsim.results.invariants.calls import (
    accepted_calls_add_up,
    attempts_are_counted,
    every_row_is_rejected_or_accepted,
    expired_calls_are_over,
    final_status_is_what_ended_the_call,
    stop_is_kept,
)
from outsim.results.invariants.capacity import (
    dial_rate_is_kept,
    limits_on_simultaneous_calls_are_kept,
    pacing_is_kept,
    ports_are_enough,
    tenants_keep_their_dial_rates,
)
from outsim.results.invariants.carrier import (
    carrier_channels_are_enough,
    carrier_rate_is_kept,
    carrier_refuses_for_a_reason,
    drops_take_effect,
)
from outsim.results.invariants.dispatching import (
    dispatched_inside_the_window,
    not_dispatched_after_expiry,
    not_dispatched_before_start,
    not_dispatched_during_a_suspension,
    retry_interval_is_kept,
)
from outsim.results.invariants.processing import (
    changes_follow_the_attempts,
    dial_work_goes_first,
    one_final_delivery_per_call,
    updates_are_seen_after_they_happen,
    workers_are_enough,
)
from outsim.results.invariants.queueing import (
    littles_law,
    parts_of_every_wait_add_up,
    queue_order_is_kept,
)
from outsim.results.invariants.violation import Invariant, Violation

if TYPE_CHECKING:
    from outsim.results.result import Result

SHOWN_ROWS = 3
"""Offending rows that a message shows."""

INVARIANTS: tuple[Invariant, ...] = (
    every_row_is_rejected_or_accepted,
    accepted_calls_add_up,
    attempts_are_counted,
    final_status_is_what_ended_the_call,
    stop_is_kept,
    expired_calls_are_over,
    not_dispatched_before_start,
    not_dispatched_after_expiry,
    dispatched_inside_the_window,
    not_dispatched_during_a_suspension,
    retry_interval_is_kept,
    queue_order_is_kept,
    parts_of_every_wait_add_up,
    littles_law,
    ports_are_enough,
    limits_on_simultaneous_calls_are_kept,
    dial_rate_is_kept,
    tenants_keep_their_dial_rates,
    pacing_is_kept,
    carrier_channels_are_enough,
    carrier_rate_is_kept,
    carrier_refuses_for_a_reason,
    drops_take_effect,
    dial_work_goes_first,
    workers_are_enough,
    updates_are_seen_after_they_happen,
    changes_follow_the_attempts,
    one_final_delivery_per_call,
)
"""Every law, each a function of a run; its docstring says it."""


@dataclass(frozen=True)
class Broken:
    """A law that a result breaks, with where."""

    law: str
    breach: Violation

    def __str__(self) -> str:
        rows = self.breach.rows
        shown = rows.head(SHOWN_ROWS).to_string()
        return f"{self.law}: {self.breach.what}: {len(rows)} rows, first of them\n{shown}"


def violations(result: Result) -> list[Broken]:
    """Every breach of every law, in the order of `INVARIANTS`."""
    run = replace(result.arrays)  # with what it works out for the invariants, which then goes
    return [
        Broken(law.__name__.replace("_", " "), breach) for law in INVARIANTS for breach in law(run)
    ]


def check_invariants(result: Result) -> None:
    """Hold a result against every law of the platform.

    Raises
    ------
    InvariantError
        If it breaks one; the message names each law that is broken, with the first rows.
    """
    broken = violations(result)
    if broken:
        where = f"{result.scenario.name}, seed {result.seed}, replication {result.replication}"
        raise InvariantError("\n".join([f"{where} breaks:", *map(str, broken)]))
