"""Writing to a disk: what is written is there whole or not at all, and errors say what to do.

What is being written stands in a temporary directory beside its place until it is whole. Whoever
works there holds a lock that goes with the process, however that ends: one whose lock is free was
left by a process that was killed, and the next to write removes it. What had been put aside
there, and was not replaced, goes back to its place.

Others may write to the same place too, and what is in it may have been put there to mislead. So a
temporary directory is opened by its name without following a link, and only what is ours, and
writable by nobody else, is taken for one. Whatever is removed or moved is named from there.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile, mkdtemp

from outsim.errors import OutsimError, StudyError

if sys.platform != "win32":
    import fcntl

_ROOM, _LOCK = ".outsim-writing-", "lock"

NEW, ASIDE = "new", "aside"
"""Names in a room: of what is written, and of a directory for what it replaces."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Where to write a file; by the end it is at its place, with the old permissions."""
    # A link stays, and what it leads to is written; a device or pipe is given the whole file.
    place = _place_of(path)
    if _is_stream(place):
        with TemporaryDirectory() as room:
            yield Path(room, NEW)
            with Path(room, NEW).open("rb") as whole, place.open("wb") as stream:
                shutil.copyfileobj(whole, stream)
        return
    with temporary_directory(place.parent) as room:
        yield room / NEW
        if place.exists():
            shutil.copymode(place, room / NEW)
        replace_file(room / NEW, place)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """A directory to fill; by the end it is at its place, instead of what was there before."""
    place = resolve_links(path)
    with temporary_directory(place.parent) as room:
        (room / NEW).mkdir()
        yield room / NEW
        sync_tree(room / NEW)
        (room / ASIDE).mkdir()
        if place.exists():
            place.rename(room / ASIDE / place.name)
        (room / NEW).rename(place)
        sync(place.parent)


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, before the work for it is done."""
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
    place = resolve_links(path)
    return path if _is_stream(path) else place


def resolve_links(path: Path) -> Path:
    """Where a path leads to, unless by a link that another user may have put there to mislead."""
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
def exclusive_lock(path: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock on a file or directory, or go on without it after `patience_s`."""
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
    """Take a lock, if nobody else holds it; a disk may have none."""
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


@contextmanager
def translate_disk_errors(
    path: Path,
    kind: type[OutsimError] = StudyError,
    advice: str = (
        "what is there already is whole: make room, or give another directory, and ask again"
    ),
) -> Iterator[None]:
    """Turn what a disk refuses into an error of a kind that says where, and what to do."""
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


def replace_file(beside: Path, place: Path) -> None:
    """Put a file in its place, instead of what was there before, and have it on the disk."""
    sync(beside)
    beside.replace(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Have a file, or what a directory lists, on the disk before anything else happens."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(directory: Path) -> None:
    """Have a directory on the disk, with everything that is in it."""
    for path in directory.rglob("*"):
        sync(path)
    sync(directory)


@contextmanager
def temporary_directory(directory: Path) -> Iterator[Path]:
    """Make a room for what is being written; it goes, with all that is left in it, at the end."""
    remove_stale_temp(directory)
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


def remove_stale_temp(directory: Path) -> None:
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


def _is_ours(status: os.stat_result) -> bool:
    """Whether something is ours alone: another user has neither made it nor can write to it."""
    others_write = stat.S_IWGRP | stat.S_IWOTH
    return status.st_uid == os.geteuid() and not status.st_mode & others_write


def _remove(directory: Path, name: str, held: os.stat_result | None) -> None:
    """Remove a room that is ours; `held` is its lock, if we hold it, and else it must be free."""
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
            status = os.fstat(lock)
            if held is None:
                may_go = (
                    _is_ours(status) and stat.S_ISREG(status.st_mode) and _take(lock, wait=False)
                )
            else:
                may_go = os.path.samestat(status, held)
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
    """Put what stands aside in a room back to its place, unless something is there."""
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
        return [entry.name for entry in entries]


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
