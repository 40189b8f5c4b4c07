"""The tables as Parquet or CSV, with a data dictionary beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from outsim.export.dictionary import is_export, write
from outsim.export.selection import Selection, blocks_of, plain
from outsim.export.writing import tables_directory
from outsim.results.tables.schema import TABLES, Column

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Without it Excel takes UTF-8 for something else."""


def write_parquet(selection: Selection, path: Path) -> None:
    """Write each table as Parquet, types and words as in `outsim.results.tables.schema`."""
    _write(selection, path, "parquet", _parquet)


def write_csv(selection: Selection, path: Path) -> None:
    """Write each table as CSV: UTF-8 with a byte order mark, a header, fields parted by commas.

    Instants are ISO 8601 local times with their offset. No field begins with a sign that a
    spreadsheet takes for a formula: names begin with a letter, a digit or an underscore, and
    numbers are digits.

    Parameters and errors are those of `write_parquet`.
    """
    _write(selection, path, "csv", _csv)


def _write(
    selection: Selection,
    path: Path,
    form: str,
    write_table: Callable[[Path, Iterator[pd.DataFrame], tuple[Column, ...]], None],
) -> None:
    tables = {name: selection.table(name) for name in TABLES}
    more = selection.counting(sum(map(len, tables.values())))

    def told(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
        yield table.iloc[:0]
        for block in blocks_of(table):
            yield block
            more(len(block))

    with tables_directory(path, is_export) as directory:
        for name, table in tables.items():
            write_table(directory / f"{name}.{form}", told(table), TABLES[name])
        write(directory, selection, form)


def _parquet(path: Path, blocks: Iterator[pd.DataFrame], _columns: tuple[Column, ...]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.Schema.from_pandas(next(blocks), preserve_index=False)
    with pq.ParquetWriter(path, schema) as writer:
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema, preserve_index=False))


_TEXT = ("instant", "word", "name")


def _csv(path: Path, blocks: Iterator[pd.DataFrame], columns: tuple[Column, ...]) -> None:
    import pyarrow as pa
    from pyarrow import csv

    def arrow(block: pd.DataFrame) -> Any:
        return pa.table({each.name: _array(block[each.name], each) for each in columns})

    with path.open("wb") as file:
        file.write(_BYTE_ORDER_MARK)
        with csv.CSVWriter(file, arrow(next(blocks)).schema) as writer:
            for block in blocks:
                writer.write_table(arrow(block))


def _array(values: pd.Series[Any], column: Column) -> Any:
    import pyarrow as pa

    if column.kind in _TEXT:
        # A word that is empty says no more than a field that is.
        texts = [text or None for text in plain(values)]
        return pa.array(texts, pa.string())
    return pa.array(values.to_numpy(), from_pandas=True)
