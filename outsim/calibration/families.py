"""Durations counted per step, and the forms fitted to the counts by maximum likelihood.

Five million rows cost what their seconds cost. What is recorded as 12 s lay somewhere around it:
a record's likelihood is the probability of its whole step. A call that was cut off counts with
the probability of not having been answered by then, for whatever reason: with share p answering
in the end, ``1 - p F(t)`` (a mixture cure model; Maller and Zhou, Survival Analysis with
Long-Term Survivors, 1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike
from pydantic import TypeAdapter, ValidationError
from scipy import optimize, special, stats

from outsim.calibration.values import Flags, Floats
from outsim.clock import SECOND
from outsim.distributions import Distribution, Exponential, Lognormal, Quantiles
from outsim.errors import ScenarioError
from outsim.text import brief

Rounding = Literal["nearest", "down", "up"]
"""How a log turned a duration into one of its steps."""

_BELOW = {"nearest": 0.5, "down": 0.0, "up": 1.0}
"""Part of a step that lies below what is recorded."""

LONGEST_S = 2.0**20
"""Durations beyond are no calls: twelve days."""
MOST_STOOD_FOR = 20
"""Calls that one which ended may stand for, where others were cut off before it."""
FINE_STEP_S = 0.1
"""Step that durations are counted in where a log has fractions of a second."""


@dataclass(frozen=True)
class Counts:
    """How often each duration was recorded."""

    __repr__ = brief

    recorded_s: Floats
    """Distinct recorded durations, rising, in whole steps. Shape (durations,)."""
    events: Floats
    """How many ended after it. Shape (durations,)."""
    censored: Floats
    """How many were cut off after it: that long, or longer. Shape (durations,)."""
    step_s: float = 1.0
    """Seconds between two durations that the log tells apart."""
    rounding: Rounding = "nearest"
    """How it rounds to a step."""

    @cached_property
    def total(self) -> float:
        """Durations that were seen to end."""
        return float(self.events.sum())

    @property
    def lower_s(self) -> Floats:
        """Least true duration that is recorded so."""
        return np.maximum(self.recorded_s - _BELOW[self.rounding] * self.step_s, 0.0)

    @property
    def upper_s(self) -> Floats:
        """Where the next longer record begins."""
        return self.recorded_s + (1 - _BELOW[self.rounding]) * self.step_s

    @property
    def middle_s(self) -> Floats:
        """The duration that each record stands for; positive."""
        middles = self.recorded_s + (0.5 - _BELOW[self.rounding]) * self.step_s
        return np.where(middles > 0, middles, (self.lower_s + self.upper_s) / 2)

    @cached_property
    def _at_risk(self) -> Floats:
        """Calls that lasted to each record or longer; one cut off in it is at risk all through."""
        return np.cumsum((self.events + self.censored)[::-1])[::-1]

    @cached_property
    def _surviving(self) -> Floats:
        """Share that lasts beyond each record: the product-limit estimate (Kaplan, Meier 1958)."""
        lasting = 1 - self.events / np.maximum(self._at_risk, 1e-300)
        return np.asarray(np.cumprod(lasting), dtype=np.float64)

    @cached_property
    def reliable_until_s(self) -> float:
        """Duration beyond which a call that ended stands for too many cut off (Efron 1967)."""
        before = np.append(1.0, self._surviving[:-1]) * self._at_risk[0]
        ended = self.events > 0
        too_many = ended & (before > MOST_STOOD_FOR * self._at_risk)
        if not too_many.any():
            return float("inf")
        reliable = ended & (np.cumsum(too_many) == 0)
        if not reliable.any():
            return float("inf")
        return float(self.recorded_s[reliable][-1] + self.step_s / 2)

    @cached_property
    def shares(self) -> Floats:
        """Share of durations up to and with each record: product-limit estimate over its last."""
        ended = 1 - self._surviving
        return np.asarray(ended / ended[-1], dtype=np.float64)

    @property
    def masses(self) -> Floats:
        """Share of the durations in each record; they add up to 1."""
        return np.diff(self.shares, prepend=0.0)

    def quantiles_s(self, shares: ArrayLike) -> Floats:
        """Quantiles of what was recorded, as ``numpy.quantile`` gives them, in seconds."""
        at = np.asarray(shares, dtype=np.float64) * max(self.total - 1, 0)
        ranks = np.cumsum(self.masses) * self.total
        last = int(np.flatnonzero(self.events)[-1])
        below = np.floor(at + 1e-9)

        def of_rank(rank: Floats) -> Floats:
            places = np.searchsorted(ranks, rank + 1e-6, side="right")
            return self.middle_s[np.minimum(places, last)]

        low, high = of_rank(below), of_rank(below + 1)
        return low + np.maximum(at - below, 0) * (high - low)

    def middle_quantiles_s(self, shares: ArrayLike) -> Floats:
        """Mid-quantiles, each record spread over its step (Ma, Genton and Parzen 2011)."""
        seen = self.events > 0
        middles = (self.shares - self.masses / 2)[seen]
        return np.interp(np.asarray(shares, np.float64), middles, self.middle_s[seen])


def is_duration(seconds: Floats) -> Flags:
    """Where there is a duration that a call may have."""
    return np.asarray((seconds >= 0) & (seconds <= LONGEST_S))


def count(
    seconds: ArrayLike,
    weights: ArrayLike | None = None,
    is_censored: ArrayLike | None = None,
    *,
    rounding: Rounding = "nearest",
    step_s: float | None = None,
) -> Counts:
    """Count durations."""
    if rounding not in get_args(Rounding):
        raise ScenarioError(f"rounding: found {rounding!r}; write nearest, down or up")
    values = np.asarray(seconds, dtype=np.float64)
    sizes = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    cut = np.asarray(np.zeros(len(values)) if is_censored is None else is_censored, np.bool_)
    usable = is_duration(values) & (sizes > 0)
    values, sizes, cut = values[usable], sizes[usable], cut[usable]
    if not len(values):
        raise ScenarioError("durations: found none; need at least one")
    if step_s is None:
        step_s = 1.0 if (values == np.rint(values)).all() else FINE_STEP_S
    steps = np.rint(values / step_s).astype(np.int64)
    if rounding == "up":
        steps = np.maximum(steps, 1)  # nothing is rounded up to no time at all
    events = np.bincount(steps, weights=np.where(cut, 0, sizes)).astype(np.float64)
    censored = np.bincount(steps, weights=np.where(cut, sizes, 0)).astype(np.float64)
    places = np.flatnonzero(events + censored)
    recorded = np.round(places * step_s, 9)
    return Counts(recorded, events[places], censored[places], step_s, rounding)


LEAST_MASS = 1e-12
"""Probability that any record has at least: no form is ruled out by a single call."""

SCORES = np.linspace(-3.25, 3.5, 28)
"""Normal scores at which a form is written down that a scenario has no name for."""

WIDEST_LOG_SD = 5.0
"""Largest standard deviation of the logarithm that a scenario's lognormal may have."""
_UNLIKELY = 1e12
"""Loss of parameters for which none can be computed."""


class Form(Protocol):
    """A continuous distribution of seconds."""

    def cdf(self, seconds: Any) -> Any:
        """Share that is at most so long."""

    def ppf(self, shares: Any) -> Any:
        """Seconds that this share is at most."""


@dataclass(frozen=True)
class Mixture:
    """Mixture of lognormal distributions."""

    weights: Floats
    medians_log: Floats
    log_sds: Floats

    def cdf(self, seconds: ArrayLike) -> Floats:
        """Share that is at most so long."""
        with np.errstate(divide="ignore"):
            logs = np.log(np.asarray(seconds, dtype=np.float64))[..., None]
        scores = (logs - self.medians_log) / self.log_sds
        return np.asarray(special.ndtr(scores) @ self.weights, dtype=np.float64)

    def ppf(self, shares: ArrayLike) -> Floats:
        """Seconds that this share is at most, to about one part in a million."""
        widest = 9 * self.log_sds
        grid = np.linspace(
            np.min(self.medians_log - widest), np.max(self.medians_log + widest), 40_001
        )
        logs = np.interp(np.asarray(shares, np.float64), self.cdf(np.exp(grid)), grid)
        return np.asarray(np.exp(logs), dtype=np.float64)


@dataclass(frozen=True)
class Named:
    """Distribution of scipy with these shapes and scale; freezing one would take milliseconds."""

    kind: Any
    shapes: tuple[float, ...]
    scale: float

    def cdf(self, seconds: Any) -> Any:
        """Share that is at most so long."""
        with np.errstate(all="ignore"):
            return self.kind.cdf(seconds, *self.shapes, scale=self.scale)

    def ppf(self, shares: Any) -> Any:
        """Seconds that this share is at most."""
        with np.errstate(all="ignore"):
            return self.kind.ppf(shares, *self.shapes, scale=self.scale)


@dataclass(frozen=True)
class Family:
    """A form with free parameters, all of them real numbers."""

    start: Callable[[float, float], list[float]]
    """Parameters to start from, by mean and standard deviation of log-seconds."""
    name: str
    """What a scenario calls it."""
    length: str = ""
    """The parameter that is its length there, and its shapes."""
    shapes: tuple[str, ...] = ()
    kind: Any = None
    """Distribution of scipy, by the logarithms of its shapes and scale; None: a mixture."""

    @property
    def parameters(self) -> int:
        """How many there are."""
        return len(self.start(0.0, 1.0))

    def make(self, parameters: Floats) -> Form:
        """Form with these parameters."""
        if self.kind is not None:
            *shapes, scale = np.exp(np.clip(parameters, -30, 30)).tolist()
            return Named(self.kind, tuple(shapes), scale)
        parts = (len(parameters) + 1) // 3
        weights = special.softmax(np.append(0.0, parameters[: parts - 1]))
        middles, spreads = parameters[parts - 1 : 2 * parts - 1], parameters[2 * parts - 1 :]
        return Mixture(weights, middles, np.exp(np.clip(spreads, -4, 3)))


def _spread(parts: int) -> Callable[[float, float], list[float]]:
    def start(mean: float, sd: float) -> list[float]:
        middles = mean + sd * np.linspace(-0.8, 0.8, parts)
        return [*np.zeros(parts - 1), *middles, *np.full(parts, np.log(0.7 * sd))]

    return start


FAMILIES = {
    "exponential": Family(lambda mean, _: [mean], "exponential", "mean", kind=stats.expon),
    "lognormal": Family(
        lambda mean, sd: [np.log(sd), mean], "lognormal", "median", ("log_sd",), stats.lognorm
    ),
    "Weibull": Family(
        lambda mean, sd: [np.log(1.28 / sd), mean],
        *("weibull", "scale", ("shape",), stats.weibull_min),
    ),
    "gamma": Family(
        lambda mean, sd: [-2 * np.log(sd), mean + 2 * np.log(sd)],
        *("gamma", "mean", ("shape",), stats.gamma),
    ),
    "log-logistic": Family(
        lambda mean, sd: [np.log(1.81 / sd), mean],
        *("loglogistic", "median", ("shape",), stats.fisk),
    ),
    "Burr": Family(
        lambda mean, sd: [np.log(1.81 / sd), 0.0, mean],
        *("burr", "scale", ("shape", "tail"), stats.burr12),
    ),
    "two lognormals": Family(_spread(2), "mixture"),
    "three lognormals": Family(_spread(3), "mixture"),
}
"""Candidates by name, the simpler ones first. Log-logistic and Burr have heavy tails."""


def moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted mean and variance."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.average((values - mean) ** 2, weights=weights))


def step_masses(form: Form, counts: Counts, scale: float = 1.0) -> Floats:
    """Probability of each record under a form whose durations are all `scale` times as long."""
    below = form.cdf(counts.lower_s / scale)
    masses = np.asarray(form.cdf(counts.upper_s / scale) - below, dtype=np.float64)
    return np.fmax(masses, LEAST_MASS)


def fit_family(family: Family, counts: Counts) -> Form:
    """Form of this family that makes the counts most likely."""
    mean, variance = moments(np.log(counts.middle_s), counts.masses)
    start = family.start(mean, max(variance**0.5, 0.01))
    size = len(start)
    has_censored = bool(counts.censored.any())
    if has_censored:
        start.append(special.logit(counts.total / (counts.total + counts.censored.sum())))

    def unlikelihood(parameters: Floats) -> float:
        with np.errstate(all="ignore"):
            form = family.make(parameters[:size])
            loss = -float(counts.events @ np.log(step_masses(form, counts)))
            if has_censored:
                answering = float(special.expit(parameters[-1]))
                waiting = 1 - answering * np.asarray(form.cdf(counts.lower_s))
                loss -= counts.total * np.log(max(answering, LEAST_MASS))
                loss -= float(counts.censored @ np.log(np.maximum(waiting, LEAST_MASS)))
        loss /= counts.total
        return loss if np.isfinite(loss) else _UNLIKELY

    optimum = optimize.minimize(unlikelihood, start, method="BFGS", options={"gtol": 1e-6})
    return family.make(np.asarray(optimum.x, dtype=np.float64)[:size])


def as_distribution(name: str, form: Form) -> Distribution | None:
    """A form as a scenario says it, by name or quantiles; None if it can't, or ran away."""
    shares = np.round(special.ndtr(SCORES), 6)
    with np.errstate(all="ignore"):
        seconds = np.asarray(form.ppf(shares), dtype=np.float64)
    if not (np.isfinite(seconds).all() and seconds[-1] <= LONGEST_S):
        return None
    if name == "lognormal":
        median, upper = form.ppf([0.5, special.ndtr(1.0)])
        log_sd = round(float(np.log(upper / median)), 5)
        if not log_sd <= WIDEST_LOG_SD:
            return None
        return Lognormal(distribution="lognormal", median=microseconds(median), log_sd=log_sd)
    if name == "exponential":
        return Exponential(distribution="exponential", mean=microseconds(form.ppf(1 - np.exp(-1))))
    return table_of(shares, seconds)


def named_distribution(name: str, form: Form) -> Distribution | None:
    """A form by the name and parameters that a scenario has for it; None if it has none."""
    if name not in FAMILIES:
        return None
    family = FAMILIES[name]
    table: dict[str, Any] = {"distribution": family.name}
    if isinstance(form, Mixture):
        medians = [microseconds(median) for median in np.exp(form.medians_log)]
        weights, log_sds = form.weights.tolist(), form.log_sds.tolist()
        table |= {"weights": weights, "medians": medians, "log_sds": log_sds}
    elif isinstance(form, Named):
        size = form.scale * form.shapes[0] if family.name == "gamma" else form.scale
        table[family.length] = microseconds(size)
        table |= zip(family.shapes, form.shapes, strict=True)
    try:
        return TypeAdapter[Distribution](Distribution).validate_python(table)
    except ValidationError:
        return None


def table_of(shares: Floats, seconds: Floats) -> Quantiles:
    """Table of quantiles, to the millisecond, that falls nowhere."""
    durations = np.maximum.accumulate(np.maximum(np.rint(seconds * 1000), 1)) * 1000
    return Quantiles(
        distribution="quantiles",
        shares=tuple(float(share) for share in shares),
        durations=tuple(int(duration) for duration in durations),
    )


def microseconds(seconds: float) -> int:
    """Whole milliseconds, in microseconds."""
    return max(round(float(seconds) * 1000), 1) * (SECOND // 1000)
