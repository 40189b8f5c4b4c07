"""Which attempts the carrier took: one that it refuses reaches nobody, and ends no wait."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.engine.records import Columns, Integers
from outsim.results.tables.columns import blocks
from outsim.vocabulary import DROPPED, NO_CAUSE


def carried(attempts: Columns, rows: slice = slice(None)) -> NDArray[np.bool_]:
    """Whether the carrier took each attempt, though it may have cut it off later.

    Refused are those over its rate or its channels, in its outage, and without a caller ID.
    """
    cause = attempts["cause"][rows]
    taken = (cause == NO_CAUSE) | (cause == DROPPED)
    return np.asarray(taken & (attempts["dialed"][rows] != MISSING))


def first_carried_us(attempts: Columns, calls: int) -> Integers:
    """Dispatch of the first attempt of each call that the carrier took in this run.

    MISSING where there is none; instants in microseconds since the run begins.
    """
    call_id, dispatched = attempts["call_id"], attempts["dispatched"]
    first = np.full(calls, MISSING, dtype=np.int64)
    # Rows are in the order of dispatch, and assignment keeps the last: the first comes last.
    for rows in reversed([*blocks(len(call_id))]):
        taken = carried(attempts, rows)
        first[call_id[rows][taken][::-1]] = dispatched[rows][taken][::-1]
    return first
