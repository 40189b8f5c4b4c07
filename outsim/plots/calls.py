"""Pictures of what became of calls: outcomes by hour, and the truth beside the customer's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from outsim.plots import style
from outsim.plots.load import PIECES
from outsim.plots.style import (
    BLUE,
    GREEN,
    GREY,
    HATCHING,
    INK,
    ORANGE,
    VERMILION,
    clock_axis,
    dates_of,
    draw_empty,
    draws,
    instants_us,
    legend_above,
    mark_instant,
    new_axes,
    time_unit,
    title,
    whole_numbers,
    width_in,
)
from outsim.results.tables.over_time import change_points, hourly_outcomes, true_and_seen
from outsim.results.tables.over_time import status_lag as lag_of
from outsim.results.tables.views import value_at
from outsim.scenario.campaigns import ALL_CALLS
from outsim.vocabulary import OUTCOME_TABLE

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from outsim.questions.status import CampaignStatus
    from outsim.results.result import Result
    from outsim.scenario import Campaign
    from outsim.scenario.campaigns import Whose

_HOUR_DAYS = 1 / 24


@draws
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
    counts = hourly_outcomes(result.view(chosen or ALL_CALLS).attempts, result.start)
    clock_axis(ax.xaxis, result.start)
    ax.set_ylabel("attempts (%)")
    title(ax, f"{chosen.name}: outcomes by hour" if chosen else "outcomes by hour")
    totals = counts.sum(axis=1).to_numpy()
    if not totals.sum():
        return draw_empty(ax, "no attempt was over by the end of the run")
    at = dates_of(instants_us(counts.index))
    below = np.zeros(len(counts))
    # The answered ones stand at the bottom.
    for outcome in sorted(OUTCOME_TABLE, key=lambda row: not row.is_answered):
        if not counts[outcome.name].any():
            continue
        shares = 100 * counts[outcome.name].to_numpy() / np.maximum(totals, 1)
        ax.bar(
            at,
            shares,
            0.9 * _HOUR_DAYS,
            below,
            align="edge",
            color=getattr(style, outcome.color.upper()),
            hatch=outcome.hatch,
            edgecolor=HATCHING,
            linewidth=0.3,
            label=outcome.label,
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


_STATUS_LOOKS = {
    "completed": (BLUE, "o"),
    "pending": (ORANGE, "s"),
    "failed": (VERMILION, "X"),
    "ended otherwise": (GREEN, "D"),
}
"""Colour and mark of each."""


@draws
def truth_and_seen(
    result: Result,
    ax: Axes | None = None,
    *,
    campaign: Campaign | str | None = None,
    at: datetime | None = None,
) -> Axes:
    """Draw how many calls are pending, completed and failed, in truth and on the customer's page.

    Parameters
    ----------
    result : Result
        One run.
    ax : Axes, optional
        Where to draw; default: a new figure.
    campaign : Campaign or str, optional
        Whose calls; default: the campaign under study, or everybody's if there is none.
    at : datetime, optional
        A moment to mark.

    Returns
    -------
    Axes
        For each, a solid line of what happened and a dashed one of what can be seen. Canceled,
        expired and rejected calls are ``ended otherwise``, shown where there are any.
    """
    ax = new_axes(ax)
    scenario = result.scenario
    chosen = scenario.find_campaign(campaign) if campaign else scenario.campaign_under_study
    found = true_and_seen(result.view(chosen or ALL_CALLS).updates)
    clock_axis(ax.xaxis, result.start, ends=result.end)
    ax.set_ylabel("calls")
    title(ax, f"{chosen.name}: truth and page" if chosen else "truth and page, all calls")
    found = {name: found[name] for name in _STATUS_LOOKS if len(found[name][0][0])}
    if not found:
        return draw_empty(ax, "no call was handed in")
    marks = change_points([each for pair in found.values() for each in pair], PIECES)
    marks = np.unique(np.concatenate([instants_us([result.start, result.end]), marks]))
    places, highest, handles = dates_of(marks), 1, []
    for name, (truth, seen) in found.items():
        happened, visible = value_at(truth, marks), value_at(seen, marks)
        colour, mark = _STATUS_LOOKS[name]
        handles += ax.step(
            places,
            happened,
            where="post",
            color=colour,
            lw=1.4,
            marker=mark,
            markevery=0.15,
            markersize=4,
            label=name,
        )
        ax.step(places, visible, where="post", color=colour, lw=1.4, linestyle=(0, (3, 1.5)))
        ax.fill_between(
            places, happened, visible, step="post", color=colour, alpha=0.18, linewidth=0
        )
        highest = max(highest, int(happened.max()), int(visible.max()))
    handles += ax.plot([], [], color=INK, lw=1.4, label="truth")
    handles += ax.plot([], [], color=INK, lw=1.4, ls=(0, (3, 1.5)), label="customer sees")
    whole_numbers(ax.yaxis)
    legend_above(ax, highest, handles)
    if at is not None:
        mark_instant(ax, at, f"{at:%H:%M}", highest)
    return ax


@draws
def status(answer: CampaignStatus, ax: Axes | None = None) -> Axes:
    """Draw the truth and the customer's page over the run, with the moment marked.

    Parameters
    ----------
    answer : CampaignStatus
        What `outsim.status` gives.
    ax : Axes, optional
        Where to draw; default: a new figure.
    """
    return truth_and_seen(answer.result, ax, campaign=answer.campaign, at=answer.at)


@draws
def status_lag(
    result: Result,
    ax: Axes | None = None,
    *,
    campaign: Whose = ALL_CALLS,
    every: str = "1min",
) -> Axes:
    """Draw the status lag by when updates happened, above the dial load of all tenants.

    Parameters
    ----------
    result : Result
        One run.
    ax : Axes, optional
        Where to draw; default: a new figure.
    campaign : Campaign or str, optional
        Whose updates, as for `Result.time_by_cause`; default: everybody's.
    every : str
        Width of the intervals, as pandas writes it.

    Returns
    -------
    Axes
        Median and p90 of each interval (`results.tables.over_time.status_lag`), with a
        gap where they were not visible by the end of the run; the dials per second have an
        axis of their own on the right, in the lowest quarter.
    """
    ax = new_axes(ax)
    found = lag_of(result.view(campaign).updates, result.start, result.end, every)
    dialed = result.timeline(every)["dialed"]
    width_s = pd.Series(dialed.index).diff().dt.total_seconds().bfill().fillna(1.0).to_numpy()
    per_s = dialed.to_numpy() / width_s
    clock_axis(ax.xaxis, result.start, ends=result.end)
    whose = "" if campaign is ALL_CALLS else f"{result.scenario.find_campaign(campaign).name}: "
    title(ax, f"{whose}status lag, and the dial load")
    longest_s = float(np.nanmax(found["p90"].to_numpy(), initial=0.0))
    unit, size_s = time_unit(longest_s)
    ax.set_ylabel(f"lag of what happens then ({unit})")
    if not found["updates"].any():
        return draw_empty(ax, "no status changed")
    at = dates_of(instants_us(found.index))
    most_per_s = float(per_s.max()) or 1.0
    below = ax.twinx()
    dials = below.fill_between(at, per_s, step="post", color=GREY, alpha=0.5, linewidth=0)
    dials.set_label("dials, all tenants")
    below.set_ylim(0, 4 * most_per_s)
    below.set_yticks([0, most_per_s], ["0", f"{most_per_s:.3g}/s"])
    below.tick_params(labelsize="small", labelcolor="0.4", color="0.4")
    below.spines[["top", "right", "left"]].set_visible(False)
    lines: list[Artist] = [dials]
    lines += ax.step(at, found["p90"] / size_s, where="post", color=VERMILION, label="p90")
    lines += ax.step(at, found["median"] / size_s, where="post", color=BLUE, ls="--", label="p50")
    # The lag stands in front of the load.
    ax.set_zorder(below.get_zorder() + 1)
    ax.patch.set_visible(False)
    legend_above(ax, longest_s / size_s, lines)
    return ax
