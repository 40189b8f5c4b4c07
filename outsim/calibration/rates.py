"""How often lists start, or calls come, by local hour and weekday.

Counts are Poisson with a rate by hour times a factor by weekday, whose mean over the weekdays of
the log is 1. Days that differ by more than chance make intervals wider by the root of Pearson's
dispersion (McCullagh and Nelder, Generalized Linear Models, 1989).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from scipy import stats

from outsim.calibration.outcomes import marginal_totals
from outsim.calibration.values import Flags, Floats, Integers, Micros
from outsim.clock import HOUR, local_segments
from outsim.estimates import LEVEL
from outsim.scenario.parts import WEEKDAYS, Weekday
from outsim.text import brief

WEEKEND = 5
"""Number of the first day of the weekend."""
MISFIT_LEVEL = 0.001
"""Significance at which hours of the weekend are said to go otherwise than those of workdays."""
_Z = float(stats.norm.isf((1 - LEVEL) / 2))


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Hours:
    """Local hours that a log has in it, in the order of time. All of shape (hours,)."""

    __repr__ = brief

    starts_us: Micros
    """When each begins, in microseconds since 1970."""
    lengths_h: Floats
    """How long each is: two hours where clocks repeat it."""
    weekdays: Integers
    hours: Integers

    @property
    def observed(self) -> list[int]:
        """Numbers of the weekdays that are in it."""
        return [int(day) for day in np.unique(self.weekdays)]


def hours_of(first_us: int, last_us: int, zone: str) -> Hours:
    """Local hours from the one of the first dial to the one of the last, both whole."""
    begins = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=first_us // HOUR * HOUR)
    span_us = last_us - first_us // HOUR * HOUR
    # An hour before and one after, since local hours may begin at a half or a quarter.
    offsets, pairs = local_segments(
        begins - timedelta(hours=1), span_us + 3 * HOUR, ZoneInfo(zone)
    )
    starts = offsets + (first_us // HOUR - 1) * HOUR
    kept = np.flatnonzero((starts[1:] > first_us) & (starts[:-1] <= last_us))
    days, hours = np.array(pairs).T
    return Hours(starts[kept], np.diff(starts)[kept] / HOUR, days[kept], hours[kept])


@dataclass(frozen=True)
class Rates:
    """A rate by hour and a factor by weekday."""

    by_hour: dict[int, Estimate]
    """Starts in an hour; hours in which none was are not there."""
    by_weekday: dict[Weekday, Estimate]
    """Factor of each weekday of the log; empty if it has one only."""
    starts: int
    dispersion: float
    """Pearson's: how many times as large as by chance the squares of differences are."""
    weekend_differs: bool
    """Whether hours of the weekend go otherwise than those of workdays."""


def fit_rates(starts_us: Micros, hours: Hours) -> Rates:
    """Fit a rate by hour and a factor by weekday to when something started."""
    places = np.searchsorted(hours.starts_us, starts_us, side="right") - 1
    counts = np.bincount(places, minlength=len(hours.starts_us)).astype(np.float64)
    by_hour = np.bincount(hours.hours, counts, minlength=24)
    by_day = np.bincount(hours.weekdays, counts, minlength=7)
    busy_hours, busy_days = np.flatnonzero(by_hour), np.flatnonzero(by_day)
    among = np.isin(hours.hours, busy_hours) & np.isin(hours.weekdays, busy_days)
    exposures, seen = hours.lengths_h[among], counts[among]
    is_hour = (hours.hours[among][:, None] == busy_hours).astype(np.float64)
    is_day = (hours.weekdays[among][:, None] == busy_days).astype(np.float64)
    logs, covariance = marginal_totals(np.hstack([is_hour, is_day]), exposures, seen)
    expected = exposures * np.exp(np.hstack([is_hour, is_day]) @ logs)
    free = len(seen) - len(busy_hours) - len(busy_days) + 1
    pearson = float(np.sum((seen - expected) ** 2 / expected))
    dispersion = max(pearson / free, 1.0) if free > 0 else 1.0
    # Factors of weekdays with none are 0, and count in the mean.
    split = len(busy_hours)
    factors = np.exp(logs[split:])
    middle = np.log(factors.sum() / len(hours.observed))
    jacobian = np.eye(len(logs))
    jacobian[:split, split:] += factors / factors.sum()
    jacobian[split:, split:] -= factors / factors.sum()
    variances = np.diag(jacobian @ covariance @ jacobian.T) * dispersion
    logs = logs + np.where(np.arange(len(logs)) < split, middle, -middle)
    estimates = [
        Estimate(*np.exp([log, log - _Z * error, log + _Z * error]).tolist())
        for log, error in zip(logs, np.sqrt(np.maximum(variances, 0)), strict=True)
    ]
    of_day = dict(zip(busy_days.tolist(), estimates[split:], strict=True))
    return Rates(
        dict(zip(busy_hours.tolist(), estimates[:split], strict=True)),
        {
            WEEKDAYS[day]: of_day.get(day, Estimate(0.0, 0.0, _none_of(hours, day, counts.sum())))
            for day in (hours.observed if len(hours.observed) > 1 else [])
        },
        int(counts.sum()),
        dispersion,
        _weekend_differs(hours, among, seen, expected, dispersion),
    )


def _none_of(hours: Hours, day: int, starts: float) -> float:
    """Upper end of the factor of a weekday without any start, by the mean of all hours."""
    its_h = float(hours.lengths_h[hours.weekdays == day].sum())
    mean = starts / float(hours.lengths_h.sum())
    return float(-np.log((1 - LEVEL) / 2)) / (its_h * mean)


def _weekend_differs(
    hours: Hours, among: Flags, seen: Floats, expected: Floats, dispersion: float
) -> bool:
    weekend = hours.weekdays[among] >= WEEKEND
    if not weekend.any() or weekend.all():
        return False
    of_day = hours.hours[among]
    there, square = 0, 0.0
    for part in (weekend, ~weekend):
        counted, mean = (np.bincount(of_day[part], one[part], 24) for one in (seen, expected))
        known = mean > 0
        square += float(np.sum((counted - mean)[known] ** 2 / mean[known]))
        there += int(known.sum())
    free = max(there // 2 - 1, 1)
    return float(stats.chi2.sf(square / dispersion, free)) < MISFIT_LEVEL
