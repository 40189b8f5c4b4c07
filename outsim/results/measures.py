"""The measures of a run, each defined once: commands, reports and tests use these and no others.

Each takes the tables of one run, cut to the calls that are asked about, and gives one number; one
that the run was too short for is NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND
from outsim.errors import StudyError, unknown_name
from outsim.estimates import Support, sample_quantile
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.over_time import status_lags_s
from outsim.results.tables.schema import handed_out, microseconds
from outsim.text import brief
from outsim.vocabulary import ENDED_STATUSES

DEFINITIONS = 4
"""Version of what the figures mean: studies of two versions are not mixed. Before the second one
a wait ended with the first dispatch, even where the carrier refused the attempt; before the fourth
one updates that were never shown were left out of status lags."""

NEEDED = {
    "calls": (
        *("status", "outcome", "wait_starts_at", "first_dispatched_at", "final_at"),
        *("wait_s", "wait_state", "wedged"),
    ),
    "attempts": ("dispatched_at", "outcome"),
    "updates": ("status", "happened_at", "visible_at"),
}
"""Columns of the tables that the figures are made of."""


@dataclass(frozen=True, eq=False)
class View:
    """The tables of one run, cut to the calls that are asked about: `NEEDED`, or all of them."""

    __repr__ = brief

    calls: pd.DataFrame
    attempts: pd.DataFrame
    updates: pd.DataFrame
    start: datetime
    """Start of the run."""
    deadline: datetime
    """Clock time by which completed calls are counted."""
    stop_requested: datetime | None = None
    """When the customer asked to stop the campaign; None if nobody did."""
    stop_effect: datetime | None = None
    """When that took effect."""
    arrays: RunArrays | None = None
    """Everything that the run gave, for figures that need more than the columns above."""

    def handed_out(self) -> View:
        """The same, for somebody who may change the tables."""
        return replace(
            self,
            calls=handed_out(self.calls),
            attempts=handed_out(self.attempts),
            updates=handed_out(self.updates),
        )

    @cached_property
    def wanted(self) -> pd.DataFrame:
        """Calls that could be dialed: those that intake refused included, and no rejected rows."""
        wanted = self.calls["status"] != "rejected"
        return self.calls if wanted.all() else self.calls[wanted]

    @cached_property
    def accepted(self) -> pd.DataFrame:
        """Calls that were neither rejected nor refused."""
        accepted = self.wanted["status"] != "refused"
        return self.wanted if accepted.all() else self.wanted[accepted]

    @cached_property
    def completed(self) -> pd.Series:
        """Which of the wanted calls were completed."""
        return self.wanted["status"] == "completed"

    @cached_property
    def waits_s(self) -> NDArray[np.float64]:
        """Waits of the calls that count; see the function of this name."""
        return waits_s(self.calls)

    @cached_property
    def finish(self) -> pd.Timestamp | None:
        """When the last call but wedged ones got its final status; None while any is pending."""
        final_at = self.accepted["final_at"][~self.accepted["wedged"]]
        if len(final_at) == 0 or final_at.isna().any():
            return None
        finish: pd.Timestamp = final_at.max()
        return finish


def _among(column: pd.Series, *words: str) -> pd.Series:
    """Where a column has one of these words; categories compare a word as its code."""
    mask = column == words[0]
    for word in words[1:]:
        mask |= column == word
    return mask


def waits_s(calls: pd.DataFrame) -> NDArray[np.float64]:
    """Waits of the calls that count, sorted, in seconds.

    A wait ends with the dispatch of the first attempt that the carrier takes: one
    that it refuses reaches nobody. A call without such an attempt by its end, or by
    the end of the run, counts as longer than any limit (inf), and so does one that intake
    refused; those canceled before, wedged and rejected ones are left out.
    """
    counted = _among(calls["wait_state"], "complete", "censored", "never", "refused").to_numpy()
    waits: NDArray[np.float64] = calls["wait_s"].to_numpy(np.float64)[counted]
    waits[np.isnan(waits)] = np.inf
    waits.sort()
    return waits


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def completed_share(view: View) -> float:
    """Calls completed by the end of the run, of all wanted: those refused at intake included."""
    return _share(int(view.completed.sum()), len(view.wanted))


def completed_by_deadline(view: View) -> float:
    """Calls completed by the common clock deadline, of all wanted."""
    return completed_by(view, view.deadline)


def completed_by(view: View, at: datetime) -> float:
    """Calls completed by a clock time, of all wanted."""
    by_then = view.completed & (view.wanted["final_at"] <= at)
    return _share(int(by_then.sum()), len(view.wanted))


def done_by(view: View, at: datetime) -> float:
    """Calls that have their final status by a clock time, whichever it is, of all accepted."""
    return _share(int((view.accepted["final_at"] <= at).sum()), len(view.accepted))


def answered_by_person_share(view: View) -> float:
    """Calls answered by a person in the end, of all wanted."""
    reached = view.completed & (view.wanted["outcome"] == "human")
    return _share(int(reached.sum()), len(view.wanted))


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


def wait_at_s(view: View, level: float) -> float:
    """Wait that this share of calls do not exceed, in seconds; see `waits_s`."""
    return sample_quantile(view.waits_s, level)


def wait_p50_s(view: View) -> float:
    """Median wait, in seconds."""
    return wait_at_s(view, 0.5)


def wait_p90_s(view: View) -> float:
    """Wait that 90 % of calls do not exceed, in seconds."""
    return wait_at_s(view, 0.9)


def wait_mean_s(view: View) -> float:
    """Mean wait, in seconds; NaN if a call that counts never went out."""
    if len(view.waits_s) == 0 or not np.isfinite(view.waits_s[-1]):
        return float("nan")
    return float(view.waits_s.mean())


def time_to_first_dispatch_at_s(view: View, level: float) -> float:
    """Time from start to first dispatch that this share of calls do not exceed, in seconds.

    Unlike a wait it ends with the first attempt even where the carrier refuses it.
    """
    first = microseconds(view.calls["first_dispatched_at"])
    since = microseconds(view.calls["wait_starts_at"])
    dispatched = first != MISSING
    never = _among(view.calls["wait_state"], "censored", "never").to_numpy() & ~dispatched
    times = (first - since)[dispatched] / SECOND
    return sample_quantile(times, level, int(np.count_nonzero(never)))


def time_to_first_dispatch_p50_s(view: View) -> float:
    """Median time from start to first dispatch, in seconds."""
    return time_to_first_dispatch_at_s(view, 0.5)


def refused_share(view: View) -> float:
    """Attempts that ended in congestion, of all that ended."""
    outcome = view.attempts["outcome"]
    return _share(int((outcome == "congestion").sum()), int(outcome.notna().sum()))


def refused_requests_share(view: View) -> float:
    """Calls that intake refused for good, of all wanted; NaN where it takes everything."""
    if view.arrays is None or not view.arrays.requests.rows:
        return float("nan")
    return _share(len(view.wanted) - len(view.accepted), len(view.wanted))


def attempts_per_call(view: View) -> float:
    """Attempts dispatched, per accepted call."""
    return _share(len(view.attempts), len(view.accepted))


def status_lag_p90_s(view: View) -> float:
    """Status lag that 90 % of updates do not exceed, in seconds."""
    return status_lag_at_s(view, 0.9)


def status_lag_at_s(view: View, level: float) -> float:
    """Status lag that this share of updates do not exceed, in seconds; see `status_lags_s`."""
    return sample_quantile(status_lags_s(view.updates), level)


def unreported_final_calls(view: View) -> float:
    """Calls that are over but were never shown as over by the end of the run."""
    unseen = view.updates["status"][view.updates["visible_at"].isna()]
    return float(_among(unseen, *ENDED_STATUSES).sum())


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


_NEGLIGIBLE = {"share": 0.005, "seconds": 5.0, "clock": 10.0, "number": 0.5}
"""Smallest difference that matters, by kind of figure, where a measure says nothing else: half a
point, since answer rates are hardly known better; five seconds, since nobody tells waits of
minutes apart by less; ten of a clock time; half a call, as one more or less in most runs can be
told by name. A figure that is nearer to 0 than that in nearly all runs hangs on the others."""

_NEGLIGIBLE_SHARE = {"seconds": 0.01}
"""The same as a share of what is compared with, where that is more: of a wait of an hour nobody
minds half a minute."""


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
        "unreported_final_calls",
        "unreported final calls",
        "number",
        unreported_final_calls,
        "minimize",
    ),
)


WAIT_MEAN = Measure("wait_mean_s", "wait, mean", "seconds", wait_mean_s, "minimize")
"""The mean wait, which tells less than its quantiles, and is asked for now and then."""


_OWN = frozenset(MEASURES)


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


_AFTER = ("dispatched_before_stop_effect", "dispatched_after_stop_effect")

STOP_MEASURES: tuple[Measure, ...] = (
    Measure("calls_dialed", "calls dialed", "number", calls_dialed, "minimize"),
    Measure("dials", "dials, retries included", "number", dials, "minimize"),
    *(each for each in MEASURES if each.name in _AFTER),
)
