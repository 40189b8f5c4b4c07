"""The recorded quantiles themselves, with a fitted tail where they are too few to be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from outsim.calibration.counts import Counts, Floats
from outsim.calibration.families import LEAST_MASS, table_of
from outsim.distributions import Quantiles

SCORED = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Quantiles by which a fit is held against later data."""

KEPT = tuple(sorted({*SCORED, *(round(0.05 * k, 2) for k in range(2, 20))}))
"""Shares at which the table has exactly what was recorded."""
SMOOTHED = (0.005, 0.01, 0.02, 0.05, 0.925, 0.975)
"""Shares around them, at which each record is spread over its step."""
TAIL = (0.995, 0.998, 0.999, 0.9995, 0.9999)
"""Shares beyond the last kept one."""

TOLERANCE = 0.015
"""How far a fit may lie from a recorded quantile, from the 10th percentile to the 99th.

With the one factor that a later comparison allows, which may lie as far off the other way, a
fit so is at most three points worse than the recorded quantiles at any of them.
"""
ENOUGH_ABOVE = 100
"""Calls beyond a quantile from which it is taken as recorded, in the tail."""
ENOUGH_BELOW = 5
"""Calls below a quantile from which it is taken at all, at the low end."""
LEAST_EXCEEDANCES = 50
"""Calls that the tail is fitted to, at least."""


def recorded_table(counts: Counts) -> Quantiles:
    """Table of the recorded quantiles, with a generalised Pareto tail beyond the 99th percentile.

    The tail (Pickands, Annals of Statistics 3, 1975) is fitted to the longest tenth of the
    calls, or to the longest fifty if that is more, and joined on at the last recorded point.
    """
    kept = np.array(KEPT)
    kept_s = counts.quantiles_s(kept)
    smoothed = np.array([p for p in SMOOTHED if p * counts.total >= ENOUGH_BELOW])
    shares, seconds = _with(kept, kept_s, smoothed, counts.middle_quantiles_s(smoothed))
    percents = np.arange(10, 100) / 100
    recorded = counts.quantiles_s(percents)
    off = np.abs(table_of(shares, seconds).quantile_s(percents) - recorded)
    wrong = (off > TOLERANCE * recorded) & (off > counts.step_s / 2)
    shares, seconds = _with(shares, seconds, percents[wrong], recorded[wrong])
    tail = np.array(TAIL)
    tail_s = _tail_s(counts, tail, float(shares[-1]), float(seconds[-1]))
    return table_of(np.append(shares, tail), np.append(seconds, tail_s))


def _with(shares: Floats, seconds: Floats, more: Floats, more_s: Floats) -> tuple[Floats, Floats]:
    """Points with further ones between them, which give way to keep the order."""
    new = ~np.isin(more, shares)
    more, more_s = more[new], more_s[new]
    place = np.searchsorted(shares, more)
    low = np.append(0.0, seconds)[place]
    high = np.append(seconds, np.inf)[place]
    order = np.argsort(np.append(shares, more), kind="stable")
    inside = np.clip(more_s, low, high)
    return np.append(shares, more)[order], np.append(seconds, inside)[order]


def _tail_s(counts: Counts, shares: Floats, joint: float, joint_s: float) -> Floats:
    """Seconds at shares in the tail: as recorded where calls beyond are many, else fitted."""
    start = min(0.9, max(0.5, 1 - LEAST_EXCEEDANCES / counts.total))
    threshold_s = float(counts.quantiles_s(start))
    above = counts.lower_s >= threshold_s
    seconds = []
    if counts.events[above].sum() < LEAST_EXCEEDANCES / 2:
        above = np.zeros_like(above)
    tail = _fit_tail(counts, above, threshold_s) if above.any() else None
    beyond = float(counts.masses[above].sum())

    def fitted(share: float) -> float:
        if tail is None or beyond <= 1 - share:
            return joint_s
        return threshold_s + float(tail.isf((1 - share) / beyond))

    last, last_s = joint, joint_s
    for share in shares:
        if counts.total * (1 - share) >= ENOUGH_ABOVE:
            last, last_s = float(share), float(counts.quantiles_s(share))
            seconds.append(last_s)
        else:
            seconds.append(last_s * fitted(float(share)) / max(fitted(last), 1e-9))
    return np.maximum(np.array(seconds, dtype=np.float64), joint_s)


def _fit_tail(counts: Counts, above: NDArray[np.bool_], threshold_s: float) -> Any:
    """Generalised Pareto distribution of the seconds beyond a threshold."""
    events = counts.events[above]
    low, high = counts.lower_s[above] - threshold_s, counts.upper_s[above] - threshold_s
    mean = float(np.average((low + high) / 2, weights=events))

    def unlikelihood(parameters: Floats) -> float:
        shape, scale = 1.5 * special.expit(parameters[0]) - 0.5, np.exp(parameters[1])
        beyond = np.asarray(stats.genpareto.sf([low, high], shape, scale=scale))
        masses = np.maximum(beyond[0] - beyond[1], LEAST_MASS)
        return -float(events @ np.log(masses)) / float(events.sum())

    found = optimize.minimize(unlikelihood, [-0.4, np.log(mean)], method="Nelder-Mead").x
    return stats.genpareto(1.5 * special.expit(found[0]) - 0.5, scale=np.exp(found[1]))
