"""The calling platform, the carrier's trunk, and what comes between: suspensions, outages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from outsim.distributions import Distribution
from outsim.scenario.defaults import default
from outsim.scenario.parts import Name, Part, Positive, Weekday, check_intake, check_order
from outsim.scenario.recurrence import days_of, moved
from outsim.units import ContradictionError, Duration, LocalTime, Rate, Share
from outsim.vocabulary import DISCIPLINES

if TYPE_CHECKING:
    _Discipline = str
else:
    _Discipline = Literal[tuple(DISCIPLINES)]


class Platform(Part):
    """The calling platform itself."""

    ports: Positive = default("platform.ports")
    """Simultaneous calls that the platform can hold."""
    dial_rate: Rate = default("platform.dial_rate")
    """Calls that the platform starts, at most, over time."""
    dial_burst: Positive = default("platform.dial_burst")
    """Calls that it may start at once after a pause."""
    loader_rate: Rate = default("platform.loader_rate")
    """Contacts that each campaign's loader moves into the queue."""
    workers: Positive = default("platform.workers")
    """Units of processing, shared by dial work and status updates."""
    dial_work: Distribution = default("platform.dial_work")
    """Processing of one dial."""
    status_work: Distribution = default("platform.status_work")
    """Processing of one status update."""
    ring_timeout: Duration = default("platform.ring_timeout")
    """An answer later than this is a no answer."""
    start_jitter: Duration | None = default("platform.start_jitter")
    """A campaign's loader begins up to this much after its start; equally likely anywhere."""
    stop_latency: Duration = default("platform.stop_latency")
    """From the request to stop a campaign to its effect."""
    lost_updates: Share = default("platform.lost_updates")
    """Updates that never become visible."""
    wedged_calls: Share = default("platform.wedged_calls")
    """Calls that are accepted, shown as pending, and never dialed."""
    reconciliation_every: Duration | None = default("platform.reconciliation_every")
    """How often a job repairs lost final updates, from the start of the run; off by default."""
    queue: _Discipline = default("platform.queue")
    """Whose call goes next."""
    intake_rate: Rate | None = default("platform.intake_rate")
    """Requests that it takes over time, a list or a single call each; default: no limit."""
    intake_burst: Positive | None = default("platform.intake_burst")
    """Requests that it takes at once after a pause; default: those of a second, at least 1."""
    queue_limit: Positive | None = default("platform.queue_limit")
    """Calls that may wait, those to come by a request included; default: no limit."""
    one_call_per_number: bool = default("platform.one_call_per_number")
    """Whether a campaign has one call up at most to a number that its list has several times."""
    delivery_pool: Positive = default("platform.delivery_pool")
    """Posts to result_url endpoints that run at once, over all endpoints."""
    detection_person: Duration = default("platform.detection_person")
    """Time after the answer until a person is told from a machine, if it is a person."""
    detection_machine: Duration = default("platform.detection_machine")
    """The same, if it is a machine or a fax."""
    detection_accuracy: Share = default("platform.detection_accuracy")
    """Share of answered calls whose callee type is reported rightly."""

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> Platform:
        check_intake(self.intake_rate, self.intake_burst)
        return self


class Carrier(Part):
    """The carrier's trunk, shared with traffic that is not the platform's."""

    rate: Rate = default("carrier.rate")
    """New calls that it admits over time."""
    burst: Positive = default("carrier.burst")
    """New calls that it admits at once after a pause."""
    channels: Positive = default("carrier.channels")
    """Simultaneous calls that it carries."""
    other_traffic: Share = default("carrier.other_traffic")
    """Share of rate and channels that other traffic takes."""
    other_traffic_peak: dict[Annotated[int, Field(ge=0, le=59)], Share] = default(
        "carrier.other_traffic_peak"
    )
    """Share in single minutes of each hour, by minute, instead of `other_traffic`."""
    missing_ani_refusal: Share = default("carrier.missing_ani_refusal")
    """Share of attempts without a caller ID (ANI) that it refuses."""
    refusal_time: Duration = default("carrier.refusal_time")
    """From the dial to the refusal."""

    @property
    def other_traffic_by_minute(self) -> list[float]:
        """Share that other traffic takes in each of the 60 minutes of an hour."""
        return [self.other_traffic_peak.get(m, self.other_traffic) for m in range(60)]


class Suspension(Part):
    """A time in which no calls are dispatched."""

    tenant: Name | None = None
    """Whose calls are held back; default: everybody's."""
    begins: LocalTime
    """From here on calls are held back."""
    ends: LocalTime | None = None
    """From here on they are not; default: never."""
    repeats: list[Weekday] = []
    """Weekdays on which it comes again, at the same local times; default: it comes once."""

    def occurrences(self, until: datetime, zone: ZoneInfo) -> list[Suspension]:
        """Itself; if it repeats, a suspension for each of its days `until` then, by the `zone`."""
        if not self.repeats:
            return [self]
        days = days_of(self.begins, self.repeats, until, zone)
        return [moved(self, day, zone, repeats=[]) for day in days]

    @property
    def label(self) -> str:
        """What it is, for people."""
        return f"suspension of {self.tenant or 'everybody'}"

    @model_validator(mode="after")
    def _in_order(self) -> Suspension:
        check_order(("ends", self.ends, "begins", self.begins, False))
        if self.repeats and self.ends is None:
            why = "is missing: a suspension that repeats must end before it comes again"
            raise ContradictionError([(("ends",), why)])
        return self


class Pause(Part):
    """A time in which no calls of one campaign are dispatched."""

    campaign: Annotated[str, Field(min_length=1, max_length=161)]
    """Whose calls are held back, as ``name`` or ``tenant/name``."""
    begins: LocalTime
    """From here on they are held back."""
    ends: LocalTime | None = None
    """From here on they are not; default: never."""

    @property
    def label(self) -> str:
        """What it is, for people."""
        return f"pause of {self.campaign}"

    @model_validator(mode="after")
    def _in_order(self) -> Pause:
        check_order(("ends", self.ends, "begins", self.begins, False))
        return self


class Outage(Part):
    """A time in which a part of the platform or the carrier is out of service."""

    of: Literal["ports", "workers", "channels", "carrier", "status", "endpoint"]
    """What is out: a number of ports, workers or channels; the carrier; the processing of
    status updates; or a result_url endpoint."""
    count: Positive | None = None
    """How many ports, workers or channels; default: all."""
    endpoint: Name | None = None
    """Which endpoint, where one is out."""
    begins: LocalTime
    """From here on it is out."""
    ends: LocalTime | None = None
    """From here on it is back; default: never."""
    drop: bool = False
    """Whether calls in progress are cut off, as congestion, where ports, channels or the
    carrier are out; else busy ones leave service as their calls end."""

    @property
    def label(self) -> str:
        """What it is, for people."""
        number = f" ({self.count})" if self.count else ""
        cut = ", calls cut off" if self.drop else ""
        return f"outage of {self.endpoint or self.of}{number}{cut}"

    @model_validator(mode="after")
    def _makes_sense(self) -> Outage:
        check_order(("ends", self.ends, "begins", self.begins, False))
        if (self.of == "endpoint") != (self.endpoint is not None):
            message = "must be named where, and only where, of = 'endpoint'"
            raise ContradictionError([(("endpoint",), message)])
        if self.count is not None and self.of not in ("ports", "workers", "channels"):
            message = (
                f"has no meaning for an outage of {self.of}; allowed: ports, workers, channels"
            )
            raise ContradictionError([(("count",), message)])
        if self.drop and self.of not in ("ports", "channels", "carrier"):
            message = (
                f"has no meaning for an outage of {self.of}; allowed: ports, channels, carrier"
            )
            raise ContradictionError([(("drop",), message)])
        return self
