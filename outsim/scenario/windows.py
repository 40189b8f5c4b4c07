"""Calling windows as spans of simulated time (rule 9)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from outsim.clock import microseconds_between
from outsim.scenario.campaigns import Window

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _instant_us(begins: datetime, day: datetime, at: time, zone: ZoneInfo) -> int:
    """Instant of a local time of day.

    A time that a change to summer time skips counts as the same span after
    midnight as on other days, which is how zoneinfo reads it.
    """
    if at == time.max:
        day, at = day + timedelta(days=1), time(0)
    return microseconds_between(begins, datetime.combine(day.date(), at, tzinfo=zone))


def window_spans(
    window: Window, begins: datetime, until_us: int, zone: ZoneInfo
) -> tuple[tuple[int, int], ...]:
    """(opens, closes) spans, in microseconds since `begins`, that touch a run until `until_us`."""
    spans: list[tuple[int, int]] = []
    day = begins.astimezone(zone) - timedelta(days=1)
    while True:
        opens = _instant_us(begins, day, window.opens, zone)
        if opens > until_us:
            return tuple(spans)
        closes = _instant_us(begins, day, window.closes, zone)
        if closes > 0 and opens < closes and _DAYS[day.weekday()] in window.days:
            if spans and spans[-1][1] >= opens:
                spans[-1] = (spans[-1][0], closes)
            else:
                spans.append((opens, closes))
        day += timedelta(days=1)
