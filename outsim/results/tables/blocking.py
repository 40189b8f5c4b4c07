"""What holds queued calls back, and when: suspensions, windows, limits, the pace of dispatch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outsim.clock import NEVER, TOKEN
from outsim.engine.records import Integers
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import RunArrays, came, count_until

HELD_BY = ("earlier", "suspension", "calling_window", "limit", "pacing")
"""Reasons to hold a call back; where there are several the first one counts."""
EARLIER, SUSPENSION, WINDOW, LIMIT, PACING = range(len(HELD_BY))
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
    """Per call, the place of its callee zone among those that have a lane each; else 0."""

    def place(campaign: CampaignPlan) -> Integers:
        zones = campaign.rules.lane_zones
        if not zones:
            return np.zeros(campaign.size, dtype=np.int64)
        return np.searchsorted(np.array(zones), campaign.zones).astype(np.int64)

    return run.of_calls(place)


class HoldsOf:
    """The holds of every lane of a run, each worked out once."""

    def __init__(self, run: RunArrays) -> None:
        self.run = run
        self._made: dict[tuple[int, int] | str, Holds] = {}
        self._suspended = {suspension.tenant for suspension in run.plan.suspensions} - {""}

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
        if rules.window or paced or limited:
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
        for each in run.plan.suspensions:
            if each.tenant in ("", campaign.tenant):
                # What had happened before a snapshot is told as a suspension up to its moment.
                told = snapshot is not None and (each.begins_us, each.tenant) == (0, "")
                told = told and each.ends_us == run.scenario.instant_us(snapshot.at)  # type: ignore[union-attr]
                yield EARLIER if told else SUSPENSION, _span(each.begins_us, each.ends_us)
        if rules.window:
            opens, closes = np.array(rules.window[lane], dtype=np.int64).reshape(-1, 2).T
            yield WINDOW, (np.append(-NEVER, closes), np.append(opens, NEVER))
        mine = run.rank == rank
        of_tenant = run.tenant_of_rank[run.rank] == campaign.tenant_rank
        for most, rows in ((rules.max_simultaneous, mine), (tenant.max_simultaneous, of_tenant)):
            if most:
                yield LIMIT, self._at_limit(rows, most)
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

    def _without_token(self, rows: Integers, rate: int) -> _Spans:
        """When a bucket of one token, emptied by each of some dispatches, had none."""
        begins = self.run.attempts["dispatched"][rows].astype(np.int64, copy=False)
        return begins, begins - (-TOKEN // rate)


def _span(begins_us: int, ends_us: int) -> _Spans:
    return np.array([begins_us], dtype=np.int64), np.array([ends_us], dtype=np.int64)
