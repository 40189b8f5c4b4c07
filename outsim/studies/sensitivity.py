"""Which assumption matters: indices of a design, each with its interval.

SALib computes the indices of Sobol's and Morris's designs and of Latin hypercubes; in a full
grid they are plain variances. What is analysed is the mean over replications at each point.
An interval has two parts, which add up as independent errors do: how the index would differ
in another design of the size (SALib's bootstrap), and in other replications (jackknife with
the replication as the unit; Student's t).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, NOT_NEGATIVE, SHARE, Estimate
from outsim.studies.designs import MORRIS_LEVELS, Design

Array = NDArray[np.float64]

MAIN = {"grid": "total", "lhs": "first_order", "sobol": "total", "morris": "mu_star"}
"""Index that assumptions are ranked by, by kind of design."""

LABELS = {
    "first_order": "share of the variance, alone",
    "total": "share of the variance, with others",
    "mu_star": "effect over its range, on average",
    "sigma": "how much that effect varies",
}
"""Indices in words."""

_SHARES = ("first_order", "total")

_RESAMPLES = 200


@dataclass(frozen=True)
class Sensitivity:
    """Indices of one figure of a sweep."""

    kind: str
    """Kind of the design."""
    names: tuple[str, ...]
    """What was varied."""
    indices: Mapping[str, tuple[Estimate, ...]]
    """By index, one estimate for each of `names`; empty if there is nothing to analyse.

    ``first_order``: share of the figure's variance over the design that an assumption explains by
    itself; ``total``: share that goes if it becomes known, with all that it does together with
    others (Sobol 2001; Saltelli 2002). ``mu_star``: mean size of the change in the figure when it
    goes through its whole range, and ``sigma``: standard deviation of that change, which is large
    where it depends on the others (Morris 1991; Campolongo et al. 2007), in the figure's unit.
    """
    replications: int
    """Replications that have the figure at every point."""
    n_missing: int = 0
    """Replications left out, because some run was too short to have it."""
    nothing: str = ""
    """Why there are no indices."""

    @property
    def main(self) -> str:
        """Index that assumptions are ranked by."""
        return MAIN[self.kind]

    def label(self, index: str) -> str:
        """What people call an index."""
        return LABELS[index]

    @property
    def ranked(self) -> tuple[str, ...]:
        """What was varied, the one that matters most first."""
        if not self.indices:
            return ()
        found = self.indices[self.main]
        return tuple(name for _, name in sorted(zip(found, self.names, strict=True), key=_by_size))

    def of(self, index: str, name: str) -> Estimate:
        """One index of one assumption.

        Raises
        ------
        StudyError
            If there is no such index, or the assumption was not varied.
        """
        if index not in self.indices:
            raise StudyError(unknown_name("index", index, self.indices))
        if name not in self.names:
            raise StudyError(unknown_name("varied key", name, self.names))
        return self.indices[index][self.names.index(name)]

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the first in rank lies above the next one's."""
        first, *others = self.ranked[:2]
        return not others or self.of(self.main, first).low > self.of(self.main, others[0]).high


def _by_size(pair: tuple[Estimate, str]) -> float:
    return -pair[0].mean


def analyse(
    design: Design, figures: Array, seed: int = 1, *, matters_from: float = 0.0
) -> Sensitivity:
    """Indices of a figure over a design.

    Parameters
    ----------
    design : Design
        Where it was measured.
    figures : float64 array of shape (points, replications)
        What was measured; NaN where a run was too short to have it.
    seed : int
        Seed of the bootstrap.
    matters_from : float
        Smallest difference of the figure that matters: where no two points differ by so much,
        there is nothing to share out.
    """
    whole = figures[:, ~np.isnan(figures).any(axis=0)]
    missing = figures.shape[1] - whole.shape[1]

    def nothing(why: str) -> Sensitivity:
        return Sensitivity(design.kind, design.names, {}, whole.shape[1], missing, why)

    if whole.shape[1] == 0:
        return nothing("no replication has it at every point")
    if np.ptp(whole.mean(axis=1)) == 0:
        return nothing("it is the same at every point")
    if np.ptp(whole.mean(axis=1)) < matters_from:
        return nothing("no two points differ by so much that it matters")
    if len(design.names) == 1 and MAIN[design.kind] in _SHARES:
        return nothing("nothing else is varied")
    compute = _INDICES[design.kind]
    values, errors = compute(design, whole.mean(axis=1), _RESAMPLES, seed)
    others = _of_replications(design, whole, values)
    indices = {
        name: tuple(
            _index(name, float(mean), float(np.hypot(a, b)), (whole.shape[1], missing))
            for mean, a, b in zip(values[name], errors[name], others[name], strict=True)
        )
        for name in values
    }
    return Sensitivity(design.kind, design.names, indices, whole.shape[1], missing)


def _index(name: str, mean: float, half_width: float, counts: tuple[int, int]) -> Estimate:
    """An index within what it can be: a share, or a size. SALib's are not always.

    It has no interval where that would be wider than all shares are.
    """
    support = SHARE if name in _SHARES else NOT_NEGATIVE
    low, high = (
        min(max(end, support.least), support.most)
        for end in (mean - half_width, mean + half_width)
    )
    mean = min(max(mean, support.least), support.most)
    if not 2 * half_width <= support.most - support.least:
        return Estimate(mean, math.nan, *counts)
    return Estimate.between(mean, low, high, *counts)


def _of_replications(
    design: Design, figures: Array, values: Mapping[str, Array]
) -> dict[str, Array]:
    """Half-widths that come from the replications, by the jackknife.

    NaN from fewer than two.
    """
    count = figures.shape[1]
    if count < 2:
        return {name: np.full(len(design.names), np.nan) for name in values}
    # No bootstrap within it: its fewest resamples are two.
    without = [
        _INDICES[design.kind](design, np.delete(figures, k, axis=1).mean(axis=1), 2, 1)[0]
        if np.ptp(np.delete(figures, k, axis=1).mean(axis=1)) > 0
        else {name: np.zeros(len(design.names)) for name in values}
        for k in range(count)
    ]
    return {name: _jackknife(np.array([each[name] for each in without])) for name in values}


def _jackknife(values: Array) -> Array:
    """Half-widths by Student's t from statistics that each leave one out; shape (units, ...)."""
    from scipy.special import stdtrit

    count = len(values)
    variance = (count - 1) * values.var(axis=0)
    return np.asarray(stdtrit(count - 1, 0.5 + LEVEL / 2) * np.sqrt(variance))


_Found = tuple[dict[str, Array], dict[str, Array]]
"""Indices, and half-widths that come from the design, by name."""


def _sobol(design: Design, means: Array, resamples: int, seed: int) -> _Found:
    from SALib.analyze import sobol

    found: Any = sobol.analyze(
        design.problem,
        means,
        calc_second_order=False,
        num_resamples=resamples,
        conf_level=LEVEL,
        seed=seed,
    )
    return (
        {"first_order": _plain(found["S1"]), "total": _plain(found["ST"])},
        {"first_order": _plain(found["S1_conf"]), "total": _plain(found["ST_conf"])},
    )


def _morris(design: Design, means: Array, resamples: int, seed: int) -> _Found:
    from SALib.analyze import morris

    def found(positions: Array, means: Array, resamples: int) -> Any:
        return morris.analyze(
            design.problem,
            positions,
            means,
            num_resamples=resamples,
            conf_level=LEVEL,
            num_levels=MORRIS_LEVELS,
            seed=seed,
        )

    # SALib has no interval for sigma: that of trajectories left out one by one.
    step = len(design.names) + 1
    without = [
        _plain(
            found(
                np.delete(design.positions, slice(k, k + step), axis=0),
                np.delete(means, slice(k, k + step)),
                2,
            )["sigma"]
        )
        for k in range(0, len(means), step)
    ]
    whole = found(design.positions, means, resamples)
    return (
        {"mu_star": _plain(whole["mu_star"]), "sigma": _plain(whole["sigma"])},
        {"mu_star": _plain(whole["mu_star_conf"]), "sigma": _jackknife(np.array(without))},
    )


def _lhs(design: Design, means: Array, resamples: int, seed: int) -> _Found:
    from SALib.analyze import rbd_fast

    found: Any = rbd_fast.analyze(
        design.problem,
        design.positions,
        means,
        num_resamples=resamples,
        conf_level=LEVEL,
        seed=seed,
    )
    return {"first_order": _plain(found["S1"])}, {"first_order": _plain(found["S1_conf"])}


def _grid(design: Design, means: Array, _resamples: int, _seed: int) -> _Found:
    """Shares of the variance over the grid; there is no other grid that it is a sample of."""
    cube = means.reshape(design.levels)
    axes = range(cube.ndim)
    alone = [cube.mean(axis=tuple(k for k in axes if k != axis)).var() for axis in axes]
    rest = [cube.var(axis=axis).mean() for axis in axes]
    zeros = np.zeros(cube.ndim)
    return (
        {"first_order": np.array(alone) / cube.var(), "total": np.array(rest) / cube.var()},
        {"first_order": zeros, "total": zeros},
    )


def _plain(values: Any) -> Array:
    return np.asarray(np.ma.getdata(values), dtype=np.float64)


_INDICES: dict[str, Callable[[Design, Array, int, int], _Found]] = {
    "grid": _grid,
    "lhs": _lhs,
    "sobol": _sobol,
    "morris": _morris,
}
