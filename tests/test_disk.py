"""Files are written whole, where they belong, and nothing of other people's is touched."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from outsim.disk import (
    atomic_directory,
    atomic_write,
    check_writable,
    remove_stale_temp,
    temporary_directory,
)
from outsim.errors import StudyError
from outsim.results.saving import check_directory
from outsim.studies.identity import check_collection

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and owners")

OTHER = 12345
"""Number of another user."""


def write(path: Path, text: str) -> None:
    with atomic_write(path) as beside:
        beside.write_text(text)


# Where a file goes


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "below").mkdir()
    link = tmp_path / "link"
    link.symlink_to("below/file")
    for text in ("new", "newer"):
        write(link, text)
        assert link.is_symlink()
        assert (tmp_path / "below" / "file").read_text() == text
    assert {path.name for path in tmp_path.rglob("*")} == {"below", "file", "link"}


def test_a_directory_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "link").symlink_to("below")
    with atomic_directory(tmp_path / "link") as beside:
        (beside / "file").touch()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "below" / "file").exists()


def test_who_may_read_a_file_stays_as_it_was(tmp_path):
    (tmp_path / "file").touch(mode=0o600)
    write(tmp_path / "file", "new")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_pipe_is_given_the_file_once_it_is_whole(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    check_writable(tmp_path / "pipe")
    write(tmp_path / "pipe", "all of it")
    reader.join()
    assert read == ["all of it"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_device_stays_a_device():
    check_writable(Path("/dev/null"))
    write(Path("/dev/null"), "text")
    with pytest.raises(OSError, match="No space left"):
        write(Path("/dev/full"), "text")
    for name in ("null", "full"):
        assert stat.S_ISCHR(Path("/dev", name).stat().st_mode)


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(".")])
def test_a_directory_is_left(tmp_path, make):
    make(tmp_path / "place")
    for ask in (check_writable, lambda path: write(path, "text")):
        with pytest.raises(IsADirectoryError):
            ask(tmp_path / "place")
    assert [*tmp_path.iterdir()] == [tmp_path / "place"]


def test_a_link_of_another_user_s_where_all_may_write_is_not_followed(tmp_path, monkeypatch):
    """Somebody may have put it there so that a file of ours is written over."""
    (tmp_path / "private").write_text("mine")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "page").symlink_to(tmp_path / "private")
    lstat = Path.lstat

    def theirs(path: Path) -> os.stat_result:
        found = lstat(path)
        return os.stat_result((*found[:4], OTHER, *found[5:])) if path.name == "page" else found

    monkeypatch.setattr(Path, "lstat", theirs)
    for ask in (
        check_writable,
        lambda path: write(path, "text"),
        check_directory,
        check_collection,
    ):
        with pytest.raises((OSError, StudyError), match="a link of another user's"):
            ask(shared / "page")
    assert (tmp_path / "private").read_text() == "mine"


# What was left


def left(directory: Path, name: str = ".outsim-writing-left") -> Path:
    """A room of ours, as one is left that was killed."""
    room = directory / name
    room.mkdir(mode=0o700)
    (room / "lock").touch(mode=0o600)
    (room / "half").mkdir()
    (room / "half" / "file").touch()
    return room


def test_what_was_killed_is_swept_out_and_what_stood_aside_comes_back(tmp_path):
    room = left(tmp_path)
    (room / "aside" / "kept").mkdir(parents=True)
    (tmp_path / "other").touch()
    remove_stale_temp(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "other"}


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A directory of ours, with a file that nobody else may have."""
    place = tmp_path / "private"
    place.mkdir(mode=0o700)
    (place / "secret").write_text("mine")
    return place


def trap_room(shared: Path, private: Path) -> None:
    (shared / ".outsim-writing-trap").symlink_to(private)


def trap_aside(shared: Path, private: Path) -> None:
    (left(shared) / "aside").symlink_to(private)


def trap_content(shared: Path, private: Path) -> None:
    (left(shared) / "more").symlink_to(private)


def trap_lock(shared: Path, private: Path) -> None:
    room = left(shared)
    (room / "lock").unlink()
    (room / "lock").symlink_to(private / "secret")


def trap_renamed(shared: Path, private: Path) -> None:
    """A directory of ours that somebody renames, as all may who can write where it stands."""
    shutil.copytree(private, shared / ".outsim-writing-renamed")
    shared.chmod(0o777)


TRAPS = [trap_room, trap_aside, trap_content, trap_lock, trap_renamed]


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_is_moved_or_removed_behind_a_link(tmp_path, private, trap):
    shared = tmp_path / "shared"
    shared.mkdir()
    trap(shared, private)
    remove_stale_temp(shared)
    assert {path.name for path in private.iterdir()} == {"secret"}
    assert not (shared / "secret").exists()
    if trap is trap_renamed:
        assert (shared / ".outsim-writing-renamed" / "secret").exists()


@pytest.fixture
def as_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """We are another user than the one who owns the files of this test."""
    user = os.geteuid() + 1
    monkeypatch.setattr("outsim.disk.os", SimpleNamespace(**vars(os) | {"geteuid": lambda: user}))


@pytest.mark.usefixtures("as_another")
def test_rooms_of_other_users_are_left(tmp_path):
    room = left(tmp_path)
    (room / "aside" / "theirs").mkdir(parents=True)
    remove_stale_temp(tmp_path)
    assert (room / "half" / "file").exists()
    assert not (tmp_path / "theirs").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_leaves_rooms_of_other_users_too(tmp_path, private):
    room = left(tmp_path)
    (room / "aside").symlink_to(private)
    os.chown(room, OTHER, OTHER)
    remove_stale_temp(tmp_path)
    assert room.exists()
    assert (private / "secret").exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_room_that_others_can_write_to_is_none_of_ours(tmp_path, mode):
    room = left(tmp_path)
    room.chmod(mode)
    remove_stale_temp(tmp_path)
    assert (room / "half" / "file").exists()


@pytest.mark.usefixtures("as_another")
def test_our_own_room_goes_whoever_the_disk_says_that_we_are(tmp_path):
    """As a disk far away may give files another owner."""
    with temporary_directory(tmp_path) as room:
        (room / "file").touch()
    assert [*tmp_path.iterdir()] == []


def test_a_room_that_was_replaced_meanwhile_is_not_followed(tmp_path, private):
    with temporary_directory(tmp_path) as room:
        room.rename(tmp_path / "elsewhere")
        room.symlink_to(private)
    assert (private / "secret").exists()


def test_a_lock_that_is_a_pipe_is_not_waited_for(tmp_path):
    room = left(tmp_path)
    (room / "lock").unlink()
    os.mkfifo(room / "lock")
    remove_stale_temp(tmp_path)
    assert room.exists()
