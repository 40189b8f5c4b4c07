"""How hard a platform is driven at the top of an hour: the backlog there, the carrier's room.

These figures are about the whole run and not only about the calls of a view. The hour is the
one, by the local clock, in which the campaign under study starts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsim.clock import HOUR, MINUTE, MISSING, SECOND
from outsim.plan import Plan
from outsim.results.measures import Measure
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.flows import CARRIED, queue_flow, settled
from outsim.results.tables.run_tables import RunTables
from outsim.results.view import View
from outsim.vocabulary import CAUSES

BUILDS_UP_US = 5 * MINUTE
"""Time after the top of the hour in which its lists are loaded: the backlog is there by then."""

_CARRIED = np.array([cause in CARRIED for cause in CAUSES])


def _top_us(plan: Plan) -> int | None:
    """Instant of the full hour before the start of the campaign under study."""
    if plan.under_study < 0:
        return None
    offset_us = plan.platform.carrier_minute_offset_us
    since_hour_us = plan.campaigns[plan.under_study].start_us + offset_us
    return since_hour_us - since_hour_us % HOUR - offset_us


def drain_s(view: View) -> float:
    """Time after the top of the hour until the backlog made there is gone, in seconds.

    The outbound queue of all calls but those under study is looked at. It is where it was once
    it is, after its longest in the first five minutes of the hour, no longer than just before
    the hour. 0 where the hour adds nothing to it; NaN where that is not so by the end of the
    run, or the run is not known.
    """
    run = view.arrays
    top_us = None if run is None else _top_us(run.plan)
    if run is None or top_us is None:
        return float("nan")
    at, length = _others_queue(run)
    before, built = np.searchsorted(at, [top_us, top_us + BUILDS_UP_US])
    level = length[before - 1] if before else 0
    if built == before or length[before:built].max() <= level:
        return 0.0 if run.ended_us > top_us + BUILDS_UP_US else float("nan")
    longest = before + int(np.argmax(length[before:built]))
    back = np.flatnonzero(length[longest:] <= level)
    return float(at[longest + back[0]] - top_us) / SECOND if len(back) else float("nan")


def _others_queue(run: RunArrays) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Instants since the run begins, and the queue from each on; calls under study left out."""
    rank, frames = run.plan.under_study, RunTables(run)
    rows = run.rows_of(lambda plan: plan.rank != rank)
    at, length = settled(
        queue_flow(
            frames.calls(("call_id", "wedged")),
            frames.attempts(("call_id", "dispatched_at"), rows(run.attempts["call_id"])),
            frames.changes(("call_id", "status", "happened_at"), rows(run.updates["call_id"])),
        ).steps()
    )
    return at - run.origin_us, length


def carrier_headroom(view: View) -> float:
    """What the carrier leaves to the platform, over what the platform asks of it at its peak.

    Minute by minute in the hour, its rate over the attempts dialed, and its channels over the
    most that were busy at once; the least of these less 1. So 0.5 means that half as much again
    would go through, and -0.25 that it takes three quarters of what is asked. NaN where nothing
    is dialed in that hour, or the run is not known.
    """
    run = view.arrays
    top_us = None if run is None else _top_us(run.plan)
    if run is None or top_us is None:
        return float("nan")
    platform, attempts = run.plan.platform, run.attempts
    dialed, ended = attempts["dialed"], attempts["ended"]
    dialed_by_minute = _minutes(dialed, top_us)
    carried = _CARRIED[attempts["cause"]] & (dialed != MISSING)
    busy = _most_at_once(dialed[carried], ended[carried], top_us)
    rates_per_min = platform.carrier_rates * MINUTE / 1e12
    ratios = np.concatenate(
        [
            rates_per_min[dialed_by_minute > 0] / dialed_by_minute[dialed_by_minute > 0],
            platform.carrier_channels[busy > 0] / busy[busy > 0],
        ]
    )
    return float(ratios.min()) - 1 if len(ratios) else float("nan")


def _minutes(instants: NDArray[np.int64], top_us: int) -> NDArray[np.int64]:
    """How many of the instants lie in each of the 60 minutes from here on."""
    inside = (instants >= top_us) & (instants < top_us + HOUR) & (instants != MISSING)
    return np.bincount((instants[inside] - top_us) // MINUTE, minlength=60)


def _most_at_once(
    begun: NDArray[np.int64], ended: NDArray[np.int64], top_us: int
) -> NDArray[np.int64]:
    """Most intervals that are open at once in each of the 60 minutes from here on."""
    begun, ended = np.sort(begun), np.sort(ended[ended != MISSING])
    edges = top_us + MINUTE * np.arange(60)
    # The most are open where a minute begins, or where one of them does.
    marks = np.concatenate([edges, begun[(begun >= top_us) & (begun < top_us + HOUR)]])
    opened = np.searchsorted(begun, marks, side="right")
    closed = np.searchsorted(ended, marks, side="right")
    most = np.zeros(60, dtype=np.int64)
    np.maximum.at(most, (marks - top_us) // MINUTE, opened - closed)
    return most


LOAD_MEASURES: tuple[Measure, ...] = (
    Measure("drain_s", "backlog of the hour drained after", "seconds", drain_s, "minimize"),
    Measure(
        "carrier_headroom", "carrier's headroom at the peak", "share", carrier_headroom, "maximize"
    ),
)
