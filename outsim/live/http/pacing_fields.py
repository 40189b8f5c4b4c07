"""What is said to the scheduling and pacing interface: ours, as its bodies are not documented."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from outsim.live.http.control import Order
from outsim.scenario.parts import Name

MOST_CALLS = 10_000
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NewSchedule(Order):
    """Days on which campaigns are active."""

    name: Name
    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]


class NewProfile(Order):
    """How fast a campaign goes."""

    name: Name
    calls_per_minute: Annotated[int, Field(ge=1, le=1_000_000)]


class NewCampaign(Order):
    """A campaign, with its schedule and its profile."""

    name: Annotated[Name, Field(max_length=60)]
    start_url: Annotated[str, Field(min_length=1, max_length=255)]
    result_url: Annotated[str, Field(max_length=255)] | None = None
    schedule: Name | None = None
    profiles: list[Name] = Field(default=[], max_length=24)
    """The slowest of them counts."""
    max_retry: Annotated[int, Field(ge=0, le=10)] = 0
    retry_interval: Annotated[int, Field(ge=60, le=172_800)] = 300


class CampaignName(Order):
    """Which campaign."""

    name: Name


class NewCall(Order):
    """A call of a campaign."""

    phone_number: Annotated[str, Field(min_length=1, max_length=128)]
    message_reference: Annotated[str, Field(max_length=255)] | None = None


class NewCalls(CampaignName):
    """Calls for a campaign."""

    calls: Annotated[list[NewCall], Field(min_length=1, max_length=MOST_CALLS)]


class Stored(BaseModel):
    """What became of it."""

    status: Literal["success"] = "success"
    name: str
    call_ids: list[int] = []
    """Of calls that were queued; those of a campaign that is not started have none yet."""
