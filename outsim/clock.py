"""Time, durations, rates and shares: the only place that converts them.

Simulated time is an int64 count of microseconds since the scenario begins.
Rates are integer tokens per million seconds, so that "5 an hour" and "0.3/s"
stay integers and an engine never adds floats.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NEVER = 2**62
"""An instant after every run: 146,000 years."""

MISSING = -(2**63)
"""An instant that did not come. numpy and pandas read this integer as NaT."""

RATE_SECONDS = 1_000_000
"""Rates count tokens per this many seconds."""

TOKEN = RATE_SECONDS * SECOND
"""Parts of a token: a rate of r adds r of them every microsecond."""

_UNITS_US = {
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "sec": SECOND,
    "second": SECOND,
    "seconds": SECOND,
    "min": MINUTE,
    "minute": MINUTE,
    "minutes": MINUTE,
    "h": HOUR,
    "hour": HOUR,
    "hours": HOUR,
    "d": DAY,
    "day": DAY,
    "days": DAY,
}
_NUMBER = r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?"
_DURATION = re.compile(rf"({_NUMBER})\s*([a-zµ]+)")
_RATE = re.compile(rf"({_NUMBER})\s*(?:/|\s+(?:a|an|per)\s+)\s*(s|sec|second|min|minute|h|hour)")
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_CLOCK = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[T ])?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?")


LONGEST_TEXT = 100
"""Characters of a quantity at most; what is longer is none."""


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"found {text[:40]!r} and {len(text) - 40} more characters; write "
            f"{LONGEST_TEXT} at most"
        )


def parse_duration_us(text: str) -> int:
    """Microseconds of a duration such as ``"10 min"`` or ``"1 h 30 min"``, or a ValueError."""
    _check_length(text)
    rest = text.strip().lower()
    total = 0.0
    parts = _DURATION.findall(rest)
    if not parts or _DURATION.sub("", rest).strip(" ,"):
        _refuse_negative(rest, text)
        raise ValueError(f"found {text!r}; write a number and a unit, such as '10 min'")
    for number, unit in parts:
        if unit not in _UNITS_US:
            raise ValueError(f"found the unit {unit!r} in {text!r}; allowed: us, ms, s, min, h, d")
        total += float(number.replace("_", "")) * _UNITS_US[unit]
    if not total < NEVER:
        raise ValueError(f"found {text!r}, which is too long")
    return round(total)


def parse_rate(text: str) -> int:
    """Tokens per million seconds of a rate such as ``"20/s"`` or ``"90/min"``, or a ValueError."""
    _check_length(text)
    match = _RATE.fullmatch(text.strip().lower())
    if match is None:
        _refuse_negative(text.strip(), text)
        raise ValueError(
            f"found {text!r}; write a number a second, minute or hour, such as '20/s'"
        )
    number, unit = match.groups()
    rate = float(number.replace("_", "")) * RATE_SECONDS / (_UNITS_US[unit] // SECOND)
    if not rate < NEVER:
        raise ValueError(f"found {text!r}, which is too fast")
    return round(rate)


def parse_share(text: str) -> float:
    """Fraction of a share such as ``"2 %"``; ValueError if it is none."""
    _check_length(text)
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"found {text!r}; write a share such as 0.02 or '2 %'")
    return float(match[1].replace("_", "")) / 100


def _refuse_negative(number: str, text: str) -> None:
    if number.startswith("-"):
        raise ValueError(f"found {text!r}; must be more than 0")


def parse_clock_time(text: str, on: date, zone: ZoneInfo) -> datetime:
    """Aware datetime of a local ``"09:15"`` or ``"2026-03-10 09:15"``, or a ValueError."""
    _check_length(text)
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"found {text!r}; write a local clock time: '09:15', '09:15:30' or '2026-03-10 09:15'"
        )
    day, hour, minute, second, fraction = match.groups()
    try:
        local = datetime.combine(
            date.fromisoformat(day) if day else on,
            time(int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0"))),
            tzinfo=zone,
        )
    except ValueError as error:
        raise ValueError(f"found {text!r}, which is not a local clock time: {error}") from None
    return existing(local)


def existing(local: datetime) -> datetime:
    """The local time itself; a ValueError if a change to summer time skips it."""
    try:
        back = local.astimezone(UTC).astimezone(local.tzinfo)
    except OverflowError:
        raise ValueError(f"found the year {local.year}, which is out of range") from None
    if back.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(
            f"found {local:%Y-%m-%d %H:%M}, which {local.tzinfo} does not have: "
            "the clock is put forward over it"
        )
    return local


def microseconds_between(earlier: datetime, later: datetime) -> int:
    """Elapsed microseconds from one aware datetime to another, across clock changes."""
    return (later.astimezone(UTC) - earlier.astimezone(UTC)) // timedelta(microseconds=1)


def after(moment: datetime, elapsed_us: int) -> datetime:
    """Aware datetime `elapsed_us` of real time after `moment`, in the same zone."""
    return (moment.astimezone(UTC) + timedelta(microseconds=elapsed_us)).astimezone(moment.tzinfo)


LONGEST_ROW = 3 * DAY // 2
"""What lasts longer is shown day by day."""


def days_of(begins: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
    """Local days of a time, midnight to midnight, if it lasts for days; else none."""
    if microseconds_between(begins, ends) <= LONGEST_ROW:
        return []
    days, day = [], begins.date()
    while (midnight := datetime.combine(day, time(0), tzinfo=begins.tzinfo)) < ends:
        day += timedelta(days=1)
        days.append((midnight, datetime.combine(day, time(0), tzinfo=begins.tzinfo)))
    return days


def format_duration(duration_us: int | float) -> str:
    """Human-readable duration: ``"350 ms"``, ``"12.5 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    if not math.isfinite(duration_us):
        return "-"
    sign, size = ("-" if duration_us < 0 else ""), abs(round(duration_us))
    if size < MILLISECOND:
        return f"{sign}{size} us"
    if size < SECOND:
        return f"{sign}{size / MILLISECOND:.3g} ms"
    if size < MINUTE:
        return f"{sign}{size / SECOND:.3g} s"
    if size < HOUR:
        minutes, seconds = divmod(round(size / SECOND), 60)
        return f"{sign}{minutes} min {seconds} s" if seconds else f"{sign}{minutes} min"
    hours, minutes = divmod(round(size / MINUTE), 60)
    return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"


def format_rate(rate: int) -> str:
    """Human-readable rate: ``"20/s"``, or by the minute below one a second."""
    per_second = rate / RATE_SECONDS
    return f"{per_second:g}/s" if per_second >= 1 else f"{per_second * 60:.4g}/min"


def write_duration(duration_us: int) -> str:
    """Duration as a scenario file has it, exact to the microsecond: ``"90500 ms"``."""
    for unit in ("h", "min", "s", "ms"):
        if duration_us % _UNITS_US[unit] == 0:
            return f"{duration_us // _UNITS_US[unit]} {unit}"
    return f"{duration_us} us"


def write_rate(rate: int) -> str:
    """Rate as a scenario file has it, exact: ``"20/s"``, or with up to six decimals."""
    whole, rest = divmod(rate, RATE_SECONDS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") + "/s"


def local_segments(
    begins: datetime, until_us: int, zone: ZoneInfo
) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Where local hours in `zone` begin in a run, first at or before 0; their weekday and hour."""
    # Every zone in use today is offset from UTC by whole quarters of an hour, and changes on one.
    quarter = 15 * MINUTE
    begins_utc = begins.astimezone(UTC)
    lead_us = (
        (begins_utc.minute % 15) * MINUTE + begins_utc.second * SECOND + begins_utc.microsecond
    )
    starts: list[int] = []
    hours: list[tuple[int, int]] = []
    for start_us in range(-lead_us, until_us + 1, quarter):
        local = (begins_utc + timedelta(microseconds=start_us)).astimezone(zone)
        hour = (local.weekday(), local.hour)
        if not hours or hours[-1] != hour:
            starts.append(start_us)
            hours.append(hour)
    return np.array(starts, dtype=np.int64), hours
