"""What is usual on one day: bands that the next run lies in, and where an observed figure lies.

An interval of a mean gets narrower with more runs; a band does not, as days stay as different as
they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outsim.display import percent
from outsim.estimates import Probability, finite_or_none, probability

Array = NDArray[np.float64]

SHARE = 0.9
"""Share of days that a band is for."""


@dataclass(frozen=True)
class Band:
    """p5, p50 and p95 of a figure over days, of which each run is one."""

    low: float
    median: float
    high: float
    holds: float
    """Probability that the next day lies from low to high, both included: at least this."""
    runs: int
    """Runs that have the figure."""

    def to_dict(self) -> dict[str, float | int | None]:
        """For machines."""
        return {
            "p5": finite_or_none(self.low),
            "p50": finite_or_none(self.median),
            "p95": finite_or_none(self.high),
            "holds_next_day": finite_or_none(self.holds),
            "replications": self.runs,
        }


def prediction_band(values: Array, share: float = SHARE) -> Band:
    """Band that holds the next run's figure with this probability, whatever its distribution.

    Of n runs, the r-th smallest and the r-th largest figure have the next one between them with
    probability (n + 1 - 2r) / (n + 1): S. S. Wilks, "Determination of sample sizes for setting
    tolerance limits" (Ann. Math. Stat. 12, 1941). Of fewer than 19 runs the first and the last
    hold it with less than 90 %. Runs without a figure (NaN) are left out.
    """
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    if not count:
        return Band(np.nan, np.nan, np.nan, np.nan, 0)
    left_out = int((count + 1) * (1 - share) / 2 + 1e-9)
    first = max(1, left_out)
    holds = max(0.0, (count + 1 - 2 * first) / (count + 1))
    median = float(np.median(known))
    return Band(float(known[first - 1]), median, float(known[-first]), holds, count)


@dataclass(frozen=True)
class Observed:
    """A figure that somebody saw on one day, among those of runs."""

    value: float
    band: Band
    as_many: Probability
    """Share of days with as much or more, with its interval."""

    @property
    def verdict(self) -> Literal["usual", "more than usual", "less than usual"]:
        """Whether it lies in the band."""
        if self.value > self.band.high:
            return "more than usual"
        return "less than usual" if self.value < self.band.low else "usual"

    @property
    def text(self) -> str:
        """Where it lies, for people: of counts."""
        low, high = (f"{end:,.0f}" for end in (self.band.low, self.band.high))
        as_many, count = self.as_many, self.band.runs
        reached = round(as_many.mean * count)
        return (
            f"{self.verdict}: p5 to p95 of days is {low} to {high} (the next day lies there with "
            f"{percent(self.band.holds)}), and {reached} of {count} runs have as many or more "
            f"(95 % interval {percent(as_many.low)} to {percent(as_many.high)} of days)"
        )

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        as_many = self.as_many
        return {
            "value": self.value,
            "verdict": self.verdict,
            "band": self.band.to_dict(),
            "as_many_or_more": {"share": as_many.mean, "low": as_many.low, "high": as_many.high},
        }


def observed_among(value: float, values: Array) -> Observed:
    """Where a figure that somebody saw lies among those of runs; exact interval of the share."""
    known = values[~np.isnan(values)]
    return Observed(value, prediction_band(known), probability(known >= value, is_exact=True))
