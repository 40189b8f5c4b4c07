"""Local times that do not say which instant they mean: the hour that clocks repeat, and skip.

In autumn a wall time of one hour stands for two instants. The ids of Asterisk tell which (they
begin with the seconds since 1970); else the order of the rows in their file does, since rows that
follow each other were written soon after each other.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.convert import MISSING, Flags, Floats, Micros
from outsim.clock import DAY, HOUR, SECOND

_PLAIN_EPOCH = r"^1[0-9]{9}[.][0-9]+$"
_EPOCH = r"^(?:.*-)?(?P<epoch>1[0-9]{9})[.][0-9]+$"
"""Ids of Asterisk: a system's name, seconds since 1970, a number."""

LEAST_IDS, MOST_IDS = 10, 0.9
"""Ids from which they are believed, and the share of them that has to agree."""

NEAR_S = 450.0
"""Seconds that a call's id may be from its dial."""

LONGEST_SPAN = 40 * 366 * DAY
"""Longest log whose clock changes are looked for."""


def epochs_s(ids: pa.Array) -> Floats:
    """Seconds since 1970 in ids that have them, as a float64 array of shape (ids,)."""
    if pc.all(pc.match_substring_regex(ids, _PLAIN_EPOCH)).as_py():
        found = pc.utf8_slice_codeunits(ids, 0, 10)
    else:
        found = pc.struct_field(pc.extract_regex(ids, _EPOCH), "epoch")
    return np.asarray(pc.cast(found, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def changes(first: int, last: int, zone: str) -> list[tuple[int, int]]:
    """(instant, microseconds put forward) of the changes of a zone's clocks in a span."""
    if not 0 <= last - first <= LONGEST_SPAN:
        return []
    half_hour = HOUR // 2
    begin, end = first // half_hour - 4, last // half_hour + 4
    ticks = pd.to_datetime(np.arange(begin, end) * half_hour, unit="us", utc=True)
    local = ticks.tz_convert(ZoneInfo(zone)).tz_localize(None)
    offsets = (local - ticks.tz_localize(None)).to_numpy() // np.timedelta64(1, "us")
    moved = np.diff(offsets.astype(np.int64))
    at = np.flatnonzero(moved)
    return [(int((begin + k + 1) * half_hour), int(moved[k])) for k in at.tolist()]


def told_apart(
    started: Micros, is_local: Flags, epochs: Callable[[], Floats] | None, zone: str
) -> tuple[Micros, int, int]:
    """Instants with those of repeated hours put right.

    Parameters
    ----------
    started : int64 array of shape (rows,)
        In the order of the file; repeated times as their first pass.
    is_local : bool array of shape (rows,)
        Which of them were wall times.
    epochs : callable, or None
        Gives what ids say of them, a float64 array of shape (rows,).
    zone : str

    Returns
    -------
    tuple
        The instants; how many lay in a repeated hour; how many in one that is skipped.
    """
    local = np.flatnonzero(is_local & (started != MISSING))
    if not len(local):
        return started, 0, 0
    of_local = started[local]
    moved = changes(int(of_local.min()), int(of_local.max()), zone)
    if not moved:
        return started, 0, 0
    skipped = sum(
        int(np.sum(np.abs(of_local - change) <= SECOND // 1000)) for change, by in moved if by > 0
    )
    second = np.zeros(len(started), dtype=np.int64)
    for change, by in moved:
        if by < 0:
            second[is_local & (started >= change + by) & (started < change)] = -by
    found = started.copy()
    rows = np.flatnonzero(second)
    epoch_s = epochs() if len(rows) and epochs is not None else None
    if epoch_s is not None:
        # Ids count only if they are seconds since 1970, in this zone.
        off_s = started / SECOND - epoch_s
        off_s = np.where(off_s < -second / SECOND / 2, off_s + second / SECOND, off_s)
        told = local[np.isfinite(off_s[local])]
        if len(told) < LEAST_IDS or np.mean(np.abs(off_s[told]) < NEAR_S) < MOST_IDS:
            epoch_s = None
    _choose(found, rows, second, epoch_s)
    return found, len(rows), skipped


def _choose(
    found: Micros, rows: NDArray[np.int64], second: NDArray[np.int64], epoch_s: Floats | None
) -> None:
    """Move rows into the second pass of an hour where that is nearer to what is known."""
    told = {} if epoch_s is None else dict(zip(rows.tolist(), epoch_s[rows].tolist(), strict=True))
    for row in rows.tolist():
        epoch = told.get(row, float("nan"))
        if epoch == epoch:
            near = int(epoch) * SECOND
        elif row > 0 and found[row - 1] != MISSING:
            near = int(found[row - 1])
        else:
            continue
        later = int(found[row]) + int(second[row])
        if abs(later - near) < abs(int(found[row]) - near):
            found[row] = later


def seconds_off(started: Micros, epoch_s: Floats) -> float | None:
    """Seconds by which nearly all instants are later than their ids say; None if these differ.

    To the quarter of an hour, since a call's id may be given before it is dialled.
    """
    told = (started != MISSING) & np.isfinite(epoch_s)
    if told.sum() < LEAST_IDS:
        return None
    quarters = np.rint((started[told] / SECOND - epoch_s[told]) / 900)
    values, counts = np.unique(quarters, return_counts=True)
    if counts.max() < MOST_IDS * told.sum():
        return None
    return float(values[counts.argmax()]) * 900


def are_universal(started: Micros, epoch_s: Floats, zone: str) -> bool:
    """Whether ids say that wall times read in a zone are times of UTC."""
    off_s = seconds_off(started, epoch_s)
    if not off_s:
        return False
    instants = pd.to_datetime(started[np.isfinite(epoch_s) & (started != MISSING)], unit="us")
    offsets = {
        each.utcoffset()
        for each in instants[:: max(len(instants) // 100, 1)]
        .tz_localize("UTC")
        .tz_convert(ZoneInfo(zone))
    }
    return {-each.total_seconds() for each in offsets if each is not None} == {off_s}
