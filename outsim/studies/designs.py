"""Designs: at which values of some assumptions a scenario is run.

A design holds positions: 0 is the lower end of an assumption's range and 1 the upper
one. What value stands at a position is for `outsim.studies.factors` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError, unknown_name

Kind = Literal["grid", "lhs", "sobol", "morris"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Designs by name."""

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
    """Make a design; with the same seed it is the same again.

    Parameters
    ----------
    kind : str
        One of `KINDS`. ``grid``: all combinations. ``lhs``: a Latin hypercube. ``sobol``:
        Saltelli's extension of Sobol's sequence, size x (assumptions + 2) points. ``morris``:
        trajectories that change one assumption at a time, size x (assumptions + 1) points.
    names : sequence of str
        What is varied.
    levels : sequence of int or None
        Values of each in a grid; None, or nothing at all, stands for `USUAL_LEVELS`.
    size : int, optional
        See `Design.size`; not for a grid. Default: 64 for ``sobol``, 10 for ``morris``, ten
        points an assumption and at least 64 for ``lhs``.
    seed : int
        Seed of the draws of a random design.

    Raises
    ------
    StudyError
        If there is no such design, or none of that size.
    """
    if kind not in KINDS:
        raise StudyError(unknown_name("design", kind, KINDS))
    if not names:
        raise StudyError("nothing to vary: give one or more assumptions and their ranges")
    count = len(names)
    if kind == "grid":
        if size is not None:
            raise StudyError("points: a grid has as many as its levels make; write KEY=a:b:n")
        return _grid(tuple(names), [level or USUAL_LEVELS for level in levels or [None] * count])
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


def _grid(names: tuple[str, ...], levels: Sequence[int]) -> Design:
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
