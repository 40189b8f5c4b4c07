"""Times in requests: UNIX times, and times in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outsim.errors import SandboxError
from outsim.live.clock import SandboxClock
from outsim.live.http.answers import RefusedError
from outsim.units import is_zone

LONGEST = 64
"""Characters of a time in words at most."""
LATEST_UNIX = 253_402_300_799
"""The last second of the year 9999."""
EXAMPLES = '"now", "+3 days", "2026-03-10 17:00 America/Chicago"'
_ZONE_AT_END = re.compile(r"\s+([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+)$")


def in_words(text: str, now: datetime) -> datetime | None:
    """Moment that a text stands for, as seen `now`, in whose zone it is unless it names one."""
    import dateparser

    zone = now.tzinfo
    named = _ZONE_AT_END.search(text)
    if named is not None and is_zone(named[1]):
        text, zone = text[: named.start()], ZoneInfo(named[1])
    settings = {
        "RELATIVE_BASE": now.astimezone(zone).replace(tzinfo=None),
        "TIMEZONE": str(zone),
        "PREFER_DATES_FROM": "future",
        "RETURN_AS_TIMEZONE_AWARE": True,
    }
    try:
        found = dateparser.parse(text, languages=["en"], settings=settings)
    except (ValueError, OverflowError, TypeError, ArithmeticError):
        return None  # its parsers let a few of these through
    return found if isinstance(found, datetime) else None


def instant_of(
    clock: SandboxClock, field: str, timestamp: int | None, words: str | None = None
) -> int | None:
    """Instant of a UNIX time or a time in words; None where neither says one.

    Raises
    ------
    RefusedError
        If both are given, the words mean no time, or it lies outside the run.
    """
    named = f"{field}_timestamp" if timestamp else f"{field}_time"
    if timestamp and words:
        raise RefusedError(400, f"{field}_timestamp and {field}_time are both given; give one")
    if timestamp:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp)
    elif words:
        found = in_words(words.strip(), clock.local(clock.now))
        if found is None:
            raise RefusedError(
                400, f"{field}_time: found {words!r}; write a time such as {EXAMPLES}"
            )
        moment = found
    else:
        return None
    try:
        return clock.instant(moment)
    except SandboxError as error:
        raise RefusedError(400, f"{named}: {error}") from None
