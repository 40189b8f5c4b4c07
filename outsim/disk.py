"""What is kept on a disk: nothing half there, and errors that say what.

What is being written stands in a room of its own, as `outsim.rooms` has it, until it is whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from outsim.errors import OutsimError, StudyError
from outsim.rooms import ASIDE, NEW, room_in

if sys.platform != "win32":
    import fcntl


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file; by the end it is at its place, instead of what was there before.

    Who may read and write what was there may do so with the new one. A link stays, and what it
    leads to is written. A device or a pipe is given the file once that is whole.

    Raises
    ------
    OSError
        If there is no room, or the place can't be written to.
    """
    place = _place_of(path)
    if _is_stream(place):
        with TemporaryDirectory() as room:
            yield Path(room, NEW)
            with Path(room, NEW).open("rb") as whole, place.open("wb") as stream:
                shutil.copyfileobj(whole, stream)
        return
    with room_in(place.parent) as room:
        yield room / NEW
        if place.exists():
            shutil.copymode(place, room / NEW)
        put(room / NEW, place)


@contextmanager
def whole_directory(path: Path) -> Iterator[Path]:
    """A directory to fill; by the end it is at its place, instead of what was there before.

    That is put aside first, as no directory can be put where another one is. It goes once the
    new one is there, and comes back if that does not come to be. A link stays, as for files.

    Raises
    ------
    OSError
        If there is no room, or the place can't be written to.
    """
    place = behind_links(path)
    with room_in(place.parent) as room:
        (room / NEW).mkdir()
        yield room / NEW
        flush_all(room / NEW)
        (room / ASIDE).mkdir()
        if place.exists():
            place.rename(room / ASIDE / place.name)
        (room / NEW).rename(place)
        flush(place.parent)


def check_place(path: Path) -> None:
    """Find out whether a file can be written, before the work for it is done.

    Raises
    ------
    OSError
        If it can't be.
    """
    place = _place_of(path)
    if not _is_stream(place):
        with TemporaryFile(dir=place.parent):
            pass


def _place_of(path: Path) -> Path:
    """Where a file is to be written: behind links, but for a device or a pipe."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    place = behind_links(path)
    return path if _is_stream(path) else place


def behind_links(path: Path) -> Path:
    """Where a path leads to, unless by a link that somebody else may have put there to mislead.

    That is one of another user's in a directory that all may write to.

    Raises
    ------
    OSError
        If there is such a link.
    """
    if sys.platform != "win32" and path.is_symlink():
        link, directory = path.lstat(), path.parent.stat()
        shared = directory.st_mode & stat.S_ISVTX and directory.st_mode & stat.S_IWOTH
        if shared and link.st_uid not in (os.geteuid(), directory.st_uid):
            raise PlaceError(errno.EACCES, "a link of another user's stands there", str(path))
    return Path(os.path.realpath(path))


def _is_stream(place: Path) -> bool:
    """Whether something is a device or a pipe, which no file can stand in place of."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise PlaceError(errno.EINVAL, "it is neither a file nor a pipe", str(place))
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


@contextmanager
def one_at_a_time(path: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock on a file or directory: of all that ask for it, one goes on at a time.

    The lock goes with the process that holds it, however that ends. Who has waited for
    `patience_s` goes on without it: the holder may be halted, or on a machine that is gone.
    There is no waiting on Windows, nor where no lock is to be had.
    """
    made = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        lock = os.open(path, os.O_RDONLY if path.is_dir() else made, 0o600)
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
        raise kind(f"{path}: can't be written to ({reason(error)}); {advice}") from None


class PlaceError(OSError):
    """Something stands at a place, or leads there, that no file can be put instead of."""


def reason(error: OSError) -> str:
    """Why a disk refused something, in a few words."""
    if error.errno and not isinstance(error, PlaceError):
        return os.strerror(error.errno)
    return error.strerror or str(error)


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
