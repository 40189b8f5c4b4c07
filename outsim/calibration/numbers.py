"""Which texts are numbers of callees, and which numbers are dialled as no callee's would be.

A spreadsheet that writes 13125550100 as 1.31256E+10, a mask such as +1312***1234 and an extension
make one number of many callees. Attempts that were counted by such numbers would be attempts of
nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsim.calibration.convert import MISSING, Flags, Floats, Micros
from outsim.calibration.ordering import by_code
from outsim.clock import DAY, SECOND

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
"""Who answered is dialled again within this time only by exception."""
FEW_NUMBERS = 5
"""Different numbers that are those of no list, if each has `MOST_DIALS` dials on average."""
MOST_SOON = 0.7
"""Share of answered dials that may be followed by another one within `SOON_S`."""
LEAST_ANSWERED = 30
"""Answered dials from which that share is looked at."""

_MASKED = r"^[+0-9 ()-]*([*#xX•]{2,}|…|[.]{3,})[+0-9 ().*#xX•…-]*$"
_SCIENTIFIC = r"^[+]?[0-9]([.,][0-9]*)?[eE][+]?[0-9]{1,3}$"
_LOST = ("rounded by a spreadsheet", "masked", "words without a digit")
_PLAIN = r"(?i)^((tel|sips?):)?\+?[0-9 ().-]+([;@].*)?$"

Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Callees:
    """Distinct texts of a column of numbers, as one text for each callee.

    Attributes
    ----------
    texts : pyarrow.Array of strings
        However they were written, digits alone without the country's code; missing where a text
        names nobody.
    lost : dict of str to bool array of shape (texts,)
        Texts with digits that name no callee, by what they are.
    short : bool array of shape (texts,)
        Numbers with fewer than `LEAST_DIGITS` digits, and Asterisk's extensions such as ``s``.
    """

    texts: pa.Array
    lost: dict[str, Flags]
    short: Flags


def callees_of(texts: pa.Array) -> Callees:
    """Read distinct texts of a column of numbers."""
    decimal = _flags_of(pc.and_not(pc.ascii_is_decimal(texts), pc.starts_with(texts, "0")))
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
    return Callees(
        written, dict.fromkeys(_LOST, nothing), _flags_of(pc.less(length, LEAST_DIGITS))
    )


def _of_any(texts: pa.Array) -> Callees:
    texts = pc.replace_substring_regex(texts, r"^([0-9]{7,})[.,]0+$", r"\1")
    scientific, masked = _flags(texts, _SCIENTIFIC), _flags(texts, _MASKED)
    plain = pc.match_substring_regex(texts, _PLAIN)
    digits = pc.replace_substring_regex(texts, r"(?i)^(tel|sips?):|[;@].*$|[^0-9]", "")
    digits = pc.replace_substring_regex(
        digits, r"^(00)?1([0-9]{10})$|^00([1-9][0-9]{7,})$", r"\2\3"
    )
    written = pc.if_else(plain, digits, texts)
    nobody = pa.array(scientific | masked) if len(texts) else pa.array([], pa.bool_())
    told = pc.and_not(pc.match_substring_regex(written, "[0-9]"), nobody)
    written = pc.if_else(pc.fill_null(told, False), written, None)
    return Callees(
        written,
        dict(zip(_LOST, (scientific, masked, ~_flags(texts, "[0-9]")), strict=True)),
        _flags(written, rf"^[*#]?[0-9]{{1,{LEAST_DIGITS - 1}}}$") | _flags(texts, "^[a-z]$"),
    )


def _flags(texts: pa.Array, pattern: str) -> Flags:
    return _flags_of(pc.fill_null(pc.match_substring_regex(texts, pattern), False))


def _flags_of(found: pa.Array) -> Flags:
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def dialled_as_nobody(
    numbers: Integers, started: Micros, held_s: Floats, answered: Flags
) -> Flags:
    """Attempts at numbers that are dialled as no callee's number would be.

    These are numbers with more than `MOST_DIALS` dials in `BUSY_DAYS` days, and those that are
    often dialled while they are being called already. Where there are but a few numbers, or most
    that answered are dialled again within hours, all of them are.

    Parameters
    ----------
    numbers : int32 array of shape (attempts,)
        Codes, negative where no number is told; one code for each number and campaign.
    started : int64 array of shape (attempts,)
        Microseconds since 1970, ascending.
    held_s : float64 array of shape (attempts,)
        Seconds from the dial to the end, as far as they are told.
    answered : bool array of shape (attempts,)

    Returns
    -------
    bool array of shape (attempts,)
    """
    told = np.flatnonzero((numbers >= 0) & (started != MISSING))
    found = np.zeros(len(numbers), dtype=np.bool_)
    if not len(told):
        return found
    order = told[by_code(numbers[told])]
    number, at = numbers[order], started[order]
    dials = np.bincount(number)
    again = number[1:] == number[:-1]
    gap_s = np.diff(at) / SECOND
    spoken = answered[order][:-1]
    soon = spoken & again & (gap_s <= SOON_S)
    are_few = np.sum(dials > 0) <= min(FEW_NUMBERS, len(told) / MOST_DIALS)
    if are_few or (spoken.sum() >= LEAST_ANSWERED and soon.sum() > MOST_SOON * spoken.sum()):
        found[told] = True
        return found
    overlaps = again & (gap_s < np.nan_to_num(held_s[order])[:-1])
    overlapping = np.bincount(number[1:][overlaps], minlength=len(dials))
    many = (overlapping >= LEAST_OVERLAPS) & (overlapping > MOST_OVERLAPS * dials)
    if len(number) > MOST_DIALS:
        near = (number[MOST_DIALS:] == number[:-MOST_DIALS]) & (
            at[MOST_DIALS:] - at[:-MOST_DIALS] <= BUSY_DAYS * DAY
        )
        many[number[MOST_DIALS:][near]] = True
    found[told] = many[numbers[told]]
    return found
