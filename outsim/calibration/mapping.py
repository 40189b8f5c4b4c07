"""What the columns and the words of a call log stand for, and the tables of known makers.

Asterisk: cdr_csv.c, cdr_custom.conf.sample and the table of cdr_mysql. FreeSWITCH: the templates
of mod_cdr_csv and its list of hangup causes. Amazon Connect: "Contact records data model".
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from outsim.calibration.log import ANSWERED, WORDS
from outsim.calibration.values import is_time, is_time_format
from outsim.scenario.files import header_shown, read_lines, refusal
from outsim.units import shown
from outsim.vocabulary import OUTCOMES

FIELDS = {
    "started": "when it was dialled",
    "answered": "when it was answered",
    "ended": "when it was over",
    "outcome": "what became of it",
    "answered_by": "who answered: a person, a machine, a fax",
    "ring_s": "seconds until the answer, or until given up",
    "talk_s": "seconds from the answer to the end",
    "duration_s": "seconds from the dial to the end",
    "number": "number dialled; columns joined by + name it together",
    "attempt": "which dial of the call, from 1",
    "gap_s": "seconds since the call's previous attempt",
    "campaign": "attempts at a number belong to one call within one of these",
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

LEFT_OUT = "-"
"""In place of an outcome: rows with this word are left out, and counted."""
ANY = "*"
"""In place of a word of the log: every word that is not named."""

_ASTERISK_DISPOSITIONS = {
    "answered": ANSWERED,
    "no answer": "no_answer",
    "busy": "busy",
    "failed": "invalid",
    "congestion": "congestion",
}
_TWILIO_STATUSES = {
    "completed": ANSWERED,
    "no answer": "no_answer",
    "busy": "busy",
    "failed": "invalid",
    **dict.fromkeys(("canceled", "queued", "initiated", "ringing", "in progress"), LEFT_OUT),
}
CLEARED = "cleared"
"""In place of an outcome: the word says how a call was cleared, not whether it was answered."""

HANGUP_CAUSES = {
    **dict.fromkeys(("normal clearing", "success"), CLEARED),
    **dict.fromkeys(
        (
            *("no answer", "no user response", "originator cancel"),
            *("progress timeout", "allotted timeout"),
        ),
        "no_answer",
    ),
    **dict.fromkeys(("user busy", "call rejected"), "busy"),
    **dict.fromkeys(("lose race", "picked off", "attended transfer", "blind transfer"), LEFT_OUT),
    **dict.fromkeys(
        (
            *("unallocated number", "invalid number format", "no route destination"),
            *("number changed", "destination out of order", "subscriber absent"),
        ),
        "invalid",
    ),
    **dict.fromkeys(
        (
            *("normal circuit congestion", "switch congestion", "normal temporary failure"),
            *("network out of order", "recovery on timer expire", "gateway down"),
            *("requested chan unavail", "exchange routing error", "normal unspecified"),
            "service unavailable",
        ),
        "congestion",
    ),
}
"""Causes of clearing, by the names of ITU-T Q.850 as FreeSWITCH and others write them."""
CONNECT_ANSWERERS = {
    "human answered": "human",
    **dict.fromkeys(("voicemail beep", "voicemail no beep"), "voicemail"),
    "fax machine detected": "fax",
    "amd unanswered": "no_answer",
    "sit tone busy": "busy",
    **dict.fromkeys(("sit tone invalid number", "sit tone detected"), "invalid"),
    **dict.fromkeys(("amd unresolved", "amd unresolved silence", "amd error"), ANSWERED),
    "amd not applicable": LEFT_OUT,
}
"""Answering machine detection of Amazon Connect."""
KNOWN_WORDS = CONNECT_ANSWERERS | HANGUP_CAUSES
"""Words that mean the same in any log."""
_ANSWERERS = {
    **dict.fromkeys(("human", "person", "voice"), "human"),
    **dict.fromkeys(
        (
            "machine",
            "machine start",
            "machine end beep",
            "machine end silence",
            "machine end other",
            "answeringmachine",
            "voicemail",
        ),
        "voicemail",
    ),
    "fax": "fax",
    **dict.fromkeys(("unknown", "notsure", "processing"), ANSWERED),
}
"""Who answered, in the words of Twilio, of Asterisk's AMD and of the platform."""

ASTERISK_COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield"),
)
"""Columns of Asterisk's cdr-csv in order (cdr_csv.c); the last two only if it was told to log
them, and then up to three more."""
ASTERISK_MORE = ("peeraccount", "linkedid", "sequence")

_TWILIO_HEADERS = {
    "id": ("sid", "callsid"),
    "outcome": ("status", "callstatus"),
    "started": ("starttime", "startdate", "date", "datecreated"),
    "talk_s": ("duration", "durations", "callduration"),
    "number": ("to", "toformatted", "called"),
    "direction": ("direction",),
    "parent": ("parentcallsid",),
    "answered_by": ("answeredby",),
}
"""Columns of Twilio's export of calls, by the names of its Call resource; case, blanks and
underscores don't matter. The first three must be there."""


def word(text: str) -> str:
    """A word as words are compared: in small letters, with one blank between parts."""
    plain = unicodedata.normalize("NFC", text.strip())
    return re.sub(r"[\s_-]+", " ", plain).lower() or plain


@dataclass(frozen=True)
class Mapping:
    """How to read a delimited file.

    Attributes
    ----------
    columns : dict of str to tuple of str
        For each of `FIELDS` the log has, its columns; several are joined.
    outcomes : dict of str to str
        For words of the column of outcomes, compared as `word` writes them, one of the outcomes
        of `outsim.calibration.log.WORDS`, or `LEFT_OUT`. `ANY` stands for all other words.
    time_format : str or None
        How times are written, for `strptime`; None for the usual ways.
    where : dict of str to frozenset of str
        Rows with other values in these columns are left out.
    last_only : bool
        Whether a row is the last attempt of a call.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    time_format: str | None = None
    where: dict[str, frozenset[str]] = field(default_factory=dict)
    last_only: bool = False

    @property
    def answerers(self) -> dict[str, str]:
        """What the words of the column of who answered stand for."""
        return _ANSWERERS | {
            said: meant
            for said, meant in self.outcomes.items()
            if meant in (*OUTCOMES, ANSWERED) and said not in (*_ASTERISK_DISPOSITIONS, ANY)
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


ASTERISK = Mapping(
    columns={
        "started": ("start",),
        "answered": ("answer",),
        "ended": ("end",),
        "outcome": ("disposition",),
        "talk_s": ("billsec",),
        "duration_s": ("duration",),
        "number": ("dst",),
        "context": ("dcontext",),
        "leg": ("dstchannel",),
        "id": ("uniqueid",),
        "call": ("linkedid",),
    },
    outcomes=_ASTERISK_DISPOSITIONS,
)


def twilio(header: Sequence[str]) -> Mapping | None:
    """Mapping of Twilio's export with this header; None if it is another file's."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(header)}
    columns: dict[str, tuple[str, ...]] = {}
    for target, names in _TWILIO_HEADERS.items():
        found = [plain[name] for name in names if name in plain]
        if found:
            columns[target] = (found[0],)
    if not {"id", "outcome", "started"} <= set(columns):
        return None
    return Mapping(columns=columns, outcomes=_TWILIO_STATUSES)


def mapping_of(
    columns: Dictionary[str, str] | None = None,
    outcomes: Dictionary[str, str] | None = None,
    time_format: str | None = None,
    where: Dictionary[str, str] | None = None,
    *,
    last_only: bool = False,
    file: Path | None = None,
) -> Mapping:
    """Mapping that a user gives, on the command line or in a file.

    `where` has allowed values parted by ``|``.
    """
    for target in columns or {}:
        _check("--columns" if file is None else file, "field", target, FIELDS)
    for meant in (outcomes or {}).values():
        _check("--outcome" if file is None else file, "outcome", meant, (*WORDS, LEFT_OUT))
    if time_format is not None and not is_time_format(time_format):
        place = "--time-format" if file is None else f"{file}: time_format"
        raise refusal(
            place,
            f"found {time_format[:80]!r}; write one that has year, month, day and time, such as "
            "'%m/%d/%Y %H:%M'",
        )
    joined: dict[str, tuple[str, ...]] = {
        target: tuple(name.split("+")) for target, name in (columns or {}).items()
    }
    return Mapping(
        joined,
        {said if said == ANY else word(said): meant for said, meant in (outcomes or {}).items()},
        time_format,
        {name: frozenset(values.split("|")) for name, values in (where or {}).items()},
        last_only,
    )


def _check(
    place: str | Path, what: str, found: str, allowed: Sequence[str] | dict[str, str]
) -> None:
    if found not in allowed:
        near = get_close_matches(found, list(allowed), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(allowed)}"
        raise refusal(place, f"found {header_shown([found])!r}, which is no {what}; {hint}")


def read_mapping(file: Path) -> Mapping:
    """Mapping from a TOML file, with tables ``columns``, ``outcomes`` and ``where``.

    ``time_format`` and ``last_only`` may stand above them.
    """
    try:
        found = tomllib.loads("".join(read_lines(file)))
    except tomllib.TOMLDecodeError as error:
        raise refusal(file, f"is no valid TOML: {error}") from None
    allowed = ("columns", "outcomes", "where", "time_format", "last_only")
    for key, value in found.items():
        _check(file, "key of a mapping", key, allowed)
        kind = {"time_format": str, "last_only": bool}.get(key, dict)
        texts = value.values() if isinstance(value, dict) else ()
        if not isinstance(value, kind) or not all(isinstance(each, str) for each in texts):
            raise refusal(
                file, f"{key}: found {shown(value)}; write a table of texts, or see the README"
            )
    return mapping_of(
        found.get("columns"),
        found.get("outcomes"),
        found.get("time_format"),
        found.get("where"),
        last_only=found.get("last_only", False),
        file=file,
    )


def pairs(text: str, place: str) -> dict[str, str]:
    """``A=x,B=y`` as a dictionary."""
    found = {}
    for part in text.split(","):
        name, sign, value = part.rpartition("=")
        if not sign or not name.strip() or not value.strip():
            raise refusal(place, f"found {shown(part)}; write NAME=VALUE, parted by commas")
        found[name.strip()] = value.strip()
    return found


_FREESWITCH_COLUMNS = (
    *("caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp"),
    *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid"),
    *("accountcode", "read_codec", "write_codec"),
)
"""The template "example" of mod_cdr_csv, which it takes if nothing else is said."""


@dataclass(frozen=True)
class _Maker:
    """Columns by which a maker's table is known, by field; the first that is there counts."""

    columns: dict[str, tuple[str, ...]]
    needed: frozenset[str]
    outcomes: dict[str, str]

    def mapping(self, names: Sequence[str]) -> Mapping | None:
        plain = {_plain(name): name for name in reversed(names)}
        found: dict[str, tuple[str, ...]] = {
            target: (next(plain[each] for each in known if each in plain),)
            for target, known in self.columns.items()
            if any(each in plain for each in known)
        }
        return Mapping(found, self.outcomes) if self.needed <= set(found) else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z.]", "", name.lower())


_ASTERISK_TABLE = _Maker(
    {
        "started": ("calldate", "start"),
        "answered": ("answer",),
        "ended": ("end",),
        "outcome": ("disposition",),
        "talk_s": ("billsec",),
        "duration_s": ("duration",),
        "number": ("dst",),
        "id": ("uniqueid",),
    },
    frozenset({"started", "outcome", "talk_s", "number"}),
    ASTERISK.outcomes,
)
_FREESWITCH = _Maker(
    {
        "started": ("startstamp",),
        "answered": ("answerstamp",),
        "ended": ("endstamp",),
        "outcome": ("hangupcause",),
        "talk_s": ("billsec",),
        "duration_s": ("duration",),
        "number": ("destinationnumber",),
        "direction": ("direction",),
        "id": ("uuid",),
    },
    frozenset({"started", "outcome", "talk_s"}),
    HANGUP_CAUSES,
)
_CONNECT = _Maker(
    {
        "started": ("initiationtimestamp",),
        "answered": ("connectedtosystemtimestamp",),
        "ended": ("disconnecttimestamp",),
        "outcome": ("answeringmachinedetectionstatus",),
        "number": ("customerendpoint.address", "customerendpointaddress"),
        "direction": ("initiationmethod",),
        "id": ("contactid",),
    },
    frozenset({"started", "outcome", "number"}),
    CONNECT_ANSWERERS,
)

BY_NAMES: dict[str, Callable[[Sequence[str]], Mapping | None]] = {
    "twilio": twilio,
    "asterisk": _ASTERISK_TABLE.mapping,
    "freeswitch": _FREESWITCH.mapping,
    "connect": _CONNECT.mapping,
}
"""For each format that is known by names of columns, its mapping; None if they are others'."""


@dataclass(frozen=True)
class Order:
    """A table without a header, known by where its times stand."""

    format: str
    names: tuple[str, ...]
    least: int
    """Fields that a row has at least."""
    mapping: Mapping

    @property
    def _start(self) -> int:
        return self.names.index(self.mapping.columns["started"][0])

    def is_row(self, fields: Sequence[str], time_format: str | None) -> bool:
        """Whether fields may be a row of it."""
        if not self.least <= len(fields) <= len(self.names):
            return False
        started, answered, ended, duration, talk, outcome = (
            each.strip() for each in fields[self._start : self._start + 6]
        )
        return (
            is_time(started, time_format)
            and all(is_time(each, time_format) or not each for each in (answered, ended))
            and all(re.fullmatch(r"[\d.]*", each) for each in (duration, talk))
            and re.fullmatch(r"[A-Za-z][A-Za-z _]*", outcome) is not None
        )


_CUSTOM_COLUMNS = (
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags", "accountcode"),
    *("uniqueid", "userfield", "sequence"),
)
_CUSTOM = replace(
    ASTERISK,
    columns={key: each for key, each in ASTERISK.columns.items() if each[0] in _CUSTOM_COLUMNS},
)
_FREESWITCH_MAPPING = _FREESWITCH.mapping(_FREESWITCH_COLUMNS)
assert _FREESWITCH_MAPPING is not None

WITHOUT_HEADER = (
    Order("asterisk", (*ASTERISK_COLUMNS, *ASTERISK_MORE), len(ASTERISK_COLUMNS) - 2, ASTERISK),
    Order("asterisk", _CUSTOM_COLUMNS, _CUSTOM_COLUMNS.index("userfield"), _CUSTOM),
    Order("freeswitch", _FREESWITCH_COLUMNS, 10, _FREESWITCH_MAPPING),
)
"""Asterisk's cdr-csv, which has its last columns only if it is told to log them; its cdr-custom
as the sample has it; FreeSWITCH's mod_cdr_csv."""


_HEADERS = {
    "direction": ("direction", "calldirection", "initiationmethod", "calltype", "type"),
    "context": ("dcontext", "context"),
    "parent": ("parentcallsid", "parentsid", "parentcallid", "parentcalluuid"),
    "call": ("linkedid", "calluuid"),
    "id": ("uniqueid", "callsid", "uuid", "callid"),
    "other": ("bleguuid",),
}
"""Columns that tell legs and directions, by names that a header has of itself."""


def told_by_header(header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns of a header that say which rows are dials, by field; the user need not name them."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(header)}
    found = {
        field: next((plain[name] for name in names if name in plain), None)
        for field, names in _HEADERS.items()
    }
    return {field: (name,) for field, name in found.items() if name}
