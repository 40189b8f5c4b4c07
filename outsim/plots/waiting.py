"""Pictures of waits: how long, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from outsim.plots.style import (
    COLOURS,
    DASHES,
    GREY,
    HATCHES,
    HATCHING,
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
)
from outsim.results.tables.causes import CAUSES
from outsim.scenario.campaigns import ALL_CALLS, Campaign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.questions.explain import Explanation
    from outsim.results.result import Result
    from outsim.scenario.campaigns import CampaignNames, Whose

_POINTS = 2_000
"""Waits that one line shows; more would not be seen."""


@draws
def waits(
    result: Result,
    ax: Axes | None = None,
    *,
    campaigns: CampaignNames | None = None,
) -> Axes:
    """Draw the share of calls whose wait is no longer than a time.

    A wait goes from the start to the dispatch of the first attempt that the carrier takes. A call
    without one by its end, or by the end of the run, waits longer than any time: a line stays as
    far below 100 % as there are such calls, and its label says so. Calls canceled before, wedged
    and rejected ones are left out (`outsim.results.measures.waits_s`).

    Parameters
    ----------
    result : Result
        One run.
    ax : Axes, optional
        Where to draw; default: a new figure.
    campaigns : str, Campaign or sequence of them, optional
        Whose waits; default: those of the scenario, the one under study first, and no more than
        there are colours. A run without campaigns shows all calls.
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
        label = f"{name} ({never:.1%} never)" if never else name
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
    """Draw the mean time of a call by cause, by when calls entered the queue.

    Parameters
    ----------
    answer : Explanation
        What `outsim.explain` gives.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Returns
    -------
    Axes
        The time of `Explanation.table`, with its shares in the legend.
    """
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

    Parameters
    ----------
    result : Result
        One run.
    ax : Axes, optional
        Where to draw; default: a new figure.
    campaign : Campaign or str, optional
        Whose calls, as for `Result.time_by_cause`; default: everybody's.
    every : str
        Length of a slot, as pandas writes it.
    by_resource : bool
        Whether time behind calls ahead is put down to what their dispatches waited for; see
        `Result.time_by_cause`.
    until : "end" or "first_dispatch"
        Whether the whole time of calls is drawn, to their end, or their wait.

    Returns
    -------
    Axes
        A bar for each slot in which calls came, as high as their mean wait or time, in parts by
        cause (`Result.causes_over_time`); the legend has the share of each. Causes without any
        time are left out, and the small ones stand together where there are more than colours.
    """
    import pandas as pd

    ax = new_axes(ax)
    clock_axis(ax.xaxis, result.start, ends=result.end)
    whose = "" if campaign is ALL_CALLS else f"{result.scenario.find_campaign(campaign).name}: "
    what, each = "what calls waited for", "mean wait"
    if until == "end":
        what, each = "where the time of calls went", "mean time of a call"
    title(ax, f"{whose}{what}, by when they came")
    found = result.causes_over_time(every, campaign, by_resource=by_resource, until=until)
    waited_s = found.drop(columns="calls").apply(lambda column: column.dt.total_seconds())
    totals = waited_s.mul(found["calls"], axis=0).sum()
    longest_s = float(waited_s.sum(axis=1).max()) if len(waited_s) else 0.0
    unit, size_s = time_unit(longest_s)
    ax.set_ylabel(f"{each} ({unit})")
    if not longest_s:
        return draw_empty(ax, "no call waited" if len(found) else "no call came into the queue")
    shown = [*totals[totals > 0].sort_values(ascending=False).index]
    small = shown[len(COLOURS) :]
    share = 100 * totals / totals.sum()
    parts = {
        f"{CAUSES[name]} {share[name]:.1f}%": waited_s[name] for name in shown[: len(COLOURS)]
    }
    if small:
        parts[f"other causes {share[small].sum():.1f}%"] = waited_s[small].sum(axis=1)
    at, below = dates_of(instants_us(found.index)), np.zeros(len(found))
    width_days = pd.Timedelta(every) / pd.Timedelta("1D")
    for place, (label, column) in enumerate(parts.items()):
        heights = column.to_numpy() / size_s
        ax.bar(
            at,
            heights,
            width_days,
            below,
            align="edge",
            color=[*COLOURS, GREY][place],
            hatch=[*HATCHES, ""][place],
            edgecolor=HATCHING,
            linewidth=0.3,
            label=label,
        )
        below += heights
    legend_above(ax, longest_s / size_s)
    return ax


def _campaigns(result: Result) -> list[Campaign]:
    under_study = result.scenario.campaign_under_study
    ranked = sorted(result.scenario.campaigns, key=lambda each: each != under_study)
    return ranked[: len(COLOURS)]


def _distribution(waited: np.ndarray, of: int, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and percentages of a step function that goes up at each wait, of so many calls."""
    at, counts = np.unique(waited, return_counts=True)
    shares = 100 * np.cumsum(counts) / of
    if len(at) > _POINTS:
        kept = np.unique(np.linspace(0, len(at) - 1, _POINTS).astype(int))
        at, shares = at[kept], shares[kept]
    top = shares[-1] if len(shares) else 0.0
    return np.concatenate([[0.0], at, [end]]), np.concatenate([[0.0], shares, [top]])
