"""Pictures of what studies found; each takes the axes to draw on, and returns them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_DAY_S = 86_400.0

_LONG_S = 300.0
"""Times from here on are shown in minutes."""


def new_axes(ax: Axes | None, rows: int = 5) -> Axes:
    """The axes that were given, or those of a new picture, high enough for so many rows."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, made = pyplot.subplots(figsize=(7, 1.2 + 0.4 * rows), layout="constrained")
    return made


@dataclass(frozen=True)
class Scale:
    """From figures to what is drawn."""

    factor: float
    origin: float = 0.0

    def at(self, figures: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where figures are drawn."""
        return self.origin + self.factor * figures


def scale_axis(axis: Axis, kind: str, label: str, begins: datetime, longest_s: float) -> Scale:
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
    Scale
        Where figures are to be drawn; clock times become matplotlib's dates.
    """
    unit, factor = "", 1.0
    if kind == "share":
        unit, factor = " (%)", 100.0
    elif kind == "seconds":
        unit, factor = (" (min)", 1 / 60) if longest_s >= _LONG_S else (" (s)", 1.0)
    elif kind == "clock":
        import matplotlib.dates

        dates: Any = matplotlib.dates  # it has no types
        locator = dates.AutoDateLocator(tz=begins.tzinfo, maxticks=7)
        axis.set_major_locator(locator)
        axis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=begins.tzinfo))
        axis.set_label_text(label)
        return Scale(1 / _DAY_S, float(dates.date2num(begins)))
    axis.set_label_text(f"{label}{unit}")
    return Scale(factor)


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
    scale = scale_axis(ax.xaxis, kind, label, begins, float(known.max()) if len(known) else 0.0)
    places = np.arange(len(names))
    ax.errorbar(
        scale.at(means), places, xerr=half_widths * scale.factor, fmt="o", capsize=4, label=label
    )
    ax.set_yticks(places, list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set_title(f"mean and {LEVEL:.0%} interval over replications", fontsize="medium")
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
    scale = scale_axis(ax.xaxis, "clock", "local time", begins, 0.0)
    for place, band in enumerate(bands):
        low, middle, high = scale.at(np.array(band))
        if not np.isfinite(middle):
            continue
        ends = [[max(0.0, middle - low)], [max(0.0, high - middle) if np.isfinite(high) else 0.0]]
        ax.errorbar(middle, place, xerr=ends, fmt="o", capsize=4, color="tab:blue")
    ax.set_yticks(range(len(names)), list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    return ax


def panels(count: int, *, columns: int = 2) -> list[Axes]:
    """New figure with so many panels, in rows of `columns`."""
    import matplotlib.pyplot as plt

    rows = -(-count // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(5 * columns, 2.6 * rows), squeeze=False, layout="constrained"
    )
    axes: list[Axes] = [*grid.flat]
    for spare in axes[count:]:
        figure.delaxes(spare)
    return axes[:count]


def check_picture(path: str | Path) -> Path:
    """Path of a picture that can be written.

    Raises
    ------
    StudyError
        If its ending stands for no kind of picture, or its directory is not there.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    target = Path(path)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if target.suffix.removeprefix(".").lower() not in kinds:
        raise StudyError(f"picture {path}: its ending must be one of .{', .'.join(sorted(kinds))}")
    if not target.parent.is_dir():
        raise StudyError(f"picture {path}: there is no directory {target.parent}")
    return target


def save_picture(axes: Sequence[Axes], path: Path) -> None:
    """Write the figure that some axes are in, and let go of it.

    Raises
    ------
    StudyError
        If it can't be written.
    """
    import matplotlib.pyplot as plt

    figure = axes[0].get_figure(root=True)
    assert figure is not None
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise StudyError(f"picture {path}: {error.strerror or error}") from None
    finally:
        plt.close(figure)
