"""Fields of batches as whole columns: texts as codes, what a batch lacks as missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.batches import NOT_TOLD, Batch
from outsim.calibration.convert import MISSING, Flags, Floats
from outsim.calibration.hours import epochs_s
from outsim.calibration.numbers import callees_of

Array = NDArray[Any]
Columns = dict[str, Array]
"""Fields of `Batch`, of all attempts; those that no file tells of are not there."""

_MISSING: dict[str, Any] = {
    "started": MISSING,
    "outcome": NOT_TOLD,
    **dict.fromkeys(("ring_s", "talk_s", "attempt", "gap_s", "weight"), np.nan),
    "is_local": False,
}
_TEXTS = ("numbers", "campaigns", "keys", "calls", "legs")


def epochs_of(batches: list[Batch]) -> Floats:
    """Seconds since 1970 in the ids of all batches; missing where there are none."""
    return np.concatenate(
        [
            np.full(size_of(batch), np.nan) if batch.keys is None else epochs_s(batch.keys)
            for batch in batches
        ]
    )


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
    for name in _TEXTS:
        if any(getattr(batch, name) is not None for batch in batches):
            columns[name] = _codes(batches, name)[0]
    if any(batch.others is not None for batch in batches) and "keys" in columns:
        both, size = _codes(batches, "keys", "others")[0], len(columns["keys"])
        columns["keys"], columns["others"] = both[:size], both[size:]
    return columns


def _codes(batches: list[Batch], *names: str) -> tuple[Array, pa.Array]:
    """Codes of texts of all batches, from 0 as they appear, and the texts; -1 where is none."""
    texts = [
        pa.nulls(size_of(batch), pa.string())
        if getattr(batch, name) is None
        else getattr(batch, name)
        for name in names
        for batch in batches
    ]
    coded = pa.concat_arrays(texts).dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return np.asarray(codes, dtype=np.int32), coded.dictionary


def callee_codes_of(batches: list[Batch]) -> tuple[Array, dict[str, int], Flags]:
    """Codes of callees, rows by why a number names none, and which are short."""
    codes, texts = _codes(batches, "numbers")
    callees = callees_of(texts)
    again = callees.texts.dictionary_encode()
    of_number = pc.fill_null(again.indices, -1).to_numpy(zero_copy_only=False)
    sizes = np.bincount(codes[codes >= 0], minlength=len(texts))
    lost = {why: int(sizes[at].sum()) for why, at in callees.lost.items() if at.any()}
    is_short = np.append(callees.short, False)[codes]
    return np.asarray(np.append(of_number, -1)[codes], dtype=np.int32), lost, is_short
