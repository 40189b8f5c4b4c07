"""Types of the quantities that people write in scenario files.

Each accepts what people write ("10 min", "20/s", "2 %", "09:15") and holds what
the model needs: integer microseconds, integer tokens per million seconds, a
fraction, an aware datetime.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo

from outsim.clock import (
    RATE_SECONDS,
    existing,
    format_duration,
    format_rate,
    parse_clock_time,
    parse_duration_us,
    parse_rate,
    parse_share,
)


def _duration(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return parse_duration_us(value)
    if info.context is not None or isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"found {value!r}, which has no unit; write a duration such as '10 min'")
    return value


def _rate(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return parse_rate(value)
    if info.context is not None or isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"found {value!r}, which has no unit; write a rate such as '20/s'")
    return value


def _share(value: Any) -> Any:
    return parse_share(value) if isinstance(value, str) else value


def _local_time(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if info.context is None:
        raise ValueError(f"found {value!r}; outside a file, give a datetime with a time zone")
    day: date = info.context["date"]
    zone: ZoneInfo = info.context["zone"]
    if isinstance(value, str):
        return parse_clock_time(value, day, zone)
    if isinstance(value, datetime):
        return existing(value.replace(tzinfo=zone))
    if isinstance(value, time):
        return existing(datetime.combine(day, value, tzinfo=zone))
    raise ValueError(f"found {value!r}; write a local clock time such as '09:15'")


def _hour_and_minute(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip() == "24:00":
            return time.max
        return time.fromisoformat(value.strip().rjust(5, "0"))
    return value


def _zone(value: Any) -> Any:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write one such as 'America/New_York'")
    return value


Duration = Annotated[
    int,
    BeforeValidator(_duration, json_schema_input_type=str),
    Field(ge=1, description="A duration with its unit, such as '10 min' or '350 ms'."),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""Integer microseconds, at least 1; written as ``"10 min"``."""

Rate = Annotated[
    int,
    BeforeValidator(_rate, json_schema_input_type=str),
    Field(ge=1, le=RATE_SECONDS * 1_000_000, description="A rate with its unit, such as '20/s'."),
    PlainSerializer(format_rate, return_type=str, when_used="json"),
]
"""Integer tokens per million seconds, at least 1; written as ``"20/s"``."""

Share = Annotated[
    float,
    BeforeValidator(_share, json_schema_input_type=float | str),
    Field(ge=0, le=1, description="A share between 0 and 1, or a percentage such as '2 %'."),
]
"""Fraction from 0 to 1; written as ``0.02`` or ``"2 %"``."""

LocalTime = Annotated[
    datetime,
    BeforeValidator(_local_time, json_schema_input_type=str | time | datetime),
    Field(description="A local clock time such as '09:15' or '2026-03-10 09:15'."),
]
"""Aware datetime in the scenario's zone; written as ``"09:15"``."""

TimeOfDay = Annotated[
    time,
    BeforeValidator(_hour_and_minute, json_schema_input_type=str | time),
    Field(description="A time of day such as '09:00'; '24:00' is the end of the day."),
]
"""Time of day without a date; written as ``"09:00"``."""

ZoneName = Annotated[str, BeforeValidator(_zone)]
"""Name of a time zone in the IANA database."""
