"""Files and directories that are there whole or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

from outsim.errors import ResultError


class BinaryFile(Protocol):
    """Something that bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""


@contextmanager
def errors_told(path: Path) -> Iterator[None]:
    """Turn what a disk refuses into an error that says where, and what to do.

    Raises
    ------
    ResultError
        If the disk is full, or the place can't be written to.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ResultError(
            f"{path}: can't be written ({why}); make room, or name another place"
        ) from None


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryFile]:
    """Open a file to write bytes to; it is at its place once all of it is written.

    One whose name ends in ``.gz`` is compressed. What was there before is replaced.

    Raises
    ------
    ResultError
        If it can't be written, or a directory stands there.
    """
    if path.is_dir():
        raise ResultError(f"{path}: is a directory; name a file to write")
    with errors_told(path), ExitStack() as stack:
        room = Path(mkdtemp(prefix=".outsim-export-", dir=path.parent))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        beside = room / path.name
        with beside.open("wb") as file:
            if path.suffix == ".gz":
                # Without a name and a time in it, equal results give equal files.
                with gzip.GzipFile("", "wb", 6, file, 0) as packed:
                    yield packed
            else:
                yield file
        beside.replace(path)


@contextmanager
def whole_directory(path: Path, is_own: Callable[[Path], bool]) -> Iterator[Path]:
    """A directory to write files in; it is at its place once all of them are written.

    Parameters
    ----------
    path : Path
        Its place.
    is_own : callable
        Whether a directory that stands there may be replaced.

    Raises
    ------
    ResultError
        If it can't be written, or something else stands there.
    """
    if path.exists() and not path.is_dir():
        raise ResultError(f"{path}: is a file; name a directory to write")
    taken = path.exists() and any(path.iterdir())
    if taken and not is_own(path):
        raise ResultError(
            f"{path}: is there already, and holds other files than an export; name a new "
            "directory, or remove it"
        )
    with errors_told(path), ExitStack() as stack:
        path.parent.mkdir(parents=True, exist_ok=True)
        room = Path(mkdtemp(prefix=".outsim-export-", dir=path.parent))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        beside = room / "new"
        beside.mkdir()
        yield beside
        if path.exists():
            path.rename(room / "old")
        beside.rename(path)
