"""Attempts from columns of text: one batch of rows of a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration import convert
from outsim.calibration.convert import MISSING, Codes, Flags, Floats, Integers, Micros
from outsim.calibration.evidence import EITHER, Signs, settled, unit_of
from outsim.calibration.lines import Parsed
from outsim.calibration.log import NO_OUTCOME, Batch, Missed
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
from outsim.calibration.opening import shown
from outsim.calibration.values import NO_WORD, TIMES, Style

_LEAVE = -2
_UNKNOWN = -3
_EMPTY = "empty row"

_NO_ANSWER = WORDS.index("no_answer")


class _Rows:
    """The rows of a batch, with what becomes of those that are not used."""

    def __init__(self, parsed: Parsed, mapping: Mapping, style: Style, batch: Batch) -> None:
        self.lines: Integers = parsed.lines
        self.mapping = mapping
        self.style = style
        self.batch = batch
        self.kept = np.ones(len(parsed.lines), dtype=np.bool_)
        self.is_refused = np.zeros(len(parsed.lines), dtype=np.bool_)
        self.raw = {name: convert.trimmed(parsed.table[name]) for name in mapping.wanted}
        self._instants: dict[str, tuple[Micros, Flags]] = {}
        self._texts: dict[str, pa.Array] = {}

    def has(self, target: str) -> bool:
        return target in self.mapping.columns

    @property
    def are_chosen(self) -> bool:
        """Whether the user chose rows by the kind of call: then nothing else is left out by it."""
        named = {name for each in _KINDS for name in self.mapping.columns.get(each, ())}
        return bool(named & self.mapping.where.keys())

    def text(self, target: str) -> pa.Array:
        """Text of a field; missing where it is a word for nothing that the user gave no sense."""
        if target not in self._texts:
            self._texts[target] = self._text(target)
        return self._texts[target]

    def _text(self, target: str) -> pa.Array:
        texts = [self.raw[name] for name in self.mapping.columns[target]]
        if target in ("outcome", "answered_by"):
            outcomes, answerers = self.mapping.outcomes, self.mapping.answerers
            meant = outcomes if target == "outcome" else answerers
            nothing = frozenset(each for each in NO_WORD if word(each) not in meant)
            texts = [convert.without_placeholders(each, nothing) for each in texts]
        elif target not in TIMES and not target.endswith("_s"):
            texts = [convert.without_placeholders(each) for each in texts]
        if len(texts) == 1:
            return texts[0]
        return pc.binary_join_element_wise(*texts, " " if target in TIMES else "+")

    def leave_out(self, at: Flags, reason: str) -> None:
        count = int((at & self.kept).sum())
        if count:
            self.batch.left_out[reason] += count
            self.kept &= ~at

    def refuse(self, at: Flags, target: str, allowed: str, missing: str = "") -> None:
        """List rows as unreadable, with what their columns of this field say."""
        at = at & self.kept
        if not at.any():
            return
        texts = self.text(target).filter(pa.array(at)).to_pylist()
        name = "+".join(self.mapping.columns[target])
        for line, text in zip(self.lines[at].tolist(), texts, strict=True):
            found = f"no {name}" if text is None else f"{name} {shown(text)}"
            self.batch.unreadable.append(
                (line, found + (missing if text is None else ""), allowed)
            )
        self.kept &= ~at
        self.is_refused |= at

    def miss(self, at: Flags, target: str) -> None:
        """Note values that can't be read and are taken as missing."""
        at = at & self.kept
        if at.any():
            first = int(np.flatnonzero(at)[0])
            found = shown(str(self.text(target)[first]))
            name = "+".join(self.mapping.columns[target])
            self.batch.missed.append(Missed(name, int(at.sum()), int(self.lines[first]), found))

    def instants(self, target: str, zone: str | None) -> tuple[Micros, Flags]:
        """Instants of a field, and where a text is none."""
        if target not in self._instants:
            found, wrong, self.batch.evidence[target] = convert.instants(
                self.text(target), zone, self.mapping.time_format, self.style
            )
            self._instants[target] = found, wrong
        return self._instants[target]

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
        found, wrong, self.batch.evidence[target] = convert.numbers(
            self.text(target), target, self.style
        )
        used = found[self.kept]
        if target == "attempt" and (used == 0).sum() > (used == 1).sum():
            self.batch.evidence[target].signs.add("from zero")
        with np.errstate(invalid="ignore"):
            wrong |= (found < least) | (found > most)
        known = wrong if at is None else wrong & at
        if needed:
            allowed = f"write a number from {least:g}" + (f" to {most:g}" if most < np.inf else "")
            self.refuse(known, target, allowed)
        else:
            self.miss(known, target)
        found[wrong] = np.nan
        return found


def attempts_of(parsed: Parsed, mapping: Mapping, zone: str | None, style: Style) -> Batch:
    """Attempts of some rows of a table."""
    batch = Batch(rows=len(parsed.lines) + len(parsed.broken) + parsed.blank)
    batch.left_out[_EMPTY] += parsed.blank
    batch.unreadable += [(line, found, parsed.allowed) for line, found in parsed.broken]
    rows = _Rows(parsed, mapping, style, batch)
    _leave_out_others(rows)
    batch.outcome = _outcomes(rows, zone)
    if rows.has("started"):
        written = mapping.time_format
        batch.started, _ = rows.instants("started", zone)
        batch.is_local = convert.say_no_zone(rows.text("started"), written)
        allowed = convert.TIMES if written is None else f"write it as {written}"
        rows.refuse(batch.started == MISSING, "started", allowed)
    _durations(rows, batch, zone)
    if rows.has("attempt"):
        first = 0 if style.from_zero else 1
        counted = rows.numbers("attempt", first, most=MOST_ATTEMPTS, needed=True)
        batch.attempt = counted + 1 - first
    if rows.has("gap_s"):
        batch.gap_s = rows.numbers("gap_s", 0)
    if rows.has("weight"):
        batch.weight = rows.numbers("weight", 0, needed=True)
    if rows.has("number"):
        batch.numbers = rows.text("number")
    if rows.has("campaign"):
        batch.campaigns = rows.text("campaign")
    for name, target in (("keys", "id"), ("calls", "call"), ("legs", "leg"), ("others", "other")):
        if rows.has(target):
            setattr(batch, name, rows.text(target))
    if rows.has("context") and not rows.are_chosen:
        batch.contexts = rows.text("context")
    if batch.outcome is not None:
        batch.refused.update(batch.outcome[rows.is_refused & (batch.outcome >= 0)].tolist())
    batch.keep(rows.kept)
    batch.unreadable.sort()
    return batch


_KINDS = ("direction", "context", "parent")
"""Fields that tell what kind of call a row is of."""


def _leave_out_others(rows: _Rows) -> None:
    if all(text.null_count for text in rows.raw.values()):
        there = [convert.is_there(text) for text in rows.raw.values()]
        rows.leave_out(~np.any(there, axis=0), _EMPTY)
    for name, allowed in rows.mapping.where.items():
        others = pc.invert(
            pc.fill_null(pc.is_in(rows.raw[name], pa.array(sorted(allowed))), False)
        )
        rows.leave_out(convert.flags_of(others), f"{name} is not {' or '.join(sorted(allowed))}")
    if not rows.are_chosen:
        known = [rows.text(each) if rows.has(each) else None for each in _KINDS]
        for at, kind in no_dials(*known):
            rows.leave_out(at, kind)
    if rows.has("number"):
        others = pc.and_not(
            pc.match_substring_regex(rows.text("number"), "(?i)^(client|sips?):"),
            pc.match_substring_regex(rows.text("number"), "(?i)^sips?:[+]?[0-9 ().-]+[@;]"),
        )
        rows.leave_out(convert.flags_of(others), "dialed no phone number")


def _coded(text: pa.Array, words: dict[str, str]) -> tuple[Codes, list[str]]:
    """Codes of outcomes of a column of words, and each row's place among its distinct words."""
    texts, places = convert.encoded(text)
    said = [word(each) for each in texts]
    codes = np.array([_code(each, words) for each in said] + [NO_OUTCOME], dtype=np.int8)
    return codes[places], [*said, ""]


def _code(said: str, words: dict[str, str]) -> int:
    meant = words.get(said, words.get(ANY, KNOWN_WORDS.get(said)))
    if meant == CLEARED:
        return EITHER
    if meant is None:
        return WORDS.index(_plain(said)) if _plain(said) in WORDS else _UNKNOWN
    return _LEAVE if meant == LEFT_OUT else WORDS.index(meant)


def _plain(said: str) -> str:
    return said.replace(" ", "_")


def _outcomes(rows: _Rows, zone: str | None) -> Codes | None:
    count = len(rows.lines)
    mapping = rows.mapping
    if not rows.has("outcome") and not rows.has("answered_by"):
        if not rows.has("talk_s") and not rows.has("answered"):
            return None
        if rows.has("answered"):
            answer, wrong = rows.instants("answered", zone)
            rows.refuse(wrong, "answered", convert.TIMES)
            is_answered = answer != MISSING
        else:
            # Logs of all dials write a talk of no seconds where nobody answered.
            is_answered = rows.numbers("talk_s", 0, needed=True) > 0
        return np.where(is_answered, WORDS.index(ANSWERED), WORDS.index(UNANSWERED)).astype(
            np.int8
        )
    codes = np.full(count, WORDS.index(ANSWERED), dtype=np.int8)
    if rows.has("outcome"):
        codes, _ = _coded(rows.text("outcome"), mapping.outcomes)
        for said in _distinct(rows.text("outcome"), codes == _LEAVE):
            at = convert.flags_of(pc.equal(rows.text("outcome"), said))
            rows.leave_out(
                at & (codes == _LEAVE), f"{'+'.join(mapping.columns['outcome'])} {said}"
            )
        rows.refuse(
            codes == _UNKNOWN,
            "outcome",
            "write " + ", ".join(_known(mapping.outcomes)) + ", or say what it stands for with "
            "--outcome WORD=OUTCOME",
        )
    if rows.has("answered_by"):
        who, _ = _coded(rows.text("answered_by"), mapping.answerers)
        known = np.isin(codes, (WORDS.index(ANSWERED), EITHER)) & (who != NO_OUTCOME)
        rows.refuse(
            known & (who < 0), "answered_by", "write " + ", ".join(_known(mapping.answerers))
        )
        codes = np.where(known, who, codes)
    return codes


def _known(words: Iterable[str]) -> list[str]:
    return sorted({*(each for each in words if each != ANY)}) or list(WORDS)


def _distinct(text: pa.Array, at: Flags) -> list[str]:
    return [each for each in pc.unique(text.filter(pa.array(at))).to_pylist() if each is not None]


def _durations(rows: _Rows, batch: Batch, zone: str | None) -> None:
    """Ring and talk times, from what the log has of them."""
    nobody = np.full(len(rows.lines), np.nan)
    codes = batch.outcome
    known = np.zeros(len(nobody), np.bool_) if codes is None else codes != NO_OUTCOME
    answered = np.isin(codes, ANSWERED_CODES) if codes is not None else known
    started = batch.started if batch.started is not None else np.full(len(nobody), MISSING)

    def read(target: str, at: Flags) -> Floats:
        if not rows.has(target):
            return nobody
        return rows.numbers(target, 0, at) * unit_of(rows.mapping.columns[target])[1]

    def instants(target: str) -> Micros:
        if not rows.has(target):
            return np.full(len(nobody), MISSING)
        found, wrong = rows.instants(target, zone)
        rows.miss(wrong, target)
        return found

    talk, ring = read("talk_s", answered), read("ring_s", known)
    whole = read("duration_s", known)
    answer, end = instants("answered"), instants("ended")
    is_coarse = rows.style.whole_minutes
    between = convert.seconds_between
    after = between(answer, end)
    if codes is not None:
        has_answer = rows.has("answered")
        spoken = talk if rows.has("talk_s") else after if has_answer else None
        signs = Signs(answer != MISSING if has_answer else None, spoken)
        codes, doubts = settled(codes, signs, rows.kept)
        batch.outcome = codes
        batch.doubts += doubts
        answered = np.isin(codes, ANSWERED_CODES)
    possible = np.where((after >= 0) & ~(after > whole), after, np.nan)
    rest = whole - np.where(np.isnan(talk), possible, talk)
    by_times = between(started, answer)
    ring = np.where(answered & np.isnan(ring), _seconds_of(by_times, rest, is_coarse), ring)
    talk = np.where(np.isnan(talk), _seconds_of(after, whole - ring, is_coarse), talk)
    held = np.where(np.isnan(whole), between(started, end), whole)
    gave_up = codes == _NO_ANSWER if codes is not None else known
    ring = np.where(gave_up & np.isnan(ring), _seconds_of(held, nobody, is_coarse), ring)
    if any(rows.has(each) for each in ("ring_s", "answered", "duration_s", "ended")):
        batch.ring_s = np.where(answered | gave_up, ring, np.nan)
    if any(rows.has(each) for each in ("talk_s", "answered", "duration_s")):
        batch.talk_s = np.where(answered, talk, np.nan)


_CLOCK_CHANGE_S = 900
"""Clocks are put back by half an hour at least; durations are rounded by much less than this."""


def _seconds_of(by_times: Floats, by_durations: Floats, is_coarse: bool) -> Floats:
    """Seconds by the times; as the log's own durations have it where a clock change is in them.

    In the hour that clocks repeat local times say not which pass is meant, so that the seconds
    between two of them are negative, or too many by as much as clocks are put back.
    """
    with np.errstate(invalid="ignore"):
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


def no_dials(
    direction: pa.Array | None, context: pa.Array | None, parent: pa.Array | None
) -> Iterator[tuple[Flags, str]]:
    """Rows that are no outbound dials, with what they are."""
    if parent is not None:
        yield convert.is_there(parent), "child leg"
    for texts, kinds in ((direction, _DIRECTIONS), (context, _CONTEXTS)):
        if texts is None:
            continue
        words, places = convert.encoded(texts)
        for kind, pattern in kinds.items():
            of_word = [bool(re.search(pattern, text.lower())) for text in words]
            if any(of_word):
                yield np.array([*of_word, False])[places], kind
