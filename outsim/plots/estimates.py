"""Pictures of answers over replications: estimates with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.clock import SECOND
from outsim.display import percent
from outsim.estimates import LEVEL, Estimate
from outsim.plots.style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    draws,
    given_axes,
    legend,
    new_axes,
    plain,
    scale_axis,
    time_unit,
    title,
    whole_numbers,
)
from outsim.studies.study_result import StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.questions.compare import Comparison
    from outsim.questions.eta import Forecast
    from outsim.questions.schedule import Schedule
    from outsim.questions.stop import StopRace


@draws
def compare(
    answer: Comparison | StudyResult,
    measure: str = "completed_by_deadline",
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure of every scenario with its 95 % interval, one below the other.

    Clock times stand on an axis of clock times. A scenario whose runs don't have the measure has
    its place and no mark.

    Raises
    ------
    StudyError
        If there is no such measure.
    """
    findings = answer if isinstance(answer, StudyResult) else answer.findings
    about = findings.measure(measure)
    names, label = findings.labels, findings.label(about)
    estimates = [findings.mean(place, measure) for place in range(len(names))]
    ax = new_axes(ax, len(names))
    means = np.array([estimate.mean for estimate in estimates])
    sides = np.array([estimate.sides for estimate in estimates]).reshape(-1, 2).T
    begins, longest = findings.scenarios[0].clock.begins, float(np.nanmax(means, initial=0.0))
    scale = scale_axis(ax.xaxis, about.kind, label, begins, longest)
    look: dict[str, Any] = {"fmt": "o", "color": BLUE, "capsize": 4, "label": label}
    ax.errorbar(scale.at(means), range(len(names)), xerr=sides * scale.factor, **look)
    _name_rows(ax, names)
    title(ax, f"mean and {percent(LEVEL)} interval over replications")
    return ax


@draws
def eta(forecast: Forecast, ax: Axes | None = None) -> Axes:
    """Draw the median and 90 % band of each instant on a clock, the first call on top.

    An instant that the runs don't come to has its place and no mark.
    """
    measures = [measure for measure in forecast.findings.measures if measure.kind == "clock"]
    quantiles = [forecast.quantiles(measure.name) for measure in measures]
    ax = new_axes(ax, len(measures))
    begins = forecast.findings.scenarios[0].clock.begins
    scale = scale_axis(ax.xaxis, "clock", None, begins, 0.0)
    for row, band in enumerate(quantiles):
        low, middle, high = scale.at(np.array([band.low, band.median, band.high]))
        if np.isfinite(middle):
            above = max(0.0, high - middle) if np.isfinite(high) else 0.0
            ends = [[max(0.0, middle - low)], [above]]
            ax.errorbar(middle, row, xerr=ends, fmt="o", capsize=4, color=BLUE)
    _name_rows(ax, [measure.label for measure in measures])
    title(ax, f"{forecast.campaign.name}: median and {forecast.band}")
    return ax


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


@draws
def schedule(answer: Schedule, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw each measure of a schedule against the start time, as `start_sweep` does."""
    names = [measure.name for measure in answer.findings.measures]
    return [
        start_sweep(answer, name, ax)
        for name, ax in zip(names, given_axes(axes, len(names)), strict=True)
    ]


@draws
def start_sweep(
    answer: Schedule, measure: str = "completed_by_deadline", ax: Axes | None = None
) -> Axes:
    """Draw a measure of a schedule against the start time, with its 95 % interval.

    The start that no other one beats has a bar behind it, where there is only one.

    Raises
    ------
    StudyError
        If the schedule has no such measure.
    """
    about = answer.findings.measure(measure)
    ax = new_axes(ax)
    means = [answer.mean(start, measure) for start in answer.starts]
    begins = answer.findings.scenarios[0].clock.begins
    known = [estimate.mean for estimate in means if np.isfinite(estimate.mean)]
    unit = {"share": "calls", "seconds": "duration", "clock": "local time"}.get(about.kind, "")
    scale = scale_axis(ax.yaxis, about.kind, unit, begins, max(known, default=0.0))
    places = range(len(answer.starts))
    _draw(ax, places, means, factor=scale.factor, origin=scale.origin)
    # Every so many-th, so that labels do not touch.
    marks = range(0, len(places), -(-len(places) // 8))
    ax.set_xticks(marks, [answer.label(answer.starts[k]) for k in marks])
    ax.set_xlabel(f"start, local time, {begins.tzinfo}")
    title(ax, answer.findings.label(about))
    ranking = answer.ranking(measure)
    if ranking.best is not None:
        k = answer.starts.index(ranking.best)
        ax.axvline(k, color=BLUE, alpha=0.25, linewidth=6, zorder=0)
    return ax


@draws
def stop(answer: StopRace, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw what is dialed after a stop, and the share of dials that it saves, over its time."""
    dials, saved = given_axes(axes, 2)
    return [dials_after_stop(answer, dials), saved_by_stop(answer, saved)]


@draws
def dials_after_stop(answer: StopRace, ax: Axes | None = None) -> Axes:
    """Draw what is dialed after a stop, over the time from the start to the request.

    Dials, retries included, from the request on and from its effect on, each with its 95 %
    interval.
    """
    ax = new_axes(ax)
    stops = answer.after_us
    unit, size_us = _unit(stops[-1])
    at = [stop_us / size_us for stop_us in stops]
    total = [answer.dialed_after(stop_us) for stop_us in stops]
    unreached = [answer.dialed_after_effect(stop_us) for stop_us in stops]
    _draw(ax, at, total, label="from the request on")
    _draw(ax, at, unreached, mark="s--", colour=VERMILION, label="from its effect on")
    title(ax, "dials after the stop")
    ax.set_xlabel(f"from the start to the stop ({unit})")
    ax.set_ylabel("dials, retries included")
    ax.set_ylim(bottom=0)
    whole_numbers(ax.yaxis)
    legend(ax)
    return ax


@draws
def saved_by_stop(answer: StopRace, ax: Axes | None = None) -> Axes:
    """Draw the share of dials that a stop saves, over the time from the start to the request.

    Dotted lines lead to the last moments until which it saves 50 % and 90 % of them, where these
    are known.
    """
    ax = new_axes(ax)
    # Once nothing is saved any more, there is no more to see.
    shares = [answer.saved_share(stop_us) for stop_us in answer.after_us]
    count = next((k for k, share in enumerate(shares, 1) if not share.mean > 0), len(shares))
    stops = answer.after_us[:count]
    unit, size_us = _unit(stops[-1])
    _draw(ax, [stop_us / size_us for stop_us in stops], shares[:count], factor=100.0)
    title(ax, "dials saved by the stop")
    ax.set_xlabel(f"from the start to the stop ({unit})")
    ax.set_ylabel("dials, retries included (%)")
    for share, last in answer.last_moments.items():
        ax.axhline(100 * share, color=GREY, linewidth=0.9, linestyle=":")
        if last.is_known:
            at = last.after_s.mean * SECOND / size_us
            ax.plot([at, at], [0, 100 * share], color=INK, linewidth=0.9, linestyle=":")
    ax.set_ylim(bottom=0)
    return ax


def _unit(longest_us: int) -> tuple[str, float]:
    """Unit of durations up to this one: its name, and its microseconds."""
    unit, size_s = time_unit(longest_us / SECOND)
    return unit, size_s * SECOND


def _draw(
    ax: Axes,
    at: Sequence[float],
    estimates: Sequence[Estimate],
    *,
    factor: float = 1.0,
    origin: float = 0.0,
    mark: str = "o-",
    colour: str = BLUE,
    label: str | None = None,
) -> None:
    """Draw estimates with their intervals, side by side."""
    ax.errorbar(
        at,
        [origin + estimate.mean * factor for estimate in estimates],
        yerr=np.array([estimate.sides for estimate in estimates]).T * factor,
        fmt=mark,
        markersize=4,
        linewidth=1,
        capsize=2,
        color=colour,
        label=label,
    )
