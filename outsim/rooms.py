"""Rooms: where what is being written stands until it is whole.

A room is a directory beside what is kept. Whoever works there holds a lock that goes with the
process, however that ends: a room whose lock is free was left by one that was killed, and the
next to write sweeps it out. What had been put aside there, and was not replaced, goes back to
its place.

Others may write to the directory too, and what is in it may have been put there to mislead. So
a room is opened by its name without following a link, and only what is ours, and writable by
nobody else, is taken for one. Whatever is removed or moved is named from the open room.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

if sys.platform != "win32":
    import fcntl

_ROOM, _LOCK = ".outsim-writing-", "lock"

NEW, ASIDE = "new", "aside"
"""Names in a room: of what is written, and of a directory for what it replaces."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


@contextmanager
def room_in(directory: Path) -> Iterator[Path]:
    """Make a room for what is being written; it goes, with all that is left in it, at the end.

    Rooms that killed ones have left go first. On Windows, and on a disk that has no locks, they
    stay: nobody can tell them from those in use.
    """
    sweep(directory)
    room, lock = _own(directory)
    try:
        yield room
    finally:
        if sys.platform == "win32":  # which removes no file that is open
            os.close(lock)
            _remove_by_path(room)
        else:
            _remove(directory, room.name, os.fstat(lock))
            os.close(lock)


def sweep(directory: Path) -> None:
    """Remove the rooms of ours that nobody works in any more."""
    if sys.platform == "win32":
        return
    for room in directory.glob(f"{_ROOM}*"):
        _remove(directory, room.name, None)


def _own(directory: Path) -> tuple[Path, int]:
    """A new room, and the lock that is held on it."""
    while True:
        room = Path(mkdtemp(prefix=_ROOM, dir=directory))
        try:
            lock = os.open(room / _LOCK, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
        except FileNotFoundError:
            continue  # swept before it was locked
        except OSError:
            shutil.rmtree(room, ignore_errors=True)
            raise
        _take(lock, wait=True)
        # Somebody may have swept the room in between: then the lock is on a file that is gone.
        if (room / _LOCK).exists() and os.path.samestat(os.fstat(lock), (room / _LOCK).stat()):
            return room, lock
        os.close(lock)


def _take(lock: int, *, wait: bool) -> bool:
    """Take a lock, and say whether it was to be had."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _is_ours(found: os.stat_result) -> bool:
    """Whether something is ours alone: another user has neither made it nor can write to it."""
    others_write = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid == os.geteuid() and not found.st_mode & others_write


def _remove(directory: Path, name: str, held: os.stat_result | None) -> None:
    """Remove a room that is ours; `held` is its lock, if we hold it, and else it must be free.

    What stands aside in it, and has been replaced by nothing, goes back first. What can't be
    removed stays.
    """
    with suppress(OSError), _opened(directory) as parent, _opened(name, parent) as room:
        if held is None and not _is_ours(os.fstat(room)):
            return
        # Without a lock it was left before it had one, and is empty; or, where others may write,
        # it is a directory of ours that somebody has renamed.
        made = os.O_CREAT if _is_ours(os.fstat(parent)) else 0
        try:
            lock = os.open(_LOCK, os.O_RDWR | os.O_NONBLOCK | _NO_LINK | made, 0o600, dir_fd=room)
        except FileNotFoundError:
            os.rmdir(name, dir_fd=parent)
            return
        try:
            found = os.fstat(lock)
            if held is None:
                may_go = (
                    _is_ours(found) and stat.S_ISREG(found.st_mode) and _take(lock, wait=False)
                )
            else:
                may_go = os.path.samestat(found, held)
            if may_go:
                _put_back(room, parent)
                _empty(room)
                os.rmdir(name, dir_fd=parent)
        finally:
            os.close(lock)


@contextmanager
def _opened(name: str | Path, parent: int | None = None) -> Iterator[int]:
    """A directory by its descriptor; what stands in another one is opened if it is no link."""
    opened = os.open(name, _DIRECTORY | (0 if parent is None else _NO_LINK), dir_fd=parent)
    try:
        yield opened
    finally:
        os.close(opened)


def _put_back(room: int, parent: int) -> None:
    """Put what stands aside in a room back to its place, unless something is there.

    Raises
    ------
    OSError
        If it can't be: then it must stay in the room.
    """
    if ASIDE not in _names(room):
        return
    with _opened(ASIDE, room) as aside:
        for name in _names(aside):
            try:
                os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                os.rename(name, name, src_dir_fd=aside, dst_dir_fd=parent)


def _names(opened: int) -> list[str]:
    with os.scandir(opened) as entries:
        return [each.name for each in entries]


def _empty(room: int) -> None:
    for name in _names(room):
        if stat.S_ISDIR(os.stat(name, dir_fd=room, follow_symlinks=False).st_mode):
            shutil.rmtree(name, ignore_errors=True, dir_fd=room)
        else:
            os.unlink(name, dir_fd=room)


def _remove_by_path(room: Path) -> None:
    for aside in (room / ASIDE).glob("*"):
        place = room.parent / aside.name
        if not place.exists():
            with suppress(OSError):
                aside.rename(place)
                continue
            return  # it stays until it can go back
    shutil.rmtree(room, ignore_errors=True)
