"""Logs of known makers: what their columns are called or in which order they stand.

Asterisk: cdr_csv.c, cdr_custom.conf.sample and the table of cdr_mysql. FreeSWITCH: the templates
of mod_cdr_csv and its list of hangup causes. Amazon Connect: "Contact records data model".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from outsim.calibration.mapping import (
    ASTERISK,
    ASTERISK_COLUMNS,
    ASTERISK_MORE,
    CONNECT_ANSWERERS,
    HANGUP_CAUSES,
    Mapping,
    twilio,
)
from outsim.calibration.values import is_time

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
