"""What an engine records: integers only, in the order in which things happened.

Both engines fill the same columns; tables, views and figures are derived from
them afterwards. An instant that did not come is `clock.MISSING`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Columns = dict[str, Integers]

ATTEMPT_COLUMNS = (
    "call_id",
    "attempt",
    "ready",
    "queued",
    "eligible",
    "at_head",
    "port_free",
    "token_free",
    "dispatched",
    "work_started",
    "dialed",
    "ringing",
    "answered",
    "detected",
    "ended",
    "outcome",
    "cause",
    "callee_type",
)
"""One row an attempt, in the order of dispatch."""

UPDATE_COLUMNS = (
    "call_id",
    "attempt",
    "status",
    "happened",
    "begun",
    "visible",
    "lost",
    "repaired",
)
"""One row a change of status, in the order in which they happened."""

DELIVERY_COLUMNS = ("call_id", "post", "due", "begun", "ended", "result")
"""One row a post, in the order in which they became due."""

CALL_COLUMNS = ("status", "attempts", "final")
"""One row a call, by call_id: its status code, its attempts, and when its final status came."""

NOT_KNOWN = -1
"""Outcome of an attempt, or result of a post, that is still under way."""


@dataclass(frozen=True, eq=False)
class Records:
    """Everything that happened in one run."""

    attempts: Columns
    updates: Columns
    deliveries: Columns
    calls: Columns
    ended_us: int
    """Where the run ended: what was to come at this instant or later is not in it."""


def columns(names: tuple[str, ...], rows: Integers) -> Columns:
    """Columns by name from rows of shape (rows, columns)."""
    return {name: np.ascontiguousarray(rows[:, k]) for k, name in enumerate(names)}
