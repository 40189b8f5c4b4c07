"""Keeps compiled code on disk, so that only the first run on a machine compiles.

numba asks whether the file of the compiled function has changed, and not those of
the functions that it calls. So the code of each state of the sources is kept in
a directory of its own, named by their hash.

Several processes that begin together on a new machine compile once: the first holds a lock
meanwhile, the others wait for it and then fetch what it has kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import llvmlite.binding as llvm
import numba
import platformdirs
from numba import config, njit

from outsim.disk import one_at_a_time

VARIABLE = "OUTSIM_CACHE_DIR"
"""Environment variable that names another directory for compiled code."""

_PACKAGE = Path(__file__).parents[2]
SOURCES = ("engine/**/*.py", "clock.py", "outcomes.py", "plan/answering.py", "tape/draws.py")
"""What compiled code is made from: patterns below the package."""

_log = logging.getLogger("outsim")
_lock = threading.Lock()
_compiled: list[Any] = []


_LOCK = "compiling"

PATIENCE_S = 120.0
"""Time after which a process no longer waits for the one that compiles."""


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
    return root / f"kernel-{_hash()}"


def is_at_hand() -> bool:
    """Whether the kernel can be had without compiling it."""
    return bool(_compiled) or any(directory().glob("**/*.nbc"))


def _writable(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        _log.warning(
            "outsim: the compiled engine can't be kept in %s (%s): it works, but each process "
            "compiles it anew, in some 15 s. Name a directory that can be written in %s.",
            path,
            error.strerror,
            VARIABLE,
        )
        return False
    return True


def _turn(path: Path, keeps: bool) -> AbstractContextManager[None]:
    """What to hold while compiling; nothing where the code is at hand or can't be kept."""
    if not keeps or is_at_hand():
        return nullcontext()
    return one_at_a_time(path / _LOCK, patience_s=PATIENCE_S)


def load(function: Callable[..., Any], signature: Any) -> Any:
    """Compile the kernel's outermost function, or fetch it from disk.

    Threads and processes may ask at the same time: one compiles, the others wait for it.
    """
    with _lock:
        if not _compiled:
            path = directory()
            keeps = _writable(path)
            settings: Any = config
            before = settings.CACHE_DIR
            settings.CACHE_DIR = str(path)
            try:
                dispatcher = njit(nogil=True, error_model="numpy", cache=keeps)(function)
            finally:
                settings.CACHE_DIR = before
            with _turn(path, keeps):
                if keeps and not is_at_hand():
                    _log.warning("outsim: compiling the engine for this machine, once: some 15 s")
                dispatcher.compile(signature)
            _compiled.append(dispatcher)
        return _compiled[0]
