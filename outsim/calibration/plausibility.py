"""Durations that can't be meant as they stand: another unit, billed steps, a limit, no ring.

Only what is beyond doubt is put right: no phone rings for a quarter of an hour at the median, so
that such ring times are milliseconds, and no log has durations under a second that are whole
seconds as parts of a day. All else is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from outsim.calibration.convert import Floats

ENOUGH = 20
"""Durations from which they are judged at all."""
LONGEST_RING_S = 180.0
"""Networks give a call up by then: ITU-T Q.118 has 90 s to two minutes for the calling side's."""
NO_RING_S = 900.0
"""Median ring from which the unit is beyond doubt another one."""
NO_TALK_S = 2 * 3600.0
"""Median talk from which it is."""
_TYPICAL_S = {"ring_s": (1.0, LONGEST_RING_S), "talk_s": (1.0, 3600.0)}
"""Medians that are believed."""

BILLED_STEPS_S = (60.0, 30.0, 20.0, 15.0, 12.0, 10.0, 6.0, 5.0)
"""Steps that calls are billed or stored in, the coarsest first."""
_ALL_BUT = 0.99
LEAST_STEPS = 5
"""Different durations, in steps, from which a form is fitted to them."""
LUMP = 0.05
"""Share of durations at one value that is worth a word."""
_ABOVE_NEIGHBOURS = 5.0
"""How many times as many as at values nearby make a lump."""


_DAY_S = 86_400.0
_UNITS = (
    (r"[_ (]ms\)?$|msec|millisec|^mduration$", "milliseconds", 1e-3),
    (r"usec|microsec|^uduration$", "microseconds", 1e-6),
    (r"[_ (]min(ute)?s?\)?$|^minutes$", "minutes", 60.0),
)
"""Units by what a column is called."""


def unit_of(names: Sequence[str]) -> tuple[str, float]:
    """Unit of durations by the names of their columns, and its length in seconds."""
    for pattern, unit, seconds in _UNITS:
        if any(re.search(pattern, name.lower()) for name in names):
            return unit, seconds
    return "seconds", 1.0


def unit_s(names: Sequence[str]) -> float:
    """Seconds that the unit of durations in these columns has."""
    return unit_of(names)[1]


def units_s(durations: dict[str, Floats]) -> tuple[dict[str, float], list[str]]:
    """Units of durations, in seconds: another one than a second where it is beyond doubt; notes.

    Parameters
    ----------
    durations : dict of str to float64 array
        ``ring_s`` and ``talk_s`` of answered calls' rows, as far as the log has them; missing
        elsewhere.
    """
    medians = {name: _median(array) for name, array in durations.items()}
    ring, talk = medians.get("ring_s", np.nan), medians.get("talk_s", np.nan)
    wrong = {
        "ring_s": ring >= NO_RING_S and _is_typical("ring_s", ring / 1000),
        "talk_s": talk >= NO_TALK_S and _is_typical("talk_s", talk / 1000),
    }
    found, notes = dict.fromkeys(durations, 1.0), []
    for name, array in durations.items():
        median, called = medians[name], _CALLED[name]
        if wrong[name]:
            found[name] = 1e-3
            notes.append(
                f"{called} are read as milliseconds: as seconds half of them were over "
                f"{median:,.0f} s, as milliseconds over {median / 1000:,.0f} s"
            )
        elif _is_typical(name, median * _DAY_S) and _are_parts_of_a_day(array):
            found[name] = _DAY_S
            notes.append(
                f"{called} are read as a spreadsheet's parts of a day: as seconds none were as "
                f"long as one, as parts of a day half of them over {median * _DAY_S:,.0f} s"
            )
        else:
            notes += _doubts(name, array, median)
    return found, notes


_CALLED = {"ring_s": "ring times", "talk_s": "talk times"}


def _doubts(name: str, array: Floats, median: float) -> list[str]:
    told = array[np.isfinite(array)]
    called = _CALLED[name]
    if not np.isfinite(median):
        return []
    if name == "ring_s":
        long = int((told > LONGEST_RING_S).sum())
        if median > LONGEST_RING_S:
            return [
                f"ring times: half of them are over {median:,.0f} s, and networks give up within "
                f"{LONGEST_RING_S:.0f} s; are they in another unit, or not the time to the answer?"
            ]
        if long > LUMP * len(told):
            return [
                f"ring times: {long:,} of {len(told):,} are over {LONGEST_RING_S:.0f} s, by when "
                "networks have given up; is it the time to the answer?"
            ]
        return []
    if median > _TYPICAL_S[name][1] or (median > 300 and (told % 100 == 0).mean() >= _ALL_BUT):
        return [f"{called}: half of them are over {median:,.0f} s; are they in another unit?"]
    if median <= 3 and told.max() < 200:
        return [
            f"{called}: half of them are {median:g} s or shorter, the longest "
            f"{told.max():g} s; are they minutes?"
        ]
    return []


def _are_parts_of_a_day(array: Floats) -> bool:
    """Whether durations are whole seconds only if the unit is a day."""
    told = array[np.isfinite(array) & (array > 0)]
    if len(told) < ENOUGH or told.max() >= 1:
        return False
    days = told * _DAY_S
    off = np.abs(days - np.rint(days)) / np.maximum(days * 1e-4, 0.01)
    return bool((off <= 1).mean() >= _ALL_BUT and (told * 1000 % 1 > 0).mean() > LUMP)


def _median(array: Floats) -> float:
    told = array[np.isfinite(array) & (array > 0)]
    return float(np.median(told)) if len(told) >= ENOUGH else float("nan")


def _is_typical(name: str, median: float) -> bool:
    low, high = _TYPICAL_S[name]
    return low <= median <= high


def billed_step_s(seconds: Floats) -> float | None:
    """Step that nearly all durations are whole multiples of; None if they are finer.

    Parameters
    ----------
    seconds : float64 array
        Durations of calls that ended; those of 0 s say nothing.
    """
    told = seconds[seconds > 0]
    if len(told) < ENOUGH:
        return None
    for step in BILLED_STEPS_S:
        is_whole = (told % step) == 0
        # A value or two are lumps, not steps, unless these are as coarse as billed ones may be.
        least = {60.0: 1, 30.0: 2}.get(step, 3)
        if is_whole.mean() >= _ALL_BUT and len(np.unique(told[is_whole])) >= least:
            return step
    return None


def lumps(seconds: Floats, step_s: float) -> list[str]:
    """What is to be said of values that more durations have than those around them."""
    told = seconds[seconds > 0]
    if len(told) < 5 * ENOUGH:
        return []
    values, counts = np.unique(np.rint(told / step_s), return_counts=True)
    if len(values) < 2:
        return [f"all {len(told):,} are {values[0] * step_s:g} s"]
    found = []
    worth = counts >= max(LUMP * len(told), ENOUGH / 2)
    for k in np.flatnonzero(worth):
        near = np.abs(values - values[k]) <= max(5.0, 0.2 * values[k])
        near[k] = False
        reach = np.minimum(values[k], max(5.0, 0.2 * values[k]))
        usual = counts[near].sum() / max(reach if k == len(values) - 1 else 2 * reach, 1.0)
        if counts[k] <= _ABOVE_NEIGHBOURS * max(usual, 1.0):
            continue
        text = f"{counts[k]:,} of {len(told):,} are {values[k] * step_s:g} s"
        if k == len(values) - 1:
            text += ", the longest: a limit cuts them off there, and the fit has it in it"
        elif k == 0:
            text += ", the shortest: a least time, and the fit has it in it"
        found.append(text)
    return found[:3]
