"""Batches of attempts of several files put together, in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.batches import ANSWERED_CODES, NOT_TOLD, Batch
from outsim.calibration.convert import MISSING
from outsim.calibration.layout import Format, Layout
from outsim.calibration.log import WORDS, CallLog, LogFile, Unreadable
from outsim.calibration.ordering import WINDOW_S, dials, repeats
from outsim.errors import ScenarioError
from outsim.scenario.files import refusal

Array = NDArray[Any]
Columns = dict[str, Array]
"""Fields of `Batch`, of all attempts; those that no file tells of are not there."""

_MISSING: dict[str, Any] = {
    "started": MISSING,
    "outcome": NOT_TOLD,
    **dict.fromkeys(("ring_s", "talk_s", "attempt", "gap_s", "weight"), np.nan),
}
_TEXTS = ("numbers", "campaigns", "keys")


@dataclass(frozen=True)
class ReadFile:
    """A file that was read."""

    layout: Layout
    file: LogFile
    batches: list[Batch]
    notes: tuple[str, ...] = ()
    """What was taken to be so in reading its values."""


def joined(read_files: Sequence[ReadFile], zone: str | None) -> CallLog:
    """Call log of the batches of some files: duplicates left out, attempts counted.

    Raises
    ------
    ScenarioError
        If no row can be used.
    """
    batches = [batch for each in read_files for batch in each.batches]
    left_out: Counter[str] = Counter()
    for batch in batches:
        left_out.update(batch.left_out)
    unreadable = tuple(
        Unreadable(read.file.name, *each)
        for read in read_files
        for batch in read.batches
        for each in batch.unreadable
    )
    if not any(map(_size, batches)):
        raise _nothing(read_files[0], unreadable, left_out)
    columns = _without_repeats(_columns(batches), left_out)
    last_only = read_files[0].layout.mapping.last_only
    if not last_only and _has_only_talks(read_files, columns):
        del columns["outcome"]
    notes = list(dict.fromkeys(text for each in read_files for text in each.notes))
    notes += _notes({each.layout.format for each in read_files}, zone, columns)
    if "started" in columns:
        order = np.argsort(columns["started"], kind="stable")
        columns = {name: array[order] for name, array in columns.items()}
    derived = "attempt" not in columns and _count_dials(columns)
    if derived:
        notes.append(
            "attempts are counted by number: the next one of a call comes within "
            f"{WINDOW_S // 86_400} days of one that was not answered"
        )
    return CallLog(
        _table(columns),
        zone,
        tuple(each.file for each in read_files),
        unreadable,
        {reason: count for reason, count in left_out.items() if count},
        attempts_derived=derived,
        last_only=last_only,
        notes=tuple(notes),
    )


def _size(batch: Batch) -> int:
    arrays = (getattr(batch, name) for name in Batch.ARRAYS)
    return next((len(each) for each in arrays if each is not None), 0)


def _columns(batches: list[Batch]) -> Columns:
    columns = {}
    for name, missing in _MISSING.items():
        arrays = [getattr(batch, name) for batch in batches]
        known = next((array for array in arrays if array is not None), None)
        if known is not None:
            columns[name] = np.concatenate(
                [
                    np.full(_size(batch), missing, known.dtype) if array is None else array
                    for batch, array in zip(batches, arrays, strict=True)
                ]
            )
    for name in _TEXTS:
        if any(getattr(batch, name) is not None for batch in batches):
            columns[name] = _codes(batches, name)
    return columns


def _codes(batches: list[Batch], name: str) -> Array:
    """Codes of a text of all batches, from 0 as they appear; -1 where there is none."""
    arrays = [getattr(batch, name) for batch in batches]
    texts = [
        pa.nulls(_size(batch), pa.string()) if array is None else array
        for batch, array in zip(batches, arrays, strict=True)
    ]
    coded = pa.concat_arrays(texts).dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    if name != "numbers":
        return np.asarray(codes, dtype=np.int32)
    again = _national(coded.dictionary).dictionary_encode()
    of_number = pc.fill_null(again.indices, -1).to_numpy(zero_copy_only=False)
    return np.asarray(np.append(of_number, -1)[codes], dtype=np.int32)


def _national(numbers: pa.Array) -> pa.Array:
    """Numbers however they are written, as one text each; missing where there is no digit."""
    single = pc.match_substring_regex(numbers, r"^(tel:)?\+?[0-9 ().-]+(;.*)?$")
    digits = pc.replace_substring_regex(numbers, r"^tel:|;.*$|[^0-9]", "")
    digits = pc.replace_substring_regex(digits, r"^1([0-9]{10})$", r"\1")
    plain = pc.if_else(single, digits, numbers)
    return pc.if_else(pc.match_substring_regex(plain, "[0-9]"), plain, None)


def _without_repeats(columns: Columns, left_out: Counter[str]) -> Columns:
    if "keys" not in columns:
        return columns
    others = [columns[name] for name in columns if name != "keys"]
    twice = repeats(columns.pop("keys"), *others)
    left_out["duplicate"] += int(twice.sum())
    return {name: array[~twice] for name, array in columns.items()} if twice.any() else columns


def _has_only_talks(read_files: Sequence[ReadFile], columns: Columns) -> bool:
    """Whether the files have no word of outcomes and answered calls alone: no mix is in them."""
    named = [each.layout.mapping.columns for each in read_files]
    if "outcome" not in columns or any({"outcome", "answered_by"} & each.keys() for each in named):
        return False
    return bool(np.isin(columns["outcome"], ANSWERED_CODES).all())


def _nothing(
    first: ReadFile, unreadable: tuple[Unreadable, ...], left_out: Counter[str]
) -> ScenarioError:
    why = [f"{count:,} left out: {reason}" for reason, count in left_out.items() if count]
    if unreadable:
        each = unreadable[0]
        why.insert(
            0,
            f"{len(unreadable):,} can't be read; the first, line {each.line}: found "
            f"{each.found}; {each.allowed}",
        )
    return refusal(
        first.file.name,
        f"no row can be used, read as {first.layout.format}. {'; '.join(why)}",
    )


def _count_dials(columns: Columns) -> bool:
    """Put in which dial of its call each attempt is, if numbers and times tell it."""
    if "numbers" not in columns or "started" not in columns or (columns["numbers"] < 0).all():
        return False
    numbers = columns["numbers"]
    found = dials(
        numbers,
        columns.get("campaigns", np.zeros_like(numbers)),
        columns["started"],
        columns.get("outcome"),
    )
    columns["attempt"] = found.attempt
    columns.setdefault("gap_s", found.gap_s)
    return True


def _table(columns: Columns) -> pd.DataFrame:
    """The table that `CallLog` describes."""
    found: dict[str, Any] = {}
    if "started" in columns:
        times = pd.Series(columns["started"].view("datetime64[us]"))
        found["started"] = times.where(columns["started"] != MISSING).dt.tz_localize("UTC")
    if "outcome" in columns:
        codes = columns["outcome"].astype(np.int8)
        found["outcome"] = pd.Categorical.from_codes(
            np.asarray(codes, dtype=np.int8), categories=pd.Index(WORDS)
        )
    found |= {name: columns[name] for name in ("ring_s", "talk_s") if name in columns}
    if "numbers" in columns:
        found["number"] = columns["numbers"]
    if "attempt" in columns:
        found["attempt"] = np.nan_to_num(columns["attempt"]).astype(np.int32)
    if "gap_s" in columns:
        found["gap_s"] = columns["gap_s"]
    if "weight" in columns:
        found["weight"] = np.nan_to_num(columns["weight"], nan=1.0)
    return pd.DataFrame(found, copy=False)


def _notes(formats: set[Format], zone: str | None, columns: Columns) -> list[str]:
    notes = []
    if "asterisk" in formats:
        notes.append(
            "Asterisk's FAILED is read as invalid; unless cdr.conf says congestion = yes it is "
            "written for congestion too (--outcome FAILED=congestion reads it so)"
        )
    if "twilio" in formats:
        notes.append("Twilio's failed is read as invalid: most likely the number does not exist")
    if "outcome" not in columns:
        notes.append("the log does not say what became of calls: no outcome can be fitted")
    elif WORDS.index("answered") in columns["outcome"]:
        notes.append("the log does not always tell persons from machines")
    if zone is None:
        notes.append("no time zone is given: hours and weekdays can't be fitted")
    return notes
