"""The command line on small scenario files, called as a shell calls it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from outsim.cli import main
from tests.in_a_thread import studies_in_a_thread

SMALL = """\
name = "small"

[clock]
zone = "America/New_York"
date = 2026-03-10
begins = "09:00"
ends = "10:00"

[platform]
ports = 10
ring_timeout = "30 s"

[[campaign]]
name = "appointment reminders"
tenant = "clinic"
start = "09:05"
contacts = 60
max_retry = 1
retry_interval = "5 min"

[[campaign]]
name = "notices"
tenant = "utility"
start = "09:00"
contacts = 20

[study]
campaign = "clinic/appointment reminders"
"""


def call_rows() -> str:
    """A call log of 400 rows as Asterisk writes it, every fifth number busy, one line broken."""
    rows = []
    for k in range(400):
        clock = f"2026-03-{2 + k // 40:02d} {9 + k % 8:02d}:{k % 60:02d}"
        rings, talks = 5 + k * 7 % 20, 10 + k * 11 % 40
        if k % 5 == 0:
            times = f'"{clock}:00",,"{clock}:02",2,0'
            word = "BUSY"
        else:
            answered = f"{clock}:{rings:02d}"
            times, word = (
                f'"{clock}:00","{answered}","{clock}:59",{rings + talks},{talks}',
                "ANSWERED",
            )
        rows.append(
            f'"acme","5550100","1212555{k:04d}","out","","a","b","Dial","c",{times},"{word}",'
            f'"DOCUMENTATION","1.{k}",""'
        )
    rows[7] = "a line that is no row"
    return "\n".join([*rows, ""])


FILES = {
    "Master.csv": call_rows(),
    "own.csv": "when,what\n2026-03-10 09:00:00,busy\n",
    "small.toml": SMALL,
    "later.toml": """\
extends = "small.toml"
name = "later, and by far the longest of these names"
[[campaign]]
name = "appointment reminders"
start = "09:15"
""",
    "nobody.toml": """\
name = "nobody"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
""",
    "zero.toml": """\
name = "no contacts"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[[campaign]]
name = "list"
tenant = "acme"
start = "09:00"
contacts = 0
""",
    "namesakes.toml": SMALL.replace("notices", "appointment reminders"),
    "stopped.toml": SMALL.replace("contacts = 60", 'contacts = 60\nstop_at = "09:15"'),
    "queue.json": """\
{"at": "09:20", "campaign": [
  {"tenant": "clinic", "name": "appointment reminders", "completed": 20,
   "queued": {"count": 30, "oldest": "09:10"}, "dialing": ["20 s", "09:19:55"]},
  {"tenant": "bank", "name": "alerts", "queued": 100, "connected": 3}]}
""",
    "broken.toml": "name = [\n",
    "wrong.toml": SMALL.replace("contacts = 60", 'contacts = 60\nstart_at = "09:05"'),
}


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """Standard error in one line, without the frame that it may stand in."""
        return " ".join(re.sub(r"\x1b\[[\d;]*m|[│╭╮╰╯─]", " ", self.err).split())


class Command(Protocol):
    """`outsim` with some arguments, in a terminal of some columns."""

    def __call__(self, *arguments: str, columns: int = 80) -> Ended: ...


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the scenario files in it."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "directory").mkdir()
    (tmp_path / "a file").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def outsim(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Call the command line; studies run in a thread, so that they start at once."""
    with studies_in_a_thread():

        def call(*arguments: str, columns: int = 80) -> Ended:
            monkeypatch.setenv("COLUMNS", str(columns))
            monkeypatch.setattr(sys, "argv", ["outsim", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            code = ended.value.code
            return Ended(code if isinstance(code, int) else 0, *capsys.readouterr())

        yield call
