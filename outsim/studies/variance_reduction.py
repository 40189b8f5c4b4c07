"""Whether antithetic and stratified runs help, and how much variance they and pairing save.

A replication of m runs costs m plain ones. What it saves is the variance of the mean of m
independent runs, over that of the mean of these m. Each has the distribution of a plain run, so
both are known from the same runs.

The first `PILOT` replications have all the runs that were asked for. On them it is decided once,
for all measures and replications; where a way is not used, its runs are left out everywhere: what
is left is the study without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.estimates import LEVEL, finite_or_none
from outsim.studies.control_variates import VARIES
from outsim.studies.run_array import Array, RunArray
from outsim.studies.runs import Runs, VarianceReduction, runs_of

PILOT = 20
"""Replications that it is decided on, or all of them where there are fewer."""

LEAST_PILOT = 5
"""From fewer replications nothing is decided."""

SURE = 0.95
"""Confidence with which a way must save variance to be used."""

MOST_SAVED = 10_000.0
"""Where next to no variance is left, rounding decides how much: more than this is not said."""

_MOST_WEIGHT = 100.0
"""What one measure may save at most, or lose, in the decision for all."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """What became of one way of saving variance, antithetic or stratified runs."""

    name: str
    runs: int
    """Runs that it makes of one."""
    is_used: bool
    decided_on: int
    """Replications that this was decided on; 0 where those are not there, and it is used."""
    saved: Mapping[tuple[int, str], float]
    """By scenario and measure: how many times the runs plain replications would take; less than 1
    where they would take fewer. NaN where it is not known. With several scenarios it is about
    their differences from the first one."""

    def saved_for(self, name: str) -> list[float]:
        """What was saved for a measure, in the order of the scenarios that have it known."""
        return [saved for saved in self._saved_by(name) if not np.isnan(saved)]

    def _saved_by(self, name: str) -> list[float]:
        return [saved for (_, measure), saved in self.saved.items() if measure == name]

    def to_dict(self) -> dict[str, Any]:
        """For machines: a list by scenario, or by difference, for each measure."""
        names = dict.fromkeys(name for _, name in self.saved)
        return {
            "used": self.is_used,
            "runs": self.runs,
            "decided_on": self.decided_on,
            "saved": {name: [*map(finite_or_none, self._saved_by(name))] for name in names},
        }


def variance_ratio(values: Array) -> float:
    """How many times the runs plain replications take, from values (replications, runs)."""
    if len(values) < 2 or np.isnan(values).any():
        return float("nan")
    if np.ptp(values) <= VARIES * np.abs(values).max():
        return float("nan")
    alone = float(values.var(axis=0, ddof=1).mean()) / values.shape[1]
    together = float(values.mean(axis=1).var(ddof=1))
    return min(MOST_SAVED, alone / together) if together > 0 else MOST_SAVED


def is_worthwhile(measures: Iterable[Array]) -> bool:
    """Whether the mean saving over all measures is above 1, with the confidence `SURE`."""
    known = [values for values in measures if not np.isnan(variance_ratio(values))]
    if not known or len(known[0]) < LEAST_PILOT:
        return False
    from scipy.special import stdtrit

    count = len(known[0])
    others = ~np.eye(count, dtype=bool)
    without = np.array([_mean_log_ratio([values[rest] for values in known]) for rest in others])
    pseudo = count * _mean_log_ratio(known) - (count - 1) * without
    error = float(pseudo.std(ddof=1)) / float(np.sqrt(count))
    return bool(pseudo.mean() > float(stdtrit(count - 1, SURE)) * error)


def _mean_log_ratio(measures: Sequence[Array]) -> float:
    """Mean logarithm of the saving; a measure that has come not to vary saves nothing."""
    ratios = np.nan_to_num(np.array([variance_ratio(values) for values in measures]), nan=1.0)
    return float(np.log(np.clip(ratios, 1 / _MOST_WEIGHT, _MOST_WEIGHT)).mean())


def decide(switches: VarianceReduction, pilot: RunArray | None) -> dict[str, bool]:
    """Whether each way that was asked for is used, by the pilot; always where there is none."""
    return {
        name: pilot is None or is_worthwhile(_values(pilot, runs_of(**{name: True})).values())
        for name in ("antithetic", "stratified")
        if getattr(switches, name)
    }


def reductions_of(
    used: Mapping[str, bool], pilot: RunArray | None, counted: RunArray
) -> tuple[Reduction, ...]:
    """What each way saves in the runs that count, or did in the pilot where it is not used."""
    reductions = []
    for name, is_used in used.items():
        own = runs_of(**{name: True})
        about = counted if is_used or pilot is None else pilot
        saved = {key: variance_ratio(values) for key, values in _values(about, own).items()}
        decided_on = 0 if pilot is None else len(pilot.replications)
        reductions.append(Reduction(name, len(own), is_used, decided_on, saved))
    return tuple(reductions)


def _values(array: RunArray, runs: Runs) -> dict[tuple[int, str], Array]:
    """By scenario and measure, values or differences from the first, (replications, runs)."""
    values = array.only(runs).array
    about = values[1:] - values[0] if len(values) > 1 else values
    first = min(1, len(values) - 1)
    return {
        (k + first, name): np.ascontiguousarray(of_scenario[:, :, column])
        for k, of_scenario in enumerate(about)
        for column, name in enumerate(array.measures)
    }


_EXACT = 9
"""Decimals of a difference that are its own; beyond them is what floating point leaves behind."""


@dataclass(frozen=True)
class VarianceRatio:
    """So many times the replications unpaired runs would take; NaN where it is not known."""

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
    """Variance of the difference of two independent runs, over that of the paired difference."""
    # With the sum S and the difference D of a pair, it is (var S / var D + 1) / 2; the interval is
    # that of var S / var D by the F distribution (Pitman 1939, Morgan 1939): exact for normal
    # measures of which both scenarios vary alike, and else with more confidence than it says.
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
    """What pairing saved for one or more measures, by their names: the least and the most."""
    known = [(name, ratio) for name, ratio in ratios if not math.isnan(ratio.times)]
    known.sort(key=lambda named: named[1].times)
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
