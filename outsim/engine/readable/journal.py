"""Keeps attempts until they end, and writes down what has happened."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np

from outsim.clock import MISSING
from outsim.engine.readable.state import Attempt, CampaignState
from outsim.engine.records import (
    ATTEMPT_COLUMNS,
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    NOT_KNOWN,
    UPDATE_TYPES,
    Columns,
    Records,
    Types,
    columns,
)
from outsim.vocabulary import NO_TYPE

_ORDERED_COLUMNS = ("order", *ATTEMPT_COLUMNS)


def _row(attempt: Attempt, ends_us: int | None = None) -> tuple[int, ...]:
    """Values of `_ORDERED_COLUMNS`.

    Of an attempt still under way, only what came before `ends_us`: its course is set when it
    is dialled.
    """

    def known(instant: int) -> int:
        return instant if ends_us is None or instant < ends_us else MISSING

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
        attempt.outcome if ends_us is None else NOT_KNOWN,
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
        table = np.array(rows, dtype=np.int64).reshape(-1, len(_ORDERED_COLUMNS))
        return columns(ATTEMPT_TYPES, table[np.argsort(table[:, 0], kind="stable"), 1:])

    def records(
        self,
        ends_us: int,
        campaigns: Iterable[CampaignState],
        update_rows: array[int],
        delivery_rows: array[int],
    ) -> Records:
        """Everything that happened before `ends_us`; campaigns in the order of their calls."""
        return Records(
            attempts=self.attempts(ends_us),
            updates=_columns(UPDATE_TYPES, update_rows),
            deliveries=_columns(DELIVERY_TYPES, delivery_rows),
            calls=_calls(campaigns),
            ended_us=ends_us,
        )


def _columns(types: Types, rows: array[int]) -> Columns:
    return columns(types, np.array(rows, dtype=np.int64).reshape(-1, len(types)))


def _calls(campaigns: Iterable[CampaignState]) -> Columns:
    def joined(arrays: Iterable[bytearray | array[int]], dtype: type[np.integer[Any]]) -> Any:
        return np.frombuffer(bytearray().join(arrays), dtype)

    return Columns(
        CALL_TYPES,
        {
            "status": joined((c.status for c in campaigns), np.uint8),
            "attempts": joined((c.attempts for c in campaigns), np.uint8),
            "final": joined((c.final_at for c in campaigns), np.int64),
        },
    )
