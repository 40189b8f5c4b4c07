"""Call logs as Parquet tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from outsim.calibration.lines import Parsed
from outsim.calibration.opening import unpacked_limit
from outsim.errors import ScenarioError
from outsim.scenario.files import refusal

_ROWS = 50_000
"""Rows that are read at a time."""
_LEAST_BYTES = 4
"""Of a value once it is unpacked."""


def names(path: Path) -> tuple[str, ...]:
    """Columns of a table.

    Raises
    ------
    ScenarioError
        If it can't be read.
    """
    try:
        return tuple(pq.read_schema(path).names)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(path, error) from None


def columns(path: Path, wanted: Sequence[str]) -> Iterator[Parsed]:
    """Rows of a table as columns of text, a batch at a time."""
    row = 1
    try:
        with pq.ParquetFile(path) as file:
            least = file.metadata.num_rows * len(wanted) * _LEAST_BYTES
            if least > unpacked_limit(path):
                raise refusal(
                    path,
                    f"has {file.metadata.num_rows:,} rows in {path.stat().st_size:,} bytes; "
                    "a log has other values in most of them",
                )
            for batch in file.iter_batches(_ROWS, columns=list(wanted)):
                table = pa.table({name: _text(batch[name]) for name in wanted})
                lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
                row += batch.num_rows
                yield Parsed(table, lines, [])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(path, error) from None


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_duration(column.type):
        column = pc.divide(pc.cast(column, pa.duration("us")).cast(pa.int64()), 1e6)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        column = pa.array([None if each is None else str(each) for each in column.to_pylist()])
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _broken(path: Path, error: Exception) -> ScenarioError:
    why = str(error).partition("\n")[0][:200]
    return refusal(path, f"is a Parquet table that can't be read: {why}")
