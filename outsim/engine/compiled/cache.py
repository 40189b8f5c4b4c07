"""Keeps compiled code on disk, so that only the first run on a machine compiles.

numba asks whether the file of the compiled function has changed, and not those of
the functions that it calls. So the code of each state of the sources is kept in
a directory of its own, named by their hash.

Several processes that begin together on a new machine compile once: the first holds a lock
meanwhile, the others wait for it and then fetch what it has kept.

What is fetched is run. So the directory must be one that nobody else can write to, and every
file in it must have the checksum that was written last, when all was compiled. What is left of
it otherwise goes, and the code is compiled anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import llvmlite.binding as llvm
import numba
import platformdirs
from numba import config, njit

from outsim.directories import FILES, checksums_of, read_checked, read_file, with_checksum
from outsim.disk import atomic_write, exclusive_lock, reason

VARIABLE = "OUTSIM_CACHE_DIR"
"""Environment variable that names another directory for compiled code."""

_PACKAGE = Path(__file__).parents[2]
SOURCES = ("engine/**/*.py", "clock.py", "vocabulary.py", "plan/answering.py", "tape/draws.py")
"""What compiled code is made from: patterns below the package."""

_log = logging.getLogger("outsim")
_lock = threading.Lock()
_compiled: list[Any] = []

_ROOT = 0
_LOCK, _SEAL = "compiling", "checksums.json"

PATIENCE_S = 300.0
"""Time after which a process no longer waits for the one that compiles: many times the usual
one, as the machine may have other things to do."""


def _hash() -> str:
    """Hash of the sources, and of what else numba tells compiled code apart by."""
    machine = (sys.implementation.cache_tag, numba.__version__, llvm.get_host_cpu_name())
    digest = hashlib.sha256(repr(machine).encode())
    for pattern in SOURCES:
        for source in sorted(_PACKAGE.glob(pattern)):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def directory() -> Path:
    """Where the compiled code of these sources is kept."""
    named = os.environ.get(VARIABLE)
    root = Path(named) if named else Path(platformdirs.user_cache_dir("outsim", appauthor=False))
    return Path(os.path.realpath(root)) / f"kernel-{_hash()}"


def is_at_hand() -> bool:
    """Whether the kernel can be had without compiling it."""
    return bool(_compiled) or _fault(directory()) is None


def _fault(path: Path) -> str | None:
    """Why what is kept can't be used; empty if nothing was kept to the end, None if it can be."""
    try:
        if not (path / _SEAL).exists():
            return ""
        if why := distrust_within(path):
            return why
        files = read_checked(path / _SEAL)[FILES]
        for name in {*files, *_names_in(path)}:
            read_file(path, name, files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{error}"
    return None


def _names_in(path: Path) -> list[str]:
    """Files of compiled code, as numba keeps them."""
    return [file.relative_to(path).as_posix() for file in path.rglob("*.nb[ic]")]


def _is_usable(path: Path) -> bool:
    """Whether code can be kept in a directory, and fetched from it; if not, that is told."""
    try:
        for place in (*reversed(path.parents), path):
            if not place.exists():
                place.mkdir(mode=0o700, exist_ok=True)
        if why := distrust(path):
            _log.warning(
                "outsim: the compiled engine is neither kept in %s nor fetched from there (%s): "
                "others could have it run what they like. It works, but each process compiles "
                "it anew, in some 15 s. Remove that directory, or name one of your own in %s.",
                path,
                why,
                VARIABLE,
            )
            return False
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        _tell_not_kept(path, reason(error))
        return False
    return True


def _tell_not_kept(path: Path, why: str) -> None:
    _log.warning(
        "outsim: the compiled engine can't be kept in %s (%s): it works, but each process "
        "compiles it anew, in some 15 s. Name a directory that can be written in %s.",
        path,
        why,
        VARIABLE,
    )


def _turn(path: Path) -> AbstractContextManager[None]:
    """What to hold while compiling; nothing where the code is at hand."""
    return nullcontext() if is_at_hand() else exclusive_lock(path / _LOCK, patience_s=PATIENCE_S)


def load(function: Callable[..., Any], signature: Any) -> Any:
    """Compile the kernel's outermost function, or fetch it from disk.

    Threads and processes may ask at the same time: one compiles, the others wait for it.
    """
    with _lock:
        if not _compiled:
            _compiled.append(_loaded(function, signature))
        return _compiled[0]


def _loaded(function: Callable[..., Any], signature: Any) -> Any:
    path = directory()
    if _is_usable(path):
        with _turn(path):
            try:
                return _fetch(path, function, signature, _fault(path))
            except (OSError, RuntimeError) as error:
                _tell_not_kept(path, reason(error) if isinstance(error, OSError) else str(error))
    dispatcher = njit(**_SETTINGS)(function)
    dispatcher.compile(signature)
    return dispatcher


_SETTINGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def _fetch(path: Path, function: Callable[..., Any], signature: Any, fault: str | None) -> Any:
    """Fetch the function from a directory, or compile it and keep it there."""
    if fault is not None:
        _tell_compiling(path, fault)
        _clear(path)
    dispatcher = _keeping(path, function)
    try:
        dispatcher.compile(signature)
        if not any(dispatcher.stats.cache_hits.values()):
            _seal(path)
    except OSError as error:
        if not dispatcher.overloads:
            raise
        _tell_not_kept(path, reason(error))
    except Exception as error:
        if fault is not None:
            raise
        return _fetch(path, function, signature, f"it can't be loaded: {error!r}")
    return dispatcher


def _tell_compiling(path: Path, fault: str) -> None:
    if fault:
        _log.warning("outsim: what is kept of the engine in %s is not used (%s)", path, fault)
    _log.warning("outsim: compiling the engine for this machine, once: some 15 s")


def _keeping(path: Path, function: Callable[..., Any]) -> Any:
    """What compiles a function and keeps the code in a directory."""
    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(path)
    try:
        return njit(cache=True, **_SETTINGS)(function)
    finally:
        settings.CACHE_DIR = before


def _clear(path: Path) -> None:
    """Remove what is left of compiled code."""
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()


def _seal(path: Path) -> None:
    """Write the checksums of what was compiled; nobody else may read or write any of it."""
    for entry in path.rglob("*"):
        entry.chmod(0o700 if entry.is_dir() else 0o600)
    with atomic_write(path / _SEAL) as beside:
        beside.write_text(
            with_checksum({FILES: checksums_of(path, _names_in(path))}), encoding="utf-8"
        )
        beside.chmod(0o600)


def distrust(directory: Path) -> str:
    """Why what a directory holds may be another user's work; empty if it can't be.

    The directory must be ours, or root's, and so must those above it: whoever can write to one
    of them can put another one in its place. All may write to one above it that is sticky, as
    ``/tmp`` is: there nobody can.

    Parameters
    ----------
    directory : Path
        Without a link in it, but for its last part, which must be none.
    """
    if sys.platform == "win32":  # which keeps the directories of users apart by other means
        return ""
    for above in reversed(directory.parents):
        if why := _why_distrust(above, above.lstat(), may_be_sticky=True):
            return why
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return f"{directory} is no directory"
    return _why_distrust(directory, status)


def distrust_within(directory: Path) -> str:
    """Why one of the files in a directory may be another user's work; empty if none can be."""
    if sys.platform == "win32":
        return ""
    faults = (_why_distrust(path, path.lstat()) for path in _everything_in(directory))
    return next(filter(None, faults), "")


def _everything_in(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _everything_in(path)


def _why_distrust(path: Path, status: os.stat_result, *, may_be_sticky: bool = False) -> str:
    if status.st_uid not in (os.geteuid(), _ROOT):
        return f"{path} belongs to another user, of number {status.st_uid}"
    if stat.S_ISLNK(status.st_mode):
        return f"{path} is a link"
    if may_be_sticky and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return f"every user can write to {path}"
    if status.st_mode & stat.S_IWGRP and not _is_alone_in(status.st_gid):
        return f"every user of its group can write to {path}"
    return ""


def _is_alone_in(group: int) -> bool:
    """Whether a group is the one that a system makes for each user, and has no other in it."""
    import grp
    import pwd

    user = os.geteuid()
    try:
        name, entry = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return user != _ROOT and entry.gr_name == name and {*entry.gr_mem} <= {name}
