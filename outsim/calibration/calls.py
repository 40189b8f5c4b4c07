"""Which rows are one dial, and which dials one call: repeated rows, legs, numbers, attempts.

A switch writes a record for each channel that it rang: several that share the call's id, of which
one was answered. They are one dial, and what became of it is what became of that leg. A
spreadsheet that writes 13125550100 as 1.31256E+10, a mask such as +1312***1234 and an extension
make one number of many callees: attempts counted by such numbers would be attempts of nobody. A
log that numbers no attempts has them by number: an attempt is the next one of the same call if it
is to the same number in the same campaign, comes within `WINDOW_S` of the one before, and that
one was not answered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration.mapping import ANSWERED_CODES, WORDS
from outsim.calibration.times import MISSING
from outsim.calibration.values import (
    Array,
    Codes,
    Flags,
    Floats,
    Integers,
    Keys,
    Micros,
    flags_of,
    matching,
)
from outsim.clock import DAY, SECOND

WINDOW_S = 2 * 172_800
"""Longest gap between attempts of one call: twice the platform's longest retry interval."""


@dataclass(frozen=True)
class Dials:
    """Which dial of its call each attempt is."""

    attempt: Keys
    """From 1; 0 where the number is not told. Shape (attempts,)."""
    gap_s: Floats
    """Seconds since the call's previous attempt was dialed; missing for the first. Shape
    (attempts,)."""


def by_code(codes: Keys) -> Integers:
    """Order of rows by code; those with the same code as they are."""
    # Sorting numbers is many times quicker than sorting the places of others.
    placed = (codes.astype(np.int64) << 32) | np.arange(len(codes))
    placed.sort()
    return placed & 0xFFFFFFFF


def dials(codes: Keys, started: Micros, outcome: Codes | None) -> Dials:
    """Count the attempts of each call.

    All arrays are in the order of time; there is one code for each number and campaign, negative
    where no number is told.
    """
    count = len(codes)
    order = by_code(codes)
    code, at = codes[order], started[order]
    gap_us = np.diff(at, prepend=at[:1])
    begins = np.ones(count, dtype=np.bool_)
    if count:
        same = (code[1:] == code[:-1]) & (code[1:] >= 0)
        begins[1:] = ~same | (gap_us[1:] > WINDOW_S * SECOND)
        if outcome is not None:
            begins[1:] |= np.isin(outcome[order][:-1], ANSWERED_CODES)
    places = np.arange(count)
    first = np.maximum.accumulate(np.where(begins, places, 0))
    attempt = np.empty(count, dtype=np.int32)
    attempt[order] = np.where(code < 0, 0, places - first + 1)
    gap_s = np.empty(count)
    gap_s[order] = np.where(begins, np.nan, gap_us / SECOND)
    return Dials(attempt, gap_s)


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

_MASKED = r"^[+0-9 ()-]*([*#xX•]{2,}|…|[.]{3,})[+0-9 ().*#xX•…-]*$"
_SCIENTIFIC = r"^[+]?[0-9]([.,][0-9]*)?[eE][+]?[0-9]{1,3}$"
_LOST = ("rounded by a spreadsheet", "masked", "words without a digit")
_PLAIN_NUMBER = r"(?i)^((tel|sips?):)?\+?[0-9 ().-]+([;@].*)?$"


@dataclass(frozen=True)
class Callees:
    """Distinct texts of a column of numbers, as one text for each callee."""

    texts: pa.Array
    """However they were written, digits alone without the country's code; missing where a text
    names nobody."""
    lost: dict[str, Flags]
    """Texts with digits that name no callee, by what they are. Shape (texts,)."""
    short: Flags
    """Numbers with fewer than `LEAST_DIGITS` digits, and Asterisk's extensions such as ``s``.
    Shape (texts,)."""


def callees_of(texts: pa.Array) -> Callees:
    """Read distinct texts of a column of numbers."""
    decimal = flags_of(pc.and_not(pc.ascii_is_decimal(texts), pc.starts_with(texts, "0")))
    if decimal.all():
        return _of_digits(texts)
    others = _of_any(texts.filter(pa.array(~decimal)))
    if not decimal.any():
        return others
    digits = _of_digits(texts.filter(pa.array(decimal)))
    place = np.where(decimal, np.cumsum(decimal), decimal.sum() + np.cumsum(~decimal)) - 1
    return Callees(
        pa.concat_arrays([digits.texts, others.texts]).take(pa.array(place)),
        {why: np.append(digits.lost[why], at)[place] for why, at in others.lost.items()},
        np.append(digits.short, others.short)[place],
    )


def _of_digits(texts: pa.Array) -> Callees:
    """Texts of digits alone, without a zero before them, as most logs have them."""
    length = pc.binary_length(texts)
    with_code = pc.and_(pc.equal(length, 11), pc.starts_with(texts, "1"))
    written = pc.if_else(with_code, pc.utf8_slice_codeunits(texts, 1), texts)
    nothing = np.zeros(len(texts), dtype=np.bool_)
    return Callees(written, dict.fromkeys(_LOST, nothing), flags_of(pc.less(length, LEAST_DIGITS)))


def _of_any(texts: pa.Array) -> Callees:
    texts = pc.replace_substring_regex(texts, r"^([0-9]{7,})[.,]0+$", r"\1")
    scientific, masked = matching(texts, _SCIENTIFIC), matching(texts, _MASKED)
    plain = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    digits = pc.replace_substring_regex(texts, r"(?i)^(tel|sips?):|[;@].*$|[^0-9]", "")
    digits = pc.replace_substring_regex(
        digits, r"^(00)?1([0-9]{10})$|^00([1-9][0-9]{7,})$", r"\2\3"
    )
    written = pc.if_else(plain, digits, texts)
    nobody = pa.array(scientific | masked) if len(texts) else pa.array([], pa.bool_())
    known = pc.and_not(pc.match_substring_regex(written, "[0-9]"), nobody)
    written = pc.if_else(pc.fill_null(known, False), written, None)
    return Callees(
        written,
        dict(zip(_LOST, (scientific, masked, ~matching(texts, "[0-9]")), strict=True)),
        matching(written, rf"^[*#]?[0-9]{{1,{LEAST_DIGITS - 1}}}$") | matching(texts, "^[a-z]$"),
    )


def callee_codes_of(codes: Keys, texts: pa.Array) -> tuple[Keys, dict[str, int], Flags]:
    """Keys of callees by codes of numbers; rows by why a number names none; which are short."""
    callees = callees_of(texts)
    again = callees.texts.dictionary_encode()
    of_number = pc.fill_null(again.indices, -1).to_numpy(zero_copy_only=False)
    sizes = np.bincount(codes[codes >= 0], minlength=len(texts))
    lost = {why: int(sizes[at].sum()) for why, at in callees.lost.items() if at.any()}
    is_short = np.append(callees.short, False)[codes]
    return np.asarray(np.append(of_number, -1)[codes], dtype=np.int32), lost, is_short


def dialed_as_nobody(numbers: Keys, started: Micros, held_s: Floats, answered: Flags) -> Flags:
    """Attempts at numbers that are dialed as no callee's number would be.

    These are numbers with more than `MOST_DIALS` dials in `BUSY_DAYS` days, and those that are
    often dialed while they are being called already. Where there are but a few numbers, or most
    that answered are dialed again within hours, all of them are.
    """
    known = np.flatnonzero((numbers >= 0) & (started != MISSING))
    found = np.zeros(len(numbers), dtype=np.bool_)
    if not len(known):
        return found
    order = known[by_code(numbers[known])]
    number, at = numbers[order], started[order]
    dials = np.bincount(number)
    again = number[1:] == number[:-1]
    gap_s = np.diff(at) / SECOND
    spoken = answered[order][:-1]
    soon = spoken & again & (gap_s <= SOON_S)
    are_few = np.sum(dials > 0) <= min(FEW_NUMBERS, len(known) / MOST_DIALS)
    if are_few or (spoken.sum() >= LEAST_ANSWERED and soon.sum() > MOST_SOON * spoken.sum()):
        found[known] = True
        return found
    overlaps = again & (gap_s < np.nan_to_num(held_s[order])[:-1])
    overlapping = np.bincount(number[1:][overlaps], minlength=len(dials))
    many = (overlapping >= LEAST_OVERLAPS) & (overlapping > MOST_OVERLAPS * dials)
    if len(number) > MOST_DIALS:
        near = (number[MOST_DIALS:] == number[:-MOST_DIALS]) & (
            at[MOST_DIALS:] - at[:-MOST_DIALS] <= BUSY_DAYS * DAY
        )
        many[number[MOST_DIALS:][near]] = True
    found[known] = many[numbers[known]]
    return found


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


def recurring(among: Flags, codes: list[Keys], started: Micros | None) -> Integers:
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


def repeats(columns: list[Array]) -> Flags:
    """Rows that agree with an earlier one in all columns."""
    return np.asarray(pd.DataFrame(dict(enumerate(columns)), copy=False).duplicated())


OVERLAP = 0.9
"""Share of a file's rows in the time of an earlier one that are in it too, if both are exports of
one log."""
LEAST_OVERLAP = 20
"""Such rows, at least."""


def overlaps(columns: list[Array], file: Keys, started: Micros, among: Flags) -> Flags:
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
    """What legs of calls there are."""

    kept: Integers
    """For each dial the row that tells what became of it. Shape (dials,)."""
    started: Micros
    """When the dial began. Shape (dials,)."""
    first: Integers
    """The row that tells which number it was to. Shape (dials,)."""


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
    evidence_of = rows[best[np.searchsorted(dial[best], np.arange(len(first)))]]
    # An answered first leg stands whatever came of legs to others.
    stands = _RANK[outcome[first]] <= 3
    evidence_of = np.where(stands, first, evidence_of)
    alone = everything[~is_shared]
    kept = np.concatenate((alone, evidence_of))
    order = np.argsort(np.concatenate((alone, first)), kind="stable")
    return Legs(
        kept[order],
        np.concatenate((started[alone], at[begins]))[order],
        np.concatenate((alone, first))[order],
    )
