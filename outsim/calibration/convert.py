"""Columns of text made into times and numbers, all at once; what can't be is told apart.

In autumn a wall time of one hour stands for two instants. The ids of Asterisk tell which (they
begin with the seconds since 1970); else the order of the rows in their file does, since rows that
follow each other were written soon after each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.values import (
    NOTHING,
    Evidence,
    Style,
    bare,
    evidence_of,
    number,
    rewritten,
    seconds,
)
from outsim.clock import DAY, HOUR, SECOND

Array = NDArray[Any]
Integers = NDArray[np.int64]
Keys = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Micros = NDArray[np.int64]
Codes = NDArray[np.int8]

MISSING = np.iinfo(np.int64).min
"""An instant that is not there."""

_FIRST_US = 86_400_000_000
"""Times of the first day are what a clock or a program says that was never set."""
_LAST_US = int(pd.Timestamp("2200-01-01").value // 1000)

_CLOCK = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?$"
_ABSOLUTE = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,9})?)? ?(Z|UTC|[+-]\d\d:?\d\d)$"
_MAIL = r"^[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}|GMT|UTC)$"
_SINCE_1970 = (
    (r"^\d{1,11}([.]\d+)?$", 1e6),
    (r"^\d{12,13}([.]\d+)?$", 1e3),
    (r"^\d{15,16}$", 1.0),
    (r"^\d{18,19}$", 1e-3),
)
"""Seconds, milliseconds, microseconds and nanoseconds since 1970, and microseconds in each."""
_SERIAL = r"^[2-7]\d{4}([.]\d+)?$"
"""Days since 1899-12-30, as spreadsheets count them: 1954 to 2119."""
_SERIAL_DAY_ZERO = pd.Timestamp("1899-12-30")
_WITH_ZONE = (
    r"(Z|UTC|GMT|[+-]\d\d:?\d\d|\d[+-]\d\d| [A-Z]{3,5}|\))$|[ \d][A-Z]{3,5} \d|"
    r"^\d{6,13}([.]\d+)?$|^\d{15,19}$"
)
_NO_TIME = r"^0000-00-00|^0001-01-01|^1899-12-3[01]|^1900-01-0[01]|^0+([.]0*)?$"
"""Times that stand for none: of MySQL, .NET and spreadsheets."""
_PARTED = (
    r"^(?P<a>\d{1,4})[/.-](?P<b>\d{1,2})[/.-](?P<c>\d{2,4}),?[T ]+(?P<h>\d{1,2}):(?P<m>\d{2})"
    r"(:(?P<s>\d{2}(\.\d{1,6})?))?( ?(?P<half>[AaPp])\.?[Mm]\.?)?(?P<offset>[+-]\d\d:\d\d)?$"
)
"""A day in three parts, and a time of 24 or twice 12 hours."""

TIMES = (
    "write 2026-03-10 09:00:00, with an offset, or seconds since 1970, or say with --time-format "
    "how times are written"
)
"""What is allowed for an instant."""


def flags_of(found: pa.Array) -> Flags:
    """Truth values; a missing one is false."""
    found = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=np.bool_)


def matching(text: pa.Array, pattern: str) -> Flags:
    """Where a text has a pattern in it."""
    return flags_of(pc.match_substring_regex(text, pattern))


def encoded(text: pa.Array) -> tuple[list[str], Array]:
    """Distinct texts, and which of them each row has: a number beyond the last where none."""
    coded = text.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    return texts, pc.fill_null(coded.indices, len(texts)).to_numpy(zero_copy_only=False)


class NoZoneError(ValueError):
    """Local times, and nobody said in which zone."""


def trimmed(text: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Text without blanks around it; missing where there is none."""
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    array = pc.utf8_trim_whitespace(array)
    if any(pc.any(pc.starts_with(array, each)).as_py() for each in ('="', '"', "'")):
        # A spreadsheet's way to keep digits as text, and quotes that are none of CSV's.
        array = pc.replace_substring_regex(array, "^=?\"(.*)\"$|^'(.*)'$", r"\1\2")
    is_empty = pc.equal(array, "")
    return pc.if_else(is_empty, None, array) if pc.any(is_empty).as_py() else array


def without_placeholders(text: pa.Array, nothing: Collection[str] = NOTHING) -> pa.Array:
    """Text that is no word for nothing; missing in place of such words."""
    is_nothing = pc.is_in(text, _ways(frozenset(nothing)))
    return pc.if_else(is_nothing, None, text) if pc.any(is_nothing).as_py() else text


@cache
def _ways(words: frozenset[str]) -> pa.Array:
    """Words in the ways in which programs write them."""
    ways = {way(each) for each in words for way in (str.lower, str.upper, str.capitalize)}
    return pa.array(sorted({*ways, "NaN"}))


def is_there(text: pa.Array) -> Flags:
    """Where there is a text at all."""
    return flags_of(pc.is_valid(text)) if text.null_count else np.ones(len(text), dtype=np.bool_)


def numbers(text: pa.Array, target: str, style: Style) -> tuple[Floats, Flags, Evidence]:
    """Numbers of a column, durations in seconds; where a text is none, and what texts tell."""
    try:
        values = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        values = None
    if values is not None:
        found = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
        evidence = _evidence_of_dots(text, found)
        if evidence.signs and target in style.thousands_dot:
            found = np.where(matching(text, _THREE_DIGITS), found * 1000, found)
        return found, is_there(text) & np.isinf(found), evidence
    texts, places = encoded(text)
    read = number if target in _NO_DURATIONS else seconds
    each = np.array([read(one, target, style) for one in texts] + [np.nan])
    is_none = np.array([bare(one) in NOTHING for one in texts] + [True])
    found = each[places]
    return found, ~np.isfinite(found) & ~is_none[places], evidence_of(texts)


def say_no_zone(text: pa.Array, time_format: str | None) -> Flags:
    """Where a time says neither its zone nor its offset: all of a log, or none, or some."""
    if time_format is not None:
        return is_there(text) & ("%z" not in time_format)
    there = is_there(text)
    return there if _all_clock_times(text) is not None else there & ~matching(text, _WITH_ZONE)


_NO_DURATIONS = frozenset({"attempt", "weight"})
_THREE_DIGITS = r"^[1-9]\d{0,2}[.]\d{3}$"


def _evidence_of_dots(text: pa.Array, found: Floats) -> Evidence:
    """What numbers without commas tell of dots: see `values.told_by`."""
    evidence = Evidence()
    with np.errstate(invalid="ignore"):
        if ((found >= 1) & (found < 1000) & (found == np.floor(found))).any():
            evidence.signs.add("below a thousand")
        if not (np.isfinite(found) & (found != np.floor(found))).any():
            return evidence
    three = matching(text, _THREE_DIGITS)
    if (matching(text, "[.]") & ~three).any():
        evidence.signs.add("decimal dot")
    if three.any():
        evidence.signs.add("three digits after a dot")
        evidence.examples["dot"] = str(text[int(np.flatnonzero(three)[0])])
    return evidence


def instants(
    text: pa.Array, zone: str | None, time_format: str | None, style: Style | None = None
) -> tuple[Micros, Flags, Evidence]:
    """Instants of a column, as microseconds since 1970 UTC; where a text is none; what texts tell.

    A time that can't be meant, such as 0000-00-00 or 1970, is no time at all.
    """
    there = is_there(text)
    found = np.full(len(text), MISSING, dtype=np.int64)
    evidence = Evidence()
    if not there.any():
        return found, ~there & False, evidence
    if time_format is not None:
        _put(found, there, _parsed(text, there, time_format), zone)
    else:
        evidence = _put_all(text, there, found, zone, style or Style())
    outside = (found != MISSING) & ((found < _FIRST_US) | (found >= _LAST_US))
    is_nothing = outside & (found < _FIRST_US)
    inside = found[(found != MISSING) & ~outside]
    if len(inside):
        evidence.signs.add("seconds" if (inside % 60_000_000).any() else "whole minutes")
    found[outside] = MISSING
    wrong = there & (found == MISSING) & ~is_nothing
    if wrong.any():
        wrong &= ~matching(text, _NO_TIME) & is_there(without_placeholders(text))
    return found, wrong, evidence


def _put_all(
    text: pa.Array, there: Flags, found: Micros, zone: str | None, style: Style
) -> Evidence:
    """Put times that are written in a usual way, and then the others; what they tell."""
    evidence = _as_usual(text, there, found, zone, style)
    left = there & (found == MISSING)
    if left.any():
        texts, places = encoded(text.filter(pa.array(left)))
        ways = pa.array([rewritten(each, zone) for each in texts], pa.string())
        usual = ways.take(pa.array(places))
        read = np.full(len(usual), MISSING, dtype=np.int64)
        if (are_read := is_there(usual)).any():
            evidence.add(_as_usual(usual, are_read, read, zone, style))
        found[left] = read
    return evidence


def _as_usual(
    text: pa.Array, there: Flags, found: Micros, zone: str | None, style: Style
) -> Evidence:
    plain = _all_clock_times(text)
    if plain is not None:
        found[:] = _placed(plain, zone)
        return Evidence()
    for pattern, how, utc in (
        (_CLOCK, "ISO8601", False),
        (_ABSOLUTE, "ISO8601", True),
        (_MAIL, "%a, %d %b %Y %H:%M:%S %z", True),
    ):
        at = matching(text, pattern)
        if at.any():
            _put(found, at, _parsed(text, at, how, utc=utc), zone)
    left = there & (found == MISSING)
    evidence = Evidence()
    if left.any() and (at := matching(text, _SERIAL)).any():
        days = _floats(text, at)
        times = _SERIAL_DAY_ZERO + pd.to_timedelta(np.rint(days * 86_400), unit="s")
        _put(found, at, pd.Series(times), zone)
        evidence.examples["serial"] = f"{text[int(np.flatnonzero(at)[0])]}"
        left &= ~at
    for pattern, unit in _SINCE_1970 if left.any() else ():
        at = left & matching(text, pattern)
        if at.any():
            found[at] = np.rint(_floats(text, at) * unit).astype(np.int64)
    left &= found == MISSING
    at = left & matching(text, _PARTED) if left.any() else left
    if at.any():
        evidence.add(_in_parts(text, at, found, zone, style))
        left &= found == MISSING
    return evidence


def _floats(text: pa.Array, at: Flags) -> Floats:
    values = pc.cast(text.filter(pa.array(at)), pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _in_parts(
    text: pa.Array, at: Flags, found: Micros, zone: str | None, style: Style
) -> Evidence:
    """Times such as ``3/10/2026 9:00 AM`` and ``10.03.2026 09:00``, and what they tell of days."""
    texts = text.filter(pa.array(at))
    parts = texts.to_pandas().str.extract(_PARTED)
    first, second, third = (parts[name].astype(int) for name in "abc")
    year_first = parts["a"].str.len() == 4
    german = texts.to_pandas().str.match(r"\d+\.\d+\.")
    day_first = german | style.day_first
    year = np.where(year_first, first, np.where(third < 100, third + 2000, third))
    month = np.where(year_first | day_first, second, first)
    day = np.where(year_first, third, np.where(day_first, first, second))
    half = parts["half"].str.lower()
    hour = parts["h"].astype(int)
    hour = hour.where(half.isna(), hour % 12 + 12 * (half == "p"))
    day_text = [f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in zip(year, month, day, strict=True)]
    second_text = parts["s"].fillna("00").str.pad(2, fillchar="0")
    written = (pd.Series(day_text) + " " + hour.astype(str).str.pad(2, fillchar="0") + ":") + (
        parts["m"] + ":" + second_text
    )
    offset = parts["offset"].fillna("")
    for some in (offset == "", offset != ""):
        if some.any():
            at_some = at.copy()
            at_some[at] = some.to_numpy(dtype=np.bool_)
            times = pd.to_datetime(
                (written + offset)[some],
                format="ISO8601",
                errors="coerce",
                utc=bool(offset[some].iloc[0]),
            )
            _put(found, at_some, times, zone)
    is_open = ~(year_first | german)
    evidence = Evidence(days=set(zip(first[is_open], second[is_open], year[is_open], strict=True)))
    if is_open.any():
        evidence.examples["day"] = str(texts[int(np.flatnonzero(is_open)[0])])
    return evidence


def _all_clock_times(text: pa.Array) -> pa.Array | None:
    """Local times, if all are: the quick way for most logs."""
    shortest = pc.min(pc.utf8_length(text)).as_py()
    if shortest is None or shortest < len("2026-03-10 09:00"):
        return None
    try:
        return pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def _parsed(text: pa.Array, at: Flags, how: str, *, utc: bool = False) -> pd.Series[pd.Timestamp]:
    column = text.filter(pa.array(at)).to_pandas()
    if utc:
        column = column.str.replace(" ?(GMT|UTC)$", " +0000" if "%z" in how else "Z", regex=True)
        column = column.str.replace(" (?=[Z+-])", "", regex=True) if "%z" not in how else column
    return pd.Series(pd.to_datetime(column, format=how, errors="coerce", utc=utc or "%z" in how))


def _put(found: Micros, at: Flags, times: pd.Series[pd.Timestamp], zone: str | None) -> None:
    """Put times where they belong."""
    if times.dt.tz is None:
        found[at] = _placed(pa.Array.from_pandas(times.astype("datetime64[us]")), zone)
        return
    micros = times.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    found[at] = np.where(times.isna(), MISSING, micros.astype("int64"))


def _placed(local: pa.Array, zone: str | None) -> Micros:
    """Instants of local times; those that are twice on a day have the earlier instant."""
    if zone is None:
        raise NoZoneError
    placed = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    micros = pc.fill_null(pc.cast(placed, pa.int64()), MISSING)
    return np.asarray(micros.to_numpy(zero_copy_only=False), dtype=np.int64)


def seconds_between(first: Micros, then: Micros) -> Floats:
    """Seconds from one instant to the other; missing where either is."""
    gone = (first == MISSING) | (then == MISSING)
    return np.where(gone, np.nan, (then - first) / 1e6)


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


def resolve_repeated_hours(
    started: Micros, is_local: Flags, epochs: Callable[[], Floats] | None, zone: str
) -> tuple[Micros, int, int]:
    """Instants with those of repeated hours put right."""
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
        known = local[np.isfinite(off_s[local])]
        if len(known) < LEAST_IDS or np.mean(np.abs(off_s[known]) < NEAR_S) < MOST_IDS:
            epoch_s = None
    _choose(found, rows, second, epoch_s)
    return found, len(rows), skipped


def _choose(
    found: Micros, rows: NDArray[np.int64], second: NDArray[np.int64], epoch_s: Floats | None
) -> None:
    """Move rows into the second pass of an hour where that is nearer to what is known."""
    known = (
        {} if epoch_s is None else dict(zip(rows.tolist(), epoch_s[rows].tolist(), strict=True))
    )
    for row in rows.tolist():
        epoch = known.get(row, float("nan"))
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

    To the quarter of an hour, since a call's id may be given before it is dialed.
    """
    known = (started != MISSING) & np.isfinite(epoch_s)
    if known.sum() < LEAST_IDS:
        return None
    quarters = np.rint((started[known] / SECOND - epoch_s[known]) / 900)
    values, counts = np.unique(quarters, return_counts=True)
    if counts.max() < MOST_IDS * known.sum():
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
