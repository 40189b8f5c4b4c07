"""Columns of many rows at once: codes of texts, and the rows that are held against each other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from outsim.calibration.calls import by_code, callees_of, recurring
from outsim.calibration.log import Batch, columns_of

texts = st.sampled_from(
    ["13125550100", "3125550100", "0113125550", "+1 312 555-0100", "sales", "911", "1.3E+10"]
)


@given(st.lists(texts, min_size=1, unique=True))
def test_numbers_are_read_alike_whatever_stands_beside_them(written):
    names, lost, short = callees_of(pa.array(written))
    alone = [callees_of(pa.array([text])) for text in written]
    assert names.to_pylist() == [name[0].as_py() for name, _, _ in alone]
    assert short.tolist() == [is_short[0] for *_, is_short in alone]
    for why, at in lost.items():
        assert at.tolist() == [reasons[why][0] for _, reasons, _ in alone]


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 2), st.integers(0, 2)), max_size=12))
def test_a_row_that_recurs_is_among_those_that_are_held_against_each_other(rows):
    keys, numbers, at = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    among = np.ones(len(rows), dtype=np.bool_)
    found = recurring(among, [keys.astype(np.int32), numbers.astype(np.int32)], at)
    assert {k for k, row in enumerate(rows) if rows.count(row) > 1} <= set(found.tolist())


@given(st.lists(st.integers(-1, 5), max_size=30))
def test_rows_in_the_order_of_codes_keep_their_order_within_one(codes):
    found = by_code(np.array(codes, dtype=np.int32))
    assert found.tolist() == sorted(range(len(codes)), key=codes.__getitem__)


ids = st.sampled_from([None, "1773064800.1", "1773064801.2", "x-1773064802.3"])


@given(st.lists(st.lists(st.tuples(ids, ids), max_size=6), min_size=1, max_size=3))
def test_ids_have_one_code_for_each_text_in_whatever_column_and_batch(blocks):
    batches = [
        Batch(0, {"keys": pa.array(keys, pa.string()), "calls": pa.array(calls, pa.string())})
        for keys, calls in (zip(*rows, strict=True) if rows else ((), ()) for rows in blocks)
    ]
    found = columns_of(batches)
    codes = [*found["keys"].tolist(), *found["calls"].tolist()]
    rows = [row for block in blocks for row in block]
    written = [key for key, _ in rows] + [call for _, call in rows]
    assert [code < 0 for code in codes] == [text is None for text in written]
    assert len(set(zip(codes, written, strict=True))) == len(set(written)) == len(set(codes))
