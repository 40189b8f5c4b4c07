"""Stays in the outbound queue: what held each call back, and what it waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from outsim.clock import NEVER, TOKEN
from outsim.engine.records import Integers
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import Mask, RunArrays, came, count_until, first_of_each
from outsim.results.tables.resource_idle import RESOURCES, WORKER, Gaps, waited
from outsim.text import brief

HELD_BY = ("earlier", "suspension", "pause", "calling_window", "limit", "same_number", "pacing")
"""Reasons to hold a call back; where there are several the first one counts."""
EARLIER, SUSPENSION, PAUSE, WINDOW, LIMIT, NUMBER, PACING = range(len(HELD_BY))
FREE = len(HELD_BY)
"""Code of a time in which nothing holds back."""

_Spans = tuple[Integers, Integers]


@dataclass(frozen=True, eq=False)
class Holds:
    """Why the calls of a lane are held back, as a step function of time."""

    edges: Integers
    """Where it changes, in microseconds since the run begins; the first is before everything."""
    codes: Integers
    """What holds back from each edge on: a place in `HELD_BY`, or `FREE`."""


def lanes(run: RunArrays) -> Integers:
    """Per call, its lane: the place of its callee zone among those that have one each; else 0.

    Calls that wait for others to their number have as many lanes more for each such number.
    """

    def place(campaign: CampaignPlan) -> Integers:
        zones = campaign.rules.lane_zones
        lane = np.zeros(campaign.size, dtype=np.int64)
        if zones:
            lane = np.searchsorted(np.array(zones), campaign.zones).astype(np.int64)
        if campaign.shared_number is not None:
            lane += (1 + campaign.shared_number.astype(np.int64)) * max(1, len(zones))
        return lane

    return run.of_calls(place)


class HoldsOf:
    """The holds of every lane of a run, each worked out once."""

    def __init__(self, run: RunArrays) -> None:
        self.run = run
        self._made: dict[tuple[int, int] | str, Holds] = {}
        self._suspended = {hold.tenant for hold in run.plan.suspensions if not hold.campaign}
        self._paused = {(hold.tenant, hold.campaign) for hold in run.plan.suspensions}

    @cached_property
    def _call_ids(self) -> Integers:
        """Calls of the attempts, in ascending order."""
        return self.run.attempts["call_id"][self.run.by_call]

    def __call__(self, rank: int, lane: int) -> Holds:
        """What holds back the calls of a campaign in one of its lanes."""
        key = self.key(rank, lane)
        if key not in self._made:
            self._made[key] = self._hold(rank, lane)
        return self._made[key]

    def key(self, rank: int, lane: int) -> tuple[int, int] | str:
        """What lanes have in common that are held back at the same times."""
        campaign = self.run.plan.campaigns[rank]
        tenant, rules = self.run.plan.tenants[campaign.tenant_rank], campaign.rules
        paced = rules.pacing_rate and rules.paced_at_dispatch
        limited = rules.max_simultaneous or tenant.max_simultaneous or tenant.dial_rate
        is_alone = campaign.key in self._paused or campaign.shared_number is not None
        if rules.window or paced or limited or is_alone:
            return rank, lane
        return campaign.tenant if campaign.tenant in self._suspended else ""

    def _hold(self, rank: int, lane: int) -> Holds:
        reasons: dict[int, list[_Spans]] = {}
        for reason, spans in self._spans(rank, lane):
            reasons.setdefault(reason, []).append(spans)
        joined = {
            reason: tuple(np.sort(np.concatenate(part)) for part in zip(*spans, strict=True))
            for reason, spans in reasons.items()
        }
        every = [edges for spans in joined.values() for edges in spans]
        edges = np.unique(np.concatenate([np.array([-NEVER]), *every]))
        codes = np.full(len(edges), FREE, dtype=np.int64)
        for reason in sorted(joined, reverse=True):
            begins, ends = joined[reason]
            codes[count_until(begins, edges) > count_until(ends, edges)] = reason
        return Holds(edges, codes)

    def _spans(self, rank: int, lane: int) -> Iterator[tuple[int, _Spans]]:
        """Reasons with the times, each a (begins, ends), in which they hold back."""
        run, campaign = self.run, self.run.plan.campaigns[rank]
        tenant, rules = run.plan.tenants[campaign.tenant_rank], campaign.rules
        snapshot = run.scenario.snapshot
        for hold in run.plan.suspensions:
            if hold.campaign and hold.holds(campaign):
                yield PAUSE, _span(hold.begins_us, hold.ends_us)
            elif hold.holds(campaign):
                # What had happened before a snapshot is told as a suspension up to its moment.
                is_earlier = snapshot is not None and (hold.begins_us, hold.tenant) == (0, "")
                is_earlier = is_earlier and hold.ends_us == run.scenario.instant_us(snapshot.at)  # type: ignore[union-attr]
                yield EARLIER if is_earlier else SUSPENSION, _span(hold.begins_us, hold.ends_us)
        number, zone = divmod(lane, max(1, len(rules.lane_zones)))
        if rules.window:
            opens, closes = np.array(rules.window[zone], dtype=np.int64).reshape(-1, 2).T
            yield WINDOW, (np.append(-NEVER, closes), np.append(opens, NEVER))
        mine = run.rank == rank
        of_tenant = run.tenant_of_rank[run.rank] == campaign.tenant_rank
        for most, rows in ((rules.max_simultaneous, mine), (tenant.max_simultaneous, of_tenant)):
            if most:
                yield LIMIT, self._at_limit(rows, most)
        if number > 0:
            yield NUMBER, self._up(campaign, number - 1)
        if rules.pacing_rate and rules.paced_at_dispatch:
            yield PACING, self._without_token(mine, rules.pacing_rate)
        if tenant.dial_rate:
            yield PACING, self._without_token(of_tenant, tenant.dial_rate)

    def _at_limit(self, rows: Integers, most: int) -> _Spans:
        """When as many of some attempts were up as may be."""
        begins, ends = (self.run.attempts[name][rows] for name in ("dispatched", "ended"))
        begins, ends = np.sort(begins), np.sort(ends[came(ends)])
        edges = np.unique(np.concatenate([begins, ends]))
        full = count_until(begins, edges) - count_until(ends, edges) >= most
        changes = np.diff(full.astype(np.int8), prepend=0)
        return edges[changes > 0], np.append(edges[changes < 0], NEVER)[: (changes > 0).sum()]

    def _up(self, campaign: CampaignPlan, number: int) -> _Spans:
        """When a call to one of the numbers that calls of a campaign share was up."""
        assert campaign.shared_number is not None
        calls = campaign.first_call_id + np.flatnonzero(campaign.shared_number == number)
        first, end = (np.searchsorted(self._call_ids, calls, side) for side in ("left", "right"))
        spans = [self.run.by_call[begin:to] for begin, to in zip(first, end, strict=True)]
        rows = np.concatenate(spans)
        ended = self.run.attempts["ended"][rows]
        return (
            np.sort(self.run.attempts["dispatched"][rows].astype(np.int64)),
            np.sort(np.where(came(ended), ended, NEVER)),
        )

    def _without_token(self, rows: Integers, rate: int) -> _Spans:
        """When a bucket of one token, emptied by each of some dispatches, had none."""
        begins = self.run.attempts["dispatched"][rows].astype(np.int64, copy=False)
        return begins, begins - (-TOKEN // rate)


def _span(begins_us: int, ends_us: int) -> _Spans:
    return np.array([begins_us], dtype=np.int64), np.array([ends_us], dtype=np.int64)


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
    it left undialed."""
    until: Integers
    """Dispatch, or end undialed; the end of the run where it was still there."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.call_id)

    def of(self, rows: Mask | Integers) -> TimeInSystem:
        """Some of them."""
        return TimeInSystem(
            **{field.name: getattr(self, field.name)[rows] for field in fields(self)}
        )


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


def _between(cuts: Integers, low: Integers, high: Integers) -> tuple[Integers, Integers]:
    """Instants, in order, that lie within each of some spans: place of the span, and instant."""
    first = np.searchsorted(cuts, low, side="right")
    count = np.maximum(0, np.searchsorted(cuts, high, side="left") - first)
    place = np.repeat(np.arange(len(low)), count)
    return place, cuts[np.arange(len(place)) + np.repeat(first - np.cumsum(count) + count, count)]


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

    def pieces(self, chosen: TimeInSystem) -> tuple[Integers, Integers, Integers, Integers]:
        """Stays cut into times with a part each; up to its turn, ahead of a call are others.

        Gives of each piece the place of its stay, its part, a place in `PARTS`, and from when to
        when it is.
        """
        gaps = self.gaps
        begun = np.unique(np.concatenate([gaps.begins, gaps.begins + gaps.worker_us]))
        found = []
        for rows, holds in self._together(chosen):
            since, turn, until = (at[rows] for at in (chosen.since, chosen.turn, chosen.until))
            stay = np.arange(len(rows))
            cuts = [(stay, since), (stay, turn), (stay, until)]
            cuts += [_between(holds.edges, since, until), _between(begun, turn, until)]
            place, at = (np.concatenate(part) for part in zip(*cuts, strict=True))
            order = np.lexsort((at, place))
            place, at = place[order], at[order]
            is_piece = (place[1:] == place[:-1]) & (at[1:] > at[:-1])
            place, begins, ends = place[1:][is_piece], at[:-1][is_piece], at[1:][is_piece]
            held_by = holds.codes[np.searchsorted(holds.edges, begins, side="right") - 1]
            gap = gaps.of(ends)
            of_worker = begins < gaps.begins[gap] + gaps.worker_us[gap]
            lacks = np.where(of_worker, WORKER, gaps.lacks[gap])
            free = np.where(begins >= turn[place], FREE + lacks, len(PARTS) - 1)
            part = np.where(held_by < FREE, held_by, free)
            found.append((rows[place], part, begins, ends))
        if not found:
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing, nothing, nothing
        place, part, begins, ends = (np.concatenate(column) for column in zip(*found, strict=True))
        return place, part, begins, ends

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
        """Time of some stays, by the campaign whose call went next, shape (campaigns, `PARTS`)."""
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
