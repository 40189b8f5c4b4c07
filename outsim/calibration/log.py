"""The table that every call log is read into, the batches that make it, and its source."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration.mapping import Mapping
from outsim.calibration.times import MISSING
from outsim.calibration.values import Evidence, Integers, Keys
from outsim.disk import atomic_write
from outsim.text import brief, visible


@dataclass(frozen=True)
class LogFile:
    """One file of a call log."""

    name: str
    """As the user named it."""
    format: str
    rows: int
    """Rows in it, a header left out."""
    sha256: str
    """Of the file as it is stored."""


@dataclass(frozen=True)
class Unreadable:
    """A row that can't be read."""

    file: str
    line: int
    """Line in the file, from 1; in a JSON document the entry, in a table the row, from 1."""
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: found {self.found}; {self.allowed}"


@dataclass(frozen=True)
class LogSource:
    """Where a call log comes from."""

    label: str
    """One line for people: files, span, attempts."""
    details: dict[str, str | int | float]
    """Format, digests of the files, counts, days."""


@dataclass(frozen=True, eq=False)
class CallLog:
    """Attempts of one or several call logs."""

    __repr__ = brief

    table: pd.DataFrame
    """One row an attempt, in the order of ``started``, or of the files where there are no times. A
    column that no file tells of is not there at all.

    ``started`` (datetime64[us, UTC]): when it was dialed. ``outcome`` (category of `WORDS`):
    missing where the log does not say. ``ring_s``: seconds from the dial to the answer, most often
    with the delay before the first ring; of ``no_answer`` to the giving up, so that it is a
    censored time; missing for every other outcome. ``talk_s``: seconds from the answer to the end;
    missing unless answered. ``number`` (int32): which number was dialed, as a code from 0, -1
    where it is not known; the numbers themselves are not kept. ``attempt`` (int32): which dial of
    the call it is, from 1, or 0; as recorded, or worked out as `outsim.calibration.calls` has it.
    ``gap_s``: seconds since the call's previous attempt was dialed; missing for the first.
    ``weight``: how many such attempts the row stands for; not there if each stands for itself.
    ``campaign`` and ``tenant`` (int32): which campaign, and which customer, as codes from 0, -1
    where it is not known.
    """
    zone: str | None
    """Time zone that local hours and weekdays are taken in; None where nobody said."""
    files: tuple[LogFile, ...]
    unreadable: tuple[Unreadable, ...] = ()
    """Every row that can't be read."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows that are no outbound attempts of interest, by reason."""
    attempts_derived: bool = False
    """Whether ``attempt`` was worked out."""
    last_only: bool = False
    """Whether a row is the last attempt of its call: ``attempt`` - 1 unanswered ones came before
    it that have no row."""
    notes: tuple[str, ...] = ()
    """What was taken to be so in reading it."""
    tenants: tuple[str, ...] = ()
    """Names of the customers by code: those of the log, or the numbers that they dial from."""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rows(self) -> int:
        """Rows in the files: those used, those left out and those that can't be read."""
        return sum(file.rows for file in self.files)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last dial, in the log's zone; None if the log has no times."""
        if "started" not in self.table or self.table["started"].isna().all():
            return None
        zone = self.zone or "UTC"
        first, last = self.table["started"].min(), self.table["started"].max()
        return first.tz_convert(zone).to_pydatetime(), last.tz_convert(zone).to_pydatetime()

    @property
    def source(self) -> LogSource:
        """Where it comes from, to be told with what is fitted to it."""
        names = ", ".join(visible(Path(file.name).name) for file in self.files[:3])
        if len(self.files) > 3:
            names += f" and {len(self.files) - 3} more"
        details: dict[str, str | int | float] = {
            "format": ", ".join(sorted({file.format for file in self.files})),
            "sha256": ", ".join(file.sha256 for file in self.files),
            "rows": self.rows,
            "attempts": len(self),
            "unreadable": len(self.unreadable),
        }
        days = ""
        if self.span is not None:
            first, last = (f"{day:%Y-%m-%d}" for day in self.span)
            days = f", {first} to {last}"
            details |= {"first_day": first, "last_day": last}
        return LogSource(f"{names}{days}, {len(self):,} attempts", details)

    def to_dict(self) -> dict[str, Any]:
        """What was read, as a document: files, counts, and the first rows that can't be read."""
        return {
            "files": [vars(file) for file in self.files],
            "rows": self.rows,
            "attempts": len(self),
            "source": self.source.label,
            "span": None if self.span is None else [end.isoformat() for end in self.span],
            "zone": self.zone,
            "columns": list(self.table.columns),
            "attempts_derived": self.attempts_derived,
            "last_only": self.last_only,
            "left_out": self.left_out,
            "unreadable": {
                "rows": len(self.unreadable),
                "first": [vars(row) for row in self.unreadable[:20]],
            },
            "notes": list(self.notes),
        }

    def write_unreadable(self, file: Path) -> None:
        """Write the list of rows that can't be read, as CSV, whole or not at all."""
        columns = ["file", "line", "found", "allowed"]
        rows = pd.DataFrame([vars(row) for row in self.unreadable], columns=columns)
        with atomic_write(file) as beside:
            rows.to_csv(beside, index=False)


NO_OUTCOME = -1
"""Code of an outcome that the log does not say."""

Columns = dict[str, Any]
"""Arrays of one place a row, by field; those that the log does not tell of are not there."""

_MISSING: dict[str, Any] = {
    "started": MISSING,
    "outcome": NO_OUTCOME,
    **dict.fromkeys(("ring_s", "talk_s", "attempt", "gap_s", "weight"), np.nan),
    "is_local": False,
}
"""Fields that are numbers, and what stands for none; all others are texts."""


@dataclass
class Batch:
    """Attempts of some rows of a file, and what became of the other rows."""

    rows: int
    """Rows of the file that it was made from, those that can't be read among them."""
    columns: Columns = field(default_factory=dict)
    """`keys` is what `id` is, `calls` what `call` is: rows that agree in them are records of one
    call, and `legs` tells these apart. `is_local`: where the time of the dial says no zone."""
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, what was found, what is allowed)."""
    refused: Counter[int] = field(default_factory=Counter)
    """Outcomes, by code, of rows that can't be read for another reason."""
    doubts: Counter[str] = field(default_factory=Counter)
    """Rows whose words and evidence differ, by kind (`outsim.calibration.evidence`)."""
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """What values tell of how they are written, by field."""
    missed: list[tuple[str, int, int, str]] = field(default_factory=list)
    """(column, how many, line of the first, what it is) of values taken as missing."""

    @property
    def size(self) -> int:
        """Rows that are used."""
        return len(next(iter(self.columns.values()), ()))


@dataclass(frozen=True)
class ReadFile:
    """A file that was read."""

    file: LogFile
    mapping: Mapping
    batches: list[Batch]
    notes: tuple[str, ...] = ()
    """What was taken to be so in reading its values."""


def columns_of(batches: list[Batch]) -> Columns:
    """Put the fields of all batches together, texts as codes."""
    columns: Columns = {}
    for name, missing in _MISSING.items():
        known = [batch.columns[name] for batch in batches if name in batch.columns]
        if known:
            columns[name] = np.concatenate(
                [
                    batch.columns.get(name, np.full(batch.size, missing, known[0].dtype))
                    for batch in batches
                ]
            )
    for name in ("campaigns", "tenants", "callers"):
        if has(batches, name):
            columns[name] = codes_of(texts_of(batches, name))[0]
    # Ids, those of the calls that they belong to, and of other legs have codes of one list.
    names = [name for name in ("keys", "calls", "others") if has(batches, name)]
    if "keys" not in names:
        names = [name for name in names if name == "calls"]
    if names:
        codes, _ = codes_of([text for name in names for text in texts_of(batches, name)])
        columns |= dict(zip(names, np.split(codes, len(names)), strict=True))
    return columns


def has(batches: list[Batch], name: str) -> bool:
    """Whether any batch has a field."""
    return any(name in batch.columns for batch in batches)


def texts_at(batches: list[Batch], name: str, rows: Integers) -> pa.Array:
    """Texts of a field at some rows."""
    texts = pa.chunked_array(texts_of(batches, name), pa.string())
    return texts.take(pa.array(rows)).combine_chunks()


def texts_of(batches: list[Batch], name: str) -> list[pa.Array]:
    """A field of each batch, as one kind of texts: those of tables may be of another."""
    return [
        batch.columns.get(name, pa.nulls(batch.size, pa.string())).cast(pa.string())
        for batch in batches
    ]


def codes_of(texts: list[pa.Array]) -> tuple[Keys, pa.Array]:
    """Codes of texts, from 0 as they appear, and the distinct texts; -1 where is none."""
    coded = pa.chunked_array(texts, pa.string()).dictionary_encode()
    if not coded.num_chunks:
        return np.zeros(0, np.int32), pa.array([], pa.string())
    codes = [pc.fill_null(chunk.indices, -1).to_numpy() for chunk in coded.chunks]
    return np.concatenate(codes), coded.chunk(0).dictionary
