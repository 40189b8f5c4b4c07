"""Data frames from an engine's records: names, words and clock times for integers.

Tables and records share one memory wherever they hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, microseconds_between
from outsim.engine.records import Columns, Integers, Records, shift
from outsim.plan import CampaignPlan, Plan
from outsim.results.measures import ATTEMPTS_NEEDED, CALLS_NEEDED, UPDATES_NEEDED
from outsim.results.tables import schema
from outsim.results.tables.calls import Calls
from outsim.results.tables.columns import Array, frame, inside, looked_up
from outsim.results.tables.schema import Column
from outsim.text import brief
from outsim.vocabulary import REJECTED, SCHEDULED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Rows = NDArray[np.int64] | None
"""Rows of a table that are asked for; None for all."""


def origin_us_of(begins: datetime) -> int:
    """From 1970 to where a run begins."""
    return microseconds_between(_EPOCH, begins)


def _chosen(columns: tuple[Column, ...], names: Collection[str] | None) -> list[Column]:
    return [column for column in columns if names is None or column.name in names]


def _at(array: Array, rows: Rows) -> Array:
    return array if rows is None else looked_up(array, rows)


def _spans(campaigns: Iterable[CampaignPlan]) -> list[range]:
    """Numbers of the calls of some campaigns, in this order; neighbours have one span."""
    spans: list[range] = []
    for campaign in campaigns:
        first, end = campaign.first_call_id, campaign.first_call_id + campaign.size
        if spans and spans[-1].stop == first:
            first = spans.pop().start
        spans.append(range(first, end))
    return spans


@dataclass(frozen=True, eq=False)
class RunTables:
    """Builds the result tables of one run, or the columns and rows of them that are asked for."""

    __repr__ = brief

    plan: Plan
    records: Records
    begins: datetime

    @cached_property
    def origin_us(self) -> int:
        """From 1970 to where the run begins."""
        return origin_us_of(self.begins)

    @cached_property
    def _calls(self) -> Calls:
        return Calls(self.plan, self.records, self.origin_us)

    @cached_property
    def _handed_in(self) -> Rows:
        """Calls that were handed in before the run ended."""
        submitted = self.submitted
        return None if submitted.all() else np.flatnonzero(submitted)

    @property
    def submitted(self) -> NDArray[np.bool_]:
        """Per call, whether it was handed in before the run ended."""
        return np.asarray(self.submitted_us < self.records.ended_us)

    @property
    def submitted_us(self) -> Integers:
        """When each call was handed in."""
        return self._calls.joined(lambda c: c.submitted_at_us, np.int64)

    @property
    def campaigns(self) -> tuple[CampaignPlan, ...]:
        """Campaigns that the run tells of, in the order of their calls."""
        return self._calls.campaigns

    @property
    def campaign_of_call(self) -> Integers:
        """Rank of each call's campaign."""
        return self._calls.each(lambda c: c.rank, np.int64)

    def instants(self, instants_us: Integers) -> pd.DatetimeIndex:
        """Local clock times of simulated instants."""
        shifted = instants_us.copy()
        shift(shifted, self.origin_us)
        return pd.DatetimeIndex(shifted, dtype=pd.DatetimeTZDtype("us", self._zone), copy=False)

    @property
    def _zone(self) -> str:
        return str(self.begins.tzinfo)

    def _frame(self, columns: list[Column], array_of: Callable[[str], Array]) -> pd.DataFrame:
        return frame(columns, array_of, self._calls.names, self._zone)

    def _recorded(self, raw: Columns, name: str) -> Array:
        """Column of a table as it was recorded, instants since 1970."""
        if name in raw:
            return raw[name]
        return raw.since(name.removesuffix("_at"), self.origin_us)

    def _whose(self, name: str, call_ids: Array) -> Array:
        """Of a column of the calls table, the value of each of these calls."""
        if len(self._calls.names.get(name, ())) == 1:
            # Memory that nobody has written to takes none.
            return np.zeros(len(call_ids), dtype=np.int8)
        return looked_up(self._calls[name], call_ids)

    def calls(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """One row a call that was handed in, by call_id."""

        def array(name: str) -> Array:
            return _at(_at(self._calls[name], self._handed_in), rows)

        table = self._frame(_chosen(schema.CALLS, names), array)
        if names is None and self._handed_in is not None:
            # The table holds copies: what they were made of has served.
            del self.__dict__["_calls"]
        return table

    def _table(
        self,
        columns: tuple[Column, ...],
        raw: Columns,
        names: Collection[str] | None,
        rows: Rows,
    ) -> pd.DataFrame:
        """Recorded columns, with whose they are."""
        call_ids = _at(raw["call_id"], rows)

        def array(name: str) -> Array:
            if name in ("tenant", "campaign", "number", "endpoint"):
                return self._whose(name, call_ids)
            return _at(self._recorded(raw, name), rows)

        return self._frame(_chosen(columns, names), array)

    def attempts(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """One row an attempt, in the order of dispatch: the truth."""
        return self._table(schema.ATTEMPTS, self.records.attempts, names, rows)

    def changes(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """The updates without the submissions: one row a change that a worker processes."""
        return self._table(schema.UPDATES, self.records.updates, names, rows)

    def rows_of(self, of: Callable[[CampaignPlan], bool]) -> Callable[[Array], Rows]:
        """Rows about the calls of some campaigns, once it is said whose calls rows are about."""
        chosen = [*filter(of, self.campaigns)]
        spans, everything = _spans(chosen), len(chosen) == len(self.campaigns)

        def rows(call_ids: Array) -> Rows:
            return None if everything else np.flatnonzero(inside(call_ids, spans))

        return rows

    def measured(self, of: Callable[[CampaignPlan], bool]) -> Iterator[pd.DataFrame]:
        """What the measures need of calls, attempts and updates, for some campaigns."""
        rows, records = self.rows_of(of), self.records
        call_ids = _at(self._calls.call_id, self._handed_in)
        yield self.calls(CALLS_NEEDED, rows(call_ids))
        yield self.attempts(ATTEMPTS_NEEDED, rows(records.attempts["call_id"]))
        yield self.changes(UPDATES_NEEDED, rows(records.updates["call_id"]))

    def deliveries(self) -> pd.DataFrame:
        """One row a POST, in the order in which they became due."""
        return self._table(schema.DELIVERIES, self.records.deliveries, None, None)

    def updates(self) -> pd.DataFrame:
        """One row a change of status: first the submissions, then in order of happening."""
        raw, first = self.records.updates, self._submissions()
        joined = {name: raw.continue_from(name, first.pop(name), self.origin_us) for name in raw}

        def array(name: str) -> Array:
            if name in ("tenant", "campaign"):
                return self._whose(name, joined["call_id"])
            return joined[name.removesuffix("_at")]

        return self._frame(list(schema.UPDATES), array)

    def _submissions(self) -> dict[str, Array]:
        """The first change of every call, in order of happening; instants since 1970."""
        submitted_at = _at(self._calls.submitted_at, self._handed_in)
        order = np.argsort(submitted_at, kind="stable")
        call_ids = order if self._handed_in is None else self._handed_in[order]
        status = self.records.calls["status"][call_ids]
        happened = submitted_at[order]
        zeros = np.zeros(len(call_ids), dtype=np.int8)
        return {
            "call_id": call_ids,
            "attempt": zeros,
            # A submission is answered at once: there is nothing for a worker to do.
            "status": np.where(status == REJECTED, np.int8(REJECTED), np.int8(SCHEDULED)),
            "happened": happened,
            "begun": np.full(len(call_ids), MISSING),
            "visible": happened,
            "lost": zeros,
            "repaired": zeros,
        }
