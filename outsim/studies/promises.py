"""Promises about a campaign, and whether runs show that they are kept.

A promise is about the mean of a figure over runs (``p95 wait <= 10 min``: the mean of each
run's quantile), or about a probability over runs (``P(finished <= 17:30) >= 0.95``). It counts
as kept if the bound of a one-sided confidence interval keeps it: for a mean that of
`outsim.estimates.cautious_bounds`, for a probability Clopper and Pearson's (Biometrika 26, 1934).
It counts as broken if the other bound breaks it, and is undecided else.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from outsim.estimates import cautious_bounds, exact_bounds
from outsim.results.measures import Measure

Verdict = Literal["kept", "broken", "undecided"]
"""Whether runs show that a promise is kept, that it is broken, or neither."""

Outcomes = NDArray[np.float64]
"""What counts of each run, shape (runs,): its figure, or 1 if the event came and 0 if not."""


@dataclass(frozen=True)
class Promise:
    """One promise; `outsim.studies.promise_texts.read_promise` makes it of a text."""

    text: str
    """As it was written."""
    measure: Measure
    at_most: bool
    """Whether the figure must not be more than the limit; else it must not be less."""
    limit: float
    """In the figure's unit; a clock time in seconds since the run begins."""
    probability: float | None = None
    """Share of runs in which the figure must keep within the limit; None: its mean must."""

    def outcomes(self, figures: NDArray[np.float64]) -> Outcomes:
        """What counts of each run, from its figure.

        A figure that a run is too short for, such as the wait of calls that were not
        dispatched, breaks every promise.
        """
        worst = math.inf if self.at_most else -math.inf
        known = np.where(np.isnan(figures), worst, figures)
        if self.probability is None:
            return known
        kept = known <= self.limit if self.at_most else known >= self.limit
        return kept.astype(np.float64)

    def bounds(self, outcomes: Outcomes, error: float) -> tuple[float, float]:
        """Lower and upper bound of what is promised, each wrong with probability `error`."""
        if self.probability is not None:
            return exact_bounds(int(outcomes.sum()), len(outcomes), error)
        if not np.isfinite(outcomes).all():
            worst = math.inf if self.at_most else -math.inf
            return worst, worst
        if len(outcomes) < 2:
            return -math.inf, math.inf
        return cautious_bounds(outcomes, error, self.measure.support)

    @property
    def _goal(self) -> tuple[bool, float]:
        """Whether what is promised must be at most something, and what."""
        if self.probability is not None:
            return False, self.probability
        return self.at_most, self.limit

    def is_kept(self, outcomes: Outcomes, error: float) -> bool:
        """Whether runs show that it is kept; if it is broken, they do with probability `error`."""
        low, high = self.bounds(outcomes, error)
        at_most, goal = self._goal
        return high <= goal if at_most else low >= goal

    def is_broken(self, outcomes: Outcomes, error: float) -> bool:
        """Whether runs show that it is broken; if it is kept, they do with probability `error`."""
        low, high = self.bounds(outcomes, error)
        at_most, goal = self._goal
        return low > goal if at_most else high < goal

    def judge(
        self, outcomes: Outcomes, error: float, broken_error: float
    ) -> tuple[Verdict, tuple[float, float]]:
        """Verdict on it, and the lower and the upper bound that this is made of.

        Parameters
        ----------
        outcomes : array
            What `outcomes` gives.
        error : float
            Probability with which it may count as kept though it is broken.
        broken_error : float
            Probability with which it may count as broken though it is kept.
        """
        at_most, goal = self._goal
        errors = (broken_error, error) if at_most else (error, broken_error)
        low, high = self.bounds(outcomes, errors[0])[0], self.bounds(outcomes, errors[1])[1]
        verdict: Verdict = "undecided"
        if (high <= goal) if at_most else (low >= goal):
            verdict = "kept"
        elif (low > goal) if at_most else (high < goal):
            verdict = "broken"
        return verdict, (low, high)

    def least_runs(self, error: float) -> int:
        """Fewest runs that can show that it is kept, if all of them keep it."""
        if self.probability is None:
            return 2
        return math.ceil(round(math.log(error) / math.log(self.probability), 9))

    def least_kept(self, runs: int, error: float) -> int:
        """Fewest of so many runs that must keep it to show that its probability is high enough.

        More than all of them if they are too few.
        """
        return bisect_left(
            range(runs + 1), True, key=lambda kept: self.is_kept(_events(kept, runs), error)
        )

    def lean(self, outcomes: Outcomes, runs: int, error: float) -> tuple[float, float]:
        """How far from the limit `runs` runs may be expected to show it kept, from fewer.

        Returns
        -------
        margin : float
            Positive where they may be expected to; in the figure's unit, or as a share of runs.
        noise : float
            Standard error of the margin.
        """
        if self.probability is not None:
            need = min(1.0, self.least_kept(runs, error) / runs)
            noise = math.sqrt(need * (1 - need) / len(outcomes))
            return float(outcomes.mean()) - need, noise
        if not np.isfinite(outcomes).all():
            return -math.inf, 0.0
        from scipy.special import stdtrit

        sd = float(outcomes.std(ddof=1))
        room = self.limit - float(outcomes.mean())
        expected = (room if self.at_most else -room) - float(
            stdtrit(runs - 1, 1 - error)
        ) * sd / math.sqrt(runs)
        return expected, sd / math.sqrt(len(outcomes))

    @property
    def scale(self) -> float:
        """What a margin is large or small against."""
        return 1.0 if self.probability is not None else abs(self.limit) or 1.0


def _events(kept: int, runs: int) -> Outcomes:
    return np.repeat([1.0, 0.0], [kept, runs - kept])
