"""How long to wait before another try: of a client that was refused, of a call that failed."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from outsim.clock import format_duration
from outsim.scenario.defaults import DEFAULTS, default
from outsim.scenario.parts import Part
from outsim.units import ContradictionError, Duration, Problem, RetryInterval, ShareOrDuration

WhenRefused = Literal["gives up", "asks again"]
"""What a client does whose request was refused."""

_USUAL: dict[str, Any] = DEFAULTS["campaign.asks_again"].value

GrowthFactor = Annotated[float, Field(ge=1, le=100)]


class BackOff(Part):
    """How long to wait each time; those that inherit say from when to when, and what is usual."""

    back_off: GrowthFactor
    """Factor by which the interval grows with each further wait."""
    cap: Duration
    """Longest interval that it grows to."""
    jitter: ShareOrDuration | None
    """Longest that chance adds to an interval, uniformly: a share of it, or a duration."""

    def grown_us(self, interval_us: int, count: int) -> list[int]:
        """The first intervals of a `count`, without jitter, in whole microseconds.

        The k-th is ``interval * back_off ** (k - 1)``, `cap` at most.
        """
        factor, cap = Fraction(repr(self.back_off)), max(self.cap, interval_us)
        return [min(int(interval_us * factor**k), cap) for k in range(count)]

    def jitter_us(self, interval_us: int) -> int:
        """Longest that chance adds to an interval, in microseconds."""
        if isinstance(self.jitter, float):
            return int(interval_us * Fraction(repr(self.jitter)))
        return self.jitter or 0

    def cap_problems(self, interval_us: int) -> list[Problem]:
        """A cap that is shorter than the first interval, as (key path, message)."""
        if self.cap >= interval_us:
            return []
        interval = format_duration(interval_us)
        found = f"found {format_duration(self.cap)}"
        return [(("cap",), f"{found}; must not be shorter than the interval ({interval})")]


class AsksAgain(BackOff):
    """How a client whose request was refused asks again."""

    interval: Duration = Field(default=_USUAL["interval"], validate_default=True)
    """From the first refusal to the second request."""
    back_off: GrowthFactor = _USUAL["back_off"]
    """Factor by which its wait grows with each further refusal."""
    cap: Duration = Field(default=_USUAL["cap"], validate_default=True)
    """Longest wait that it grows to."""
    jitter: ShareOrDuration | None = None
    """Longest that chance adds to a wait, uniformly: a share of it, or a duration."""
    most: Annotated[int, Field(ge=2, le=100, strict=True)] = _USUAL["most"]
    """Requests in all, the first one included."""

    @model_validator(mode="after")
    def _cap_is_longer(self) -> AsksAgain:
        problems = self.cap_problems(self.interval)
        if problems:
            raise ContradictionError(problems)
        return self

    @property
    def waits_us(self) -> tuple[int, ...]:
        """From each refusal but the last to the next request, without jitter, in microseconds."""
        return tuple(self.grown_us(self.interval, self.most - 1))


class Retry(BackOff):
    """How a call is dialed again after one outcome; what is not said is as for all outcomes."""

    interval: RetryInterval | None = None
    """From the end of an attempt to the queue again, 60 to 172800 s; default: `retry_interval`."""
    most: Annotated[int, Field(ge=0, le=10, strict=True)] | None = None
    """Retries after this outcome, 0 to 10; default: `max_retry`, which bounds all together."""
    back_off: GrowthFactor = default("retry.back_off")
    """Factor by which the interval grows with each retry after this outcome."""
    cap: RetryInterval = default("retry.cap")
    """Longest interval that it grows to."""
    jitter: ShareOrDuration | None = default("retry.jitter")
    """Longest that chance adds to an interval, uniformly: a share of it, or a duration."""

    def intervals_us(self, retry_interval_us: int, max_retry: int) -> list[int]:
        """From the end of an attempt to the queue again, for each retry after this outcome."""
        most = max_retry if self.most is None else min(self.most, max_retry)
        return self.grown_us(self.interval or retry_interval_us, most)


class Retries(Part):
    """How calls are dialed again, outcome by outcome."""

    busy: Retry | None = None
    """After a busy line; default: as for all outcomes."""
    no_answer: Retry | None = None
    """After nobody answered; default: as for all outcomes."""
    congestion: Retry | None = None
    """After the carrier refused the attempt, or it was cut off; default: as for all outcomes."""

    @property
    def by_outcome(self) -> dict[str, Retry]:
        """Retries of outcomes that have their own, by the name of the outcome."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: retry for name, retry in named.items() if retry is not None}


def retry_problems(retries: Retries | None, retry_interval_us: int) -> list[Problem]:
    """What contradicts itself in the retries of a campaign, as (key path, message)."""
    return [
        (("retry", name, *path), message)
        for name, retry in ({} if retries is None else retries.by_outcome).items()
        for path, message in retry.cap_problems(retry.interval or retry_interval_us)
    ]
