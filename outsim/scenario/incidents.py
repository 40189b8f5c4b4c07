"""What comes between: suspensions and outages."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from outsim.scenario.parts import Name, Part, Positive, check_order
from outsim.units import (
    ContradictionError,
    LocalTime,
)


class Suspension(Part):
    """A time in which no calls are dispatched."""

    tenant: Name | None = None
    """Whose calls are held back; default: everybody's."""
    begins: LocalTime
    """From here on calls are held back."""
    ends: LocalTime | None = None
    """From here on they are not; default: never."""

    @model_validator(mode="after")
    def _in_order(self) -> Suspension:
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
