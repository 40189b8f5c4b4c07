"""How tables are laid out: figures are never broken, whatever the terminal's width."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from outsim.cli.output import print_json
from outsim.document import Table
from outsim.document.terminal import show_table

LABELS = ("over, but never shown so", "p50 wait", "answered by a person")
FIGURES = ("7 min 16 s ± 9 s", "77.2 ± 8.6 %", "09:12:16 ± 9 s")


def laid_out(capsys, monkeypatch, columns, rows, width, *text_columns: str) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    show_table(Table("", columns, rows, text_columns=text_columns))
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", range(30, 90))
def test_labels_give_way_before_figures_do(capsys, monkeypatch, width):
    """From the width on at which the longest word of a label and one figure fit beside it."""
    columns = ["", "first scenario", "second scenario", "difference"]
    rows = [[label, *FIGURES] for label in LABELS]
    lines = laid_out(capsys, monkeypatch, columns, rows, width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= min(width, 80)
    for figure in FIGURES:
        for part in figure.split(" ± "):
            assert text.count(part) >= len(LABELS)
    for label in LABELS:
        for word in label.split():
            assert word in text


def test_what_fits_is_left_as_it_is(capsys, monkeypatch):
    rows = [["completed", "12"], ["failed", "3"]]
    lines = laid_out(capsys, monkeypatch, ["status", "customer sees"], rows, 80)
    assert [line.strip() for line in lines if line.strip()] == [
        "status      customer sees",
        "─" * 25,
        "completed              12",
        "failed                  3",
    ]


def test_where_it_does_not_headers_are_broken_first(capsys, monkeypatch):
    rows = [["completed", "12"], ["failed", "3"]]
    lines = laid_out(capsys, monkeypatch, ["status", "customer sees"], rows, 24)
    assert [line.split() for line in lines if line.strip()][:2] == [
        ["customer"],
        ["status", "sees"],
    ]


def test_a_table_that_does_not_fit_is_turned_round_and_stays_whole(capsys, monkeypatch):
    rows = [["calls", *map(str, range(1000, 1012))]]
    lines = laid_out(capsys, monkeypatch, ["", *"abcdefghijkl"], rows, 40)
    assert [line.split() for line in lines if line.strip() and "─" not in line] == [
        ["calls"],
        *([name, value] for name, value in zip("abcdefghijkl", rows[0][1:], strict=True)),
    ]


def test_long_text_is_broken_between_words_and_stands_to_the_left(capsys, monkeypatch):
    text = "20/s x (20 ms dial work + 3.60 updates x 30 ms), of 2 workers, and so on"
    lines = laid_out(capsys, monkeypatch, ["", "why"], [["workers", text]], 40, "why")
    below = [line.rstrip()[10:] for line in lines if line.strip() and "─" not in line][1:]
    assert " ".join(" ".join(below).split()) == text
    assert len({len(part) - len(part.lstrip()) for part in below}) == 1


def test_a_table_without_rows_shows_its_headers(capsys, monkeypatch):
    lines = laid_out(capsys, monkeypatch, ["hour", "attempts"], [], 80)
    assert lines[0].split() == ["hour", "attempts"]


def test_wide_characters_count_for_the_columns_they_take(capsys, monkeypatch):
    rows = [["早上的提醒电话" * 2, "12"]]
    lines = laid_out(capsys, monkeypatch, ["", "calls"], rows, 24)
    assert max(map(cell_len, lines)) <= 24
    assert "".join("".join(lines).split()).replace("─", "") == f"{rows[0][0]}calls12"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_what_is_no_number_is_null_in_json(capsys, value):
    print_json({"value": [value]})
    out = capsys.readouterr().out
    assert ("null" in out) == (value != value or value in (float("inf"), -float("inf")))
    assert "NaN" not in out
    assert "Infinity" not in out
