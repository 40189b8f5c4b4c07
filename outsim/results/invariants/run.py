"""A run as the laws look at it, and what they say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.engine.records import Columns, Integers
from outsim.results.tables.carried import carried
from outsim.vocabulary import QUEUED

if TYPE_CHECKING:
    from outsim.plan import CampaignPlan, OutagePlan
    from outsim.results.result import Result

Mask = NDArray[np.bool_]


class Violation(NamedTuple):
    """Where a law is broken."""

    what: str
    rows: pd.DataFrame
    """The offending rows, in integers as they were recorded."""


Invariant = Callable[["Run"], Iterator[Violation]]


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
    ) -> Iterator[Violation]:
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
        yield Violation(f"{what} ({table})", frame.replace(MISSING, "-"))

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

    def of_calls(self, of: Callable[[CampaignPlan], NDArray[Any]]) -> NDArray[Any]:
        """An array of each campaign as one of all calls."""
        arrays = [of(campaign) for campaign in self.result.frames.campaigns]
        return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)

    @cached_property
    def wedged(self) -> Mask:
        """Per call, whether it is wedged."""
        flags = self.of_calls(lambda campaign: campaign.contacts.wedged)
        return np.asarray(flags, dtype=np.bool_)

    @cached_property
    def made_before(self) -> Integers:
        """Per call, its attempts from before the moment of a snapshot."""
        made = self.of_calls(
            lambda c: np.zeros(c.size) if c.opening is None else c.opening.attempts
        )
        return made.astype(np.int64)

    @cached_property
    def handed_in(self) -> Mask:
        """Per call, whether it was handed in before the run ended."""
        return self.result.frames.submitted

    def comes_up(self, instants: Integers) -> Mask:
        """Per call, whether its turn came, where `instants` ended its campaign.

        It was handed in by then, or would have been loaded before the run ended.
        """
        ready = self.of_calls(lambda campaign: campaign.ready_us)
        handed_in = self.result.frames.submitted_us <= instants[self.rank_of_call]
        return np.asarray(handed_in | (ready < self.ended_us))

    @cached_property
    def by_call(self) -> Integers:
        """Order of the attempts by call and attempt."""
        return np.lexsort((self.attempts["attempt"], self.attempts["call_id"]))

    @cached_property
    def follows(self) -> Mask:
        """Per attempt in the order `by_call`, whether the one before is of the same call."""
        return ~first_of_each(self.attempts["call_id"][self.by_call])

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
        place = u["attempt"][rows], u["call_id"][rows], self.update_rank[rows]
        return rows[np.lexsort((*place, u["happened"][rows]))]

    @cached_property
    def entry_of_attempt(self) -> Integers:
        """Place of each attempt's entry among all entries; -1 where there is none."""
        keys = keys_of(self.updates)[self.entries]
        order = np.argsort(keys, kind="stable")
        wanted = keys_of(self.attempts)
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
        return np.where(came(final), final, self.ended_us)

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
        return carried(self.attempts)

    @cached_property
    def at_carrier(self) -> Integers:
        """Rows of the attempts that came to the carrier, in the order of their coming.

        At one instant that is the order of tenant, campaign, place and attempt.
        """
        a = self.attempts
        order = np.lexsort((a["attempt"], a["call_id"], self.rank, a["dialed"]))
        return order[came(a["dialed"][order])]
