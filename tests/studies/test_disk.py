"""A disk that is full or can't be written to: a clear word, and what was finished stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import outsim
from outsim.disk import remove_stale_temp, temporary_directory
from outsim.errors import StudyError
from outsim.questions.compare import COMPARED
from outsim.scenario import Scenario

from .kept import assert_same_content, files, finished, resumed, study

SMALL = """\
name = "small"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[[campaign]]
name = "reminders"
tenant = "clinic"
start = "09:05"
contacts = 60
"""

LIMITED = """
import resource, sys
from outsim.cli import main

limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Scenario, Scenario]:
    """Two scenarios, which are in files as well."""
    (tmp_path / "a.toml").write_text(SMALL)
    (tmp_path / "b.toml").write_text('extends = "a.toml"\nname = "b"\n[platform]\nports = 5\n')
    return outsim.load(tmp_path / "a.toml"), outsim.load(tmp_path / "b.toml")


def message_of(directory: Path, limit: int, *arguments: str) -> str:
    """What `outsim compare` says to a user whose files may be no longer than this."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "compare", "a.toml", "b.toml", *arguments],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    return ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on files")
def test_a_file_that_finds_no_room_is_told_and_what_was_there_stays(tmp_path, pair):
    """First the figures find none; then, with more room, the tables, which workers write."""
    kept = tmp_path / "kept"
    resumed(kept, 2, scenarios=pair, seed=1, measures=COMPARED)
    before = files(kept)
    arguments = ("--replications", "4", "--directory", "kept", "--engine", "simpy")
    for limit, more in ((2_000, "--executor=threads"), (20_000, "--keep-tables")):
        message = message_of(tmp_path, limit, *arguments, more)
        assert re.search(r"^outsim: .*can't be written to \(File too large\)", message)
        assert "what is there already is whole: make room" in message
        assert files(kept) == before
    assert resumed(kept, 4, scenarios=pair, seed=1, measures=COMPARED)[1] == 2


def mounts(*arguments: str) -> None:
    ended = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if ended.returncode:
        pytest.skip(f"a file system can't be mounted here: {ended.stderr.strip()}")


@contextmanager
def mounted(place: Path, size: str) -> Iterator[None]:
    """A file system of its own at a place."""
    place.mkdir()
    mounts("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_full_disk_is_told_and_with_room_the_study_goes_on(tmp_path):
    place = tmp_path / "disk"
    with mounted(place, "128k"):
        with pytest.raises(StudyError, match=r"can't be written to \(No space left on device\)"):
            study(place / "kept", 9).run()
        had = finished(place / "kept")
        assert 0 < len(had) < 9
        assert not [*(place / "kept").glob(".*")]
        mounts("-o", "remount,size=16m", str(place))
        assert resumed(place / "kept", 9)[1] == 9 - len(had)
        study(tmp_path / "undisturbed", 9).run()
        assert_same_content(place / "kept", tmp_path / "undisturbed")


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_read_only_directory_gives_what_it_has_and_takes_nothing_more(tmp_path):
    place = tmp_path / "disk"
    with mounted(place, "16m"):
        findings, _ = resumed(place / "kept", 2)
        mounts("-o", "remount,ro", str(place))
        again, ran = resumed(place / "kept", 2)
        assert (again.to_dict(), ran) == (findings.to_dict(), 0)
        for out in ("kept", "new"):
            with pytest.raises(StudyError, match=r"written to \(Read-only file system\)"):
                study(place / out, 3).run()


def test_a_room_goes_with_whoever_made_it_and_not_before(tmp_path):
    with temporary_directory(tmp_path) as room:
        (room / "file").touch()
        remove_stale_temp(tmp_path)
        assert (room / "file").exists()
        with temporary_directory(tmp_path) as other:
            assert other != room
    assert not [*tmp_path.iterdir()]


def test_a_room_that_nobody_locked_is_swept(tmp_path):
    """As one is left whose maker was killed before, or on another machine."""
    (tmp_path / ".outsim-writing-left").mkdir()
    (tmp_path / ".outsim-writing-left" / "half").touch()
    resumed(tmp_path, 1)
    assert not [*tmp_path.glob(".*")]
