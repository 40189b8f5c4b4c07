"""What every command writes, and where; and its answer at several widths, without another run."""

from __future__ import annotations

import json

import pytest

from .commands import CODES, COMMANDS
from .stored import Stored, run
from .stored import stored as once

FRAME = {"─" * length for length in range(1, 81)}


@pytest.fixture(params=COMMANDS)
def stored(request, files) -> Stored:
    """Each command, run once."""
    return once(request.param)


def words(text: str) -> set[str]:
    return set(text.split()) - FRAME


def test_a_command_prints_its_answer_to_standard_output_and_nothing_else_anywhere(stored):
    """No progress either: standard error is no terminal here."""
    ended = stored.ended
    assert ended.code == CODES.get(stored.arguments[0], 0)
    assert ended.out.strip()
    assert ended.out == stored.at(80)
    assert all(line.startswith("warning: ") for line in ended.err.splitlines())


def test_json_is_one_document_on_standard_output_and_nothing_else(stored):
    text = stored.json or run((*stored.arguments, "--json")).ended.out
    assert json.loads(text)
    assert text.endswith(("}\n", "]\n"))


@pytest.mark.parametrize("columns", [200, 80, 60, 45])
def test_the_answer_fits_the_terminal_and_80_columns_at_most(stored, columns):
    assert max(map(len, stored.at(columns).splitlines())) <= min(columns, 80)


@pytest.mark.parametrize("columns", [60, 45])
def test_in_a_narrow_terminal_nothing_is_lost_and_no_word_is_broken(stored, columns):
    assert words(stored.at(80)) <= words(stored.at(columns))


def test_the_answer_comes_first(stored):
    if stored.document is not None and stored.document.answer:
        assert " ".join(stored.at(60).split()).startswith(" ".join(stored.document.answer.split()))


@pytest.mark.parametrize("command", ["run", "diff"])
def test_with_json_nothing_else_is_printed(outsim, command):
    ended = outsim(*COMMANDS[command], "--json")
    assert ended.code == CODES.get(command, 0)
    assert json.loads(ended.out)
    assert all(line.startswith("warning: ") for line in ended.err.splitlines())


def test_the_version_is_said(outsim):
    ended = outsim("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "outsim")
