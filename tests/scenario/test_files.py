"""Rows of CSV files: RFC 4180 in full, and every line belongs to one row."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from outsim.scenario.files import ROW_LINES, Row, read_rows

fields = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8) | st.text(
    'ab",;\n', max_size=8
)
tables = st.lists(st.lists(fields, min_size=3, max_size=3), max_size=20)


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True) if text.isascii() else io.StringIO(text).readlines()


@given(
    rows=tables,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_a_writer_wrote_is_read_back(rows, delimiter, end, quoting):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    lines = io.StringIO(out.getvalue(), newline="\n").readlines()
    found = list(read_rows(lines, delimiter))
    assert [row.fields for row in found] == rows
    begins = [1]
    for row in found:
        begins.append(begins[-1] + row.text.count("\n") + 1)
    assert [row.line for row in found] == begins[:-1]


@given(st.lists(st.text('ab",\\ ', max_size=12), max_size=30))
def test_every_line_belongs_to_one_row_whatever_its_quotes(texts):
    found = list(read_rows(f"{text}\n" for text in texts))
    assert "\n".join(row.text for row in found).split("\n") == (texts or [""])
    assert [row.line for row in found] == [
        1 + sum(row.text.count("\n") + 1 for row in found[:k]) for k in range(len(found))
    ]


def test_a_quote_that_is_never_closed_costs_its_own_line_alone():
    many = ["a,b\n"] * (ROW_LINES + 5)
    found = list(read_rows(['a,"b\n', *many]))
    assert found[0] == Row(1, 'a,"b', None)
    assert [row.fields for row in found[1:]] == [["a", "b"]] * len(many)


def test_a_row_over_several_lines_that_does_not_fit_is_none():
    lines = ['1,"a\n', "2,b\n", '3,c",d\n', "4,e\n"]
    found = list(read_rows(lines, fits=lambda row: len(row) == 2))
    assert [row.fields for row in found] == [None, ["2", "b"], ["3", 'c"', "d"], ["4", "e"]]
    assert [row.fields for row in read_rows(lines)] == [["1", "a\n2,b\n3,c", "d"], ["4", "e"]]
