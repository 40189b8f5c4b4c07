"""Pictures of studies of starts and stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outsim.clock import SECOND
from outsim.plots.style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    interval_marks,
    legend,
    new_axes,
    scale_axis,
    time_unit,
    title,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.estimates import Estimate
    from outsim.questions.schedule import Schedule
    from outsim.questions.stop import StopRace


def _draw(
    ax: Axes,
    at: Sequence[float],
    found: Sequence[Estimate],
    *,
    factor: float = 1.0,
    origin: float = 0.0,
    mark: str = "o-",
    colour: str = BLUE,
    label: str | None = None,
) -> None:
    """Draw estimates with their intervals."""
    ax.errorbar(
        at,
        [origin + each.mean * factor for each in found],
        yerr=np.array([each.sides for each in found]).T * factor,
        fmt=mark,
        markersize=4,
        linewidth=1,
        capsize=2,
        color=colour,
        label=label,
    )


def start_sweep(
    schedule: Schedule, measure: str = "completed_by_deadline", ax: Axes | None = None
) -> Axes:
    """Draw one figure of a schedule against the start time, with its 95 % interval.

    The start that no other one beats has a bar behind it, where there is only one.

    Parameters
    ----------
    schedule : Schedule
        What `outsim.schedule` gives.
    measure : str
        Name of the figure.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    StudyError
        If the schedule has no such figure.
    """
    about = schedule.findings.measure(measure)
    ax = new_axes(ax)
    found = [schedule.mean(start, measure) for start in schedule.starts]
    begins = schedule.findings.scenarios[0].clock.begins
    known = [each.mean for each in found if np.isfinite(each.mean)]
    unit = {"share": "calls", "seconds": "duration", "clock": "local time"}.get(about.kind, "")
    scale = scale_axis(ax.yaxis, about.kind, unit, begins, max(known, default=0.0))
    places = range(len(schedule.starts))
    _draw(ax, places, found, factor=scale.factor, origin=scale.origin)
    marks = interval_marks(len(places))
    ax.set_xticks(marks, [schedule.label(schedule.starts[k]) for k in marks])
    ax.set_xlabel(f"start, local time, {begins.tzinfo}")
    title(ax, schedule.findings.label(about))
    ranking = schedule.ranking(measure)
    if ranking.best is not None:
        k = schedule.starts.index(ranking.best)
        ax.axvline(k, color=BLUE, alpha=0.25, linewidth=6, zorder=0)
    return ax


def dials_after_stop(race: StopRace, ax: Axes | None = None) -> Axes:
    """Draw what is dialled after a stop, over the time from the start to the request.

    Parameters
    ----------
    race : StopRace
        What `outsim.stop_race` gives.
    ax : Axes, optional
        Where to draw; default: a new figure.

    Returns
    -------
    Axes
        Dials, retries included, from the request on and from its effect on, each with its
        95 % interval.
    """
    ax = new_axes(ax)
    stops = race.after_us
    unit, size_us = _unit(stops[-1])
    at = [each / size_us for each in stops]
    total = [race.dialled_after(each) for each in stops]
    unreached = [race.dialled_after_effect(each) for each in stops]
    _draw(ax, at, total, label="from the request on")
    _draw(ax, at, unreached, mark="s--", colour=VERMILION, label="from its effect on")
    title(ax, "dials after the stop")
    ax.set_xlabel(f"from the start to the stop ({unit})")
    ax.set_ylabel("dials, retries included")
    ax.set_ylim(bottom=0)
    whole_numbers(ax.yaxis)
    legend(ax)
    return ax


def saved_by_stop(race: StopRace, ax: Axes | None = None) -> Axes:
    """Draw the share of dials that a stop saves, over the time from the start to the request.

    Dotted lines lead to the last moments until which it saves half and nine in ten of them,
    where these are known.

    Parameters
    ----------
    race : StopRace
        What `outsim.stop_race` gives.
    ax : Axes, optional
        Where to draw; default: a new figure.
    """
    ax = new_axes(ax)
    # Once nothing is saved any more, there is no more to see.
    found = [race.saved_share(each) for each in race.after_us]
    count = next((k for k, each in enumerate(found, 1) if not each.mean > 0), len(found))
    stops = race.after_us[:count]
    unit, size_us = _unit(stops[-1])
    _draw(ax, [each / size_us for each in stops], found[:count], factor=100.0)
    title(ax, "dials saved by the stop")
    ax.set_xlabel(f"from the start to the stop ({unit})")
    ax.set_ylabel("dials, retries included (%)")
    for share, last in race.last_moments.items():
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
