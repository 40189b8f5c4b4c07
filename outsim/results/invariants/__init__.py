"""Invariants of the platform: what every run holds, whatever its scenario.

They look at what was recorded and at what the scenario says, never at how an engine went about it,
so they hold every engine to the same rules. They cost a small part of the run itself.

What happens at one instant has an order: attempts end, workers finish, controls (stops,
suspensions, outages, windows, expiries) act, calls enter the queue, dispatch. An invariant about a
moment says which of these it comes before or after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from inspect import isfunction
from typing import TYPE_CHECKING

from outsim.errors import InvariantError
from outsim.results.invariants import (
    calls,
    carrier,
    dispatching,
    intake,
    processing,
    queueing,
)
from outsim.results.invariants.violation import Invariant, Violation

if TYPE_CHECKING:
    from outsim.results.result import Result

SHOWN_ROWS = 3
"""Offending rows that a message shows."""

INVARIANTS: tuple[Invariant, ...] = tuple(
    function
    for module in (calls, intake, dispatching, queueing, carrier, processing)
    for name, function in vars(module).items()
    if isfunction(function) and function.__module__ == module.__name__ and name[0] != "_"
)
"""The public functions of these modules, each of a run; its docstring says it."""


@dataclass(frozen=True)
class Broken:
    """An invariant that a result breaks, with where."""

    invariant: str
    breach: Violation

    def __str__(self) -> str:
        rows = self.breach.rows
        shown = rows.head(SHOWN_ROWS).to_string()
        return f"{self.invariant}: {self.breach.what}: {len(rows)} rows, first of them\n{shown}"


def violations(result: Result) -> list[Broken]:
    """Every breach of every invariant, in the order of `INVARIANTS`."""
    run = replace(result.arrays)  # with what it works out for the invariants, which then goes
    return [
        Broken(invariant.__name__.replace("_", " "), breach)
        for invariant in INVARIANTS
        for breach in invariant(run)
    ]


def check_invariants(result: Result) -> None:
    """Hold a result against every invariant; InvariantError names each broken one, with rows."""
    broken = violations(result)
    if broken:
        where = f"{result.scenario.name}, seed {result.seed}, replication {result.replication}"
        raise InvariantError("\n".join([f"{where} breaks:", *map(str, broken)]))
