"""The figures that outsim reports, each defined once.

Commands, reports and tests use these and no others. Each takes the tables of
one run, cut to the calls that are asked about, and gives one number; a number
that the run was too short for is NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class View:
    """The tables of one run, cut to the calls that are asked about."""

    calls: pd.DataFrame
    attempts: pd.DataFrame
    updates: pd.DataFrame
    begins: datetime
    """Start of the run."""
    deadline: datetime
    """Clock time by which completed calls are counted."""
    stop_requested: datetime | None = None
    """When the customer asked to stop the campaign; None if nobody did."""
    stop_effect: datetime | None = None
    """When that took effect."""

    @property
    def accepted(self) -> pd.DataFrame:
        """Calls that were not rejected."""
        return self.calls[self.calls["status"] != "rejected"]


def waits_s(calls: pd.DataFrame) -> NDArray[np.float64]:
    """Waits of the calls that count, sorted, in seconds.

    A call that was not dispatched by its end, or by the end of the run, counts
    as longer than any limit (inf); canceled, wedged and rejected calls are left
    out.
    """
    counted = calls[calls["wait_state"].isin(["complete", "censored", "never"])]
    return np.sort(counted["wait_s"].fillna(np.inf).to_numpy())


def wait_quantile_s(calls: pd.DataFrame, level: float) -> float:
    """Smallest wait that at least this share of the counted calls do not exceed.

    NaN where that many calls were not dispatched, or none counts.
    """
    waits = waits_s(calls)
    if len(waits) == 0:
        return float("nan")
    wait = waits[max(0, int(np.ceil(level * len(waits))) - 1)]
    return float(wait) if np.isfinite(wait) else float("nan")


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _completed(view: View) -> pd.Series:
    return view.accepted["status"] == "completed"


def completed_share(view: View) -> float:
    """Calls completed by the end of the run, of all accepted."""
    return _share(int(_completed(view).sum()), len(view.accepted))


def completed_by_deadline(view: View) -> float:
    """Calls completed by the common clock deadline, of all accepted."""
    by_then = _completed(view) & (view.accepted["final_at"] <= view.deadline)
    return _share(int(by_then.sum()), len(view.accepted))


def human_share(view: View) -> float:
    """Calls answered by a person in the end, of all accepted."""
    reached = _completed(view) & (view.accepted["outcome"] == "human")
    return _share(int(reached.sum()), len(view.accepted))


def _finish(view: View) -> pd.Timestamp | None:
    """When the last call got its final status; None while any is pending but for wedged ones."""
    calls = view.accepted[~view.accepted["wedged"]]
    if len(calls) == 0 or calls["final_at"].isna().any():
        return None
    finish: pd.Timestamp = calls["final_at"].max()
    return finish


def finished_s(view: View) -> float:
    """When the last call got its final status, in seconds since the run begins."""
    finish = _finish(view)
    return float("nan") if finish is None else (finish - view.begins).total_seconds()


def duration_s(view: View) -> float:
    """From the start (or submission, if later) to the last final status, in seconds.

    0 where all was over before the start, as after a stop.
    """
    finish = _finish(view)
    if finish is None:
        return float("nan")
    return max(0.0, float((finish - view.accepted["waits_from"].min()).total_seconds()))


def wait_median_s(view: View) -> float:
    """Median wait from start to first dispatch, in seconds."""
    return wait_quantile_s(view.calls, 0.5)


def wait_p90_s(view: View) -> float:
    """Wait that nine calls in ten do not exceed, in seconds."""
    return wait_quantile_s(view.calls, 0.9)


def congestion_share(view: View) -> float:
    """Attempts that ended in congestion, of all that ended."""
    ended = view.attempts["outcome"].dropna()
    return _share(int((ended == "congestion").sum()), len(ended))


def attempts_per_call(view: View) -> float:
    """Attempts dispatched, per accepted call."""
    return _share(len(view.attempts), len(view.accepted))


def status_lags_s(updates: pd.DataFrame) -> pd.Series:
    """From happening to being visible, in seconds, of the updates that workers process.

    Missing where an update never became visible.
    """
    processed = updates[updates["happened_at"].ne(updates["visible_at"])]
    return (processed["visible_at"] - processed["happened_at"]).dt.total_seconds()


def status_lag_p90_s(view: View) -> float:
    """Status lag that nine visible updates in ten do not exceed, in seconds."""
    lags = status_lags_s(view.updates).dropna()
    return float(lags.quantile(0.9, interpolation="lower")) if len(lags) else float("nan")


def seen_pending(view: View) -> float:
    """Calls that are over but were never shown as over by the end of the run."""
    final = view.updates[
        view.updates["status"].isin(["completed", "failed", "canceled", "expired"])
    ]
    return float(final["visible_at"].isna().sum())


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


@dataclass(frozen=True)
class Measure:
    """A figure with what people call it and how it is shown."""

    name: str
    label: str
    kind: str
    """share, seconds, clock (seconds since the run begins), number."""
    compute: Callable[[View], float]
    better: int
    """+1 where more is better, -1 where less is, 0 where neither."""
    optional: bool = False
    """Whether tables leave it out where nobody has it, such as a stop that nobody asked for."""

    def label_at(self, *deadlines: datetime) -> str:
        """Label, with the clock time of the deadline where the figure has one.

        Several scenarios may have several: then the label names none.
        """
        times = {f"{deadline:%H:%M}" for deadline in deadlines}
        return self.label.format(deadline=times.pop() if len(times) == 1 else "its deadline")


MEASURES: tuple[Measure, ...] = (
    Measure("completed_by_deadline", "completed by {deadline}", "share", completed_by_deadline, 1),
    Measure("completed_share", "completed in the end", "share", completed_share, 1),
    Measure("finished_s", "finished at", "clock", finished_s, -1),
    Measure("duration_s", "time from start to end", "seconds", duration_s, -1),
    Measure("wait_median_s", "wait, median", "seconds", wait_median_s, -1),
    Measure("wait_p90_s", "wait, 9 in 10", "seconds", wait_p90_s, -1),
    Measure("human_share", "answered by a person", "share", human_share, 1),
    Measure("congestion_share", "attempts refused", "share", congestion_share, -1),
    Measure("attempts_per_call", "attempts per call", "number", attempts_per_call, 0),
    Measure("status_lag_p90_s", "status lag, 9 in 10", "seconds", status_lag_p90_s, -1),
    Measure(
        "dispatched_before_stop_effect",
        "after the stop, before effect",
        "number",
        dispatched_before_stop_effect,
        -1,
        optional=True,
    ),
    Measure(
        "dispatched_after_stop_effect",
        "after the stop took effect",
        "number",
        dispatched_after_stop_effect,
        -1,
        optional=True,
    ),
    Measure("seen_pending", "over, never shown so", "number", seen_pending, -1),
)


def measure(view: View) -> dict[str, float]:
    """All figures of `MEASURES` for one run, by name."""
    return {each.name: each.compute(view) for each in MEASURES}
