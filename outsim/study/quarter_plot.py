"""The map of when a quarter past helps, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outsim.study.quarter_map import QuarterMap

_UNITS = {"share": (100.0, "points"), "seconds": (1 / 60, "min"), "clock": (1 / 60, "min")}
"""Factor from a figure to the unit that it is shown in, and that unit, by kind."""

_REACH = 0.1
"""How far a cell goes at most from where its regime was measured, as a share of the panel."""

_TITLES = {
    "completed_share": "gain in completions",
    "duration_s": "gain in time from start to end",
    "finished_s": "gain in the clock time of the end",
    "status_lag_p90_s": "gain in status lag, 9 in 10",
}


def plot_map(found: QuarterMap, name: str, axes: Any = None) -> Any:
    """Panels of the gain in a figure, by drain time and headroom; see `QuarterMap.plot`."""
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm

    shape = (len(found.retries), len(found.minutes))
    if axes is None:
        _, axes = plt.subplots(
            *shape,
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
            figsize=(1.2 + 2.7 * shape[1], 0.9 + 2.4 * shape[0]),
        )
    axes = np.asarray(axes).reshape(shape)
    factor, unit = _UNITS[found.measures[name].kind]
    gains = np.array(
        [[found.gain(k, m, name).mean for m in found.minutes] for k in range(len(found.regimes))]
    )
    most = max(float(np.nanmax(np.abs(gains), initial=0.0)) * factor, 1e-9)
    colours = ScalarMappable(TwoSlopeNorm(0, -most, most), "RdBu")
    for row, max_retry in enumerate(found.retries):
        for column, minute in enumerate(found.minutes):
            plot_panel(found, max_retry, minute, name, colours, axes[row, column])
    for ax in axes[-1]:
        ax.set_xlabel("backlog of :00 drained after, min")
    for ax in axes[:, 0]:
        ax.set_ylabel("carrier's headroom, %")
    figure = axes[0, 0].figure
    figure.colorbar(colours, ax=axes, shrink=0.8).set_label(f"{_TITLES[name]}, {unit}")
    figure.suptitle("starts held against :00\nblue: better; red: worse; blank: not clear", size=10)
    return axes


def plot_panel(
    found: QuarterMap, max_retry: int, minute: int, name: str, colours: Any, ax: Any
) -> Any:
    """One panel: every regime has the cell of what is nearest to where it was measured.

    No cell goes further than a tenth of the panel: beyond it, nothing was measured.

    Parameters
    ----------
    colours : ScalarMappable
        Colour of a gain in the unit that is shown.

    Returns
    -------
    matplotlib axes
        The panel.
    """
    from matplotlib.patches import Rectangle

    factor, _ = _UNITS[found.measures[name].kind]
    places = found.places(max_retry)
    points = np.array([[found.drain_s(k).mean / 60, 100 * found.headroom(k).mean] for k in places])
    known = np.isfinite(points).all(axis=1)
    places, points = (
        [k for k, is_known in zip(places, known, strict=True) if is_known],
        points[known],
    )
    ax.set_title(f":{minute:02d}, {max_retry} {'retry' if max_retry == 1 else 'retries'}", size=10)
    if not places:
        return ax
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin
    found_at = dict(zip(places, points, strict=True))
    for k, corners in zip(places, _cells((points - low) / (high - low)), strict=True):
        if found.verdict(k, minute, name):
            colour = colours.to_rgba(found.gain(k, minute, name).mean * factor)
            (cell,) = ax.fill(*(low + corners * (high - low)).T, facecolor=colour, linewidth=0)
            centre, reach = found_at[k], _REACH * (high - low)
            near = Rectangle(tuple(centre - reach), *(2 * reach), transform=ax.transData)
            cell.set_clip_path(near)
    ax.plot(*points.T, ".", color="0.35", markersize=2.5)
    if low[0] < minute < high[0]:
        # Left of it, the backlog is gone when the start comes.
        ax.axvline(minute, color="0.2", linewidth=0.8, linestyle="--")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    return ax


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
