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


FILES = [
    ["run", "small.toml", "--out", "kept"],
    ["export", "small.toml", "--format", "xes", "--out", "small.xes"],
    ["report", "small.toml", "--replications", "2"],
]
"""Commands whose answers are files; but for the report, they say on standard output what is in
them."""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [*ANSWERS, *FILES[:2], ["--help"], ["run", "--help"]])
def test_an_answer_that_cannot_be_written_is_an_error(files, arguments):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*OUTSIM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert "Traceback" not in ended.stderr
    assert ended.stderr.endswith(
        "outsim: can't write to standard output: No space left on device\n"
    )
    assert ended.returncode == 2


@pytest.mark.parametrize("arguments", [*ANSWERS, *FILES, ["--help"], ["run", "missing.toml"]])
def test_without_a_standard_output_nothing_is_run(files, arguments):
    before = {*Path().iterdir()}
    ended = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *OUTSIM, *arguments], stderr=subprocess.PIPE, text=True
    )
    assert ended.stderr.startswith("outsim: standard output is closed")
    assert ended.returncode == 2
    assert {*Path().iterdir()} == before


@pytest.mark.parametrize("closed", ["2>&-", "<&-"])
def test_without_the_other_streams_an_answer_is_the_same(files, closed):
    """And what goes to standard error gets nowhere else."""
    answer = [*OUTSIM, "run", "small.toml", "--json", "--verify"]
    usual = subprocess.run(answer, capture_output=True)
    ended = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *answer], stdout=subprocess.PIPE)
    assert (ended.returncode, ended.stdout) == (0, usual.stdout)


def test_a_file_that_is_full_is_an_error_of_the_answer(files):
    """Where standard output is a file that may not grow."""
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
        "from outsim.cli import main; main()"
    )
    with Path("answer").open("w") as answer:
        ended = subprocess.run(
            [sys.executable, "-c", limited, "schema"],
            stdout=answer,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.stderr == "outsim: can't write to standard output: File too large\n"
    assert ended.returncode == 2


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
