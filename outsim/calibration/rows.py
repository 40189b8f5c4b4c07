"""Attempts from columns of text: one batch of rows of a log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration import values
from outsim.calibration.evidence import EITHER, settled, unit_of
from outsim.calibration.log import NO_OUTCOME, Batch
from outsim.calibration.mapping import (
    ANSWERED,
    ANSWERED_CODES,
    ANY,
    CLEARED,
    KNOWN_WORDS,
    LEFT_OUT,
    MOST_ATTEMPTS,
    UNANSWERED,
    WORDS,
    Mapping,
    word,
)
from outsim.calibration.sources import Parsed, shown
from outsim.calibration.times import ALLOWED, MISSING, instants, seconds_between
from outsim.calibration.values import NO_WORD, TIMES, Codes, Flags, Floats, Micros, Style

_LEAVE = -2
_UNKNOWN = -3
_EMPTY = "empty row"
_ANSWERED = WORDS.index(ANSWERED)


class _Rows:
    """The rows of a batch, with what becomes of those that are not used."""

    def __init__(
        self, parsed: Parsed, mapping: Mapping, zone: str | None, style: Style, batch: Batch
    ) -> None:
        self.lines = parsed.lines
        self.mapping = mapping
        self.zone = zone
        self.style = style
        self.batch = batch
        self.used = np.ones(len(parsed.lines), dtype=np.bool_)
        self.is_refused = np.zeros(len(parsed.lines), dtype=np.bool_)
        self.raw = {name: values.trimmed(parsed.table[name]) for name in mapping.wanted}
        self.text = cache(self._text)
        self.instants = cache(self._instants)

    def has(self, *targets: str) -> bool:
        return any(target in self.mapping.columns for target in targets)

    @property
    def are_chosen(self) -> bool:
        """Whether the user chose rows by the kind of call: then nothing else is left out by it."""
        named = {name for kind in _KINDS for name in self.mapping.columns.get(kind, ())}
        return bool(named & self.mapping.where.keys())

    def _text(self, target: str) -> pa.Array:
        """Text of a field; missing where it is a word for nothing that the user gave no sense."""
        texts = [self.raw[name] for name in self.mapping.columns[target]]
        if target in ("outcome", "answered_by"):
            meant = self.mapping.outcomes if target == "outcome" else self.mapping.answerers
            nothing = frozenset(blank for blank in NO_WORD if word(blank) not in meant)
            texts = [values.without_placeholders(text, nothing) for text in texts]
        elif target not in TIMES and not target.endswith("_s"):
            texts = [values.without_placeholders(text) for text in texts]
        if len(texts) == 1:
            return texts[0]
        return pc.binary_join_element_wise(*texts, " " if target in TIMES else "+")

    def leave_out(self, at: Flags, reason: str) -> None:
        count = int((at & self.used).sum())
        if count:
            self.batch.left_out[reason] += count
            self.used &= ~at

    def refuse(self, at: Flags, target: str, allowed: str) -> None:
        """List rows as unreadable, with what their columns of this field say."""
        at = at & self.used
        if not at.any():
            return
        texts = self.text(target).filter(pa.array(at)).to_pylist()
        name = "+".join(self.mapping.columns[target])
        for line, text in zip(self.lines[at].tolist(), texts, strict=True):
            what = f"no {name}" if text is None else f"{name} {shown(text)}"
            self.batch.unreadable.append((line, what, allowed))
        self.used &= ~at
        self.is_refused |= at

    def miss(self, at: Flags, target: str) -> None:
        """Note values that can't be read and are taken as missing."""
        at = at & self.used
        if at.any():
            first = int(np.flatnonzero(at)[0])
            what = shown(str(self.text(target)[first]))
            name = "+".join(self.mapping.columns[target])
            self.batch.missed.append((name, int(at.sum()), int(self.lines[first]), what))

    def _instants(self, target: str) -> tuple[Micros, Flags, Flags]:
        """Instants of a field, where a text is none, and where it says no zone."""
        micros, wrong, is_local, self.batch.evidence[target] = instants(
            self.text(target), self.zone, self.mapping.time_format, self.style
        )
        return micros, wrong, is_local

    def numbers(
        self,
        target: str,
        least: float,
        at: Flags | None = None,
        *,
        most: float = np.inf,
        needed: bool = False,
    ) -> Floats:
        """Numbers of a field; a row without one is refused if it is needed."""
        amounts, wrong, evidence = values.numbers(self.text(target), target, self.style)
        self.batch.evidence[target] = evidence
        used = amounts[self.used]
        if target == "attempt" and (used == 0).sum() > (used == 1).sum():
            evidence.signs.add("from zero")
        wrong |= (amounts < least) | (amounts > most)
        known = wrong if at is None else wrong & at
        if needed:
            allowed = f"write a number from {least:g}" + (f" to {most:g}" if most < np.inf else "")
            self.refuse(known, target, allowed)
        else:
            self.miss(known, target)
        amounts[wrong] = np.nan
        return amounts


_TEXTS = {
    "numbers": "number",
    "campaigns": "campaign",
    "tenants": "tenant",
    "callers": "caller",
    "keys": "id",
    "calls": "call",
    "legs": "leg",
    "others": "other",
}
"""Fields of a batch that are texts of the log as they are."""


def attempts_of(parsed: Parsed, mapping: Mapping, zone: str | None, style: Style) -> Batch:
    """Attempts of some rows of a table."""
    batch = Batch(len(parsed.lines) + len(parsed.broken) + parsed.blank)
    batch.left_out[_EMPTY] += parsed.blank
    batch.unreadable += [(line, what, parsed.allowed) for line, what in parsed.broken]
    rows = _Rows(parsed, mapping, zone, style, batch)
    columns = batch.columns
    _leave_out_others(rows)
    outcome = _outcomes(rows)
    if rows.has("started"):
        columns["started"], _, columns["is_local"] = rows.instants("started")
        written = mapping.time_format
        allowed = ALLOWED if written is None else f"write it as {written}"
        rows.refuse(columns["started"] == MISSING, "started", allowed)
    outcome = _durations(rows, outcome)
    if outcome is not None:
        columns["outcome"] = outcome
        batch.refused.update(outcome[rows.is_refused & (outcome >= 0)].tolist())
    if rows.has("attempt"):
        first = 0 if style.from_zero else 1
        counted = rows.numbers("attempt", first, most=MOST_ATTEMPTS, needed=True)
        columns["attempt"] = counted + 1 - first
    if rows.has("gap_s"):
        columns["gap_s"] = rows.numbers("gap_s", 0)
    if rows.has("weight"):
        columns["weight"] = rows.numbers("weight", 0, needed=True)
    texts = _TEXTS if rows.are_chosen else _TEXTS | {"contexts": "context"}
    columns |= {name: rows.text(target) for name, target in texts.items() if rows.has(target)}
    if not rows.used.all():
        used = pa.array(rows.used)
        batch.columns = {
            name: array.filter(used) if isinstance(array, pa.Array) else array[rows.used]
            for name, array in columns.items()
        }
    batch.unreadable.sort()
    return batch


_KINDS = ("direction", "context", "parent")
"""Fields that tell what kind of call a row is of."""


def _leave_out_others(rows: _Rows) -> None:
    if all(text.null_count for text in rows.raw.values()):
        filled = [values.is_there(text) for text in rows.raw.values()]
        rows.leave_out(~np.any(filled, axis=0), _EMPTY)
    for name, allowed in rows.mapping.where.items():
        is_allowed = values.flags_of(pc.is_in(rows.raw[name], pa.array(sorted(allowed))))
        rows.leave_out(~is_allowed, f"{name} is not {' or '.join(sorted(allowed))}")
    if not rows.are_chosen:
        if rows.has("parent"):
            rows.leave_out(values.is_there(rows.text("parent")), "child leg")
        for target, kinds in (("direction", _DIRECTIONS), ("context", _CONTEXTS)):
            words, places = values.encoded(rows.text(target)) if rows.has(target) else ([], ())
            for kind, pattern in kinds.items() if words else ():
                is_kind = [bool(re.search(pattern, text.lower())) for text in words]
                rows.leave_out(np.array([*is_kind, False])[places], kind)
    if rows.has("number"):
        others = pc.and_not(
            pc.match_substring_regex(rows.text("number"), "(?i)^(client|sips?):"),
            pc.match_substring_regex(rows.text("number"), "(?i)^sips?:[+]?[0-9 ().-]+[@;]"),
        )
        rows.leave_out(values.flags_of(others), "dialed no phone number")


def _coded(text: pa.Array, words: dict[str, str]) -> Codes:
    """Codes of outcomes of a column of words."""
    texts, places = values.encoded(text)
    codes = [_code(word(one), words) for one in texts]
    return np.array([*codes, NO_OUTCOME], dtype=np.int8)[places]


def _code(text: str, words: dict[str, str]) -> int:
    meant = words.get(text, words.get(ANY, KNOWN_WORDS.get(text)))
    if meant == CLEARED:
        return EITHER
    if meant == LEFT_OUT:
        return _LEAVE
    meant = text.replace(" ", "_") if meant is None else meant
    return WORDS.index(meant) if meant in WORDS else _UNKNOWN


def _outcomes(rows: _Rows) -> Codes | None:
    mapping = rows.mapping
    if not rows.has("outcome", "answered_by"):
        if rows.has("answered"):
            answer, wrong, _ = rows.instants("answered")
            rows.refuse(wrong, "answered", ALLOWED)
            is_answered = answer != MISSING
        elif rows.has("talk_s"):
            # Logs of all dials write a talk of no seconds where nobody answered.
            is_answered = rows.numbers("talk_s", 0, needed=True) > 0
        else:
            return None
        return np.where(is_answered, _ANSWERED, WORDS.index(UNANSWERED)).astype(np.int8)
    codes = np.full(len(rows.lines), _ANSWERED, dtype=np.int8)
    if rows.has("outcome"):
        text = rows.text("outcome")
        codes = _coded(text, mapping.outcomes)
        for label in pc.unique(text.filter(pa.array(codes == _LEAVE))).to_pylist():
            reason = f"{'+'.join(mapping.columns['outcome'])} {label}"
            rows.leave_out(values.flags_of(pc.equal(text, label)), reason)
        rows.refuse(
            codes == _UNKNOWN,
            "outcome",
            f"write {_known(mapping.outcomes)}, or say what it stands for with "
            "--outcomes WORD=OUTCOME",
        )
    if rows.has("answered_by"):
        who = _coded(rows.text("answered_by"), mapping.answerers)
        known = np.isin(codes, (_ANSWERED, EITHER)) & (who != NO_OUTCOME)
        rows.refuse(known & (who < 0), "answered_by", f"write {_known(mapping.answerers)}")
        codes = np.where(known, who, codes)
    return codes


def _known(words: Iterable[str]) -> str:
    return ", ".join(sorted({*words} - {ANY}) or WORDS)


def _durations(rows: _Rows, codes: Codes | None) -> Codes | None:
    """Put in ring and talk times, from what the log has of them; outcomes as they settle."""
    columns = rows.batch.columns
    nothing = np.full(len(rows.lines), np.nan)
    never = np.full(len(nothing), MISSING)
    known = np.zeros(len(nothing), np.bool_) if codes is None else codes != NO_OUTCOME
    answered = known if codes is None else np.isin(codes, ANSWERED_CODES)
    started = columns.get("started", never)

    def read(target: str, at: Flags) -> Floats:
        if not rows.has(target):
            return nothing
        return rows.numbers(target, 0, at) * unit_of(rows.mapping.columns[target])[1]

    def read_instants(target: str) -> Micros:
        if not rows.has(target):
            return never
        times, wrong, _ = rows.instants(target)
        rows.miss(wrong, target)
        return times

    talk, ring = read("talk_s", answered), read("ring_s", known)
    whole = read("duration_s", known)
    answer, end = read_instants("answered"), read_instants("ended")
    is_coarse = rows.style.whole_minutes
    after = seconds_between(answer, end)
    gave_up = known
    if codes is not None:
        has_answer = rows.has("answered")
        spoken = talk if rows.has("talk_s") else after if has_answer else None
        codes, rows.batch.doubts = settled(
            codes, answer != MISSING if has_answer else None, spoken, rows.used
        )
        answered, gave_up = np.isin(codes, ANSWERED_CODES), codes == WORDS.index("no_answer")
    possible = np.where((after >= 0) & ~(after > whole), after, np.nan)
    rest = whole - np.where(np.isnan(talk), possible, talk)
    by_times = seconds_between(started, answer)
    ring = np.where(answered & np.isnan(ring), _seconds_of(by_times, rest, is_coarse), ring)
    talk = np.where(np.isnan(talk), _seconds_of(after, whole - ring, is_coarse), talk)
    lasted = np.where(np.isnan(whole), seconds_between(started, end), whole)
    ring = np.where(gave_up & np.isnan(ring), _seconds_of(lasted, nothing, is_coarse), ring)
    if rows.has("ring_s", "answered", "duration_s", "ended"):
        columns["ring_s"] = np.where(answered | gave_up, ring, np.nan)
    if rows.has("talk_s", "answered", "duration_s"):
        columns["talk_s"] = np.where(answered, talk, np.nan)
    return codes


_CLOCK_CHANGE_S = 900
"""Clocks are put back by half an hour at least; durations are rounded by much less than this."""


def _seconds_of(by_times: Floats, by_durations: Floats, is_coarse: bool) -> Floats:
    """Seconds by times; by the log's own durations where clocks were put back between the two."""
    changed = is_coarse | (np.abs(by_times - by_durations) > _CLOCK_CHANGE_S)
    known = (by_times >= 0) & ~(changed & (by_durations >= 0))
    seconds = np.where(known, by_times, by_durations)
    return np.where(seconds >= 0, seconds, np.nan)


_DIRECTIONS = {
    "inbound": r"^in([-_ ]?(bound|coming|ward).*)?$|^i$|(^|[-_ ])terminating$|^(received|missed)"
    r"|^from[-_ ](trunk|pstn)|^(entrante|entrant|eingehend|inkommande)",
    "child leg": r"^out(bound|going)[-_ ]dial$",
    "transfer": r"transfer|xfer",
    "queue leg": r"queue",
    "conference": r"conference|confbridge|meetme",
    "internal": r"^(internal|intercom|extension|on[-_ ]?net)$",
}
"""Kinds of rows by what a column of directions says of them."""


_CONTEXTS = {
    "inbound": r"^from[-_](trunk|pstn|did|external|sip[-_]?external|sip[-_]?trunk|dahdi|zap"
    r"|provider|carrier|gateway|outside|public)|^ext[-_]did|^in(bound|coming)?([-_ ]|$)"
    r"|^public$|^did([-_]|$)|[-_](inbound|incoming)$",
    "transfer": r"[-_](xfer|transfer)$",
    "queue leg": r"^(ext|from)[-_]queues?",
    "conference": r"^(ext[-_]meetme|conferences?$|confbridge)",
    "internal": r"^(ext[-_](local|group|findmefollow)|internal$|intercom)",
}
"""Kinds of rows by their dialplan's context, as FreePBX and common dialplans name them."""
