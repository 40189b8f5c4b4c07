"""Pictures of calls: what became of them, when that is seen, how long they wait, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import HOUR, LONGEST_ROW
from outsim.display import percent
from outsim.plots import style
from outsim.plots.days import day_rows
from outsim.plots.load import PIECES
from outsim.plots.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    HATCHES,
    HATCHING,
    INK,
    ORANGE,
    VERMILION,
    clock_axis,
    dates_of,
    draw_empty,
    draws,
    instants_us,
    legend,
    legend_above,
    new_axes,
    plain,
    time_unit,
    title,
    whole_numbers,
    width_in,
)
from outsim.results.tables.causes import CAUSES
from outsim.results.tables.flows import Instants, Steps, value_at
from outsim.results.tables.over_time import change_points, hourly_outcomes, true_and_seen
from outsim.results.tables.over_time import status_lag as lag_of
from outsim.scenario.campaigns import ALL_CALLS, Campaign
from outsim.vocabulary import OUTCOME_TABLE

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from outsim.questions.explain import Explanation
    from outsim.questions.status import CampaignStatus
    from outsim.results.result import Result
    from outsim.scenario.campaigns import CampaignNames, Whose

_HOUR_DAYS = 1 / 24


@draws
def outcome_mix(
    result: Result, ax: Axes | None = None, *, campaign: Campaign | str | None = None
) -> Axes:
    """Draw the outcomes of the attempts dispatched in each local clock hour, as shares of them.

    `campaign` is whose attempts; default: those of the campaign under study, or everybody's if
    there is none. A bar an hour has the number of its attempts on top where there is room.
    Outcomes that no attempt had are left out; attempts under way at the end of the run have none.
    """
    scenario = result.scenario
    chosen = scenario.find_campaign(campaign) if campaign else scenario.campaign_under_study
    counts = hourly_outcomes(result.view(chosen or ALL_CALLS).attempts, result.start)
    is_long = len(counts) * HOUR > LONGEST_ROW
    rows = day_rows(ax, result.start, result.end) if is_long else None
    ax = new_axes(ax) if rows is None else rows.whole
    ax.set_ylabel("attempts (%)")
    title(ax, f"{chosen.name}: outcomes by hour" if chosen else "outcomes by hour")
    if rows is None:
        clock_axis(ax.xaxis, result.start)
    totals = counts.sum(axis=1).to_numpy()
    if not totals.sum():
        return draw_empty(ax, "no attempt was over by the end of the run")
    if rows is not None:
        for row in rows.axes:
            _hourly_bars(row, counts[rows.is_in(row, instants_us(counts.index))], counts.any())
        rows.finish(100)
        return ax
    _hourly_bars(ax, counts, counts.any())
    at = dates_of(instants_us(counts.index))
    numbers = [f"{count:,}" if count else "" for count in totals]
    has_room = len(at) * max(map(len, numbers)) <= 13 * width_in(ax)
    if has_room:
        for x, text in zip(at, numbers, strict=True):
            ax.text(x + 0.45 * _HOUR_DAYS, 101, text, ha="center", va="bottom", fontsize="small")
    ax.set_xlim(at[0] - 0.1 * _HOUR_DAYS, at[-1] + _HOUR_DAYS)
    legend_above(ax, 110 if has_room else 100)
    ax.set_yticks(range(0, 101, 20))
    return ax


def _hourly_bars(ax: Axes, counts: pd.DataFrame, shown: pd.Series[bool]) -> None:
    """Draw a bar an hour, of the shares of the outcomes that are `shown`."""
    totals, below = counts.sum(axis=1).to_numpy(), np.zeros(len(counts))
    at = dates_of(instants_us(counts.index))
    # The answered ones stand at the bottom.
    for outcome in sorted(OUTCOME_TABLE, key=lambda row: not row.is_answered):
        if not shown[outcome.name]:
            continue
        shares = 100 * counts[outcome.name].to_numpy() / np.maximum(totals, 1)
        colour = getattr(style, outcome.color.upper())
        _add_bars(ax, at, 0.9 * _HOUR_DAYS, below, shares, outcome.label, colour, outcome.hatch)
    ax.grid(visible=False, axis="x")


def _add_bars(
    ax: Axes,
    at: NDArray[np.float64],
    width_days: float,
    below: NDArray[np.float64],
    heights: NDArray[np.float64],
    label: str,
    colour: str,
    hatch: str,
) -> None:
    """Draw bars on those that reach up to `below`, which then goes up to these."""
    ax.bar(
        at,
        heights,
        width_days,
        below,
        align="edge",
        color=colour,
        hatch=hatch,
        edgecolor=HATCHING,
        linewidth=0.3,
        label=label,
    )
    below += heights


def _prefix(result: Result, campaign: Whose) -> str:
    return "" if campaign is ALL_CALLS else f"{result.scenario.find_campaign(campaign).name}: "


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

    A solid line is what happened, a dashed one what can be seen. Canceled, expired and rejected
    calls are ``ended otherwise``, shown where there are any. `campaign` is as for `outcome_mix`;
    `at` is a moment to mark.
    """
    scenario = result.scenario
    chosen = scenario.find_campaign(campaign) if campaign else scenario.campaign_under_study
    functions = true_and_seen(result.view(chosen or ALL_CALLS).updates)
    rows = day_rows(ax, result.start, result.end)
    ax = rows.whole
    ax.set_ylabel("calls")
    title(ax, f"{chosen.name}: truth and page" if chosen else "truth and page, all calls")
    functions = {name: functions[name] for name in _STATUS_LOOKS if len(functions[name][0][0])}
    if not functions:
        return draw_empty(ax, "no call was handed in")
    steps = [function for pair in functions.values() for function in pair]
    highest = 1
    for row, marks in rows.with_marks(change_points(steps, PIECES * len(rows.axes))):
        handles = []
        for name, (truth, seen) in functions.items():
            handles += _both(row, marks, truth, seen, name)
            highest = max(highest, *(int(value_at(side, marks).max()) for side in (truth, seen)))
        handles += row.plot([], [], color=INK, lw=1.4, label="truth")
        handles += row.plot([], [], color=INK, lw=1.4, ls=(0, (3, 1.5)), label="customer sees")
        whole_numbers(row.yaxis)
    rows.finish(highest, handles)
    if at is not None:
        rows.mark(at, f"{at:%H:%M}", highest)
    return ax


def _both(ax: Axes, marks: Instants, truth: Steps, seen: Steps, name: str) -> list[Line2D]:
    """Draw how many calls have a status in truth, which is given back, and on the page."""
    places, happened, visible = dates_of(marks), value_at(truth, marks), value_at(seen, marks)
    colour, mark = _STATUS_LOOKS[name]
    lines = ax.step(
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
    ax.fill_between(places, happened, visible, step="post", color=colour, alpha=0.18, linewidth=0)
    return lines


@draws
def status(answer: CampaignStatus, ax: Axes | None = None) -> Axes:
    """Draw the truth and the customer's page over the run, with the moment marked."""
    return truth_and_seen(answer.result, ax, campaign=answer.campaign, at=answer.at)


@draws
def status_lag(
    result: Result, ax: Axes | None = None, *, campaign: Whose = ALL_CALLS, every: str = "1min"
) -> Axes:
    """Draw the status lag by when updates happened, above the dial load of all tenants.

    p50 and p90 of the updates of each interval, `every` so long, with a gap where they were not
    visible by the end of the run; `campaign` is whose updates, as for `Result.time_by_cause`.
    Dials per second have an axis of their own on the right, in the lowest quarter.
    """
    rows = day_rows(ax, result.start, result.end)
    ax = rows.whole
    lags = lag_of(result.view(campaign).updates, result.start, result.end, every)
    dialed = result.timeline(every)["dialed"]
    width_s = pd.Series(dialed.index).diff().dt.total_seconds().bfill().fillna(1.0).to_numpy()
    per_s = dialed.to_numpy() / width_s
    title(ax, f"{_prefix(result, campaign)}status lag, and the dial load")
    longest_s = float(np.nanmax(lags["p90"].to_numpy(), initial=0.0))
    unit, size_s = time_unit(longest_s)
    ax.set_ylabel(f"lag of what happens then ({unit})")
    if not lags["updates"].any():
        return draw_empty(ax, "no status changed")
    at = dates_of(instants_us(lags.index))
    most_per_s = float(per_s.max()) or 1.0
    for row in rows.axes:
        low, high = row.get_xlim()
        below = row.twinx()
        dials = below.fill_between(at, per_s, step="post", color=GREY, alpha=0.5, linewidth=0)
        dials.set_label("dials, all tenants")
        below.set_ylim(0, 4 * most_per_s)
        below.set_yticks([0, most_per_s], ["0", f"{most_per_s:.3g}/s"])
        below.tick_params(labelsize="small", labelcolor="0.4", color="0.4")
        if row is not ax:
            # There is no room for marks beside a row.
            below.set_yticks([])
            dials.set_label(f"dials, all tenants (up to {most_per_s:.3g}/s)")
        below.spines[["top", "right", "left"]].set_visible(False)
        lines: list[Artist] = [dials]
        lines += row.step(at, lags["p90"] / size_s, where="post", color=VERMILION, label="p90")
        p50 = lags["median"] / size_s
        lines += row.step(at, p50, where="post", color=BLUE, ls="--", label="p50")
        # The lag stands in front of the load.
        ax.set_zorder(below.get_zorder() + 1)
        for front in (ax, row):
            front.patch.set_visible(False)
        row.set_xlim(low, high)
    rows.finish(longest_s / size_s, lines)
    return ax


_POINTS = 2_000
"""Waits that one line shows; more would not be seen."""


@draws
def waits(
    result: Result, ax: Axes | None = None, *, campaigns: CampaignNames | None = None
) -> Axes:
    """Draw the share of calls whose wait is no longer than a time.

    A wait goes from the start to the dispatch of the first attempt that the carrier takes. A call
    without one by its end, or by the end of the run, waits longer than any time: a line stays as
    far below 100 % as there are such calls, and its label says so. Calls canceled before, wedged
    and rejected ones are left out.

    `campaigns` says whose waits; default: those of the scenario, the one under study first, and no
    more than there are colours. A run without campaigns shows all calls.
    """
    ax = new_axes(ax)
    named = [campaigns] if isinstance(campaigns, str | Campaign) else campaigns or ()
    chosen = [result.scenario.find_campaign(each) for each in named]
    shown: Sequence[Campaign | None] = chosen or _campaigns(result) or [None]
    counted = [(each, result.measure_view(each or ALL_CALLS).waits_s) for each in shown]
    finite = [waited[np.isfinite(waited)] for _, waited in counted]
    longest_s = max((float(each[-1]) for each in finite if len(each)), default=0.0)
    unit, size_s = time_unit(longest_s)
    ax.set_xlabel(f"wait from the start ({unit})")
    ax.set_ylabel("calls gone out by then (%)")
    ax.set_ylim(0, 104)
    left = len(result.scenario.campaigns) - len(shown) if campaigns is None else 0
    title(ax, "waits" + (f" ({left} campaigns more are not shown)" if left > 0 else ""))
    if not any(len(waited) for _, waited in counted):
        return draw_empty(ax, "no call counts: nobody waited")
    end = max(longest_s, 1.0) * 1.03
    for place, ((campaign, waited), known) in enumerate(zip(counted, finite, strict=True)):
        if not len(waited):
            continue
        never = 1 - len(known) / len(waited)
        name = campaign.name if campaign else "all calls"
        label = f"{name} ({percent(never, 1)} never)" if never else name
        x, y = _distribution(known, len(waited), end)
        ax.step(
            x / size_s,
            y,
            where="post",
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)],
            label=plain(label),
        )
    ax.set_xlim(0, end / size_s)
    legend(ax, loc="lower right")
    return ax


@draws
def explain(answer: Explanation, ax: Axes | None = None) -> Axes:
    """Draw the mean time of a call by cause, by when calls entered the queue."""
    return wait_causes(answer.result, ax, campaign=answer.campaign, until="end")


@draws
def wait_causes(
    result: Result,
    ax: Axes | None = None,
    *,
    campaign: Whose = ALL_CALLS,
    every: str = "5min",
    by_resource: bool = True,
    until: Literal["end", "first_dispatch"] = "first_dispatch",
) -> Axes:
    """Draw what calls waited for, by when they entered the queue for the first time.

    A bar for each slot, `every` so long, in which calls came, as high as their mean wait, or with
    ``until="end"`` their whole time, in parts by cause (`Result.causes_over_time`, which has
    `campaign` and `by_resource` too); the legend has the share of each. Causes without any time
    are left out, and the small ones stand together where there are more than colours.
    """
    rows = day_rows(ax, result.start, result.end)
    ax = rows.whole
    what, quantity = "what calls waited for", "mean wait"
    if until == "end":
        what, quantity = "where the time of calls went", "mean time of a call"
    title(ax, f"{_prefix(result, campaign)}{what}, by when they came")
    table = result.causes_over_time(every, campaign, by_resource=by_resource, until=until)
    waited_s = table.drop(columns="calls").apply(lambda column: column.dt.total_seconds())
    totals = waited_s.mul(table["calls"], axis=0).sum()
    longest_s = float(waited_s.sum(axis=1).max()) if len(waited_s) else 0.0
    unit, size_s = time_unit(longest_s)
    ax.set_ylabel(f"{quantity} ({unit})")
    if not longest_s:
        return draw_empty(ax, "no call waited" if len(table) else "no call came into the queue")
    shown = [*totals[totals > 0].sort_values(ascending=False).index]
    small = shown[len(COLOURS) :]
    share = totals / totals.sum()
    parts = {
        f"{CAUSES[name]} {percent(share[name], 1)}": waited_s[name]
        for name in shown[: len(COLOURS)]
    }
    if small:
        parts[f"other causes {percent(share[small].sum(), 1)}"] = waited_s[small].sum(axis=1)
    instants = instants_us(table.index)
    width_days = pd.Timedelta(every) / pd.Timedelta("1D")
    for row in rows.axes:
        inside = rows.is_in(row, instants)
        at, below = dates_of(instants[inside]), np.zeros(int(inside.sum()))
        for (label, column), colour, hatch in zip(
            parts.items(), (*COLOURS, GREY), (*HATCHES, ""), strict=False
        ):
            heights = column.to_numpy()[inside] / size_s
            _add_bars(row, at, width_days, below, heights, label, colour, hatch)
    rows.finish(longest_s / size_s)
    return ax


def _campaigns(result: Result) -> list[Campaign]:
    under_study = result.scenario.campaign_under_study
    ranked = sorted(result.scenario.campaigns, key=lambda campaign: campaign != under_study)
    return ranked[: len(COLOURS)]


def _distribution(waited: np.ndarray, of: int, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and percentages of a step function that goes up at each wait, of so many calls."""
    at, counts = np.unique(waited, return_counts=True)
    shares = 100 * np.cumsum(counts) / of
    if len(at) > _POINTS:
        picks = np.unique(np.linspace(0, len(at) - 1, _POINTS).astype(int))
        at, shares = at[picks], shares[picks]
    top = shares[-1] if len(shares) else 0.0
    return np.concatenate([[0.0], at, [end]]), np.concatenate([[0.0], shares, [top]])
