"""Times of a call log: instants of what people and programs write, and hours that stand twice.

In autumn a wall time of one hour stands for two instants. The ids of Asterisk tell which (they
begin with the seconds since 1970); else the order of the rows in their file does, since rows that
follow each other were written soon after each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration.values import (
    Evidence,
    Flags,
    Floats,
    Micros,
    Style,
    encoded,
    is_there,
    matching,
    without_placeholders,
)
from outsim.clock import DAY, HOUR, SECOND

MISSING = np.iinfo(np.int64).min
"""An instant that is not there."""
ALLOWED = (
    "write 2026-03-10 09:00:00, with an offset, or seconds since 1970, or say with --time-format "
    "how times are written"
)
_FIRST_US = DAY
"""Times of the first day are what a clock or a program says that was never set."""
_LAST_US = int(pd.Timestamp("2200-01-01").value // 1000)
_LONGEST = 80
"""Characters of a time that is looked at."""
_NO_TIME = r"^0000-00-00|^0001-01-01|^1899-12-3[01]|^1900-01-0[01]|^0+([.]0*)?$"
"""Times that stand for none: of MySQL, .NET and spreadsheets."""

_CLOCK = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,6})?)?"
_AT_ONCE = (
    (_CLOCK + "$", pa.timestamp("us"), 1.0),
    (_CLOCK + r"(Z|[+-]\d\d:?\d\d)$", pa.timestamp("us", "UTC"), 1.0),
    (r"^\d{6,11}([.]\d+)?$", pa.float64(), 1e6),
    (r"^\d{12,13}([.]\d+)?$", pa.float64(), 1e3),
    (r"^\d{15,16}$", pa.float64(), 1.0),
    (r"^\d{18,19}$", pa.float64(), 1e-3),
)
"""Times that Arrow reads as what, and microseconds in one: clocks, and numbers since 1970."""
_SERIAL = re.compile(r"[2-7]\d{4}([.]\d+)?")
"""Days since 1899-12-30, as spreadsheets count them: 1954 to 2119."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai", "jun juin"),
            *("jul juil", "aug aoû aou ago", "sep", "oct okt", "nov", "dec déc dez dic"),
        ),
        1,
    )
    for name in names.split()
}
"""Months by how their names begin, in English, German, French and Spanish."""

_OFFSETS_H = {
    **dict.fromkeys(("z", "utc", "gmt", "ut", "wet"), 0),
    **dict.fromkeys(("est", "cdt"), -5),
    **dict.fromkeys(("cst", "mdt"), -6),
    **dict.fromkeys(("mst", "pdt"), -7),
    **dict.fromkeys(("pst", "akdt"), -8),
    "edt": -4,
    "akst": -9,
    "hst": -10,
    **dict.fromkeys(("cet", "mez", "west"), 1),
    **dict.fromkeys(("cest", "mesz", "eet"), 2),
    "eest": 3,
}
"""Abbreviations of zones: those of RFC 2822, and others that mean one thing only."""

_LETTERS = r"[^\W\d_]"
_TIME_OF_DAY = re.compile(
    r"(?P<h>\d{1,2})(?:[:h]|(?<=[ t-]\d\d)\.)(?P<m>\d\d)"
    r"(?:[:.m](?P<s>\d\d)(?:[.,:](?P<f>\d{1,9}))?)?s?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?(?: uhr\b)?(?![\d:])"
)
_ZONE = (
    r"(?: ?(?P<zone>(?:utc|gmt)?(?P<sign>[+-])(?P<zh>\d\d):?(?P<zm>\d\d)?(?: [a-z]{3,5})?"
    r"|[a-z]{1,5}))?"
    r"(?: ?[(\[][^()\[\]]*[)\]])?"
)
_GLUE = r"(?:,? ?(?:at|à|um|[t+-])? ?)"
_WEEKDAY = rf"(?:{_LETTERS}{{2,10}}(?:[.,]{{1,2}} ?| ))?"
_DAYS = (
    r"(?P<plain>\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4})",
    r"(?P<y>\d{4})(?P<b>\d\d)(?P<d>\d\d)",
    r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th)?[- /]{0,2}"
    rf"(?P<month>{_LETTERS}{{3,9}})\.?,?[- /]{{0,2}}(?P<y>\d{{4}}|\d\d)",
    rf"(?P<month>{_LETTERS}{{3,9}})\.? ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})",
)
_AROUND = (
    *(re.compile(f"{_WEEKDAY}{day}{_GLUE}@{_ZONE}") for day in _DAYS),
    *(re.compile(f"@{_ZONE}{_GLUE}{_WEEKDAY}{day}") for day in _DAYS),
    re.compile(
        rf"{_WEEKDAY}(?P<month>{_LETTERS}{{3,9}})\.? (?P<d>\d{{1,2}}),? @{_ZONE} (?P<y>\d{{4}})"
    ),
)
"""What stands around the time of day, which is ``@`` in it."""
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d\d)(\d\d)[t _-]?(\d\d)(\d\d)(\d\d)(.*)")


class NoZoneError(ValueError):
    """Local times, and nobody said in which zone."""


def instants(
    text: pa.Array, zone: str | None, time_format: str | None, style: Style
) -> tuple[Micros, Flags, Flags, Evidence]:
    """Microseconds since 1970 UTC; where a text is no time; where it says no zone; evidence."""
    present, evidence = is_there(text), Evidence()
    micros = np.full(len(text), MISSING, dtype=np.int64)
    is_local = np.zeros(len(text), dtype=np.bool_)
    if time_format is not None and present.any():
        is_local = present & ("%z" not in time_format)
        times = pd.to_datetime(
            text.to_pandas(), format=time_format, errors="coerce", utc="%z" in time_format
        )
        micros = times.astype(f"datetime64[us{', UTC' * ('%z' in time_format)}]").astype("int64")
        micros = np.where(times.isna(), MISSING, micros)
    elif present.any():
        _put_at_once(text, micros, is_local)
        left = present & (micros == MISSING)
        if left.any():
            texts, places = encoded(text.filter(pa.array(left)))
            read = [_instant(one, zone, style, evidence) for one in texts]
            micros[left] = np.array([at for at, _ in read])[places]
            is_local[left] = np.array([local for _, local in read])[places]
    if is_local.any():
        micros[is_local] = _placed(micros[is_local], zone)
    before = (micros != MISSING) & (micros < _FIRST_US)
    micros[before | (micros >= _LAST_US)] = MISSING
    wrong = present & (micros == MISSING) & ~before
    inside = micros[micros != MISSING]
    if len(inside):
        evidence.signs.add("seconds" if (inside % 60_000_000).any() else "whole minutes")
    if wrong.any():
        wrong &= ~matching(text, _NO_TIME) & is_there(without_placeholders(text))
    return micros, wrong, is_local, evidence


def _put_at_once(text: pa.Array, micros: Micros, is_local: Flags) -> None:
    """Put times of the usual forms, as far as all of a form can be read."""
    for pattern, kind, unit in _AT_ONCE:
        at = matching(text, pattern)
        if not at.any():
            continue
        try:
            read = pc.cast(text if at.all() else text.filter(pa.array(at)), kind)
        except pa.ArrowInvalid:
            continue
        if pa.types.is_timestamp(kind):
            is_local |= at & (kind.tz is None)
            read = pc.cast(read, pa.int64())
        micros[at] = np.rint(read.to_numpy(zero_copy_only=False) * unit).astype(np.int64)


def _placed(local: Micros, zone: str | None) -> Micros:
    """Instants of local times; those that are twice on a day have the earlier instant."""
    if zone is None:
        raise NoZoneError
    times = pa.array(local, pa.timestamp("us"), mask=local == MISSING)
    placed = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="earliest")
    micros = pc.fill_null(pc.cast(placed, pa.int64()), MISSING)
    return np.asarray(micros.to_numpy(zero_copy_only=False), dtype=np.int64)


def _instant(text: str, zone: str | None, style: Style, evidence: Evidence) -> tuple[int, bool]:
    """Microseconds of a time since 1970, and whether these are of local clocks."""
    if _SERIAL.fullmatch(text):
        evidence.examples.setdefault("serial", text)
        at = datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86_400))
        return _micros(at), True
    if text.replace(".", "", 1).isdecimal() and len(text.partition(".")[0]) < 6:
        return round(float(text) * 1e6), False
    calendar = _calendar(text, zone, style, evidence)
    if calendar is None:
        return MISSING, False
    at, offset = calendar
    return _micros(at) - (offset or 0) * 60 * SECOND, offset is None


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def _calendar(
    text: str, zone: str | None, style: Style, evidence: Evidence
) -> tuple[datetime, int | None] | None:
    """A time by calendar and clock, and its offset in minutes if it says one."""
    plain = text[: _LONGEST + 1].strip().lower()
    if len(plain) > _LONGEST:
        return None
    plain = re.sub(r"\s+", " ", unquote(plain))
    if (match := _COMPACT.fullmatch(plain)) is not None:
        plain = "{}-{}-{} {}:{}:{}{}".format(*match.groups())
    time = _TIME_OF_DAY.search(plain)
    if time is None:
        return None
    around = f"{plain[: time.start()]}@{plain[time.end() :]}"
    match = next(filter(None, (pattern.fullmatch(around) for pattern in _AROUND)), None)
    if match is None:
        return None
    parts = match.groupdict()
    day = _day(parts, text, style, evidence)
    hour = int(time["h"])
    if day is None or hour > 23:
        return None
    if time["half"] is not None:
        hour = hour % 12 + 12 * (time["half"] == "p")
    fraction = int((time["f"] or "0")[:6].ljust(6, "0"))
    try:
        at = datetime(*day, hour, int(time["m"]), int(time["s"] or 0), fraction)
    except ValueError:
        return None
    if parts["sign"]:
        minutes = int(parts["zh"]) * 60 + int(parts["zm"] or 0)
        return at, -minutes if parts["sign"] == "-" else minutes
    if not parts["zone"]:
        return at, None
    offset = _offset(parts["zone"], at.replace(second=0, microsecond=0), zone)
    return None if offset is None else (at, offset)


def _day(
    parts: dict[str, str | None], text: str, style: Style, evidence: Evidence
) -> tuple[int, int, int] | None:
    """Year, month and day; where the style tells which is which the evidence has the day."""
    if (plain := parts.get("plain")) is None:
        year, month, day = parts["y"] or "", parts.get("b"), int(parts["d"] or 0)
        name = parts.get("month") or ""
        number = int(month) if month else _MONTHS.get(name[:4], _MONTHS.get(name[:3]))
        return None if number is None else (int(year) + 2000 * (len(year) == 2), number, day)
    first, second, third = map(int, re.split("[/.-]", plain))
    if plain[:4].isdecimal():
        return first, second, third
    third += 2000 * (third < 100)
    if re.match(r"\d+\.\d+\.", plain):
        return third, second, first
    evidence.days.add((first, second, third))
    evidence.examples.setdefault("day", text)
    return (third, second, first) if style.day_first else (third, first, second)


@lru_cache(maxsize=4096)
def _offset(name: str, at: datetime, zone: str | None) -> int | None:
    """Minutes of a zone's abbreviation: in the log's own zone, if it is one of its own."""
    for local in (at, at + timedelta(days=182)) if zone is not None else ():
        for fold in (0, 1):
            here = local.replace(tzinfo=ZoneInfo(zone or ""), fold=fold)
            if (here.tzname() or "").lower() == name:
                return (here.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours = _OFFSETS_H.get(name)
    return None if hours is None else hours * 60


def is_time(text: str, time_format: str | None) -> bool:
    """Whether a text is a time, as far as it can be told by its form."""
    if time_format is not None:
        return bool(pd.notna(pd.to_datetime(text.strip(), format=time_format, errors="coerce")))
    plain = text.strip()
    if re.fullmatch(r"\d{10}([.]\d*)?|\d{13}", plain):
        return True
    return _calendar(plain, None, Style(), Evidence()) is not None


def is_time_format(time_format: str) -> bool:
    """Whether a format can be used for `strptime`, and says the day."""
    moment = pd.Timestamp("2026-11-23 14:05:06", tz="UTC")
    try:
        parsed = pd.to_datetime(moment.strftime(time_format), format=time_format, utc=True)
    except (ValueError, re.error, IndexError, KeyError, OverflowError):
        return False
    return bool(parsed.date() == moment.date())


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
        seconds = pc.utf8_slice_codeunits(ids, 0, 10)
    else:
        seconds = pc.struct_field(pc.extract_regex(ids, _EPOCH), "epoch")
    return np.asarray(pc.cast(seconds, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def changes(instants: Micros, zone: str) -> list[tuple[int, int]]:
    """(instant, microseconds put forward) of the changes of a zone's clocks in a span."""
    first, last = int(instants.min()), int(instants.max())
    if last - first > LONGEST_SPAN:
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
    """Instants with those of repeated hours put right; how many are repeated, and skipped."""
    local = np.flatnonzero(is_local & (started != MISSING))
    moved = changes(started[local], zone) if len(local) else []
    skipped = sum(
        int(np.sum(np.abs(started[local] - change) <= SECOND // 1000))
        for change, by in moved
        if by > 0
    )
    second = np.zeros(len(started), dtype=np.int64)
    for change, by in moved:
        if by < 0:
            second[is_local & (started >= change + by) & (started < change)] = -by
    rows = np.flatnonzero(second)
    if not len(rows):
        return started, 0, skipped
    epoch_s = np.full(len(started), np.nan) if epochs is None else epochs()
    # Ids count only if they are seconds since 1970, in this zone.
    off_s = started / SECOND - epoch_s
    off_s = np.where(off_s < -second / SECOND / 2, off_s + second / SECOND, off_s)
    known = off_s[local][np.isfinite(off_s[local])]
    if len(known) < LEAST_IDS or np.mean(np.abs(known) < NEAR_S) < MOST_IDS:
        epoch_s = np.full(len(started), np.nan)
    resolved = started.copy()
    for row in rows.tolist():
        if not np.isnan(epoch_s[row]):
            near = int(epoch_s[row]) * SECOND
        elif row > 0 and resolved[row - 1] != MISSING:
            near = int(resolved[row - 1])
        else:
            continue
        later = int(resolved[row] + second[row])
        if abs(later - near) < abs(int(resolved[row]) - near):
            resolved[row] = later
    return resolved, len(rows), skipped


def seconds_off(started: Micros, epoch_s: Floats) -> float | None:
    """Seconds, in quarters of an hour, by which nearly all instants are later than ids say."""
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
    known = started[np.isfinite(epoch_s) & (started != MISSING)]
    instants = pd.to_datetime(known[:: max(len(known) // 100, 1)], unit="us", utc=True)
    return {-at.utcoffset().total_seconds() for at in instants.tz_convert(zone)} == {off_s}
