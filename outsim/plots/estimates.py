"""Pictures of estimates with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from outsim.estimates import LEVEL, Estimate
from outsim.plots.style import BLUE, new_axes, plain, scale_axis, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.questions.eta import Forecast
    from outsim.studies.study_result import StudyResult


def findings(found: StudyResult, measure: str, ax: Axes | None = None) -> Axes:
    """Draw one figure of every scenario with its interval; see `Findings.plot`."""
    about = found.measure(measure)
    means = [found.mean(place, measure) for place in range(len(found.scenarios))]
    begins = found.scenarios[0].clock.begins
    return draw_estimates(found.labels, means, found.label(about), about.kind, begins, ax)


def forecast(found: Forecast, ax: Axes | None = None) -> Axes:
    """Draw median and band of each figure on a clock; see `Forecast.plot`."""
    measures = [each for each in found.findings.measures if each.kind == "clock"]
    quantiles = [found.quantiles(each.name) for each in measures]
    ax = draw_bands(
        [each.label for each in measures],
        [(each.low, each.median, each.high) for each in quantiles],
        found.findings.scenarios[0].clock.begins,
        ax,
    )
    title(ax, f"{found.campaign.name}: median and 90 % of the runs")
    return ax


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
    sides = np.array([each.sides for each in estimates]).reshape(-1, 2).T
    known = means[~np.isnan(means)]
    scale = scale_axis(ax.xaxis, kind, label, begins, float(known.max()) if len(known) else 0.0)
    places = np.arange(len(names))
    ax.errorbar(
        scale.at(means),
        places,
        xerr=sides * scale.factor,
        fmt="o",
        color=BLUE,
        capsize=4,
        label=label,
    )
    _name_rows(ax, names)
    title(ax, f"mean and {LEVEL:.0%} interval over replications")
    return ax


def draw_bands(
    names: Sequence[str],
    bands: Sequence[tuple[float, float, float]],
    begins: datetime,
    ax: Axes | None = None,
) -> Axes:
    """Draw instants with bands around them on a clock, the first one on top.

    Parameters
    ----------
    names : sequence of str
        What each of them is.
    bands : sequence of (low, middle, high)
        Seconds since `begins`; what is not finite has no mark, or a band of no end on that side.
    begins, ax
        As for `draw_estimates`.
    """
    ax = new_axes(ax, len(names))
    scale = scale_axis(ax.xaxis, "clock", None, begins, 0.0)
    for place, band in enumerate(bands):
        low, middle, high = scale.at(np.array(band))
        if not np.isfinite(middle):
            continue
        ends = [[max(0.0, middle - low)], [max(0.0, high - middle) if np.isfinite(high) else 0.0]]
        ax.errorbar(middle, place, xerr=ends, fmt="o", capsize=4, color=BLUE)
    _name_rows(ax, names)
    return ax


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
