"""Stays in the outbound queue: how long each call was held back, and what it waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from outsim.engine.records import Integers
from outsim.results.run_arrays import Mask, RunArrays, first_of_each
from outsim.results.tables.blocking import FREE, HELD_BY, Holds, HoldsOf, lanes
from outsim.results.tables.resource_idle import RESOURCES, WORKER, Gaps, waited
from outsim.text import brief

PARTS = (*HELD_BY, *RESOURCES, "calls_ahead")
"""Parts of a stay: held back, and waiting for a resource. The last one is time in which neither
is so; there is none of it while calls are there to go."""


@dataclass(frozen=True, eq=False)
class TimeInSystem:
    """Stays in the queue, one row each; instants in microseconds since the run begins."""

    __repr__ = brief

    call_id: Integers
    attempt: Integers
    rank: Integers
    """Rank of the campaign."""
    lane: Integers
    """Place of the callee's zone among those of the campaign that have a lane each."""
    since: Integers
    """Entry."""
    turn: Integers
    """From here on no call went before this one: at the head, or after the last dispatch before
    it left undialled."""
    until: Integers
    """Dispatch, or end undialled; the end of the run where it was still there."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.call_id)

    def of(self, rows: Mask | Integers) -> TimeInSystem:
        """Some of them."""
        return TimeInSystem(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


def stays(run: RunArrays, gaps: Gaps) -> TimeInSystem:
    """All stays of a run: first those that ended with a dispatch, in this order, then others."""
    a, u, left = run.attempts, run.updates, run.undispatched
    rows, until = run.entries[left], run.left_queue_us(left)
    since = u["happened"][rows]
    last = np.concatenate([np.full(1, np.iinfo(np.int64).min), gaps.at])[gaps.of(until)]
    call_id = np.concatenate([a["call_id"], u["call_id"][rows]]).astype(np.int64)
    return TimeInSystem(
        call_id=call_id,
        attempt=np.concatenate([a["attempt"], u["attempt"][rows]]),
        rank=run.rank_of_call[call_id],
        lane=lanes(run)[call_id],
        since=np.concatenate([a["queued"], since]),
        turn=np.concatenate([a["at_head"], np.minimum(np.maximum(since, last), until)]),
        until=np.concatenate([a["dispatched"], until]),
    )


class Splitter:
    """Splits stays in the queue by cause, and by whose calls went first."""

    def __init__(self, run: RunArrays) -> None:
        self.gaps = Gaps(run)
        self.holds_of = HoldsOf(run)
        self.stays = stays(run, self.gaps)

    def _together(self, chosen: TimeInSystem) -> Iterator[tuple[Integers, Holds]]:
        """Rows of stays that are held back at the same times, with these."""
        lane_of = chosen.rank * (1 + int(chosen.lane.max(initial=0))) + chosen.lane
        order = np.argsort(lane_of, kind="stable")
        groups: dict[object, list[Integers]] = {}
        for rows in np.split(order, np.flatnonzero(first_of_each(lane_of[order]))[1:]):
            if len(rows):
                key = int(chosen.rank[rows[0]]), int(chosen.lane[rows[0]])
                groups.setdefault(self.holds_of.key(*key), []).append(rows)
        for parts in groups.values():
            first = parts[0][0]
            holds = self.holds_of(int(chosen.rank[first]), int(chosen.lane[first]))
            yield np.concatenate(parts), holds

    def split(self, chosen: TimeInSystem) -> tuple[Integers, Integers]:
        """Time of each stay by part, up to its turn and from there on; each (stays, `PARTS`)."""
        before = np.zeros((len(chosen), len(PARTS)), dtype=np.int64)
        after = np.zeros_like(before)
        for rows, holds in self._together(chosen):
            since, turn, until = (
                self._up_to(holds, instants[rows])
                for instants in (chosen.since, chosen.turn, chosen.until)
            )
            before[rows], after[rows] = turn - since, until - turn
        return before, after

    def _up_to(self, holds: Holds, instants: Integers) -> Integers:
        """Time by part, for calls held back like this, up to each of some instants."""
        edges, codes = holds.edges[1:], holds.codes
        spent = np.zeros((len(instants), len(PARTS)), dtype=np.int64)
        resources = self.gaps.spent(instants)
        if len(edges) == 0:
            spent[:, FREE:] = resources
            return spent
        place = np.searchsorted(edges, instants, side="right")
        # Up to the first edge time counts from 0, and is negative before it: only differences
        # of what is returned mean anything.
        starts = np.concatenate([np.zeros(1, dtype=np.int64), edges])
        at_edge = self.gaps.spent(starts)
        held = np.zeros((len(starts), FREE), dtype=np.int64)
        blocked = codes < FREE
        lengths = np.diff(starts)
        held[1:][blocked[:-1], codes[:-1][blocked[:-1]]] = lengths[blocked[:-1]]
        spent[:, :FREE] = np.cumsum(held, axis=0)[place]
        now = np.flatnonzero(blocked[place])
        spent[now, codes[place[now]]] += instants[now] - starts[place[now]]
        free = np.zeros_like(at_edge)
        free[1:] = np.diff(at_edge, axis=0) * ~blocked[:-1, np.newaxis]
        open_now = ~blocked[place][:, np.newaxis]
        spent[:, FREE:] = np.cumsum(free, axis=0)[place] + open_now * (resources - at_edge[place])
        return spent

    def by_whom(self, chosen: TimeInSystem) -> Integers:
        """Time of some stays, together, by the campaign whose call was dispatched next.

        Returns
        -------
        int64 array of shape (campaigns, `PARTS`)
            Time from `turn` on, and time held back, is that of the call's own campaign.
        """
        count = len(self.holds_of.run.plan.campaigns)
        charged = np.zeros((count, len(PARTS)), dtype=np.int64)
        before, after = self.split(chosen)
        np.add.at(charged, chosen.rank, after)
        held = before.copy()
        held[:, FREE:] = 0
        np.add.at(charged, chosen.rank, held)
        for rows, holds in self._together(chosen):
            self._charge(charged, holds, np.sort(chosen.since[rows]), np.sort(chosen.turn[rows]))
        return charged

    def _charge(self, charged: Integers, holds: Holds, since: Integers, until: Integers) -> None:
        """Add the time of stays held back like this, while they are not, to who went next."""
        gaps, low, high = self.gaps, since[0], until[-1]
        edges = np.unique(
            np.concatenate(
                [holds.edges, gaps.ends, gaps.begins + gaps.worker_us, np.array([low, high])]
            )
        )
        edges = edges[(edges >= low) & (edges <= high)]
        lasted = np.diff(waited(since, until, edges))
        held_by = holds.codes[np.searchsorted(holds.edges, edges[:-1], side="right") - 1]
        cells = np.flatnonzero((lasted > 0) & (held_by == FREE))
        gap = gaps.of(edges[1:][cells])
        into = edges[:-1][cells] - gaps.begins[gap]
        of_worker = (into >= 0) & (into < gaps.worker_us[gap])
        lacks = np.where(of_worker, WORKER, gaps.lacks[gap])
        np.add.at(charged, (gaps.rank[gap], FREE + lacks), lasted[cells])
