"""Other customers of the platform, whose campaigns are drawn anew in each replication."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from outsim.clock import HOUR, RATE_SECONDS, SECOND
from outsim.scenario.back_off import AsksAgain, Retries, WhenRefused, retry_problems
from outsim.scenario.defaults import default
from outsim.scenario.parts import WEEKDAYS, Name, Part, Positive, Weekday
from outsim.scenario.sizes import Sizes
from outsim.units import ContradictionError, Problem, Rate, RetryInterval


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


class TenantClass(Part):
    """Customers of the background who use the platform alike."""

    name: Name
    """Name, unique in the background; its tenants are called by it and a number."""
    kind: Literal["batch", "steady", "calls"]
    """``batch``: lists that start at marked minutes and load at once; ``steady``: lists that start
    at any time and are paced; ``calls``: single calls, one by one."""
    tenants: Positive
    """Customers among whom campaigns are dealt out in turn, and calls evenly."""
    rate: Rate | None = None
    """Mean campaigns over time (Poisson), or calls, of all its customers together, unless
    `rate_by_hour` has the hour."""
    rate_by_hour: dict[Annotated[int, Field(ge=0, le=23)], Rate] = {}
    """Mean campaigns over time, or calls, by local hour of the day; other hours have `rate`, or
    none."""
    rate_by_weekday: dict[Weekday, Annotated[float, Field(ge=0, le=100)]] = {}
    """Factor on the rate on weekdays, such as ``sat = 0.2``; default: 1."""
    repeats: list[Weekday] = []
    """Weekdays on which each of its campaigns comes again, at the time that was drawn for it; the
    rates are then those of each of these days; default: each day's campaigns are drawn anew."""
    contacts: Sizes | None = None
    """Contacts of a list: a number, or a distribution of which each list draws its own."""
    start_minutes: StartMinutes | None = None
    """Minutes of the hour at which lists of a ``batch`` start; default: those of the background's
    `start_minutes`."""
    profile: Name = default("campaign.profile")
    """How their callees answer."""
    max_retry: Annotated[int, Field(ge=0, le=10, strict=True)] = default("campaign.max_retry")
    """Dials after the first one."""
    retry_interval: RetryInterval = default("campaign.retry_interval")
    """From the end of an attempt to the queue again."""
    retry: Retries | None = None
    """What is other than that after some outcomes."""
    pacing: Rate | None = None
    """Calls a minute of each list, or of each tenant's single calls; default: as fast as they
    load."""
    when_refused: WhenRefused = default("campaign.when_refused")
    """What their clients do where intake refuses a list, or a call."""
    asks_again: AsksAgain = default("campaign.asks_again")
    """How they ask again, if they do."""
    result_url: Name | None = None
    """Endpoint that gets their final posts; default: none."""

    def rate_at(self, weekday: int, hour: int) -> float:
        """Mean campaigns or calls in an hour, by the weekday's number and the hour of the day."""
        rate = self.rate_by_hour.get(hour, self.rate or 0) / RATE_SECONDS * (HOUR / SECOND)
        return rate * self.rate_by_weekday.get(WEEKDAYS[weekday], 1.0)

    @property
    def lists_calls(self) -> bool:
        """Whether its calls come as lists; else one by one."""
        return self.kind != "calls"

    @model_validator(mode="after")
    def _makes_sense(self) -> TenantClass:
        problems: list[Problem] = []
        if self.rate is None and not self.rate_by_hour:
            problems.append(((), "give rate, or rate_by_hour"))
        if self.lists_calls and self.contacts is None:
            problems.append((("contacts",), f"is missing: lists of kind {self.kind} have a size"))
        if self.kind == "steady" and self.pacing is None:
            problems.append((("pacing",), "is missing: lists of kind steady are paced"))
        needs: dict[str, tuple[str, ...]] = {
            "contacts": ("batch", "steady"),
            "repeats": ("batch", "steady"),
            "start_minutes": ("batch",),
        }
        for key, kinds in needs.items():
            if key in self.model_fields_set and getattr(self, key) and self.kind not in kinds:
                why = f"has no meaning for kind {self.kind}; allowed: {', '.join(kinds)}"
                problems.append(((key,), why))
        if self.repeats and self.rate_by_weekday:
            why = "has no meaning with repeats, which says the weekdays; give one of them"
            problems.append((("rate_by_weekday",), why))
        problems += retry_problems(self.retry, self.retry_interval)
        if problems:
            raise ContradictionError(problems)
        return self


class Background(Part):
    """Other customers' campaigns, drawn anew in each replication."""

    tenants: Positive = default("background.tenants")
    """Customers among whom the campaigns are dealt out in turn."""
    campaigns_per_hour: Annotated[int, Field(ge=0, le=1000, strict=True)] = default(
        "background.campaigns_per_hour"
    )
    """Campaigns that start in each hour, besides those of classes; none by default where there
    are classes."""
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
    retry: Retries | None = None
    """What is other than that after some outcomes."""
    pacing: Rate | None = None
    """Calls a minute of each; default: as fast as they load."""
    when_refused: WhenRefused = default("campaign.when_refused")
    """What their clients do where intake refuses a list, or a call."""
    asks_again: AsksAgain = default("campaign.asks_again")
    """How they ask again, if they do."""
    result_url: Name | None = None
    """Endpoint that gets their final posts; default: none."""
    tenant_class: list[TenantClass] = []
    """Classes of customers, each with a rate by hour and weekday of its own; default: none."""

    @model_validator(mode="before")
    @classmethod
    def _classes_alone(cls, values: Any) -> Any:
        """Classes take the place of the campaigns that come at all hours, if nothing is said."""
        if isinstance(values, dict) and values.get("tenant_class") not in (None, [], "none"):
            return {"campaigns_per_hour": 0} | values
        return values

    @model_validator(mode="after")
    def _makes_sense(self) -> Background:
        problems = retry_problems(self.retry, self.retry_interval)
        if self.campaigns_per_hour == 0 and not self.tenant_class:
            why = "found 0; must be at least 1 where there is no background.tenant_class"
            problems.append((("campaigns_per_hour",), why))
        if problems:
            raise ContradictionError(problems)
        return self
