"""Numbers as they are in the data that is drawn: as few characters as say all that is known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outsim.clock import DAY, MILLISECOND, MISSING, SECOND, after

if TYPE_CHECKING:
    from outsim.results.run_arrays import RunArrays


def rounded(value: float, digits: int) -> float:
    """A number as an integer if it is one."""
    whole = round(value, digits)
    return int(whole) if whole == int(whole) else whole


def seconds(instant_us: int) -> float | None:
    """Seconds of an instant, to the millisecond; None where it is missing."""
    return None if instant_us == MISSING else rounded(int(instant_us) / SECOND, 3)


def milliseconds(instants_us: NDArray[np.int64]) -> list[int | None]:
    """Milliseconds of instants; None where one is missing."""
    whole = (instants_us // MILLISECOND).tolist()
    missing = MISSING // MILLISECOND
    return [None if instant == missing else instant for instant in whole]


def finite(values: NDArray[np.float64], digits: int) -> list[float | None]:
    """Rounded numbers; None for what is none."""
    return [None if value != value else rounded(value, digits) for value in values.tolist()]


def utc_offsets(run: RunArrays) -> list[list[int]]:
    """From which second on the clock of the run is how many seconds ahead of UTC."""

    def offset_s(at_s: int) -> int:
        offset = after(run.start, at_s * SECOND).utcoffset()
        return int((offset or timedelta()).total_seconds())

    offsets = [[0, offset_s(0)]]
    for end_us in range(DAY, run.ended_us + DAY, DAY):
        low_s, high_s = (end_us - DAY) // SECOND, min(end_us, run.ended_us) // SECOND
        if offset_s(high_s) == offsets[-1][1]:
            continue
        while high_s - low_s > 1:
            middle_s = (low_s + high_s) // 2
            is_before = offset_s(middle_s) == offsets[-1][1]
            low_s, high_s = (middle_s, high_s) if is_before else (low_s, middle_s)
        offsets.append([high_s, offset_s(high_s)])
    return offsets
