"""Attempts of some rows, and of all of a log: fields as columns, texts as codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.calls import callees_of
from outsim.calibration.convert import MISSING, Codes, Flags, Floats, Micros, epochs_s
from outsim.calibration.log import LogFile
from outsim.calibration.mapping import Mapping
from outsim.calibration.values import Evidence

NOT_TOLD = -1
"""Code of an outcome that the log does not say."""


@dataclass(frozen=True)
class Missed:
    """Values of one column that can't be read, and are taken as missing."""

    column: str
    count: int
    line: int
    """Line of the first."""
    found: str


@dataclass
class Batch:
    """Attempts of some rows; a field that the log does not have is None.

    Arrays have one place a row. `keys` is what `id` is, `calls` what `call` is: rows that agree in
    them are records of one call, and `legs` tells these apart.
    """

    started: Micros | None = None
    outcome: Codes | None = None
    ring_s: Floats | None = None
    talk_s: Floats | None = None
    numbers: pa.Array | None = None
    attempt: Floats | None = None
    gap_s: Floats | None = None
    weight: Floats | None = None
    campaigns: pa.Array | None = None
    keys: pa.Array | None = None
    calls: pa.Array | None = None
    legs: pa.Array | None = None
    others: pa.Array | None = None
    contexts: pa.Array | None = None
    is_local: Flags | None = None
    """Where the time of the dial says no zone."""
    rows: int = 0
    """Rows of the file that it was made from, those that can't be read among them."""
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, what was found, what is allowed)."""
    refused: Counter[int] = field(default_factory=Counter)
    """Outcomes, by code, of rows that can't be read for another reason."""
    doubts: Counter[str] = field(default_factory=Counter)
    """Rows whose words and evidence differ, by kind (`outsim.calibration.evidence`)."""
    told: dict[str, Evidence] = field(default_factory=dict)
    """What values tell of how they are written, by field."""
    missed: list[Missed] = field(default_factory=list)
    """Values of optional fields that can't be read: their rows are used without them."""

    ARRAYS = (
        *("started", "outcome", "ring_s", "talk_s", "attempt", "gap_s", "weight"),
        *("numbers", "campaigns", "keys", "calls", "legs", "others", "contexts", "is_local"),
    )

    def keep(self, kept: Flags) -> None:
        """Drop the rows that are not kept."""
        if kept.all():
            return
        for name in self.ARRAYS:
            array = getattr(self, name)
            if isinstance(array, pa.Array):
                setattr(self, name, array.filter(pa.array(kept)))
            elif array is not None:
                setattr(self, name, array[kept])


@dataclass(frozen=True)
class ReadFile:
    """A file that was read."""

    file: LogFile
    mapping: Mapping
    batches: list[Batch]
    notes: tuple[str, ...] = ()
    """What was taken to be so in reading its values."""


Array = NDArray[Any]
Columns = dict[str, Array]
"""Fields of `Batch`, of all attempts; those that no file tells of are not there."""

_MISSING: dict[str, Any] = {
    "started": MISSING,
    "outcome": NOT_TOLD,
    **dict.fromkeys(("ring_s", "talk_s", "attempt", "gap_s", "weight"), np.nan),
    "is_local": False,
}


def epochs_of(batches: list[Batch], rows: NDArray[np.int64]) -> Floats:
    """Seconds since 1970 in the ids of some rows; missing where there are none."""
    ids = pa.chunked_array(_texts(batches, "keys"), pa.string()).take(pa.array(rows))
    return epochs_s(ids.combine_chunks())


def size_of(batch: Batch) -> int:
    """Rows of a batch that are used."""
    arrays = (getattr(batch, name) for name in Batch.ARRAYS)
    return next((len(each) for each in arrays if each is not None), 0)


def columns_of(batches: list[Batch]) -> Columns:
    """Put the fields of all batches together, texts as codes."""
    columns = {}
    for name, missing in _MISSING.items():
        arrays = [getattr(batch, name) for batch in batches]
        known = next((array for array in arrays if array is not None), None)
        if known is not None:
            columns[name] = np.concatenate(
                [
                    np.full(size_of(batch), missing, known.dtype) if array is None else array
                    for batch, array in zip(batches, arrays, strict=True)
                ]
            )
    if has(batches, "campaigns"):
        columns["campaigns"] = _codes(_texts(batches, "campaigns"))[0]
    return columns | _ids_of(batches)


def has(batches: list[Batch], name: str) -> bool:
    """Whether any batch has a field."""
    return any(getattr(batch, name) is not None for batch in batches)


def _ids_of(batches: list[Batch]) -> Columns:
    """Codes of ids, of those of the calls that they belong to, and of other legs, of one list."""
    names = [name for name in ("keys", "calls", "others") if has(batches, name)]
    if "keys" not in names:
        return {name: _codes(_texts(batches, name))[0] for name in names if name == "calls"}
    texts = {name: _texts(batches, name) for name in names}
    is_own = []
    if "calls" in names:
        # Most calls have one channel, whose id is the call's: it is not looked up again.
        for k, (call, key) in enumerate(zip(texts["calls"], texts["keys"], strict=True)):
            same = pc.fill_null(pc.equal(call, key), False)
            texts["calls"][k] = pc.if_else(same, None, call)
            is_own.append(same.to_numpy(zero_copy_only=False))
    codes = np.split(_codes([each for name in names for each in texts[name]])[0], len(names))
    columns = dict(zip(names, codes, strict=True))
    if is_own:
        columns["calls"] = np.where(np.concatenate(is_own), columns["keys"], columns["calls"])
    return columns


def legs_of(batches: list[Batch], rows: NDArray[np.int64]) -> Columns:
    """Codes of the legs of some rows, if any are told."""
    if not has(batches, "legs"):
        return {}
    legs = pa.chunked_array(_texts(batches, "legs"), pa.string()).take(pa.array(rows))
    return {"legs": _codes(legs.chunks)[0]}


def _texts(batches: list[Batch], name: str) -> list[pa.Array]:
    """A field of each batch, as one kind of texts: those of tables may be of another."""
    return [
        pa.nulls(size_of(batch), pa.string())
        if getattr(batch, name) is None
        else getattr(batch, name).cast(pa.string())
        for batch in batches
    ]


def _codes(texts: list[pa.Array]) -> tuple[Array, pa.Array]:
    """Codes of texts, from 0 as they appear, and the distinct texts; -1 where is none."""
    coded = pa.chunked_array(texts, pa.string()).dictionary_encode()
    if not coded.num_chunks:
        return np.zeros(0, np.int32), pa.array([], pa.string())
    codes = [pc.fill_null(each.indices, -1).to_numpy() for each in coded.chunks]
    return np.concatenate(codes), coded.chunk(0).dictionary


def callee_codes_of(batches: list[Batch]) -> tuple[Array, dict[str, int], Flags]:
    """Codes of callees, rows by why a number names none, and which are short."""
    codes, texts = _codes(_texts(batches, "numbers"))
    callees = callees_of(texts)
    again = callees.texts.dictionary_encode()
    of_number = pc.fill_null(again.indices, -1).to_numpy(zero_copy_only=False)
    sizes = np.bincount(codes[codes >= 0], minlength=len(texts))
    lost = {why: int(sizes[at].sum()) for why, at in callees.lost.items() if at.any()}
    is_short = np.append(callees.short, False)[codes]
    return np.asarray(np.append(of_number, -1)[codes], dtype=np.int32), lost, is_short
