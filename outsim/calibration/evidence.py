"""What a log says against itself: words against times, units, steps, contexts, rows lost.

Neither a word for an outcome nor the times beside it are always right. A word gives way only
where all that the row has speaks against it; where one sign does, the word stands and the doubt
is counted. Of durations only what is beyond doubt is put right: no phone rings for a quarter of
an hour at the median, so that such ring times are milliseconds, and no log has durations under a
second that are whole seconds as parts of a day. All else is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from outsim.calibration.log import Batch, ReadFile
from outsim.calibration.mapping import ANSWERED, ANSWERED_CODES, WORDS
from outsim.calibration.values import Array, Codes, Flags, Floats
from outsim.display import percent

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
_CALLED = {"ring_s": "ring times", "talk_s": "talk times"}
ALL_BUT = 0.99
"""Share of durations that stands for all of them."""
LUMP = 0.05
"""Share of durations at one value that is worth a word."""
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


def units_s(durations: dict[str, Floats]) -> tuple[dict[str, float], list[str]]:
    """Units in seconds, another one than a second where it is beyond doubt; and notes."""
    units, notes = dict.fromkeys(durations, 1.0), []
    for name, array in durations.items():
        called, known = _CALLED[name], array[np.isfinite(array)]
        positive = known[known > 0]
        if len(positive) < ENOUGH:
            continue
        median = float(np.median(positive))
        least = NO_RING_S if name == "ring_s" else NO_TALK_S
        if median >= least and _is_typical(name, median / 1000):
            units[name] = 1e-3
            notes.append(
                f"{called} are read as milliseconds: as seconds half of them were over "
                f"{median:,.0f} s, as milliseconds over {median / 1000:,.0f} s"
            )
        elif _is_typical(name, median * _DAY_S) and _are_parts_of_a_day(positive):
            units[name] = _DAY_S
            notes.append(
                f"{called} are read as a spreadsheet's parts of a day: as seconds none were as "
                f"long as one, as parts of a day half of them over {median * _DAY_S:,.0f} s"
            )
        elif doubt := (_doubt_of_rings if name == "ring_s" else _doubt_of_talks)(known, median):
            notes.append(f"{called}: {doubt}")
    return units, notes


def _is_typical(name: str, median: float) -> bool:
    low, high = _TYPICAL_S[name]
    return low <= median <= high


def _doubt_of_rings(known: Floats, median: float) -> str:
    if median > LONGEST_RING_S:
        return (
            f"half of them are over {median:,.0f} s, and networks give up within "
            f"{LONGEST_RING_S:.0f} s; are they in another unit, or not the time to the answer?"
        )
    long = int((known > LONGEST_RING_S).sum())
    if long > LUMP * len(known):
        return (
            f"{long:,} of {len(known):,} are over {LONGEST_RING_S:.0f} s, by when networks have "
            "given up; is it the time to the answer?"
        )
    return ""


def _doubt_of_talks(known: Floats, median: float) -> str:
    are_hundreds = median > 300 and (known % 100 == 0).mean() >= ALL_BUT
    if median > _TYPICAL_S["talk_s"][1] or are_hundreds:
        return f"half of them are over {median:,.0f} s; are they in another unit?"
    if median <= 3 and known.max() < 200:
        return (
            f"half of them are {median:g} s or shorter, the longest {known.max():g} s; "
            "are they minutes?"
        )
    return ""


def _are_parts_of_a_day(positive: Floats) -> bool:
    """Whether durations are whole seconds only if the unit is a day."""
    days = positive * _DAY_S
    off = np.abs(days - np.rint(days)) / np.maximum(days * 1e-4, 0.01)
    is_fine = (positive * 1000 % 1 > 0).mean() > LUMP
    return bool(positive.max() < 1 and (off <= 1).mean() >= ALL_BUT and is_fine)


EITHER = -4
"""Code of a word that says how a call was cleared, and not whether it was answered."""

_ANSWERED, _NO_ANSWER = WORDS.index(ANSWERED), WORDS.index("no_answer")

NEVER, SPOKE = "never answered", "spoke"
TALK_ALONE, ANSWER_ALONE, NO_TALK = "talk alone", "answer alone", "no talk"
CLEARED, SILENT = "cleared", "cleared in silence"
_NOTES = {
    NEVER: "{count} rows say that somebody answered, and have neither a time of answer nor talk: "
    "they are read as no_answer",
    SPOKE: "{count} rows say that nobody answered, and have a time of answer and talk: they are "
    "read as answered",
    TALK_ALONE: "{count} rows say that nobody answered, and have talk: the word is kept; see "
    "whether the column of talk_s counts from the answer or from the dial (duration_s)",
    ANSWER_ALONE: "{count} rows say that nobody answered, and have a time of answer without "
    "talk: the word is kept",
    NO_TALK: "{count} of {answered} answered rows have no talk, and the log has no times of "
    "answer: they are kept as answered; if they were not, name the column of the time of answer "
    "(--columns answered=NAME)",
    CLEARED: "{count} rows say how the call was cleared, and the log has neither times of answer "
    "nor talk: they are read as answered",
    SILENT: "{count} rows say how the call was cleared, and have neither a time of answer nor "
    "talk: they are read as no_answer",
}
_WORTH_A_NOTE = 0.05
"""Share of answered rows without talk that is worth a note."""


def settled(
    codes: Codes, answer: Flags | None, talk_s: Floats | None, among: Flags
) -> tuple[Codes, Counter[str]]:
    """Outcomes, words giving way if all evidence is against them; rows `among` some by doubt."""
    has_answers, has_talks = answer is not None, talk_s is not None
    answer = np.zeros(len(codes), dtype=np.bool_) if answer is None else answer
    talk_s = np.full(len(codes), np.nan) if talk_s is None else talk_s
    talk, either = talk_s > 0, codes == EITHER
    says_answered = np.isin(codes, ANSWERED_CODES)
    says_none = (codes >= 0) & ~says_answered
    never = says_answered & ~answer & ~talk & has_answers
    spoke = says_none & answer & talk
    kinds = {
        NEVER: never,
        SPOKE: spoke,
        SILENT: either & ~answer & ~talk,
        TALK_ALONE: says_none & ~answer & talk,
        ANSWER_ALONE: says_none & answer & ~talk,
        NO_TALK: says_answered & (talk_s == 0) & (not has_answers),
    }
    cleared = np.where(answer | talk, _ANSWERED, _NO_ANSWER)
    if not has_answers and not has_talks:
        kinds, cleared = {CLEARED: either}, np.full(len(codes), _ANSWERED)
    codes = np.where(either, cleared, codes)
    codes = np.where(never, _NO_ANSWER, np.where(spoke, _ANSWERED, codes))
    return codes.astype(np.int8), +Counter({k: int((at & among).sum()) for k, at in kinds.items()})


BIAS_LEVEL = 0.01
"""Chance of a bias being reported where there is none."""
BIAS_SIZE = 0.05
"""Difference of shares that is worth a word."""
_UNIVERSAL = ("UTC", "GMT", "Etc/", "Zulu", "Universal", "Greenwich")


def notes_of(
    read_files: Sequence[ReadFile],
    columns: dict[str, Array],
    zone: str | None,
    callee_zone: str | None,
) -> Iterator[str]:
    """Give what a reader has to know of how the files were read."""
    batches = [batch for read in read_files for batch in read.batches]
    outcome = columns.get("outcome")
    formats = {read.file.format for read in read_files}
    if "asterisk" in formats:
        yield (
            "Asterisk's FAILED is read as invalid; unless cdr.conf says congestion = yes it is "
            "written for congestion too (--outcomes FAILED=congestion reads it so)"
        )
    if "twilio" in formats:
        yield "Twilio's failed is read as invalid: most likely the number does not exist"
    if outcome is None:
        yield "the log does not say what became of calls: no outcome can be fitted"
    elif _ANSWERED in outcome:
        yield "the log does not always tell persons from machines"
    if (callee_zone or zone) is None:
        yield "no time zone is given: hours and weekdays can't be fitted"
    if outcome is not None:
        answered = int(np.isin(outcome, ANSWERED_CODES).sum())
        doubts = sum((batch.doubts for batch in batches), Counter[str]())
        for kind, text in _NOTES.items():
            if doubts[kind] and (kind != NO_TALK or doubts[kind] > _WORTH_A_NOTE * answered):
                yield text.format(count=f"{doubts[kind]:,}", answered=f"{answered:,}")
        refused = sum((batch.refused for batch in batches), Counter[int]())
        yield from _bias(answered, int((outcome >= 0).sum()), refused)
    durations = {
        (name, unit_of(names)[0])
        for read in read_files
        for target, names in read.mapping.columns.items()
        if target in ("ring_s", "talk_s", "duration_s")
        for name in names
    }
    for name, unit in sorted(durations):
        if unit != "seconds":
            yield f"{name} is read as {unit}, as its name says"
    yield from _zones(batches, zone, callee_zone)
    contexts = [batch.columns["contexts"] for batch in batches if "contexts" in batch.columns]
    if contexts:
        names = {name for read in read_files for name in read.mapping.columns["context"]}
        yield from _contexts(pa.concat_arrays(contexts), " or ".join(sorted(names)))


def _bias(answered: int, known: int, refused: Counter[int]) -> Iterator[str]:
    """Whether rows that can't be read were answered as often as those that can."""
    lost = sum(refused.values())
    if not lost or not known:
        return
    hits = sum(count for code, count in refused.items() if code in ANSWERED_CODES)
    table = np.array([[hits, lost - hits], [answered, known - answered]])
    p_value = float(stats.fisher_exact(table).pvalue)
    difference = hits / lost - answered / known
    if p_value < BIAS_LEVEL and abs(difference) >= BIAS_SIZE:
        yield (
            f"the fit may be biased: of {lost:,} rows that can't be read for another reason "
            f"{percent(hits / lost, 1)} say that they were answered, of the {known:,} that are "
            f"used {percent(answered / known, 1)}"
        )


def _zones(batches: Sequence[Batch], zone: str | None, callee_zone: str | None) -> Iterator[str]:
    is_local = [batch.columns["is_local"] for batch in batches if "is_local" in batch.columns]
    local, rows = sum(int(flags.sum()) for flags in is_local), sum(map(len, is_local))
    if 0 < local < rows:
        yield (
            f"{local:,} of {rows:,} times say no zone and are read in {zone}, the others say "
            "theirs; if they are of the same zone as the others, give it with --zone and the "
            "callees' with --callee-zone"
        )
    if zone is not None and callee_zone is None and zone.startswith(_UNIVERSAL):
        yield (
            f"hours and weekdays are those of {zone}, the zone of the log's times; callees live "
            "elsewhere: give their zone with --callee-zone"
        )


def _contexts(contexts: pa.Array, name: str) -> Iterator[str]:
    counted = sorted(
        ((entry["counts"], entry["values"]) for entry in pc.value_counts(contexts).to_pylist()),
        key=lambda pair: (-pair[0], str(pair[1])),
    )
    if len(counted) < 2:
        return
    shown = ", ".join(f"{value or 'none'} {count:,}" for count, value in counted[:4])
    more = f" and {len(counted) - 4} more" if len(counted) > 4 else ""
    first = counted[0][1] or ""
    yield (
        f"rows of several contexts are used: {shown}{more}; if some are inbound or internal, "
        f"choose with --where '{name}={first}'"
    )
