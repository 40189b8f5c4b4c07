"""Whether antithetic and stratified runs help, and how much variance they save.

A replication of m runs costs m plain ones. What it saves is how many times the runs plain
replications would take for the same interval: the variance of the mean of m independent runs,
over that of the mean of these m. Each of them has the law of a plain run, so both are known from
the same runs, and nothing has to be run for the comparison alone.

The first `PILOT` replications have all the runs that were asked for. On them it is decided, once,
for all figures and for all replications, by a rule that looks at nothing but their numbers. Where
a way is not used, its runs are left out everywhere: what is left is the study without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outsim.studies.control_variates import VARIES
from outsim.studies.run_array import Array, RunArray
from outsim.studies.runs import Runs, VarianceReduction, runs_of

PILOT = 20
"""Replications that it is decided on, or all of them where there are fewer."""

LEAST_PILOT = 5
"""From fewer replications nothing is told."""

SURE = 0.95
"""Confidence with which a way must save variance to be used."""

MOST_SAVED = 10_000.0
"""Where next to no variance is left, rounding decides how much: more than this is not told."""

_MOST_WEIGHT = 100.0
"""What one figure may save at most, or lose, in the decision for all."""


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
    """By scenario and figure: how many times the runs plain replications would take; less than 1
    where they would take fewer. NaN where it is not known. With several scenarios it is about
    their differences from the first one."""

    def saved_for(self, name: str) -> list[float]:
        """What was saved for a figure, in the order of the scenarios that have it known."""
        found = [saved for (_, figure), saved in self.saved.items() if figure == name]
        return [saved for saved in found if not np.isnan(saved)]

    def to_dict(self) -> dict[str, Any]:
        """For machines: a list by scenario, or by difference, for each figure."""
        names = dict.fromkeys(name for _, name in self.saved)
        return {
            "used": self.is_used,
            "runs": self.runs,
            "decided_on": self.decided_on,
            "saved": {
                name: [
                    None if np.isnan(saved) else saved
                    for (_, figure), saved in self.saved.items()
                    if figure == name
                ]
                for name in names
            },
        }


def variance_ratio(values: Array) -> float:
    """How many times the runs plain replications would take for the same interval.

    `values`, shape (replications, runs), is a measure of each run; the runs of one replication
    belong together. NaN where one is missing, nothing varies, or there are fewer than two
    replications.
    """
    if len(values) < 2 or np.isnan(values).any():
        return float("nan")
    if np.ptp(values) <= VARIES * np.abs(values).max():
        return float("nan")
    alone = float(values.var(axis=0, ddof=1).mean()) / values.shape[1]
    together = float(values.mean(axis=1).var(ddof=1))
    return min(MOST_SAVED, alone / together) if together > 0 else MOST_SAVED


def is_worthwhile(measures: Iterable[Array]) -> bool:
    """Whether the mean saving over all measures is above 1, with the confidence `SURE`.

    The mean is that of the logarithms; its error is told by the jackknife over replications.
    Measures whose saving is not known are left out.
    """
    known = [values for values in measures if not np.isnan(variance_ratio(values))]
    if not known or len(known[0]) < LEAST_PILOT:
        return False
    from scipy.special import stdtrit

    count = len(known[0])
    others = ~np.eye(count, dtype=bool)
    without = np.array([_mean_log_ratio([values[kept] for values in known]) for kept in others])
    pseudo = count * _mean_log_ratio(known) - (count - 1) * without
    error = float(pseudo.std(ddof=1)) / float(np.sqrt(count))
    return bool(pseudo.mean() > float(stdtrit(count - 1, SURE)) * error)


def _mean_log_ratio(measures: Sequence[Array]) -> float:
    """Mean logarithm of the saving; a measure that has come not to vary saves nothing."""
    ratios = np.nan_to_num(np.array([variance_ratio(values) for values in measures]), nan=1.0)
    return float(np.log(np.clip(ratios, 1 / _MOST_WEIGHT, _MOST_WEIGHT)).mean())


def decide(switches: VarianceReduction, pilot: RunArray | None) -> dict[str, bool]:
    """Of each way that was asked for, whether it is used.

    `pilot` are the first replications, with all runs; None where they are not there: then
    everything is used.
    """
    return {
        name: pilot is None or is_worthwhile(_values(pilot, runs_of(**{name: True})).values())
        for name in ("antithetic", "stratified")
        if getattr(switches, name)
    }


def reductions_of(
    used: Mapping[str, bool], pilot: RunArray | None, counted: RunArray
) -> tuple[Reduction, ...]:
    """What each way saves in the runs that count, or did in the pilot where it is not used."""
    found = []
    for name, is_used in used.items():
        own = runs_of(**{name: True})
        about = counted if is_used or pilot is None else pilot
        saved = {key: variance_ratio(values) for key, values in _values(about, own).items()}
        decided_on = 0 if pilot is None else len(pilot.replications)
        found.append(Reduction(name, len(own), is_used, decided_on, saved))
    return tuple(found)


def _values(array: RunArray, runs: Runs) -> dict[tuple[int, str], Array]:
    """By scenario and measure, the values that a study is about, shape (replications, runs).

    They are the differences from the first scenario where there are several.
    """
    values = array.only(runs).array
    about = values[1:] - values[0] if len(values) > 1 else values
    first = min(1, len(values) - 1)
    return {
        (k + first, name): np.ascontiguousarray(of_scenario[:, :, column])
        for k, of_scenario in enumerate(about)
        for column, name in enumerate(array.measures)
    }
