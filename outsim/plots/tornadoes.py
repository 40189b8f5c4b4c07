"""The tornado: how far each number of a scenario moves the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outsim.plots.assumptions import MOST_BARS
from outsim.plots.style import (
    BLUE,
    DIFFERENCE_UNITS,
    HATCHING,
    INK,
    ORANGE,
    legend,
    new_axes,
    plain,
    say_nothing,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.questions.effects import Effects


def tornado(effects: Effects, figure: str | None = None, ax: Axes | None = None) -> Axes:
    """Bars from the scenario as it stands to both ends of each range, the widest on top.

    Parameters
    ----------
    effects : Effects
        What `outsim.assumption_effects` gives.
    figure : str, optional
        Name of a measure; default: the one that was asked about.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Each bar with its paired interval; the title counts the numbers that are not shown.

    Raises
    ------
    StudyError
        If there is no such figure.
    """
    measure = effects.measure_of(figure)
    found = [each for each in effects.of(figure) if each.size > 0]
    shown = found[:MOST_BARS]
    ax = new_axes(ax, max(2, len(shown)))
    label = measure.label_at(effects.ledger.scenario.deadline)
    title(ax, f"What moves {label}" + _left_out(len(effects.factors) - len(shown)))
    if not shown:
        return say_nothing(ax, "no number moves it within its range")
    size, unit = DIFFERENCE_UNITS.get(measure.kind, (1.0, ""))
    places = np.arange(len(shown))
    for end, colour, hatch, shift in (("low", BLUE, "", -0.2), ("high", ORANGE, "////", 0.2)):
        estimates = [getattr(each, end) for each in shown]
        ax.barh(
            places + shift,
            [each.mean * size for each in estimates],
            0.4,
            xerr=np.nan_to_num([each.sides for each in estimates]).T * size,
            label=f"at the {end} end",
            color=colour,
            hatch=hatch,
            edgecolor=HATCHING,
            capsize=2,
        )
    ax.set_yticks(places, [plain(f"{each.factor.name}\n{each.factor.ends}") for each in shown])
    ax.margins(y=0.01)
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_xlabel(f"change from the scenario as it stands [{unit}]".replace(" []", ""))
    ax.grid(visible=False, axis="y")
    legend(ax, loc="lower right")
    return ax


def _left_out(count: int) -> str:
    return f" ({count} that move it less are not shown)" if count else ""
