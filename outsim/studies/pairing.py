"""What it saves to give two scenarios the same tape, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.estimates import LEVEL
from outsim.studies.variance_reduction import MOST_SAVED

_EXACT = 9
"""Decimals of a difference that are its own; beyond them is what floating point leaves behind."""


@dataclass(frozen=True)
class VarianceRatio:
    """So many times the replications unpaired runs would take, with its confidence interval.

    Below 1, pairing does harm. NaN where it is not known: from fewer than two pairs, or where
    nothing varies. Infinite where all pairs differ alike: unpaired runs never get there.
    """

    times: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isinf(self.times):
            return "any number of"
        if self.times > MOST_SAVED:
            return f"more than {MOST_SAVED:,.0f}"
        return f"{_rounded(self.times)} (95 %: {_rounded(self.low)} to {_rounded(self.high)})"

    def to_dict(self) -> dict[str, float | str | None]:
        """The ratio for machines; "infinite" where all pairs differ alike."""
        return {name: _plain(value) for name, value in vars(self).items()}


def paired_variance_ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> VarianceRatio:
    """Variance of the difference of two independent runs, over that of the paired difference.

    Parameters
    ----------
    ours, theirs : arrays, shape (replications,)
        One figure of two scenarios; pairs that lack one are left out.

    Notes
    -----
    With the sum S and the difference D of a pair, the ratio is (var S / var D + 1) / 2. The
    interval is that of var S / var D by the F distribution. It holds for normal figures: exactly
    where both scenarios vary alike, so that S and D are independent, and else with more
    confidence than it says (Pitman 1939, Morgan 1939).
    """
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    pairs = int(both.sum())
    if pairs < 2:
        return VarianceRatio(math.nan, math.nan, math.nan)
    of_sum = float(np.var(np.round(ours[both] + theirs[both], _EXACT), ddof=1))
    of_difference = float(np.var(np.round(ours[both] - theirs[both], _EXACT), ddof=1))
    if of_difference == 0:
        times = math.inf if of_sum > 0 else math.nan
        return VarianceRatio(times, times, times)
    from scipy.special import fdtri

    ratio = of_sum / of_difference
    most = float(fdtri(pairs - 1, pairs - 1, 0.5 + LEVEL / 2))
    return VarianceRatio((ratio + 1) / 2, (ratio / most + 1) / 2, (ratio * most + 1) / 2)


def in_words(ratios: Sequence[tuple[str, VarianceRatio]]) -> str:
    """What pairing saved for one or more figures, by their names: the least and the most."""
    known = sorted(
        ((name, each) for name, each in ratios if not math.isnan(each.times)),
        key=lambda named: named[1].times,
    )
    if not known:
        return "what it saves is not known from so few pairs"
    (least_of, least), (most_of, most) = known[0], known[-1]
    if most.times <= 1:
        return "saves no replications here"
    if math.isinf(least.times):
        return "all pairs differ alike, as unpaired replications never would"
    best = f"as good as {most} times more replications ({most_of})"
    if len(known) == 1:
        return best
    if least.times <= 1:
        return f"from no gain ({least_of}) to {best}"
    return f"as good as {least} times more replications ({least_of}) to {most} times ({most_of})"


def _rounded(times: float) -> str:
    """Two digits of it: a ratio of variances deserves no more."""
    decimals = max(0, 1 - math.floor(math.log10(times)))
    return f"{round(times, 1 - math.floor(math.log10(times))):,.{decimals}f}"


def _plain(value: Any) -> float | str | None:
    if math.isnan(value):
        return None
    return "infinite" if math.isinf(value) else float(value)
