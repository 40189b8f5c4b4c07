"""What of a result is exported, block by block, and files that are there whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.disk import atomic_directory, atomic_write, check_writable, translate_disk_errors
from outsim.errors import ResultError
from outsim.progress import Progress, unseen
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign

BLOCK = 1 << 15
"""Rows that are turned into text at a time: memory does not grow with the result."""


@dataclass(frozen=True, eq=False)
class Selection:
    """A result, or one campaign of it, on its way out."""

    result: Result
    """The result."""
    campaign: Campaign | None = None
    """The campaign whose calls are exported; None for all calls."""
    progress: Progress = unseen
    """Told how many rows are written, and how many there are."""

    def table(self, name: str) -> pd.DataFrame:
        """Rows of one of the result's tables that are exported."""
        table = self.result.tables[name]
        if self.campaign is None:
            return table
        campaign = self.campaign
        rows = self.result.arrays.rows_of(
            lambda plan: plan.key == (campaign.tenant, campaign.name)
        )
        chosen = rows(table["call_id"].to_numpy())
        return table if chosen is None else table.take(chosen)

    def counting(self, total: int) -> Callable[[int], None]:
        """Somebody to tell of rows that were written, of so many."""
        done = 0

        def more(rows: int) -> None:
            nonlocal done
            done += rows
            self.progress(done, total)

        return more


def blocks_of(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Parts of a table, in order."""
    for begin in range(0, len(table), BLOCK):
        yield table.iloc[begin : begin + BLOCK]


def iso_times(instants: pd.Series[Any]) -> NDArray[np.object_]:
    """Local times with offset (``2026-03-10T09:00:00.000000-04:00``); None where none came."""
    came = instants.notna().to_numpy()
    utc = instants.to_numpy(dtype="datetime64[us]")[came]
    local = instants.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")[came]
    minutes = (local - utc).astype("timedelta64[m]").astype(np.int64)
    offsets, which = np.unique(minutes, return_inverse=True)
    written = np.array([_offset(int(offset)) for offset in offsets], dtype="U6")
    texts = np.full(len(came), None, dtype=object)
    if len(utc):
        texts[came] = np.char.add(np.datetime_as_string(local), written[which])
    return texts


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def plain(values: pd.Series[Any]) -> NDArray[np.object_]:
    """Values of a column as text, numbers and truth values of Python; None where missing."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return iso_times(values)
    if isinstance(values.dtype, pd.CategoricalDtype):
        words = np.array([*values.cat.categories, None], dtype=object)
        return words[values.cat.codes.to_numpy()]
    array = values.to_numpy().astype(object)
    array[values.isna().to_numpy()] = None
    return array


class BinaryFile(Protocol):
    """Something that bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""


def _disk_errors(path: Path) -> AbstractContextManager[None]:
    return translate_disk_errors(path, ResultError, "make room, or name another place")


def check_file(path: Path) -> None:
    """Find out whether a file can be written, before the work for it is done."""
    if path.is_dir():
        raise ResultError(f"{path}: is a directory; name a file to write")
    with _disk_errors(path):
        check_writable(path)


@contextmanager
def binary_file(path: Path) -> Iterator[BinaryFile]:
    """Open a file to write bytes to, compressed for ``.gz``; it is at its place once whole."""
    check_file(path)
    with _disk_errors(path), atomic_write(path) as beside, beside.open("wb") as file:
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
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_directory(path) as beside:
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
