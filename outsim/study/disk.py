"""What a study needs of a disk: room to write in, nothing half there, and errors that say what.

What is being written stands in a room of its own, a directory beside what is kept, until it
is whole. Whoever works there holds a lock that goes with the process, however that ends: a
room whose lock is free was left by one that was killed, and the next to write sweeps it out.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from outsim.errors import StudyError

if sys.platform != "win32":
    import fcntl

_ROOM, _LOCK = ".writing-", "lock"


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
        shutil.rmtree(room, ignore_errors=True)
        os.close(lock)


def sweep(directory: Path) -> None:
    """Remove the rooms that nobody works in any more."""
    for room in directory.glob(f"{_ROOM}*"):
        try:
            lock = os.open(room / _LOCK, os.O_RDWR | os.O_CREAT)
        except OSError:
            continue  # gone meanwhile, or not ours to remove
        try:
            if _take(lock, wait=False):
                shutil.rmtree(room, ignore_errors=True)
        finally:
            os.close(lock)


def _own(directory: Path) -> tuple[Path, int]:
    """A new room, and the lock that is held on it."""
    while True:
        room = Path(mkdtemp(prefix=_ROOM, dir=directory))
        try:
            lock = os.open(room / _LOCK, os.O_RDWR | os.O_CREAT)
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


@contextmanager
def disk_errors_told(directory: Path) -> Iterator[None]:
    """Turn what a disk refuses into an error that says where, and what to do.

    Raises
    ------
    StudyError
        If the disk is full, or the directory can't be written to.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise StudyError(
            f"{directory}: can't be written to ({why}); what is there already is whole: make "
            "room, or give another directory, and ask again"
        ) from None


def flush(path: Path) -> None:
    """Have a file, or what a directory lists, on the disk before anything else happens."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_all(directory: Path) -> None:
    """Have a directory on the disk, with everything that is in it."""
    for path in directory.rglob("*"):
        flush(path)
    flush(directory)
