"""Estimates over replications: every mean has its interval, or the reason why it has none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Confidence of every interval."""

Values = NDArray[np.float64]


def quantile_rank(level: float, count: int) -> int:
    """Which of so many sorted values is the smallest that at least this share do not exceed."""
    return max(0, math.ceil(level * count) - 1)


def sample_quantile(values: NDArray[Any], level: float, n_never: int = 0) -> float:
    """Quantile of values and so many larger than any; NaN if it is one of those, or infinite."""
    place = quantile_rank(level, len(values) + n_never)
    if place >= len(values):
        return math.nan
    # Sorting is faster than selecting where most values are equal, as status lags are.
    value = float(np.sort(values)[place])
    return value if math.isfinite(value) else math.nan


def finite_or_none(value: float) -> float | None:
    """A figure for documents that have no word for "not a number": None if it is not finite."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class Support:
    """Values that a figure can take, and how far apart two of them have to be to matter."""

    least: float = -math.inf
    most: float = math.inf
    negligible: float = 0.0
    """A smaller difference of the figure matters to nobody."""
    is_difference: bool = False
    reach: float = math.inf
    """How far a difference is from 0 at the most: the larger one of the two figures, about."""

    @property
    def of_difference(self) -> Support:
        """That of the difference of two such figures."""
        least, most = self.least - self.most, self.most - self.least
        return Support(least, most, self.negligible, is_difference=True)

    def between(self, *figures: Values) -> Support:
        """That of the difference of two of these figures, each given by replication."""
        known = [values[~np.isnan(values)] for values in figures]
        means = [abs(float(values.mean())) for values in known if len(values)]
        reach = max(means, default=math.inf) if self.least == 0 else math.inf
        return replace(self.of_difference, reach=reach)

    @property
    def has_two_tails(self) -> bool:
        """Whether figures may be far out on both sides: differences, and what has no ends."""
        return self.is_difference or (self.least == -math.inf and self.most == math.inf)

    @property
    def usual(self) -> tuple[float, ...]:
        """Values at which a figure is wherever nothing happens: the ends, or no difference."""
        if self.is_difference:
            return (0.0,)
        return tuple(end for end in (self.least, self.most) if math.isfinite(end))

    def holding(self, least: float, most: float) -> Support:
        """The same, without the ends where figures lie outside of them."""
        return replace(
            self,
            least=self.least if least >= self.least else -math.inf,
            most=self.most if most <= self.most else math.inf,
        )

    def fit(self, mean: float, low: float, high: float) -> tuple[float, float]:
        """Ends of an interval, those outside moved in by the logarithm of the distance."""
        if low < self.least:
            room = mean - self.least
            low = self.least + (room * math.exp((low - mean) / room) if room > 0 else 0.0)
        if high > self.most:
            room = self.most - mean
            high = self.most - (room * math.exp((mean - high) / room) if room > 0 else 0.0)
        return low, high

    def says_nothing(self, mean: float, low: float, high: float) -> bool:
        """Whether an interval, not moved yet, is wider than the figure itself can be."""
        if self.is_difference:
            return (high - low) / 2 > min(self.reach, (self.most - self.least) / 2)
        if math.isfinite(self.least) and math.isfinite(self.most):
            return high - low > self.most - self.least
        return math.isfinite(self.least) and (high - low) / 2 > mean - self.least


ANYTHING = Support()
SHARE = Support(0.0, 1.0)
NOT_NEGATIVE = Support(0.0)


@dataclass(frozen=True)
class Rare:
    """What is known where replications agree but for a few: an interval would be wrong."""

    place: float
    """Where nearly all of them are."""
    within: float
    """So near to it."""
    times: int
    """Replications that are elsewhere."""
    runs: int
    least: float
    most: float
    half_width: float
    """Half of the interval's width if nothing else than what was seen could happen."""

    @property
    def at_most(self) -> float:
        """Share of runs that are elsewhere at most, one-sided (Clopper and Pearson 1934)."""
        return exact_bounds(self.times, self.runs, 1 - LEVEL)[1]

    @property
    def is_one_sided(self) -> bool:
        """Whether all replications are on one side of 0, and too many for it to be chance."""
        is_enough = self.times == 0 or self.runs >= _SIGNS
        return is_enough and (self.least > 0 or self.most < 0)

    @property
    def takes(self) -> int | None:
        """About how many replications an interval takes; None where nothing rare was met."""
        return math.ceil(2 * FEW * self.runs / self.times) if self.times else None

    def to_dict(self) -> dict[str, float | int | None]:
        """For machines."""
        return {
            "nearly_all_at": self.place,
            "within": self.within,
            "elsewhere": self.times,
            "replications": self.runs,
            "elsewhere_share_at_most": self.at_most,
            "replications_for_an_interval": self.takes,
        }


@dataclass(frozen=True)
class Estimate:
    """A mean over replications with its confidence interval."""

    mean: float
    half_width: float
    """Half of the interval's width; NaN where there is no interval: from fewer than two
    replications, from so few that it would say nothing, or where all but a few agree."""
    count: int
    """Replications that gave a figure."""
    n_missing: int = 0
    """Replications that were too short to give one."""
    ends: tuple[float, float] | None = None
    """Of an interval that lies not evenly around the mean."""
    rare: Rare | None = None
    """What is known instead where all replications but a few agree."""

    @classmethod
    def between(
        cls, mean: float, low: float, high: float, count: int, n_missing: int = 0
    ) -> Estimate:
        """A mean of count values with an interval from low to high; n_missing are left out."""
        return cls(mean, (high - low) / 2, count, n_missing, (low, high))

    def columns(self, name: str) -> dict[str, float]:
        """Mean and ends of the interval, as columns `name`, ``NAME_low`` and ``NAME_high``."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width if self.ends is None else self.ends[0]

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width if self.ends is None else self.ends[1]

    @property
    def sides(self) -> tuple[float, float]:
        """How far the ends of the interval are from the mean, below and above it."""
        return self.mean - self.low, self.high - self.mean

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out, or all that agree are on one side of 0."""
        if self.rare is not None:
            return self.rare.is_one_sided
        return bool(self.low > 0 or self.high < 0)

    def is_under(self, least: float) -> bool:
        """Whether a difference is too small to matter, which it does from `least` on.

        It is in all replications but a few, or clear, or its whole interval is nearer to 0.
        """
        if not abs(self.mean) < least:
            return False
        if self.rare is not None and self.rare.times == 0:
            return True
        return self.is_clear or (-least < self.low and self.high < least)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 in every replication."""
        if self.rare is not None:
            return self.rare.least == self.rare.most == 0
        return self.mean == self.half_width == 0

    @property
    def precision(self) -> float:
        """Half-width that counts when a study asks whether it is precise enough.

        Of replications that agree all, how far they do; NaN while few of them do not.
        """
        if self.rare is not None and self.rare.times == 0:
            return self.rare.half_width
        return self.half_width

    def widened(self, by: float, support: Support = ANYTHING) -> Estimate:
        """The same with each end farther out, seen or by agreement, as far as the support goes."""
        if math.isnan(self.precision):
            return self
        low, high = self.low, self.high
        if self.rare is not None:
            low, high = self.mean - self.precision, self.mean + self.precision
        ends = support.fit(self.mean, low - by, high + by)
        return Estimate.between(self.mean, *ends, self.count, self.n_missing)

    def to_dict(self) -> dict[str, object]:
        """The estimate for machines; ``n_missing`` counts the runs that gave no figure."""
        document: dict[str, object] = {
            "mean": finite_or_none(self.mean),
            "low": finite_or_none(self.low),
            "high": finite_or_none(self.high),
            "replications": self.count,
            "n_missing": self.n_missing,
        }
        return document if self.rare is None else document | {"rare": self.rare.to_dict()}


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

    The interval is Wilson's (1927), which holds the probability about as often as it says; or,
    where `is_exact`, that of Clopper and Pearson (1934), which never holds it less often. All NaN
    from no replication.
    """
    count = len(happened)
    if count == 0:
        return Probability(float("nan"), float("nan"), float("nan"), 0)
    from scipy.stats import binomtest

    test = binomtest(int(np.count_nonzero(happened)), count)
    interval = test.proportion_ci(level, method="exact" if is_exact else "wilson")
    return Probability(float(test.statistic), float(interval.low), float(interval.high), count)


def exact_bounds(happened: int, runs: int, error: float) -> tuple[float, float]:
    """Lower and upper bound of a probability, each wrong with probability `error` at most.

    Those of C. Clopper and E. Pearson (Biometrika 26, 1934).
    """
    from scipy.special import betaincinv

    low = float(betaincinv(happened, runs - happened + 1, error)) if happened else 0.0
    high = float(betaincinv(happened + 1, runs - happened, 1 - error)) if happened < runs else 1.0
    return low, high


FEW = 4
"""Replications that something must happen in, before a mean that hangs on it has an interval."""

ENOUGH = 5
"""Replications from which on their skewness is made use of, and every interval says something."""

_UNDERSTATED, _UNDERSTATED_OF_TWO_TAILS = 1.45, 1.25
"""Skewness of a long-tailed figure, over that of a sample of some twenty of it, as a rule: the
sample seldom has the tail. Chosen so that intervals of exponential, gamma and lognormal figures,
of those that are 0 in most runs, and of differences of such, hold the mean in 93 to 97 %."""

_KNOWN = 10
"""Replications from which on that is made up for; in fewer, skewness is mostly chance."""

_APART = 20.0
"""So many times the standard deviation of all but a few replications is that of all of them,
where the mean hangs on those few."""

_SIGNS = 6
"""Replications that all being on one side of 0 is no chance for: 2 / 2^6 < 1 - `LEVEL`."""

_ROUNDING = 1e-9


def mean_bounds(
    values: Values, error: float, *, has_two_tails: bool = False
) -> tuple[float, float]:
    """Lower and upper bound of a mean, each wrong with probability `error`, about.

    A mean of few skewed figures, as waits and lags are, errs to one side more often than to the
    other; Student's interval of twenty exponential ones holds the truth in 92 %. P. Hall (On the
    removal of skewness by transformation, J. R. Stat. Soc. B 54, 1992) transforms the studentized
    mean by a cubic that takes the skewness out, and transforms its quantiles back: they are here
    Student's. From fewer than `ENOUGH` figures the interval is Student's own. Where figures may be
    far out on both sides, the skewness of a sample is often chance (of differences that are 0 on
    half of the days, an interval moved by it holds the mean in 84 %): no bound is nearer than
    Student's.
    """
    from scipy.special import stdtrit

    count, mean, spread = len(values), float(values.mean()), float(values.std())
    if spread <= _ROUNDING * float(np.abs(values).max()):
        return mean, mean
    quantile = float(stdtrit(count - 1, 1 - error))
    standard_error = spread / math.sqrt(count - 1)
    student = quantile * standard_error
    third = float(np.mean(((values - mean) / spread) ** 3))
    if count < ENOUGH or abs(third) < 1e-6:
        return mean - student, mean + student
    skewness = third * math.sqrt(count * (count - 1)) / (count - 2)
    understated = _UNDERSTATED_OF_TWO_TAILS if has_two_tails else _UNDERSTATED
    bent = skewness * (understated if count >= _KNOWN else 1.0) / math.sqrt(count)

    def studentized(at: float) -> float:
        return 3 / bent * (math.cbrt(1 + bent * (at - bent / 6)) - 1)

    low, high = (mean - studentized(at) * standard_error for at in (quantile, -quantile))
    nearest = student if has_two_tails else 0.0
    return min(low, mean - nearest), max(high, mean + nearest)


def find_rare(values: Values, support: Support = ANYTHING) -> tuple[float, float, int] | None:
    """Where all figures but a few are, how near to it, and how many are elsewhere; or None.

    They are at an end of the support, or without difference, give or take what is negligible; or
    all at one place, give or take a tenth of that; or so near to each other that the standard
    deviation is due to the few. At an end the few are fewer than half of them, elsewhere fewer
    than a quarter.
    """
    count, median = len(values), float(np.median(values))
    left_out = min(FEW - 1, count // 4)
    near = np.argsort(np.abs(values - median), kind="stable")[: count - left_out]
    spread = float(values[near].std())
    is_due_to_few = left_out > 0 and _APART * spread < float(values.std())
    for place in (*support.usual, None):
        is_end = place is not None
        within = support.negligible if is_end else support.negligible / 10
        where = median if place is None else place
        apart = np.abs(values - where)
        times = int(np.count_nonzero(apart > within + _ROUNDING * max(1.0, abs(where))))
        if times < min(FEW, count / (2 if is_end else 4)) and (
            is_end or times == 0 or is_due_to_few
        ):
            return where, within, times
        if 2 * times < count and (is_end or not is_due_to_few):
            return None
    if is_due_to_few:
        within = _APART * spread
        return median, within, int(np.count_nonzero(np.abs(values - median) > within))
    return None


def cautious_bounds(
    values: Values, error: float, support: Support = ANYTHING
) -> tuple[float, float]:
    """Bounds of a mean as `mean_bounds` has them, but where all figures but a few agree.

    There each is as far out, at the least, as if the few came as often as they may, by the exact
    bound of their probability, and were all like the furthest of them.
    """
    support = support.holding(float(values.min()), float(values.max()))
    bounds = mean_bounds(values, error, has_two_tails=support.has_two_tails)
    low, high = support.fit(float(values.mean()), *bounds)
    rare = find_rare(values, support)
    if rare is not None and rare[2]:
        place, _, times = rare
        often = exact_bounds(times, len(values), error)[1]
        low = min(low, place + often * min(0.0, float(values.min()) - place))
        high = max(high, place + often * max(0.0, float(values.max()) - place))
    return low, high


def estimate(values: Values, level: float = LEVEL, support: Support = ANYTHING) -> Estimate:
    """Mean of one figure per replication, with an interval of this confidence.

    Its ends are those of `mean_bounds`, moved into the support of the figure. There is none where
    all figures but a few agree (`find_rare`), and where it is wider than the figure can be.
    Replications without a figure (NaN) are left out and counted.
    """
    known = values[~np.isnan(values)]
    count, n_missing = len(known), len(values) - len(known)
    if count == 0:
        return Estimate(math.nan, math.nan, 0, n_missing)
    mean = float(known.mean())
    if count < 2:
        return Estimate(mean, math.nan, count, n_missing)
    support = support.holding(float(known.min()), float(known.max()))
    low, high = mean_bounds(known, (1 - level) / 2, has_two_tails=support.has_two_tails)
    mode = find_rare(known, support)
    if mode is not None:
        rare = Rare(*mode, count, float(known.min()), float(known.max()), (high - low) / 2)
        return Estimate(mean, math.nan, count, n_missing, rare=rare)
    return bounded(Estimate.between(mean, low, high, count, n_missing), support)


def bounded(raw: Estimate, support: Support) -> Estimate:
    """An estimate whose interval keeps within the support, and is left out if it says nothing."""
    if math.isnan(raw.half_width):
        return raw
    mean = min(max(raw.mean, support.least), support.most)
    enough = _KNOWN if support.is_difference else ENOUGH
    if raw.count < enough and support.says_nothing(mean, raw.low, raw.high):
        return replace(raw, mean=mean, half_width=math.nan, ends=None)
    ends = support.fit(mean, raw.low, raw.high)
    return Estimate.between(mean, *ends, raw.count, raw.n_missing)
