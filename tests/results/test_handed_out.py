"""Tables and arrays that a result gives away: whatever is done to them, the result stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outsim
from outsim.questions.explain import Explanation
from outsim.results.measures import MEASURES, Measure, measure
from outsim.results.result import Result
from outsim.results.tables.schema import TABLES

from .runs import full

# Users still sort and drop in place, whatever pandas says of it.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

Change = Callable[[pd.DataFrame], object]


def _first(table: pd.DataFrame) -> pd.Series:
    return table[table.columns[0]]


def _set(array: Any, value: Any) -> None:
    array[0] = value


def _write_everywhere(table: pd.DataFrame) -> None:
    for k in range(table.shape[1]):
        table.isetitem(k, table.iloc[::-1, k].to_numpy())


def _write_to_cells(table: pd.DataFrame) -> None:
    for column in table.columns:
        table.loc[table.index[0], column] = table.loc[table.index[-1], column]


def _write_to_arrays(table: pd.DataFrame) -> None:
    for column in table.columns:
        for array in (table[column].array, table[column].to_numpy(), table[column].values):
            with suppress(ValueError, TypeError):
                array[0] = array[-1]


def _write_to_series(table: pd.DataFrame) -> None:
    for column in table.columns:
        series = table[column]
        series.iloc[0] = series.iloc[-1]


def _rename_categories(table: pd.DataFrame) -> None:
    for column in table.columns:
        if isinstance(table[column].dtype, pd.CategoricalDtype):
            table[column].cat.categories.name = "renamed"
            table[column] = table[column].cat.rename_categories(lambda word: f"new {word}")


def _label(table: pd.DataFrame) -> None:
    table.index.name = table.columns.name = "renamed"
    table.attrs["note"] = {"by": "somebody"}


def _relabel(table: pd.DataFrame) -> None:
    table.index = range(len(table), 0, -1)
    table.columns = [f"new {column}" for column in table.columns]


CHANGES: dict[str, Change] = {
    "sorted": lambda t: t.sort_values(t.columns[0], ascending=False, inplace=True),
    "sorted by index": lambda t: t.sort_index(ascending=False, inplace=True),
    "column added": lambda t: t.insert(0, "added", range(len(t))),
    "column replaced": lambda t: t.__setitem__(t.columns[0], 0),
    "column taken": lambda t: t.pop(t.columns[-1]),
    "index set": lambda t: t.set_index(t.columns[0], inplace=True),
    "index reset": lambda t: t.reset_index(inplace=True),
    "rows dropped": lambda t: t.drop(index=t.index[:1], inplace=True),
    "columns dropped": lambda t: t.drop(columns=t.columns[0], inplace=True),
    "missing dropped": lambda t: t.dropna(inplace=True),
    "doubles dropped": lambda t: t.drop_duplicates(t.columns[1], inplace=True),
    "columns renamed": lambda t: t.rename(columns=str.upper, inplace=True),
    "masked": lambda t: t.mask(t.notna(), inplace=True),
    "columns turned": _write_everywhere,
    "cells": _write_to_cells,
    "arrays": _write_to_arrays,
    "series": _write_to_series,
    "values": lambda t: _set(t.values, 0),
    "index values": lambda t: _set(t.index.values, 9),
    "column labels": lambda t: _set(t.columns.values, "new"),
    "categories": _rename_categories,
    "labels": _label,
    "relabeled": _relabel,
    "one cell": lambda t: t.__setitem__(t.columns[0], _first(t) * 2),
    "flags": lambda t: setattr(t.flags, "allows_duplicate_labels", False),
}
"""What users do to tables, in place."""

GIVERS: dict[str, Callable[[Result], Any]] = {
    **{name: lambda result, name=name: getattr(result, name) for name in TABLES},
    "tables": lambda result: [*result.tables.values()],
    "view": lambda result: _of_view(result.view()),
    "view of a campaign": lambda result: _of_view(result.view(result.scenario.campaign[0])),
    "measured": lambda result: _of_view(result.measure_view()),
    "timeline": lambda result: result.timeline("10s"),
    "timeline by change": lambda result: result.timeline(None),
    "call log": lambda result: result.call_log(),
    "page": lambda result: result.status_page(MOMENT),
    "summary": lambda result: result.summary(),
    "time by cause": lambda result: result.time_by_cause(),
    "causes over time": lambda result: result.causes_over_time("10s"),
    "charges": lambda result: result.queue_time_by_blocker(),
    "ledger": lambda result: result.assumptions.table(),
}

NO_CHANGES = ("arrays", "series", "values")
"""Pandas gives arrays of a table that can be read only, or copies."""

MOMENT = "09:00:40"


def _of_view(view: Any) -> list[pd.DataFrame]:
    return [view.calls, view.attempts, view.updates, view.accepted]


def given_by(result: Result, giver: str) -> list[pd.DataFrame]:
    given_out = GIVERS[giver](result)
    return given_out if isinstance(given_out, list) else [given_out]


def told(result: Result) -> Iterator[tuple[str, pd.DataFrame]]:
    """Everything that a result tells."""
    for name in GIVERS:
        for k, table in enumerate(given_by(result, name)):
            yield f"{name} {k}", table


@cache
def untouched() -> dict[str, pd.DataFrame]:
    return dict(told(full()))


def change(result: Result, giver: str, how: str) -> None:
    for table in given_by(result, giver):
        for part in (table.iloc[:3], table):
            # Some can't be done to some tables: what they did until then counts too.
            with suppress(ValueError, TypeError, KeyError, IndexError, AttributeError):
                CHANGES[how](part)


@pytest.mark.parametrize("giver", GIVERS)
def test_whatever_is_done_to_tables_a_result_tells_the_same(giver):
    result = full()
    for how in CHANGES:
        change(result, giver, how)
    for name, table in told(result):
        pd.testing.assert_frame_equal(table, untouched()[name], obj=name)


def test_whatever_is_done_to_tables_a_result_keeps_the_same(tmp_path):
    result = full()
    for giver, how in product(GIVERS, CHANGES):
        change(result, giver, how)
    kept = outsim.load_result(result.save(tmp_path))
    for name, table in kept.tables.items():
        pd.testing.assert_frame_equal(
            table, untouched()[f"{name} 0"], obj=name, check_categorical=False
        )
    pd.testing.assert_frame_equal(kept.summary(), untouched()["summary 0"])


@pytest.mark.parametrize("how", CHANGES)
def test_changes_are_changes(how):
    """Each of them does something to a table of one's own, or is refused by pandas."""
    result = full()
    before, table = result.calls, result.calls
    refused = False
    try:
        CHANGES[how](table)
    except (ValueError, TypeError):
        refused = True
    same = before.equals(table) and [*before.columns] == [*table.columns]
    same = same and before.index.name == table.index.name
    same = same and before.flags.allows_duplicate_labels == table.flags.allows_duplicate_labels
    assert refused or not same or how in NO_CHANGES


@pytest.mark.parametrize("name", TABLES)
def test_cells_can_be_written_to_also_when_the_result_is_gone(name):
    table = full().tables[name]
    table.loc[0, "call_id"] = 12_345
    assert table.loc[0, "call_id"] == 12_345


def test_explanations_keep_their_tables():
    result = full()
    explained = Explanation(result, result.scenario.campaign[0])
    before = explained.table(), explained.by_whom()
    for table in (explained.time_by_cause, explained.charges):
        table["no_free_port"] = table["pacing"]
        table.drop(index=table.index, inplace=True)
    pd.testing.assert_frame_equal(explained.table(), before[0])
    pd.testing.assert_frame_equal(explained.by_whom(), before[1])


def test_a_measure_of_a_user_can_do_to_tables_what_it_likes():
    def meddling(view):
        view.calls["status"] = "failed"
        view.accepted.drop(index=view.accepted.index, inplace=True)
        view.attempts.sort_values("outcome", inplace=True)
        return 1.0

    own = Measure("meddling", "meddling", "number", meddling, None)
    result = full()
    for view in (result.view(), result.measure_view()):
        plain = measure(view)
        assert measure(view, [own, *MEASURES]) == pytest.approx(
            {"meddling": 1.0} | plain, nan_ok=True
        )


def test_arrays_of_records_can_be_read_only():
    records = full().arrays.records
    for kind in (records.attempts, records.updates, records.deliveries, records.calls):
        for name in kind:
            for array in (kind[name], kind[name].view()):
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 1


def test_arrays_of_a_contact_list_can_be_read_only(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("destination\n2125550100\n")
    contacts = outsim.scenario.contacts.ContactList.read(file)
    for array in (contacts.numbers, contacts.anis, contacts.zone_index):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        assert np.array_equal(array, array.copy())
