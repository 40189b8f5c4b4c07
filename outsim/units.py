"""Types of the quantities that people write in scenario files.

Each accepts what people write ("10 min", "20/s", "2 %", "09:15") and holds what
the model needs: integer microseconds, integer tokens per million seconds, a
fraction, an aware datetime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo

from outsim.clock import (
    DAY,
    MINUTE,
    RATE_SECONDS,
    existing,
    format_duration,
    parse_clock_time,
    parse_duration_us,
    parse_rate,
    parse_share,
    write_duration,
    write_rate,
)

LONGEST = 3660 * DAY
"""Longest duration that a scenario may name: ten years."""
FASTEST = 1_000_000 * RATE_SECONDS
"""Highest rate that a scenario may name: a million a second."""
YEARS = range(1970, 2200)
"""Years that a scenario may lie in."""


Problem = tuple[tuple[str | int, ...], str]
"""Key path and message."""


class ContradictionError(ValueError):
    """Values that are each allowed, but not together: `problems` are (key path, message) pairs."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        lines = [f"{'.'.join(str(key) for key in path)}: {message}" for path, message in problems]
        super().__init__("; ".join(lines))


def shown(value: Any) -> str:
    """A value as a message shows it: as it would be written in a scenario file, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if type(value).__name__ == "DataFrame":
        return "a DataFrame"
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a very large number"
    return text if len(text) <= 60 else text[:57] + "..."


def _in_unit(value: Any, info: ValidationInfo, parse: Callable[[str], int], write: str) -> int:
    """An integer of the model's own unit: from a text; from Python also as it is."""
    if isinstance(value, str):
        return parse(value)
    if info.context is not None or isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"found {shown(value)}; write a {write}")
    return value


def _within(value: int, most: int, raw: Any, least_text: str, most_text: str) -> int:
    if not 1 <= value <= most:
        limits = f"more than 0, {least_text} at least" if value < 1 else f"at most {most_text}"
        raise ValueError(f"found {shown(raw)}; must be {limits}")
    return value


def _duration(value: Any, info: ValidationInfo) -> int:
    duration = _in_unit(value, info, parse_duration_us, "duration with a unit, such as '10 min'")
    return _within(duration, LONGEST, value, "1 us", "3660 days")


def _rate(value: Any, info: ValidationInfo) -> int:
    rate = _in_unit(value, info, parse_rate, "rate with a unit, such as '20/s'")
    return _within(rate, FASTEST, value, "0.000001/s", "1000000/s")


def _share(value: Any) -> Any:
    share = parse_share(value) if isinstance(value, str) else value
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise ValueError(f"found {shown(value)}; write a share such as 0.02 or '2 %'")
    if not 0 <= share <= 1:
        raise ValueError(f"found {shown(value)}; must be 0 to 1, or '0 %' to '100 %'")
    return share


def _share_or_duration(value: Any, info: ValidationInfo) -> float | int:
    if not isinstance(value, str) or value.strip().endswith("%"):
        try:
            return float(_share(value))
        except ValueError as error:
            raise ValueError(f"{error}, or a duration such as '2 min'") from None
    try:
        parse_duration_us(value)
    except ValueError:
        instead = "write a share such as '20 %', or a duration such as '2 min'"
        raise ValueError(f"found {shown(value)}; {instead}") from None
    return _duration(value, info)


def _retry_interval(value: int) -> int:
    if not MINUTE <= value <= 2 * DAY:
        raise ValueError(
            f"found {format_duration(value)}; must be 60 s to 172800 s (1 min to 2 days)"
        )
    return value


def _local_time(value: Any, info: ValidationInfo) -> Any:
    local = _local_datetime(value, info)
    if local.year not in YEARS:
        raise ValueError(f"found {shown(value)}; must lie in the years 1970 to 2199")
    return existing(local)


def _with_offset(value: str, zone: ZoneInfo) -> datetime | None:
    """Local time of an instant that names its offset, as in JSON; None if it names none."""
    try:
        instant = datetime.fromisoformat(value)
        return None if instant.tzinfo is None else instant.astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _local_datetime(value: Any, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if info.context is None:
        raise ValueError(f"found {shown(value)}; outside a file, give a datetime with a time zone")
    day: date = info.context["date"]
    zone: ZoneInfo = info.context["zone"]
    if isinstance(value, str):
        return _with_offset(value, zone) or parse_clock_time(value, day, zone)
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone)
    if isinstance(value, time):
        return datetime.combine(day, value, tzinfo=zone)
    raise ValueError(f"found {shown(value)}; write a local clock time such as '09:15'")


def _time_of_day(value: Any) -> Any:
    if isinstance(value, str) and value.strip() == "24:00":
        return time.max
    try:
        parsed = (
            time.fromisoformat(value.strip().rjust(5, "0")) if isinstance(value, str) else value
        )
    except ValueError:
        parsed = None
    if not isinstance(parsed, time) or parsed.tzinfo is not None:
        raise ValueError(f"found {shown(value)}; write a time of day from '00:00' to '24:00'")
    return parsed


def _date(value: Any) -> Any:
    try:
        parsed = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        parsed = None
    if not isinstance(parsed, date) or isinstance(parsed, datetime):
        raise ValueError(f"found {shown(value)}; write a date such as 2026-03-10")
    if parsed.year not in YEARS:
        raise ValueError(f"found {shown(value)}; must lie in the years 1970 to 2199")
    return parsed


NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Names in a database of zones that are those of no place: of a machine, or of none."""
PLACES = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "AKST": "America/Anchorage",
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "IST": "Asia/Kolkata",
    "Etc/GMT+4": "America/Halifax",
    "Etc/GMT+5": "America/New_York",
    "Etc/GMT+6": "America/Chicago",
    "Etc/GMT+7": "America/Denver",
    "Etc/GMT+8": "America/Los_Angeles",
    "Etc/GMT+9": "America/Anchorage",
    "Etc/GMT-1": "Europe/Berlin",
    "Etc/GMT-2": "Europe/Athens",
}
"""Zones of places that are probably meant by what people write instead."""


def near_zone(name: str) -> str | None:
    """The time zone that was probably meant; None if there is none like it."""
    place = PLACES.get(name) or PLACES.get(name.upper())
    if place is not None:
        return place
    near = get_close_matches(name[:100], zone_names(), n=1, cutoff=0.7)
    return near[0] if near else None


@cache
def zone_names() -> frozenset[str]:
    """Time zones of the IANA database."""
    return frozenset(available_timezones() - NO_PLACES)


@cache
def is_zone(name: str) -> bool:
    """Whether `name` is a time zone; asking for one is quicker than listing all."""
    if name in NO_PLACES or name.startswith(("posix/", "right/")):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of zones
        return False
    return True


def _zone(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and is_zone(value):
        return value
    near = None
    # The first of many are looked up: it takes a while.
    if info.context is None or next(info.context.get("hints", iter([0])), None) is not None:
        near = near_zone(str(value))
    hint = f"did you mean {near!r}?" if near else "write one such as 'America/New_York'"
    raise ValueError(f"found {shown(value)}, which is not a time zone; {hint}")


def _text(pattern: str, *examples: str) -> Any:
    """Type of a text as the JSON Schema shows it; the validators themselves know better."""
    return Annotated[str, Field(pattern=pattern, json_schema_extra={"examples": [*examples]})]


Duration = Annotated[
    int,
    BeforeValidator(
        _duration, json_schema_input_type=_text(r"^\s*[0-9].*[a-zA-Zµ]\s*$", "10 min", "350 ms")
    ),
    PlainSerializer(write_duration, return_type=str, when_used="json"),
]
"""Integer microseconds, at least 1; written as ``"10 min"``."""

RetryInterval = Annotated[Duration, AfterValidator(_retry_interval)]
"""A duration of 60 s to 172800 s, the limits of the platform."""

Rate = Annotated[
    int,
    BeforeValidator(
        _rate,
        json_schema_input_type=_text(r"^\s*[0-9].*(/|\ba\b|\ban\b|\bper\b)", "20/s", "90/min"),
    ),
    PlainSerializer(write_rate, return_type=str, when_used="json"),
]
"""Integer tokens per million seconds, at least 1; written as ``"20/s"``."""

Share = Annotated[
    float,
    BeforeValidator(
        _share, json_schema_input_type=Annotated[float, Field(ge=0, le=1)] | _text(r"%\s*$", "2 %")
    ),
]
"""Fraction from 0 to 1; written as ``0.02`` or ``"2 %"``."""

ShareOrDuration = Annotated[
    float | int,
    BeforeValidator(
        _share_or_duration,
        json_schema_input_type=Annotated[float, Field(ge=0, le=1)]
        | _text(r"(%|[a-zA-Zµ])\s*$", "20 %", "2 min"),
    ),
    PlainSerializer(
        lambda value: write_duration(value) if isinstance(value, int) else value,
        return_type=float | str,
        when_used="json",
    ),
]
"""A fraction from 0 to 1, as a float, or integer microseconds; written as either of them."""
WHOLE = 1_000_000
"""All of something, in millionths."""


def millionths(share: float) -> int:
    """A share as a whole number of millionths: what is made of it is exact."""
    return round(share * WHOLE)


LocalTime = Annotated[
    datetime,
    BeforeValidator(
        _local_time, json_schema_input_type=_text(r"[0-9]:[0-9]{2}", "09:15", "2026-03-10 09:15")
    ),
]
"""Aware datetime in the scenario's zone; written as ``"09:15"``."""

TimeOfDay = Annotated[
    time,
    BeforeValidator(
        _time_of_day, json_schema_input_type=_text(r"[0-9]:[0-9]{2}", "09:00", "24:00")
    ),
]
"""Time of day without a date; ``"24:00"`` is the end of the day."""

Date = Annotated[date, BeforeValidator(_date)]
"""Date without a time of day."""

ZoneName = Annotated[
    str, BeforeValidator(_zone, json_schema_input_type=_text("", "America/New_York"))
]
"""Name of a time zone in the IANA database."""
