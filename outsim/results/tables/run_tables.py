"""Data frames from an engine's records: names, words and clock times for integers.

Tables and records share one memory wherever they hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, NEVER, SECOND
from outsim.engine.records import Columns, Integers, shift
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import Rows, RunArrays, first_carried_us
from outsim.results.tables import schema
from outsim.results.tables.schema import WAIT_STATES, Array, Column, blocks, code_type, frame, take
from outsim.text import brief
from outsim.vocabulary import (
    CANCELED,
    FIRST_FINAL,
    NOT_ACCEPTED,
    REFUSED,
    REJECTED,
    SCHEDULED,
    STATUSES,
)


def _chosen(columns: tuple[Column, ...], names: Collection[str] | None) -> list[Column]:
    return [column for column in columns if names is None or column.name in names]


def _at(array: Array, rows: Rows) -> Array:
    return array if rows is None else take(array, rows)


def _hours(instants: Array, zone: str) -> Array:
    """Hour of the day of some instants since 1970, in order, by the clock of a zone."""
    if len(instants) == 0:
        return np.zeros(0, dtype=np.int8)
    # Quicker than to ask for the hour of each: there are few half hours, and where one begins
    # clocks are put forward and back.
    first, last = pd.to_datetime(instants[[0, -1]], unit="us", utc=True).tz_convert(zone)
    begins = pd.date_range(
        first.floor("30min", ambiguous=True, nonexistent="shift_backward"), last, freq="30min"
    )
    places = np.searchsorted(instants, begins.as_unit("us").asi8)
    places = np.append(np.maximum.accumulate(np.append(0, places[1:])), len(instants))
    return np.repeat(begins.hour.to_numpy(dtype=np.int8), np.diff(places))


@dataclass(frozen=True, eq=False)
class RunTables:
    """Builds the result tables of one run, or the columns and rows of them that are asked for."""

    __repr__ = brief

    run: RunArrays

    @cached_property
    def _calls(self) -> _Calls:
        return _Calls(self.run)

    @cached_property
    def _handed_in(self) -> Rows:
        """Calls that were handed in before the run ended."""
        handed_in = self.run.handed_in
        return None if handed_in.all() else np.flatnonzero(handed_in)

    def _frame(self, columns: list[Column], array_of: Callable[[Column], Array]) -> pd.DataFrame:
        return frame(columns, array_of, self._calls.names, str(self.run.start.tzinfo))

    def _recorded(self, raw: Columns, column: Column) -> Array:
        """Column of a table as it was recorded, instants since 1970."""
        if column.kind == "instant":
            return raw.since(column.record, self.run.origin_us)
        return raw[column.record]

    def _whose(self, name: str, call_ids: Array) -> Array:
        """Of a column of the calls table, the value of each of these calls."""
        if len(self._calls.names.get(name, ())) == 1:
            # Memory that nobody has written to takes none.
            return np.zeros(len(call_ids), dtype=np.int8)
        return take(self._calls[name], call_ids)

    def calls(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """One row a call that was handed in, by call_id."""

        def array(column: Column) -> Array:
            return _at(_at(self._calls[column.name], self._handed_in), rows)

        table = self._frame(_chosen(schema.CALLS, names), array)
        if names is None and self._handed_in is not None:
            # The table holds copies: what they were made of has served.
            del self.__dict__["_calls"]
        return table

    @cached_property
    def made(self) -> dict[str, pd.DataFrame]:
        """Whole tables that were asked for so far, by name."""
        return {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """A whole table by its name, made once; it is not to be given away."""
        if name not in self.made:
            self.made[name] = getattr(self, name)()
        return self.made[name]

    def _table(
        self, columns: tuple[Column, ...], raw: Columns, names: Collection[str] | None, rows: Rows
    ) -> pd.DataFrame:
        """Recorded columns, with whose they are."""
        call_ids = _at(raw["call_id"], rows)

        def array(column: Column) -> Array:
            if column.name == "callee_hour":
                instants = raw.since("dispatched", self.run.origin_us)
                return self._callee_hours(_at(instants, rows), call_ids)
            if column.name in ("tenant", "campaign", "number", "endpoint"):
                return self._whose(column.name, call_ids)
            return _at(self._recorded(raw, column), rows)

        return self._frame(_chosen(columns, names), array)

    def _callee_hours(self, instants: Array, call_ids: Array) -> Array:
        """Hour of the day of some instants since 1970, by the clocks of the callees."""
        zones = self.run.plan.zones
        if len(zones) == 1:
            return _hours(instants, zones[0])
        zone_of_row = self._whose("callee_zone", call_ids)
        hours = np.zeros(len(instants), dtype=np.int8)
        for code, zone in enumerate(zones):
            rows = np.flatnonzero(zone_of_row == code)
            hours[rows] = _hours(instants[rows], zone)
        return hours

    def attempts(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """One row an attempt, in the order of dispatch: the truth."""
        return self._table(schema.ATTEMPTS, self.run.attempts, names, rows)

    def changes(self, names: Collection[str] | None = None, rows: Rows = None) -> pd.DataFrame:
        """The updates without the submissions: one row a change that a worker processes."""
        return self._table(schema.UPDATES, self.run.updates, names, rows)

    def columns(
        self, of: Callable[[CampaignPlan], bool], needed: Mapping[str, Collection[str]]
    ) -> Iterator[pd.DataFrame]:
        """Some columns of calls, attempts and changes, for the calls of some campaigns."""
        rows = self.run.rows_of(of)
        call_ids = _at(self._calls.call_id, self._handed_in)
        yield self.calls(needed["calls"], rows(call_ids))
        yield self.attempts(needed["attempts"], rows(self.run.attempts["call_id"]))
        yield self.changes(needed["updates"], rows(self.run.updates["call_id"]))

    def deliveries(self) -> pd.DataFrame:
        """One row a POST, in the order in which they became due."""
        return self._table(schema.DELIVERIES, self.run.deliveries, None, None)

    def requests(self) -> pd.DataFrame:
        """One row a request that intake could refuse, in the order in which they came."""
        raw = self.run.requests
        sizes = [c.size if c.is_list else 1 for c in self.run.plan.campaigns]

        def array(column: Column) -> Array:
            if column.name in ("tenant", "campaign"):
                return self._whose(column.name, raw["call_id"])
            if column.name == "calls":
                return np.array(sizes, np.int32)[self.run.rank_of_call[raw["call_id"]]]
            return self._recorded(raw, column)

        return self._frame(list(schema.REQUESTS), array)

    def updates(self) -> pd.DataFrame:
        """One row a change of status: first the submissions, then in order of happening."""
        raw, first = self.run.updates, self._submissions()
        joined = {
            name: raw.continue_from(name, first.pop(name), self.run.origin_us) for name in raw
        }

        def array(column: Column) -> Array:
            if column.name in ("tenant", "campaign"):
                return self._whose(column.name, joined["call_id"])
            return joined[column.record]

        return self._frame(list(schema.UPDATES), array)

    def _submissions(self) -> dict[str, Array]:
        """The first change of every call, in order of happening; instants since 1970."""
        answered_at = _at(self._calls.answered_at, self._handed_in)
        order = np.argsort(answered_at, kind="stable")
        call_ids = order if self._handed_in is None else self._handed_in[order]
        status = self.run.calls["status"][call_ids]
        happened = answered_at[order]
        zeros = np.zeros(len(call_ids), dtype=np.int8)
        return {
            "call_id": call_ids,
            "attempt": zeros,
            # A submission is answered at once: there is nothing for a worker to do.
            "status": np.where(_NOT_ACCEPTED[status], status, np.int8(SCHEDULED)),
            "happened": happened,
            "begun": np.full(len(call_ids), MISSING),
            "visible": happened,
            "lost": zeros,
            "repaired": zeros,
        }


_COMPLETE, _CENSORED, _NEVER, _CANCELED, _WEDGED, _REJECTED, _BEFORE, _REFUSED = range(
    len(WAIT_STATES)
)

_NOT_ACCEPTED = np.isin(np.arange(len(STATUSES)), NOT_ACCEPTED)
"""Whether a call with a status was never taken, by its code."""

_STATE_OF_OTHERS = np.array(
    [
        _CANCELED if code == CANCELED else _NEVER if code >= FIRST_FINAL else _CENSORED
        for code in range(len(STATUSES))
    ],
    dtype=np.int8,
)
"""What is known of the wait of a call that has not gone out, by its status."""


@dataclass(frozen=True, eq=False)
class _Calls:
    """Columns of the calls of one run, each made when first needed; words are codes."""

    run: RunArrays

    def __getitem__(self, name: str) -> Array:
        """Column of the calls table by its name."""
        array: Array = getattr(self, name)
        return array

    @cached_property
    def tenant_names(self) -> list[str]:
        """Words of `tenant`."""
        return [tenant.name for tenant in self.run.plan.tenants]

    @cached_property
    def campaign_names(self) -> list[str]:
        """Words of `campaign`: campaigns of several tenants may share one."""
        return sorted({campaign.name for campaign in self.run.campaigns})

    @cached_property
    def reasons(self) -> list[str]:
        """Words of `reject_reason`."""
        words = {reason for c in self.run.campaigns for reason in c.reject_reasons}
        return ["", *sorted(words)]

    @cached_property
    def call_id(self) -> Array:
        return np.arange(sum(c.size for c in self.run.campaigns), dtype=np.int32)

    @cached_property
    def tenant(self) -> Array:
        return self.run.per_call(lambda c: c.tenant_rank, code_type(self.tenant_names))

    @cached_property
    def campaign(self) -> Array:
        code_of = {name: code for code, name in enumerate(self.campaign_names)}
        return self.run.per_call(lambda c: code_of[c.name], code_type(self.campaign_names))

    @cached_property
    def endpoint(self) -> Array:
        return self.run.per_call(
            lambda c: c.result_url.endpoint if c.result_url else -1,
            code_type(self.run.plan.endpoints),
        )

    @cached_property
    def background(self) -> Array:
        return self.run.per_call(lambda c: c.background, np.bool_)

    @cached_property
    def index(self) -> Array:
        return self.run.of_calls(lambda c: np.arange(c.size, dtype=np.int32), np.int32)

    @cached_property
    def number(self) -> Array:
        return self.run.of_calls(lambda c: c.numbers, np.int64)

    @cached_property
    def ani(self) -> Array:
        return self.run.of_calls(lambda c: c.anis, np.int64)

    @cached_property
    def callee_zone(self) -> Array:
        return self.run.of_calls(lambda c: c.zones, code_type(self.run.plan.zones))

    @cached_property
    def submitted_at(self) -> Integers:
        submitted: Integers = self.run.submitted_us + self.run.origin_us
        return submitted

    @property
    def answered_at(self) -> Integers:
        """When it was said of each call that it was taken, or that it was not."""
        if not self.run.requests.rows:
            return self.submitted_at
        return np.maximum(self.submitted_at, self.run.taken_us + self.run.origin_us)

    @cached_property
    def wait_starts_at(self) -> Integers:
        return self.run.of_calls(lambda c: c.wait_starts_us) + self.run.origin_us

    @cached_property
    def given_up_at(self) -> Integers:
        if not self.run.has_patience:
            return np.full(self.run.calls.rows, MISSING)
        until = self.run.wanted_until_us
        has_end = until != NEVER
        until[has_end] += self.run.origin_us
        until[~has_end] = MISSING
        return until

    @cached_property
    def dialed_after_wanted(self) -> NDArray[np.bool_]:
        raw, late = self.run.records.attempts, np.zeros(self.run.calls.rows, dtype=np.bool_)
        if not self.run.has_patience:
            return late
        until = self.run.wanted_until_us
        for rows in blocks(raw.rows):
            call_id = raw["call_id"][rows]
            late[call_id[raw["dispatched"][rows] > until[call_id]]] = True
        return late

    @property
    def status(self) -> Array:
        return self.run.records.calls["status"]

    @property
    def attempts(self) -> Array:
        return self.run.records.calls["attempts"]

    @property
    def final_at(self) -> Integers:
        return self.run.records.calls.since("final", self.run.origin_us)

    @cached_property
    def first_dispatched_at(self) -> Integers:
        raw = self.run.records.attempts
        call_id, attempt = raw["call_id"], raw["attempt"]
        dispatched = raw.since("dispatched", self.run.origin_us)
        first = np.full(len(self.call_id), MISSING, dtype=np.int64)
        for rows in blocks(len(call_id)):
            is_first = attempt[rows] == 1
            first[call_id[rows][is_first]] = dispatched[rows][is_first]
        return first

    @cached_property
    def outcome(self) -> Array:
        raw = self.run.records.attempts
        call_id, outcome = raw["call_id"], raw["outcome"]
        ended = raw.since("ended", self.run.origin_us)
        last = np.full(len(self.call_id), -1, dtype=np.int8)
        for rows in blocks(len(call_id)):
            over = ended[rows] != MISSING
            # Rows are in the order of dispatch, and assignment keeps the last one.
            last[call_id[rows][over]] = outcome[rows][over]
        return last

    @cached_property
    def went_out_at(self) -> Integers:
        first = first_carried_us(self.run.records.attempts, len(self.call_id))
        first[self.run.out_before] = MISSING
        shift(first, self.run.origin_us)
        return first

    @cached_property
    def wait_s(self) -> NDArray[np.float64]:
        first, wait_starts_at = self.went_out_at, self.wait_starts_at
        waits = np.empty(len(first), dtype=np.float64)
        for rows in blocks(len(first)):
            np.divide(first[rows] - wait_starts_at[rows], SECOND, out=waits[rows])
            waits[rows][first[rows] == MISSING] = np.nan
        return waits

    @cached_property
    def wait_state(self) -> Array:
        state = take(_STATE_OF_OTHERS, self.status)
        state[self.wedged] = _WEDGED
        state[self.went_out_at != MISSING] = _COMPLETE
        state[self.run.out_before] = _BEFORE
        state[self.status == REJECTED] = _REJECTED
        state[self.status == REFUSED] = _REFUSED
        return state

    @cached_property
    def wedged(self) -> NDArray[np.bool_]:
        wedged = self.run.of_calls(lambda c: c.contacts.wedged, np.bool_)
        return np.asarray(wedged & ~_NOT_ACCEPTED[self.status])

    @cached_property
    def reject_reason(self) -> Array:
        dtype = code_type(self.reasons)

        def codes(campaign: CampaignPlan) -> Array:
            known = [0, *(self.reasons.index(r) for r in campaign.reject_reasons)]
            return np.array(known, dtype=dtype)[campaign.reject_reason]

        return self.run.of_calls(codes, dtype)

    @cached_property
    def names(self) -> dict[str, Sequence[str]]:
        """Words of the columns whose words the schema does not know."""
        return {
            "tenant": self.tenant_names,
            "campaign": self.campaign_names,
            "reject_reason": self.reasons,
            "callee_zone": self.run.plan.zones,
            "endpoint": [endpoint.name for endpoint in self.run.plan.endpoints],
        }
