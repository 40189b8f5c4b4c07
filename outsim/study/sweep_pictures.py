"""Pictures of a sweep: which assumption matters, and where a recommendation flips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outsim.errors import StudyError
from outsim.study.flips import Flip
from outsim.study.sensitivity import LABELS, MAIN
from outsim.tables.measures import MEASURES, Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.study.sweep_findings import Sweep

_SCALES = {"share": (100.0, "points"), "seconds": (1 / 60, "min"), "clock": (1 / 60, "min")}
"""What a figure is multiplied by, and the unit that it then has."""

MOST_BARS = 15
"""Assumptions that a picture shows, the ones that matter most; its title counts the others."""


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _label(sweep: Sweep, name: str) -> str:
    measure = next(each for each in MEASURES if each.name == name)
    return measure.label_at(*(scenario.deadline for scenario in sweep.scenarios))


def _scale(measure: Measure) -> tuple[float, str]:
    return _SCALES.get(measure.kind, (1.0, ""))


def plot_sensitivity(sweep: Sweep, figure: str, ax: Axes | None = None) -> Axes:
    """Bars of the indices of one figure, the assumption that matters most on top.

    Parameters
    ----------
    sweep : Sweep
        With a design.
    figure : str
        Name of a measure.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    StudyError
        If there are no indices of this figure; the message says why.
    """
    found = sweep.sensitivities.get(figure)
    if found is None or not found.indices:
        why = found.nothing if found else "allowed: " + ", ".join(sweep.sensitivities)
        raise StudyError(f"figure {figure!r}: nothing to draw: {why}")
    measure = next(each for each in MEASURES if each.name == figure)
    size, unit = _scale(measure) if found.kind == "morris" else (100.0, "%")
    ax = _axes(ax)
    shown = found.ranked[:MOST_BARS]
    height = 0.8 / len(found.indices)
    for row, index in enumerate(found.indices):
        estimates = [found.of(index, name) for name in shown]
        ax.barh(
            np.arange(len(shown)) + row * height,
            [each.mean * size for each in estimates],
            height,
            xerr=[np.nan_to_num(each.half_width) * size for each in estimates],
            label=LABELS[index],
            capsize=2,
        )
    ax.set_yticks(np.arange(len(shown)) + 0.4 - height / 2, shown)
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.8)
    of = _label(sweep, figure)
    more = len(found.names) - len(shown)
    left = f" ({more} that matter less are not shown)" if more else ""
    what = "difference in " if sweep.is_paired else ""
    ax.set_title(f"What matters for {what}{of}{left}", wrap=True)
    ax.set_xlabel(f"{LABELS[MAIN[found.kind]].partition(',')[0]} [{unit}]".replace(" []", ""))
    ax.legend(loc="lower right")
    return ax


def plot_flip(sweep: Sweep, key: str | None = None, ax: Axes | None = None) -> Axes:
    """The paired difference over one assumption, with the place where its sign changes.

    Parameters
    ----------
    sweep : Sweep
        Of two scenarios.
    key : str, optional
        The assumption; default: the first one in `Sweep.flips`.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    StudyError
        If no flip was looked for over this assumption.
    """
    flip = _flip(sweep, key)
    factor = flip.factor
    size, unit = _scale(sweep.measure)
    rungs = list(flip.rungs)
    for crossing in flip.crossings:
        rungs += [crossing.low, crossing.high]
    rungs.sort(key=lambda rung: rung.position)
    ax = _axes(ax)
    ax.errorbar(
        [factor.value(rung.position) for rung in rungs],
        [rung.difference.mean * size for rung in rungs],
        [np.nan_to_num(rung.difference.half_width) * size for rung in rungs],
        marker="o",
        capsize=3,
    )
    ax.axhline(0, color="black", linewidth=0.8)
    for crossing in flip.crossings:
        low, high = (factor.value(rung.position) for rung in (crossing.low, crossing.high))
        ax.axvspan(low, high, alpha=0.3, color="tab:red")
        confirmed = "" if crossing.is_confirmed else ", not confirmed"
        ax.annotate(
            f"flips at {factor.shown(crossing.position)}{confirmed}",
            (factor.value(crossing.position), 0),
            xytext=(6, 12),
            textcoords="offset points",
        )
    if factor.is_log:
        ax.set_xscale("log")
    second, first = sweep.scenarios[1].name, sweep.scenarios[0].name
    ax.set_xlabel(f"{factor.name} [{factor.range.unit.strip()}]".replace(" []", ""))
    ax.set_ylabel(f"{_label(sweep, sweep.measure.name)}, difference [{unit}]".replace(" []", ""))
    ax.set_title(f"{second} less {first}: {flip.verdict}")
    return ax


def _flip(sweep: Sweep, key: str | None) -> Flip:
    if not sweep.flips:
        raise StudyError("no flips were looked for: hold the scenario against another one")
    if key is None:
        return sweep.flips[0]
    for flip in sweep.flips:
        if flip.name == key:
            return flip
    names = ", ".join(flip.name for flip in sweep.flips)
    raise StudyError(f"{key!r}: was not varied; allowed: {names}")
