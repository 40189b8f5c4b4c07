"""The records of a run as arrays, with what each row belongs to: what tables are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MINUTE, MISSING, NEVER, after, microseconds_between
from outsim.engine.records import Columns, Integers, Records, shift
from outsim.errors import MomentError
from outsim.plan import CampaignPlan, OutagePlan, Plan
from outsim.results.tables.schema import blocks, in_spans
from outsim.scenario.model import Scenario
from outsim.text import brief
from outsim.units import WHOLE
from outsim.vocabulary import DROPPED, NO_CAUSE, OUTCOMES, QUEUED

Mask = NDArray[np.bool_]

Rows = NDArray[np.int64] | None
"""Rows of a table that are asked for; None for all."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def origin_us_of(begins: datetime) -> int:
    """From 1970 to where a run begins."""
    return microseconds_between(_EPOCH, begins)


def came(instants: Integers) -> Mask:
    """Whether each of these instants came."""
    return np.asarray(instants != MISSING)


def count_until(sorted_instants: Integers, at: Integers) -> Integers:
    """How many of `sorted_instants` came by each of `at`, that instant included."""
    return np.searchsorted(sorted_instants, at, side="right").astype(np.int64)


def count_before(sorted_instants: Integers, at: Integers) -> Integers:
    """How many of `sorted_instants` came before each of `at`."""
    return np.searchsorted(sorted_instants, at, side="left").astype(np.int64)


def first_of_each(groups: Integers) -> Mask:
    """Whether each of some values in groups is the first of its group."""
    first = np.ones(len(groups), dtype=np.bool_)
    first[1:] = groups[1:] != groups[:-1]
    return first


def place_in_each(first: Mask) -> Integers:
    """Place in its group of each value, from 0; `first` marks where groups begin."""
    place = np.arange(len(first))
    return place - np.maximum.accumulate(np.where(first, place, 0))


def keys_of(columns: Columns) -> Integers:
    """One number for each row's call and attempt; equal where both are."""
    return columns["call_id"].astype(np.int64) << 8 | columns["attempt"]


def carried(attempts: Columns, rows: slice = slice(None)) -> Mask:
    """Whether the carrier took each attempt, though it may have cut it off later."""
    cause = attempts["cause"][rows]
    taken = (cause == NO_CAUSE) | (cause == DROPPED)
    return np.asarray(taken & (attempts["dialed"][rows] != MISSING))


def first_carried_us(attempts: Columns, calls: int) -> Integers:
    """Dispatch of the first attempt of each call that the carrier took, or MISSING."""
    call_id, dispatched = attempts["call_id"], attempts["dispatched"]
    first = np.full(calls, MISSING, dtype=np.int64)
    # Rows are in the order of dispatch, and assignment keeps the last: the first comes last.
    for rows in reversed([*blocks(len(call_id))]):
        taken = carried(attempts, rows)
        first[call_id[rows][taken][::-1]] = dispatched[rows][taken][::-1]
    return first


def _spans(campaigns: Iterable[CampaignPlan]) -> list[range]:
    """Numbers of the calls of some campaigns, in this order; neighbours have one span."""
    spans: list[range] = []
    for campaign in campaigns:
        first, end = campaign.first_call_id, campaign.first_call_id + campaign.size
        if spans and spans[-1].stop == first:
            first = spans.pop().start
        spans.append(range(first, end))
    return spans


def in_run(scenario: Scenario, at: object, ended_us: int) -> datetime:
    """Moment of a run that goes on until `ended_us`; see `Result.local_time`."""
    clock = scenario.clock
    if isinstance(at, str):
        try:
            at = clock.at(at)
        except ValueError as error:
            raise MomentError(str(error)) from None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise MomentError(f"found {at!r}; give a datetime with a time zone, or '09:15'")
    if not 0 <= scenario.instant_us(at) <= ended_us:
        raise MomentError(
            f"{at:%Y-%m-%d %H:%M:%S} lies outside the run, "
            f"{period(clock.begins, after(clock.begins, ended_us))} {clock.zone}"
        )
    return at


def period(start: datetime, end: datetime) -> str:
    """Start and end of a run, for people."""
    written = "%H:%M" if end.date() == start.date() else "%Y-%m-%d %H:%M"
    return f"{start:%Y-%m-%d %H:%M} to {end.strftime(written)}"


@dataclass(frozen=True, eq=False)
class RunArrays:
    """What one run recorded, beside what it was run from, in integers; nothing is a copy.

    Calls are those of `Plan.in_run`, handed in or not; instants are microseconds since it begins.
    """

    __repr__ = brief

    scenario: Scenario
    plan: Plan
    records: Records

    @property
    def start(self) -> datetime:
        """Start of the run, local time."""
        return self.scenario.clock.begins

    @property
    def end(self) -> datetime:
        """End of the run, local time: nothing from here on is recorded."""
        return after(self.start, self.ended_us)

    @property
    def ended_us(self) -> int:
        """Where the run ended."""
        return self.records.ended_us

    @property
    def attempts(self) -> Columns:
        """One row an attempt, in the order of dispatch."""
        return self.records.attempts

    @property
    def updates(self) -> Columns:
        """One row a change that a worker processes, in the order of happening."""
        return self.records.updates

    @property
    def deliveries(self) -> Columns:
        """One row a POST, in the order in which they became due."""
        return self.records.deliveries

    @property
    def calls(self) -> Columns:
        """One row a call, by call_id."""
        return self.records.calls

    @cached_property
    def origin_us(self) -> int:
        """From 1970 to where the run begins."""
        return origin_us_of(self.start)

    def local_times(self, instants_us: Integers) -> pd.DatetimeIndex:
        """Local clock times of simulated instants."""
        shifted = instants_us.copy()
        shift(shifted, self.origin_us)
        zone = str(self.start.tzinfo)
        return pd.DatetimeIndex(shifted, dtype=pd.DatetimeTZDtype("us", zone), copy=False)

    @cached_property
    def campaigns(self) -> tuple[CampaignPlan, ...]:
        """Campaigns that the run tells of, in the order of their calls."""
        return self.plan.in_run(self.ended_us)

    def rows_of(self, of: Callable[[CampaignPlan], bool]) -> Callable[[NDArray[Any]], Rows]:
        """Rows about the calls of some campaigns, once it is said whose calls rows are about."""
        chosen = [*filter(of, self.campaigns)]
        spans, everything = _spans(chosen), len(chosen) == len(self.campaigns)

        def rows(call_ids: NDArray[Any]) -> Rows:
            return None if everything else np.flatnonzero(in_spans(call_ids, spans))

        return rows

    def per_call(
        self, of: Callable[[CampaignPlan], Any], dtype: type[np.generic] = np.int64
    ) -> NDArray[Any]:
        """Per call, one value of its campaign."""
        values = np.array([of(campaign) for campaign in self.campaigns], dtype=dtype)
        sizes = np.array([campaign.size for campaign in self.campaigns], dtype=np.int64)
        return np.repeat(values, sizes)

    def of_calls(
        self, of: Callable[[CampaignPlan], NDArray[Any]], dtype: type[np.generic] = np.int64
    ) -> NDArray[Any]:
        """An array of each campaign as one of all calls."""
        arrays = [of(campaign) for campaign in self.campaigns]
        if len(arrays) == 1:
            return arrays[0].astype(dtype, copy=False)
        return np.concatenate([np.empty(0, dtype=dtype), *arrays], dtype=dtype, casting="unsafe")

    @property
    def submitted_us(self) -> Integers:
        """When each call was handed in."""
        return self.of_calls(lambda campaign: campaign.submitted_at_us)

    @property
    def requests(self) -> Columns:
        """One row a request that intake could refuse, in the order in which they came."""
        return self.records.requests

    def of_request(self, column: str, otherwise: Integers) -> Integers:
        """Per call, a column of its request; a value of `otherwise` where it has none."""
        return self.of_values(self.requests[column], otherwise)

    def of_values(self, of_requests: Integers, otherwise: Integers) -> Integers:
        """The same of values that are there for each request."""
        values = otherwise.copy()
        by_rank = self.plan.campaigns
        for first, value in zip(self.requests["call_id"], of_requests, strict=True):
            campaign = by_rank[self.rank_of_call[first]]
            values[first : first + (campaign.size if campaign.is_list else 1)] = value
        return values

    @cached_property
    def taken_us(self) -> Integers:
        """When each call was taken: as it was handed in, or after refusals; MISSING if never."""
        return self.of_request("taken", self.submitted_us)

    @cached_property
    def ready_us(self) -> Integers:
        """When each call could enter the queue if nothing paced it, once it was taken."""
        if not self.requests.rows:
            return self.of_calls(lambda campaign: campaign.ready_us)

        def ready(campaign: CampaignPlan) -> Integers:
            taken = self.taken_us[campaign.first_call_id :][: campaign.size]
            if campaign.is_refusable_list and came(taken).all():
                return campaign.list_ready_us(int(taken[0]))
            return np.maximum(campaign.ready_us, taken)

        return self.of_calls(ready)

    @property
    def handed_in(self) -> Mask:
        """Per call, whether it was handed in before the run ended."""
        return np.asarray(self.submitted_us < self.ended_us)

    @property
    def background_share(self) -> float:
        """Share of all attempts that background tenants make."""
        made = self.calls["attempts"]
        background = sum(
            int(made[plan.first_call_id : plan.first_call_id + plan.size].sum())
            for plan in self.campaigns
            if plan.background
        )
        return background / max(1, self.attempts.rows)

    @cached_property
    def rank_of_call(self) -> Integers:
        """Rank of each call's campaign."""
        return self.per_call(lambda campaign: campaign.rank)

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

    @cached_property
    def wedged(self) -> Mask:
        """Per call, whether it is wedged."""
        return self.of_calls(lambda campaign: campaign.contacts.wedged, np.bool_)

    @cached_property
    def made_before(self) -> Integers:
        """Per call, its attempts from before the moment of a snapshot."""
        return self.of_calls(
            lambda c: np.zeros(c.size) if c.opening is None else c.opening.attempts
        )

    @cached_property
    def out_before(self) -> Mask:
        """Per call, whether the carrier took an attempt of it before the moment of a snapshot."""
        return self.of_calls(
            lambda c: np.zeros(c.size, np.bool_) if c.opening is None else c.opening.is_out,
            np.bool_,
        )

    def comes_up(self, instants: Integers) -> Mask:
        """Per call, whether its turn came, where `instants` ended it."""
        handed_in = came(self.taken_us) & (self.taken_us <= instants)
        return np.asarray(handed_in | (self.ready_us < self.ended_us))

    @cached_property
    def by_call(self) -> Integers:
        """Order of the attempts by call and attempt."""
        return np.lexsort((self.attempts["attempt"], self.attempts["call_id"]))

    @cached_property
    def follows(self) -> Mask:
        """Per attempt in the order `by_call`, whether the one before is of the same call."""
        return ~first_of_each(self.attempts["call_id"][self.by_call])

    @property
    def has_patience(self) -> bool:
        """Whether any customer gives its calls up."""
        return any(campaign.patience is not None for campaign in self.plan.campaigns)

    @property
    def wanted_until_us(self) -> Integers:
        """Per call, until when its customer wants it; NEVER where patience has no end."""

        def until(campaign: CampaignPlan) -> Integers:
            wanted = campaign.wanted_until_us
            return np.full(campaign.size, NEVER) if wanted is None else wanted

        return self.of_calls(until)

    @property
    def retry_wait_us(self) -> Integers:
        """Per attempt, from its end to the queue again, where its call is dialed again."""
        a = self.attempts
        wait = self.per_campaign(lambda campaign: campaign.rules.retry_interval_us)[self.rank]
        for rank, campaign in enumerate(self.plan.campaigns):
            retries = campaign.rules.retries
            if retries is None:
                continue
            rows = self.by_call[self.rank[self.by_call] == rank]
            index, outcome = a["call_id"][rows] - campaign.first_call_id, a["outcome"][rows]
            key = index.astype(np.int64) * len(OUTCOMES) + outcome
            same = np.argsort(key, kind="stable")
            so_far = np.empty(len(rows), dtype=np.int64)
            so_far[same] = place_in_each(first_of_each(key[same])) + 1
            wait[rows] = retries.table(retries.intervals_us, MISSING)[outcome, so_far]
            if retries.has_jitter:
                longest = retries.table(retries.jitters_us, 0)[outcome, so_far]
                number = a["attempt"][rows]
                for attempt in np.unique(number):
                    mine = number == attempt
                    millionths = campaign.retry_jitter(int(attempt))[index[mine]]
                    wait[rows[mine]] += longest[mine] * millionths // WHOLE
        return wait

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
        """Updates that are entries to the queue, in the order of the queue."""
        u = self.updates
        rows = np.flatnonzero((u["status"] == QUEUED) & ~self.wedged[u["call_id"]])
        place = u["attempt"][rows], u["call_id"][rows], self.update_rank[rows]
        return rows[np.lexsort((*place, u["happened"][rows]))]

    @cached_property
    def entry_of_attempt(self) -> Integers:
        """Place of each attempt's entry among all entries; -1 where there is none."""
        keys = keys_of(self.updates)[self.entries]
        order = np.argsort(keys, kind="stable")
        wanted = keys_of(self.attempts)
        entries = np.append(order, -1)[np.searchsorted(keys[order], wanted)]
        return np.where(np.append(keys, -1)[entries] == wanted, entries, -1)

    @cached_property
    def undispatched(self) -> Integers:
        """Places of the entries that no attempt came of."""
        return np.setdiff1d(np.arange(len(self.entries)), self.entry_of_attempt)

    def left_queue_us(self, places: Integers) -> Integers:
        """When calls whose entries came to no attempt left the queue, or the run ended."""
        final = self.calls["final"][self.updates["call_id"][self.entries[places]]]
        return np.where(came(final), final, self.ended_us)

    @cached_property
    def held_back_at_times(self) -> Mask:
        """Per campaign, whether anything may hold its queued calls back."""
        return np.array(
            [
                bool(
                    campaign.rules.window
                    or campaign.shared_number is not None
                    or campaign.rules.max_simultaneous
                    or (campaign.rules.pacing_rate and campaign.rules.paced_at_dispatch)
                    or self.plan.tenants[campaign.tenant_rank].max_simultaneous
                    or self.plan.tenants[campaign.tenant_rank].dial_rate
                    or any(hold.holds(campaign) for hold in self.plan.suspensions)
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

    def ports_in_service(self, at: Integers) -> Integers:
        """Ports in service at given instants, those due to leave not counted."""
        ports = self.plan.platform.ports
        return np.maximum(0, ports - self.out_of_service("ports", ports)(at))

    def workers_in_service(self, at: Integers) -> Integers:
        """Workers in service at given instants, those due to leave not counted."""
        workers = self.plan.platform.workers
        return np.maximum(0, workers - self.out_of_service("workers", workers)(at))

    def channels_in_service(self, at: Integers) -> Integers:
        """Channels of the carrier that are left to the platform at given instants."""
        platform = self.plan.platform
        channels = platform.carrier_channels
        minute = (at + platform.carrier_minute_offset_us) // MINUTE % 60
        out = self.out_of_service("channels", int(channels.max()))(at)
        return np.asarray(np.maximum(0, channels[minute] - out))

    @cached_property
    def admitted(self) -> Mask:
        """Per attempt, whether the carrier carried it."""
        return carried(self.attempts)

    @cached_property
    def at_carrier(self) -> Integers:
        """Attempts that came to the carrier, in the order of their coming."""
        a = self.attempts
        order = np.lexsort((a["attempt"], a["call_id"], self.rank, a["dialed"]))
        return order[came(a["dialed"][order])]
