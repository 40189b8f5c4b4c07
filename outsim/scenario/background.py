"""Other customers, whose campaigns are drawn anew in each replication."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from outsim.scenario.defaults import default
from outsim.scenario.parts import Name, Part, Positive
from outsim.units import (
    Rate,
    RetryInterval,
)


class StartMinutes(Part):
    """Weights of the minutes at which background campaigns start."""

    top: Annotated[float, Field(ge=0)]
    """At :00."""
    half: Annotated[float, Field(ge=0)]
    """At :30."""
    quarter: Annotated[float, Field(ge=0)]
    """At :15 and :45 together."""
    other: Annotated[float, Field(ge=0)]
    """At any other minute."""

    @model_validator(mode="after")
    def _some_weight(self) -> StartMinutes:
        if self.top + self.half + self.quarter + self.other <= 0:
            raise ValueError("top, half, quarter and other can't all be 0")
        return self


class Background(Part):
    """Other customers' campaigns, drawn anew in each replication."""

    tenants: Positive = default("background.tenants")
    """Customers among whom the campaigns are dealt out in turn."""
    campaigns_per_hour: Annotated[int, Field(ge=1, le=1000, strict=True)] = default(
        "background.campaigns_per_hour"
    )
    """Campaigns that start in each hour."""
    median_size: Positive = default("background.median_size")
    """Median of the contacts of a campaign; sizes are lognormal."""
    size_log_sd: Annotated[float, Field(ge=0, le=3)] = default("background.size_log_sd")
    """Standard deviation of the natural logarithm of the size."""
    start_minutes: StartMinutes = default("background.start_minutes")
    """Minutes of the hour at which they start."""
    profile: Name = default("campaign.profile")
    """How their callees answer."""
    max_retry: Annotated[int, Field(ge=0, le=10, strict=True)] = default("campaign.max_retry")
    """Dials after the first one."""
    retry_interval: RetryInterval = default("campaign.retry_interval")
    """From the end of an attempt to the queue again."""
    pacing: Rate | None = None
    """Calls a minute of each; default: as fast as they load."""
    result_url: Name | None = None
    """Endpoint that gets their final posts; default: none."""
