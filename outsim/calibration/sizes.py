"""Sizes of lists: a lognormal distribution, or the recorded quantiles where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from outsim.calibration.durations import cdf_of, quantile_intervals_s
from outsim.calibration.families import FAMILIES, LONGEST_S, as_distribution, count, fit_family
from outsim.calibration.rates import Estimate
from outsim.calibration.values import Integers
from outsim.clock import SECOND
from outsim.distributions import Lognormal
from outsim.estimates import LEVEL

ENOUGH_FOR_TABLE = 40
"""Lists from which recorded quantiles may stand in place of the lognormal."""
LILLIEFORS = 1.035
"""Times one over the root of the lists: distance that a fitted lognormal exceeds in one of a
hundred logs (Lilliefors, Journal of the American Statistical Association 62, 1967)."""
WIDEST_LOG_SD = 3.0
"""Largest standard deviation of the logarithm that a scenario takes for sizes."""
SHARES = tuple(round(0.05 * k, 2) for k in range(1, 20))


@dataclass(frozen=True)
class SizeFit:
    """Sizes of lists, as a scenario says them."""

    contacts: int | dict[str, Any]
    """A count, or the table of a distribution of counts."""
    lists: int
    median: Estimate
    """Recorded, with its interval by order statistics."""
    p90: Estimate
    log_sd: Estimate | None
    """Of the lognormal; None if it is not one."""
    distance: float
    """Largest difference between the fitted and the recorded distribution function."""


def fit_sizes(sizes: Integers) -> SizeFit:
    """Fit sizes of lists, those beyond `LONGEST_S` as being as large."""
    counts = count(np.minimum(sizes, LONGEST_S), step_s=1.0)
    shares = np.array([0.5, 0.9])
    middles = counts.quantiles_s(shares)
    lows, highs = quantile_intervals_s(counts, shares)
    median, p90 = (
        Estimate(float(middles[k]), float(min(lows[k], middles[k])), float(highs[k]))
        for k in range(2)
    )
    if len(np.unique(sizes)) == 1:
        return SizeFit(int(sizes[0]), len(sizes), median, p90, None, 0.0)
    found = as_distribution("lognormal", fit_family(FAMILIES["lognormal"], counts))
    distance = np.inf
    if isinstance(found, Lognormal) and found.log_sd <= WIDEST_LOG_SD:
        below = cdf_of(found, counts.upper_s)
        distance = float(np.max(np.abs(below - counts.shares)))
    if len(sizes) >= ENOUGH_FOR_TABLE and distance > LILLIEFORS / np.sqrt(len(sizes)):
        edge = 0.5 / len(sizes)
        table = np.array(sorted({edge, *SHARES, 1 - edge}))
        recorded = np.maximum(np.rint(counts.quantiles_s(table)), 1).astype(int)
        contacts = {
            "distribution": "quantiles",
            "shares": [float(f"{share:.6g}") for share in table],
            "counts": recorded.tolist(),
        }
        return SizeFit(contacts, len(sizes), median, p90, None, 0.0)
    logs = np.log(sizes)
    log_sd, middle = float(np.std(logs, ddof=1)), float(np.mean(logs))
    if isinstance(found, Lognormal):
        log_sd, middle = found.log_sd, float(np.log(found.median / SECOND))
    free, error = len(sizes) - 1, log_sd / np.sqrt(len(sizes))
    width = float(stats.t.isf((1 - LEVEL) / 2, free)) * error
    ends = [log_sd * np.sqrt(free / stats.chi2.ppf(p, free)) for p in (0.975, 0.025)]
    contacts = {
        "distribution": "lognormal",
        "median": max(round(float(np.exp(middle))), 1),
        "log_sd": round(min(log_sd, WIDEST_LOG_SD), 4),
    }
    centre = Estimate(*np.exp([middle, middle - width, middle + width]).tolist())
    spread = Estimate(log_sd, float(ends[0]), float(ends[1]))
    return SizeFit(contacts, len(sizes), centre, p90, spread, min(distance, 1.0))
