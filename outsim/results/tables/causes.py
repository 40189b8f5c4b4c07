"""Where the time of every call went: each microsecond from its submission has one cause.

Everything is derived from the records, in integers, so the causes of a call add up exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from outsim.clock import MISSING, NEVER
from outsim.engine.records import Integers
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import Mask, RunArrays, came
from outsim.results.tables.resource_idle import RESOURCES
from outsim.results.tables.schema import checked_step
from outsim.results.tables.time_in_system import FREE, HELD_BY, PARTS, Splitter, TimeInSystem
from outsim.vocabulary import ACCEPTED, NOT_ACCEPTED, QUEUED, REFUSALS

CAUSES: dict[str, str] = {
    "earlier": "before the snapshot",
    "schedule": "not started yet",
    "asking_again": "refused at first, asking again",
    "loading": "loading the list",
    "pacing": "pacing",
    "suspension": "suspended",
    "pause": "paused",
    "calling_window": "outside the calling window",
    "limit": "limit on simultaneous calls",
    "same_number": "another call to its number",
    "calls_ahead": "calls ahead in the queue",
    "no_free_port": "no free port",
    "dial_rate": "dial rate",
    "no_worker": "no worker",
    "refused_attempt": "refused by the carrier",
    "dialing_and_talking": "dialing and talking",
    "retry_gap": "waiting for a retry",
    "wedged": "wedged",
    "status_backlog": "status backlog",
    "lost_update": "lost update",
    "delivery": "delivery to result_url",
}
"""Names of causes, in the order in which a call meets them, and what people call them."""

QUEUE_CAUSES = (*HELD_BY[1:], "calls_ahead", *RESOURCES)
"""What time in the outbound queue may be put down to, but for what was before a snapshot."""

WAIT_CAUSES = (
    *("asking_again", "loading", *QUEUE_CAUSES),
    *("refused_attempt", "dialing_and_talking", "retry_gap"),
)
"""Causes of a wait, from the start of the campaign to the dispatch of the first attempt that the
carrier takes: `outsim.results.measures.waits_s`."""

Until = Literal["end", "wait", "first_dispatch"]


STAGES: dict[str, str] = {
    "dial_work": "dial work",
    "connecting": "connecting",
    "ringing": "ringing",
    "talking": "talking",
}
"""What goes on while a call is dialed and talks."""

PHASES = CAUSES | STAGES
"""Names of the phases of calls, and what people call them: causes, one of them by stages."""

_CODES = {phase: code for code, phase in enumerate(PHASES)}
_OF_PARTS = np.array([_CODES[part] for part in PARTS])


class _Course:
    """Goes along the course of every call, and writes down what each part of it was."""

    def __init__(
        self, since: Integers, until: Integers, followed: Mask | None, run: RunArrays
    ) -> None:
        self.now = np.minimum(since, until)
        self.retry_wait_us = run.per_call(lambda campaign: campaign.rules.retry_interval_us)
        """Per call, from where it is to the queue again, if its next attempt is a retry."""
        self.wait_after_us = run.retry_wait_us
        """The same per attempt, from its end."""
        self.until = until
        self.spent = {cause: np.zeros(len(since), dtype=np.int64) for cause in CAUSES}
        self.followed = followed
        """Calls whose phases are written down one by one, ..."""
        self.phases: list[pd.DataFrame] = []
        """... and these."""
        self.attempt = np.zeros(len(since), dtype=np.int64)

    def go(
        self,
        cause: str,
        to: Integers | int,
        calls: Integers | None = None,
        stage: str | None = None,
    ) -> None:
        """Go on to an instant, at most to the end; an instant that has passed takes no time."""
        rows = slice(None) if calls is None else calls
        now = self.now[rows]
        then = np.maximum(now, np.minimum(to, self.until[rows]))
        self.spent[cause][rows] += then - now
        if self.followed is not None:
            phase = np.full(len(now), _CODES[stage or cause])
            self.follow(np.arange(len(self.now))[rows], phase, now.copy(), then)
        self.now[rows] = then

    def follow(self, calls: Integers, phase: Integers, since: Integers, until: Integers) -> None:
        """Write down phases of the calls that are followed, if they took any time."""
        assert self.followed is not None
        told = self.followed[calls] & (until > since)
        calls = calls[told]
        columns = {"call_id": calls, "attempt": self.attempt[calls], "phase": phase[told]}
        self.phases.append(pd.DataFrame(columns | {"since": since[told], "until": until[told]}))


class Causes:
    """The causes of one run, by either engine."""

    def __init__(self, run: RunArrays) -> None:
        self.run = run

    @cached_property
    def queue(self) -> Splitter:
        """Stays in the outbound queue."""
        return Splitter(self.run)

    def spent(self, until: Until, *, by_resource: bool) -> dict[str, Integers]:
        """Time by cause, per call of the plan, in microseconds; see `time_by_cause`."""
        return self._course(until, by_resource=by_resource).spent

    def phases(self, call_ids: Integers) -> pd.DataFrame:
        """The course of some calls to their end, phase by phase.

        Returns
        -------
        DataFrame
            One row a phase, by call and in the order of time, each from where the one before ends:
            ``call_id``, ``attempt``, the dial that it leads to, is of or follows (0 before the
            first entry to the queue), ``phase``, a name of `PHASES`, and ``since`` and ``until``
            in microseconds since the run begins. By cause they add up to `by_call`.
        """
        followed = np.zeros(len(self.run.rank_of_call), dtype=np.bool_)
        followed[call_ids] = True
        table = pd.concat(self._course("end", by_resource=False, followed=followed).phases)
        table = table.sort_values(["call_id", "since"], ignore_index=True)
        same = ["call_id", "attempt", "phase"]
        begins = (table[same] != table[same].shift()).any(axis=1).to_numpy()
        ends = np.append(begins[1:], True)[: len(table)]
        shown = table[begins].assign(until=table["until"].to_numpy()[ends])
        words: Any = pd.Index(list(PHASES), dtype="str")
        shown["phase"] = pd.Categorical.from_codes(shown["phase"].to_numpy(), categories=words)
        return shown.reset_index(drop=True)

    def _course(self, until: Until, *, by_resource: bool, followed: Mask | None = None) -> _Course:
        run = self.run
        submitted = run.submitted_us
        final = run.calls["final"]
        over = np.where(came(final), final, run.ended_us)
        over = np.where(np.isin(run.calls["status"], NOT_ACCEPTED), submitted, over)
        last = self._last_attempt(until)
        if until != "end":
            a = run.attempts
            rows = a["attempt"] == last[a["call_id"]]
            over[a["call_id"][rows]] = a["dispatched"][rows]
            over = np.where(self._over_before(until), submitted, over)
        course = _Course(submitted, np.maximum(submitted, over), followed, run)
        self._before_the_queue(course)
        stays = self.queue.stays
        if followed is not None:
            last[~followed] = -1
        for attempt in self._rounds(stays, last):
            self._attempt(course, stays, attempt, by_resource=by_resource)
        wedged = np.flatnonzero(run.wedged)
        course.go("wedged", course.until[wedged], wedged)
        self._after_the_last(course)
        if until == "end":
            self._after_the_end(course)
        return course

    def _last_attempt(self, until: Until) -> Integers:
        """Number of the attempt of each call whose dispatch ends what is told."""
        run, a = self.run, self.run.attempts
        last = np.full(len(run.rank_of_call), NEVER)
        if until == "first_dispatch":
            last[:] = 1
        elif until == "wait":
            rows = run.by_call[run.admitted[run.by_call]][::-1]
            last[a["call_id"][rows]] = a["attempt"][rows]
        if until != "end":
            last[self._over_before(until)] = 0
        return last

    def _over_before(self, until: Until) -> Mask:
        """Calls for which what is told of was over before the moment of a snapshot."""
        return self.run.out_before if until == "wait" else self.run.made_before > 0

    def _before_the_queue(self, course: _Course) -> None:
        run = self.run
        course.go("schedule", run.of_calls(lambda campaign: campaign.wait_starts_us))
        again = np.flatnonzero(run.made_before > 0)
        if len(again):
            at_us, ended_us, ready_us = (
                run.of_calls(lambda c, name=name: _opening(c, name))[again]  # type: ignore[misc]
                for name in ("at_us", "last_failure_us", "ready_us")
            )
            # Who stands in the queue entered it before that: the rest is part of the stay in it.
            course.go("earlier", np.minimum(at_us, ready_us), again)
            course.go("dialing_and_talking", ended_us, again)
            course.go("retry_gap", ready_us, again)
        if run.requests.rows:
            course.go("asking_again", run.taken_us)
        course.go("loading", run.ready_us)
        u = run.updates
        entered = np.flatnonzero(u["status"] == QUEUED)[::-1]
        first = np.full(len(course.now), run.ended_us)
        first[u["call_id"][entered]] = u["happened"][entered]
        course.go("pacing", first)

    def _rounds(self, stays: TimeInSystem, last: Integers) -> Iterator[Integers]:
        """Rows of the stays up to the `last` attempt of each call: all first ones, and so on."""
        counted_rows = np.flatnonzero(stays.attempt <= last[stays.call_id])
        order = counted_rows[np.argsort(stays.attempt[counted_rows], kind="stable")]
        numbers = stays.attempt[order]
        yield from np.split(order, np.flatnonzero(np.diff(numbers)) + 1)

    def _attempt(
        self, course: _Course, stays: TimeInSystem, rows: Integers, *, by_resource: bool
    ) -> None:
        """A stay in the queue of some calls, and what came before it and after it."""
        a, chosen = self.run.attempts, stays.of(rows)
        calls = chosen.call_id
        again = chosen.attempt > self.run.made_before[calls] + 1
        self._retry(course, calls[again], chosen.since[again])
        before, after = self.queue.split(chosen)
        if not by_resource:
            before[:, -1] += before[:, FREE:-1].sum(axis=1)
            before[:, FREE:-1] = 0
        for place, cause in enumerate(PARTS):
            course.spent[cause][calls] += before[:, place] + after[:, place]
        if course.followed is not None:
            course.attempt[calls] = chosen.attempt
            places, parts, begins, ends = self.queue.pieces(chosen)
            course.follow(calls[places], _OF_PARTS[parts], begins, ends)
        course.now[calls] = chosen.until
        went = rows < len(a["call_id"])
        rows, calls = rows[went], calls[went]
        course.retry_wait_us[calls] = course.wait_after_us[rows]
        came_to, ended = (
            np.where(came(instants), instants, self.run.ended_us)
            for instants in (a["work_started"][rows], a["ended"][rows])
        )
        course.go("no_worker", came_to, calls)
        refused = np.isin(a["cause"][rows], REFUSALS)
        course.go("refused_attempt", ended[refused], calls[refused])
        rows, calls, ended = rows[~refused], calls[~refused], ended[~refused]
        if course.followed is not None:
            dialed, ringing, answered = (
                a[name][rows] for name in ("dialed", "ringing", "answered")
            )
            rung = np.where(came(answered), answered, ended)
            for stage, to in (
                ("dial_work", np.where(came(dialed), dialed, ended)),
                ("connecting", np.where(came(ringing), ringing, rung)),
                ("ringing", rung),
                ("talking", ended),
            ):
                course.go("dialing_and_talking", to, calls, stage)
        course.go("dialing_and_talking", ended, calls)

    def _retry(self, course: _Course, calls: Integers, queued: Integers | int) -> None:
        """From the end of an attempt to the next entry."""
        course.go("retry_gap", course.now[calls] + course.retry_wait_us[calls], calls)
        course.go("pacing", queued, calls)

    def _after_the_last(self, course: _Course) -> None:
        """A wait for a retry that did not come into the queue."""
        rest = np.flatnonzero(course.now < course.until)
        self._retry(course, rest, self.run.ended_us)

    def _after_the_end(self, course: _Course) -> None:
        """From the final status to its being visible, and on to its being delivered."""
        run, u, d = self.run, self.run.updates, self.run.deliveries
        over = came(run.calls["final"])
        calls = np.flatnonzero(over)
        course.until = np.full(len(course.now), run.ended_us)
        last = run.last_update[calls]
        visible, begun = u["visible"][last], u["begun"][last]
        lost = u["lost"][last] > 0
        seen = np.where(lost, begun, visible)
        course.go("status_backlog", np.where(came(seen), seen, run.ended_us), calls)
        course.go("lost_update", np.where(came(visible), visible, run.ended_us), calls)
        posts = run.per_campaign(
            lambda c: (
                0
                if c.result_url is None
                else 1 + len(run.plan.endpoints[c.result_url.endpoint].retry_after_us)
            )
        )[run.rank_of_call]
        done = np.where(posts > 0, run.ended_us, course.now)
        settled = came(d["ended"]) & (
            (d["result"] == ACCEPTED) | (d["post"] >= posts[d["call_id"]])
        )
        done[d["call_id"][settled]] = d["ended"][settled]
        course.go("delivery", done[calls], calls)

    def by_call(
        self, rows: Integers, *, until: Until = "end", by_resource: bool = False
    ) -> pd.DataFrame:
        """Time of some calls by cause; see `Result.time_by_cause`."""
        spent = self.spent(until, by_resource=by_resource)
        columns = {cause: spent[cause][rows].view("timedelta64[us]") for cause in CAUSES}
        return pd.DataFrame(columns, index=pd.Index(rows.astype(np.int32), name="call_id"))

    def over_time(
        self,
        calls: pd.DataFrame,
        every: str,
        *,
        by_resource: bool,
        until: Until = "first_dispatch",
    ) -> pd.DataFrame:
        """Mean time of some calls by cause, by when they came; see `Result.causes_over_time`."""
        counted = np.ones(len(calls), dtype=bool)
        if until == "first_dispatch":
            counted = calls["wait_state"].isin(("complete", "censored", "never")).to_numpy()
        rows = calls["call_id"].to_numpy()[counted].astype(np.int64)
        table = self.by_call(rows, until="wait", by_resource=by_resource)
        # Rounded down on UTC, where no clock is put forward or back.
        came_at = pd.DatetimeIndex(calls["wait_starts_at"].array[counted])
        came_at += pd.to_timedelta(table[["asking_again", "loading", "pacing"]].sum(axis=1).array)
        slot = came_at.tz_convert("UTC").floor(checked_step(every)).tz_convert(came_at.tz)
        shown = list(WAIT_CAUSES)
        if until == "end":
            table = self.by_call(rows, by_resource=by_resource)
            shown = list(CAUSES)
        grouped = table[shown].astype("int64").groupby(slot.rename("since"))
        means = grouped.mean().round().astype("int64").astype("timedelta64[us]")
        means.insert(0, "calls", grouped.size())
        return means

    def by_blocker(self, chosen: TimeInSystem) -> pd.DataFrame:
        """Time of some stays, by whom and by what; see `Result.queue_time_by_blocker`."""
        charged = self.queue.by_whom(chosen)
        ranks = np.flatnonzero(charged.sum(axis=1))
        ranks = ranks[np.argsort(-charged[ranks].sum(axis=1), kind="stable")]
        plans = [self.run.plan.campaigns[rank] for rank in ranks]
        table = pd.DataFrame(
            {
                "tenant": [plan.tenant for plan in plans],
                "campaign": [plan.name for plan in plans],
                "start": self.run.local_times(
                    np.array([plan.start_us for plan in plans], dtype=np.int64)
                ),
            }
        )
        for cause in ("earlier", *QUEUE_CAUSES):
            table[cause] = charged[ranks, PARTS.index(cause)].view("timedelta64[us]")
        table["total"] = charged[ranks].sum(axis=1).view("timedelta64[us]")
        return table


def _opening(campaign: CampaignPlan, name: str) -> Integers:
    """An instant of each call of a campaign that a snapshot tells of."""
    if campaign.opening is None:
        return np.full(campaign.size, MISSING)
    return np.broadcast_to(np.asarray(getattr(campaign.opening, name)), campaign.size)
