"""What happened to each call, as events: what both event logs are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from outsim.export.selection import Selection, plain

CALLS_AT_ONCE = 1 << 12
"""Calls that are turned into Python objects at a time: memory does not grow with the result."""


class Call(NamedTuple):
    """A call, with its values by column of the calls table, and its events in order."""

    values: dict[str, Any]
    events: list[dict[str, Any]]
    """By column of the updates table; ``outcome``, ``cause`` and ``callee_type`` are those of
    the attempt that the event ends, else None."""


_CALL_COLUMNS = (
    *("call_id", "tenant", "campaign", "background", "index", "number", "ani", "submitted_at"),
    *("waits_from", "status", "attempts", "outcome", "wait_s", "wait_state", "wedged"),
    "reject_reason",
)
_EVENT_COLUMNS = ("attempt", "status", "happened_at", "visible_at", "lost", "repaired")
_OF_ATTEMPT = ("outcome", "cause", "callee_type")
ENDS = ("waiting_retry", "completed", "failed", "canceled", "expired")
"""Statuses to which a call comes at the end of an attempt, or without one."""


def calls_of(selection: Selection) -> Iterator[Call]:
    """Each call with what happened to it: its changes of status, the truth of them.

    `CALLS_AT_ONCE` of them are in memory as Python objects.
    """
    calls, updates = selection.table("calls"), selection.table("updates")
    attempts = selection.table("attempts")
    order = np.argsort(updates["call_id"].to_numpy(), kind="stable")
    call_of_update = updates["call_id"].to_numpy()[order]
    attempt_order = np.argsort(attempts["call_id"].to_numpy(), kind="stable")
    call_of_attempt = attempts["call_id"].to_numpy()[attempt_order]
    more = selection.counting(len(calls))
    for begin in range(0, len(calls), CALLS_AT_ONCE):
        block = calls.iloc[begin : begin + CALLS_AT_ONCE]
        first, last = block["call_id"].iloc[[0, -1]]
        rows = order[slice(*np.searchsorted(call_of_update, [first, last + 1]))]
        events = _records(updates.iloc[rows], ("call_id", *_EVENT_COLUMNS))
        rows = attempt_order[slice(*np.searchsorted(call_of_attempt, [first, last + 1]))]
        ended = {
            (each.pop("call_id"), each.pop("attempt")): each
            for each in _records(attempts.iloc[rows], ("call_id", "attempt", *_OF_ATTEMPT))
        }
        by_call: dict[int, list[dict[str, Any]]] = {}
        for event in events:
            call_id = event.pop("call_id")
            came_of = ended.get((call_id, event["attempt"])) if event["status"] in ENDS else None
            before = by_call.setdefault(call_id, [])
            # A call that is canceled while it waits has its attempt's end behind it.
            if came_of and before and before[-1]["status"] in ("dialing", "connected"):
                event |= came_of
            before.append(event)
        for values in _records(block, _CALL_COLUMNS):
            yield Call(values, by_call.get(values["call_id"], []))
        more(len(block))


def _records(table: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows of a table as plain values."""
    values = [plain(table[column]).tolist() for column in columns]
    for row in zip(*values, strict=True):
        yield dict(zip(columns, row, strict=True))
