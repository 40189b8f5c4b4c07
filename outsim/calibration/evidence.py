"""Words for outcomes held against what the same row says of the time of answer and of talk.

Neither is always right. A word gives way only where all that the row has speaks against it; where
one sign does, the word stands and the doubt is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.calibration.convert import Flags, Floats
from outsim.calibration.log import ANSWERED, WORDS
from outsim.vocabulary import ANSWERED as ANSWERED_OUTCOMES

Codes = NDArray[np.int8]

EITHER = -4
"""Code of a word that says how a call was cleared, and not whether it was answered."""

ANSWERED_CODES = np.array([*ANSWERED_OUTCOMES, WORDS.index(ANSWERED)], dtype=np.int8)
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


@dataclass(frozen=True)
class Signs:
    """What rows have beside their words.

    Attributes
    ----------
    answer : bool array of shape (rows,), or None
        Whether there is a time of answer; None if the log has none at all.
    talk_s : float64 array of shape (rows,), or None
        Seconds of talk, missing where there is none; None if the log has none at all.
    """

    answer: Flags | None
    talk_s: Floats | None


def settled(codes: Codes, signs: Signs, among: Flags) -> tuple[Codes, Counter[str]]:
    """Outcomes after words were held against the evidence; how many rows of each kind there are.

    Only rows `among` those that are used are counted.

    A word for an answer gives way where the log has times of answer, and the row has neither one
    nor talk; a word for none gives way where the row has both.
    """
    nothing = np.zeros(len(codes), dtype=np.bool_)
    answer = nothing if signs.answer is None else signs.answer
    talk_s = np.full(len(codes), np.nan) if signs.talk_s is None else signs.talk_s
    with np.errstate(invalid="ignore"):
        talk, no_talk = talk_s > 0, ~(talk_s > 0)
    either = codes == EITHER
    says_answered = np.isin(codes, ANSWERED_CODES)
    says_none = (codes >= 0) & ~says_answered
    found: Counter[str] = Counter()

    def note(kind: str, at: Flags) -> None:
        found[kind] = int((at & among).sum())

    if signs.answer is None and signs.talk_s is None:
        note(CLEARED, either)
        return np.where(either, _ANSWERED, codes).astype(np.int8), +found
    never = says_answered & ~answer & no_talk & (signs.answer is not None)
    spoke = says_none & answer & talk
    note(NEVER, never)
    note(SPOKE, spoke)
    note(SILENT, either & ~answer & no_talk)
    note(TALK_ALONE, says_none & ~answer & talk)
    note(ANSWER_ALONE, says_none & answer & no_talk)
    if signs.answer is None:
        note(NO_TALK, says_answered & (talk_s == 0))
    codes = np.where(either, np.where(answer | talk, _ANSWERED, _NO_ANSWER), codes)
    codes = np.where(never, _NO_ANSWER, np.where(spoke, _ANSWERED, codes))
    return codes.astype(np.int8), +found


def notes_of(found: Mapping[str, int], answered: int) -> list[str]:
    """What is to be said of rows whose words and evidence differ."""
    return [
        text.format(count=f"{found[kind]:,}", answered=f"{answered:,}")
        for kind, text in _NOTES.items()
        if found.get(kind) and (kind != NO_TALK or found[kind] > _WORTH_A_NOTE * answered)
    ]
