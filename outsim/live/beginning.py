"""A scenario that begins now: all its clock times are moved by as much."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from outsim.clock import after, microseconds_between
from outsim.scenario.model import Scenario


def beginning_at(scenario: Scenario, moment: datetime) -> Scenario:
    """The same scenario, as if it had been written for this moment, to the second.

    Clock times are moved, dates with them. What depends on the time of day, such as how callees
    answer and when background campaigns start, depends on the new one.
    """
    begins = scenario.clock.begins
    by_us = microseconds_between(begins, moment.astimezone(UTC).replace(microsecond=0))
    moved = _moved(scenario, by_us)
    assert isinstance(moved, Scenario)
    date = after(begins, by_us).date()
    return moved.model_copy(update={"clock": moved.clock.model_copy(update={"date": date})})


def _moved(value: Any, by_us: int) -> Any:
    if isinstance(value, datetime):
        return after(value, by_us)
    if isinstance(value, list):
        return [_moved(each, by_us) for each in value]
    if isinstance(value, BaseModel):
        changes = {}
        for name in value.model_fields_set:
            said = getattr(value, name)
            moved = _moved(said, by_us)
            if moved is not said and moved != said:
                changes[name] = moved
        return value.model_copy(update=changes) if changes else value
    return value
