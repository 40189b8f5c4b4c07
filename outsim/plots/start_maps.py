"""Pictures of a start map: where another start of the hour helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.plots.style import DIFFERENCE_UNITS, INK, draw_empty, draws, format_axes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from numpy.typing import NDArray

    from outsim.questions.start_map import StartMap

_REACH = 0.1
"""How far a cell goes at most from where its regime was measured, as a share of the panel."""

_TITLES = {
    "completed_share": "gain in completions",
    "duration_s": "gain in time from start to end",
    "finish_time_s": "gain in the clock time of the end",
    "status_lag_p90_s": "gain in p90 status lag",
}


@draws
def start_map(answer: StartMap, measure: str = "completed_share", axes: Any = None) -> Any:
    """Draw the gain in a measure: a row of panels for each count of retries, a column a start.

    A panel has a place for each regime, by drain time and headroom of the carrier. `axes` have the
    shape (retries, starts), as have those that are returned.

    Raises
    ------
    StudyError
        If the map has no such measure.
    """
    import matplotlib.pyplot as plt

    answer.check(measure)
    shape = (len(answer.retries), len(answer.minutes))
    if axes is None:
        _, axes = plt.subplots(
            *shape,
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
            figsize=(1.6 + 2.7 * shape[1], 0.9 + 2.4 * shape[0]),
        )
    axes = np.asarray(axes).reshape(shape)
    colours = _colours(answer, measure)
    for row, max_retry in enumerate(answer.retries):
        for column, minute in enumerate(answer.minutes):
            _panel(answer, max_retry, minute, measure, colours, axes[row, column])
    for ax in axes[-1]:
        ax.set_xlabel(_DRAINED)
    for ax in axes[:, 0]:
        ax.set_ylabel(_HEADROOM)
    figure = axes[0, 0].figure
    _key(answer, measure, colours, [*axes.flat])
    figure.suptitle(_READING, size="medium")
    return axes


@draws
def start_map_panel(
    answer: StartMap,
    minute: int,
    max_retry: int | None = None,
    measure: str = "completed_share",
    ax: Axes | None = None,
) -> Axes:
    """Draw the gain in a measure of one start of a map, by drain time and headroom.

    The start is given as the minute of the hour; `max_retry` is by default the fewest retries that
    the map has.

    Raises
    ------
    StudyError
        If the map has no such start, retries or measure.
    """
    retries = answer.retries[0] if max_retry is None else max_retry
    if retries not in answer.retries:
        raise StudyError(unknown_name("count of retries", retries, answer.retries, "in the map"))
    answer.gain(0, minute, measure)
    ax = new_axes(ax)
    colours = _colours(answer, measure)
    _panel(answer, retries, minute, measure, colours, ax)
    ax.set_xlabel(_DRAINED)
    ax.set_ylabel(_HEADROOM)
    ax.set_title(f"{ax.get_title()}\n{_READING}", size="medium")
    _key(answer, measure, colours, [ax])
    return ax


_DRAINED = "backlog of :00 drained after (min)"
_HEADROOM = "carrier's headroom (%)"
_READING = "against a start at :00: + better, \u2212 worse, dot: not clear"


def _colours(answer: StartMap, measure: str) -> ScalarMappable:
    """Colour of a gain, in the unit that it is shown in; white for none."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm

    factor, _ = DIFFERENCE_UNITS[answer.measures[measure].kind]
    gains = np.array(
        [
            [answer.gain(k, m, measure).mean for m in answer.minutes]
            for k in range(len(answer.regimes))
        ]
    )
    most = max(float(np.nanmax(np.abs(gains), initial=0.0)) * factor, 1e-9)
    return ScalarMappable(TwoSlopeNorm(0, -most, most), "RdBu")


def _key(answer: StartMap, measure: str, colours: ScalarMappable, axes: list[Axes]) -> None:
    _, unit = DIFFERENCE_UNITS[answer.measures[measure].kind]
    bar = axes[0].figure.colorbar(colours, ax=axes, shrink=0.8)
    bar.set_label(f"{_TITLES[measure]} ({unit})", size="small")
    bar.ax.tick_params(labelsize="small")


def _panel(
    answer: StartMap, max_retry: int, minute: int, measure: str, colours: ScalarMappable, ax: Axes
) -> None:
    """Draw one panel: every regime has what is nearest to it, up to a tenth of the panel away."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    format_axes(ax).grid(visible=False)
    factor, _ = DIFFERENCE_UNITS[answer.measures[measure].kind]
    places = answer.places(max_retry)
    points = np.array(
        [[answer.drain_s(k).mean / 60, 100 * answer.headroom(k).mean] for k in places]
    )
    points = points.reshape(-1, 2)
    known = np.isfinite(points).all(axis=1)
    places, points = (
        [k for k, is_known in zip(places, known, strict=True) if is_known],
        points[known],
    )
    ax.set_title(f":{minute:02d}, {max_retry} {'retry' if max_retry == 1 else 'retries'}", size=10)
    if not places:
        draw_empty(ax, "no regime has a drain time and a headroom")
        return
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin
    found_at = dict(zip(places, points, strict=True))
    for k, corners in zip(places, _cells((points - low) / (high - low)), strict=True):
        if answer.verdict(k, minute, measure):
            gain = np.array([answer.gain(k, minute, measure).mean * factor])
            (cell,) = ax.fill(
                *(low + corners * (high - low)).T, facecolor=colours.to_rgba(gain)[0], linewidth=0
            )
            centre, reach = found_at[k], _REACH * (high - low)
            begin, end = np.maximum(centre - reach, low), np.minimum(centre + reach, high)
            near = Rectangle(tuple(begin), *(end - begin), transform=ax.transData)
            cell.set_clip_path(near)
    verdicts = np.array([answer.verdict(k, minute, measure) for k in places])
    for verdict, mark in ((1, "+"), (0, "."), (-1, "_")):
        ax.plot(
            *points[verdicts == verdict].T,
            mark,
            color=INK,
            markersize=7 if verdict else 3,
            markeredgewidth=1.6 if verdict else 0.5,
            path_effects=[withStroke(linewidth=3.5, foreground="white")],
        )
    if low[0] < minute < high[0]:
        # Left of it, the backlog is gone when the start comes.
        ax.axvline(minute, color=INK, linewidth=0.9, linestyle="--")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])


def _cells(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Corners of each point's cell, all that is nearest to it; points are in the unit square."""
    from scipy.spatial import Voronoi

    # Cells at the rim would be without end: points far outside close them.
    unique, which = np.unique(points.round(9), axis=0, return_inverse=True)
    far = np.array([[-9, -9], [-9, 10], [10, -9], [10, 10]])
    diagram = Voronoi(np.concatenate([unique, far]))
    return [diagram.vertices[diagram.regions[diagram.point_region[k]]] for k in np.ravel(which)]
