"""Logs that are tables already: Parquet files, and saved results, whose truth is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from outsim.calibration.batches import Batch
from outsim.calibration.convert import MISSING, Micros, seconds_between
from outsim.calibration.lines import Parsed
from outsim.calibration.log import WORDS
from outsim.calibration.opening import unpacked_limit
from outsim.directories import inside
from outsim.errors import ScenarioError
from outsim.scenario.files import refusal
from outsim.vocabulary import ANSWERED, OUTCOMES

_ROWS = 50_000
"""Rows that are read at a time."""
_LEAST_BYTES = 4
"""Of a value once it is unpacked."""


def names(path: Path) -> tuple[str, ...]:
    """Columns of a table."""
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
    batch = Batch(rows=len(table))
    is_dialled, is_over = table["dialed_at"].notna(), table["ended_at"].notna()
    batch.left_out["not dialled"] = int((~is_dialled).sum())
    batch.left_out["not over"] = int((is_dialled & ~is_over).sum())
    batch.left_out += Counter()
    table = table[is_dialled & is_over]
    codes = pd.Categorical(table["outcome"], categories=list(WORDS)).codes.astype(np.int8)
    answered, gave_up = np.isin(codes, ANSWERED), codes == _NO_ANSWER
    ringing, answer, end = (
        _micros(table[f"{name}_at"]) for name in ("ringing", "answered", "ended")
    )
    batch.started = _micros(table["dialed_at"])
    batch.outcome = codes
    rung = np.where(answered, seconds_between(ringing, answer), seconds_between(ringing, end))
    batch.ring_s = np.where(answered | gave_up, rung, np.nan)
    batch.talk_s = np.where(answered, seconds_between(answer, end), np.nan)
    batch.attempt = table["attempt"].to_numpy(dtype=np.float64)
    batch.numbers = pa.array(table["number"].astype(str))
    batch.campaigns = pa.array(table["tenant"].astype(str) + "/" + table["campaign"].astype(str))
    return batch


def _micros(column: pd.Series[Any]) -> Micros:
    times = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    found = np.where(times.isna(), MISSING, times.astype("int64"))
    return np.asarray(found, dtype=np.int64)
