"""Attempts in the order of time: which dial of a call each is.

A log that numbers no attempts has them by number: an attempt is the next one of the same call if
it is to the same number in the same campaign, comes within `WINDOW_S` of the one before, and that
one was not answered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.calibration.convert import Floats, Micros
from outsim.calibration.evidence import ANSWERED_CODES, Codes
from outsim.clock import SECOND

WINDOW_S = 2 * 172_800
"""Longest gap between attempts of one call: twice the platform's longest retry interval."""

Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Dials:
    """Which dial of its call each attempt is.

    Attributes
    ----------
    attempt : int32 array of shape (attempts,)
        From 1; 0 where the number is not told.
    gap_s : float64 array of shape (attempts,)
        Seconds since the call's previous attempt was dialled; missing for the first.
    """

    attempt: Integers
    gap_s: Floats


def by_code(codes: Integers) -> NDArray[np.int64]:
    """Order of rows by code; those with the same code as they are."""
    # Sorting numbers is many times quicker than sorting the places of others.
    placed = (codes.astype(np.int64) << 32) | np.arange(len(codes))
    placed.sort()
    return placed & 0xFFFFFFFF


def dials(codes: Integers, started: Micros, outcome: Codes | None) -> Dials:
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
