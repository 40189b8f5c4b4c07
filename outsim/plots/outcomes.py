"""The picture of what became of attempts, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outsim.plots.style import (
    BLUE,
    GREEN,
    GREY,
    HATCHING,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    clock_axis,
    dates_of,
    instants_us,
    legend_above,
    new_axes,
    say_nothing,
    title,
    width_in,
)
from outsim.results.tables.over_time import hourly_outcomes
from outsim.scenario.whose import ALL_CALLS
from outsim.vocabulary import OUTCOMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.results.result import Result
    from outsim.scenario import Campaign

_LOOKS = {
    "human": (BLUE, ""),
    "voicemail": (SKY, "...."),
    "fax": (GREEN, "++"),
    "no_answer": (GREY, ""),
    "busy": (ORANGE, "////"),
    "invalid": (PURPLE, "\\\\\\\\"),
    "congestion": (VERMILION, "xx"),
}
"""Colour and hatch of each outcome, the answered ones at the bottom."""
assert set(_LOOKS) == set(OUTCOMES)

_HOUR_DAYS = 1 / 24


def outcome_mix(
    result: Result, ax: Axes | None = None, *, campaign: Campaign | str | None = None
) -> Axes:
    """Draw the outcomes of the attempts dispatched in each local clock hour, as shares of them.

    Parameters
    ----------
    result : Result
        One run.
    ax : Axes, optional
        Where to draw; default: a new figure.
    campaign : Campaign or str, optional
        Whose attempts; default: the campaign under study, or everybody's if there is none.

    Returns
    -------
    Axes
        A bar an hour, with the number of its attempts on top where there is room. Outcomes that
        no attempt had are left out; attempts under way at the end of the run have none.
    """
    ax = new_axes(ax)
    scenario = result.scenario
    chosen = scenario.find_campaign(campaign) if campaign else scenario.campaign_under_study
    counts = hourly_outcomes(result.view(chosen or ALL_CALLS).attempts, result.begins)
    clock_axis(ax.xaxis, result.begins)
    ax.set_ylabel("attempts (%)")
    title(ax, f"{chosen.name}: outcomes by hour" if chosen else "outcomes by hour")
    totals = counts.sum(axis=1).to_numpy()
    if not totals.sum():
        return say_nothing(ax, "no attempt was over by the end of the run")
    at = dates_of(instants_us(counts.index))
    below = np.zeros(len(counts))
    for name, (colour, hatch) in _LOOKS.items():
        if not counts[name].any():
            continue
        shares = 100 * counts[name].to_numpy() / np.maximum(totals, 1)
        ax.bar(
            at,
            shares,
            0.9 * _HOUR_DAYS,
            below,
            align="edge",
            color=colour,
            hatch=hatch,
            edgecolor=HATCHING,
            linewidth=0.3,
            label=name.replace("_", " "),
        )
        below += shares
    ax.grid(visible=False, axis="x")
    numbers = [f"{count:,}" if count else "" for count in totals]
    has_room = len(at) * max(map(len, numbers)) <= 13 * width_in(ax)
    if has_room:
        for x, text in zip(at, numbers, strict=True):
            ax.text(x + 0.45 * _HOUR_DAYS, 101, text, ha="center", va="bottom", fontsize="small")
    ax.set_xlim(at[0] - 0.1 * _HOUR_DAYS, at[-1] + _HOUR_DAYS)
    legend_above(ax, 110 if has_room else 100)
    ax.set_yticks(range(0, 101, 20))
    return ax
