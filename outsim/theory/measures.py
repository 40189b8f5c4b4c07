"""Measures of one run that formulas are compared with, and that formulas take as given.

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
from outsim.plan import CampaignPlan, PlatformPlan
from outsim.results.run_arrays import RunArrays
from outsim.results.view import View
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


def _updates(view: View) -> Columns:
    return _arrays(view).records.updates


def _platform(view: View) -> PlatformPlan:
    return _arrays(view).plan.platform


def _within(columns: Columns, name: str, window: Window) -> Chosen:
    return np.asarray((columns[name] >= window[0]) & (columns[name] < window[1]))


def _between_s(columns: Columns, begins: str, ends: str, rows: Chosen) -> Seconds:
    """Seconds from one instant to another, where both came."""
    earlier, later = columns[begins], columns[ends]
    came = rows & (earlier != MISSING) & (later != MISSING)
    return np.asarray((later[came] - earlier[came]) / SECOND)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else NOTHING


def _times_s(view: View, window: Window, begins: str, ends: str) -> Seconds:
    """Seconds between two instants of the attempts that entered the queue in a window."""
    a = _attempts(view)
    return _between_s(a, begins, ends, _within(a, "queued", window))


def _per_s(rows: Chosen, window: Window) -> float:
    return float(rows.sum()) / (window[1] - window[0]) * SECOND


# What comes in and what is done, in a window


def rate_per_s(view: View, window: Window) -> float:
    """Attempts that entered the queue, per second."""
    return _per_s(_within(_attempts(view), "queued", window), window)


def wait_mean_s(view: View, window: Window) -> float:
    """Mean time in the queue."""
    return _mean(_times_s(view, window, "queued", "dispatched"))


def waiting_share(view: View, window: Window) -> float:
    """Share of attempts that did not go out at once."""
    return _mean(_times_s(view, window, "queued", "dispatched") > 0)


def port_time_mean_s(view: View, window: Window) -> float:
    """Mean time that an attempt holds a port."""
    return _mean(_times_s(view, window, "dispatched", "ended"))


def port_time_square(view: View, window: Window) -> float:
    """Mean square of the time that an attempt holds a port."""
    return _mean(_times_s(view, window, "dispatched", "ended") ** 2)


def _reaches_channels(view: View, window: Window) -> Chosen:
    """Attempts that the carrier does not refuse for want of a caller ID, before all else."""
    a = _attempts(view)
    return np.asarray(_within(a, "queued", window) & (a["cause"] != MISSING_ANI))


def channel_rate_per_s(view: View, window: Window) -> float:
    """Attempts that ask for a channel, per second."""
    return _per_s(_reaches_channels(view, window), window)


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
    return _mean(_times_s(view, window, "dispatched", "work_started"))


def dial_work_mean_s(view: View, window: Window) -> float:
    """Mean length of dial work."""
    return _mean(_times_s(view, window, "work_started", "dialed"))


def dial_work_square(view: View, window: Window) -> float:
    """Mean square of the length of dial work."""
    return _mean(_times_s(view, window, "work_started", "dialed") ** 2)


def _processed(view: View) -> Chosen:
    """Updates that a worker has made visible."""
    u = _updates(view)
    return np.asarray((u["begun"] != MISSING) & (u["visible"] != MISSING) & (u["repaired"] == 0))


def update_rate_per_s(view: View, window: Window) -> float:
    """Changes of status per second."""
    return _per_s(_within(_updates(view), "happened", window), window)


def _status_work_s(view: View, window: Window) -> Seconds:
    u = _updates(view)
    return _between_s(u, "begun", "visible", _processed(view) & _within(u, "happened", window))


def status_work_mean_s(view: View, window: Window) -> float:
    """Mean length of the processing of an update."""
    return _mean(_status_work_s(view, window))


def status_work_square(view: View, window: Window) -> float:
    """Mean square of the length of the processing of an update."""
    return _mean(_status_work_s(view, window) ** 2)


def workers_busy(view: View, until_us: int) -> float:
    """Share of the workers' time that is spent on what they began before an instant."""
    a, u = _attempts(view), _updates(view)
    work_s = _between_s(a, "work_started", "dialed", a["work_started"] < until_us).sum()
    work_s += _between_s(u, "begun", "visible", _processed(view) & (u["begun"] < until_us)).sum()
    return float(work_s) / (_platform(view).workers * until_us / SECOND)


# The campaign under study: when its last call goes out for the first time, and what that takes


def _under_study(view: View) -> CampaignPlan:
    plan = _arrays(view).plan
    return plan.campaigns[plan.under_study]


def _of_campaign(columns: Columns, campaign: CampaignPlan) -> Chosen:
    first, end = campaign.first_call_id, campaign.first_call_id + campaign.size
    return np.asarray((columns["call_id"] >= first) & (columns["call_id"] < end))


def _first_attempts(view: View) -> Chosen:
    a = _attempts(view)
    return np.asarray((a["attempt"] == 1) & _of_campaign(a, _under_study(view)))


def _last_us(view: View) -> int:
    """When the last of the first attempts that went out did so; -1 if none did."""
    return int(_attempts(view)["dispatched"][_first_attempts(view)].max(initial=-1))


def last_first_dispatch_s(view: View) -> float:
    """When the last call of the campaign goes out for the first time; NaN if none does."""
    last_us = _last_us(view)
    return last_us / SECOND if last_us >= 0 else NOTHING


def last_by_dial_rate_s(view: View) -> float:
    """Before when that can't be, by the dial rate and what entered the queue before it."""
    platform, a = _platform(view), _attempts(view)
    entered_s = a["queued"][a["dispatched"] <= _last_us(view)] / SECOND
    rate, work = platform.dial_rate / RATE_SECONDS, np.ones(len(entered_s))
    return fluid_bound_s(entered_s, work, rate, ahead=platform.dial_burst)


def last_by_ports_s(view: View) -> float:
    """Before when that can't be, by the ports and the attempts that are over by then."""
    return _last_by_s(view, "dispatched", "ended", _platform(view).ports)


def last_by_workers_s(view: View) -> float:
    """Before when that can't be, by the workers and the dial work that is done by then."""
    return _last_by_s(view, "work_started", "dialed", _platform(view).workers)


def _last_by_s(view: View, begins: str, ends: str, servers: int) -> float:
    """Before when that can't be, by servers that are busy between two instants of an attempt."""
    a = _attempts(view)
    done = (a[ends] != MISSING) & (a[ends] <= _last_us(view))
    work_s = _between_s(a, begins, ends, done)
    return fluid_bound_s(a["queued"][done] / SECOND, work_s, float(servers))


def last_by_loading_s(view: View) -> float:
    """Before when that can't be, by the rate at which the campaign is loaded or paced."""
    campaign, calls = _under_study(view), int(_first_attempts(view).sum())
    rates = [rate for rate in (campaign.loader_rate, campaign.rules.pacing_rate) if rate]
    return campaign.start_us / SECOND + max(0, calls - 1) * RATE_SECONDS / min(rates)


def _last_update_us(view: View) -> int:
    u = _updates(view)
    first = _of_campaign(u, _under_study(view)) & (u["attempt"] <= 1) & _processed(view)
    return int(u["visible"][first].max(initial=-1))


def last_update_s(view: View) -> float:
    """When the last update of the campaign's first attempts is made visible by a worker."""
    last_us = _last_update_us(view)
    return last_us / SECOND if last_us >= 0 else NOTHING


def last_update_by_workers_s(view: View) -> float:
    """Before when that can't be, by all that workers have done by then."""
    a, u, last_us = _attempts(view), _updates(view), _last_update_us(view)
    dialed = (a["dialed"] != MISSING) & (a["dialed"] <= last_us)
    updated = _processed(view) & (u["visible"] <= last_us)
    entered_s = np.concatenate([a["dispatched"][dialed], u["happened"][updated]]) / SECOND
    dial_work_s = _between_s(a, "work_started", "dialed", dialed)
    work_s = np.concatenate([dial_work_s, _between_s(u, "begun", "visible", updated)])
    return fluid_bound_s(entered_s, work_s, float(_platform(view).workers))


# A batch that has the platform to itself


def last_end_s(view: View) -> float:
    """When the last attempt ends; not known where the run ends before it."""
    ended = _attempts(view)["ended"]
    is_known = len(ended) and ended.min() != MISSING
    return float(ended.max()) / SECOND if is_known else NOTHING


def _held_s(view: View) -> Seconds:
    a = _attempts(view)
    return _between_s(a, "dispatched", "ended", np.ones(a.rows, dtype=np.bool_))


def batch_end_least_s(view: View) -> float:
    """Before when a batch can't be over: all of its time on ports, shared out evenly."""
    least_s, _ = makespan_bounds_s(_held_s(view), _platform(view).ports)
    return _under_study(view).start_us / SECOND + least_s


def batch_end_most_s(view: View) -> float:
    """By when a batch is over: loaded, each call given a token, and Graham's bound on ports."""
    a, platform = _attempts(view), _platform(view)
    _, most_s = makespan_bounds_s(_held_s(view), platform.ports)
    loaded_s = float(a["queued"].max(initial=0)) / SECOND
    return loaded_s + a.rows * RATE_SECONDS / platform.dial_rate + most_s
