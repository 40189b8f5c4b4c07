"""Columns of text made into times and numbers, all at once; what can't be is told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Micros = NDArray[np.int64]

MISSING = np.iinfo(np.int64).min
"""An instant that is not there."""

_FIRST_US = 0
_LAST_US = int(pd.Timestamp("2200-01-01").value // 1000)

_CLOCK = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?$"
_ABSOLUTE = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,9})?)? ?(Z|UTC|[+-]\d\d:?\d\d)$"
_MAIL = r"^[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}|GMT|UTC)$"
_SECONDS = r"^\d{1,11}([.]\d+)?$"
_MILLISECONDS = r"^\d{12,14}$"

TIMES = "write 2026-03-10 09:00:00, with an offset, or seconds since 1970"
"""What is allowed for an instant."""


class NoZoneError(ValueError):
    """Local times, and nobody said in which zone."""


def trimmed(text: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Text without blanks around it; missing where there is none."""
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    array = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(array, ""), None, array)


def is_there(text: pa.Array) -> Flags:
    """Where there is a text at all."""
    return np.asarray(pc.is_valid(text).to_numpy(zero_copy_only=False), dtype=np.bool_)


def numbers(text: pa.Array) -> tuple[Floats, Flags]:
    """Numbers of a column; where there is a text that is none."""
    try:
        values = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        fits = pc.match_substring_regex(text, r"^[+-]?(\d+([.]\d*)?|[.]\d+)([eE][+-]?\d{1,2})?$")
        values = pc.cast(pc.if_else(fits, text, None), pa.float64())
    found = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    return found, is_there(text) & ~np.isfinite(found)


def say_no_zone(text: pa.Array, time_format: str | None) -> Flags:
    """Where a time says neither its zone nor its offset: all of a log, or none, or some."""
    if time_format is not None:
        return is_there(text) & ("%z" not in time_format)
    absolute = pc.match_substring_regex(text, r"(Z|UTC|GMT|[+-]\d\d:?\d\d)$|^\d{5,14}([.]\d+)?$")
    return is_there(text) & ~_true(absolute)


def _true(found: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def instants(text: pa.Array, zone: str | None, time_format: str | None) -> tuple[Micros, Flags]:
    """Instants of a column, as microseconds since 1970 UTC; where a text is none.

    Parameters
    ----------
    text : pyarrow.Array of strings
    zone : str or None
        Zone of times that say none.
    time_format : str or None
        How times are written, for `strptime`; None for the usual ways: ISO 8601, the way of
        mail (RFC 2822), seconds or milliseconds since 1970.

    Raises
    ------
    NoZoneError
        If there are local times and no zone.
    """
    there = is_there(text)
    found = np.full(len(text), MISSING, dtype=np.int64)
    if not there.any():
        return found, ~there & False
    if time_format is not None:
        _put(found, there, _parsed(text, there, time_format), zone)
    else:
        _as_usual(text, there, found, zone)
    outside = (found != MISSING) & ((found < _FIRST_US) | (found >= _LAST_US))
    found[outside] = MISSING
    return found, there & (found == MISSING)


def _as_usual(text: pa.Array, there: Flags, found: Micros, zone: str | None) -> None:
    plain = _all_clock_times(text)
    if plain is not None:
        _put(found, there, pd.Series(plain.filter(pa.array(there)).to_pandas()), zone)
        return
    for pattern, how, utc in (
        (_CLOCK, "ISO8601", False),
        (_ABSOLUTE, "ISO8601", True),
        (_MAIL, "%a, %d %b %Y %H:%M:%S %z", True),
    ):
        at = _matching(text, pattern)
        if at.any():
            _put(found, at, _parsed(text, at, how, utc=utc), zone)
    for pattern, unit in ((_SECONDS, 1e6), (_MILLISECONDS, 1e3)):
        at = _matching(text, pattern)
        if at.any():
            found[at] = np.rint(numbers(text.filter(pa.array(at)))[0] * unit).astype(np.int64)


def _all_clock_times(text: pa.Array) -> pa.Array | None:
    """Local times, if all are: the quick way for most logs."""
    if pc.min(pc.utf8_length(text)).as_py() < len("2026-03-10 09:00"):
        return None
    try:
        return pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def _matching(text: pa.Array, pattern: str) -> Flags:
    matches = pc.fill_null(pc.match_substring_regex(text, pattern), False)
    return np.asarray(matches.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _parsed(text: pa.Array, at: Flags, how: str, *, utc: bool = False) -> pd.Series[pd.Timestamp]:
    column = text.filter(pa.array(at)).to_pandas()
    if utc:
        column = column.str.replace(" ?(GMT|UTC)$", " +0000" if "%z" in how else "Z", regex=True)
        column = column.str.replace(" (?=[Z+-])", "", regex=True) if "%z" not in how else column
    return pd.Series(pd.to_datetime(column, format=how, errors="coerce", utc=utc or "%z" in how))


def _put(found: Micros, at: Flags, times: pd.Series[pd.Timestamp], zone: str | None) -> None:
    """Put times where they belong; local ones twice on a day have the earlier instant."""
    if times.dt.tz is None:
        if zone is None:
            raise NoZoneError
        array = pa.Array.from_pandas(times.astype("datetime64[us]"))
        local = pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest")
        placed = pc.fill_null(pc.cast(local, pa.int64()), MISSING)
        found[at] = placed.to_numpy(zero_copy_only=False)
        return
    micros = times.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    found[at] = np.where(times.isna(), MISSING, micros.astype("int64"))


def seconds_between(first: Micros, then: Micros) -> Floats:
    """Seconds from one instant to the other; missing where either is."""
    gone = (first == MISSING) | (then == MISSING)
    return np.where(gone, np.nan, (then - first) / 1e6)
