"""How studies of starts and stops draw themselves."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from outsim.clock import MINUTE, SECOND, after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from outsim.estimates import Estimate
    from outsim.study.schedule import Schedule
    from outsim.study.stop_race import StopRace
    from outsim.tables.measures import Measure

COLOUR = "tab:blue"


def plot_estimates(
    axis: Axes,
    at: Sequence[float],
    found: Sequence[Estimate],
    *,
    scale: float = 1.0,
    colour: str = COLOUR,
    label: str | None = None,
) -> None:
    """Draw estimates with their intervals; values are divided by `scale`."""
    axis.errorbar(
        at,
        [each.mean / scale for each in found],
        yerr=[each.half_width / scale for each in found],
        fmt="o-",
        markersize=4,
        linewidth=1,
        capsize=2,
        color=colour,
        label=label,
    )


def plot_starts(schedule: Schedule, measure: Measure, axis: Axes) -> None:
    """Draw one figure of a schedule against the start time."""
    found = [schedule.mean(start, measure.name) for start in schedule.starts]
    places = range(len(schedule.starts))
    labels = [schedule.label(start) for start in schedule.starts]
    if measure.kind == "share":
        plot_estimates(axis, places, found, scale=0.01)
        axis.set_ylabel("% of calls")
    elif measure.kind == "clock":
        plot_estimates(axis, places, found)
        _clock_axis(axis, schedule.findings.scenarios[0].clock.begins)
    else:
        in_minutes = max(each.mean for each in found) >= 120
        plot_estimates(axis, places, found, scale=60 if in_minutes else 1)
        axis.set_ylabel("min" if in_minutes else "s")
    step = -(-len(places) // 8)
    axis.set_xticks(places[::step], labels[::step])
    axis.set_xlabel("start")
    axis.set_title(schedule.findings.label(measure), fontsize="medium")
    ranking = schedule.ranking(measure.name)
    if ranking.best is not None:
        k = schedule.starts.index(ranking.best)
        axis.axvline(k, color=COLOUR, alpha=0.25, linewidth=6, zorder=0)


def plot_stops(race: StopRace, dialled: Axes, saved: Axes) -> None:
    """Draw what is dialled after stops, and what they save, over their time after the start."""
    from outsim.study.stop_race import SHARES

    stops = race.after_us
    size, unit = _unit(stops[-1])
    at = [each / size for each in stops]
    total = [race.dialled_after(each) for each in stops]
    unreached = [race.dialled_after_effect(each) for each in stops]
    plot_estimates(dialled, at, total, label="from the request on")
    plot_estimates(dialled, at, unreached, colour="tab:orange", label="from its effect on")
    dialled.set_title("dials after the stop", fontsize="medium")
    dialled.set_xlabel(f"{unit} from the start to the stop")
    dialled.legend()
    # Once nothing is saved any more, there is no more to see.
    found = [race.saved_share(each) for each in stops]
    shown = next((k for k, each in enumerate(found, 1) if not each.mean > 0), len(found))
    size, unit = _unit(stops[shown - 1])
    plot_estimates(saved, [each / size for each in stops[:shown]], found[:shown], scale=0.01)
    saved.set_title("calls saved", fontsize="medium")
    saved.set_xlabel(f"{unit} from the start to the stop")
    saved.set_ylabel("% of calls")
    for share in SHARES:
        saved.axhline(100 * share, color="grey", linewidth=0.8, linestyle=":")
        last = race.last_moment(share)
        if last.is_known:
            at_us = last.after_s.mean * SECOND
            saved.axvline(at_us / size, color="grey", linewidth=0.8, linestyle=":")
    for axis in (dialled, saved):
        axis.set_ylim(bottom=0)


def _unit(longest_us: int) -> tuple[int, str]:
    """Unit of durations up to this one: its microseconds, and its name."""
    return (MINUTE, "min") if longest_us >= 5 * MINUTE else (SECOND, "s")


_CLOCK_STEPS_S = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def _clock_axis(axis: Axes, begins: datetime) -> None:
    """Label seconds since a run begins by the local clock, at full minutes and hours."""
    from matplotlib.ticker import FuncFormatter

    low, high = axis.get_ylim()
    step = next((s for s in _CLOCK_STEPS_S if (high - low) / s <= 6), _CLOCK_STEPS_S[-1])
    since_midnight = begins.hour * 3600 + begins.minute * 60 + begins.second
    first = int(-(-(low + since_midnight) // step)) * step - since_midnight
    axis.set_yticks([*range(first, int(high) + 1, step)])
    form = "%H:%M" if step >= 60 else "%H:%M:%S"
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda s, _: after(begins, round(s * SECOND)).strftime(form))
    )
    axis.set_ylabel("local time")
