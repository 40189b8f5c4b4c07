"""Logs that are tables already: DataFrames, Parquet files, and saved results of known truth."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from outsim.calibration.lines import Parsed, each_its_own
from outsim.calibration.log import Batch
from outsim.calibration.mapping import WORDS
from outsim.calibration.opening import unpacked_limit
from outsim.calibration.times import MISSING, seconds_between
from outsim.calibration.values import Micros
from outsim.directories import inside
from outsim.errors import ScenarioError
from outsim.scenario.files import refusal
from outsim.vocabulary import ANSWERED, OUTCOMES

_ROWS = 50_000
"""Rows that are read at a time."""
_LEAST_BYTES = 4
"""Of a value once it is unpacked."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A call log that is a DataFrame; messages name it as they name a file."""

    name: str
    table: pa.Table

    def __str__(self) -> str:
        return self.name

    @property
    def sha256(self) -> str:
        """Digest of its values."""
        digest = hashlib.sha256(repr(self.table.schema.names).encode())
        for batch in self.table.to_batches():
            digest.update(batch.serialize())
        return digest.hexdigest()


def frame_of(table: pd.DataFrame, name: str) -> Frame:
    """A DataFrame as a call log, with its index where that has a name."""
    if any(each is not None for each in table.index.names):
        table = table.reset_index()
    arrays = [_arrow(table.iloc[:, k]) for k in range(table.shape[1])]
    return Frame(name, pa.Table.from_arrays(arrays, each_its_own([str(n) for n in table.columns])))


def _arrow(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """A column as Arrow has it; as texts where its values are of several kinds."""
    try:
        found = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        found = None
    if found is None or isinstance(found.type, pa.BaseExtensionType):
        return pa.array(
            [None if gone else str(x) for x, gone in zip(column, column.isna(), strict=True)]
        )
    return found


def names_of(source: Path | Frame) -> tuple[str, ...]:
    """Columns of a table."""
    if isinstance(source, Frame):
        return tuple(source.table.column_names)
    try:
        return tuple(pq.read_schema(source).names)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(source, error) from None


def columns_of(source: Path | Frame, wanted: Sequence[str]) -> Iterator[Parsed]:
    """Rows of a table as columns of text, a batch at a time."""
    row = 1
    for batch in _batches(source, wanted):
        table = pa.table({name: _text(batch[name]) for name in wanted})
        yield Parsed(table, np.arange(row, row + batch.num_rows, dtype=np.int64), [])
        row += batch.num_rows


def _batches(source: Path | Frame, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if isinstance(source, Frame):
        yield from source.table.to_batches(_ROWS)
        return
    try:
        with pq.ParquetFile(source) as file:
            rows = file.metadata.num_rows
            if rows * len(wanted) * _LEAST_BYTES > unpacked_limit(source):
                raise refusal(
                    source,
                    f"has {rows:,} rows in {source.stat().st_size:,} bytes; "
                    "a log has other values in most of them",
                )
            yield from file.iter_batches(_ROWS, columns=list(wanted))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(source, error) from None


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


_NO_ANSWER = OUTCOMES.index("no_answer")
_NEEDED = (
    *("campaign", "tenant", "number", "attempt", "outcome"),
    *("dialed_at", "ringing_at", "answered_at", "ended_at"),
)


def is_result(path: Path) -> bool:
    """Whether a directory holds a saved result."""
    return (path / "run.json").is_file() and (path / "attempts.parquet").is_file()


def zone_of_result(path: Path) -> str:
    """Time zone of a saved result's scenario."""
    try:
        found = json.loads(inside(path, "run.json").read_text())["scenario"]["clock"]["zone"]
    except (ValueError, KeyError, TypeError, OSError):
        raise refusal(path / "run.json", "is no provenance of a saved result") from None
    return str(found)


def batch_of_result(path: Path) -> Batch:
    """Attempts of a saved result that are over; their rings begin with the first ring."""
    try:
        table = pd.read_parquet(inside(path, "attempts.parquet"), columns=list(_NEEDED))
    except (OSError, ValueError, KeyError) as error:
        raise refusal(path / "attempts.parquet", f"can't be read: {error}") from None
    batch = Batch(len(table))
    is_dialed, is_over = table["dialed_at"].notna(), table["ended_at"].notna()
    batch.left_out["not dialed"] = int((~is_dialed).sum())
    batch.left_out["not over"] = int((is_dialed & ~is_over).sum())
    batch.left_out += Counter()
    table = table[is_dialed & is_over]
    codes = pd.Categorical(table["outcome"], categories=list(WORDS)).codes.astype(np.int8)
    answered, gave_up = np.isin(codes, ANSWERED), codes == _NO_ANSWER
    dialed, ringing, answer, end = (
        _micros(table[f"{name}_at"]) for name in ("dialed", "ringing", "answered", "ended")
    )
    rung = np.where(answered, seconds_between(ringing, answer), seconds_between(ringing, end))
    batch.columns = {
        "started": dialed,
        "outcome": codes,
        "ring_s": np.where(answered | gave_up, rung, np.nan),
        "talk_s": np.where(answered, seconds_between(answer, end), np.nan),
        "attempt": table["attempt"].to_numpy(dtype=np.float64),
        "numbers": pa.array(table["number"].astype(str)),
        "campaigns": pa.array(table["tenant"].astype(str) + "/" + table["campaign"].astype(str)),
    }
    return batch


def _micros(column: pd.Series[Any]) -> Micros:
    times = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    found = np.where(times.isna(), MISSING, times.astype("int64"))
    return np.asarray(found, dtype=np.int64)
