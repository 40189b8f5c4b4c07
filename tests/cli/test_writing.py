"""Whatever a command writes is there whole or not at all, and what can't be is told."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from outsim import load, simulate

from .conftest import SMALL

ZONE = ("--zone", "America/New_York")
WRITES: dict[str, tuple[str, ...]] = {
    "callees.toml": ("calibrate", "Master.csv", *ZONE, "--out", "callees.toml"),
    "run.png": ("run", "small.toml", "--plot", "run.png"),
    "status.SVG": ("status", "small.toml", "--at", "09:10", "--plot", "status.SVG"),
    "page.html": ("report", "small.toml", "--replications", "2", "--output", "page.html"),
    "day.html": ("serve", "small.toml", "--export", "day.html"),
    "log.xes": ("export", "base", "--format", "xes", "--out", "log.xes"),
    "log.json": ("export", "base", "--format", "ocel", "--out", "log.json"),
    "line.gz": ("export", "base", "--format", "perfetto", "--out", "line.gz"),
    "tables": ("export", "base", "--format", "csv", "--out", "tables"),
    "parquet": ("export", "base", "--format", "parquet", "--out", "parquet"),
    "kept": ("run", "small.toml", "--out", "kept"),
}
"""Commands by what they write; ``base`` is a result that is kept already."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("base")
    (place / "small.toml").write_text(SMALL)
    return simulate(load(place / "small.toml"), engine="simpy").save(place / "base")


@pytest.fixture
def files(files: Path, base: Path) -> Path:
    """The scenario files, and the kept result."""
    shutil.copytree(base, files / "base")
    return files


@contextmanager
def files_no_longer_than(limit: int) -> Iterator[None]:
    """As on a disk that is full after so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def content(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def test_a_disk_that_is_full_leaves_what_was_there(outsim, files):
    for name in WRITES:
        if name in ("callees.toml", "tables", "parquet"):
            # A list is written beside the first; the others take the place of an export alone.
            assert outsim(*WRITES[name]).code == 0
        elif name == "kept":
            shutil.copytree(files / "base", files / name)
        else:
            (files / name).write_text("whole")
    before = content(files)
    for name, arguments in WRITES.items():
        with files_no_longer_than(400):
            ended = outsim(*arguments)
        assert ended.code == 2, name
        assert "File too large" in ended.err, name
        assert name in ended.err
    assert content(files) == before
    for name, arguments in WRITES.items():
        if name != "page.html":  # whose pictures take their time
            assert outsim(*arguments).code == 0, name


def test_what_stands_in_the_way_is_told_and_left(outsim, files):
    for name in WRITES:
        if "." in name:
            (files / name).mkdir()
        else:
            (files / name).write_text("mine")
    before = content(files)
    for name, arguments in WRITES.items():
        ended = outsim(*arguments)
        assert ended.code == 2, name
        assert name in ended.message
    assert content(files) == before
    assert all((files / name).is_dir() for name in WRITES if "." in name)


FULL = ["callees.toml", "run.png", "day.html", "log.xes", "line.gz"]


def test_a_full_device_is_told_and_stays_one(outsim, files):
    for name in FULL:
        full = f"full{Path(name).suffix}"
        (files / full).symlink_to("/dev/full")
        ended = outsim(*WRITES[name][:-1], full)
        assert ended.code == 2, name
        assert "No space left" in ended.err, name
    assert Path("/dev/full").is_char_device()


def test_a_missing_directory_is_told(outsim, files):
    for name, arguments in WRITES.items():
        if "." in name:
            ended = outsim(*arguments[:-1], f"nowhere/{name}")
            assert ended.code == 2, name
            assert "nowhere" in ended.message, name


@pytest.mark.parametrize("name", ["callees.toml", "run.png"])
def test_a_command_that_is_killed_while_it_writes_leaves_what_was_there(outsim, files, name):
    (files / name).write_text("whole")
    killed = (
        "import os, signal, sys; from outsim import disk; from outsim.cli import main; "
        "disk.replace_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
        "sys.argv[0] = 'outsim'; main()"
    )
    ended = subprocess.run([sys.executable, "-c", killed, *WRITES[name]], capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert (files / name).read_text() == "whole"
    assert outsim(*WRITES[name]).code == 0
    assert (files / name).read_bytes() != b"whole"
    assert not [*files.glob(".outsim*")]
