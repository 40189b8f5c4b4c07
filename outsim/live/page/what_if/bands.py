"""The day of a base and of what is compared with it, as data for charts, tables and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import SECOND, format_duration
from outsim.plots.style import BLUE, VERMILION
from outsim.studies.study_data import StudyData

HALF, MOST = 0.5, 0.9
"""Shares of the replications that bands hold."""
MOST_POINTS = 360
"""Minutes that a chart shows, at most; of longer days every second minute, every third."""
MOST_ROWS = 12
"""Instants that the table beside a chart shows, about."""
COLOURS = (BLUE, VERMILION)
LINES = ("dashed", "solid")
"""Of the base, and of what is compared with it."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """What one chart is about: a column of a study's series."""

    column: str
    title: str
    shown: Callable[[float], str]
    size: float = 1.0
    """How many of its unit one on the axis is."""


QUANTITIES = (
    Quantity("queue", "Calls in the queue", "{:,.0f}".format),
    Quantity("busy_ports", "Busy ports", "{:,.0f}".format),
    Quantity(
        "status_lag_p90_s",
        "p90 status lag, in minutes",
        lambda lag_s: format_duration(lag_s * SECOND),
        60.0,
    ),
)


@dataclass(frozen=True)
class Day:
    """What one chart shows."""

    title: str
    options: dict[str, Any]
    """What it is drawn from."""
    alt: str
    """What it shows, for those who don't see it."""
    columns: list[str]
    rows: list[list[str]]
    """Some of its instants: median, and where 90 % of the replications are."""


def days(study: StudyData, replications: range) -> list[Day]:
    """What is shown of some replications of a study, minute by minute, while all of them run."""
    running = study.bands("queue", MOST, replications)["replications"] == len(replications)
    by_instant = running.groupby(level="at").agg(["all", "size"])
    grid = by_instant.index[by_instant["all"] & (by_instant["size"] == len(study.labels))]
    grid = grid[:: -(-len(grid) // MOST_POINTS)]
    return [_day(study, quantity, replications, grid) for quantity in QUANTITIES]


@dataclass(frozen=True)
class _Bands:
    """One scenario's median and bands, by instant."""

    name: str
    median: Values
    inner: tuple[Values, Values]
    outer: tuple[Values, Values]

    def text(self, quantity: Quantity, k: int) -> str:
        """What is there at an instant."""
        if np.isnan(self.median[k]):
            return "-"
        low, high = (quantity.shown(float(side[k])) for side in self.outer)
        return f"{quantity.shown(float(self.median[k]))} ({low} to {high})"


def _day(study: StudyData, quantity: Quantity, replications: range, grid: pd.Index) -> Day:
    # In few of them something happened: they say nothing of the others.
    half, most = (
        bands.where(bands["replications"] >= len(replications) / 2)
        for bands in (study.bands(quantity.column, share, replications) for share in (HALF, MOST))
    )
    form = "%H:%M" if len({at.date() for at in grid}) == 1 else "%m-%d %H:%M"
    at = [instant.strftime(form) for instant in grid]
    scenarios = []
    for name in study.labels:
        inner, outer = (bands.loc[name].reindex(grid) for bands in (half, most))
        sides = [(of["low"].to_numpy(), of["high"].to_numpy()) for of in (inner, outer)]
        scenarios.append(_Bands(name, half.loc[name].reindex(grid)["median"].to_numpy(), *sides))
    count = len(replications)
    step = max(1, len(at) // MOST_ROWS)
    return Day(
        quantity.title,
        _chart(quantity, at, scenarios),
        f"{quantity.title}, minute by minute, over {count} replications. "
        + "; ".join(_peak(quantity, at, bands) for bands in scenarios)
        + ".",
        ["time", *(f"{name} ({count} replications)" for name in study.labels)],
        [
            [at[k], *(bands.text(quantity, k) for bands in scenarios)]
            for k in range(0, len(at), step)
        ],
    )


def _peak(quantity: Quantity, at: list[str], bands: _Bands) -> str:
    if np.isnan(bands.median).all():
        return f"{bands.name}: nothing happens"
    k = int(np.nanargmax(bands.median))
    return f"{bands.name}: highest at {at[k]}, {bands.text(quantity, k)}"


# What a chart is drawn from


def _css(name: str) -> str:
    """A colour of the theme that the browser has."""
    return f"getComputedStyle(document.body).getPropertyValue('{name}')"


REPAINT = f"""
    const soft = {_css("--soft")}, line = {_css("--line")};
    for (const id of CHARTS) getElement(id)?.chart?.setOption({{
        xAxis: {{axisLabel: {{color: soft}}, axisLine: {{lineStyle: {{color: soft}}}}}},
        yAxis: {{axisLabel: {{color: soft}}, splitLine: {{lineStyle: {{color: line}}}}}},
    }});
"""
"""Has the browser paint charts anew, in the colours of another theme."""

_TOOLTIP = (
    "(points) => [points[0].axisValue, ...points.filter(p => p.data && p.data.text)"
    ".map(p => p.seriesName + ': ' + p.data.text)].join('\\n')"
)


def _chart(quantity: Quantity, at: list[str], scenarios: list[_Bands]) -> dict[str, Any]:
    soft = {":color": _css("--soft")}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 12, "bottom": 4, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": at,
            "boundaryGap": False,
            "axisLabel": {"interval": _interval(len(at)), **soft},
            "axisLine": {"lineStyle": soft},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "splitNumber": 3,
            "axisLabel": soft,
            "splitLine": {"lineStyle": {":color": _css("--line")}},
        },
        # Drawn, not written as HTML: names are anybody's.
        "tooltip": {
            "trigger": "axis",
            "renderMode": "richText",
            "confine": True,
            ":formatter": _TOOLTIP,
        },
        "series": [
            series
            for place, bands in enumerate(scenarios)
            for series in _series(quantity, bands, place)
        ],
    }


def _interval(points: int) -> int:
    """Points without a label between two that have one: whole hours, or parts of one."""
    return next((n for n in (5, 10, 15, 30, 60, 120) if points <= 6 * n), -(-points // 6)) - 1


def _series(quantity: Quantity, bands: _Bands, place: int) -> Iterator[dict[str, Any]]:
    """The two bands of a scenario, each upon what is below it, and its median."""
    colour = COLOURS[place]
    for name, (low, high), opacity in (("outer", bands.outer, 0.14), ("inner", bands.inner, 0.24)):
        for values, area in ((low, 0.0), (high - low, opacity)):
            yield {
                "type": "line",
                "stack": f"{name} {place}",
                "data": _points(values / quantity.size),
                "symbol": "none",
                "silent": True,
                "lineStyle": {"opacity": 0},
                "areaStyle": {"color": colour, "opacity": area},
            }
    medians = _points(bands.median / quantity.size)
    yield {
        "type": "line",
        "name": bands.name,
        "data": [{"value": v, "text": bands.text(quantity, k)} for k, v in enumerate(medians)],
        "symbol": "none",
        "color": colour,
        "lineStyle": {"color": colour, "width": 2.5, "type": LINES[place]},
    }


def _points(values: Values) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]
