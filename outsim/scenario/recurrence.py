"""What comes again: parts of a scenario on other days, at the same local times (rule 15)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from outsim.clock import microseconds_between
from outsim.scenario.parts import WEEKDAYS, Part, Weekday

_Part = TypeVar("_Part", bound=Part)


def days_of(
    first: datetime, weekdays: Collection[Weekday], until: datetime, zone: ZoneInfo
) -> Iterator[int]:
    """Days from a first local time to each time before `until` that falls on these weekdays."""
    local, days = first.astimezone(zone), 0
    while microseconds_between(on_day(local, days, zone), until) > 0:
        if WEEKDAYS[(local.weekday() + days) % 7] in weekdays:
            yield days
        days += 1


def on_day(local: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same local time so many days later; one that summer time skips is an hour later."""
    # The day itself may have the time twice, and keeps the one that is meant.
    here = local.astimezone(zone)
    later = here + timedelta(days=days) if days else here
    return later.astimezone(UTC).astimezone(zone)


def moved(part: _Part, days: int, zone: ZoneInfo, **others: Any) -> _Part:
    """A part with all its local times so many days later, and some `others` of its values."""
    changes: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, datetime):
            changes[name] = on_day(value, days, zone)
        elif isinstance(value, Part):
            changes[name] = moved(value, days, zone)
    return part.model_copy(update=changes | others)
