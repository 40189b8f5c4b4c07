"""When a call is dialed again: what a campaign says of each outcome."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import Field

from outsim.clock import format_duration
from outsim.scenario.defaults import default
from outsim.scenario.parts import Part
from outsim.units import Problem, RetryInterval, ShareOrDuration


class Retry(Part):
    """How a call is dialed again after one outcome; what is not said is as for all outcomes."""

    interval: RetryInterval | None = None
    """From the end of an attempt to the queue again, 60 to 172800 s; default: `retry_interval`."""
    most: Annotated[int, Field(ge=0, le=10, strict=True)] | None = None
    """Retries after this outcome, 0 to 10; default: `max_retry`, which bounds all together."""
    back_off: Annotated[float, Field(ge=1, le=100)] = default("retry.back_off")
    """Factor by which the interval grows with each retry after this outcome."""
    cap: RetryInterval = default("retry.cap")
    """Longest interval that it grows to."""
    jitter: ShareOrDuration | None = default("retry.jitter")
    """Longest that chance adds to an interval, uniformly: a share of it, or a duration."""

    def intervals_us(self, retry_interval_us: int, max_retry: int) -> list[int]:
        """From the end of an attempt to the queue again, for each retry after this outcome.

        The k-th is ``interval * back_off ** (k - 1)``, `cap` at most, in whole microseconds.
        """
        interval, factor = self.interval or retry_interval_us, Fraction(repr(self.back_off))
        most = max_retry if self.most is None else min(self.most, max_retry)
        return [min(int(interval * factor**k), max(self.cap, interval)) for k in range(most)]

    def jitter_us(self, interval_us: int) -> int:
        """Longest that chance adds to an interval."""
        if isinstance(self.jitter, float):
            return int(interval_us * Fraction(repr(self.jitter)))
        return self.jitter or 0


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
        """What is said, by the name of the outcome."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: retry for name, retry in named.items() if retry is not None}


def retry_problems(retries: Retries | None, retry_interval_us: int) -> list[Problem]:
    """What contradicts itself in the retries of a campaign, as (key path, message)."""
    problems: list[Problem] = []
    for name, retry in ({} if retries is None else retries.by_outcome).items():
        interval = retry.interval or retry_interval_us
        if "cap" in retry.model_fields_set and retry.cap < interval:
            message = (
                f"found {format_duration(retry.cap)}; must not be shorter than the interval "
                f"({format_duration(interval)})"
            )
            problems.append((("retry", name, "cap"), message))
    return problems
