"""Estimates over replications: the replication is the unit, and every mean has its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Confidence of every interval."""


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


def estimate(values: NDArray[np.float64], level: float = LEVEL) -> Estimate:
    """Mean of one figure per replication, with Student's t interval of this confidence.

    Replications without a figure (NaN) are left out and counted: the mean is
    then one of those that have it, and the reader is told how many do not.
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
    half_width = float(stdtrit(len(known) - 1, 0.5 + level / 2)) * error
    return Estimate(mean, half_width, len(known), missing)
