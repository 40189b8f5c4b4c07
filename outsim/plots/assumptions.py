"""Pictures of a sweep: which assumption matters, and where a recommendation flips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.plots.style import (
    BLUE,
    COLOURS,
    DIFFERENCE_UNITS,
    HATCHES,
    HATCHING,
    INK,
    VERMILION,
    legend,
    new_axes,
    plain,
    title,
)
from outsim.results.measures import Measure, measure_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.questions.sweep_answers import Sweep
    from outsim.studies.crossover import Flip

MOST_BARS = 15
"""Assumptions that a picture shows, the ones that matter most; its title counts the others."""


def _label(sweep: Sweep, name: str) -> str:
    measure = measure_named(name)
    return measure.label_at(*(scenario.deadline for scenario in sweep.scenarios))


def _scale(measure: Measure) -> tuple[float, str]:
    return DIFFERENCE_UNITS.get(measure.kind, (1.0, ""))


def sensitivity(sweep: Sweep, figure: str, ax: Axes | None = None) -> Axes:
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
    if found is None:
        raise StudyError(unknown_name("figure", figure, sweep.sensitivities))
    if not found.indices:
        raise StudyError(f"figure {figure!r}: nothing to draw: {found.nothing}")
    measure = measure_named(figure)
    size, unit = _scale(measure) if found.kind == "morris" else (100.0, "%")
    shown = found.ranked[:MOST_BARS]
    ax = new_axes(ax, len(shown))
    height = 0.8 / len(found.indices)
    for row, index in enumerate(found.indices):
        estimates = [found.of(index, name) for name in shown]
        ax.barh(
            np.arange(len(shown)) + row * height,
            [each.mean * size for each in estimates],
            height,
            xerr=np.array([each.sides for each in estimates]).T * size,
            label=found.label(index),
            color=COLOURS[row],
            hatch=HATCHES[row],
            edgecolor=HATCHING,
            capsize=2,
        )
    ax.set_yticks(np.arange(len(shown)) + 0.4 - height / 2, [plain(each) for each in shown])
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=0.9)
    of = _label(sweep, figure)
    more = len(found.names) - len(shown)
    left = f" ({more} that matter less are not shown)" if more else ""
    what = "difference in " if sweep.is_paired else ""
    title(ax, f"What matters for {what}{of}{left}")
    ax.set_xlabel(f"{found.label(found.main).partition(',')[0]} ({unit})".replace(" ()", ""))
    ax.grid(visible=False, axis="y")
    legend(ax, loc="lower right")
    return ax


def flip(sweep: Sweep, key: str | None = None, ax: Axes | None = None) -> Axes:
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
    found = _flip(sweep, key)
    factor = found.factor
    size, unit = _scale(sweep.measure)
    rungs = list(found.rungs)
    for crossing in found.crossings:
        rungs += [crossing.low, crossing.high]
    rungs.sort(key=lambda rung: rung.position)
    ax = new_axes(ax)
    ax.errorbar(
        [factor.value(rung.position) for rung in rungs],
        [rung.difference.mean * size for rung in rungs],
        np.array([rung.difference.sides for rung in rungs]).T * size,
        marker="o",
        color=BLUE,
        capsize=3,
    )
    ax.axhline(0, color=INK, linewidth=0.9)
    for crossing in found.crossings:
        low, high = (factor.value(rung.position) for rung in (crossing.low, crossing.high))
        ax.axvspan(low, high, alpha=0.3, color=VERMILION)
        confirmed = "" if crossing.is_confirmed else ", not confirmed"
        ax.annotate(
            f"flips at {factor.shown(crossing.position)}{confirmed}",
            (factor.value(crossing.position), 0),
            xytext=(6, 12),
            textcoords="offset points",
            fontsize="small",
        )
    if factor.is_log:
        ax.set_xscale("log")
    second, first = sweep.scenarios[1].name, sweep.scenarios[0].name
    ax.set_xlabel(f"{factor.name} ({factor.range.unit.strip()})".replace(" ()", ""))
    ax.set_ylabel(f"{_label(sweep, sweep.measure.name)}, difference ({unit})".replace(" ()", ""))
    title(ax, f"{second} less {first}: {found.verdict}")
    return ax


def _flip(sweep: Sweep, key: str | None) -> Flip:
    if not sweep.flips:
        raise StudyError("no flips were looked for: hold the scenario against another one")
    if key is None:
        return sweep.flips[0]
    for each in sweep.flips:
        if each.name == key:
            return each
    raise StudyError(unknown_name("varied key", key, (each.name for each in sweep.flips)))
