"""Pictures of queue and busy ports over time, by tenant, and over replications."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from outsim.display import rows_for
from outsim.errors import StudyError, unknown_name
from outsim.plots.days import day_rows
from outsim.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    HATCHES,
    HATCHING,
    INK,
    dates_of,
    draw_empty,
    draws,
    given_axes,
    instants_us,
    plain,
    title,
    whole_numbers,
)
from outsim.results.tables.flows import Instants, Steps, settled, value_at
from outsim.results.tables.over_time import (
    Parts,
    Quantity,
    by_tenant,
    change_points,
    load_flow,
    over_replications,
    status_lag,
    total,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.results.result import Result

PIECES = 1_500
"""So many points across a picture may have; see `change_points`."""


@draws
def run(result: Result, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw the queue above the busy ports over time, by tenant."""
    height = 1.2 + 0.4 * rows_for(result.start, result.end, rows=5.5)
    upper, lower = given_axes(axes, 2, columns=1, height=height)
    return [queue(result, upper), ports(result, lower)]


@draws
def queue(result: Result, ax: Axes | None = None, *, most: int = 6) -> Axes:
    """Draw the calls in the outbound queue over time, by tenant.

    Areas upon each other add up to the ``queue`` of `Result.timeline`. There are at most `most` of
    them, 2 to 7: the tenant of the campaign under study, the largest others, and all the rest.
    """
    ax = _over_time(result, "queue", ax, most)
    title(ax, "calls in the outbound queue, by tenant")
    ax.set_ylabel("calls in the queue")
    return ax


@draws
def ports(result: Result, ax: Axes | None = None, *, most: int = 6) -> Axes:
    """Draw the busy ports as `queue` draws calls, below a line at the ports that there are."""
    ax = _over_time(result, "busy_ports", ax, most, result.scenario.platform.ports)
    title(ax, "busy ports, by tenant")
    ax.set_ylabel("busy ports")
    return ax


def _over_time(
    result: Result, of: Quantity, ax: Axes | None, most: int, limit: int | None = None
) -> Axes:
    rows = day_rows(ax, result.start, result.end)
    campaign = result.scenario.campaign_under_study
    parts = by_tenant(
        result.calls,
        result.attempts,
        result.updates,
        of,
        first=campaign.tenant if campaign else None,
        most=min(most, len(COLOURS)),
    )
    parts = {name: part for name, part in parts.items() if len(part[0])}
    if not parts:
        return draw_empty(rows.whole, "no call came into the queue")
    functions = [*parts.values(), total(parts)]
    alone = {*result.calls["tenant"].cat.categories}
    at = change_points(functions, PIECES * len(rows.axes))
    highest = max(_stack(row, parts, marks, alone) for row, marks in rows.with_marks(at))
    for row in rows.axes:
        if limit is not None:
            row.axhline(limit, color=INK, linewidth=1, linestyle="--", label=f"{limit:,} ports")
        whole_numbers(row.yaxis)
    highest = max(highest, limit or 0)
    rows.finish(highest)
    if campaign is not None:
        name = plain(textwrap.shorten(campaign.entry.rpartition("/")[2], 30))
        for other in result.scenario.campaigns:
            if other.entry == campaign.entry:
                rows.mark(other.start, f"start of {name}", highest)
    return rows.whole


def _stack(ax: Axes, parts: Parts, at: Instants, alone: Collection[str]) -> int:
    """Draw step functions as areas upon each other; gives the highest value of their sum.

    They are drawn between the instants `at`; names that are not among those that stand `alone`
    are of several together.
    """
    below = np.zeros(len(at), dtype=np.int64)
    for place, (name, part) in enumerate(parts.items()):
        above = below + value_at(part, at)
        together = name not in alone
        ax.fill_between(
            dates_of(at),
            below,
            above,
            step="post",
            facecolor=GREY if together else COLOURS[place],
            hatch="" if together else HATCHES[place],
            edgecolor=HATCHING,
            linewidth=0.0,
            label=plain(name),
        )
        below = above
    ax.plot(dates_of(at), below, drawstyle="steps-post", color=INK, linewidth=0.7)
    return int(below.max())


def _quantity(result: Result, of: Quantity | Literal["status_lag"]) -> Steps:
    if of == "status_lag":
        lag = status_lag(result.updates, result.start, result.end)["p90"]
        return instants_us(lag.index), lag.to_numpy()
    return load_flow(result.calls, result.attempts, result.updates, of).steps()


@draws
def load_over_replications(
    results: Sequence[Result],
    of: Quantity | Literal["status_lag"] = "queue",
    ax: Axes | None = None,
) -> Axes:
    """Draw queue, busy ports, or p90 status lag (`of`) of several runs, minute by minute.

    The median over the runs, and the band from the lowest to the highest of them; from twenty runs
    on, the band that holds 90 % of them.
    """
    words = {
        "queue": "calls in the queue",
        "busy_ports": "busy ports",
        "status_lag": "p90 status lag (s)",
    }
    if of not in words:
        raise StudyError(unknown_name("quantity", of, words))
    start, end = results[0].start, max(result.end for result in results)
    rows = day_rows(ax, start, end)
    functions = [settled(_quantity(single, of)) for single in results]
    rows.whole.set_ylabel(words[of])
    title(rows.whole, f"{words[of]}, over replications")
    if not any(len(at) for at, _ in functions):
        return draw_empty(rows.whole, "no call came into the queue in any run")
    minutes = instants_us(pd.date_range(start, end, freq="1min"))
    bands = over_replications(functions, minutes)
    at = dates_of(minutes)
    band = "90 % of them" if len(functions) >= 20 else "lowest to highest"
    for row in rows.axes:
        low, high = bands["low"], bands["high"]
        row.fill_between(at, low, high, color=BLUE, alpha=0.25, lw=0, label=band)
        row.plot(at, bands["median"], color=BLUE, label=f"median of {len(functions)} runs")
        whole_numbers(row.yaxis)
    rows.finish(float(np.nanmax(bands["high"], initial=0.0)))
    return rows.whole
