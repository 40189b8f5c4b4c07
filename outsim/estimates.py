"""Estimates over replications: the replication is the unit, and every mean has its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Confidence of every interval."""


def finite_or_none(value: float) -> float | None:
    """A figure for documents that have no word for "not a number": None if it is not finite."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class Estimate:
    """A mean over replications with its confidence interval."""

    mean: float
    half_width: float
    """Half of the interval's width; NaN from fewer than two replications."""
    count: int
    """Replications that gave a figure."""
    missing: int = 0
    """Replications that were too short to give one."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return bool(self.low > 0 or self.high < 0)

    def to_json(self) -> dict[str, float | int | None]:
        """The estimate for machines; ``not_over`` counts the runs that gave no figure."""
        return {
            "mean": finite_or_none(self.mean),
            "low": finite_or_none(self.low),
            "high": finite_or_none(self.high),
            "replications": self.count,
            "not_over": self.missing,
        }


@dataclass(frozen=True)
class Probability:
    """A share of replications with its confidence interval, which is not symmetric."""

    mean: float
    """Share of the replications in which it happened."""
    low: float
    high: float
    count: int
    """Replications that it was asked of."""

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def probability(
    happened: NDArray[np.bool_], level: float = LEVEL, *, is_exact: bool = False
) -> Probability:
    """Probability that something happens in a run, from one answer per replication.

    Parameters
    ----------
    happened : array of bool, shape (replications,)
        In which replications it did.
    level : float
        Confidence of the interval.
    is_exact : bool
        The interval is Wilson's (1927), which holds the probability about as often as it says,
        on average over probabilities; or, for a promise that must not be too bold, that of
        Clopper and Pearson (1934), which never holds it less often, and mostly more often.

    Returns
    -------
    Probability
        All NaN from no replication.
    """
    count = len(happened)
    if count == 0:
        return Probability(float("nan"), float("nan"), float("nan"), 0)
    from scipy.stats import binomtest

    found = binomtest(int(np.count_nonzero(happened)), count)
    interval = found.proportion_ci(level, method="exact" if is_exact else "wilson")
    return Probability(float(found.statistic), float(interval.low), float(interval.high), count)


ENOUGH = 10
"""Figures from which on their skewness is known well enough to be made use of."""


def widening(known: NDArray[np.float64], level: float) -> float:
    """Factor on Student's t interval for figures that are skewed, as waits and lags are.

    A mean of few skewed figures errs to one side more often than to the other, and its interval
    holds the truth less often than it says: of 20 exponential ones 92 % of times. By the
    expansion of P. Hall, The Bootstrap and Edgeworth Expansion (1992), section 2.6, an interval
    that is wider by the share (z^4 + 2 z^2 - 3) g^2 / (18 n) makes up for skewness g, z being the
    normal quantile; here g is that of the sample. From fewer than `ENOUGH` figures: 1.
    """
    count, error = len(known), float(known.std())
    if count < ENOUGH or error == 0:
        return 1.0
    from scipy.special import ndtri

    third = float(np.mean(((known - known.mean()) / error) ** 3))
    skewness = third * float(np.sqrt(count * (count - 1))) / (count - 2)
    z = float(ndtri(0.5 + level / 2))
    return 1 + max(0.0, z**4 + 2 * z**2 - 3) / 18 * skewness**2 / count


def estimate(values: NDArray[np.float64], level: float = LEVEL) -> Estimate:
    """Mean of one figure per replication, with an interval of this confidence.

    It is Student's t interval, wider where the figures are skewed; see `widening`. Replications
    without a figure (NaN) are left out and counted: the mean is then one of those that have it,
    and the reader is told how many do not. Equal figures leave no doubt here: of what happens in
    one run of a hundred, twenty runs may know nothing.
    """
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if len(known) == 0:
        return Estimate(float("nan"), float("nan"), 0, missing)
    mean = float(known.mean())
    if len(known) < 2:
        return Estimate(mean, float("nan"), len(known), missing)
    from scipy.special import stdtrit

    error = float(known.std(ddof=1)) / float(np.sqrt(len(known)))
    half_width = float(stdtrit(len(known) - 1, 0.5 + level / 2)) * error * widening(known, level)
    return Estimate(mean, half_width, len(known), missing)
