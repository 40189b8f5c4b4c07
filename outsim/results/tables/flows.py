"""What comes and goes in a run, in the queue, on ports and at work, and how much of it is there.

A flow is told of exactly, as a step function, or on a grid of instants, by groups of calls: both
come of the same instants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.results.run_arrays import Mask, RunArrays, count_until
from outsim.results.tables.schema import microseconds

Instants = NDArray[np.int64]
"""Microseconds since 1970, UTC."""
Steps = tuple[Instants, NDArray[Any]]

CARRIED = ("", "dropped")
"""Causes, among them none, of attempts that the carrier did not refuse."""


class Moves(NamedTuple):
    """When something comes, or goes, and with which calls; `clock.MISSING` where it does not."""

    at: Instants
    call_id: NDArray[np.int32]

    def cut(self, rows: Mask) -> Moves:
        """Some of them."""
        return Moves(self.at[rows], self.call_id[rows])


class Flow(NamedTuple):
    """What comes and goes."""

    comes: Moves
    goes: Moves

    def of(self, is_theirs: Mask) -> Flow:
        """The part of it that some calls have; `is_theirs` says so of each call."""
        comes, goes = (is_theirs[side.call_id] for side in self)
        return Flow(self.comes.cut(comes), self.goes.cut(goes))

    def steps(self) -> Steps:
        """How much is there, as a step function."""
        comes, goes = (side.at[side.at != MISSING] for side in self)
        change = np.concatenate([np.ones(len(comes), np.int64), -np.ones(len(goes), np.int64)])
        at = np.concatenate([comes, goes])
        order = np.argsort(at, kind="stable")
        return at[order], np.cumsum(change[order])

    def level_at(self, marks: Instants) -> NDArray[np.int64]:
        """How much is there at some instants, which are in order."""
        change = np.zeros(len(marks) + 1, dtype=np.int64)
        for side, sign in zip(self, (1, -1), strict=True):
            # Whatever comes is there from the first mark on that is not before it.
            place = np.searchsorted(marks, side.at[side.at != MISSING])
            change += sign * np.bincount(place, minlength=len(change))
        return np.asarray(change[:-1].cumsum())


def moves(table: pd.DataFrame, column: str, rows: Mask | None = None) -> Moves:
    """Moves of some rows of a table, or of all, at the instant in a column."""
    everything = Moves(microseconds(table[column]), table["call_id"].to_numpy())
    return everything if rows is None else everything.cut(rows)


def staying(comes: Moves) -> Flow:
    """What comes and never goes."""
    return Flow(comes, Moves(comes.at[:0], comes.call_id[:0]))


def _left_queue(updates: pd.DataFrame) -> Moves:
    """When calls left the queue without being dialed: canceled or expired in it."""
    gone = updates["status"].isin(("canceled", "expired"))
    if not gone.any():
        return moves(updates.iloc[:0], "happened_at")
    theirs = updates[updates["call_id"].isin(updates.loc[gone, "call_id"])]
    before = theirs.groupby("call_id", sort=False, observed=True)["status"].shift()
    left = theirs[gone[theirs.index] & (before == "queued")]
    return moves(left, "happened_at")


def queue_flow(calls: pd.DataFrame, attempts: pd.DataFrame, updates: pd.DataFrame) -> Flow:
    """The outbound queue; updates are in the order of happening."""
    entered = (updates["status"] == "queued").to_numpy()
    wedged = calls.loc[calls["wedged"], "call_id"]
    if len(wedged):
        entered = entered & ~updates["call_id"].isin(wedged).to_numpy()
    dispatched, left = moves(attempts, "dispatched_at"), _left_queue(updates)
    goes = Moves(
        np.concatenate([dispatched.at, left.at]),
        np.concatenate([dispatched.call_id, left.call_id]),
    )
    return Flow(moves(updates, "happened_at", entered), goes)


FLOW_COLUMNS = (
    "call_id",
    "dispatched_at",
    "work_started_at",
    "dialed_at",
    "answered_at",
    "ended_at",
    "cause",
)
"""Columns of attempts that `flows` needs."""


def flows(calls: pd.DataFrame, attempts: pd.DataFrame, updates: pd.DataFrame) -> dict[str, Flow]:
    """Every quantity of `Result.timeline` that there is an amount of at each instant."""
    processed = updates["visible_at"].ne(updates["happened_at"]).to_numpy()
    carried = attempts["cause"].isin(CARRIED).to_numpy()
    answered = attempts["answered_at"].notna().to_numpy()
    dispatched, ended = (moves(attempts, name) for name in ("dispatched_at", "ended_at"))
    return {
        "queue": queue_flow(calls, attempts, updates),
        "busy_ports": Flow(dispatched, ended),
        "waiting_for_worker": Flow(dispatched, moves(attempts, "work_started_at")),
        "busy_channels": Flow(
            moves(attempts, "dialed_at", carried), moves(attempts, "ended_at", carried)
        ),
        "connected": Flow(moves(attempts, "answered_at"), moves(attempts, "ended_at", answered)),
        "status_backlog": Flow(
            moves(updates, "happened_at", processed), moves(updates, "started_at", processed)
        ),
    }


def port_phases(attempts: pd.DataFrame) -> dict[str, Flow]:
    """What busy ports are held for: ``dialing`` before anything rings, ``ringing``, ``talking``.

    Together they are the busy ports.
    """
    dispatched, ringing, answered, ended = (
        moves(attempts, f"{name}_at").at for name in ("dispatched", "ringing", "answered", "ended")
    )
    rings, is_answered = ringing != MISSING, answered != MISSING
    silent = np.where(is_answered, answered, ended)
    spans = {
        "dialing": (dispatched, np.where(rings, ringing, silent)),
        "ringing": (ringing, np.where(rings, silent, MISSING)),
        "talking": (answered, np.where(is_answered, ended, MISSING)),
    }
    call_id = attempts["call_id"].to_numpy()
    return {
        phase: Flow(Moves(since, call_id), Moves(until, call_id))
        for phase, (since, until) in spans.items()
    }


def worker_tasks(run: RunArrays, attempts: pd.DataFrame, updates: pd.DataFrame) -> dict[str, Flow]:
    """What workers are busy with: ``dial_work`` and ``status_work``.

    An update that is lost is left out where the length of status work is drawn: nothing tells it.
    """
    begun, visible = (microseconds(updates[name]) for name in ("started_at", "visible_at"))
    work_us, was_begun = run.plan.platform.status_work_us, begun != MISSING
    if work_us >= 0:
        ended = np.where(was_begun, begun + work_us, MISSING)
        ended[ended >= run.origin_us + run.ended_us] = MISSING
    else:
        is_direct = was_begun & (visible != MISSING) & ~updates["reconciled"].to_numpy()
        ended = np.where(is_direct, visible, MISSING)
        begun = np.where(is_direct | ~updates["lost"].to_numpy(), begun, MISSING)
    call_id = updates["call_id"].to_numpy()
    return {
        "dial_work": Flow(moves(attempts, "work_started_at"), moves(attempts, "dialed_at")),
        "status_work": Flow(Moves(begun, call_id), Moves(ended, call_id)),
    }


@dataclass(frozen=True)
class Grid:
    """Instants at equal distances."""

    begins: int
    """Microseconds since 1970, UTC."""
    step_us: int
    count: int

    @property
    def marks(self) -> Instants:
        """The instants."""
        return self.begins + self.step_us * np.arange(self.count)

    def level(
        self, flow: Flow, group_of_call: NDArray[Any] | None = None, groups: int = 1
    ) -> NDArray[np.int64]:
        """How much of a flow is there at each instant, by group; shape (groups, count)."""
        change = np.zeros((groups, self.count + 1), dtype=np.int64)
        for side, sign in zip(flow, (1, -1), strict=True):
            # Whatever comes is there from the first mark on that is not before it.
            place = -((self.begins - side.at) // self.step_us)
            change += sign * self._counted(side, place, group_of_call, groups)
        return np.asarray(change[:, :-1].cumsum(axis=1))

    def number(
        self, coming: Moves, group_of_call: NDArray[Any] | None = None, groups: int = 1
    ) -> NDArray[np.int64]:
        """How many come from each instant to the next, by group; shape (groups, count)."""
        place = (coming.at - self.begins) // self.step_us
        place[coming.at < self.begins] = self.count
        return self._counted(coming, place, group_of_call, groups)[:, :-1]

    def _counted(
        self, who: Moves, place: Instants, group_of_call: NDArray[Any] | None, groups: int
    ) -> NDArray[np.int64]:
        """Moves by group and place; the last place is of whatever comes too late, or never."""
        np.clip(place, 0, self.count, out=place)
        place[who.at == MISSING] = self.count
        if group_of_call is not None:
            place += group_of_call[who.call_id] * np.int64(self.count + 1)
            # Whoever is in no group has a negative one.
            place = place[place >= 0]
        counts = np.bincount(place, minlength=groups * (self.count + 1))
        return counts.reshape(groups, self.count + 1)

    def most(self, flow: Flow) -> NDArray[np.int64]:
        """Most of a flow that is there from each instant to just before the next."""
        comes, goes = (np.sort(side.at[side.at != MISSING], kind="stable") for side in flow)
        most = count_until(comes, self.marks) - count_until(goes, self.marks)
        # Between two instants there is most where something has come.
        end = self.begins + self.step_us * self.count
        between = comes[slice(*np.searchsorted(comes, [self.begins, end]))]
        there = count_until(comes, between) - count_until(goes, between)
        np.maximum.at(most, (between - self.begins) // self.step_us, there)
        return most

    def mean(self, flow: Flow, until: int) -> NDArray[np.float64]:
        """How much of a flow is there on average from each instant to the next, or to `until`."""
        edges = np.append(self.marks, self.begins + self.step_us * self.count)
        edges = np.minimum(edges, until) - self.begins
        there = np.zeros(len(edges), dtype=np.int64)
        for side, sign in zip(flow, (1, -1), strict=True):
            at = np.sort(side.at[side.at != MISSING]) - self.begins
            by_then = count_until(at, edges)
            there += sign * (by_then * edges - np.concatenate([[0], np.cumsum(at)])[by_then])
        lasts, at_marks = np.diff(edges), self.level(flow)[0].astype(np.float64)
        return np.asarray(np.divide(np.diff(there), lasts, out=at_marks, where=lasts > 0))


def settled(function: Steps) -> Steps:
    """The same step function with one step an instant: nobody sees a value in between."""
    at, values = function
    last = np.ones(len(at), dtype=np.bool_)
    last[:-1] = at[1:] != at[:-1]
    return at[last], values[last]


def value_at(function: Steps, marks: Sequence[int] | Instants) -> NDArray[np.int64]:
    """Value of a step function at these instants; 0 before its first step."""
    at, values = function
    return np.concatenate([[0], values])[np.searchsorted(at, marks, side="right")]
