"""Data frames from an engine's records: names, words and clock times for integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND, microseconds_between
from outsim.engine.records import Columns, Integers, Records
from outsim.outcomes import (
    CANCELED,
    FIRST_FINAL,
    OUTCOMES,
    REJECTED,
    SCHEDULED,
    STATUSES,
)
from outsim.plan import Plan
from outsim.tables import schema
from outsim.tables.schema import WAIT_STATES, Column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPLETE, _CENSORED, _NEVER, _CANCELED, _WEDGED, _REJECTED = range(len(WAIT_STATES))


def _words(codes: NDArray[np.integer[Any]], words: Sequence[str]) -> Any:
    """Categories from codes; a negative code is missing."""
    small: NDArray[np.integer[Any]] = codes.astype(np.int8 if len(words) < 128 else np.int32)
    categories: Any = pd.Index(list(words), dtype="str")
    return pd.Categorical.from_codes(small, categories=categories, validate=False)


@dataclass(frozen=True, eq=False)
class Frames:
    """Builds the result tables of one run."""

    plan: Plan
    records: Records
    begins: datetime

    @cached_property
    def submitted(self) -> NDArray[np.bool_]:
        """Per call, whether it was handed in before the run ended."""
        return self.submitted_us < self.records.ended_us

    @cached_property
    def sizes(self) -> Integers:
        """Calls of each campaign."""
        return np.array([campaign.size for campaign in self.plan.campaigns], dtype=np.int64)

    @cached_property
    def campaign_of_call(self) -> Integers:
        """Rank of each call's campaign."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def _of_calls(self, arrays: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)

    @cached_property
    def submitted_us(self) -> Integers:
        """When each call was handed in."""
        return self._of_calls([c.submitted_at_us for c in self.plan.campaigns])

    @cached_property
    def numbers(self) -> Integers:
        """National number of each call."""
        return self._of_calls([c.numbers for c in self.plan.campaigns])

    def instants(self, instants_us: Integers) -> pd.DatetimeIndex:
        """Local clock times of simulated instants."""
        epoch_us = microseconds_between(_EPOCH, self.begins)
        shifted = np.where(instants_us == MISSING, MISSING, instants_us + epoch_us)
        utc = pd.DatetimeIndex(shifted.view("datetime64[us]")).tz_localize("UTC")
        return utc.tz_convert(str(self.begins.tzinfo))

    def _names(self, call_ids: Integers) -> dict[str, Any]:
        """Columns that say whose calls these are."""
        ranks = self.campaign_of_call[call_ids]
        names = sorted({campaign.name for campaign in self.plan.campaigns})
        code_of_name = {name: code for code, name in enumerate(names)}
        codes = np.array([code_of_name[c.name] for c in self.plan.campaigns], dtype=np.int32)
        tenants = np.array([c.tenant_rank for c in self.plan.campaigns], dtype=np.int32)
        return {
            "call_id": call_ids.astype(np.int32),
            "tenant": _words(tenants[ranks], [tenant.name for tenant in self.plan.tenants]),
            "campaign": _words(codes[ranks], names),
        }

    def _frame(self, columns: tuple[Column, ...], values: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame({column.name: values[column.name] for column in columns}, copy=False)

    def _converted(self, columns: tuple[Column, ...], raw: Columns) -> dict[str, Any]:
        """Columns that need nothing but their type and their words."""
        values: dict[str, Any] = {}
        for column in columns:
            recorded = raw.get(column.name.removesuffix("_at"), raw.get(column.name))
            if recorded is None:
                continue
            if column.kind == "instant":
                values[column.name] = self.instants(recorded)
            elif column.kind == "word":
                values[column.name] = _words(recorded, column.words)
            else:
                values[column.name] = recorded.astype(column.dtype)
        return values

    def attempts(self) -> pd.DataFrame:
        """One row an attempt, in the order of dispatch: the truth."""
        raw = self.records.attempts
        values = self._converted(schema.ATTEMPTS, raw) | self._names(raw["call_id"])
        values["number"] = self.numbers[raw["call_id"]]
        return self._frame(schema.ATTEMPTS, values)

    def updates(self) -> pd.DataFrame:
        """One row a change of status: first the submissions, then in order of happening."""
        raw = self.records.updates
        call_ids = np.flatnonzero(self.submitted)
        status = self.records.calls["status"][call_ids]
        submitted_us = self.submitted_us[call_ids]
        zeros = np.zeros(len(call_ids), dtype=np.int64)
        first = {
            "call_id": call_ids,
            "attempt": zeros,
            # A submission is answered at once: there is nothing for a worker to do.
            "status": np.where(status == REJECTED, REJECTED, SCHEDULED),
            "happened": submitted_us,
            "begun": np.full(len(call_ids), MISSING),
            "visible": submitted_us,
            "lost": zeros,
            "repaired": zeros,
        }
        order = np.lexsort((call_ids, submitted_us))
        joined = {name: np.concatenate([first[name][order], raw[name]]) for name in raw}
        values = self._converted(schema.UPDATES, joined) | self._names(joined["call_id"])
        return self._frame(schema.UPDATES, values)

    def deliveries(self) -> pd.DataFrame:
        """One row a POST, in the order in which they became due."""
        raw = self.records.deliveries
        values = self._converted(schema.DELIVERIES, raw) | self._names(raw["call_id"])
        endpoint_of = np.array(
            [c.result_url.endpoint if c.result_url else -1 for c in self.plan.campaigns],
            dtype=np.int64,
        )
        values["endpoint"] = _words(
            endpoint_of[self.campaign_of_call[raw["call_id"]]],
            [endpoint.name for endpoint in self.plan.endpoints],
        )
        return self._frame(schema.DELIVERIES, values)

    def _last_outcome(self) -> Integers:
        raw = self.records.attempts
        ended = raw["ended"] != MISSING
        outcome = np.full(len(self.campaign_of_call), -1, dtype=np.int64)
        # Rows are in the order of dispatch, and assignment keeps the last one.
        outcome[raw["call_id"][ended]] = raw["outcome"][ended]
        return outcome

    def _wait_state(self, first_us: Integers, wedged: NDArray[np.bool_]) -> Integers:
        status = self.records.calls["status"]
        return np.select(
            [status == REJECTED, first_us != MISSING, wedged, status == CANCELED],
            [_REJECTED, _COMPLETE, _WEDGED, _CANCELED],
            default=np.where(status >= FIRST_FINAL, _NEVER, _CENSORED),
        )

    def calls(self) -> pd.DataFrame:
        """One row a call that was handed in, by call_id."""
        raw, plan = self.records.calls, self.plan
        count = len(self.campaign_of_call)
        first_us = np.full(count, MISSING, dtype=np.int64)
        attempts = self.records.attempts
        is_first = attempts["attempt"] == 1
        first_us[attempts["call_id"][is_first]] = attempts["dispatched"][is_first]
        start_us = np.array([c.start_us for c in plan.campaigns], dtype=np.int64)
        waits_from_us = np.maximum(self.submitted_us, start_us[self.campaign_of_call])
        wedged = self._of_calls([c.contacts.wedged for c in plan.campaigns]).astype(np.bool_)
        wait_s = np.where(first_us == MISSING, np.nan, (first_us - waits_from_us) / SECOND)
        reasons = ["", *sorted({reason for c in plan.campaigns for reason in c.reject_reasons})]
        rejects = [
            np.array([0, *(reasons.index(r) for r in c.reject_reasons)])[c.reject_reason]
            for c in plan.campaigns
        ]
        background = np.array([c.background for c in plan.campaigns], dtype=np.bool_)
        values = self._names(np.arange(count)) | {
            "background": background[self.campaign_of_call],
            "index": self._of_calls([np.arange(c.size) for c in plan.campaigns]).astype(np.int32),
            "number": self.numbers,
            "ani": self._of_calls([c.anis for c in plan.campaigns]),
            "submitted_at": self.instants(self.submitted_us),
            "waits_from": self.instants(waits_from_us),
            "status": _words(raw["status"], STATUSES),
            "attempts": raw["attempts"].astype(np.int8),
            "outcome": _words(self._last_outcome(), OUTCOMES),
            "first_dispatched_at": self.instants(first_us),
            "final_at": self.instants(raw["final"]),
            "wait_s": wait_s,
            "wait_state": _words(self._wait_state(first_us, wedged), WAIT_STATES),
            "wedged": wedged & (raw["status"] != REJECTED),
            "reject_reason": _words(self._of_calls(rejects), reasons),
        }
        return self._frame(schema.CALLS, values)[self.submitted].reset_index(drop=True)
