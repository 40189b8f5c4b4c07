"""Records of one call: rows that came twice, and legs of one dial.

A switch writes a record for each channel that it rang: several that share the call's id, of which
one was answered. They are one dial, and what became of it is what became of that leg. Rows that
agree in all that was read of them are one row that came twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.calibration.convert import MISSING, Flags, Floats, Micros
from outsim.calibration.log import WORDS
from outsim.clock import SECOND

TOGETHER_S = 2
"""Legs of one dial begin within this time of each other, or of the end of one before."""
MOST_LEGS = 50
"""Rows of one id beyond which it is no call's, if most rows have such ids."""

_ORDER = ("human", "voicemail", "fax", "answered", "no_answer", "busy", "unanswered")
_RANK = np.array(
    [_ORDER.index(word) if word in _ORDER else len(_ORDER) for word in WORDS] + [len(_ORDER) + 1]
)
"""Which of several legs tells what became of the dial, by outcome code: the lowest does."""

Integers = NDArray[np.int32]


def is_of_calls(keys: Integers) -> bool:
    """Whether codes of ids tell calls apart, and are not one for many calls."""
    told = keys[keys >= 0]
    if not len(told):
        return False
    sizes = np.bincount(told)
    return float(sizes[sizes > MOST_LEGS].sum()) <= len(told) / 2


def connected(keys: Integers, others: Integers) -> Integers:
    """Ids with that of a leg that another row was connected to replaced by that row's.

    Both are codes of one list of texts; -1 is none.
    """
    given = (keys >= 0) & (others >= 0) & (keys != others)
    by = np.full(int(max(keys.max(initial=-1), others.max(initial=-1))) + 1, -1, dtype=np.int32)
    by[others[given]] = keys[given]
    found = np.where(keys >= 0, by[np.maximum(keys, 0)], -1) if len(by) else keys
    # Of two rows that name each other the first one named stands.
    found = np.where((found >= 0) & ~given, found, keys)
    return np.asarray(found, dtype=np.int32)


def recurring(among: Flags, codes: list[Integers], started: Micros | None) -> NDArray[np.int64]:
    """Rows among some that may agree with another one of them, by codes and by when they began."""
    rows = np.flatnonzero(among)
    for column in codes:
        code = column[rows] + 1
        rows = rows[np.bincount(code)[code] > 1]
    mixed = np.zeros(len(rows), np.int64) if started is None else started[rows]
    for column in codes:
        mixed = mixed * _FACTOR + column[rows]
    return rows[pd.Series(mixed).duplicated(keep=False).to_numpy()]


_FACTOR = 1_000_003
"""Any that makes few rows alike that are not: those are held against each other."""


def repeats(columns: list[NDArray[np.generic]]) -> Flags:
    """Rows that agree with an earlier one in all columns."""
    return np.asarray(pd.DataFrame(dict(enumerate(columns)), copy=False).duplicated())


OVERLAP = 0.9
"""Share of a file's rows in the time of an earlier one that are in it too, if both are exports of
one log."""
LEAST_OVERLAP = 20
"""Such rows, at least."""


def overlaps(
    columns: list[NDArray[np.generic]], file: Integers, started: Micros, among: Flags
) -> Flags:
    """Rows among some that an earlier file has too, where two files are exports of one log.

    Without numbers and ids two dials of a second may agree in all, so that rows are compared one
    for one, and only files of which nearly all rows in the common time agree.
    """
    found = np.zeros(len(among), dtype=np.bool_)
    files = np.unique(file[among])
    if len(files) < 2:
        return found
    rows = np.flatnonzero(among)
    table = pd.DataFrame({str(k): column[rows] for k, column in enumerate(columns)})
    in_file = file[rows]
    nth = table.groupby([*table.columns, in_file], dropna=False, sort=False).cumcount()
    twice = table.assign(nth=nth).duplicated().to_numpy()
    for each in files[1:]:
        mine, before = in_file == each, in_file < each
        at = started[rows]
        common = mine & (at >= at[before].min()) & (at <= at[before].max())
        if twice[mine].sum() >= max(LEAST_OVERLAP, OVERLAP * common.sum()):
            found[rows[mine & twice]] = True
    return found


@dataclass(frozen=True)
class Legs:
    """What legs of calls there are.

    Attributes
    ----------
    kept : int64 array of shape (dials,)
        For each dial the row that tells what became of it.
    started : int64 array of shape (dials,)
        When the dial began.
    first : int64 array of shape (dials,)
        The row that tells which number it was to.
    """

    kept: NDArray[np.int64]
    started: Micros
    first: NDArray[np.int64]


def legs(
    keys: Integers,
    numbers: Integers | None,
    started: Micros,
    held_s: Floats,
    outcome: NDArray[np.int8],
    ring_s: Floats | None,
    *,
    any_number: bool,
) -> Legs:
    """Join the legs of each dial.

    Rows with one key are of one dial if they begin together, or while an earlier one lasts; with
    `any_number` false only those to the same number are, unless they begin together.
    """
    count = len(keys)
    sizes = np.bincount(keys[keys >= 0], minlength=1)
    is_shared = (keys >= 0) & (started != MISSING) & (sizes[np.maximum(keys, 0)] > 1)
    shared = np.flatnonzero(is_shared)
    everything = np.arange(count)
    if not len(shared):
        return Legs(everything, started, everything)
    rows = shared[np.lexsort((shared, started[shared], keys[shared]))]
    key, at = keys[rows], started[rows]
    ends = at + np.rint(np.nan_to_num(held_s[rows]) * SECOND).astype(np.int64)
    over = pd.Series(ends).groupby(key).cummax().to_numpy()
    slack = TOGETHER_S * SECOND
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (key[1:] != key[:-1]) | (at[1:] > over[:-1] + slack)
    if numbers is not None and not any_number:
        another = numbers[rows][1:] != numbers[rows][:-1]
        begins[1:] |= another & (at[1:] > at[:-1] + slack)
    dial = np.cumsum(begins) - 1
    first = rows[begins]
    rank = _RANK[outcome[rows]].astype(np.float64)
    # A leg that begins later tells only of a dial whose first leg was not answered.
    is_later = at > at[begins][dial] + slack
    rank += np.where(is_later & (rank > 3), 100, 0)
    longest = np.zeros(len(rows)) if ring_s is None else -np.nan_to_num(ring_s[rows])
    is_unanswered = outcome[rows] == WORDS.index("no_answer")
    best = np.lexsort((np.arange(len(rows)), np.where(is_unanswered, longest, 0), rank, dial))
    told_by = rows[best[np.searchsorted(dial[best], np.arange(len(first)))]]
    # An answered first leg stands whatever came of legs to others.
    stands = _RANK[outcome[first]] <= 3
    told_by = np.where(stands, first, told_by)
    alone = everything[~is_shared]
    kept = np.concatenate((alone, told_by))
    order = np.argsort(np.concatenate((alone, first)), kind="stable")
    return Legs(
        kept[order],
        np.concatenate((started[alone], at[begins]))[order],
        np.concatenate((alone, first))[order],
    )
