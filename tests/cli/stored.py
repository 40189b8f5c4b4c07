"""Commands that are run once, and what they gave."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from outsim.cli import main, output
from outsim.document import Document
from outsim.document.terminal import show
from tests.in_a_thread import studies_in_a_thread

from .commands import COMMANDS
from .conftest import FILES, Ended


@dataclass(frozen=True)
class Stored:
    """What a command gave when it was run."""

    arguments: tuple[str, ...]
    ended: Ended
    document: Document | None = None
    json: str = ""

    @property
    def words(self) -> str:
        """Standard output in one line."""
        return " ".join(self.ended.out.split())

    @property
    def facts(self) -> Any:
        """What machines are given."""
        return json.loads(self.json)

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


@cache
def stored(command: str) -> Stored:
    """One of `COMMANDS`, run once."""
    with tempfile.TemporaryDirectory() as place, chdir(place):
        for name, text in FILES.items():
            Path(name).write_text(text)
        return run(COMMANDS[command])
