"""Pictures of plans: what was found at each value, and what one key needs for another."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from outsim.scenario.varying import Range
from outsim.study.capacity_answers import Capacity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from outsim.study.capacity_answers import Frontier

_COLOURS = {"kept": "tab:green", "broken": "tab:red", "unclear": "tab:gray"}
_UNITS = {"seconds": ("min", 60.0), "clock": ("h since the run begins", 3600.0)}


def _new(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def _axis(varied: Range) -> str:
    unit = varied.unit.strip()
    return f"{varied.key} ({unit})" if unit and unit != ":00" else varied.key


def plot_capacity(capacity: Capacity, promise: int, ax: Axes | None) -> Axes:
    """Draw what `Capacity.plot` says."""
    ax = _new(ax)
    about = capacity.promises[promise]
    unit, size = _UNITS.get(about.measure.kind, ("", 1.0))
    label, limit = about.measure.label_at(capacity.scenario.deadline), about.limit / size
    if about.probability is not None:
        unit, size, limit, label = "", 1.0, about.probability, "runs that keep it"
    for place, each in zip(sorted(capacity.found.verdicts), capacity.tested(), strict=True):
        shown, (low, high) = each.shown[promise] / size, each.bounds[promise]
        if not math.isfinite(shown):
            continue
        below, above = max(0.0, shown - low / size), max(0.0, high / size - shown)
        ax.errorbar(
            capacity.values[place],
            shown,
            [[below], [above]],
            fmt="o",
            capsize=3,
            color=_COLOURS[each.verdict],
        )
    glanced = [
        (capacity.values[place], float(about.outcomes(figures[:, promise]).mean()) / size)
        for place, figures in sorted(capacity.found.glanced.items())
    ]
    seen = [point for point in glanced if math.isfinite(point[1])]
    if seen:
        ax.plot(
            *zip(*seen, strict=True),
            "o",
            color="black",
            fillstyle="none",
            markersize=4,
            label="few runs, to find the place",
        )
    for verdict, colour in _COLOURS.items():
        if verdict in capacity.found.verdicts.values():
            ax.plot([], [], "o", color=colour, label=verdict)
    ax.axhline(limit, color="black", linewidth=0.8, linestyle="--", label=about.text)
    if capacity.value is not None:
        ax.axvline(
            capacity.number, color="tab:green", linewidth=0.8, label=f"smallest: {capacity.value}"
        )
    ax.set_xlabel(_axis(capacity.vary))
    ax.set_ylabel(f"{label} ({unit})" if unit else label)
    ax.legend()
    return ax


def plot_frontier(frontier: Frontier, ax: Axes | None) -> Axes:
    """Draw what `Frontier.plot` says."""
    ax = _new(ax)
    first = frontier.capacities[0]
    ax.plot(
        frontier.others,
        [each.number for each in frontier.capacities],
        "o-",
        color="tab:green",
        label="smallest that keeps " + "; ".join(p.text for p in first.promises),
    )
    for outcome, marker in (("nothing", "x"), ("undecided", "$?$")):
        places = [
            other
            for other, each in zip(frontier.others, frontier.capacities, strict=True)
            if each.outcome == outcome
        ]
        if places:
            label = "none in range" if outcome == "nothing" else outcome
            top = first.vary.high
            ax.plot(places, [top] * len(places), marker, color="tab:red", ls="", label=label)
    ax.set_xlabel(_axis(frontier.other))
    ax.set_ylabel(_axis(first.vary))
    ax.legend()
    return ax


def picture(answer: Capacity | Frontier) -> Figure:
    """Figure with the whole answer: a frontier, or one part for each promise."""
    from matplotlib import pyplot

    draws: list[Callable[..., Axes]] = (
        [partial(answer.plot, k) for k in range(len(answer.promises))]
        if isinstance(answer, Capacity)
        else [answer.plot]
    )
    figure, grid = pyplot.subplots(
        len(draws), squeeze=False, figsize=(7, 4 * len(draws)), layout="constrained"
    )
    for draw, ax in zip(draws, grid.flat, strict=True):
        draw(ax=ax)
    return figure
