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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.studies.control_variates import VARIES
from outsim.studies.members import Members, Switches, members
from outsim.studies.replications import Figures

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

Values = NDArray[np.float64]
Runs = Sequence[Figures]
"""Runs of one replication: every member of every scenario."""


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

    def to_json(self) -> dict[str, Any]:
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


def saved(values: Values) -> float:
    """How many times the runs plain replications would take for the same interval.

    Parameters
    ----------
    values : array of shape (replications, runs)
        A figure of each run; the runs of one replication belong together.

    Returns
    -------
    float
        NaN where a figure is missing, does not vary, or has fewer than two replications.
    """
    if len(values) < 2 or np.isnan(values).any():
        return float("nan")
    if np.ptp(values) <= VARIES * np.abs(values).max():
        return float("nan")
    alone = float(values.var(axis=0, ddof=1).mean()) / values.shape[1]
    together = float(values.mean(axis=1).var(ddof=1))
    return min(MOST_SAVED, alone / together) if together > 0 else MOST_SAVED


def helps(figures: Sequence[Values]) -> bool:
    """Whether the mean saving over all figures is above 1, with the confidence `SURE`.

    The mean is that of the logarithms; its error is told by the jackknife over replications.

    Parameters
    ----------
    figures : sequence of arrays of shape (replications, runs)
        One for each figure; those whose saving is not known are left out.
    """
    known = [values for values in figures if not np.isnan(saved(values))]
    if not known or len(known[0]) < LEAST_PILOT:
        return False
    from scipy.special import stdtrit

    count = len(known[0])
    others = ~np.eye(count, dtype=bool)
    without = np.array([_mean_log_saved([values[kept] for values in known]) for kept in others])
    pseudo = count * _mean_log_saved(known) - (count - 1) * without
    error = float(pseudo.std(ddof=1)) / float(np.sqrt(count))
    return bool(pseudo.mean() > float(stdtrit(count - 1, SURE)) * error)


def _mean_log_saved(figures: Sequence[Values]) -> float:
    """Mean logarithm of the saving; a figure that has come not to vary saves nothing."""
    each = np.nan_to_num(np.array([saved(values) for values in figures]), nan=1.0)
    return float(np.log(np.clip(each, 1 / _MOST_WEIGHT, _MOST_WEIGHT)).mean())


def decide(
    switches: Switches, pilot: Sequence[Runs] | None, replications: Sequence[Runs]
) -> tuple[Members, tuple[Reduction, ...]]:
    """Which runs of each replication count, and what that saves.

    Parameters
    ----------
    pilot : sequence of runs, or None
        The first replications, with all runs; None where they are not there: then everything is
        used.
    replications : sequence of runs
        Those that the saving is measured on, where they have the runs.
    """
    used, reductions = {}, []
    for name in ("antithetic", "stratified"):
        if not getattr(switches, name):
            continue
        own = members(**{name: True})
        is_used = pilot is None or helps([values for _, values in _values(pilot, own)])
        measured = replications if is_used else pilot
        assert measured is not None
        used[name] = is_used
        reductions.append(
            Reduction(
                name=name,
                runs=len(own),
                is_used=is_used,
                decided_on=0 if pilot is None else len(pilot),
                saved={about: saved(values) for about, values in _values(measured, own)},
            )
        )
    return members(**used), tuple(reductions)


def _values(replications: Sequence[Runs], of: Members) -> Iterator[tuple[tuple[int, str], Values]]:
    """Every figure that a study is about, of these runs: scenario and name, and values.

    They are the differences from the first scenario where there are several.
    """
    by_run = [{(each.place, each.member): each.measures for each in runs} for runs in replications]
    if not by_run:
        return
    names = list(next(iter(by_run[0].values())))
    # By replication, scenario, run and figure.
    scenarios = 1 + max(place for place, _ in by_run[0])
    values = np.array(
        [
            [[[*runs[place, member].values()] for member in of] for place in range(scenarios)]
            for runs in by_run
        ],
        dtype=np.float64,
    )
    for place in range(min(1, scenarios - 1), scenarios):
        about = values[:, place] - values[:, 0] if place else values[:, place]
        for k, name in enumerate(names):
            yield (place, name), about[:, :, k]


def unit(runs: Runs, of: Members) -> tuple[Figures, ...]:
    """Figures of one replication: for each scenario, the means over its runs that count.

    A figure that one of them is too short to give is missing.
    """
    return tuple(
        _mean([each for each in runs if each.place == place and each.member in of])
        for place in sorted({each.place for each in runs})
    )


def _mean(figures: Sequence[Figures]) -> Figures:
    first = figures[0]
    if len(figures) == 1:
        return first

    def mean_of(dicts: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {name: float(np.mean([each[name] for each in dicts])) for name in dicts[0]}

    return replace(
        first,
        measures=mean_of([each.measures for each in figures]),
        controls=mean_of([each.controls for each in figures]),
        attempts=round(float(np.mean([each.attempts for each in figures]))),
        background_share=float(np.mean([each.background_share for each in figures])),
    )
