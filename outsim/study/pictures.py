"""Pictures of what studies found; each takes the axes to draw on, and returns them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from outsim.clock import SECOND, after
from outsim.estimates import LEVEL, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_LONG_S = 300.0
"""Times from here on are shown in minutes."""


def new_axes(ax: Axes | None, rows: int = 5) -> Axes:
    """The axes that were given, or those of a new picture, high enough for so many rows."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, made = pyplot.subplots(figsize=(7, 1.2 + 0.4 * rows), layout="constrained")
    return made


def scale_axis(axis: Axis, kind: str, label: str, begins: datetime, longest_s: float) -> float:
    """Label an axis for figures of a kind, in units that people think in.

    Parameters
    ----------
    kind : str
        As a measure has it: share, seconds, clock or number.
    begins : datetime
        Instant that clock times count from, in the zone that they are shown in.
    longest_s : float
        Longest time that is to be shown, in seconds.

    Returns
    -------
    float
        What to multiply figures with before they are drawn.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    unit, factor = "", 1.0
    if kind == "share":
        unit, factor = " (%)", 100.0
    elif kind == "seconds":
        unit, factor = (" (min)", 1 / 60) if longest_s >= _LONG_S else (" (s)", 1.0)
    elif kind == "clock":
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 1.5, 2, 3, 6, 10]))
        axis.set_major_formatter(FuncFormatter(lambda s, _: _clock_time(s, begins)))
    axis.set_label_text(f"{label}{unit}")
    return factor


def _clock_time(seconds: float, begins: datetime) -> str:
    local = after(begins, round(seconds * SECOND))
    return f"{local:%H:%M}" if local.second == 0 else f"{local:%H:%M:%S}"


def draw_estimates(
    names: Sequence[str],
    estimates: Sequence[Estimate],
    label: str,
    kind: str,
    begins: datetime,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals, the first one on top.

    Parameters
    ----------
    names, estimates : sequences of one length
        Estimates of one figure, and what each of them is of.
    label, kind, begins
        As for `scale_axis`.
    ax : matplotlib axes, optional
        Where to draw; default: a picture of its own.

    Returns
    -------
    matplotlib.axes.Axes
        An estimate without an interval is a mark alone, one of no run has its place only.
    """
    ax = new_axes(ax, len(names))
    means = np.array([each.mean for each in estimates])
    half_widths = np.array([each.half_width for each in estimates])
    known = means[~np.isnan(means)]
    factor = scale_axis(ax.xaxis, kind, label, begins, float(known.max()) if len(known) else 0.0)
    places = np.arange(len(names))
    ax.errorbar(means * factor, places, xerr=half_widths * factor, fmt="o", capsize=4, label=label)
    ax.set_yticks(places, list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set_title(f"mean and {LEVEL:.0%} interval over replications", fontsize="medium")
    return ax
