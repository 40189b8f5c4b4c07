"""What is to be said of a log as a whole: zones, contexts, words, and rows that were lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from outsim.calibration import evidence
from outsim.calibration.evidence import ANSWERED_CODES
from outsim.calibration.log import WORDS
from outsim.calibration.plausibility import unit_of

if TYPE_CHECKING:
    from outsim.calibration.joining import ReadFile
    from outsim.calibration.layout import Format

Array = NDArray[Any]

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
    formats = {each.layout.format for each in read_files}
    yield from _formats(formats, callee_zone or zone, outcome)
    if outcome is not None:
        answered = int(np.isin(outcome, ANSWERED_CODES).sum())
        yield from evidence.notes_of(sum((each.doubts for each in batches), Counter()), answered)
        refused = sum((each.refused for each in batches), Counter())
        yield from _bias(answered, int((outcome >= 0).sum()), refused)
    yield from _units(read_files)
    local = [each.is_local for each in batches if each.is_local is not None]
    yield from _zones(
        sum(int(each.sum()) for each in local), sum(map(len, local)), zone, callee_zone
    )
    contexts = [each.contexts for each in batches if each.contexts is not None]
    if contexts:
        names = {name for each in read_files for name in each.layout.mapping.columns["context"]}
        yield from _contexts(pa.concat_arrays(contexts), " or ".join(sorted(names)))


def _formats(formats: set[Format], zone: str | None, outcome: Array | None) -> list[str]:
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
        for target, names in each.layout.mapping.columns.items()
        if target in ("ring_s", "talk_s", "duration_s")
        for name in names
    }
    for name, unit in sorted(named):
        if unit != "seconds":
            yield f"{name} is read as {unit}, as its name says"


def _bias(answered: int, told: int, refused: Counter[int]) -> Iterator[str]:
    """Whether rows that can't be read were answered as often as those that can."""
    lost = sum(refused.values())
    if not lost or not told:
        return
    hits = sum(count for code, count in refused.items() if code in ANSWERED_CODES)
    table = np.array([[hits, lost - hits], [answered, told - answered]])
    p_value = float(stats.fisher_exact(table).pvalue)
    difference = hits / lost - answered / told
    if p_value < BIAS_LEVEL and abs(difference) >= BIAS_SIZE:
        yield (
            f"the fit may be biased: of {lost:,} rows that can't be read for another reason "
            f"{hits / lost:.1%} say that they were answered, of the {told:,} that are used "
            f"{answered / told:.1%}"
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
