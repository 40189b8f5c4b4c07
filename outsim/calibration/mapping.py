"""What columns and words of a call log stand for; makers.toml has those of known makers."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from outsim.calibration.times import is_time, is_time_format
from outsim.errors import unknown_name
from outsim.scenario.files import header_shown, read_lines, refusal
from outsim.units import shown
from outsim.vocabulary import ANSWERED as ANSWERED_OUTCOMES
from outsim.vocabulary import OUTCOMES

ANSWERED, UNANSWERED = "answered", "unanswered"
WORDS = (*OUTCOMES, ANSWERED, UNANSWERED)
"""Outcomes in a call log: those of a run, and two for logs that tell less. ``answered`` is a
person or a machine; ``unanswered`` rang out, was busy or was refused."""
ANSWERED_CODES = np.array([*ANSWERED_OUTCOMES, WORDS.index(ANSWERED)], dtype=np.int8)
MOST_ATTEMPTS = 1000
"""Attempts of one call that a log may tell of: more is a number of something else."""

FIELDS = {
    "started": "when it was dialed",
    "answered": "when it was answered",
    "ended": "when it was over",
    "outcome": "what became of it",
    "answered_by": "who answered: a person, a machine, a fax",
    "ring_s": "seconds until the answer, or until given up",
    "talk_s": "seconds from the answer to the end",
    "duration_s": "seconds from the dial to the end",
    "number": "number dialed; columns joined by + name it together",
    "attempt": "which dial of the call, from 1",
    "gap_s": "seconds since the call's previous attempt",
    "campaign": "attempts at a number belong to one call within one of these",
    "tenant": "customer whose call it is: each has lists of its own",
    "caller": "number that it was dialed from: stands for the customer where nothing else does",
    "direction": "rows that say inbound, internal, transfer ... are left out",
    "id": "rows that agree in it are records of one call",
    "call": "likewise, of several channels (Asterisk's linkedid)",
    "other": "id of the leg that it was connected to",
    "leg": "which record of its call it is: rows that differ in it are no duplicates",
    "parent": "call that it is a leg of: rows that name one are left out",
    "context": "dialplan context: rows with one of inbound calls are left out",
    "weight": "how many attempts the row stands for",
}
"""What a column of a log may stand for."""
BESIDE = {"answered_by", "campaign", "tenant", "caller"}
"""Fields that may be named beside the columns that a maker's table is known by."""

LEFT_OUT = "-"
"""In place of an outcome: rows with this word are left out, and counted."""
ANY = "*"
"""In place of a word of the log: every word that is not named."""

CLEARED = "cleared"
"""In place of an outcome: the word says how a call was cleared, not whether it was answered."""

_DATA = tomllib.loads((Path(__file__).parent / "makers.toml").read_text("utf-8"))


def _words(table: Dictionary[str, Sequence[str]]) -> dict[str, str]:
    return {text: meant for meant, words in table.items() for text in words}


_ANSWERERS = _words(_DATA["answerers"])
_DISPOSITIONS = _words(_DATA["makers"]["asterisk"]["words"])
KNOWN_WORDS = _words(_DATA["makers"]["connect"]["words"]) | _words(
    _DATA["makers"]["freeswitch"]["words"]
)
"""Words that mean the same in any log."""


def word(text: str) -> str:
    """A word as words are compared: in small letters, with one blank between parts."""
    plain = unicodedata.normalize("NFC", text.strip())
    return re.sub(r"[\s_-]+", " ", plain).lower() or plain


@dataclass(frozen=True)
class Mapping:
    """How to read a delimited file."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each of `FIELDS` the log has, its columns; several are joined."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """For words of the column of outcomes, compared as `word` writes them, one of the outcomes of
    `WORDS`, or `LEFT_OUT`. `ANY` stands for all other words."""
    time_format: str | None = None
    """How times are written, for `strptime`; None for the usual ways."""
    where: dict[str, frozenset[str]] = field(default_factory=dict)
    """Rows with other values in these columns are left out."""
    last_only: bool = False
    """Whether a row is the last attempt of a call."""

    @property
    def answerers(self) -> dict[str, str]:
        """What the words of the column of who answered stand for."""
        return _ANSWERERS | {
            text: meant
            for text, meant in self.outcomes.items()
            if meant in (*OUTCOMES, ANSWERED) and text not in (*_DISPOSITIONS, ANY)
        }

    @property
    def wanted(self) -> list[str]:
        """Columns of the file that are read."""
        named = [name for names in self.columns.values() for name in names]
        return list(dict.fromkeys([*named, *self.where]))

    def over(self, basis: Mapping) -> Mapping:
        """What it says, and what `basis` says where it says nothing itself."""
        return replace(
            self,
            columns=basis.columns | self.columns,
            outcomes=basis.outcomes | self.outcomes,
            time_format=self.time_format or basis.time_format,
            where=basis.where | self.where,
            last_only=self.last_only or basis.last_only,
        )


def _named(names: Sequence[str], known: Dictionary[str, Sequence[str]]) -> dict[str, tuple[str]]:
    """Columns of a header by field; case, blanks and signs don't matter."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(names)}
    matches = {target: [*filter(None, map(plain.get, among))] for target, among in known.items()}
    return {target: (columns[0],) for target, columns in matches.items() if columns}


def kinds_of(header: Sequence[str]) -> Mapping:
    """Columns of a header that say which rows are dials; the user need not name them."""
    return Mapping({**_named(header, _DATA["kinds"])})


MAKERS: tuple[str, ...] = tuple(_DATA["makers"])
"""Formats that are known by names of columns."""


def maker_of(maker: str, names: Sequence[str]) -> Mapping | None:
    """Mapping of a maker's table with these columns; None if it is another one's."""
    known = _DATA["makers"][maker]
    columns = _named(names, known["columns"])
    if not columns.keys() >= {*known["needed"]}:
        return None
    return Mapping({**columns}, _words(known["words"]))


@dataclass(frozen=True)
class Order:
    """A table without a header, known by where its times stand."""

    maker: str
    names: tuple[str, ...]
    least: int
    """Fields that a row has at least."""
    more: dict[str, str]
    """Columns by field, beside those by which the maker is known."""

    @cached_property
    def mapping(self) -> Mapping:
        """What its columns and words stand for."""
        basis = maker_of(self.maker, self.names)
        assert basis is not None
        return Mapping({target: (name,) for target, name in self.more.items()}).over(basis)

    def is_row(self, fields: Sequence[str], time_format: str | None) -> bool:
        """Whether fields may be a row of it."""
        if not self.least <= len(fields) <= len(self.names):
            return False
        first = self.names.index(self.mapping.columns["started"][0])
        started, *times, duration, talk, outcome = map(str.strip, fields[first : first + 6])
        return (
            is_time(started, time_format)
            and all(is_time(time, time_format) or not time for time in times)
            and re.fullmatch(r"[\d.]*", duration + talk) is not None
            and re.fullmatch(r"[A-Za-z][A-Za-z _]*", outcome) is not None
        )


WITHOUT_HEADER = tuple(
    Order(**{**order, "names": tuple(order["names"])}) for order in _DATA["orders"]
)


def mapping_of(
    columns: Dictionary[str, str] | None = None,
    outcomes: Dictionary[str, str] | None = None,
    time_format: str | None = None,
    where: Dictionary[str, str] | None = None,
    *,
    last_only: bool = False,
    file: Path | None = None,
) -> Mapping:
    """Mapping that a user gives; `where` has allowed values parted by ``|``."""
    for target in columns or {}:
        _check(file or "--columns", "field", target, FIELDS)
    for meant in (outcomes or {}).values():
        _check(file or "--outcomes", "outcome", meant, (*WORDS, LEFT_OUT))
    if time_format is not None and not is_time_format(time_format):
        raise refusal(
            "--time-format" if file is None else f"{file}: time_format",
            f"found {time_format[:80]!r}; write one that has year, month, day and time, such as "
            "'%m/%d/%Y %H:%M'",
        )
    return Mapping(
        {target: tuple(name.split("+")) for target, name in (columns or {}).items()},
        {text if text == ANY else word(text): meant for text, meant in (outcomes or {}).items()},
        time_format,
        {name: frozenset(values.split("|")) for name, values in (where or {}).items()},
        last_only,
    )


def _check(place: str | Path, what: str, name: str, allowed: Iterable[str]) -> None:
    if name not in allowed:
        raise refusal(place, unknown_name(what, header_shown([name]), allowed))


def read_mapping(file: Path) -> Mapping:
    """Mapping from a TOML file with the parameters of `mapping_of`."""
    try:
        options = tomllib.loads("".join(read_lines(file)))
    except tomllib.TOMLDecodeError as error:
        raise refusal(file, f"is not valid TOML: {error}") from None
    kinds: dict[str, type] = {"time_format": str, "last_only": bool}
    kinds |= dict.fromkeys(("columns", "outcomes", "where"), dict)
    for key, value in options.items():
        _check(file, "key of a mapping", key, kinds)
        texts = value.values() if isinstance(value, dict) else ()
        if not isinstance(value, kinds[key]) or not all(isinstance(text, str) for text in texts):
            raise refusal(
                file, f"{key}: found {shown(value)}; write a table of texts, or see the README"
            )
    return mapping_of(**options, file=file)


def pairs(text: str, place: str) -> dict[str, str]:
    """``A=x,B=y`` as a dictionary."""
    values = {}
    for part in text.split(","):
        name, sign, value = part.rpartition("=")
        if not sign or not name.strip() or not value.strip():
            raise refusal(place, f"found {shown(part)}; write NAME=VALUE, parted by commas")
        values[name.strip()] = value.strip()
    return values
