"""How hour, weekday, failures so far and redial gap scale the share of dials answered.

The share is a product of factors. They are found by the method of marginal totals (Bailey,
Proceedings of the Casualty Actuarial Society 50, 1963), the maximum of a Poisson likelihood
with a logarithmic link: it can't push a share above 1 and back, and is consistent whatever
the distribution. The covariance is the sandwich one with the variance of yes and no (Zou,
American Journal of Epidemiology 159, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.calibration.counts import Floats
from outsim.text import brief

ENOUGH_DIALS = 50
"""Dials that a factor needs, at least."""
ENOUGH_EACH = 10
"""Answered ones among them, and unanswered ones, at least."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Dials by everything that may scale the share answered.

    Parameters
    ----------
    levels : int64 array of shape (cells, groups)
        Which level each cell has in each group; -1 where the log doesn't tell.
    dials, answered : float64 array of shape (cells,)
        How many dials, and how many were answered.
    """

    levels: Integers
    dials: Floats
    answered: Floats


@dataclass(frozen=True)
class Group:
    """Levels that have a factor each."""

    name: str
    """Such as ``hour``."""
    levels: tuple[str, ...]
    """What each is called."""
    from_first: bool = False
    """Whether factors are relative to the first level; else their mean over the dials is 1."""


@dataclass(frozen=True)
class Factors:
    """Fitted factors, as logarithms.

    Parameters
    ----------
    names : tuple of (group, level)
        What each logarithm belongs to; the first one, ``("base", "")``, is the share answered
        where all factors are 1.
    logs : float64 array of shape (names,)
        Natural logarithms.
    covariance : float64 array of shape (names, names)
        Of the logarithms; singular, since the factors of a group determine each other.
    dials : float64 array of shape (names,)
        Dials that each rests on.
    """

    __repr__ = brief

    names: tuple[tuple[str, str], ...]
    logs: Floats
    covariance: Floats
    dials: Floats


def has_enough(dials: Floats, answered: Floats) -> NDArray[np.bool_]:
    """Which levels have enough dials for a factor."""
    missed = dials - answered
    return (dials >= ENOUGH_DIALS) & (answered >= ENOUGH_EACH) & (missed >= ENOUGH_EACH)


def totals(cells: Cells, group: int, levels: int) -> tuple[Floats, Floats]:
    """Dials and answered ones by level of a group."""
    at = cells.levels[:, group]
    told = at >= 0
    return (
        sums(at[told], cells.dials[told], levels),
        sums(at[told], cells.answered[told], levels),
    )


def sums(places: Integers, weights: Floats, count: int) -> Floats:
    """Sum of the weights at each of `count` places."""
    return np.bincount(places, weights=weights, minlength=count).astype(np.float64)


def fit_factors(cells: Cells, groups: tuple[Group, ...]) -> Factors:
    """Fit the factors of all groups together.

    Levels with too few dials for a factor of their own have none in the result; their dials
    share a level that is then left out. A group with fewer than two levels left has none.
    """
    columns: list[tuple[int, str, Floats]] = []
    weights: dict[str, Floats] = {}
    for g, group in enumerate(groups):
        dials, answered = totals(cells, g, len(group.levels))
        fitted = np.flatnonzero(has_enough(dials, answered))
        if len(fitted) < 2 or (group.from_first and 0 not in fitted):
            continue
        at = cells.levels[:, g]
        columns += [(g, group.levels[i], (at == i).astype(np.float64)) for i in fitted]
        other = ~np.isin(at, fitted)
        if other.any():
            columns.append((g, "", other.astype(np.float64)))
        weights[group.name] = dials[fitted]
    design = np.column_stack([np.ones(len(cells.dials)), *(each for *_, each in columns)])
    logs, covariance = _marginal_totals(cells, design)
    names = [("base", ""), *((groups[g].name, level) for g, level, _ in columns)]
    transform, centred = _normalised(names, logs, weights, groups)
    kept = [i for i, (group, level) in enumerate(names) if level or group == "base"]
    covariance = transform @ covariance @ transform.T
    return Factors(
        names=tuple(names[i] for i in kept),
        logs=centred[kept],
        covariance=covariance[np.ix_(kept, kept)],
        dials=(design.T @ cells.dials)[kept],
    )


def _marginal_totals(cells: Cells, design: Floats) -> tuple[Floats, Floats]:
    """Logarithms whose shares have the recorded totals, and their sandwich covariance.

    The columns of a group add up to the first one, so the logarithms are fixed only up to a
    shift within each group; the pseudo-inverse takes the shortest.
    """
    logs = np.zeros(design.shape[1])
    logs[0] = np.log(cells.answered.sum() / cells.dials.sum())
    for _ in range(100):
        expected = cells.dials * np.exp(design @ logs)
        information = design.T @ (design * expected[:, None])
        step = np.linalg.pinv(information, hermitian=True) @ (
            design.T @ (cells.answered - expected)
        )
        logs = logs + np.clip(step, -1, 1)
        if np.max(np.abs(step)) < 1e-10:
            break
    expected = cells.dials * np.exp(design @ logs)
    shares = np.minimum(np.exp(design @ logs), 1.0)
    bread = np.linalg.pinv(design.T @ (design * expected[:, None]), hermitian=True)
    filling = design.T @ (design * (expected * (1 - shares))[:, None])
    return logs, bread @ filling @ bread


def _normalised(
    names: list[tuple[str, str]],
    logs: Floats,
    weights: dict[str, Floats],
    groups: tuple[Group, ...],
) -> tuple[Floats, Floats]:
    """Jacobian of the normalisation, and the normalised logarithms."""
    jacobian, centred = np.eye(len(names)), logs.copy()
    first = {group.name: group.from_first for group in groups}
    for name, dials in weights.items():
        mine = [i for i, (group, level) in enumerate(names) if group == name and level]
        share = np.zeros(len(names))
        if first[name]:
            share[mine[0]] = 1.0
            middle = logs[mine[0]]
        else:
            parts = dials * np.exp(logs[mine])
            middle = np.log(parts.sum() / dials.sum())
            share[mine] = parts / parts.sum()
        centred[0] += middle
        jacobian[0] += share
        centred[mine] -= middle
        jacobian[mine] -= share
    return jacobian, centred
