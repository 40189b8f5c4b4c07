"""Whatever a command writes is there whole or not at all, and what can't be is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on files")

ZONE = ("--zone", "America/New_York")
WRITES: dict[str, tuple[str, ...]] = {
    "callees.toml": ("calibrate", "Master.csv", *ZONE, "--out", "callees.toml"),
    "run.png": ("run", "small.toml", "--plot", "run.png"),
    "status.SVG": ("status", "small.toml", "--at", "09:10", "--plot", "status.SVG"),
    "page.html": ("report", "small.toml", "--replications", "2", "--output", "page.html"),
    "log.xes": ("export", "small.toml", "--format", "xes", "--out", "log.xes"),
    "log.json": ("export", "small.toml", "--format", "ocel", "--out", "log.json"),
    "line.gz": ("export", "small.toml", "--format", "perfetto", "--out", "line.gz"),
    "tables": ("export", "small.toml", "--format", "csv", "--out", "tables"),
    "parquet": ("export", "small.toml", "--format", "parquet", "--out", "parquet"),
    "kept": ("run", "small.toml", "--out", "kept"),
}
"""Commands by what they write."""

MANY = """
import contextlib, io, json, resource, sys
import matplotlib.pyplot
from outsim.cli import main

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
ended = {}
for name, arguments in json.loads(sys.argv[2]).items():
    sys.argv = ["outsim", *arguments]
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            main()
        except SystemExit as error:
            ended[name] = [error.code, told.getvalue()]
sys.stderr.write(json.dumps(ended))
"""


def ended_of(commands: dict[str, tuple[str, ...]], limit: int = -1) -> dict[str, tuple[int, str]]:
    """Exit code and standard error of commands in one process, whose files may be no longer."""
    ended = subprocess.run(
        [sys.executable, "-c", MANY, str(limit), json.dumps(commands)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    told: dict[str, tuple[int, str]] = json.loads(ended.stderr)
    return told


def content(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def test_a_disk_that_is_full_leaves_what_was_there(files):
    whole = ended_of(WRITES)
    assert {name: code for name, (code, _) in whole.items()} == dict.fromkeys(WRITES, 0)
    before = content(files)
    for name, (code, told) in ended_of(WRITES, 400).items():
        assert code == 2, name
        assert "File too large" in told, name
        assert name in told
        assert "Traceback" not in told
    assert content(files) == before


def test_what_stands_in_the_way_is_told_and_left(files):
    for name in WRITES:
        if "." in name:
            (files / name).mkdir()
        else:
            (files / name).write_text("mine")
    before = content(files)
    for name, (code, told) in ended_of(WRITES).items():
        assert code == 2, name
        assert name in told
        assert "Traceback" not in told
    assert content(files) == before
    assert all((files / name).is_dir() for name in WRITES if "." in name)


def test_a_full_device_and_a_missing_directory_are_told(files):
    (files / "full.png").symlink_to("/dev/full")
    (files / "full.html").symlink_to("/dev/full")
    (files / "full").symlink_to("/dev/full")
    commands = {}
    for name, arguments in WRITES.items():
        if "." in name:
            full = f"full{Path(name).suffix}" if name.endswith((".png", ".html")) else "full"
            if name != "status.SVG":
                commands[f"full: {name}"] = (*arguments[:-1], full)
            commands[f"nowhere/{name}"] = (*arguments[:-1], f"nowhere/{name}")
    for name, (code, told) in ended_of(commands).items():
        assert code == 2, name
        assert "No space left" in told if name.startswith("full") else "nowhere" in told, name
        assert "Traceback" not in told
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("name", ["callees.toml", "run.png"])
def test_a_command_that_is_killed_while_it_writes_leaves_what_was_there(files, name):
    (files / name).write_text("whole")
    killed = (
        "import os, signal, sys; from outsim import disk; from outsim.cli import main; "
        "disk.put = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
        "sys.argv[0] = 'outsim'; main()"
    )
    ended = subprocess.run([sys.executable, "-c", killed, *WRITES[name]], capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert (files / name).read_text() == "whole"
    assert ended_of({name: WRITES[name]})[name][0] == 0
    assert (files / name).read_bytes() != b"whole"
    assert not [*files.glob(".outsim*")]
