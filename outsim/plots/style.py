"""How every picture looks: axes, colours, units, local clock times.

Colours are those of Okabe and Ito (2008, "Color universal design"), which people with any kind of
colour vision can tell apart. What differs in colour differs in its line, its mark, its hatch or
its place as well, so that a picture can be read in print without colours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsim.disk import atomic_write, check_writable, reason
from outsim.errors import StudyError
from outsim.text import shortened, visible_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, GREY, INK = "#56B4E9", "#CC79A7", "#F0E442", "#999999", "#333333"

Given = ParamSpec("Given")
Drawn = TypeVar("Drawn")

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW)
"""In this order, for what is drawn side by side."""
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))
HATCHES = ("", "////", "....", "\\\\\\\\", "xx", "----", "++")
"""One for each of the colours."""
HATCHING = (1.0, 1.0, 1.0, 0.6)
"""Colour of hatches: enough to tell areas apart, and no more."""

DIFFERENCE_UNITS = {
    "share": (100.0, "points"),
    "seconds": (1 / 60, "min"),
    "clock": (1 / 60, "min"),
}
"""Factor from a difference to the unit that it is shown in, and that unit, by kind."""

_LONG_S = 300.0
"""Times from here on are shown in minutes, ..."""
_VERY_LONG_S = 5 * 3600.0
"""... and from here on in hours."""

_SMALL = "small"


def draws(function: Callable[Given, Drawn]) -> Callable[Given, Drawn]:
    """Decorate a picture: what it is given first must be what its first annotation names."""
    name, annotation = next(iter(function.__annotations__.items()))
    several, _, types = annotation.removesuffix("]").rpartition("[")
    kinds = types.split(" | ")

    def is_right(thing: Any) -> bool:
        return any(base.__name__ in kinds for base in type(thing).__mro__)

    @wraps(function)
    def drawn(*given: Given.args, **named: Given.kwargs) -> Drawn:
        of = given[0] if given else named.get(name)
        if not (isinstance(of, Sequence) and all(map(is_right, of)) if several else is_right(of)):
            answered = "; await it, or call run(), for its answer" if hasattr(of, "run") else ""
            raise StudyError(
                f"plots.{function.__name__}: {name} must be "
                f"{'a sequence of' if several else 'of type'} {' or '.join(kinds)}; "
                f"found {shortened(repr(of), 60)}{answered}"
            )
        return function(*given, **named)

    return drawn


def new_axes(ax: Axes | None, rows: float = 6) -> Axes:
    """The axes that were given, or those of a new picture with room for so many rows, in style."""
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(7, 1.2 + 0.4 * rows), layout="constrained")
    return format_axes(ax)


def format_axes(ax: Axes) -> Axes:
    """Put axes into the style that all pictures share."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=_SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(_SMALL)
        axis.offsetText.set_fontsize(_SMALL)
    return ax


def given_axes(
    axes: Sequence[Axes] | None, count: int, *, columns: int = 2, height: float = 2.6
) -> list[Axes]:
    """So many axes: those given, or panels of a new figure; `height` of each in inches."""
    import matplotlib.pyplot as plt

    if axes is not None:
        if len(axes) != count:
            raise StudyError(f"{len(axes)} axes: this picture takes {count}, one a panel")
        return list(axes)
    rows = -(-count // columns)
    width = 7.0 if columns == 1 else 5.0 * columns
    figure, grid = plt.subplots(
        rows, columns, figsize=(width, height * rows), squeeze=False, layout="constrained"
    )
    for spare in grid.flat[count:]:
        figure.delaxes(spare)
    return [*grid.flat][:count]


def width_in(ax: Axes, side: str = "width") -> float:
    """How wide axes are at present, or with ``"height"`` how high, in inches."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return float(getattr(ax.get_window_extent(), side) / figure.dpi)


def plain(text: str) -> str:
    """A name as it is drawn: dollars begin no formula, and legends show a leading underscore."""
    text = visible_lines(text).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def title(ax: Axes, text: str) -> None:
    """Set the title of axes, in as many lines as their width asks for."""
    ax.set_title(textwrap.fill(plain(text), max(24, int(14 * width_in(ax)))), fontsize="medium")


def legend(ax: Axes, **options: Any) -> None:
    """Tell what is drawn, where matplotlib finds room for it."""
    ax.legend(**_LEGEND | options)


_LEGEND: dict[str, Any] = {"fontsize": _SMALL, "framealpha": 0.85, "edgecolor": "none"}

_CHARACTERS_AN_INCH = 13
_ROW_IN = 0.19
"""Of small letters."""


def legend_above(ax: Axes, highest: float, handles: Sequence[Any] | None = None) -> None:
    """Tell what is drawn in a row of its own above what is `highest`; nothing is covered."""
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    room = min(0.6, legend_on_top(ax, shown) / width_in(ax, "height"))
    ax.set_ylim(0, max(highest, 1e-9) * 1.04 / (1 - room))


def legend_on_top(ax: Axes, handles: Sequence[Any]) -> float:
    """Tell what is drawn in rows at the top of axes; gives how high these are, in inches."""
    longest = max((len(str(artist.get_label())) for artist in handles), default=0)
    columns = max(1, int(width_in(ax) * _CHARACTERS_AN_INCH / (longest + 8)))
    place = {"loc": "upper left", "ncols": min(columns, max(1, len(handles)))}
    style = {"borderaxespad": 0.2, "columnspacing": 1.2, "handlelength": 1.8}
    ax.legend(handles=handles, **_LEGEND | place | style)
    return -(-len(handles) // columns) * _ROW_IN + 0.12


def draw_empty(ax: Axes, why: str) -> Axes:
    """Say on axes why there is nothing to draw."""
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=INK, wrap=True)
    ax.set_yticks([])
    return ax


@dataclass(frozen=True)
class Scale:
    """From figures to what is drawn."""

    factor: float
    origin: float = 0.0

    def at(self, figures: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where figures are drawn."""
        return self.origin + self.factor * figures


_DAY_S = 86_400.0


def time_unit(longest_s: float) -> tuple[str, float]:
    """Unit for times up to this one, and its seconds."""
    if longest_s >= _VERY_LONG_S:
        return "h", 3600.0
    return ("min", 60.0) if longest_s >= _LONG_S else ("s", 1.0)


def scale_axis(
    axis: Axis, kind: str, label: str | None, begins: datetime, longest_s: float
) -> Scale:
    """Label an axis for figures of a kind (of a measure), in units that people think in.

    `longest_s` is the longest time to be shown; clock times count from `begins` and become
    matplotlib's dates.
    """
    unit, factor = "", 1.0
    if kind == "share":
        unit, factor = " (%)", 100.0
    elif kind == "seconds":
        name, size = time_unit(longest_s)
        unit, factor = f" ({name})", 1 / size
    elif kind == "clock":
        clock_axis(axis, begins, label)
        return Scale(1 / _DAY_S, date_of(begins))
    axis.set_label_text(f"{label or ''}{unit}".strip())
    return Scale(factor)


def clock_axis(
    axis: Axis, begins: datetime, label: str | None = None, ends: datetime | None = None
) -> None:
    """Make an axis of matplotlib's dates one of local clock times, in the zone of `begins`.

    It goes to `ends`, or by what is drawn; by default its label says which day it is.
    """
    import matplotlib.dates

    dates: Any = matplotlib.dates  # it has no types
    across = axis is axis.axes.xaxis
    # Three hours or less are marked by half hours, and there must be room for that: for 7 of
    # them, or for 5 where hours do from two hours on.
    most = int(np.clip(1.9 * width_in(axis.axes), 5, 9)) if across else 7
    locator = dates.AutoDateLocator(tz=begins.tzinfo, minticks=3 if most > 6 else 2, maxticks=most)
    form = dates.ConciseDateFormatter(locator, tz=begins.tzinfo, show_offset=False)
    form.zero_formats = ["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"]
    form.formats = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
    axis.set_major_locator(locator)
    axis.set_major_formatter(form)
    if ends is not None:
        axis.axes.set_xlim(date_of(begins), date_of(ends))
    day = f"{begins:%a} {begins.day} {begins:%b %Y}"
    if ends is not None and ends.date() != begins.date():
        day += f" to {ends:%a} {ends.day} {ends:%b %Y}"
    text = f"{day}, local time, {begins.tzinfo}" if label is None else label
    axis.set_label_text(textwrap.fill(text, max(24, int(12 * width_in(axis.axes)))))


def instants_us(local: Iterable[Any]) -> NDArray[np.int64]:
    """Microseconds since 1970 of aware datetimes."""
    import pandas as pd

    return pd.DatetimeIndex(list(local)).as_unit("us").asi8


def dates_of(instants_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Places of instants, microseconds since 1970 in UTC, on an axis of matplotlib's dates."""
    import matplotlib.dates

    dates: Any = matplotlib.dates
    places: NDArray[np.float64] = dates.date2num(instants_us.astype("datetime64[us]"))
    return places


def date_of(instant: datetime) -> float:
    """Place of one instant on an axis of matplotlib's dates."""
    return float(dates_of(instants_us([instant]))[0])


def whole_numbers(axis: Axis) -> None:
    """Mark counts at whole numbers, thousands apart by commas."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axis.set_major_locator(MaxNLocator(nbins="auto", integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def mark_instant(ax: Axes, instant: datetime, text: str, top: float) -> None:
    """Mark an instant on a clock axis by a line up to `top`, with a word beside its end."""
    at = date_of(instant)
    ax.plot([at, at], [0, top], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
    low, high = ax.get_xlim()
    is_late = at - low > 0.6 * (high - low)
    ax.annotate(
        text,
        (at, top),
        xytext=(-3 if is_late else 3, -1),
        ha="right" if is_late else "left",
        textcoords="offset points",
        va="top",
        fontsize=_SMALL,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
    )


def check_picture(path: str | Path) -> Path:
    """The file of a picture, if it can be written there and its ending is that of a picture."""
    from matplotlib.backend_bases import FigureCanvasBase

    target = Path(path)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if target.suffix.removeprefix(".").lower() not in kinds:
        raise StudyError(f"picture {path}: its ending must be one of .{', .'.join(sorted(kinds))}")
    if not target.parent.is_dir():
        raise StudyError(f"picture {path}: there is no directory {target.parent}")
    try:
        check_writable(target)
    except OSError as error:
        raise _unwritable(path, error) from None
    return target


def save_picture(axes: Any, path: Path) -> None:
    """Write the figure that axes, one or several, are in, whole or not at all; then close it."""
    import matplotlib.pyplot as plt

    figure = np.ravel(axes)[0].get_figure(root=True)
    try:
        with atomic_write(path) as beside:
            figure.savefig(beside, dpi=150, format=path.suffix.removeprefix(".").lower())
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        plt.close(figure)


def _unwritable(path: str | Path, error: OSError) -> StudyError:
    return StudyError(f"picture {path}: can't be written ({reason(error)}); name another file")
