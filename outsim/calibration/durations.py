"""Which form a duration gets: the one that later calls bear out, near what was recorded.

Forms fitted to the earlier part are scored by the likelihood of the later one, under the one
factor that lies between the parts, since it is the shape that is chosen. One that leaves a
recorded quantile from the 10th percentile to the 99th by more than `TOLERANCE` is out: with many
calls these are a better guess than any form that bends them; with fewer than `THIN` it may lie
anywhere in their intervals. Of those that later calls can't tell from the best the simplest is
chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from outsim.calibration.families import (
    FAMILIES,
    LEAST_MASS,
    Counts,
    Form,
    as_distribution,
    fit_family,
    moments,
    named_distribution,
    step_masses,
    table_of,
)
from outsim.calibration.values import Flags, Floats
from outsim.distributions import Distribution, Quantiles
from outsim.estimates import LEVEL
from outsim.text import brief

SCORED = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Quantiles by which a fit is held against later data."""

EXACT = tuple(sorted({*SCORED, *(round(0.05 * k, 2) for k in range(2, 20))}))
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
    """Recorded quantiles, with a generalised Pareto tail (Pickands 1975) beyond the last."""
    exact = np.array(EXACT)
    exact_s = counts.quantiles_s(exact)
    smoothed = np.array([p for p in SMOOTHED if p * counts.total >= ENOUGH_BELOW])
    shares, seconds = _with(exact, exact_s, smoothed, counts.middle_quantiles_s(smoothed))
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
    if counts.events[above].sum() < LEAST_EXCEEDANCES / 2:
        above = np.zeros_like(above)
    tail = _fit_tail(counts, above, threshold_s) if above.any() else None
    beyond = float(counts.masses[above].sum())

    def fitted(share: float) -> float:
        if tail is None or beyond <= 1 - share:
            return joint_s
        return threshold_s + float(tail.isf((1 - share) / beyond))

    seconds, last, last_s = [], joint, joint_s
    for share in shares:
        if counts.total * (1 - share) >= ENOUGH_ABOVE:
            last, last_s = float(share), float(counts.quantiles_s(share))
            seconds.append(last_s)
        else:
            seconds.append(last_s * fitted(float(share)) / max(fitted(last), 1e-9))
    return np.maximum(np.array(seconds, dtype=np.float64), joint_s)


def _fit_tail(counts: Counts, above: Flags, threshold_s: float) -> Any:
    """Generalised Pareto distribution of the seconds beyond a threshold."""
    events = counts.events[above]
    low, high = counts.lower_s[above] - threshold_s, counts.upper_s[above] - threshold_s
    mean = float(np.average((low + high) / 2, weights=events))

    def unlikelihood(parameters: Floats) -> float:
        shape, scale = 1.5 * special.expit(parameters[0]) - 0.5, np.exp(parameters[1])
        beyond = np.asarray(stats.genpareto.sf([low, high], shape, scale=scale))
        masses = np.maximum(beyond[0] - beyond[1], LEAST_MASS)
        return -float(events @ np.log(masses)) / float(events.sum())

    optimum = optimize.minimize(unlikelihood, [-0.4, np.log(mean)], method="Nelder-Mead").x
    return stats.genpareto(1.5 * special.expit(optimum[0]) - 0.5, scale=np.exp(optimum[1]))


ENOUGH = 100
"""Durations from which one is fitted at all."""
THIN = 400
"""Durations below which recorded quantiles are guesses themselves: with fewer than four beyond the
99th percentile, a form may leave them by as much as their sampling error."""
TABLE = "recorded quantiles"
"""Name of the form that follows what was recorded."""
Z = float(stats.norm.ppf((1 + LEVEL) / 2))
"""Standard errors on either side of an estimate that its interval has."""
DRIFT_LEVEL = 0.01
"""Chance of a drift being reported where there is none."""
DRIFT_SIZE = 0.05
"""Least distance between early and late that is worth a word, as share or as factor."""


class Tabled:
    """A table of quantiles as a form: with the shares that go with its seconds."""

    def __init__(self, table: Quantiles) -> None:
        self._table = table
        self._scores = np.linspace(-8.2, 8.2, 16_401)
        seconds = table.quantile_s(special.ndtr(self._scores))
        self._logs = np.log(seconds)

    def cdf(self, seconds: ArrayLike) -> Floats:
        """Share that is at most so long."""
        logs = np.log(np.maximum(np.asarray(seconds, dtype=np.float64), 1e-12))
        at = np.searchsorted(self._logs, logs, side="right")
        low = np.clip(at - 1, 0, len(self._logs) - 1)
        high = np.clip(at, 0, len(self._logs) - 1)
        step = self._logs[high] - self._logs[low]
        part = np.where(step > 0, (logs - self._logs[low]) / np.where(step > 0, step, 1), 0)
        scores = self._scores[low] + part * (self._scores[high] - self._scores[low])
        return np.where(at == 0, 0.0, special.ndtr(scores))

    def ppf(self, shares: ArrayLike) -> Floats:
        """Seconds that this share is at most."""
        return self._table.quantile_s(np.asarray(shares, dtype=np.float64))


@dataclass(frozen=True)
class Drift:
    """How the later part of a log differs from the earlier one."""

    factor: float
    """Later durations over earlier ones: the factor between their geometric means."""
    low: float
    """Lower end of its 95 % interval (normal, for the difference of the mean logarithms)."""
    high: float
    """Upper end."""
    distance: float
    """Largest difference between the two distribution functions (Kolmogorov and Smirnov)."""
    p_value: float
    """Chance of such a distance without any drift; asymptotic, ties make it cautious."""

    @property
    def is_there(self) -> bool:
        """Whether it is more than chance, and large enough to matter."""
        is_large = self.distance >= DRIFT_SIZE or abs(self.factor - 1) >= DRIFT_SIZE
        return self.p_value < DRIFT_LEVEL and is_large


@dataclass(frozen=True)
class Score:
    """How one form does on the later part of a log, fitted to the earlier part."""

    form: str
    """Name of the form."""
    loss: float
    """Mean negative log-likelihood of a later call, under one factor between the parts."""
    deviation: float
    """Largest relative distance to a recorded quantile of the earlier part."""
    is_near: bool
    """Whether it follows the recorded quantiles well enough to be chosen, of the earlier part
    and of all calls."""


@dataclass(frozen=True)
class DurationFit:
    """A duration of the callee profile, fitted."""

    __repr__ = brief

    key: str
    """Where a scenario has it, such as ``callees.agent_talk``."""
    distribution: Distribution
    """What was fitted, to all calls."""
    form: str
    """Name of the form."""
    all: Counts
    early: Counts
    late: Counts
    """What it was fitted to: all calls, and the two parts by which the form was chosen."""
    scores: tuple[Score, ...]
    """How the candidates did on the later part, the best first."""

    @property
    def calls(self) -> float:
        """Durations that were seen to end."""
        return self.all.total

    @cached_property
    def named(self) -> Distribution | None:
        """The form by its name, as a scenario may have it written by hand; None for a table."""
        return named_distribution(self.form, _fit(self.form, self.all)[1])

    @cached_property
    def distance(self) -> float:
        """Largest difference between the fitted and the recorded distribution function."""
        shares = cdf_of(self.distribution, self.all.upper_s)
        return float(np.max(np.abs(shares - self.all.shares)))

    @cached_property
    def drift(self) -> Drift:
        """How the later part differs."""
        return drift_between(self.early, self.late)

    @property
    def is_cut(self) -> bool:
        """Whether calls were given up while others were still being answered."""
        given_up_s = self.all.recorded_s[self.all.censored > 0]
        if not len(given_up_s):
            return False
        last = self.all.recorded_s > 0.9 * given_up_s.max()
        return bool(self.all.events[last].sum() >= 0.01 * self.calls)

    def quantile_interval_s(self, share: float) -> tuple[float, float]:
        """95 % interval of a quantile by order statistics, in seconds."""
        low, high = quantile_intervals_s(self.all, np.array([share]))
        return float(low[0]), float(high[0])

    @property
    def scale_interval(self) -> tuple[float, float]:
        """95 % interval of a factor on all durations (normal, for the mean logarithm)."""
        width = Z * _log_mean(self.all)[1]
        return float(np.exp(-width)), float(np.exp(width))

    def errors_on_later(self) -> tuple[Floats, Floats]:
        """Relative errors of fit and record at `SCORED`, under one factor between the parts."""
        shares = np.array(SCORED)
        later_s = self.late.quantiles_s(shares)
        fitted = _fit(self.form, self.early)[0]
        assert fitted is not None
        errors = []
        for quantiles_s in (fitted.quantile_s(shares), self.early.quantiles_s(shares)):
            factor = np.exp(np.mean(np.log(later_s / quantiles_s)))
            errors.append(quantiles_s * factor / later_s - 1)
        return errors[0], errors[1]


def cdf_of(distribution: Distribution, seconds: ArrayLike) -> Floats:
    """Share of a distribution's durations that are at most so long."""
    if isinstance(distribution, Quantiles):
        return Tabled(distribution).cdf(seconds)
    scores = np.linspace(-8.2, 8.2, 16_401)
    found_s = distribution.quantile_s(special.ndtr(scores))
    return np.asarray(
        special.ndtr(np.interp(np.asarray(seconds, np.float64), found_s, scores)), dtype=np.float64
    )


def fit_duration(key: str, early: Counts, late: Counts, together: Counts) -> DurationFit:
    """Fit each candidate to the early part, and the one that suits the late part best to all."""
    factor = drift_between(early, late).factor
    is_thin = together.total < THIN
    scores: list[Score] = []
    losses: dict[str, Floats] = {}
    fitted: dict[str, Distribution] = {}
    for name in (*FAMILIES, TABLE):
        distribution, form = _fit(name, early)
        if distribution is None:
            continue
        losses[name] = -np.log(step_masses(form, late, factor))
        loss = float(late.events @ losses[name]) / late.total
        if name == TABLE or is_near(distribution, early, is_thin=is_thin):
            of_all, _ = _fit(name, together)
            if of_all is not None and (
                name == TABLE or is_near(of_all, together, is_thin=is_thin)
            ):
                fitted[name] = of_all
        scores.append(Score(name, loss, deviation(distribution, early), name in fitted))
    scores.sort(key=lambda score: score.loss)
    near_ones = [score.form for score in scores if score.is_near]
    best = losses[near_ones[0]]
    as_good = [name for name in near_ones if _is_as_good(losses[name] - best, late.events)]
    sizes = {name: family.parameters for name, family in FAMILIES.items()}
    chosen = min(as_good, key=lambda name: sizes.get(name, np.inf))
    return DurationFit(key, fitted[chosen], chosen, together, early, late, tuple(scores))


def _is_as_good(worse: Floats, calls: Floats) -> bool:
    """Whether a mean loss is within a standard error of the best (Breiman and others 1984)."""
    mean, variance = moments(worse, calls)
    return bool(mean <= np.sqrt(variance / calls.sum()))


def _fit(name: str, counts: Counts) -> tuple[Distribution | None, Form]:
    if name in FAMILIES:
        form = fit_family(FAMILIES[name], counts)
        return as_distribution(name, form), form
    table = recorded_table(counts)
    return table, Tabled(table)


def deviation(distribution: Distribution, counts: Counts) -> float:
    """Largest relative distance to a recorded quantile, from the 10th percentile to the 99th."""
    shares = np.array(EXACT)
    recorded_s = counts.quantiles_s(shares)
    return float(np.max(np.abs(distribution.quantile_s(shares) / recorded_s - 1)))


def quantile_intervals_s(counts: Counts, shares: Floats) -> tuple[Floats, Floats]:
    """95 % intervals of recorded quantiles by order statistics, half a step wider at both ends."""
    calls = counts.total
    low, high = (
        counts.quantiles_s(np.clip(np.asarray(ranks) / calls, 0.0, 1.0))
        for ranks in stats.binom.interval(LEVEL, int(calls), shares)
    )
    return np.maximum(low - counts.step_s / 2, 0.0), high + counts.step_s / 2


def is_near(distribution: Distribution, counts: Counts, *, is_thin: bool) -> bool:
    """Whether a distribution follows the recorded quantiles well enough to be chosen."""
    shares = np.array(EXACT)
    found_s, recorded_s = distribution.quantile_s(shares), counts.quantiles_s(shares)
    near = np.abs(found_s / recorded_s - 1) <= TOLERANCE
    if is_thin:
        low, high = quantile_intervals_s(counts, shares)
        near |= (low <= found_s) & (found_s <= high)
    return bool(near.all())


def drift_between(early: Counts, late: Counts) -> Drift:
    """How the durations of one part differ from those of an earlier one."""
    (mean, error), (later_mean, later_error) = map(_log_mean, (early, late))
    width = Z * np.hypot(error, later_error)
    seconds = np.union1d(early.recorded_s, late.recorded_s)
    below, later_below = (
        np.append(0.0, part.shares)[np.searchsorted(part.recorded_s, seconds, side="right")]
        for part in (early, late)
    )
    distance = float(np.max(np.abs(below - later_below)))
    size = early.total * late.total / (early.total + late.total)
    change = later_mean - mean
    return Drift(
        factor=float(np.exp(change)),
        low=float(np.exp(change - width)),
        high=float(np.exp(change + width)),
        distance=distance,
        p_value=float(stats.kstwobign.sf(distance * np.sqrt(size))),
    )


def _log_mean(counts: Counts) -> tuple[float, float]:
    """Mean logarithm of the seconds, and its standard error."""
    mean, variance = moments(np.log(counts.middle_s), counts.masses)
    return mean, float(np.sqrt(variance / counts.total))
