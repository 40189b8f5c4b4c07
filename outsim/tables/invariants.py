"""Laws of the platform that every run keeps, whatever its scenario.

`check_invariants` holds a result against all of them. The laws look at what was
recorded and at what the scenario says, never at how an engine went about it, so
they hold every engine to the same rules. They cost a small part of the run itself.

What happens at one instant has an order: attempts end, workers finish, controls
(stops, suspensions, outages, windows, expiries) act, calls enter the queue,
dispatch. A law about a moment says which of these it comes before or after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import DAY, MINUTE, MISSING, NEVER, TOKEN, microseconds_between
from outsim.engine.records import Columns, Integers
from outsim.errors import InvariantError
from outsim.outcomes import (
    ACCEPTED,
    ANSWERED,
    BUSY,
    CANCELED,
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    CARRIER_RATE,
    COMPLETED,
    CONGESTION,
    CONNECTED,
    DIALING,
    DROPPED,
    EXPIRED,
    FAILED,
    FIRST_FINAL,
    INVALID,
    MISSING_ANI,
    NO_ANSWER,
    NO_CAUSE,
    QUEUED,
    REJECTED,
    SCHEDULED,
    WAITING_RETRY,
)
from outsim.tables.views import steps

if TYPE_CHECKING:
    from outsim.plan import CampaignPlan, OutagePlan
    from outsim.result import Result

SHOWN_ROWS = 3
"""Offending rows that a message shows."""

_RETRIABLE = (NO_ANSWER, BUSY, CONGESTION)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANK_SHIFT = 44
"""Instants fit below it: half a year in microseconds."""

Mask = NDArray[np.bool_]


class Breach(NamedTuple):
    """Where a law is broken."""

    what: str
    rows: pd.DataFrame
    """The offending rows, in integers as they were recorded."""


Law = Callable[["Run"], Iterator[Breach]]


def _came(instants: Integers) -> Mask:
    return np.asarray(instants != MISSING)


def _count_until(sorted_instants: Integers, at: Integers) -> Integers:
    """How many of `sorted_instants` came by each of `at`, that instant included."""
    return np.searchsorted(sorted_instants, at, side="right").astype(np.int64)


def _count_before(sorted_instants: Integers, at: Integers) -> Integers:
    """How many of `sorted_instants` came before each of `at`."""
    return np.searchsorted(sorted_instants, at, side="left").astype(np.int64)


def _first_of_each(groups: Integers) -> Mask:
    """Whether each of some values in groups is the first of its group."""
    first = np.ones(len(groups), dtype=np.bool_)
    first[1:] = groups[1:] != groups[:-1]
    return first


def _place_in_each(first: Mask) -> Integers:
    """Place in its group of each value, from 0; `first` marks where groups begin."""
    place = np.arange(len(first))
    return place - np.maximum.accumulate(np.where(first, place, 0))


class Run:
    """A result as the laws look at it: recorded columns, and what each row is held to."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.plan = result.frames.plan
        self.records = result.frames.records
        self.ended_us = self.records.ended_us
        self.attempts: Columns = self.records.attempts
        self.updates: Columns = self.records.updates
        self.deliveries: Columns = self.records.deliveries
        self.calls: Columns = self.records.calls
        self.rank_of_call = result.frames.campaign_of_call

    def breach(
        self, what: str, table: str, broken: Mask | Integers, order: Integers | None = None
    ) -> Iterator[Breach]:
        """Breach at the marked rows of a table; nothing where none is marked.

        With `order`, the marks are on the rows in that order.
        """
        rows = np.flatnonzero(broken) if broken.dtype == np.bool_ else broken
        if len(rows) == 0:
            return
        if order is not None:
            rows = order[rows]
        columns: Columns = getattr(self, table)
        frame = pd.DataFrame({name: column[rows] for name, column in columns.items()}, index=rows)
        yield Breach(f"{what} ({table})", frame.replace(MISSING, "-"))

    def per_campaign(self, of: Callable[[CampaignPlan], int]) -> Integers:
        """One number of each campaign, by rank."""
        return np.array([of(campaign) for campaign in self.plan.campaigns], dtype=np.int64)

    @cached_property
    def rank(self) -> Integers:
        """Rank of the campaign of each attempt."""
        return self.rank_of_call[self.attempts["call_id"]]

    @cached_property
    def update_rank(self) -> Integers:
        """Rank of the campaign of each update."""
        return self.rank_of_call[self.updates["call_id"]]

    @cached_property
    def tenant_of_rank(self) -> Integers:
        """Rank of each campaign's tenant."""
        return self.per_campaign(lambda campaign: campaign.tenant_rank)

    def _of_calls(self, arrays: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)

    @cached_property
    def wedged(self) -> Mask:
        """Per call, whether it is wedged."""
        flags = self._of_calls([c.contacts.wedged for c in self.plan.campaigns])
        return np.asarray(flags, dtype=np.bool_)

    @cached_property
    def handed_in(self) -> Mask:
        """Per call, whether it was handed in before the run ended."""
        return self.result.frames.submitted

    def comes_up(self, instants: Integers) -> Mask:
        """Per call, whether it was handed in by an instant of its campaign, or would have been
        loaded after it and before the run ended."""
        ready = self._of_calls([campaign.ready_us for campaign in self.plan.campaigns])
        handed_in = self.result.frames.submitted_us <= instants[self.rank_of_call]
        return np.asarray(handed_in | (ready < self.ended_us))

    @cached_property
    def by_call(self) -> Integers:
        """Order of the attempts by call and attempt."""
        return np.lexsort((self.attempts["attempt"], self.attempts["call_id"]))

    @cached_property
    def follows(self) -> Mask:
        """Per attempt in the order `by_call`, whether the one before is of the same call."""
        return ~_first_of_each(self.attempts["call_id"][self.by_call])

    @cached_property
    def last_attempt(self) -> Integers:
        """Row of each call's last attempt; -1 where it has none."""
        rows = np.full(len(self.rank_of_call), -1, dtype=np.int64)
        rows[self.attempts["call_id"][self.by_call]] = self.by_call
        return rows

    @cached_property
    def last_update(self) -> Integers:
        """Row of each call's last update; -1 where it has none."""
        rows = np.full(len(self.rank_of_call), -1, dtype=np.int64)
        rows[self.updates["call_id"]] = np.arange(len(self.updates["call_id"]))
        return rows

    @cached_property
    def entries(self) -> Integers:
        """Rows of the updates that are entries to the outbound queue, in the order of entry.

        At one instant that is the order of tenant, campaign, place and attempt.
        """
        u = self.updates
        rows = np.flatnonzero((u["status"] == QUEUED) & ~self.wedged[u["call_id"]])
        return rows[np.lexsort((u["attempt"][rows], u["call_id"][rows], u["happened"][rows]))]

    @cached_property
    def entry_of_attempt(self) -> Integers:
        """Place of each attempt's entry among all entries; -1 where there is none."""
        u = self.updates
        keys = (u["call_id"] << 8 | u["attempt"])[self.entries]
        order = np.argsort(keys, kind="stable")
        wanted = self.attempts["call_id"] << 8 | self.attempts["attempt"]
        found = np.append(order, -1)[np.searchsorted(keys[order], wanted)]
        return np.where(np.append(keys, -1)[found] == wanted, found, -1)

    @cached_property
    def undispatched(self) -> Integers:
        """Places of the entries that no attempt came of."""
        return np.setdiff1d(np.arange(len(self.entries)), self.entry_of_attempt)

    def left_queue_us(self, places: Integers) -> Integers:
        """When calls whose entries came to no attempt left the queue.

        They were canceled or expired in it, or were still there at the end of the run.
        """
        final = self.calls["final"][self.updates["call_id"][self.entries[places]]]
        return np.where(_came(final), final, self.ended_us)

    @cached_property
    def held_back_at_times(self) -> Mask:
        """Per campaign, whether anything may hold its queued calls back."""
        suspended = {suspension.tenant for suspension in self.plan.suspensions}
        return np.array(
            [
                bool(
                    campaign.rules.window
                    or campaign.rules.max_simultaneous
                    or (campaign.rules.pacing_rate and campaign.rules.paced_at_dispatch)
                    or self.plan.tenants[campaign.tenant_rank].max_simultaneous
                    or self.plan.tenants[campaign.tenant_rank].dial_rate
                    or suspended & {"", campaign.tenant}
                )
                for campaign in self.plan.campaigns
            ],
            dtype=np.bool_,
        )

    def out_of_service(self, of: str, everything: int) -> Callable[[Integers], Integers]:
        """How many are out at given instants, once the controls of that instant have acted."""
        outages: list[OutagePlan] = [o for o in self.plan.outages if o.of == of]

        def out(at: Integers) -> Integers:
            total = np.zeros(len(at), dtype=np.int64)
            for outage in outages:
                during = (at >= outage.begins_us) & (at < outage.ends_us)
                total += during * (outage.count or everything)
            return total

        return out

    @cached_property
    def admitted(self) -> Mask:
        """Per attempt, whether the carrier carried it."""
        cause = self.attempts["cause"]
        return np.asarray(_came(self.attempts["dialed"]) & np.isin(cause, (NO_CAUSE, DROPPED)))

    @cached_property
    def at_carrier(self) -> Integers:
        """Rows of the attempts that came to the carrier, in the order of their coming."""
        a = self.attempts
        order = np.lexsort((a["attempt"], a["call_id"], a["dialed"]))
        return order[_came(a["dialed"][order])]


# Calls: where each of them stands


def every_row_is_rejected_or_accepted(run: Run) -> Iterator[Breach]:
    """Rows = rejected + accepted: rejected are those that can't be dialled, and no others."""
    rejects = [campaign.reject_reason != 0 for campaign in run.plan.campaigns]
    cannot = np.asarray(run._of_calls(rejects), dtype=np.bool_)
    rejected = run.calls["status"] == REJECTED
    yield from run.breach("rejected, or not, against its row", "calls", rejected != cannot)
    table = run.result.calls
    shown = len(table) == int(run.handed_in.sum()) and table["call_id"].is_unique
    if not shown or (table["status"] == "rejected").sum() != (cannot & run.handed_in).sum():
        counted = table["status"].astype(str).value_counts().to_frame()
        yield Breach(f"{int(run.handed_in.sum())} rows were handed in (calls)", counted)


def accepted_calls_add_up(run: Run) -> Iterator[Breach]:
    """Accepted = completed + failed + canceled + expired + pending, by state.

    Counted from the changes of status: each call is in the state of its last one, has at most
    one final one, and nothing after it.
    """
    u, status = run.updates, run.calls["status"]
    last = run.last_update
    told = np.where(last >= 0, u["status"][last], SCHEDULED) if len(u["status"]) else 0 * status
    told = np.where(status == REJECTED, REJECTED, told)
    yield from run.breach("state is not that of the last change", "calls", told != status)
    final = u["status"] >= FIRST_FINAL
    is_last = np.zeros(len(final), dtype=np.bool_)
    is_last[last[last >= 0]] = True
    yield from run.breach("changes after the final status", "updates", final & ~is_last)
    over = (status >= FIRST_FINAL) & (status != REJECTED)
    happened = u["happened"][last] if len(u["status"]) else last
    since = np.where(over, np.where(last >= 0, happened, MISSING), MISSING)
    yield from run.breach("final instant", "calls", since != run.calls["final"])
    late = _came(u["happened"]) & ((u["happened"] < 0) | (u["happened"] >= run.ended_us))
    yield from run.breach("outside the run", "updates", late)
    yield from run.breach("not in order", "updates", np.diff(u["happened"], prepend=0) < 0)


def attempts_are_counted(run: Run) -> Iterator[Breach]:
    """Attempts of a call are numbered from 1 without a gap, at most 1 + max_retry of them."""
    a, order = run.attempts, run.by_call
    number, call_id = a["attempt"][order], a["call_id"][order]
    wrong = number != _place_in_each(~run.follows) + 1
    yield from run.breach("numbers", "attempts", wrong, order)
    most = 1 + run.per_campaign(lambda campaign: campaign.rules.max_retry)
    over = number > most[run.rank[order]]
    yield from run.breach("more than 1 + max_retry", "attempts", over, order)
    counted = np.bincount(call_id, minlength=len(run.rank_of_call))
    yield from run.breach("attempts", "calls", counted != run.calls["attempts"])


def final_status_is_what_ended_the_call(run: Run) -> Iterator[Breach]:
    """Completed if answered; failed only if no attempt is left; else what ended the call.

    Canceled only by a stop that was in effect, expired only by an expiry; only what was not
    answered is dialled again, and an invalid number never.
    """
    a, status = run.attempts, run.calls["status"]
    over = np.isin(status, (COMPLETED, FAILED, CANCELED, EXPIRED))
    last = run.last_attempt
    has = last >= 0
    padded = np.append(a["outcome"], -1)
    outcome = np.where(has & _came(np.append(a["ended"], MISSING)[last]), padded[last], -1)
    answered = np.isin(outcome, ANSWERED)
    wrong = over & (answered != (status == COMPLETED))
    yield from run.breach("completed, or not, against its last outcome", "calls", wrong)
    most = run.per_campaign(lambda campaign: campaign.rules.max_retry)
    used_up = run.calls["attempts"] > most[run.rank_of_call]
    allowed = (outcome == INVALID) | (np.isin(outcome, _RETRIABLE) & used_up)
    yield from run.breach("failed with attempts left", "calls", (status == FAILED) & ~allowed)
    yield from run.breach("not failed", "calls", over & allowed & (status != FAILED))
    ends = {
        CANCELED: run.per_campaign(lambda campaign: campaign.rules.stop_effect_us),
        EXPIRED: run.per_campaign(lambda campaign: campaign.rules.expires_us),
    }
    for code, instant in ends.items():
        early = (status == code) & (run.calls["final"] < instant[run.rank_of_call])
        yield from run.breach("canceled or expired too early", "calls", early)
    again = run.follows[1:] & ~np.isin(a["outcome"][run.by_call][:-1], _RETRIABLE)
    yield from run.breach("dialled again after it", "attempts", again, run.by_call[:-1])


def stop_is_kept(run: Run) -> Iterator[Breach]:
    """From a stop's effect on nothing new is loaded, and no call waits for a retry.

    With ``stop_reaches = "queue"`` nothing of what was in the queue is left in it either;
    with ``stop_cancels_retries = false`` retries go on.
    """
    effect = run.per_campaign(lambda campaign: campaign.rules.stop_effect_us)
    cancels = run.per_campaign(lambda campaign: campaign.rules.stop_cancels_retries) == 1
    reaches = run.per_campaign(lambda campaign: campaign.rules.stop_reaches_queue) == 1
    u, rank = run.updates, run.update_rank
    entered = (u["status"] == QUEUED) & (u["happened"] >= effect[rank])
    loaded = entered & ((u["attempt"] == 1) | cancels[rank])
    yield from run.breach("entered the queue after the stop", "updates", loaded)
    waits = (u["status"] == WAITING_RETRY) & (u["happened"] > effect[rank]) & cancels[rank]
    yield from run.breach("waits for a retry after the stop", "updates", waits)
    status, of = run.calls["status"], run.rank_of_call
    stopped = (effect < run.ended_us)[of] & run.handed_in
    left = stopped & (
        ((status == SCHEDULED) & run.comes_up(effect))
        | ((status == WAITING_RETRY) & cancels[of])
        | ((status == QUEUED) & (reaches & cancels)[of] & ~run.wedged)
    )
    yield from run.breach("still there after the stop", "calls", left)


def expired_calls_are_over(run: Run) -> Iterator[Breach]:
    """From the expiry on no call waits for anything: it has expired, or is being dialled."""
    expires = run.per_campaign(lambda campaign: campaign.rules.expires_us)
    status = run.calls["status"]
    waits = (status == SCHEDULED) & run.comes_up(expires)
    waits |= (status == WAITING_RETRY) | ((status == QUEUED) & ~run.wedged)
    left = waits & (expires < run.ended_us)[run.rank_of_call] & run.handed_in
    yield from run.breach("still there after the expiry", "calls", left)


# Attempts: when they may be dispatched


def not_dispatched_before_start(run: Run) -> Iterator[Breach]:
    """No dispatch before the start of the campaign, or before the call was handed in."""
    start = run.per_campaign(lambda campaign: max(campaign.start_us, campaign.submitted_us))
    submitted = run.result.frames.submitted_us[run.attempts["call_id"]]
    early = run.attempts["dispatched"] < np.maximum(start[run.rank], submitted)
    yield from run.breach("too early", "attempts", early)


def not_dispatched_after_expiry(run: Run) -> Iterator[Breach]:
    """No dispatch at the expiry or after it."""
    expires = run.per_campaign(lambda campaign: campaign.rules.expires_us)
    late = run.attempts["dispatched"] >= expires[run.rank]
    yield from run.breach("too late", "attempts", late)


def dispatched_inside_the_window(run: Run) -> Iterator[Breach]:
    """No dispatch outside the calling window, by the clock that it follows.

    Days on which that clock is put forward or back are left out: there an edge of the window
    may itself be an hour that does not exist, or comes twice.
    """
    scenario = run.result.scenario
    windows = {(c.tenant, c.name): c.window for c in scenario.campaign if c.window is not None}
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
            at = run.result.frames.instants(run.attempts["dispatched"][here]).tz_convert(name)
            elapsed = np.asarray(at.tz_localize(None) - at.tz_localize(None).normalize()) // (
                np.timedelta64(1, "us")
            )
            opens, closes = _since_midnight_us(window.opens), _since_midnight_us(window.closes)
            day_ok = np.isin(np.asarray(at.day_of_week), [_WEEKDAYS.index(d) for d in window.days])
            outside = ~(day_ok & (elapsed >= opens) & (elapsed < closes))
            outside &= ~_clock_changes(at, ZoneInfo(name))
            yield from run.breach(f"outside the window in {name}", "attempts", here[outside])


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


def not_dispatched_during_a_suspension(run: Run) -> Iterator[Breach]:
    """No dispatch while the tenant, or everybody, is suspended."""
    at = run.attempts["dispatched"]
    tenants = [tenant.name for tenant in run.plan.tenants]
    tenant = run.tenant_of_rank[run.rank]
    for suspension in run.plan.suspensions:
        held = (at >= suspension.begins_us) & (at < suspension.ends_us)
        if suspension.tenant:
            held &= tenant == tenants.index(suspension.tenant)
        yield from run.breach("suspended", "attempts", held)


def retry_interval_is_kept(run: Run) -> Iterator[Breach]:
    """A call is ready again exactly `retry_interval` after its last attempt ended."""
    a, order, follows = run.attempts, run.by_call, run.follows
    interval = run.per_campaign(lambda campaign: campaign.rules.retry_interval_us)
    ended = np.append(MISSING, a["ended"][order][:-1]) if len(order) else order
    due = ended + interval[run.rank[order]]
    early = follows & (~_came(ended) | (a["dispatched"][order] < due))
    yield from run.breach("gap shorter than retry_interval", "attempts", early, order)
    late = follows & (a["ready"][order] != due)
    yield from run.breach("not ready when the interval was over", "attempts", late, order)


# The queue, and what a call in it waits for


def queue_order_is_kept(run: Run) -> Iterator[Breach]:
    """The oldest eligible entry goes next; none is passed over by a younger one.

    With `first_attempts_first` the oldest first attempt goes before any retry; with `fair` it
    is the oldest of its tenant. What is held back together leaves in the order of entry. At
    one instant the order of entry is that of tenant, campaign, place and attempt.
    """
    a = run.attempts
    yield from run.breach("not in order", "attempts", np.diff(a["dispatched"], prepend=0) < 0)
    entry = run.entry_of_attempt
    yield from run.breach("never entered the queue", "attempts", entry < 0)
    discipline = run.plan.platform.queue
    retry = (a["attempt"] > 1) & (discipline == "first_attempts_first")
    seat = entry + (retry.astype(np.int64) << 40)
    order = np.arange(len(entry))

    # Those who left the queue undialled, from campaigns that nothing holds back.
    left = run.undispatched
    left = left[~run.held_back_at_times[run.update_rank[run.entries[left]]]]
    rows = run.entries[left]
    since, until = run.updates["happened"][rows], run.left_queue_us(left)
    again = (run.updates["attempt"][rows] > 1) & (discipline == "first_attempts_first")
    position = left + (again.astype(np.int64) << 40)

    groups = run.tenant_of_rank if discipline == "fair" else np.zeros_like(run.tenant_of_rank)
    of_attempt, of_row = groups[run.rank], groups[run.update_rank[rows]]
    for group in np.unique(of_attempt):
        mine, other = order[of_attempt == group], np.flatnonzero(of_row == group)
        at, highest = a["dispatched"][mine], _RangeMaximum(seat[mine])
        first = _count_before(at, a["eligible"][mine])
        passed = highest.between(first, np.arange(len(mine))) > seat[mine]
        yield from run.breach("a younger one went before it", "attempts", mine[passed])
        first, end = _count_before(at, since[other]), _count_before(at, until[other])
        passed = highest.between(first, end) > position[other]
        yield from run.breach("younger ones went before it", "updates", rows[other[passed]])


class _RangeMaximum:
    """Largest of the values between two places, for many pairs of places at once."""

    def __init__(self, values: Integers) -> None:
        self.levels = [values]
        while len(self.levels[-1]) > 1 << (len(self.levels) - 1):
            last, step = self.levels[-1], 1 << (len(self.levels) - 1)
            self.levels.append(np.maximum(last[:-step], last[step:]))

    def between(self, first: Integers, end: Integers) -> Integers:
        """Largest from `first` up to but not including `end`; -1 where there is none."""
        largest = np.full(len(first), -1, dtype=np.int64)
        length = end - first
        for level, values in enumerate(self.levels):
            width = 1 << level
            here = np.flatnonzero((length >= width) & (length < 2 * width))
            if len(here):
                largest[here] = np.maximum(values[first[here]], values[end[here] - width])
        return largest


def parts_of_every_wait_add_up(run: Run) -> Iterator[Breach]:
    """The instants of an attempt come in their order, and its waits fill the time between.

    Ready, queued, eligible, at the head, port and token free, dispatched, work started, dialed,
    ringing, answered, ended. A call goes at the instant at which it has both port and token.
    """
    a = run.attempts
    names = ("ready", "queued", "eligible", "at_head", "port_free", "dispatched")
    for earlier, later in (*pairwise(names), ("at_head", "token_free")):
        wrong = ~_came(a[earlier]) | (a[earlier] > a[later])
        yield from run.breach(f"{earlier} after {later}", "attempts", wrong)
    together = np.maximum(a["port_free"], a["token_free"])
    yield from run.breach("not dispatched with both", "attempts", a["dispatched"] != together)
    least = {"work_started": np.int64(0), "ended": (a["cause"] != DROPPED).astype(np.int64)}
    for course in (
        ("dispatched", "work_started", "dialed", "ended"),
        ("dialed", "ringing", "answered", "detected"),
    ):
        for earlier, later in pairwise(course):
            soon = a[later] < a[earlier] + least.get(later, np.int64(1))
            wrong = _came(a[later]) & (~_came(a[earlier]) | soon)
            yield from run.breach(f"{earlier} after {later}", "attempts", wrong)
            wrong = _came(a["ended"]) & (a[later] > a["ended"])
            yield from run.breach(f"{later} after the end", "attempts", wrong)
    free = ~run.held_back_at_times[run.rank] & (a["eligible"] != a["queued"])
    yield from run.breach("held back by nothing", "attempts", free)
    before = np.append(MISSING, a["dispatched"][:-1]) if len(free) else a["dispatched"]
    early = a["at_head"] < np.maximum(a["eligible"], before)
    yield from run.breach("at the head before the one ahead went", "attempts", early)
    entry = run.entry_of_attempt
    happened = np.append(run.updates["happened"][run.entries], MISSING)[entry]
    wrong = (entry >= 0) & (a["queued"] != happened)
    yield from run.breach("not in the queue since then", "attempts", wrong)
    table = run.result.calls
    first = table["first_dispatched_at"] - table["waits_from"]
    exact = np.asarray(first.dt.total_seconds())
    shown = np.asarray(table["wait_s"])
    off = ~((np.isnan(exact) & np.isnan(shown)) | (np.abs(exact - shown) < 1e-6))
    off |= (table["wait_state"] == "complete").to_numpy() & np.isnan(exact)
    yield from run.breach("wait", "calls", np.asarray(table["call_id"][off], dtype=np.int64))


def littles_law(run: Run) -> Iterator[Breach]:
    """Integral of a queue's length = sum of the waits in it, exactly.

    Of the outbound queue, of the ports, and of the backlog of updates. No length is negative.
    """
    result = run.result
    functions = steps(result.calls, result.attempts, result.updates)
    a, u, until = run.attempts, run.updates, run.ended_us

    def stay(since: Integers, to: Integers) -> int:
        to = np.where(_came(to), to, until)
        return int((to - since).sum())

    left = run.undispatched
    sums = {
        "queue": stay(a["queued"], a["dispatched"])
        + stay(u["happened"][run.entries[left]], run.left_queue_us(left)),
        "busy_ports": stay(a["dispatched"], a["ended"]),
        "status_backlog": stay(u["happened"], u["begun"]),
    }
    epoch = pd.Timestamp(0, unit="us", tz="UTC").to_pydatetime()
    horizon = microseconds_between(epoch, result.begins) + until
    for name, waited in sums.items():
        at, values = functions[name]
        lasts = np.diff(np.append(at, horizon))
        area = int((values * lasts).sum())
        if area != waited:
            frame = pd.DataFrame({"integral_us": [area], "sum_of_waits_us": [waited]}, [name])
            yield Breach("integral of the length against the waits", frame)
        negative = (values < 0) & (lasts > 0)
        if negative.any():
            frame = pd.DataFrame({"at_us": at[negative], name: values[negative]})
            yield Breach("negative length", frame)


# Ports, tokens and limits


def ports_are_enough(run: Run) -> Iterator[Breach]:
    """Busy ports <= ports in service + those due to leave: a port is taken only if one is free.

    And a call waits for a port only while none is free.
    """
    a, ports = run.attempts, run.plan.platform.ports
    out = run.out_of_service("ports", ports)
    ended = np.sort(a["ended"][_came(a["ended"])])
    at = a["dispatched"]
    busy = np.arange(1, len(at) + 1) - _count_until(ended, at)
    taken = busy > np.maximum(0, ports - out(at))
    yield from run.breach("no port was free", "attempts", taken)
    waited = np.flatnonzero(a["port_free"] > a["at_head"])
    at = a["port_free"][waited]
    busy = _count_before(np.sort(a["dispatched"]), at) - _count_before(ended, at)
    idle = busy < np.maximum(0, ports - out(at - 1))
    yield from run.breach("waited for a port while one was free", "attempts", waited[idle])


def limits_on_simultaneous_calls_are_kept(run: Run) -> Iterator[Breach]:
    """A campaign or tenant never has more calls up than it may."""
    most = run.per_campaign(lambda campaign: campaign.rules.max_simultaneous)
    yield from _too_many_up(run, "of the campaign", run.rank, most)
    tenants = np.array([t.max_simultaneous for t in run.plan.tenants], dtype=np.int64)
    yield from _too_many_up(run, "of the tenant", run.tenant_of_rank[run.rank], tenants)


def _too_many_up(run: Run, whose: str, group: Integers, most: Integers) -> Iterator[Breach]:
    a = run.attempts
    rows = np.flatnonzero(most[group] > 0)
    if len(rows) == 0:
        return
    key = group[rows] << _RANK_SHIFT
    begins = np.sort(key | a["dispatched"][rows])
    over = _came(a["ended"][rows])
    ends = np.sort((key | np.where(over, a["ended"][rows], 0))[over])
    up = np.arange(1, len(begins) + 1) - _count_until(ends, begins)
    # Groups before this one have begun more than they have ended: start each at its own.
    of = begins >> _RANK_SHIFT
    first = np.searchsorted(of, of)
    up -= first - _count_before(ends, of << _RANK_SHIFT)
    by_key = np.argsort(key | a["dispatched"][rows], kind="stable")
    yield from run.breach(f"too many calls {whose} up", "attempts", rows[by_key][up > most[of]])


def _replay_bucket(instants: list[int], rate: int, burst: int) -> tuple[list[int], list[int]]:
    """Places at which a token is taken that is not there, and since when each one was there."""
    level, at, ready_at = burst * TOKEN, 0, 0
    capacity = level
    overdrawn, ready = [], []
    for place, now in enumerate(instants):
        level = min(capacity, level + (now - at) * rate) - TOKEN
        if level < 0:
            overdrawn.append(place)
        ready.append(ready_at)
        at = now
        ready_at = now if level >= TOKEN else now - (level - TOKEN) // rate
    return overdrawn, ready


def dial_rate_is_kept(run: Run) -> Iterator[Breach]:
    """The platform never dials faster than its rate and burst allow.

    And a call waits for a token only while there is none.
    """
    platform, a = run.plan.platform, run.attempts
    overdrawn, ready = _replay_bucket(
        a["dispatched"].tolist(), platform.dial_rate, platform.dial_burst
    )
    yield from run.breach("no dial token was there", "attempts", np.array(overdrawn, np.int64))
    free = np.maximum(a["at_head"], np.array(ready, dtype=np.int64))
    yield from run.breach("token free at another instant", "attempts", a["token_free"] != free)


def tenants_keep_their_dial_rates(run: Run) -> Iterator[Breach]:
    """A tenant with a dial rate of its own never dials faster."""
    tenant_of = run.tenant_of_rank[run.rank]
    for rank, tenant in enumerate(run.plan.tenants):
        if tenant.dial_rate:
            rows = np.flatnonzero(tenant_of == rank)
            at = run.attempts["dispatched"][rows].tolist()
            overdrawn, _ = _replay_bucket(at, tenant.dial_rate, 1)
            yield from run.breach(f"too fast for {tenant.name}", "attempts", rows[overdrawn])


def pacing_is_kept(run: Run) -> Iterator[Breach]:
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
        overdrawn, _ = _replay_bucket(instants[rows].tolist(), rules.pacing_rate, 1)
        yield from run.breach(f"too fast for {campaign.name}", table, rows[overdrawn])


# The carrier


def _minute(run: Run, at: Integers) -> Integers:
    minute: Integers = (at + run.plan.platform.carrier_minute_offset_us) // MINUTE
    return minute


def _during(run: Run, of: str, at: Integers, everything: int) -> Integers:
    """How many are out when dial work ends, before the controls of that instant act."""
    return run.out_of_service(of, everything)(at - 1)


def carrier_channels_are_enough(run: Run) -> Iterator[Breach]:
    """The platform never has more channels than are left to it; refused only when it has them.

    An outage and a missing caller ID come before this in the carrier's reasons.
    """
    a, rows = run.attempts, run.at_carrier
    dialed, cause = a["dialed"][rows], a["cause"][rows]
    channels = run.plan.platform.carrier_channels
    everything = int(channels.max())
    left = channels[_minute(run, dialed) % 60] - _during(run, "channels", dialed, everything)
    # An attempt that ends by itself does so before dial work ends at that instant; a drop after.
    carried = run.admitted & _came(a["ended"])
    ends = np.sort((2 * a["ended"] + (a["cause"] == DROPPED))[carried])
    begun = np.cumsum(run.admitted[rows])
    busy = begun - run.admitted[rows] - _count_until(ends, 2 * dialed)
    full = busy >= np.maximum(0, left)
    yield from run.breach("no channel was left", "attempts", rows[run.admitted[rows] & full])
    idle = (cause == CARRIER_CHANNELS) & ~full
    yield from run.breach("refused while channels were left", "attempts", rows[idle])


def carrier_rate_is_kept(run: Run) -> Iterator[Breach]:
    """The carrier never admits faster than its rate and burst, less other traffic's share.

    And it refuses for that reason only when it has no token left.
    """
    a, rows = run.attempts, run.at_carrier
    platform = run.plan.platform
    rates = platform.carrier_rates.tolist()
    asked = np.flatnonzero(run.admitted[rows] | (a["cause"][rows] == CARRIER_RATE))
    dialed = a["dialed"][rows][asked]
    minute = _minute(run, dialed).tolist()
    into = ((dialed + platform.carrier_minute_offset_us) % MINUTE).tolist()
    admitted = run.admitted[rows][asked].tolist()
    capacity = level = platform.carrier_burst * TOKEN
    at_minute, at_into = 0, platform.carrier_minute_offset_us
    broken = []
    for place, (m, t) in enumerate(zip(minute, into, strict=True)):
        if m == at_minute:
            level = min(capacity, level + (t - at_into) * rates[m % 60])
        else:
            level += (MINUTE - at_into) * rates[at_minute % 60] if at_into < MINUTE else 0
            for between in range(at_minute + 1, m):
                if level >= capacity:
                    break
                level += MINUTE * rates[between % 60]
            level = min(capacity, level + t * rates[m % 60])
        at_minute, at_into = m, t
        if (level >= TOKEN) != admitted[place]:
            broken.append(place)
        if admitted[place]:
            level -= TOKEN
    yield from run.breach("against the carrier's rate", "attempts", rows[asked[broken]])


def carrier_refuses_for_a_reason(run: Run) -> Iterator[Breach]:
    """All is refused while the carrier is out; only a call without a caller ID for lack of one.

    Congestion always has a cause, and nothing else has one.
    """
    a = run.attempts
    dialed = _came(a["dialed"])
    out = dialed & (_during(run, "carrier", a["dialed"], 1) > 0)
    wrong = dialed & (out != (a["cause"] == CARRIER_OUTAGE))
    yield from run.breach("against the outages of the carrier", "attempts", wrong)
    missing = np.asarray(
        run._of_calls([c.missing_ani for c in run.plan.campaigns]), dtype=np.bool_
    )
    wrong = (a["cause"] == MISSING_ANI) & ~missing[a["call_id"]]
    yield from run.breach("it has a caller ID", "attempts", wrong)
    over = _came(a["ended"])
    wrong = over & ((a["outcome"] == CONGESTION) != (a["cause"] != NO_CAUSE))
    yield from run.breach("congestion without a cause", "attempts", wrong)
    answered = over & (_came(a["answered"]) != np.isin(a["outcome"], ANSWERED))
    answered &= a["cause"] != DROPPED
    yield from run.breach("answered, or not, against its outcome", "attempts", answered)


# Workers, updates and deliveries


def dial_work_goes_first(run: Run) -> Iterator[Breach]:
    """No status update is begun while dial work waits; each kind of work in its own order."""
    a, u = run.attempts, run.updates
    begun = u["begun"]
    started = a["work_started"]
    rows = np.flatnonzero(_came(begun))
    waiting = _count_until(a["dispatched"], begun[rows])
    waiting -= _count_until(np.sort(started[_came(started)]), begun[rows])
    yield from run.breach("dial work waited", "updates", rows[waiting > 0])
    for table, instants in (("attempts", started), ("updates", begun)):
        in_order = np.where(_came(instants), instants, NEVER)
        wrong = np.diff(in_order, prepend=in_order[:1]) < 0
        yield from run.breach("begun before what came first", table, wrong)


def workers_are_enough(run: Run) -> Iterator[Breach]:
    """Busy workers <= workers in service + those due to leave, and none idles while work waits.

    No status update is begun while their processing is out.
    """
    platform, a, u = run.plan.platform, run.attempts, run.updates
    begun, constant = u["begun"], platform.status_work_us
    direct = _came(u["visible"]) & (u["repaired"] == 0)
    finished = np.where(direct, u["visible"], MISSING)
    lasting = _came(begun) & ~direct
    if constant >= 0:
        finished = np.where(lasting, begun + constant, finished)
    # Where an update's length was drawn and it is lost, or not yet visible, its end is not in
    # the tables: it is left out, which can only make workers look less busy.
    known = _came(begun) & _came(finished)
    begins = np.concatenate([a["work_started"][_came(a["work_started"])], begun[known]])
    ends = np.concatenate([a["dialed"][_came(a["dialed"])], finished[known]])
    begins, ends = np.sort(begins), np.sort(ends)
    out = run.out_of_service("workers", platform.workers)

    def able(at: Integers) -> Integers:
        return np.maximum(0, platform.workers - out(at))

    stopped = run.out_of_service("status", 1)
    suspect: list[tuple[str, Integers, Integers]] = [
        ("attempts", a["work_started"], a["dispatched"]),
        ("updates", begun, u["happened"]),
    ]
    all_known = bool((known == _came(begun)).all())
    for table, starts, since in suspect:
        rows = np.flatnonzero(_came(starts))
        at = starts[rows]
        busy = _count_until(begins, at) - _count_until(ends, at)
        yield from run.breach("no worker was free", table, rows[busy > able(at)])
        if not all_known:
            continue
        busy = _count_before(begins, at) - _count_before(ends, at)
        idle = (at > since[rows]) & (busy < able(at - 1))
        if table == "updates":
            idle &= stopped(at - 1) == 0
        yield from run.breach("waited while a worker was free", table, rows[idle])
    rows = np.flatnonzero(_came(begun))
    yield from run.breach("processing was out", "updates", rows[stopped(begun[rows]) > 0])


def updates_are_seen_after_they_happen(run: Run) -> Iterator[Breach]:
    """Every update: happened_at <= begun_at < visible_at; a lost one is seen only if repaired."""
    u = run.updates
    begun, visible = _came(u["begun"]), _came(u["visible"])
    wrong = begun & (u["begun"] < u["happened"])
    yield from run.breach("begun before it happened", "updates", wrong)
    wrong = visible & (~begun | (u["visible"] <= u["begun"]))
    yield from run.breach("visible before it was processed", "updates", wrong)
    wrong = visible & (u["lost"] == 1) & (u["repaired"] == 0)
    yield from run.breach("lost, and yet visible", "updates", wrong)
    final = (u["lost"] == 1) & (u["status"] >= FIRST_FINAL) & visible
    yield from run.breach("repaired", "updates", (u["repaired"] == 1) & ~final)


def changes_follow_the_attempts(run: Run) -> Iterator[Breach]:
    """Updates are, for each attempt: queued, dialing, connected if answered, and what follows."""
    a, u = run.attempts, run.updates
    keys = a["call_id"] << 8 | a["attempt"]
    instants = {QUEUED: a["queued"], DIALING: a["dispatched"], CONNECTED: a["answered"]}
    order = np.argsort(keys, kind="stable")
    for status, expected in instants.items():
        rows = np.flatnonzero(u["status"] == status)
        wanted = u["call_id"][rows] << 8 | u["attempt"][rows]
        at = np.searchsorted(keys[order], wanted)
        found = np.zeros(len(rows), dtype=np.bool_)
        within = at < len(keys)
        matched = order[at[within]]
        found[within] = (keys[matched] == wanted[within]) & (
            expected[matched] == u["happened"][rows[within]]
        )
        if status == QUEUED:
            unmatched = ~found & ~np.isin(wanted, keys)
            found |= unmatched  # not dispatched yet, or never
        yield from run.breach("no such attempt at that instant", "updates", rows[~found])
        if len(np.unique(wanted)) != len(wanted):
            twice = pd.Series(wanted).duplicated().to_numpy()
            yield from run.breach("told twice", "updates", rows[twice])
        untold = _came(expected) & ~np.isin(keys, wanted)
        yield from run.breach("no update told of it", "attempts", untold)


def one_final_delivery_per_call(run: Run) -> Iterator[Breach]:
    """One final POST per call: due when its final status is visible; again only if it failed.

    An endpoint, and all of them together, never get more posts at once than they take.
    """
    d, u = run.deliveries, run.updates
    order = np.lexsort((d["post"], d["call_id"]))
    call_id, post = d["call_id"][order], d["post"][order]
    first = _first_of_each(call_id)
    wrong = post != _place_in_each(first) + 1
    yield from run.breach("posts of a call are not 1, 2, ...", "deliveries", wrong, order)
    accepted = (d["result"][order][:-1] == ACCEPTED) & ~first[1:]
    yield from run.breach("posted again though accepted", "deliveries", accepted, order[:-1])

    final = np.flatnonzero((u["status"] >= FIRST_FINAL) & _came(u["visible"]))
    has_url = np.array([c.result_url is not None for c in run.plan.campaigns], dtype=np.bool_)
    due = np.full(len(run.rank_of_call), MISSING, dtype=np.int64)
    final = final[has_url[run.update_rank[final]]]
    due[u["call_id"][final]] = u["visible"][final]
    posted = np.full(len(due), MISSING, dtype=np.int64)
    firsts = np.flatnonzero(d["post"] == 1)
    posted[d["call_id"][firsts]] = d["due"][firsts]
    yield from run.breach("first post is not due with the final status", "calls", posted != due)

    begun, ended = _came(d["begun"]), _came(d["ended"])
    wrong = begun & (d["begun"] < d["due"]) | ended & (~begun | (d["ended"] <= d["begun"]))
    yield from run.breach("due, begun and ended not in order", "deliveries", wrong)
    urls = [c.result_url.endpoint if c.result_url else -1 for c in run.plan.campaigns]
    endpoint = np.array(urls, dtype=np.int64)[run.rank_of_call[d["call_id"]]]
    for number, each in enumerate(run.plan.endpoints):
        mine = begun & (endpoint == number)
        yield from _too_many_posts(run, mine, each.posts_at_once, each.name)
        waits = np.array([*each.retry_after_us, NEVER], dtype=np.int64)
        rows = np.flatnonzero((endpoint[order] == number) & ~first)
        gap = d["due"][order][rows] - d["ended"][order][rows - 1]
        wait = waits[np.minimum(post[rows] - 2, len(waits) - 1)]
        again = rows[gap != wait]
        yield from run.breach("posted again at another time", "deliveries", again, order)
    yield from _too_many_posts(run, begun, run.plan.platform.delivery_pool, "all endpoints")


def _too_many_posts(run: Run, mine: Mask, most: int, whose: str) -> Iterator[Breach]:
    d = run.deliveries
    rows = np.flatnonzero(mine)
    ended = np.sort(d["ended"][rows][_came(d["ended"][rows])])
    at = d["begun"][rows]
    busy = _count_until(np.sort(at), at) - _count_until(ended, at)
    yield from run.breach(f"too many at once for {whose}", "deliveries", rows[busy > most])


LAWS: tuple[Law, ...] = (
    every_row_is_rejected_or_accepted,
    accepted_calls_add_up,
    attempts_are_counted,
    final_status_is_what_ended_the_call,
    stop_is_kept,
    expired_calls_are_over,
    not_dispatched_before_start,
    not_dispatched_after_expiry,
    dispatched_inside_the_window,
    not_dispatched_during_a_suspension,
    retry_interval_is_kept,
    queue_order_is_kept,
    parts_of_every_wait_add_up,
    littles_law,
    ports_are_enough,
    limits_on_simultaneous_calls_are_kept,
    dial_rate_is_kept,
    tenants_keep_their_dial_rates,
    pacing_is_kept,
    carrier_channels_are_enough,
    carrier_rate_is_kept,
    carrier_refuses_for_a_reason,
    dial_work_goes_first,
    workers_are_enough,
    updates_are_seen_after_they_happen,
    changes_follow_the_attempts,
    one_final_delivery_per_call,
)
"""Every law, each a function of a run; its docstring says it."""


@dataclass(frozen=True)
class Broken:
    """A law that a result breaks, with where."""

    law: str
    breach: Breach

    def __str__(self) -> str:
        rows = self.breach.rows
        shown = rows.head(SHOWN_ROWS).to_string()
        return f"{self.law}: {self.breach.what}: {len(rows)} rows, first of them\n{shown}"


def broken_laws(result: Result) -> list[Broken]:
    """Every breach of every law, in the order of `LAWS`."""
    run = Run(result)
    return [Broken(law.__name__.replace("_", " "), breach) for law in LAWS for breach in law(run)]


def check_invariants(result: Result) -> None:
    """Hold a result against every law of the platform.

    Raises
    ------
    InvariantError
        If it breaks one; the message names each law that is broken, with the first rows.
    """
    broken = broken_laws(result)
    if broken:
        where = f"{result.scenario.name}, seed {result.seed}, replication {result.replication}"
        raise InvariantError("\n".join([f"{where} breaks:", *map(str, broken)]))
