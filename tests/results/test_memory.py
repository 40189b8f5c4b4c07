"""Tables and records share one memory, which nobody can see from what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import MISSING
from outsim.engine import records as recorded_columns
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    UPDATE_TYPES,
    Columns,
    Records,
    shift,
)
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.run_arrays import keys_of
from outsim.results.tables import schema
from outsim.results.tables.schema import TABLES, Column, code_type, frame, in_spans, take
from outsim.scenario import Scenario
from outsim.scenario.campaigns import ALL_CALLS
from tests.engine.scenarios import campaign, run
from tests.strategies import scenarios

from .runs import EMPTY, full

FEWER = settings(max_examples=max(1, settings.default.max_examples // 4))
TYPES = {
    "attempts": ATTEMPT_TYPES,
    "updates": UPDATE_TYPES,
    "deliveries": DELIVERY_TYPES,
    "calls": CALL_TYPES,
}
ZONE = "America/New_York"

instants = st.lists(st.integers(0, 2**50) | st.just(MISSING), max_size=40)
origins = st.integers(-(2**50), 2**51)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Any:
    """Blocks of a few rows, so that small runs have several of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorded_columns, "_BLOCK", 7)
        patch.setattr(schema, "_BLOCK", 7)
        yield


def values(records: Records) -> dict[str, dict[str, list[int]]]:
    return {
        kind: {name: column.tolist() for name, column in getattr(records, kind).items()}
        for kind in TYPES
    }


def memory(shown: pd.Series) -> np.ndarray:
    """What a column of a table holds its values in."""
    if isinstance(shown.dtype, pd.CategoricalDtype):
        return shown.array.codes
    if isinstance(shown.dtype, pd.DatetimeTZDtype):
        return shown.to_numpy("datetime64[us]")
    return shown.to_numpy()


# Records


@FEWER
@given(scenarios(), st.permutations([*TABLES, "measures", "summary"]))
def test_records_read_the_same_before_and_after_tables_are_made(
    scenario: Scenario, order: list[str]
) -> None:
    result = simulate(scenario)
    before = values(result.arrays.records)
    for name in order:
        if name in TABLES:
            getattr(result, name)
        else:
            getattr(result, name)()
        assert values(result.arrays.records) == before


@FEWER
@given(scenarios())
def test_tables_are_the_same_whatever_was_asked_for_first(scenario: Scenario) -> None:
    one, other = simulate(scenario), simulate(scenario)
    other.summary()
    for name in reversed(TABLES):
        getattr(other, name)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name])


@given(instants, origins)
def test_a_shift_moves_what_came_and_nothing_else(at: list[int], by_us: int) -> None:
    moved = np.array(at, dtype=np.int64)
    shift(moved, by_us)
    assert moved.tolist() == [MISSING if us == MISSING else us + by_us for us in at]
    shift(moved, -by_us)
    assert moved.tolist() == at


@given(instants, instants, origins, origins)
def test_a_column_is_moved_once_and_reads_as_it_was_recorded(
    at: list[int], first: list[int], origin: int, other: int
) -> None:
    column = Columns({"at": np.int64}, {"at": np.array(at, dtype=np.int64)})
    for since in (origin, origin, other):
        expected = [MISSING if us == MISSING else us + since for us in at]
        assert column.since("at", since).tolist() == expected
        assert column["at"].tolist() == at
    joined = column.continue_from("at", np.array(first, dtype=np.int64), origin)
    assert joined.tolist() == first + [MISSING if us == MISSING else us + origin for us in at]
    assert column["at"].tolist() == at
    assert len(at) == 0 or np.shares_memory(joined, column.since("at", origin))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_records_have_compact_types_before_and_after_tables_are_made(make, kind):
    result = make()
    for _ in range(2):
        recorded = getattr(result.arrays.records, kind)
        assert {name: column.dtype.type for name, column in recorded.items()} == TYPES[kind]
        assert recorded.rows == len(recorded[next(iter(recorded))])
        result.tables  # noqa: B018


def test_records_of_plain_arrays_get_their_types_and_those_that_have_them_are_taken_over():
    plain = {
        kind: {name: np.arange(3, dtype=np.int64) for name in types}
        for kind, types in TYPES.items()
    }
    records = Records(**plain, ended_us=5)
    for kind, types in TYPES.items():
        for name, dtype in types.items():
            column = getattr(records, kind)[name]
            assert column.dtype == dtype
            assert np.shares_memory(column, plain[kind][name]) == (dtype is np.int64)


def test_calls_of_large_numbers_keep_keys_of_their_own():
    numbers = np.array([0, 2**23, 2**24, 2**31 - 1], dtype=np.int32)
    keys = keys_of({"call_id": numbers, "attempt": np.full(4, 11, dtype=np.int8)})
    assert keys.tolist() == [int(number) * 256 + 11 for number in numbers]


# Tables


@pytest.mark.parametrize("column", [c for table in TABLES.values() for c in table], ids=str)
def test_no_column_of_a_table_is_a_copy(column: Column):
    words = column.words or ("some", "words")
    kinds = {"word": code_type(words), "name": code_type(words), "instant": np.int64}
    dtype = kinds.get(column.kind) or np.dtype(column.dtype)
    array = np.arange(2).astype(dtype)
    table = frame([column], lambda _: array, {column.name: words}, ZONE)
    assert np.shares_memory(array, memory(table[column.name]))


@pytest.mark.parametrize("table", [name for name in TABLES if name != "requests"])
def test_tables_share_the_memory_of_the_records(table):
    result = full()
    shown, recorded = result.tables[table], getattr(result.arrays.records, table)
    shared = set()
    for column in TABLES[table]:
        if column.record not in recorded:
            continue
        if column.kind == "instant":
            mine = recorded.since(column.record, result.arrays.origin_us)
        else:
            mine = recorded[column.record]
        assert np.shares_memory(mine, memory(shown[column.name])), column.name
        shared.add(column.record)
    assert shared == set(recorded)


def test_figures_make_no_table():
    result = full()
    result.measures()
    result.summary()
    assert repr(result)
    assert not result.frames.made


@pytest.mark.parametrize("count", [126, 127, 200])
def test_any_number_of_campaigns_have_their_names(count):
    result = run(*(campaign(f"c{k:03}", contacts=1 + k % 2) for k in range(count)))
    names = [f"c{k:03}" for k in range(count) for _ in range(1 + k % 2)]
    assert result.calls["campaign"].tolist() == names
    whose = dict(zip(result.calls["call_id"], names, strict=True))
    for table in (result.attempts, result.updates):
        assert table["campaign"].tolist() == [whose[call] for call in table["call_id"]]


def test_codes_have_the_type_that_pandas_gives_them():
    for count in (1, 126, 127, 128, 32_766, 32_767, 32_768):
        words = [str(word) for word in range(count)]
        assert pd.Categorical.from_codes([0], words).codes.dtype == code_type(words)


# Looking up


@given(st.lists(st.integers(0, 9), max_size=40))
def test_looking_up_is_indexing(places: list[int]) -> None:
    table = np.arange(10, dtype=np.int16) * 3
    found = take(table, np.array(places, dtype=np.int32))
    assert found.tolist() == [3 * place for place in places]
    assert found.dtype == table.dtype


@given(
    st.lists(st.integers(0, 20) | st.integers(0, 2**31 - 1), max_size=40),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=3),
)
def test_numbers_inside_spans_are_those_that_a_span_has(
    numbers: list[int], ends: list[tuple[int, int]]
) -> None:
    spans = [range(min(pair), max(pair)) for pair in ends]
    found = in_spans(np.array(numbers, dtype=np.int32), spans)
    assert found.tolist() == [any(number in span for span in spans) for number in numbers]


# Views


def figures(view: Any) -> dict[str, float]:
    from outsim.results.measures import measure

    return {name: str(value) for name, value in measure(view).items()}


@FEWER
@given(scenarios())
def test_figures_are_those_of_whole_tables(scenario: Scenario) -> None:
    result: Result = simulate(scenario)
    for each in (ALL_CALLS, *scenario.campaigns):
        whole, narrow = result.view(each), result.measure_view(each)
        assert figures(whole) == figures(narrow)
        assert len(whole.attempts) == len(narrow.attempts)
    background = result.calls["background"]
    shares = background[
        result.attempts["call_id"].map(
            dict(zip(result.calls["call_id"], background.index, strict=True))
        )
    ]
    assert result.background_share == (shares.mean() if len(shares) else 0.0)
    if scenario.background is not None:
        row = result.summary().loc["(background)"]
        assert (row["calls"], row["attempts"]) == (background.sum(), shares.sum())


@FEWER
@given(scenarios())
def test_views_hold_the_rows_of_their_campaign(scenario: Scenario) -> None:
    result = simulate(scenario)
    for each in scenario.campaigns:
        view = result.view(each)
        for name in ("calls", "attempts", "updates"):
            table = result.tables[name]
            mine = table["campaign"].eq(each.name) & table["tenant"].eq(each.tenant)
            pd.testing.assert_frame_equal(getattr(view, name), table[mine])


@FEWER
@given(scenarios())
def test_figures_are_those_of_the_plainest_definition(scenario: Scenario) -> None:
    """On the words and instants of the tables, one at a time."""
    result = simulate(scenario)
    view = result.view()
    found = figures(view)
    updates = view.updates
    final = updates["status"].astype(str).isin(["completed", "failed", "canceled", "expired"])
    assert found["unreported_final_calls"] == str(float(updates[final]["visible_at"].isna().sum()))
    processed = updates[updates["happened_at"].ne(updates["visible_at"])]
    lags = (processed["visible_at"] - processed["happened_at"]).dt.total_seconds().fillna(np.inf)
    within = [lag for lag in sorted(lags) if 10 * (lags <= lag).sum() >= 9 * len(lags)]
    p90 = within[0] if within and within[0] < np.inf else np.nan
    assert float(found["status_lag_p90_s"]) == pytest.approx(p90, nan_ok=True)
    ended = view.attempts["outcome"].dropna().astype(str)
    refused = (ended == "congestion").sum() / len(ended) if len(ended) else float("nan")
    assert found["refused_share"] == str(float(refused))
    accepted = view.calls[view.calls["status"].astype(str) != "rejected"]
    timely = (accepted["status"].astype(str) == "completed") & (
        accepted["final_at"] <= view.deadline
    )
    share = timely.sum() / len(accepted) if len(accepted) else float("nan")
    assert found["completed_by_deadline"] == str(float(share))
