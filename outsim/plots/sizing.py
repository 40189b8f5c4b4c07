"""Pictures of plans: what was found at each value, and what one key needs for another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from outsim.plots.style import GREEN, GREY, INK, VERMILION, legend, new_axes, plain, scale_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from outsim.questions.capacity_answers import Capacity, Frontier
    from outsim.scenario.varying import Range

_VERDICTS = {"kept": (GREEN, "o"), "broken": (VERMILION, "X"), "undecided": (GREY, "D")}
"""Colour and mark of each."""


def _key_axis(axis: Axis, varied: Range) -> None:
    """Label an axis for values of a key: with their unit, or marked by clock times."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    unit = varied.unit.strip()
    if not varied.is_clock:
        axis.set_label_text(f"{varied.key} ({unit})" if unit else varied.key)
        return
    axis.set_label_text(f"{varied.key} (local time)")
    shortest = max(1.0, (varied.high - varied.low) / 6)
    step = next((each for each in _CLOCK_STEPS if each >= shortest), _CLOCK_STEPS[-1])
    axis.set_major_locator(MultipleLocator(step))
    axis.set_major_formatter(FuncFormatter(lambda value, _: varied.text(round(value) % 1440)))


_CLOCK_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240)
"""Minutes between two marks of a clock."""


def capacity(found: Capacity, promise: int = 0, ax: Axes | None = None) -> Axes:
    """Draw a promise's figure against the values that were tested; see `Capacity.plot`."""
    ax = new_axes(ax)
    about = found.promises[promise]
    kind, limit = about.measure.kind, about.limit
    label = about.measure.label_at(found.scenario.deadline)
    if about.probability is not None:
        kind, limit, label = "share", about.probability, "runs that keep it"
    places = sorted(found.found.verdicts)
    tested = [*zip(places, found.tested(), strict=True)]
    shown = [each.shown[promise] for _, each in tested if math.isfinite(each.shown[promise])]
    scale = scale_axis(
        ax.yaxis, kind, label, found.scenario.clock.begins, max([*shown, limit], default=limit)
    )
    for place, each in tested:
        low, middle, high = scale.at(
            np.array([each.bounds[promise][0], each.shown[promise], each.bounds[promise][1]])
        )
        if not math.isfinite(middle):
            continue
        below, above = max(0.0, middle - low), max(0.0, high - middle)
        ends = [[below if math.isfinite(low) else 0.0], [above if math.isfinite(high) else 0.0]]
        colour, mark = _VERDICTS[each.promises[promise]]
        ax.errorbar(found.values[place], middle, ends, fmt=mark, capsize=3, color=colour)
    glanced = [
        (found.values[place], scale.at(about.outcomes(figures[:, promise]).mean()))
        for place, figures in sorted(found.found.glanced.items())
    ]
    seen = [point for point in glanced if math.isfinite(point[1])]
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
        if any(each.promises[promise] == verdict for _, each in tested):
            ax.plot([], [], mark, color=colour, label=verdict)
    ax.axhline(
        float(scale.at(np.array(limit))),
        color=INK,
        linewidth=0.9,
        linestyle="--",
        label=plain(about.text),
    )
    if found.value is not None:
        ax.axvline(found.number, color=GREEN, linewidth=0.9, label=f"smallest: {found.value}")
    for last, first in found.found.breaks:
        label = f"kept up to {found.text(last)}, broken from {found.text(first)}"
        low, high = found.values[last], found.values[first]
        ax.axvspan(low, high, color=VERMILION, alpha=0.12, linewidth=0, label=label)
    _key_axis(ax.xaxis, found.vary)
    legend(ax)
    return ax


def frontier(found: Frontier, ax: Axes | None = None) -> Axes:
    """Draw the smallest value of one key against another one; see `Frontier.plot`."""
    ax = new_axes(ax)
    first = found.capacities[0]
    ax.plot(
        found.others,
        [each.number for each in found.capacities],
        "o-",
        color=GREEN,
        label=plain("smallest that keeps " + "; ".join(p.text for p in first.promises)),
    )
    for outcome, mark, colour in (("nothing", "X", VERMILION), ("undecided", "$?$", GREY)):
        places = [
            other
            for other, each in zip(found.others, found.capacities, strict=True)
            if each.outcome == outcome
        ]
        if places:
            label = "none in range" if outcome == "nothing" else outcome
            top = [first.vary.high] * len(places)
            ax.plot(places, top, mark, color=colour, linestyle="", label=label)
    _key_axis(ax.xaxis, found.other)
    _key_axis(ax.yaxis, first.vary)
    legend(ax)
    return ax
