"""What is kept on a disk: room to write it in, nothing half there, and errors that say what.

What is being written stands in a room of its own, a directory beside what is kept, until it
is whole. Whoever works there holds a lock that goes with the process, however that ends: a
room whose lock is free was left by one that was killed, and the next to write sweeps it out.
What had been put aside there, and was not replaced, goes back to its place.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from outsim.errors import OutsimError, StudyError

if sys.platform != "win32":
    import fcntl

_ROOM, _LOCK, _NEW, _ASIDE = ".outsim-writing-", "lock", "new", "aside"


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
            _remove(room)
        else:
            _remove(room)
            os.close(lock)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file; by the end it is at its place, instead of what was there before."""
    with room_in(path.parent) as room:
        yield room / _NEW
        put(room / _NEW, path)


@contextmanager
def whole_directory(path: Path) -> Iterator[Path]:
    """A directory to fill; by the end it is at its place, instead of what was there before.

    That is put aside first, as no directory can be put where another one is. It goes once the
    new one is there, and comes back if that does not come to be.
    """
    with room_in(path.parent) as room:
        (room / _NEW).mkdir()
        yield room / _NEW
        flush_all(room / _NEW)
        (room / _ASIDE).mkdir()
        if path.exists():
            path.rename(room / _ASIDE / path.name)
        (room / _NEW).rename(path)
        flush(path.parent)


def sweep(directory: Path) -> None:
    """Remove the rooms that nobody works in any more."""
    for room in directory.glob(f"{_ROOM}*"):
        try:
            lock = os.open(room / _LOCK, os.O_RDWR | os.O_CREAT)
        except OSError:
            continue  # gone meanwhile, or not ours to remove
        try:
            if _take(lock, wait=False):
                _remove(room)
        finally:
            os.close(lock)


def _remove(room: Path) -> None:
    """Remove a room, and put back what stands aside in it and has been replaced by nothing."""
    for aside in (room / _ASIDE).glob("*"):
        place = room.parent / aside.name
        if not place.exists():
            try:
                aside.rename(place)
            except OSError:
                return  # it stays until it can go back
    shutil.rmtree(room, ignore_errors=True)


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
def one_at_a_time(path: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock on a file: of all processes that ask for it, one goes on at a time.

    The lock goes with the process that holds it, however that ends. Who has waited for
    `patience_s` goes on without it: the holder may be halted, or on a machine that is gone.
    There is no waiting on Windows, nor where no lock is to be had.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:
        yield
        return
    try:
        for _ in range(round(patience_s / _ASKS_AGAIN_S)):
            if not _is_held_elsewhere(lock):
                break
            time.sleep(_ASKS_AGAIN_S)
        yield
    finally:
        os.close(lock)


_ASKS_AGAIN_S = 0.05


def _is_held_elsewhere(lock: int) -> bool:
    """Take a lock, if nobody else holds it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a disk that has no locks
    return False


@contextmanager
def disk_errors_told(
    path: Path,
    kind: type[OutsimError] = StudyError,
    advice: str = (
        "what is there already is whole: make room, or give another directory, and ask again"
    ),
) -> Iterator[None]:
    """Turn what a disk refuses into an error of a kind that says where, and what to do.

    Raises
    ------
    OutsimError
        If the disk is full, or the place can't be written to.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise kind(f"{path}: can't be written to ({why}); {advice}") from None


def put(beside: Path, place: Path) -> None:
    """Put a file in its place, instead of what was there before, and have it on the disk."""
    flush(beside)
    beside.replace(place)
    flush(place.parent)


def flush(path: Path) -> None:
    """Have a file, or what a directory lists, on the disk before anything else happens.

    Windows does this for none that is open for reading alone, and for no directory.
    """
    if sys.platform == "win32":
        return
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
