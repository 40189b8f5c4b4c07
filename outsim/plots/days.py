"""A row a day: pictures over time of runs that last for days, hour above hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outsim.clock import days_of
from outsim.display import rows_for
from outsim.plots.style import (
    INK,
    clock_axis,
    date_of,
    format_axes,
    instants_us,
    legend_above,
    legend_on_top,
    mark_instant,
    new_axes,
    width_in,
)
from outsim.results.tables.flows import Instants

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 0.12
"""Between two rows, as a share of a row."""
_HOURS = 3
"""From one mark of the clock to the next."""
_LEGEND_IN = 0.6
"""Inches above the first row, for what tells what is drawn."""


@dataclass(frozen=True)
class Rows:
    """Axes to draw on, one a day, or one for all of a time."""

    whole: Axes
    """The axes that the picture was given, with its title and its labels."""
    axes: tuple[Axes, ...]
    spans_us: tuple[tuple[int, int], ...]
    """From and to which instants, in microseconds since 1970, each of them is."""

    def with_marks(self, at: Instants) -> Iterator[tuple[Axes, Instants]]:
        """Each of them with those of some instants that are on it, and its ends."""
        for ax, (since, until) in zip(self.axes, self.spans_us, strict=True):
            inside = at[(at > since) & (at < until)]
            yield ax, np.concatenate([[since], inside, [until]]).astype(np.int64)

    def is_in(self, row: Axes, instants: Instants) -> NDArray[np.bool_]:
        """Whether each of some instants, as in `with_marks`, is in a row."""
        since, until = self.spans_us[self.axes.index(row)]
        return np.asarray((instants >= since) & (instants < until))

    def finish(self, highest: float, handles: Sequence[Any] | None = None) -> None:
        """Give all rows one height, and tell what is drawn above them."""
        if self.axes == (self.whole,):
            return legend_above(self.whole, highest, handles)
        shown = self.axes[0].get_legend_handles_labels()[0] if handles is None else handles
        legend_on_top(self.whole, shown)
        for ax in self.axes:
            ax.set_ylim(0, max(highest, 1e-9) * 1.04)
        return None

    def mark(self, instant: datetime, text: str, top: float) -> None:
        """Mark an instant in the row that it is in."""
        at = date_of(instant)
        for ax in self.axes:
            low, high = ax.get_xlim()
            if low <= at < high or len(self.axes) == 1:
                return mark_instant(ax, instant, text, top)
        return None


def day_rows(ax: Axes | None, begins: datetime, ends: datetime, rows: float = 6.0) -> Rows:
    """Axes by local clock time: one for all of a time, or one a day where it lasts for days.

    A day on which the clock is put forward keeps its hours below those of the others, from the
    change on.
    """
    ax = new_axes(ax, rows_for(begins, ends, rows))
    days = days_of(begins, ends)
    if not days:
        clock_axis(ax.xaxis, begins, ends=ends)
        return Rows(ax, (ax,), _spans_us([(begins, ends)]))
    import matplotlib.dates
    from matplotlib.ticker import NullFormatter

    dates: Any = matplotlib.dates  # it has no types
    clock_axis(ax.xaxis, begins, ends=ends)
    ax.set(xticks=[], yticks=[])
    ax.xaxis.set_major_formatter(NullFormatter())
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    # Beside and below the marks of the rows.
    ax.yaxis.labelpad, ax.xaxis.labelpad = 46, 20
    room = _LEGEND_IN / width_in(ax, "height")
    height = (1 - room) / len(days)
    axes = []
    for place, (midnight, next_one) in enumerate(days):
        bottom = 1 - room - (place + 1) * height
        row = format_axes(ax.inset_axes((0, bottom, 1, (1 - _GAP) * height)))
        right = date_of(next_one)
        row.set_xlim(min(date_of(midnight), right - 1), right)
        row.xaxis.set_major_locator(
            dates.HourLocator(byhour=range(0, 24, _HOURS), tz=begins.tzinfo)
        )
        row.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=begins.tzinfo))
        row.tick_params(labelbottom=next_one >= ends)
        row.locator_params(axis="y", nbins=3)
        row.text(
            0.006,
            0.93,
            f"{midnight:%a} {midnight.day} {midnight:%b}",
            transform=row.transAxes,
            va="top",
            fontsize="small",
            color=INK,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
        )
        axes.append(row)
    inside = [(max(since, begins), min(until, ends)) for since, until in days]
    return Rows(ax, tuple(axes), _spans_us(inside))


def _spans_us(spans: Sequence[tuple[datetime, datetime]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in (instants_us(span) for span in spans))
