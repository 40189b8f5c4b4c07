"""The measures of a run, each defined once: commands, reports and tests use these and no others.

Each takes the tables of one run, cut to the calls that are asked about, and gives one number; one
that the run was too short for is NaN, never a guess. Those that take `CallTables` give the number
of every tenant as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from outsim.clock import HOUR, MINUTE, MISSING, SECOND
from outsim.errors import StudyError, unknown_name
from outsim.estimates import Support, sample_quantile
from outsim.results.port_time import held_us, longest_queue, ports_us
from outsim.results.tables.over_time import status_lags_s
from outsim.results.tables.schema import microseconds
from outsim.results.view import CallTables, View, among, anybody
from outsim.vocabulary import ENDED_STATUSES

DEFINITIONS = 4
"""Version of what the figures mean: studies of two versions are not mixed. Before the second one
a wait ended with the first dispatch, even where the carrier refused the attempt; before the fourth
one updates that were never shown were left out of status lags."""


Figure = TypeVar("Figure")


def completed_share(view: CallTables[Figure]) -> Figure:
    """Calls completed by the end of the run, of all wanted: those refused at intake included."""
    return view.ratio(view.count(view.completed), view.count(view.wanted))


def completed_by_deadline(view: CallTables[Figure]) -> Figure:
    """Calls completed by the common clock deadline, of all wanted."""
    return completed_by(view, view.deadline)


def completed_by(view: CallTables[Figure], at: datetime) -> Figure:
    """Calls completed by a clock time, of all wanted."""
    by_then = view.completed & (view.wanted["final_at"] <= at)
    return view.ratio(view.count(by_then), view.count(view.wanted))


def done_by(view: CallTables[Figure], at: datetime) -> Figure:
    """Calls that have their final status by a clock time, whichever it is, of all accepted."""
    return view.ratio(view.count(view.accepted["final_at"] <= at), view.count(view.accepted))


def out_by(view: CallTables[Figure], at: datetime) -> Figure:
    """Calls that are out by a clock time, of all whose wait counts.

    A call is out with the dispatch of its first attempt that the carrier takes, where its wait
    ends; see `CallTables.counted_waits` for those that count.
    """
    counted, waits_s = view.counted_waits
    calls = view.calls[counted]
    waits = pd.to_timedelta(np.where(np.isfinite(waits_s), waits_s, np.nan), unit="s").round("us")
    return view.ratio(view.count(calls["wait_starts_at"] + waits <= at), view.count(calls))


def answered_by_person_share(view: CallTables[Figure]) -> Figure:
    """Calls answered by a person in the end, of all wanted."""
    reached = view.completed & (view.wanted["outcome"] == "human")
    return view.ratio(view.count(reached), view.count(view.wanted))


def finish_time_s(view: View) -> float:
    """When the last call got its final status, in seconds since the run begins."""
    if view.finish is None:
        return float("nan")
    return (view.finish - view.start).total_seconds()


def duration_s(view: View) -> float:
    """From the start (or submission, if later) to the last final status, in seconds.

    0 where all was over before the start, as after a stop.
    """
    if view.finish is None:
        return float("nan")
    return max(0.0, float((view.finish - view.accepted["wait_starts_at"].min()).total_seconds()))


def wait_at_s(view: CallTables[Figure], level: float) -> Figure:
    """Wait that this share of calls do not exceed, in seconds; see `CallTables.wait_at_s`."""
    return view.wait_at_s(level)


def wait_p50_s(view: CallTables[Figure]) -> Figure:
    """Median wait, in seconds."""
    return view.wait_at_s(0.5)


def wait_p90_s(view: CallTables[Figure]) -> Figure:
    """Wait that 90 % of calls do not exceed, in seconds."""
    return view.wait_at_s(0.9)


def wait_mean_s(view: CallTables[Figure]) -> Figure:
    """Mean wait, in seconds; NaN if a call that counts never went out."""
    return view.wait_mean_s()


def time_to_first_dispatch_at_s(view: View, level: float) -> float:
    """Time from start to first dispatch that this share of calls do not exceed, in seconds.

    Unlike a wait it ends with the first attempt even where the carrier refuses it.
    """
    first = microseconds(view.calls["first_dispatched_at"])
    since = microseconds(view.calls["wait_starts_at"])
    dispatched = first != MISSING
    never = among(view.calls["wait_state"], "censored", "never").to_numpy() & ~dispatched
    times = (first - since)[dispatched] / SECOND
    return sample_quantile(times, level, int(np.count_nonzero(never)))


def time_to_first_dispatch_p50_s(view: View) -> float:
    """Median time from start to first dispatch, in seconds."""
    return time_to_first_dispatch_at_s(view, 0.5)


def refused_share(view: View) -> float:
    """Attempts that ended in congestion, of all that ended."""
    outcome = view.attempts["outcome"]
    return view.ratio(int((outcome == "congestion").sum()), int(outcome.notna().sum()))


def refused_requests_share(view: View) -> float:
    """Calls that intake refused for good, of all wanted; NaN where it takes everything."""
    if view.arrays is None or not view.arrays.requests.rows:
        return float("nan")
    return view.ratio(len(view.wanted) - len(view.accepted), len(view.wanted))


def attempts_per_call(view: CallTables[Figure]) -> Figure:
    """Attempts dispatched, per accepted call."""
    return view.ratio(view.attempts_made(), view.count(view.accepted))


def status_lag_p90_s(view: View) -> float:
    """Status lag that 90 % of updates do not exceed, in seconds."""
    return status_lag_at_s(view, 0.9)


def status_lag_at_s(view: View, level: float) -> float:
    """Status lag that this share of updates do not exceed, in seconds; see `status_lags_s`."""
    return sample_quantile(status_lags_s(view.updates), level)


def unreported_final_calls(view: View) -> float:
    """Calls that are over but were never shown as over by the end of the run."""
    unseen = view.updates["status"][view.updates["visible_at"].isna()]
    return float(among(unseen, *ENDED_STATUSES).sum())


def dispatched_before_stop_effect(view: View) -> float:
    """Attempts dispatched after the request to stop and before its effect (rule 12)."""
    if view.stop_requested is None:
        return float("nan")
    at = view.attempts["dispatched_at"]
    return float(((at >= view.stop_requested) & (at < view.stop_effect)).sum())


def dispatched_after_stop_effect(view: View) -> float:
    """Attempts dispatched after a stop took effect: what it did not reach (rule 12)."""
    if view.stop_effect is None:
        return float("nan")
    return float((view.attempts["dispatched_at"] >= view.stop_effect).sum())


def dialed_after_wanted_share(view: View) -> float:
    """Calls of which an attempt was dispatched after the customer had given it up (rule 16).

    Of all accepted; where a campaign has no `gives_up_after`, nobody gives up.
    """
    if view.calls["given_up_at"].isna().all():
        return float("nan")
    return view.ratio(int(view.accepted["dialed_after_wanted"].sum()), len(view.accepted))


def completions_per_port_hour(view: CallTables[Figure]) -> Figure:
    """Calls completed, per hour for which these calls held a port, in vain or not."""
    return view.ratio(view.count(view.completed), view.port_hours())


def dial_throughput_per_min(view: View) -> float:
    """Attempts dispatched a minute, from the first to the last; NaN for fewer than two."""
    at = microseconds(view.attempts["dispatched_at"])
    return view.ratio(len(at) - 1, float(np.ptp(at)) / MINUTE) if len(at) > 1 else float("nan")


def port_use(view: View) -> float:
    """Port time of these calls over that of all ports in service, while these calls were there.

    From the first instant from which one of them waits to the end of their last attempt.
    """
    run = view.arrays
    if run is None or view.calls.empty or view.attempts.empty:
        return float("nan")
    begins = int(microseconds(view.calls["wait_starts_at"]).min()) - run.origin_us
    rows = run.rows_of(view.whose or anybody)(run.attempts["call_id"])
    until = run.attempts["dispatched"] + held_us(run)
    ends = int((until if rows is None else until[rows]).max())
    return view.ratio(view.port_hours() * HOUR, ports_us(run, max(0, begins), ends))


def port_share(view: CallTables[Figure]) -> Figure:
    """Port time of these calls, of that of all calls of the run."""
    return view.port_share()


def peak_queue(view: View) -> float:
    """Most of these calls that wait in the outbound queue at once."""
    return float("nan") if view.arrays is None else longest_queue(view.arrays, view.whose)[0]


def peak_queue_at_s(view: View) -> float:
    """When most of these calls wait in the outbound queue first, in seconds since the run begins.

    NaN where none ever waits.
    """
    if view.arrays is None:
        return float("nan")
    at = longest_queue(view.arrays, view.whose)[1]
    return float("nan") if at == MISSING else at / SECOND


_NEGLIGIBLE = {"share": 0.005, "seconds": 5.0, "clock": 10.0, "number": 0.5}
"""Smallest difference that matters, by kind of figure, where a measure says nothing else: half a
point, since answer rates are hardly known better; five seconds, since nobody tells waits of
minutes apart by less; ten of a clock time; half a call, as one more or less in most runs can be
told by name. A figure that is nearer to 0 than that in nearly all runs hangs on the others."""

_NEGLIGIBLE_SHARE = {"seconds": 0.01}
"""The same as a share of what is compared with, where that is more: of a wait of an hour nobody
minds half a minute."""


@dataclass(frozen=True)
class Subject:
    """Whose calls a measure is about, if it is not the campaign under study."""

    kind: Literal["campaign", "tenant", "background", "everybody", "campaigns", "tenants"]
    """The last two are for the measure of each of them, of which one is picked."""
    name: str = ""
    """``tenant/name`` of a campaign, or the name of a tenant."""
    pick: Literal["max", "min", "jain"] | None = None
    """Which of several counts: the largest or the smallest; or how even they are, by
    `outsim.results.port_time.jain_index`."""

    def __str__(self) -> str:
        words = {
            "tenant": f"tenant {self.name}",
            "background": "background tenants",
            "everybody": "all calls",
            "campaigns": "all campaigns",
            "tenants": "all tenants",
        }
        return words.get(self.kind, self.name)


@dataclass(frozen=True)
class Measure:
    """A figure with what people call it and how it is shown."""

    name: str
    label: str
    kind: str
    """share, seconds, clock (seconds since the run begins), number."""
    compute: Callable[[View], float]
    direction: Literal["maximize", "minimize"] | None
    """Whether more is better, or less; None where neither is."""
    optional: bool = False
    """Whether tables leave it out where nobody has it, such as a stop that nobody asked for."""
    negligible: float | None = None
    """A smaller difference is too small to matter, in the figure's unit; None: as for its kind."""
    negligible_share: float | None = None
    """The same as a share of the figure that it is held against; the larger one counts."""
    of: Subject | None = None
    """Whose calls it is about; None: those of the campaign under study."""

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is, 0 where neither."""
        return {"maximize": 1, "minimize": -1, None: 0}[self.direction]

    def matters_from(self, base: float = float("nan")) -> float:
        """Smallest difference that matters, from base, the measure's size, where that is known."""
        least, share = self.negligible, self.negligible_share
        least = _NEGLIGIBLE.get(self.kind, 0.0) if least is None else least
        share = _NEGLIGIBLE_SHARE.get(self.kind, 0.0) if share is None else share
        return least if np.isnan(base) else max(least, share * abs(base))

    @property
    def support(self) -> Support:
        """Values that the figure can take: none below 0, which of a clock time is the begin."""
        return Support(0.0, 1.0 if self.kind == "share" else float("inf"), self.matters_from())

    def about(self, subject: Subject) -> Measure:
        """The same of a subject's calls."""
        pick = "" if subject.pick is None else f"{subject.pick} "
        name, label = (f"{pick}{text} of {subject}" for text in (self.name, self.label))
        return replace(self, name=name, label=label, of=subject)

    def label_at(self, *deadlines: datetime) -> str:
        """Label, with the clock times of up to three deadlines where the figure has one."""
        times = list(dict.fromkeys(f"{deadline:%H:%M}" for deadline in deadlines))
        written = " against ".join(times) if 1 <= len(times) <= 3 else "its deadline"
        return self.label.format(deadline=written)


MEASURES: tuple[Measure, ...] = (
    Measure(
        "completed_by_deadline",
        "completed by {deadline}",
        "share",
        completed_by_deadline,
        "maximize",
    ),
    Measure("completed_share", "completed in the end", "share", completed_share, "maximize"),
    Measure("finish_time_s", "finished at", "clock", finish_time_s, "minimize"),
    Measure(
        "duration_s",
        "time from start to end",
        "seconds",
        duration_s,
        "minimize",
        negligible=_NEGLIGIBLE["clock"],
        negligible_share=0.0,
    ),
    Measure("wait_p50_s", "p50 wait", "seconds", wait_p50_s, "minimize"),
    Measure("wait_p90_s", "p90 wait", "seconds", wait_p90_s, "minimize"),
    Measure(
        "time_to_first_dispatch_p50_s",
        "p50 time to first dispatch",
        "seconds",
        time_to_first_dispatch_p50_s,
        None,
    ),
    Measure(
        "answered_by_person_share",
        "answered by a person",
        "share",
        answered_by_person_share,
        "maximize",
    ),
    Measure("refused_share", "attempts refused", "share", refused_share, "minimize"),
    Measure(
        "refused_requests_share",
        "calls refused at request",
        "share",
        refused_requests_share,
        "minimize",
        optional=True,
    ),
    Measure(
        "attempts_per_call",
        "attempts per call",
        "number",
        attempts_per_call,
        None,
        negligible=0.005,
    ),
    Measure(
        "status_lag_p90_s",
        "p90 status lag",
        "seconds",
        status_lag_p90_s,
        "minimize",
        negligible=1.0,  # a page that is looked at
    ),
    Measure(
        "dispatched_before_stop_effect",
        "after the stop, before effect",
        "number",
        dispatched_before_stop_effect,
        "minimize",
        optional=True,
    ),
    Measure(
        "dispatched_after_stop_effect",
        "after the stop took effect",
        "number",
        dispatched_after_stop_effect,
        "minimize",
        optional=True,
    ),
    Measure(
        "dialed_after_wanted_share",
        "dialed after it was wanted",
        "share",
        dialed_after_wanted_share,
        "minimize",
        optional=True,
    ),
    Measure(
        "unreported_final_calls",
        "unreported final calls",
        "number",
        unreported_final_calls,
        "minimize",
    ),
)


PORT_MEASURES: tuple[Measure, ...] = (
    Measure(
        "dial_throughput_per_min",
        "dials a minute",
        "number",
        dial_throughput_per_min,
        None,
    ),
    Measure("port_use", "port use", "share", port_use, None),
    Measure(
        "completions_per_port_hour",
        "completed per port-hour",
        "number",
        completions_per_port_hour,
        "maximize",
        negligible_share=0.01,
    ),
    Measure("peak_queue", "peak queue", "number", peak_queue, "minimize", negligible_share=0.01),
    Measure("peak_queue_at_s", "peak queue at", "clock", peak_queue_at_s, None),
    Measure("port_share", "share of port time", "share", port_share, None),
)
"""What calls take of the platform, and what comes of it; the share of all calls comes last."""

ALL_MEASURES = (*MEASURES, *PORT_MEASURES)
"""All that there are by name."""


WAIT_MEAN = Measure("wait_mean_s", "wait, mean", "seconds", wait_mean_s, "minimize")
"""The mean wait, which tells less than its quantiles, and is asked for now and then."""


_OWN = frozenset(ALL_MEASURES)


def measure(view: View, measures: Sequence[Measure] = MEASURES) -> dict[str, float]:
    """Figures of one run, by name; a measure of a user's gets tables that it may change."""
    return {
        item.name: item.compute(view if item in _OWN else view.handed_out()) for item in measures
    }


def measure_named(name: str, measures: Sequence[Measure] = MEASURES, where: str = "") -> Measure:
    """The measure of this name; an error says where it was asked for, and which there are."""
    known = {measure.name: measure for measure in measures}
    if name not in known:
        raise StudyError(where + unknown_name("measure", name, known))
    return known[name]


def calls_dialed(view: View) -> float:
    """Calls that were dispatched at least once, be it in vain."""
    return float(view.calls["first_dispatched_at"].notna().sum())


def dials(view: View) -> float:
    """Attempts dispatched, retries included."""
    return float(len(view.attempts))


def dials_after_stop(view: View) -> float:
    """Attempts dispatched from the request to stop on, retries included; NaN without a stop."""
    return dispatched_before_stop_effect(view) + dispatched_after_stop_effect(view)


_AFTER = ("dispatched_before_stop_effect", "dispatched_after_stop_effect")

STOP_MEASURES: tuple[Measure, ...] = (
    Measure("calls_dialed", "calls dialed", "number", calls_dialed, "minimize"),
    Measure("dials", "dials, retries included", "number", dials, "minimize"),
    *(item for item in MEASURES if item.name in _AFTER),
)

COUNTS: tuple[Measure, ...] = (
    *STOP_MEASURES[:2],
    Measure("dials_after_stop", "dialed after the stop", "number", dials_after_stop, "minimize"),
)
"""What is counted of calls and dials, for promises about how many there may be."""
