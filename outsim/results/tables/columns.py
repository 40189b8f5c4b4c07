"""Columns of data frames from integers, without copies: words, clock times, look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from outsim.errors import MomentError
from outsim.results.tables.schema import Column

_BLOCK = 1 << 16

Array = NDArray[Any]


def blocks(length: int) -> Iterator[slice]:
    """Slices that cover so many rows in turn, each small enough for the processor's cache."""
    for begin in range(0, length, _BLOCK):
        yield slice(begin, begin + _BLOCK)


def take(values: Array, places: Array) -> Array:
    """`values[places]`, in blocks: numpy widens all places to 64 bits first."""
    found = np.empty(len(places), dtype=values.dtype)
    for rows in blocks(len(places)):
        np.take(values, places[rows], out=found[rows], mode="clip")
    return found


def in_spans(numbers: Array, spans: Sequence[range]) -> NDArray[np.bool_]:
    """Whether each of some int32 numbers, none of them negative, lies in one of the spans."""
    found = np.zeros(len(numbers), dtype=np.bool_)
    for rows in blocks(len(numbers)):
        for span in spans:
            # What lies before the span wraps around, to beyond its length.
            found[rows] |= (numbers[rows] - np.int32(span.start)).view(np.uint32) < len(span)
    return found


def code_type(words: Sequence[object]) -> type[np.signedinteger[Any]]:
    """Smallest type of the codes of so many words, as pandas has it."""
    return next(t for t in (np.int8, np.int16, np.int32) if len(words) < np.iinfo(t).max)


def frame(
    columns: Iterable[Column],
    array_of: Callable[[Column], Array],
    names: Mapping[str, Sequence[str]],
    zone: str,
) -> pd.DataFrame:
    """Data frame of these columns, which shares the memory of their arrays and can only be read.

    `array_of` gives instants in microseconds since 1970, and codes for words; `names` has the
    words of columns whose words the schema does not know.
    """
    shown = {}
    for column in columns:
        array = array_of(column).view()
        array.flags.writeable = False
        shown[column.name] = _shown(array, column, names.get(column.name, column.words), zone)
    return pd.DataFrame(shown, copy=False)


def handed_out(table: pd.DataFrame) -> pd.DataFrame:
    """A table to give away, columns shared until written to: this one stays as it is."""
    for dtype in table.dtypes:
        if isinstance(dtype, pd.CategoricalDtype):
            dtype.categories.name = None  # the one thing that copies share and that can be set
    given = table.copy(deep=False)
    # A column that only one table has is written to where it is, and this memory can be read
    # only: so the other table has to be there for as long as this one is.
    object.__setattr__(given, "_given_of", table)
    return given


def _shown(array: Array, column: Column, words: Sequence[str], zone: str) -> Any:
    if column.kind == "instant":
        return pd.array(array, dtype=pd.DatetimeTZDtype("us", zone), copy=False)
    if column.kind in ("word", "name"):
        categories: Any = pd.Index(list(words), dtype="str")
        codes = array.astype(code_type(words), copy=False)
        return pd.Categorical.from_codes(codes, categories=categories, validate=False)
    return array.view(column.dtype)


def checked_step(every: str | timedelta) -> str | timedelta:
    """A step of time as pandas writes it, such as ``"5min"``; MomentError if it is none."""
    try:
        step = to_offset(every)
    except (ValueError, TypeError):
        step = None
    if step is None or step.n <= 0:
        raise MomentError(f"every: found {every!r}; write a step such as '1min', '30s' or '1h'")
    return every
