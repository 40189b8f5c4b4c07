"""Keeps attempts until they end, and writes down what has happened."""

from __future__ import annotations

from array import array

import numpy as np

from outsim.clock import MISSING
from outsim.engine.readable.state import Attempt, CampaignState
from outsim.engine.records import (
    ATTEMPT_COLUMNS,
    CALL_COLUMNS,
    DELIVERY_COLUMNS,
    NOT_KNOWN,
    UPDATE_COLUMNS,
    Columns,
    Integers,
    Records,
    columns,
)
from outsim.outcomes import NO_CAUSE, NO_TYPE

_ORDERED_COLUMNS = ("order", *ATTEMPT_COLUMNS)


def _row(attempt: Attempt, ends_us: int | None = None) -> tuple[int, ...]:
    """Values of `_ORDERED_COLUMNS`.

    Of an attempt still under way, only what came before `ends_us`: its course is set when it
    is dialled.
    """

    def known(instant: int) -> int:
        return instant if ends_us is None or instant < ends_us else MISSING

    under_way = ends_us is not None and attempt.cause == NO_CAUSE
    undetected = ends_us is not None and known(attempt.detected_at) == MISSING
    return (
        attempt.order,
        attempt.campaign.call_id(attempt.index),
        attempt.number,
        attempt.ready_at,
        attempt.queued_at,
        attempt.eligible_at,
        attempt.at_head_at,
        attempt.port_free_at,
        attempt.token_free_at,
        attempt.dispatched_at,
        attempt.work_started_at,
        attempt.dialed_at,
        known(attempt.ringing_at),
        known(attempt.answered_at),
        known(attempt.detected_at),
        attempt.ended_at,
        NOT_KNOWN if under_way else attempt.outcome,
        attempt.cause,
        NO_TYPE if undetected else attempt.callee_type,
    )


class Journal:
    """Attempts under way, and the rows of those that have ended."""

    def __init__(self) -> None:
        self.rows = array("q")
        self.under_way: dict[int, Attempt] = {}

    def begin(self, attempt: Attempt) -> None:
        """An attempt has been dispatched."""
        self.under_way[attempt.order] = attempt

    def end(self, attempt: Attempt) -> None:
        """An attempt has ended."""
        del self.under_way[attempt.order]
        self.rows.extend(_row(attempt))

    def attempts(self, ends_us: int) -> Columns:
        """All attempts dispatched before `ends_us`, in the order of their dispatch."""
        rows = array("q", self.rows)
        for attempt in self.under_way.values():
            rows.extend(_row(attempt, ends_us))
        table = _table(rows, _ORDERED_COLUMNS)
        ordered = columns(_ORDERED_COLUMNS, table[np.argsort(table[:, 0], kind="stable")])
        del ordered["order"]
        return ordered

    def records(
        self,
        ends_us: int,
        campaigns: list[CampaignState],
        update_rows: array[int],
        delivery_rows: array[int],
    ) -> Records:
        """Everything that happened before `ends_us`."""
        return Records(
            attempts=self.attempts(ends_us),
            updates=columns(UPDATE_COLUMNS, _table(update_rows, UPDATE_COLUMNS)),
            deliveries=columns(DELIVERY_COLUMNS, _table(delivery_rows, DELIVERY_COLUMNS)),
            calls=_calls(campaigns),
            ended_us=ends_us,
        )


def _table(rows: array[int], names: tuple[str, ...]) -> Integers:
    return np.array(rows, dtype=np.int64).reshape(-1, len(names))


def _calls(campaigns: list[CampaignState]) -> Columns:
    parts: dict[str, list[Integers]] = {name: [] for name in CALL_COLUMNS}
    for campaign in campaigns:
        parts["status"].append(np.frombuffer(campaign.status, np.uint8).astype(np.int64))
        parts["attempts"].append(np.frombuffer(campaign.attempts, np.uint8).astype(np.int64))
        parts["final"].append(np.array(campaign.final_at, dtype=np.int64))
    return {
        name: np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)
        for name, arrays in parts.items()
    }
