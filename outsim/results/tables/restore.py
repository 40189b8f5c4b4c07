"""From result tables back to the records that they were made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    UPDATE_TYPES,
    Columns,
    Records,
    Types,
    shift,
)
from outsim.plan import Plan
from outsim.results.run_arrays import origin_us_of
from outsim.results.tables.columns import Array
from outsim.results.tables.schema import TABLES, Column
from outsim.vocabulary import REJECTED, SCHEDULED


def records_of(
    tables: Mapping[str, pd.DataFrame], plan: Plan, begins: datetime, ended_us: int
) -> Records:
    """Records whose result tables are these.

    Parameters
    ----------
    tables : mapping
        All of `outsim.results.tables.schema.TABLES`, with their types.
    plan : Plan
        Of the run that they are of.
    begins : datetime
        Start of the run.
    ended_us : int
        Its end, since it began.

    Raises
    ------
    ValueError
        If a word is none of those allowed, or the tables tell of other calls than the plan.
    """
    origin_us = origin_us_of(begins)
    calls, updates = tables["calls"], tables["updates"]
    count = sum(campaign.size for campaign in plan.in_run(ended_us))
    for name, table in tables.items():
        if len(table) and not 0 <= table["call_id"].min() <= table["call_id"].max() < count:
            raise ValueError(f"{name} tells of calls that the scenario does not have")
    # The submissions come first, and are no records.
    changes = updates.iloc[len(calls) :]
    return Records(
        attempts=_columns("attempts", tables["attempts"], ATTEMPT_TYPES, origin_us),
        updates=_columns("updates", changes, UPDATE_TYPES, origin_us),
        deliveries=_columns("deliveries", tables["deliveries"], DELIVERY_TYPES, origin_us),
        calls=_calls(calls, plan, origin_us, ended_us),
        ended_us=ended_us,
    )


def _columns(name: str, table: pd.DataFrame, types: Types, origin_us: int) -> Columns:
    shown = {column.record: column for column in TABLES[name]}
    return Columns(types, {key: _recorded(shown[key], table, origin_us) for key in types})


def _recorded(column: Column, table: pd.DataFrame, origin_us: int) -> Array:
    """Column of a table as it was recorded, in memory of its own."""
    values = table[column.name]
    if column.kind == "instant":
        instants = values.to_numpy(dtype="datetime64[us]", copy=True).view(np.int64)
        shift(instants, -origin_us)
        return instants
    if column.kind == "word":
        return _codes(values, column.words)
    return values.to_numpy(copy=True)


def _codes(values: pd.Series[str], words: Sequence[str]) -> Array:
    unknown = sorted(set(values.cat.categories) - set(words))
    if unknown:
        raise ValueError(f"{values.name} {unknown[0]!r} is none of: {', '.join(words)}")
    code_of = [*(words.index(word) for word in values.cat.categories), -1]
    return np.array(code_of, dtype=np.int8)[values.cat.codes]


def _calls(calls: pd.DataFrame, plan: Plan, origin_us: int, ended_us: int) -> Columns:
    """Records of all calls that the run tells of, those not handed in by its end included."""
    before = [*_before(plan, ended_us)]
    shown = {column.record: column for column in TABLES["calls"]}
    arrays = {
        "status": np.concatenate([np.empty(0, np.int8), *(status for status, _ in before)]),
        "attempts": np.concatenate([np.empty(0, np.int8), *(attempts for _, attempts in before)]),
    }
    arrays["final"] = np.full(len(arrays["status"]), MISSING)
    for key, array in arrays.items():
        array[calls["call_id"].to_numpy()] = _recorded(shown[key], calls, origin_us)
    return Columns(CALL_TYPES, arrays)


def _before(plan: Plan, ended_us: int) -> Iterator[tuple[Array, Array]]:
    """Status and attempts of each campaign's calls while nothing has happened to them."""
    for campaign in plan.in_run(ended_us):
        rejected = campaign.reject_reason != 0
        opening = campaign.opening
        none = np.zeros(campaign.size, np.int8)
        yield (
            np.where(rejected, np.int8(REJECTED), np.int8(SCHEDULED)),
            none if opening is None else opening.attempts,
        )
