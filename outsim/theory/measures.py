"""Measures of one run that formulas are held against, and that formulas take as given.

Each takes the tables of a run and looks at all calls, whosever they are, unless it says that it
is about the campaign under study. A window is (from, to) in microseconds since the run begins;
what entered the queue in it counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING, RATE_SECONDS, SECOND
from outsim.engine.records import Columns
from outsim.plan import CampaignPlan
from outsim.results.measures import View
from outsim.results.run_arrays import RunArrays
from outsim.theory.formulas import fluid_bound_s, makespan_bounds_s
from outsim.vocabulary import CARRIER_CHANNELS, MISSING_ANI

Window = tuple[int, int]
Seconds = NDArray[np.float64]
Chosen = NDArray[np.bool_]

NOTHING = float("nan")


def _arrays(view: View) -> RunArrays:
    if view.arrays is None:
        raise ValueError("the view is of tables alone, without the run that they come from")
    return view.arrays


def _attempts(view: View) -> Columns:
    return _arrays(view).records.attempts


def _within(instants: NDArray[Any], window: Window) -> Chosen:
    return np.asarray((instants >= window[0]) & (instants < window[1]))


def _between_s(columns: Columns, begins: str, ends: str, rows: Chosen) -> Seconds:
    """Seconds from one instant to another, where both came."""
    earlier, later = columns[begins], columns[ends]
    came = rows & (earlier != MISSING) & (later != MISSING)
    return np.asarray((later[came] - earlier[came]) / SECOND)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else NOTHING


# What comes in and what is done, in a window


def rate_per_s(view: View, window: Window) -> float:
    """Attempts that entered the queue, per second."""
    queued = _attempts(view)["queued"]
    return float(_within(queued, window).sum()) / (window[1] - window[0]) * SECOND


def wait_mean_s(view: View, window: Window) -> float:
    """Mean time in the queue."""
    a = _attempts(view)
    return _mean(_between_s(a, "queued", "dispatched", _within(a["queued"], window)))


def waiting_share(view: View, window: Window) -> float:
    """Share of attempts that did not go out at once."""
    a = _attempts(view)
    return _mean(_between_s(a, "queued", "dispatched", _within(a["queued"], window)) > 0)


def port_time_mean_s(view: View, window: Window) -> float:
    """Mean time that an attempt holds a port."""
    a = _attempts(view)
    return _mean(_between_s(a, "dispatched", "ended", _within(a["queued"], window)))


def port_time_square(view: View, window: Window) -> float:
    """Mean square of the time that an attempt holds a port."""
    a = _attempts(view)
    return _mean(_between_s(a, "dispatched", "ended", _within(a["queued"], window)) ** 2)


def _reaches_channels(view: View, window: Window) -> Chosen:
    """Attempts that the carrier does not refuse for want of a caller ID, before all else."""
    a = _attempts(view)
    return np.asarray(_within(a["queued"], window) & (a["cause"] != MISSING_ANI))


def channel_rate_per_s(view: View, window: Window) -> float:
    """Attempts that ask for a channel, per second."""
    return float(_reaches_channels(view, window).sum()) / (window[1] - window[0]) * SECOND


def refused_by_channels(view: View, window: Window) -> float:
    """Share of the attempts that ask for a channel that there is none for."""
    return _mean(_attempts(view)["cause"][_reaches_channels(view, window)] == CARRIER_CHANNELS)


def channel_time_mean_s(view: View, window: Window) -> float:
    """Mean time that an attempt holds a channel, if it gets one."""
    a = _attempts(view)
    carried = _reaches_channels(view, window) & (a["cause"] != CARRIER_CHANNELS)
    return _mean(_between_s(a, "dialed", "ended", carried))


def worker_wait_mean_s(view: View, window: Window) -> float:
    """Mean wait of dial work for a worker."""
    a = _attempts(view)
    return _mean(_between_s(a, "dispatched", "work_started", _within(a["queued"], window)))


def dial_work_mean_s(view: View, window: Window) -> float:
    """Mean length of dial work."""
    a = _attempts(view)
    return _mean(_between_s(a, "work_started", "dialed", _within(a["queued"], window)))


def dial_work_square(view: View, window: Window) -> float:
    """Mean square of the length of dial work."""
    a = _attempts(view)
    return _mean(_between_s(a, "work_started", "dialed", _within(a["queued"], window)) ** 2)


def _processed(view: View) -> Chosen:
    """Updates that a worker has made visible."""
    u = _arrays(view).records.updates
    return np.asarray((u["begun"] != MISSING) & (u["visible"] != MISSING) & (u["repaired"] == 0))


def update_rate_per_s(view: View, window: Window) -> float:
    """Changes of status per second."""
    u = _arrays(view).records.updates
    return float(_within(u["happened"], window).sum()) / (window[1] - window[0]) * SECOND


def status_work_mean_s(view: View, window: Window) -> float:
    """Mean length of the processing of an update."""
    u = _arrays(view).records.updates
    rows = _processed(view) & _within(u["happened"], window)
    return _mean(_between_s(u, "begun", "visible", rows))


def status_work_square(view: View, window: Window) -> float:
    """Mean square of the length of the processing of an update."""
    u = _arrays(view).records.updates
    rows = _processed(view) & _within(u["happened"], window)
    return _mean(_between_s(u, "begun", "visible", rows) ** 2)


def workers_busy(view: View, until_us: int) -> float:
    """Share of the workers' time that is spent on what they began before an instant."""
    run = _arrays(view)
    a, u = run.records.attempts, run.records.updates
    work_s = _between_s(a, "work_started", "dialed", a["work_started"] < until_us).sum()
    work_s += _between_s(u, "begun", "visible", _processed(view) & (u["begun"] < until_us)).sum()
    return float(work_s) / (run.plan.platform.workers * until_us / SECOND)


# The campaign under study: when its last call goes out for the first time, and what that takes


def _under_study(view: View) -> CampaignPlan:
    plan = _arrays(view).plan
    return plan.campaigns[plan.under_study]


def _first_attempts(view: View) -> Chosen:
    a, campaign = _attempts(view), _under_study(view)
    call_ids = a["call_id"]
    last = campaign.first_call_id + campaign.size
    return np.asarray(
        (a["attempt"] == 1) & (call_ids >= campaign.first_call_id) & (call_ids < last)
    )


def _last_us(view: View) -> int:
    """When the last of the first attempts that went out did so; -1 if none did."""
    return int(_attempts(view)["dispatched"][_first_attempts(view)].max(initial=-1))


def last_first_dispatch_s(view: View) -> float:
    """When the last call of the campaign goes out for the first time; NaN if none does."""
    last_us = _last_us(view)
    return last_us / SECOND if last_us >= 0 else NOTHING


def last_by_dial_rate_s(view: View) -> float:
    """Before when that can't be, by the dial rate and what entered the queue before it."""
    platform, a = _arrays(view).plan.platform, _attempts(view)
    entered_s = a["queued"][a["dispatched"] <= _last_us(view)] / SECOND
    return fluid_bound_s(
        entered_s,
        np.ones(len(entered_s)),
        platform.dial_rate / RATE_SECONDS,
        ahead=platform.dial_burst,
    )


def last_by_ports_s(view: View) -> float:
    """Before when that can't be, by the ports and the attempts that are over by then."""
    a = _attempts(view)
    over = (a["ended"] != MISSING) & (a["ended"] <= _last_us(view))
    held_s = _between_s(a, "dispatched", "ended", over)
    return fluid_bound_s(
        a["queued"][over] / SECOND, held_s, float(_arrays(view).plan.platform.ports)
    )


def last_by_workers_s(view: View) -> float:
    """Before when that can't be, by the workers and the dial work that is done by then."""
    a = _attempts(view)
    done = (a["dialed"] != MISSING) & (a["dialed"] <= _last_us(view))
    work_s = _between_s(a, "work_started", "dialed", done)
    return fluid_bound_s(
        a["queued"][done] / SECOND, work_s, float(_arrays(view).plan.platform.workers)
    )


def last_by_loading_s(view: View) -> float:
    """Before when that can't be, by the rate at which the campaign is loaded or paced."""
    campaign, calls = _under_study(view), int(_first_attempts(view).sum())
    rates = [rate for rate in (campaign.loader_rate, campaign.rules.pacing_rate) if rate]
    return campaign.start_us / SECOND + max(0, calls - 1) * RATE_SECONDS / min(rates)


def _last_update_us(view: View) -> int:
    u, campaign = _arrays(view).records.updates, _under_study(view)
    mine = (u["call_id"] >= campaign.first_call_id) & (
        u["call_id"] < campaign.first_call_id + campaign.size
    )
    first = mine & (u["attempt"] <= 1) & _processed(view)
    return int(u["visible"][first].max(initial=-1))


def last_update_s(view: View) -> float:
    """When the last update of the campaign's first attempts is made visible by a worker."""
    last_us = _last_update_us(view)
    return last_us / SECOND if last_us >= 0 else NOTHING


def last_update_by_workers_s(view: View) -> float:
    """Before when that can't be, by all that workers have done by then."""
    run, last_us = _arrays(view), _last_update_us(view)
    a, u = run.records.attempts, run.records.updates
    dialed = (a["dialed"] != MISSING) & (a["dialed"] <= last_us)
    updated = _processed(view) & (u["visible"] <= last_us)
    entered = np.concatenate([a["dispatched"][dialed], u["happened"][updated]]) / SECOND
    work_s = np.concatenate(
        [
            _between_s(a, "work_started", "dialed", dialed),
            _between_s(u, "begun", "visible", updated),
        ]
    )
    return fluid_bound_s(entered, work_s, float(run.plan.platform.workers))


# A batch that has the platform to itself


def last_end_s(view: View) -> float:
    """When the last attempt ends."""
    ended = _attempts(view)["ended"]
    return float(ended.max()) / SECOND if len(ended) else NOTHING


def _held_s(view: View) -> Seconds:
    a = _attempts(view)
    return _between_s(a, "dispatched", "ended", np.ones(a.rows, dtype=np.bool_))


def batch_end_least_s(view: View) -> float:
    """Before when a batch can't be over: all of its time on ports, shared out evenly."""
    least_s, _ = makespan_bounds_s(_held_s(view), _arrays(view).plan.platform.ports)
    return _under_study(view).start_us / SECOND + least_s


def batch_end_most_s(view: View) -> float:
    """By when a batch is over: loaded, each call given a token, and Graham's bound on ports."""
    a, platform = _attempts(view), _arrays(view).plan.platform
    _, most_s = makespan_bounds_s(_held_s(view), platform.ports)
    loaded_s = float(a["queued"].max(initial=0)) / SECOND
    return loaded_s + a.rows * RATE_SECONDS / platform.dial_rate + most_s
