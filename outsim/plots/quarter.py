"""The map of when a quarter past helps, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.plots.style import DIFFERENCE_UNITS, INK, dress, new_axes, say_nothing

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
    "finished_s": "gain in the clock time of the end",
    "status_lag_p90_s": "gain in status lag, 9 in 10",
}


def start_map(found: StartMap, name: str = "completed_share", axes: Any = None) -> Any:
    """Panels of the gain in a figure, by drain time and headroom; see `StartMap.plot`."""
    import matplotlib.pyplot as plt

    found.check(name)
    shape = (len(found.retries), len(found.minutes))
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
    colours = _colours(found, name)
    for row, max_retry in enumerate(found.retries):
        for column, minute in enumerate(found.minutes):
            _panel(found, max_retry, minute, name, colours, axes[row, column])
    for ax in axes[-1]:
        ax.set_xlabel(_DRAINED)
    for ax in axes[:, 0]:
        ax.set_ylabel(_HEADROOM)
    figure = axes[0, 0].figure
    _key(found, name, colours, [*axes.flat])
    figure.suptitle(_READING, size="medium")
    return axes


def quarter_panel(
    found: StartMap,
    minute: int,
    max_retry: int | None = None,
    name: str = "completed_share",
    ax: Axes | None = None,
) -> Axes:
    """Draw the gain in a figure of one start of a map, by drain time and headroom.

    Parameters
    ----------
    found : StartMap
        What `outsim.start_map` gives.
    minute : int
        The start, as the minute of the hour.
    max_retry : int, optional
        Retries of the campaign under study; default: the fewest that the map has.
    name : str
        Figure whose gain is drawn.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    StudyError
        If the map has no such start or figure.
    """
    retries = found.retries[0] if max_retry is None else max_retry
    if retries not in found.retries:
        raise StudyError(unknown_name("count of retries", retries, found.retries, "in the map"))
    found.gain(0, minute, name)
    ax = new_axes(ax)
    colours = _colours(found, name)
    _panel(found, retries, minute, name, colours, ax)
    ax.set_xlabel(_DRAINED)
    ax.set_ylabel(_HEADROOM)
    ax.set_title(f"{ax.get_title()}\n{_READING}", size="medium")
    _key(found, name, colours, [ax])
    return ax


_DRAINED = "backlog of :00 drained after (min)"
_HEADROOM = "carrier's headroom (%)"
_READING = "against a start at :00: + better, \u2212 worse, dot: not clear"


def _colours(found: StartMap, name: str) -> ScalarMappable:
    """Colour of a gain, in the unit that it is shown in; white for none."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm

    factor, _ = DIFFERENCE_UNITS[found.measures[name].kind]
    gains = np.array(
        [[found.gain(k, m, name).mean for m in found.minutes] for k in range(len(found.regimes))]
    )
    most = max(float(np.nanmax(np.abs(gains), initial=0.0)) * factor, 1e-9)
    return ScalarMappable(TwoSlopeNorm(0, -most, most), "RdBu")


def _key(found: StartMap, name: str, colours: ScalarMappable, axes: list[Axes]) -> None:
    _, unit = DIFFERENCE_UNITS[found.measures[name].kind]
    bar = axes[0].figure.colorbar(colours, ax=axes, shrink=0.8)
    bar.set_label(f"{_TITLES[name]} ({unit})", size="small")
    bar.ax.tick_params(labelsize="small")


def _panel(
    found: StartMap, max_retry: int, minute: int, name: str, colours: ScalarMappable, ax: Axes
) -> None:
    """One panel: every regime has the cell of what is nearest to where it was measured.

    No cell goes further than a tenth of the panel: beyond it, nothing was measured.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    dress(ax).grid(visible=False)
    factor, _ = DIFFERENCE_UNITS[found.measures[name].kind]
    places = found.places(max_retry)
    points = np.array([[found.drain_s(k).mean / 60, 100 * found.headroom(k).mean] for k in places])
    points = points.reshape(-1, 2)
    known = np.isfinite(points).all(axis=1)
    places, points = (
        [k for k, is_known in zip(places, known, strict=True) if is_known],
        points[known],
    )
    ax.set_title(f":{minute:02d}, {max_retry} {'retry' if max_retry == 1 else 'retries'}", size=10)
    if not places:
        say_nothing(ax, "no regime has a drain time and a headroom")
        return
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin
    found_at = dict(zip(places, points, strict=True))
    for k, corners in zip(places, _cells((points - low) / (high - low)), strict=True):
        if found.verdict(k, minute, name):
            gain = np.array([found.gain(k, minute, name).mean * factor])
            (cell,) = ax.fill(
                *(low + corners * (high - low)).T, facecolor=colours.to_rgba(gain)[0], linewidth=0
            )
            centre, reach = found_at[k], _REACH * (high - low)
            begin, end = np.maximum(centre - reach, low), np.minimum(centre + reach, high)
            near = Rectangle(tuple(begin), *(end - begin), transform=ax.transData)
            cell.set_clip_path(near)
    verdicts = np.array([found.verdict(k, minute, name) for k in places])
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
    """Corners of each point's cell: all that is nearer to it than to any other.

    Points are in the unit square, of shape (n, 2); those that coincide share one cell.
    """
    from scipy.spatial import Voronoi

    # Cells at the rim would be without end: points far outside close them.
    unique, which = np.unique(points.round(9), axis=0, return_inverse=True)
    far = np.array([[-9, -9], [-9, 10], [10, -9], [10, 10]])
    diagram = Voronoi(np.concatenate([unique, far]))
    return [diagram.vertices[diagram.regions[diagram.point_region[k]]] for k in np.ravel(which)]
