"""Pictures of what-ifs: what each number of a scenario does, and what a promise needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.plots.style import (
    BLUE,
    COLOURS,
    DIFFERENCE_UNITS,
    GREEN,
    GREY,
    HATCHES,
    HATCHING,
    INK,
    ORANGE,
    VERMILION,
    draw_empty,
    draws,
    given_axes,
    legend,
    new_axes,
    plain,
    scale_axis,
    title,
)
from outsim.results.measures import Measure, measure_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from outsim.questions.capacity_answers import Capacity
    from outsim.questions.capacity_frontier import Frontier
    from outsim.questions.effects import Effects
    from outsim.questions.sweep_answers import Sweep
    from outsim.scenario.factors import Range
    from outsim.studies.crossover import Crossover

MOST_BARS = 15
"""Assumptions that a picture shows, the ones that matter most; its title counts the others."""


@draws
def sweep(answer: Sweep, ax: Axes | None = None) -> Axes:
    """Draw what a sweep was made for: its indices, or else the largest crossover."""
    return crossover(answer, ax=ax) if answer.design is None else sensitivity(answer, ax=ax)


@draws
def sensitivity(answer: Sweep, measure: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the indices of a measure as bars, the assumption that matters most on top.

    Raises
    ------
    StudyError
        If there are no indices of this measure; the message says why.
    """
    name = measure or answer.measure.name
    indices = answer.sensitivities.get(name)
    if indices is None:
        raise StudyError(unknown_name("measure", name, answer.sensitivities))
    if not indices.indices:
        raise StudyError(f"measure {name!r}: nothing to draw: {indices.nothing}")
    about = measure_named(name)
    size, unit = _scale(about) if indices.kind == "morris" else (100.0, "%")
    shown = indices.ranked[:MOST_BARS]
    ax = new_axes(ax, len(shown))
    height = 0.8 / len(indices.indices)
    for row, index in enumerate(indices.indices):
        estimates = [indices.of(index, factor) for factor in shown]
        ax.barh(
            np.arange(len(shown)) + row * height,
            [estimate.mean * size for estimate in estimates],
            height,
            xerr=np.array([estimate.sides for estimate in estimates]).T * size,
            label=indices.label(index),
            color=COLOURS[row],
            hatch=HATCHES[row],
            edgecolor=HATCHING,
            capsize=2,
        )
    ax.set_yticks(np.arange(len(shown)) + 0.4 - height / 2, [plain(factor) for factor in shown])
    what = "difference in " if answer.is_paired else ""
    title(ax, f"What matters for {what}{_label(answer, about)}" + _not_shown(indices.names))
    _finish_bars(ax, f"{indices.label(indices.main).partition(',')[0]} ({unit})")
    return ax


@draws
def crossover(answer: Sweep, key: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the paired difference over one assumption, with the place where its sign changes.

    `key` is the assumption; default: the first one in `Sweep.flips`.

    Raises
    ------
    StudyError
        If no crossover was looked for over this assumption.
    """
    crossing_of = _crossover(answer, key)
    factor = crossing_of.factor
    size, unit = _scale(answer.measure)
    probes = list(crossing_of.probes)
    for crossing in crossing_of.crossings:
        probes += [crossing.low, crossing.high]
    probes.sort(key=lambda probe: probe.position)
    ax = new_axes(ax)
    ax.errorbar(
        [factor.value(probe.position) for probe in probes],
        [probe.difference.mean * size for probe in probes],
        np.array([probe.difference.sides for probe in probes]).T * size,
        marker="o",
        color=BLUE,
        capsize=3,
    )
    ax.axhline(0, color=INK, linewidth=0.9)
    for crossing in crossing_of.crossings:
        low, high = (factor.value(probe.position) for probe in (crossing.low, crossing.high))
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
    if factor.range.is_clock or factor.range.listed:
        at = [factor.value(probe.position) for probe in crossing_of.probes]
        ax.set_xticks(at, [factor.range.text(value) for value in at])
    second, first = answer.scenarios[1].name, answer.scenarios[0].name
    unit_of_key = "local time" if factor.range.is_clock else factor.range.unit.strip()
    ax.set_xlabel(f"{factor.name} ({unit_of_key})".replace(" ()", ""))
    ax.set_ylabel(f"{_label(answer, answer.measure)}, difference ({unit})".replace(" ()", ""))
    title(ax, f"{second} less {first}: {crossing_of.verdict}")
    return ax


def _crossover(answer: Sweep, key: str | None) -> Crossover:
    if not answer.flips:
        raise StudyError("no crossovers were looked for: compare the scenario with another one")
    if key is None:
        return answer.flips[0]
    for flip in answer.flips:
        if flip.name == key:
            return flip
    raise StudyError(unknown_name("varied key", key, (flip.name for flip in answer.flips)))


def _label(answer: Sweep, measure: Measure) -> str:
    return measure.label_at(*(scenario.deadline for scenario in answer.scenarios))


def _scale(measure: Measure) -> tuple[float, str]:
    return DIFFERENCE_UNITS.get(measure.kind, (1.0, ""))


def _not_shown(names: Sequence[object]) -> str:
    more = len(names) - MOST_BARS
    return f" ({more} that matter less are not shown)" if more > 0 else ""


def _finish_bars(ax: Axes, label: str) -> None:
    """Lay out bars to the side, the first one on top."""
    ax.margins(y=0.01)
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_xlabel(label.replace(" ()", ""))
    ax.grid(visible=False, axis="y")
    legend(ax, loc="lower right")


@draws
def effects(answer: Effects, measure: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw a tornado: how far each number moves a measure, the one that matters most on top.

    Bars go from the scenario as it stands to both ends of each range, each with its paired
    interval; the title counts the numbers that are not shown.

    Raises
    ------
    StudyError
        If there is no such measure.
    """
    about = answer.measure_of(measure)
    moving = [effect for effect in answer.of(measure) if effect.size > 0]
    shown = moving[:MOST_BARS]
    ax = new_axes(ax, max(2, len(shown)))
    more = len(answer.factors) - len(shown)
    rest = f" ({more} that move it less are not shown)" if more else ""
    title(ax, f"What moves {about.label_at(answer.ledger.scenario.deadline)}{rest}")
    if not shown:
        return draw_empty(ax, "no number moves it within its range")
    size, unit = _scale(about)
    rows = np.arange(len(shown))
    for end, colour, hatch, shift in (("low", BLUE, "", -0.2), ("high", ORANGE, "////", 0.2)):
        estimates = [getattr(effect, end) for effect in shown]
        ax.barh(
            rows + shift,
            [estimate.mean * size for estimate in estimates],
            0.4,
            xerr=np.nan_to_num([estimate.sides for estimate in estimates]).T * size,
            label=f"at the {end} end",
            color=colour,
            hatch=hatch,
            edgecolor=HATCHING,
            capsize=2,
        )
    names = [plain(f"{effect.factor.name}\n{effect.factor.ends}") for effect in shown]
    ax.set_yticks(rows, names)
    _finish_bars(ax, f"change from the scenario as it stands ({unit})")
    return ax


_VERDICTS = {"kept": (GREEN, "o"), "broken": (VERMILION, "X"), "undecided": (GREY, "D")}
"""Colour and mark of each."""


@draws
def capacity(answer: Capacity, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw each promise of a capacity against the values that were tested, one below the other."""
    count = len(answer.promises)
    panels = given_axes(axes, count, columns=1, height=4)
    return [promise(answer, k, ax) for k, ax in enumerate(panels)]


@draws
def promise(answer: Capacity, which: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the measure of a promise against the values that were tested, with its bounds.

    `which` of the promises is meant counts from 0.
    """
    ax = new_axes(ax)
    about = answer.promises[which]
    kind, limit = about.measure.kind, about.limit
    label = about.measure.label_at(answer.scenario.deadline)
    if about.probability is not None:
        kind, limit, label = "share", about.probability, "runs that keep it"
    places = sorted(answer.found.verdicts)
    tested = [*zip(places, answer.tested(), strict=True)]
    shown = [test.shown[which] for _, test in tested if math.isfinite(test.shown[which])]
    scale = scale_axis(
        ax.yaxis, kind, label, answer.scenario.clock.begins, max([*shown, limit], default=limit)
    )
    for place, test in tested:
        low, middle, high = scale.at(
            np.array([test.bounds[which][0], test.shown[which], test.bounds[which][1]])
        )
        if not math.isfinite(middle):
            continue
        below, above = max(0.0, middle - low), max(0.0, high - middle)
        ends = [[below if math.isfinite(low) else 0.0], [above if math.isfinite(high) else 0.0]]
        colour, mark = _VERDICTS[test.promises[which]]
        ax.errorbar(answer.values[place], middle, ends, fmt=mark, capsize=3, color=colour)
    screened = [
        (answer.values[place], scale.at(about.outcomes(screening.values[:, which]).mean()))
        for place, screening in sorted(answer.found.screenings.items())
    ]
    seen = [point for point in screened if math.isfinite(point[1])]
    if seen:
        ax.plot(
            *zip(*seen, strict=True),
            "o",
            color=INK,
            fillstyle="none",
            markersize=4,
            label="few runs, to find the place",
        )
    for verdict, (colour, mark) in _VERDICTS.items():
        if any(test.promises[which] == verdict for _, test in tested):
            ax.plot([], [], mark, color=colour, label=verdict)
    ax.axhline(
        float(scale.at(np.array(limit))),
        color=INK,
        linewidth=0.9,
        linestyle="--",
        label=plain(about.text),
    )
    if answer.value is not None:
        ax.axvline(
            answer.number, color=GREEN, linewidth=0.9, label=f"{answer.words.best}: {answer.value}"
        )
    for last, first in answer.found.breaks:
        label = f"kept up to {answer.text(last)}, broken from {answer.text(first)}"
        low, high = answer.values[last], answer.values[first]
        ax.axvspan(low, high, color=VERMILION, alpha=0.12, linewidth=0, label=label)
    _key_axis(ax.xaxis, answer.vary)
    legend(ax)
    return ax


@draws
def frontier(answer: Frontier, ax: Axes | None = None) -> Axes:
    """Draw the smallest value of one key that keeps a promise against another key."""
    ax = new_axes(ax)
    first = answer.capacities[0]
    ax.plot(
        answer.others,
        [answered.number for answered in answer.capacities],
        "o-",
        color=GREEN,
        label=plain(f"{first.words.best} that keeps " + "; ".join(p.text for p in first.promises)),
    )
    for outcome, mark, colour in (("nothing", "X", VERMILION), ("undecided", "$?$", GREY)):
        places = [
            other
            for other, answered in zip(answer.others, answer.capacities, strict=True)
            if answered.outcome == outcome
        ]
        if places:
            label = "none in range" if outcome == "nothing" else outcome
            top = [first.vary.high] * len(places)
            ax.plot(places, top, mark, color=colour, linestyle="", label=label)
    _key_axis(ax.xaxis, answer.other)
    _key_axis(ax.yaxis, first.vary)
    legend(ax)
    return ax


_CLOCK_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240)
"""Minutes between two marks of a clock."""


def _key_axis(axis: Axis, varied: Range) -> None:
    """Label an axis for values of a key: with their unit, or marked by clock times."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    unit = varied.unit.strip()
    if not varied.is_clock:
        axis.set_label_text(f"{varied.key} ({unit})" if unit else varied.key)
        return
    axis.set_label_text(f"{varied.key} (local time)")
    shortest = max(1.0, (varied.high - varied.low) / 6)
    step = next((minutes for minutes in _CLOCK_STEPS if minutes >= shortest), _CLOCK_STEPS[-1])
    axis.set_major_locator(MultipleLocator(step))
    axis.set_major_formatter(FuncFormatter(lambda value, _: varied.text(round(value) % 1440)))
