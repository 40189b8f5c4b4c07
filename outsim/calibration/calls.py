"""Which rows are one dial, and which dials one call: repeated rows, legs, numbers, attempts.

A switch writes a record for each channel that it rang: several that share the call's id, of which
one was answered. They are one dial, and what became of it is what became of that leg. A
spreadsheet that writes 13125550100 as 1.31256E+10, a mask such as +1312***1234 and an extension
make one number of many callees: attempts counted by such numbers would be attempts of nobody. A
log that numbers no attempts has them by number: an attempt is the next one of the same call if it
is to the same number in the same campaign (of the same customer, where campaigns have no names),
comes within `WINDOW_S` of the one before, and that one was not answered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration.mapping import ANSWERED_CODES, WORDS
from outsim.calibration.times import MISSING
from outsim.calibration.values import Array, Codes, Flags, Floats, Integers, Keys, Micros, matching
from outsim.clock import DAY, SECOND

WINDOW_S = 2 * 172_800
"""Longest gap between attempts of one call: twice the platform's longest retry interval."""


def by_code(codes: Keys) -> Integers:
    """Order of rows by code; those with the same code as they are."""
    # Sorting numbers is many times quicker than sorting the places of others.
    placed = (codes.astype(np.int64) << 32) | np.arange(len(codes))
    placed.sort()
    return placed & 0xFFFFFFFF


def dials(codes: Keys, started: Micros, outcome: Codes | None) -> tuple[Keys, Floats]:
    """Which dial of its call each attempt is (0: unknown), and seconds since the one before."""
    order = by_code(codes)
    code, at = codes[order], started[order]
    gap_us = np.diff(at, prepend=at[:1])
    begins = np.ones(len(codes), dtype=np.bool_)
    begins[1:] = (code[1:] != code[:-1]) | (code[1:] < 0) | (gap_us[1:] > WINDOW_S * SECOND)
    if outcome is not None:
        begins[1:] |= np.isin(outcome[order][:-1], ANSWERED_CODES)
    places = np.arange(len(codes))
    first = np.maximum.accumulate(np.where(begins, places, 0))
    attempt, gap_s = np.empty(len(codes), dtype=np.int32), np.empty(len(codes))
    attempt[order] = np.where(code < 0, 0, places - first + 1)
    gap_s[order] = np.where(begins, np.nan, gap_us / SECOND)
    return attempt, gap_s


LEAST_DIGITS = 7
"""Digits of a subscriber's number, at least: shorter ones are extensions or short codes."""
MOST_DIALS = 30
"""Dials of one number within `BUSY_DAYS` beyond which it is no callee's."""
BUSY_DAYS = 4
MOST_OVERLAPS = 0.05
"""Share of a number's dials that may begin while it is being called already."""
LEAST_OVERLAPS = 3
"""Such dials from which a number is no callee's."""
SOON_S = 4 * 3600
"""Who answered is dialed again within this time only by exception."""
FEW_NUMBERS = 5
"""Different numbers that are those of no list, if each has `MOST_DIALS` dials on average."""
MOST_SOON = 0.7
"""Share of answered dials that may be followed by another one within `SOON_S`."""
LEAST_ANSWERED = 30
"""Answered dials from which that share is looked at."""

LEAST_OF_CALLER = 20
"""Calls of one number that is dialed from, on average, if it stands for a customer: with fewer
they are drawn for each call, as local numbers are."""

_MASKED = r"^[+0-9 ()-]*([*#xX•]{2,}|…|[.]{3,})[+0-9 ().*#xX•…-]*$"
_SCIENTIFIC = r"^[+]?[0-9]([.,][0-9]*)?[eE][+]?[0-9]{1,3}$"
_PLAIN_NUMBER = r"(?i)^((tel|sips?):)?\+?[0-9 ().-]+([;@].*)?$"


def callees_of(texts: pa.Array) -> tuple[pa.Array, dict[str, Flags], Flags]:
    """Distinct texts as one for each callee, in digits; those that name none; short ones."""
    texts = pc.replace_substring_regex(texts, r"^([0-9]{7,})[.,]0+$", r"\1")
    lost = {
        "rounded by a spreadsheet": matching(texts, _SCIENTIFIC),
        "masked": matching(texts, _MASKED),
        "words without a digit": ~matching(texts, "[0-9]"),
    }
    digits = pc.replace_substring_regex(texts, r"(?i)^(tel|sips?):|[;@].*$|[^0-9]", "")
    digits = pc.replace_substring_regex(
        digits, r"^(00)?1([0-9]{10})$|^00([1-9][0-9]{7,})$", r"\2\3"
    )
    written = pc.if_else(pc.match_substring_regex(texts, _PLAIN_NUMBER), digits, texts)
    nobody = lost["rounded by a spreadsheet"] | lost["masked"] | ~matching(written, "[0-9]")
    written = pc.if_else(pa.array(nobody, pa.bool_()), None, written)
    short = matching(written, rf"^[*#]?[0-9]{{1,{LEAST_DIGITS - 1}}}$")
    return written, lost, short | matching(texts, "^[a-z]$")


def callee_codes_of(codes: Keys, texts: pa.Array) -> tuple[Keys, dict[str, int], Flags]:
    """Keys of callees by codes of numbers; rows by why a number names none; which are short."""
    names, lost, short = callees_of(texts)
    of_number = pc.fill_null(names.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    sizes = np.bincount(codes[codes >= 0], minlength=len(texts))
    rows = {why: int(sizes[at].sum()) for why, at in lost.items() if at.any()}
    return np.append(of_number, -1)[codes].astype(np.int32), rows, np.append(short, False)[codes]


def are_of_customers(callers: Keys) -> bool:
    """Whether numbers that are dialed from stand for customers."""
    known = callers[callers >= 0]
    return len(known) > len(callers) / 2 and len(known) >= LEAST_OF_CALLER * len(np.unique(known))


def dialed_as_nobody(numbers: Keys, started: Micros, held_s: Floats, answered: Flags) -> Flags:
    """Attempts at numbers that are dialed too often, or while in use, to be a callee's."""
    known = np.flatnonzero((numbers >= 0) & (started != MISSING))
    is_nobody = np.zeros(len(numbers), dtype=np.bool_)
    if not len(known):
        return is_nobody
    order = known[by_code(numbers[known])]
    number, at = numbers[order], started[order]
    dials = np.bincount(number)
    again = number[1:] == number[:-1]
    gap_s = np.diff(at) / SECOND
    spoken = answered[order][:-1]
    soon = spoken & again & (gap_s <= SOON_S)
    are_few = np.sum(dials > 0) <= min(FEW_NUMBERS, len(known) / MOST_DIALS)
    if are_few or (spoken.sum() >= LEAST_ANSWERED and soon.sum() > MOST_SOON * spoken.sum()):
        is_nobody[known] = True
        return is_nobody
    overlapping = np.bincount(
        number[1:][again & (gap_s < np.nan_to_num(held_s[order])[:-1])], minlength=len(dials)
    )
    many = (overlapping >= LEAST_OVERLAPS) & (overlapping > MOST_OVERLAPS * dials)
    near = (number[MOST_DIALS:] == number[:-MOST_DIALS]) & (
        at[MOST_DIALS:] - at[:-MOST_DIALS] <= BUSY_DAYS * DAY
    )
    many[number[MOST_DIALS:][near]] = True
    is_nobody[known] = many[numbers[known]]
    return is_nobody


TOGETHER_S = 2
"""Legs of one dial begin within this time of each other, or of the end of one before."""
MOST_LEGS = 50
"""Rows of one id beyond which it is no call's, if most rows have such ids."""

_ORDER = ("human", "voicemail", "fax", "answered", "no_answer", "busy", "unanswered")
_RANK = np.array(
    [_ORDER.index(word) if word in _ORDER else len(_ORDER) for word in WORDS] + [len(_ORDER) + 1]
)
"""Which of several legs tells what became of the dial, by outcome code: the lowest does."""


def is_of_calls(keys: Keys) -> bool:
    """Whether codes of ids tell calls apart, and are not one for many calls."""
    known = keys[keys >= 0]
    if not len(known):
        return False
    sizes = np.bincount(known)
    return float(sizes[sizes > MOST_LEGS].sum()) <= len(known) / 2


def connected(keys: Keys, others: Keys) -> Keys:
    """Ids (codes of one list) with that of a leg replaced by that of the row connected to it."""
    joins = (keys >= 0) & (others >= 0) & (keys != others)
    by = np.full(int(max(keys.max(initial=-1), others.max(initial=-1))) + 1, -1, dtype=np.int32)
    by[others[joins]] = keys[joins]
    ids = np.where(keys >= 0, by[np.maximum(keys, 0)], -1) if len(by) else keys
    # Of two rows that name each other the first one named stands.
    ids = np.where((ids >= 0) & ~joins, ids, keys)
    return np.asarray(ids, dtype=np.int32)


def recurring(among: Flags, codes: list[Keys], started: Micros | None) -> Integers:
    """Rows among some that may agree with another one of them, by codes and by when they began."""
    rows = np.flatnonzero(among)
    for column in codes:
        code = column[rows] + 1
        rows = rows[np.bincount(code)[code] > 1]
    mixed = np.zeros(len(rows), np.int64) if started is None else started[rows]
    for column in codes:
        # By any factor that makes few rows alike that are not: all are held against each other.
        mixed = mixed * 1_000_003 + column[rows]
    return rows[pd.Series(mixed).duplicated(keep=False).to_numpy()]


OVERLAP = 0.9
"""Share of a file's rows in the time of an earlier one that are in it too, if both are exports of
one log."""
LEAST_OVERLAP = 20
"""Such rows, at least."""


def overlaps(columns: list[Array], file: Keys, started: Micros, among: Flags) -> Flags:
    """Rows among some that an earlier file has too, if nearly all in their common time agree."""
    is_repeated = np.zeros(len(among), dtype=np.bool_)
    files = np.unique(file[among])
    if len(files) < 2:
        return is_repeated
    rows = np.flatnonzero(among)
    table = pd.DataFrame({str(k): column[rows] for k, column in enumerate(columns)})
    in_file, at = file[rows], started[rows]
    nth = table.groupby([*table.columns, in_file], dropna=False, sort=False).cumcount()
    twice = table.assign(nth=nth).duplicated().to_numpy()
    for later in files[1:]:
        mine, before = in_file == later, in_file < later
        common = mine & (at >= at[before].min()) & (at <= at[before].max())
        if twice[mine].sum() >= max(LEAST_OVERLAP, OVERLAP * common.sum()):
            is_repeated[rows[mine & twice]] = True
    return is_repeated


class Legs(NamedTuple):
    """What legs of calls there are, in the order of the first rows; shapes (dials,)."""

    evidence: Integers
    """For each dial the row that tells what became of it."""
    started: Micros
    """When the dial began."""
    first: Integers
    """The row that tells which number it was to."""


def legs(
    keys: Keys,
    numbers: Keys | None,
    started: Micros,
    held_s: Floats,
    outcome: Codes,
    ring_s: Floats | None,
    *,
    any_number: bool,
) -> Legs:
    """Join rows with one key that begin together, or while an earlier one lasts."""
    sizes = np.bincount(keys[keys >= 0], minlength=1)
    is_shared = (keys >= 0) & (started != MISSING) & (sizes[np.maximum(keys, 0)] > 1)
    shared, alone = np.flatnonzero(is_shared), np.flatnonzero(~is_shared)
    if not len(shared):
        return Legs(alone, started, alone)
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
    rank[(at > at[begins][dial] + slack) & (rank > 3)] += 100
    # Of legs that nobody answered the one that rang longest tells.
    longest = np.zeros(len(rows)) if ring_s is None else -np.nan_to_num(ring_s[rows])
    longest[outcome[rows] != WORDS.index("no_answer")] = 0
    best = np.lexsort((np.arange(len(rows)), longest, rank, dial))
    evidence = rows[best[np.searchsorted(dial[best], np.arange(len(first)))]]
    # An answered first leg stands whatever came of legs to others.
    evidence = np.where(_RANK[outcome[first]] <= 3, first, evidence)
    order = np.argsort(np.concatenate((alone, first)), kind="stable")
    return Legs(
        np.concatenate((alone, evidence))[order],
        np.concatenate((started[alone], at[begins]))[order],
        np.concatenate((alone, first))[order],
    )
