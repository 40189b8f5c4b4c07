"""The command as a process: pipes that close, disks that are full, terminals and Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

OUTSIM = [sys.executable, "-m", "outsim"]

ANSWERS = [["schema"], ["diff", "small.toml", "small.toml", "--json"]]
"""One that is written at once for its length, and one that is kept until the end."""


@pytest.fixture(autouse=True)
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short answers are written when the command ends, as everywhere but in some containers."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.mark.parametrize("arguments", ANSWERS)
def test_a_reader_that_goes_away_is_no_error_to_tell(files, arguments):
    """As `head` does. Here nobody reads from the start, which is the same to who writes."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([*OUTSIM, *arguments], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert ended.stderr == b""
    assert ended.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", ANSWERS)
def test_an_answer_that_cannot_be_written_is_an_error(files, arguments):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*OUTSIM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.stderr == "outsim: can't write to standard output: No space left on device\n"
    assert ended.returncode == 1


def test_without_standard_output_a_command_still_says_by_its_exit_code(files):
    ended = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *OUTSIM, "diff", "small.toml", "later.toml"],
        stderr=subprocess.PIPE,
    )
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_mistake_is_told_on_standard_error(files):
    ended = subprocess.run([*OUTSIM, "run", "missing.toml"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert (ended.stdout, ended.stderr) == ("", "outsim: missing.toml: no such file\n")


def test_ctrl_c_ends_a_study_and_all_its_processes(files):
    """Once the progress bar shows that runs are made, every process of the command gets it.

    That is how a terminal sends it. All of them have this terminal and this pipe open: both
    come to their end when the last process has.
    """
    terminal, end_of_command = pty.openpty()
    study = subprocess.Popen(
        [*OUTSIM, "compare", "small.toml", "later.toml", "--replications", "5000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end_of_command,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(end_of_command)
    shown = b""
    while b"/10000" not in shown:
        shown += os.read(terminal, 4096)
    os.killpg(study.pid, signal.SIGINT)
    output, _ = study.communicate()
    while chunk := _read(terminal):
        shown += chunk
    os.close(terminal)
    assert study.returncode == 130
    assert output == b""
    assert b"Traceback" not in shown
    assert shown.rstrip().endswith(b"outsim: interrupted")


def _read(terminal: int) -> bytes:
    """What a terminal still shows; nothing once nobody has it open."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
