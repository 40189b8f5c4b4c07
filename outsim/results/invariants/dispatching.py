"""When an attempt may be dispatched: start, expiry, window, intervals, limits, rates, pace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from outsim.clock import DAY, MISSING
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import Mask, RunArrays, came, count_before, count_until
from outsim.results.tables.resource_idle import replay
from outsim.vocabulary import QUEUED

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def not_dispatched_before_start(run: RunArrays) -> Iterator[Violation]:
    """No dispatch before the campaign's start, the call's own schedule, or its being taken."""
    start = run.of_calls(lambda campaign: campaign.wait_starts_us)[run.attempts["call_id"]]
    taken = run.taken_us[run.attempts["call_id"]]
    early = run.attempts["dispatched"] < np.maximum(start, taken)
    early |= ~came(taken)
    yield from violation(run, "too early", "attempts", early)


def not_dispatched_after_expiry(run: RunArrays) -> Iterator[Violation]:
    """No dispatch at the expiry of the call or after it: its own, or its campaign's."""
    expires = run.of_calls(lambda campaign: campaign.call_expires_us)
    late = run.attempts["dispatched"] >= expires[run.attempts["call_id"]]
    yield from violation(run, "too late", "attempts", late)


def dispatched_inside_the_window(run: RunArrays) -> Iterator[Violation]:
    """No dispatch outside the calling window, by the clock that it follows.

    Days on which that clock is put forward or back are left out: there an edge of the window
    may itself be an hour that does not exist, or comes twice.
    """
    scenario = run.scenario
    windows = {(c.tenant, c.name): c.window for c in scenario.campaigns if c.window is not None}
    for rank, campaign in enumerate(run.plan.campaigns):
        window = windows.get(campaign.key)
        if window is None or campaign.background:
            continue
        rows = np.flatnonzero(run.rank == rank)
        place = run.attempts["call_id"][rows] - campaign.first_call_id
        zone_of_row = campaign.zones[place]
        for zone in np.unique(zone_of_row):
            name = run.plan.zones[zone] if window.zone == "callee" else scenario.clock.zone
            here = rows[zone_of_row == zone]
            at = run.local_times(run.attempts["dispatched"][here]).tz_convert(name)
            elapsed = np.asarray(at.tz_localize(None) - at.tz_localize(None).normalize()) // (
                np.timedelta64(1, "us")
            )
            opens, closes = _since_midnight_us(window.opens), _since_midnight_us(window.closes)
            days = [_WEEKDAYS.index(day) for day in window.days]
            today = np.isin(np.asarray(at.day_of_week), days) & (elapsed >= opens)
            if window.passes_midnight:
                yesterday = np.isin(np.asarray(at.day_of_week - 1) % 7, days) & (elapsed < closes)
                outside = ~(today | yesterday)
            else:
                outside = ~(today & (elapsed < closes))
            outside &= ~_clock_changes(at, ZoneInfo(name))
            yield from violation(run, f"outside the window in {name}", "attempts", here[outside])


def _since_midnight_us(at: Any) -> int:
    seconds = at.hour * 3600 + at.minute * 60 + at.second
    exact = seconds * 1_000_000 + at.microsecond
    return DAY if exact == DAY - 1 else int(exact)  # the last microsecond stands for 24:00


def _clock_changes(at: pd.DatetimeIndex, zone: ZoneInfo) -> Mask:
    """Whether the clock of a zone changes within a day of each instant."""
    if len(at) == 0:
        return np.zeros(0, dtype=np.bool_)
    day = pd.Timedelta(days=1)
    before, after = (at.tz_convert("UTC") + shift for shift in (-day, day))
    offsets = [moment.tz_convert(zone).tz_localize(None) for moment in (before, after)]
    gone = np.asarray(offsets[1] - offsets[0])
    changes: Mask = gone != np.timedelta64(2, "D")
    return changes


def not_dispatched_during_a_suspension(run: RunArrays) -> Iterator[Violation]:
    """No dispatch while the campaign is paused, or its tenant, or everybody, suspended."""
    at = run.attempts["dispatched"]
    for hold in run.plan.suspensions:
        held = (at >= hold.begins_us) & (at < hold.ends_us)
        if hold.tenant:
            held &= np.array([*map(hold.holds, run.plan.campaigns)], dtype=np.bool_)[run.rank]
        what = "paused" if hold.campaign else "suspended"
        yield from violation(run, what, "attempts", held)


def retry_interval_is_kept(run: RunArrays) -> Iterator[Violation]:
    """A call is ready again exactly when the interval since its last attempt is over.

    It is the campaign's `retry_interval`, or that of the outcome, with what chance adds to it.
    """
    a, order, follows = run.attempts, run.by_call, run.follows
    ended = np.append(MISSING, a["ended"][order][:-1]) if len(order) else order
    due = ended + np.append(0, run.retry_wait_us[order][:-1])[: len(order)]
    early = follows & (~came(ended) | (a["dispatched"][order] < due))
    yield from violation(run, "gap shorter than the retry interval", "attempts", early, order)
    late = follows & (a["ready"][order] != due)
    yield from violation(run, "not ready when the interval was over", "attempts", late, order)


_RANK_SHIFT = 44
"""Instants fit below it: half a year in microseconds."""


def ports_are_enough(run: RunArrays) -> Iterator[Violation]:
    """Busy ports <= ports in service + those due to leave: a port is taken only if one is free.

    And a call waits for a port only while none is free.
    """
    a, ports = run.attempts, run.plan.platform.ports
    out = run.out_of_service("ports", ports)
    ended = np.sort(a["ended"][came(a["ended"])])
    at = a["dispatched"]
    busy = np.arange(1, len(at) + 1) - count_until(ended, at)
    taken = busy > np.maximum(0, ports - out(at))
    yield from violation(run, "no port was free", "attempts", taken)
    waited = np.flatnonzero(a["port_free"] > a["at_head"])
    at = a["port_free"][waited]
    busy = count_before(np.sort(a["dispatched"]), at) - count_before(ended, at)
    idle = busy < np.maximum(0, ports - out(at - 1))
    yield from violation(run, "waited for a port while one was free", "attempts", waited[idle])


def limits_on_simultaneous_calls_are_kept(run: RunArrays) -> Iterator[Violation]:
    """A campaign or tenant never has more calls up than it may."""
    most = run.per_campaign(lambda campaign: campaign.rules.max_simultaneous)
    yield from _too_many_up(run, "of the campaign", run.rank, most)
    tenants = np.array([t.max_simultaneous for t in run.plan.tenants], dtype=np.int64)
    yield from _too_many_up(run, "of the tenant", run.tenant_of_rank[run.rank], tenants)


def a_number_is_up_once(run: RunArrays) -> Iterator[Violation]:
    """A campaign has one call up at most to a number, where the platform sees to that."""
    for campaign in run.plan.campaigns:
        if campaign.shared_number is None:
            continue
        mine = np.flatnonzero(run.rank == campaign.rank)
        number = campaign.shared_number[run.attempts["call_id"][mine] - campaign.first_call_id]
        mine, number = mine[number >= 0], number[number >= 0].astype(np.int64)
        order = np.lexsort((run.attempts["dispatched"][mine], number))
        mine, number = mine[order], number[order]
        ended = run.attempts["ended"][mine]
        ended = np.where(came(ended), ended, run.ended_us)
        again = number[1:] == number[:-1]
        early = again & (run.attempts["dispatched"][mine][1:] < ended[:-1])
        yield from violation(run, "another call to the number was up", "attempts", mine[1:][early])


def _too_many_up(
    run: RunArrays, whose: str, group: Integers, most: Integers
) -> Iterator[Violation]:
    a = run.attempts
    rows = np.flatnonzero(most[group] > 0)
    if len(rows) == 0:
        return
    key = group[rows] << _RANK_SHIFT
    begins = np.sort(key | a["dispatched"][rows])
    over = came(a["ended"][rows])
    ends = np.sort((key | np.where(over, a["ended"][rows], 0))[over])
    up = np.arange(1, len(begins) + 1) - count_until(ends, begins)
    # Groups before this one have begun more than they have ended: start each at its own.
    of = begins >> _RANK_SHIFT
    first = np.searchsorted(of, of)
    up -= first - count_before(ends, of << _RANK_SHIFT)
    by_key = np.argsort(key | a["dispatched"][rows], kind="stable")
    yield from violation(
        run, f"too many calls {whose} up", "attempts", rows[by_key][up > most[of]]
    )


def dial_rate_is_kept(run: RunArrays) -> Iterator[Violation]:
    """The platform never dials faster than its rate and burst allow.

    And a call waits for a token only while there is none.
    """
    platform, a = run.plan.platform, run.attempts
    overdrawn, ready = replay(a["dispatched"].tolist(), platform.dial_rate, platform.dial_burst)
    yield from violation(run, "no dial token was there", "attempts", np.array(overdrawn, np.int64))
    free = np.maximum(a["at_head"], np.array(ready[:-1], dtype=np.int64))
    yield from violation(run, "token free at another instant", "attempts", a["token_free"] != free)


def tenants_keep_their_dial_rates(run: RunArrays) -> Iterator[Violation]:
    """A tenant with a dial rate of its own never dials faster."""
    tenant_of = run.tenant_of_rank[run.rank]
    for rank, tenant in enumerate(run.plan.tenants):
        if tenant.dial_rate:
            rows = np.flatnonzero(tenant_of == rank)
            at = run.attempts["dispatched"][rows].tolist()
            overdrawn, _ = replay(at, tenant.dial_rate, 1)
            yield from violation(run, f"too fast for {tenant.name}", "attempts", rows[overdrawn])


def pacing_is_kept(run: RunArrays) -> Iterator[Violation]:
    """A paced campaign never enters the queue, or is dispatched, faster than its pace."""
    for rank, campaign in enumerate(run.plan.campaigns):
        rules = campaign.rules
        if not rules.pacing_rate:
            continue
        if rules.paced_at_dispatch:
            table, instants = "attempts", run.attempts["dispatched"]
            rows = np.flatnonzero(run.rank == rank)
        else:
            table, instants = "updates", run.updates["happened"]
            entered = run.updates["status"] == QUEUED
            rows = np.flatnonzero(entered & (run.update_rank == rank))
        overdrawn, _ = replay(instants[rows].tolist(), rules.pacing_rate, 1)
        yield from violation(run, f"too fast for {campaign.name}", table, rows[overdrawn])
