"""What every command writes, and where; and its answer at several widths, without another run."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from outsim.cli import main, output
from outsim.document import Document
from outsim.document.terminal import show
from tests.in_a_thread import studies_in_a_thread

from .commands import CODES, COMMANDS
from .conftest import FILES, Ended

FRAME = {"─" * length for length in range(1, 81)}


@dataclass(frozen=True)
class Stored:
    """What a command gave when it was run."""

    arguments: tuple[str, ...]
    ended: Ended
    document: Document | None = None
    json: str = ""

    def at(self, columns: int) -> str:
        """What a terminal of some columns shows."""
        if self.document is None:
            return run(self.arguments, columns).ended.out
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
            patch.setenv("COLUMNS", str(columns))
            show(self.document)
        return out.getvalue()


def run(arguments: tuple[str, ...], columns: int = 80) -> Stored:
    """Run a command, and store its answer."""
    answers = []
    present = output.present

    def storing(answer, shown) -> None:
        answers.append(answer)
        present(answer, shown)

    with (
        pytest.MonkeyPatch.context() as patch,
        studies_in_a_thread(),
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
    ):
        patch.setenv("COLUMNS", str(columns))
        patch.setattr(sys, "argv", ["outsim", *arguments])
        patch.setattr(output, "present", storing)
        with pytest.raises(SystemExit) as exited:
            main()
    code = exited.value.code if isinstance(exited.value.code, int) else 0
    ended = Ended(code, out.getvalue(), err.getvalue())
    if not answers:
        return Stored(arguments, ended)
    with redirect_stdout(io.StringIO()) as written:
        output.print_json(answers[0].to_dict())
    return Stored(arguments, ended, answers[0].document(), written.getvalue())


@pytest.fixture(scope="module", params=COMMANDS)
def stored(request, tmp_path_factory) -> Iterator[Stored]:
    """Each command, run once."""
    place = tmp_path_factory.mktemp("files")
    for name, text in FILES.items():
        (place / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield run(COMMANDS[request.param])


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
