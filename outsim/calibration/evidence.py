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
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from outsim.calibration.log import ReadFile
from outsim.calibration.mapping import ANSWERED, ANSWERED_CODES, WORDS
from outsim.calibration.values import Array, Codes, Flags, Floats

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


def units_s(durations: dict[str, Floats]) -> tuple[dict[str, float], list[str]]:
    """Units in seconds, another one than a second where it is beyond doubt; and notes."""
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
    known = array[np.isfinite(array)]
    called = _CALLED[name]
    if not np.isfinite(median):
        return []
    if name == "ring_s":
        long = int((known > LONGEST_RING_S).sum())
        if median > LONGEST_RING_S:
            return [
                f"ring times: half of them are over {median:,.0f} s, and networks give up within "
                f"{LONGEST_RING_S:.0f} s; are they in another unit, or not the time to the answer?"
            ]
        if long > LUMP * len(known):
            return [
                f"ring times: {long:,} of {len(known):,} are over {LONGEST_RING_S:.0f} s, by when "
                "networks have given up; is it the time to the answer?"
            ]
        return []
    if median > _TYPICAL_S[name][1] or (median > 300 and (known % 100 == 0).mean() >= _ALL_BUT):
        return [f"{called}: half of them are over {median:,.0f} s; are they in another unit?"]
    if median <= 3 and known.max() < 200:
        return [
            f"{called}: half of them are {median:g} s or shorter, the longest "
            f"{known.max():g} s; are they minutes?"
        ]
    return []


def _are_parts_of_a_day(array: Floats) -> bool:
    """Whether durations are whole seconds only if the unit is a day."""
    known = array[np.isfinite(array) & (array > 0)]
    if len(known) < ENOUGH or known.max() >= 1:
        return False
    days = known * _DAY_S
    off = np.abs(days - np.rint(days)) / np.maximum(days * 1e-4, 0.01)
    return bool((off <= 1).mean() >= _ALL_BUT and (known * 1000 % 1 > 0).mean() > LUMP)


def _median(array: Floats) -> float:
    known = array[np.isfinite(array) & (array > 0)]
    return float(np.median(known)) if len(known) >= ENOUGH else float("nan")


def _is_typical(name: str, median: float) -> bool:
    low, high = _TYPICAL_S[name]
    return low <= median <= high


def billed_step_s(seconds: Floats) -> float | None:
    """Step that nearly all durations are whole multiples of; None if they are finer."""
    known = seconds[seconds > 0]
    if len(known) < ENOUGH:
        return None
    for step in BILLED_STEPS_S:
        is_whole = (known % step) == 0
        # A value or two are lumps, not steps, unless these are as coarse as billed ones may be.
        least = {60.0: 1, 30.0: 2}.get(step, 3)
        if is_whole.mean() >= _ALL_BUT and len(np.unique(known[is_whole])) >= least:
            return step
    return None


def lumps(seconds: Floats, step_s: float) -> list[str]:
    """What is to be said of values that more durations have than those around them."""
    known = seconds[seconds > 0]
    if len(known) < 5 * ENOUGH:
        return []
    values, counts = np.unique(np.rint(known / step_s), return_counts=True)
    if len(values) < 2:
        return [f"all {len(known):,} are {values[0] * step_s:g} s"]
    found = []
    worth = counts >= max(LUMP * len(known), ENOUGH / 2)
    for k in np.flatnonzero(worth):
        near = np.abs(values - values[k]) <= max(5.0, 0.2 * values[k])
        near[k] = False
        reach = np.minimum(values[k], max(5.0, 0.2 * values[k]))
        usual = counts[near].sum() / max(reach if k == len(values) - 1 else 2 * reach, 1.0)
        if counts[k] <= _ABOVE_NEIGHBOURS * max(usual, 1.0):
            continue
        text = f"{counts[k]:,} of {len(known):,} are {values[k] * step_s:g} s"
        if k == len(values) - 1:
            text += ", the longest: a limit cuts them off there, and the fit has it in it"
        elif k == 0:
            text += ", the shortest: a least time, and the fit has it in it"
        found.append(text)
    return found[:3]


EITHER = -4
"""Code of a word that says how a call was cleared, and not whether it was answered."""

_ANSWERED, _NO_ANSWER = WORDS.index(ANSWERED), WORDS.index("no_answer")

NEVER, SPOKE, TALK_ALONE, ANSWER_ALONE, NO_TALK, CLEARED, SILENT = (
    "never answered",
    "spoke",
    "talk alone",
    "answer alone",
    "no talk",
    "cleared",
    "cleared in silence",
)

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
    """Outcomes after words were held against times of answer and talks; rows `among` by kind.

    A word for an answer gives way where the log has times of answer, and the row has neither one
    nor talk; a word for none gives way where the row has both.
    """
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


def _notes_of_doubts(found: Mapping[str, int], answered: int) -> list[str]:
    """What is to be said of rows whose words and evidence differ."""
    return [
        text.format(count=f"{found[kind]:,}", answered=f"{answered:,}")
        for kind, text in _NOTES.items()
        if found.get(kind) and (kind != NO_TALK or found[kind] > _WORTH_A_NOTE * answered)
    ]


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
    batches = [batch for each in read_files for batch in each.batches]
    outcome = columns.get("outcome")
    formats = {each.file.format for each in read_files}
    yield from _formats(formats, callee_zone or zone, outcome)
    if outcome is not None:
        answered = int(np.isin(outcome, ANSWERED_CODES).sum())
        yield from _notes_of_doubts(sum((each.doubts for each in batches), Counter()), answered)
        refused = sum((each.refused for each in batches), Counter())
        yield from _bias(answered, int((outcome >= 0).sum()), refused)
    yield from _units(read_files)
    local = [batch.columns["is_local"] for batch in batches if "is_local" in batch.columns]
    yield from _zones(
        sum(int(each.sum()) for each in local), sum(map(len, local)), zone, callee_zone
    )
    contexts = [batch.columns["contexts"] for batch in batches if "contexts" in batch.columns]
    if contexts:
        names = {name for each in read_files for name in each.mapping.columns["context"]}
        yield from _contexts(pa.concat_arrays(contexts), " or ".join(sorted(names)))


def _formats(formats: set[str], zone: str | None, outcome: Array | None) -> list[str]:
    """What formats leave open, and what is not told at all."""
    notes = []
    if "asterisk" in formats:
        notes.append(
            "Asterisk's FAILED is read as invalid; unless cdr.conf says congestion = yes it is "
            "written for congestion too (--outcome FAILED=congestion reads it so)"
        )
    if "twilio" in formats:
        notes.append("Twilio's failed is read as invalid: most likely the number does not exist")
    if outcome is None:
        notes.append("the log does not say what became of calls: no outcome can be fitted")
    elif WORDS.index("answered") in outcome:
        notes.append("the log does not always tell persons from machines")
    if zone is None:
        notes.append("no time zone is given: hours and weekdays can't be fitted")
    return notes


def _units(read_files: Sequence[ReadFile]) -> Iterator[str]:
    """Units that columns were read in because of their names."""
    named = {
        (name, unit_of(names)[0])
        for each in read_files
        for target, names in each.mapping.columns.items()
        if target in ("ring_s", "talk_s", "duration_s")
        for name in names
    }
    for name, unit in sorted(named):
        if unit != "seconds":
            yield f"{name} is read as {unit}, as its name says"


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
            f"{hits / lost:.1%} say that they were answered, of the {known:,} that are used "
            f"{answered / known:.1%}"
        )


def _zones(local: int, rows: int, zone: str | None, callee_zone: str | None) -> Iterator[str]:
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
        ((each["counts"], each["values"]) for each in pc.value_counts(contexts).to_pylist()),
        key=lambda each: (-each[0], str(each[1])),
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
