"""Files and directories that are there whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from outsim.disk import check_place, disk_errors_told, whole_directory, whole_file
from outsim.errors import ResultError


class BinaryFile(Protocol):
    """Something that bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""


def _errors_told(path: Path) -> AbstractContextManager[None]:
    return disk_errors_told(path, ResultError, "make room, or name another place")


def check_file(path: Path) -> None:
    """Find out whether a file can be written, before the work for it is done."""
    if path.is_dir():
        raise ResultError(f"{path}: is a directory; name a file to write")
    with _errors_told(path):
        check_place(path)


@contextmanager
def binary_file(path: Path) -> Iterator[BinaryFile]:
    """Open a file to write bytes to; it is at its place once all of it is written.

    One whose name ends in ``.gz`` is compressed. What was there before is replaced.
    """
    check_file(path)
    with _errors_told(path), whole_file(path) as beside, beside.open("wb") as file:
        if path.suffix == ".gz":
            # Without a name and a time in it, equal results give equal files.
            with gzip.GzipFile("", "wb", 6, file, 0) as packed:
                yield packed
        else:
            yield file


@contextmanager
def tables_directory(path: Path, is_own: Callable[[Path], bool]) -> Iterator[Path]:
    """A directory to write files in; it is at its place once all of them are written."""
    check_directory(path, is_own)
    with _errors_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_directory(path) as beside:
            yield beside


def check_directory(path: Path, is_own: Callable[[Path], bool]) -> None:
    """Refuse a place where something else stands than a directory that may be replaced."""
    if path.exists() and not path.is_dir():
        raise ResultError(f"{path}: is a file; name a directory to write")
    taken = path.exists() and any(path.iterdir())
    if taken and not is_own(path):
        raise ResultError(
            f"{path}: is there already, and holds other files than an export; name a new "
            "directory, or remove it"
        )
