"""Which assumption matters: indices of a design, each with its interval.

SALib computes the indices of Sobol's and Morris's designs and of Latin hypercubes; in a full
grid they are plain variances. What is analysed is the mean over replications at each point.
An interval has two parts, which add up as independent errors do: how the index would differ
in another design of the size (SALib's bootstrap), and in other replications (jackknife with
the replication as the unit; Student's t).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, NOT_NEGATIVE, SHARE, Estimate

Kind = Literal["grid", "lhs", "sobol", "morris"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Designs by name: all combinations; a Latin hypercube; Saltelli's extension of Sobol's sequence,
size x (assumptions + 2) points; Morris's trajectories, size x (assumptions + 1) points."""

USUAL_LEVELS = 3
"""Values of each assumption in a grid, if nothing is said."""
MORRIS_LEVELS = 4
"""Positions that a Morris design uses: 0, 1/3, 2/3 and 1."""
LEAST_LHS = 64
"""Points below which a Latin hypercube says nothing about importance."""
MOST_POINTS = 20_000
"""Points that a design may have."""

_USUAL = {"sobol": 64, "morris": 10}


@dataclass(frozen=True, eq=False)
class Design:
    """Points of a sweep, as positions in the range of each assumption."""

    kind: Kind
    names: tuple[str, ...]
    """What is varied."""
    positions: NDArray[np.float64]
    """Shape (points, assumptions), each from 0 to 1."""
    size: int
    """What the design was asked for: points of a Latin hypercube, base points of a Sobol
    design, trajectories of a Morris design; of a grid, its points."""
    levels: tuple[int, ...] = ()
    """Values of each assumption in a grid."""

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.positions)

    @property
    def problem(self) -> dict[str, Any]:
        """The assumptions as SALib wants them described."""
        count = len(self.names)
        return {"num_vars": count, "names": list(self.names), "bounds": [[0.0, 1.0]] * count}


def usual_kind(count: int) -> Kind:
    """Design for so many assumptions, if nothing is said: a grid of one or two, else Morris's."""
    return "grid" if count <= 2 else "morris"


def make_design(
    kind: str,
    names: Sequence[str],
    *,
    levels: Sequence[int | None] = (),
    size: int | None = None,
    seed: int = 1,
) -> Design:
    """Make a design of `size` (see `Design.size`); with the same seed it is the same again."""
    if kind not in KINDS:
        raise StudyError(unknown_name("design", kind, KINDS))
    if not names:
        raise StudyError("nothing to vary: give one or more assumptions and their ranges")
    count = len(names)
    if kind == "grid":
        if size is not None:
            raise StudyError("points: a grid has as many as its levels make; write KEY=a:b:n")
        return _grid_design(
            tuple(names), [level or USUAL_LEVELS for level in levels or [None] * count]
        )
    size = max(LEAST_LHS, 10 * count) if size is None and kind == "lhs" else size or _USUAL[kind]
    _check_size(kind, size, count)
    problem = {"num_vars": count, "names": list(names), "bounds": [[0.0, 1.0]] * count}
    if kind == "lhs":
        from SALib.sample import latin

        positions = latin.sample(problem, size, seed=seed)
    elif kind == "sobol":
        from SALib.sample import sobol

        positions = sobol.sample(problem, size, calc_second_order=False, seed=seed)
    else:
        from SALib.sample import morris

        positions = morris.sample(problem, size, num_levels=MORRIS_LEVELS, seed=seed)
    return Design(kind, tuple(names), np.asarray(positions, dtype=np.float64), size)


def _grid_design(names: tuple[str, ...], levels: Sequence[int]) -> Design:
    points = int(np.prod(levels))
    if points > MOST_POINTS:
        raise StudyError(
            f"grid of {points:,} points, at most {MOST_POINTS:,}: vary less, in fewer steps, or "
            "take the design morris"
        )
    # The middle of each of so many equal parts: see Factor.text_at.
    axes = [(np.arange(level) + 0.5) / level for level in levels]
    mesh = np.meshgrid(*axes, indexing="ij")
    positions = np.stack([axis.ravel() for axis in mesh], axis=1)
    return Design("grid", names, positions, points, tuple(levels))


def _check_size(kind: str, size: int, count: int) -> None:
    least = {"lhs": LEAST_LHS, "sobol": 8, "morris": 4}[kind]
    if size < least:
        raise StudyError(f"points {size}: a design {kind} needs {least} or more")
    if kind == "sobol" and size & (size - 1):
        near = 1 << size.bit_length()
        raise StudyError(
            f"points {size}: a Sobol design takes a power of two, such as {near // 2} or {near}"
        )
    points = size * {"lhs": 1, "sobol": count + 2, "morris": count + 1}[kind]
    if points > MOST_POINTS:
        raise StudyError(
            f"design {kind} of {points:,} points, at most {MOST_POINTS:,}: ask for fewer points"
        )


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
    """Indices of one measure of a sweep."""

    kind: str
    """Kind of the design."""
    names: tuple[str, ...]
    """What was varied."""
    indices: Mapping[str, tuple[Estimate, ...]]
    """By index, one estimate for each of `names`; empty if there is nothing to analyse.

    ``first_order``: share of the measure's variance over the design that an assumption explains by
    itself; ``total``: share that goes if it becomes known, with all that it does together with
    others (Sobol 2001; Saltelli 2002). ``mu_star``: mean size of the change in the measure when it
    goes through its whole range, and ``sigma``: standard deviation of that change, which is large
    where it depends on the others (Morris 1991; Campolongo et al. 2007), in the measure's unit.
    """
    replications: int
    """Replications that have the measure at every point."""
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
        sizes = {name: -self.of(self.main, name).mean for name in self.names}
        return tuple(sorted(self.names, key=sizes.__getitem__))

    def of(self, index: str, name: str) -> Estimate:
        """One index of one assumption."""
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


def analyse(
    design: Design, samples: Array, seed: int = 1, *, matters_from: float = 0.0
) -> Sensitivity:
    """Indices over a design of a measure, by point and replication; NaN where a run has none."""
    whole = samples[:, ~np.isnan(samples).any(axis=0)]
    missing = samples.shape[1] - whole.shape[1]

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
    """An index within what it can be; SALib's are not always."""
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
    design: Design, samples: Array, values: Mapping[str, Array]
) -> dict[str, Array]:
    """Half-widths that come from the replications, by the jackknife; NaN from fewer than two."""
    count = samples.shape[1]
    if count < 2:
        return {name: np.full(len(design.names), np.nan) for name in values}
    without = []
    for k in range(count):
        means = np.delete(samples, k, axis=1).mean(axis=1)
        if np.ptp(means) > 0:  # without a bootstrap, whose fewest resamples are two
            without.append(_INDICES[design.kind](design, means, 2, 1)[0])
        else:
            without.append({name: np.zeros(len(design.names)) for name in values})
    return {name: _jackknife(np.array([index[name] for index in without])) for name in values}


def _jackknife(values: Array) -> Array:
    """Half-widths by Student's t from statistics that each leave one out; shape (units, ...)."""
    from scipy.special import stdtrit

    count = len(values)
    variance = (count - 1) * values.var(axis=0)
    return np.asarray(stdtrit(count - 1, 0.5 + LEVEL / 2) * np.sqrt(variance))


_Indices = tuple[dict[str, Array], dict[str, Array]]
"""Indices, and half-widths that come from the design, by name."""


def _of_salib(result: Any, **names: str) -> _Indices:
    """Indices as SALib calls them, by our names."""
    indices, errors = (
        {
            ours: np.asarray(np.ma.getdata(result[f"{theirs}{end}"]), dtype=np.float64)
            for ours, theirs in names.items()
        }
        for end in ("", "_conf")
    )
    return indices, errors


def _options(resamples: int, seed: int) -> dict[str, Any]:
    return {"num_resamples": resamples, "conf_level": LEVEL, "seed": seed}


def _sobol(design: Design, means: Array, resamples: int, seed: int) -> _Indices:
    from SALib.analyze import sobol

    options = _options(resamples, seed)
    result = sobol.analyze(design.problem, means, calc_second_order=False, **options)
    return _of_salib(result, first_order="S1", total="ST")


def _lhs(design: Design, means: Array, resamples: int, seed: int) -> _Indices:
    from SALib.analyze import rbd_fast

    options = _options(resamples, seed)
    result = rbd_fast.analyze(design.problem, design.positions, means, **options)
    return _of_salib(result, first_order="S1")


def _morris(design: Design, means: Array, resamples: int, seed: int) -> _Indices:
    from SALib.analyze import morris

    def analyze(positions: Array, means: Array, resamples: int) -> Any:
        options = _options(resamples, seed) | {"num_levels": MORRIS_LEVELS}
        return morris.analyze(design.problem, positions, means, **options)

    # SALib has no interval for sigma: that of trajectories left out one by one.
    step = len(design.names) + 1
    without = []
    for k in range(0, len(means), step):
        rows = slice(k, k + step)
        rest = np.delete(design.positions, rows, axis=0), np.delete(means, rows)
        without.append(np.asarray(np.ma.getdata(analyze(*rest, 2)["sigma"]), dtype=np.float64))
    whole = dict(analyze(design.positions, means, resamples))
    whole["sigma_conf"] = _jackknife(np.array(without))
    return _of_salib(whole, mu_star="mu_star", sigma="sigma")


def _grid(design: Design, means: Array, _resamples: int, _seed: int) -> _Indices:
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


_INDICES: dict[str, Callable[[Design, Array, int, int], _Indices]] = {
    "grid": _grid,
    "lhs": _lhs,
    "sobol": _sobol,
    "morris": _morris,
}
