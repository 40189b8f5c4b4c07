"""Values of a call log as people and programs write them: nothing, numbers, durations, times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pandas as pd

_LONGEST_TIME = 80
"""Characters of a time that is looked at."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai", "jun juin"),
            *("jul juil", "aug aoû aou ago", "sep", "oct okt", "nov", "dec déc dez dic"),
        ),
        1,
    )
    for name in names.split()
}
"""Months by how their names begin, in English, German, French and Spanish."""

_OFFSETS_H = {
    **dict.fromkeys(("z", "utc", "gmt", "ut", "wet"), 0),
    **dict.fromkeys(("est", "cdt"), -5),
    **dict.fromkeys(("cst", "mdt"), -6),
    **dict.fromkeys(("mst", "pdt"), -7),
    **dict.fromkeys(("pst", "akdt"), -8),
    "edt": -4,
    "akst": -9,
    "hst": -10,
    **dict.fromkeys(("cet", "mez", "west"), 1),
    **dict.fromkeys(("cest", "mesz", "eet"), 2),
    "eest": 3,
}
"""Abbreviations of zones: those of RFC 2822, and others that mean one thing only."""

_LETTERS = r"[^\W\d_]"
_TIME_OF_DAY = re.compile(
    r"(?P<h>\d{1,2})(?:[:h]|(?<=[ t-]\d\d)\.)(?P<m>\d\d)"
    r"(?:[:.m](?P<s>\d\d)(?:[.,:](?P<f>\d{1,9}))?)?s?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?(?: uhr\b)?(?![\d:])"
)
_ZONE = (
    r"(?: ?(?P<zone>(?:utc|gmt)?(?P<sign>[+-])(?P<zh>\d\d):?(?P<zm>\d\d)?(?: [a-z]{3,5})?"
    r"|[a-z]{1,5}))?"
    r"(?: ?[(\[][^()\[\]]*[)\]])?"
)
_GLUE = r"(?:,? ?(?:at|à|um|[t+-])? ?)"
_WEEKDAY = rf"(?:{_LETTERS}{{2,10}}(?:[.,]{{1,2}} ?| ))?"
_DAYS = (
    r"(?P<plain>\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4})",
    r"(?P<y>\d{4})(?P<b>\d\d)(?P<d>\d\d)",
    r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th)?[- /]{0,2}"
    rf"(?P<month>{_LETTERS}{{3,9}})\.?,?[- /]{{0,2}}(?P<y>\d{{4}}|\d\d)",
    rf"(?P<month>{_LETTERS}{{3,9}})\.? ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})",
)
_AROUND = (
    *(re.compile(f"{_WEEKDAY}{day}{_GLUE}@{_ZONE}") for day in _DAYS),
    *(re.compile(f"@{_ZONE}{_GLUE}{_WEEKDAY}{day}") for day in _DAYS),
    re.compile(
        rf"{_WEEKDAY}(?P<month>{_LETTERS}{{3,9}})\.? (?P<d>\d{{1,2}}),? @{_ZONE} (?P<y>\d{{4}})"
    ),
)
"""What stands around the time of day, which is ``@`` in it."""
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d\d)(\d\d)[t _-]?(\d\d)(\d\d)(\d\d)(.*)")
_ZONE_HOURS_ALONE = re.compile(r"(.*:\d\d(?:[.]\d+)?)([+-]\d\d)")


def rewritten(text: str, zone: str | None) -> str | None:
    """A time in ISO 8601, or as ``3/10/2026 09:00:00``; None if it can't be read."""
    plain = text[: _LONGEST_TIME + 1].strip().lower()
    if len(plain) > _LONGEST_TIME:
        return None
    plain = re.sub(r"\s+", " ", unquote(plain))
    if (match := _ZONE_HOURS_ALONE.fullmatch(plain)) is not None:
        plain = f"{match[1]}{match[2]}00"
    if (match := _COMPACT.fullmatch(plain)) is not None:
        plain = "{}-{}-{} {}:{}:{}{}".format(*match.groups())
    time = _TIME_OF_DAY.search(plain)
    if time is None:
        return None
    around = f"{plain[: time.start()]}@{plain[time.end() :]}"
    for pattern in _AROUND:
        if (match := pattern.fullmatch(around)) is not None:
            return _joined(match, time, zone)
    return None


def _joined(match: re.Match[str], time: re.Match[str], zone: str | None) -> str | None:
    parts = match.groupdict()
    day = parts.get("plain") or _day(parts)
    hour = int(time["h"])
    if time["half"] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (time["half"] == "p")
    clock = f"{hour:02d}:{time['m']}:{time['s'] or '00'}"
    clock += f".{time['f'][:6]}" if time["f"] else ""
    if day is None or hour > 23:
        return None
    if parts["sign"]:
        return f"{day} {clock}{parts['sign']}{parts['zh']}:{parts['zm'] or '00'}"
    if not parts["zone"]:
        return f"{day} {clock}"
    offset = _offset(parts["zone"], day, clock, zone)
    return None if offset is None else f"{day} {clock}{offset}"


def _day(parts: dict[str, str | None]) -> str | None:
    year, day, month = parts["y"] or "", parts["d"] or "", parts.get("b")
    if month is None:
        name = parts["month"] or ""
        number = _MONTHS.get(name[:4], _MONTHS.get(name[:3]))
        if number is None:
            return None
        month = f"{number:02d}"
    return f"{'20' if len(year) == 2 else ''}{year}-{month}-{day:>02}"


def _offset(said: str, day: str, clock: str, zone: str | None) -> str | None:
    """Offset of a zone's abbreviation on a day, as ``-04:00``."""
    if zone is not None and (own := _own_offset(said, day[:10], clock[:5], zone)) is not None:
        return own
    hours = _OFFSETS_H.get(said)
    return None if hours is None else f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"


@lru_cache(maxsize=4096)
def _own_offset(said: str, day: str, clock: str, zone: str) -> str | None:
    """Offset that an abbreviation has in the log's own zone, if it is one of its own."""
    try:
        at = datetime.fromisoformat(f"{day} {clock}")
    except ValueError:
        # A day such as 3/10/2026: either half of its year tells what the zone calls itself.
        at = datetime(2026, 1, 15)
    for local in (at, at + timedelta(days=182)):
        for fold in (0, 1):
            here = local.replace(tzinfo=ZoneInfo(zone), fold=fold)
            if (here.tzname() or "").lower() == said:
                return f"{here:%z}"[:3] + ":" + f"{here:%z}"[3:5]
    return None


TIMES = frozenset({"started", "answered", "ended"})
"""Fields of `outsim.calibration.mapping.FIELDS` that are times."""

NOTHING = frozenset(
    {
        *("", "-", "--", "---", "\u2013", "\u2014", "?", "\\n", "null", "(null)", "<null>"),
        *("[null]", "none", "nil", "nan", "na", "n/a", "n.a.", "#n/a", "undefined", "missing"),
        *("''", '""', "not available", "not applicable"),
    }
)
"""Words for no value, in small letters; ``\\n`` is how databases write ``\\N``."""
NO_WORD = NOTHING - {"na", "n/a", "n.a.", "not available"}
"""Those that stand for no word in a column of outcomes too: the others may mean no answer."""

_LONGEST = 64
"""Characters of a value that is looked at."""


@dataclass(frozen=True)
class Style:
    """How the values of one file are written, where one value alone does not tell."""

    decimal_comma: frozenset[str] = frozenset()
    """Fields in which ``1,600`` is 1.6; in all others it is 1600."""
    thousands_dot: frozenset[str] = frozenset()
    """Fields in which ``1.600`` is 1600; in all others it is 1.6."""
    day_first: bool = False
    """Whether ``3/10/2026`` is 3 October."""
    whole_minutes: bool = False
    """Whether no time has seconds: durations then tell more than times do."""
    from_zero: bool = False
    """Whether the first dial of a call is its attempt 0."""


@dataclass
class Evidence:
    """What the values of a column tell of how they are written."""

    signs: set[str] = field(default_factory=set)
    """Which ways of writing occur: see `_signs`; of times, whether they have seconds."""
    examples: dict[str, str] = field(default_factory=dict)
    """For ways that are read by a rule, a value that is written so."""
    days: set[tuple[int, int, int]] = field(default_factory=set)
    """First and second part and year of days such as ``3/10/2026``."""

    def add(self, other: Evidence) -> None:
        """Take in what other values tell."""
        self.signs |= other.signs
        self.examples = other.examples | self.examples
        self.days |= other.days


def style_of(evidence: dict[str, Evidence], zone: str | None) -> Style:
    """How a file is written, by what all of its values tell, by field."""
    days = {day for column in evidence.values() for day in column.days}
    signs = {sign for column in evidence.values() for sign in column.signs}
    return Style(
        frozenset(
            name
            for name, column in evidence.items()
            if "decimal comma" in column.signs and "thousands comma" not in column.signs
        ),
        frozenset(
            name
            for name, column in evidence.items()
            if "decimal dot" not in column.signs
            and (
                "thousands dot" in column.signs
                or {"three digits after a dot", "below a thousand"} <= column.signs
            )
        ),
        _is_day_first(days, zone),
        "whole minutes" in signs and "seconds" not in signs,
        "from zero" in signs,
    )


def _is_day_first(days: set[tuple[int, int, int]], zone: str | None) -> bool:
    """Whether the day stands before the month, by what there is and by the shorter span."""
    if not days:
        return False
    ways = {
        True: [(year, month, day) for day, month, year in days],
        False: [(year, month, day) for month, day, year in days],
    }
    spans = {}
    for way, dates in ways.items():
        if all(month <= 12 and day <= 31 for _, month, day in dates):
            at = [year * 372 + month * 31 + day for year, month, day in dates]
            spans[way] = max(at) - min(at)
    american = zone is None or zone.startswith(("America/", "US/"))
    if len(set(spans.values())) == 2:
        return spans[True] < spans[False]
    return not american if len(spans) != 1 else next(iter(spans))


def notes_of(evidence: dict[str, Evidence], style: Style, names: dict[str, str]) -> list[str]:
    """What was taken to be so in reading values; `names` has the column of each field."""
    notes = []
    for target, found in evidence.items():
        column = names.get(target, target)
        ambiguous = ["comma", "dot"] if target in style.thousands_dot else ["comma"]
        for text in filter(None, map(found.examples.get, ambiguous)):
            value = f"{number(text, target, style):.12g}"
            notes.append(f"{column} {text!r} is read as {value}, by the column's other values")
        if "clock" in found.examples:
            notes.append(f"{column} {found.examples['clock']!r} is read as minutes and seconds")
        if "serial" in found.examples:
            notes.append(
                f"{column} {found.examples['serial']!r} is read as a spreadsheet's days since "
                "1899-12-30, in local time"
            )
    if style.from_zero:
        notes.append(f"{names.get('attempt', 'attempt')} is read as counted from 0")
    days = [column.examples["day"] for column in evidence.values() if "day" in column.examples]
    if days:
        order = "the day before the month" if style.day_first else "the month before the day"
        notes.append(f"{days[0]!r} is read with {order}; --time-format says it otherwise")
    return notes


# Numbers and durations

_PLAIN = re.compile(r"[+-]?(\d+[.]?\d*|[.]\d+)(e[+-]?\d{1,2})?")
_GROUPS = re.compile(r"[+-]?\d{1,3}([ '\u2019]\d{3})+([.,]\d+)?")
_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+([.]\d+)?")
_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}([.]\d{3})+(,\d+)?")
_ONE_COMMA = re.compile(r"[+-]?\d*,\d+")
_CLOCK = re.compile(r"(?:(\d+) days?,? )?(\d+):(\d\d?)(?::(\d\d?))?(?:[.,](\d+))?")
_DAY_ZERO = re.compile(
    r"^(?:1899-12-3[01]|1900-01-00|3[01][./]12[./]1899|12/3[01]/1899|1/0/(?:19)?00)[t ]+"
)
"""The day that spreadsheets and databases put before a time without one."""
_MORNING = re.compile(r"(\d\d?):(\d\d:\d\d) ?([ap])\.?m\.?")
"""A duration that a spreadsheet shows as a time of day: 40 s is 12:00:40 AM."""
_DOTTED_CLOCK = re.compile(r"\d{1,2}[.]\d\d[.]\d\d")
_ISO = re.compile(r"p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:[.,]\d+)?)s)?)?")
_UNITS = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", '"'), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "'"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_WITH_UNIT = re.compile(r"([\d.,]+) ?([a-z]+|['\"])[.]?(?:,? ?(?:and )?|$)")

NOT_A_NUMBER = float("nan")


def bare(text: str) -> str:
    """A value without what spreadsheets and printers put around it, in small letters."""
    text = text[: _LONGEST + 1].strip().lower()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return re.sub(r"\s+", " ", text.strip())


def number(text: str, target: str, style: Style) -> float:
    """A number; NaN where it is none."""
    text = bare(text)
    if len(text) > _LONGEST:
        return NOT_A_NUMBER
    if _PLAIN.fullmatch(text):
        if target in style.thousands_dot and _DOTS.fullmatch(text):
            return float(text.replace(".", ""))
        return float(text)
    if _GROUPS.fullmatch(text):
        return float(re.sub(r"[ '\u2019]", "", text).replace(",", "."))
    is_decimal = target in style.decimal_comma and text.count(",") == 1 and "." not in text
    if _COMMAS.fullmatch(text) and not is_decimal:
        return float(text.replace(",", ""))
    if _DOTS.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _ONE_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    return NOT_A_NUMBER


def seconds(text: str, target: str, style: Style) -> float:
    """A duration in seconds, as a number, a clock or with units; NaN where it is none."""
    found = number(text, target, style)
    if found == found:
        return found
    text = bare(text)
    text = _DAY_ZERO.sub("", text)
    if _DOTTED_CLOCK.fullmatch(text):
        text = text.replace(".", ":")
    if (match := _MORNING.fullmatch(text)) is not None:
        text = f"{int(match[1]) % 12 + 12 * (match[3] == 'p')}:{match[2]}"
    if (match := _CLOCK.fullmatch(text)) is not None:
        days, first, second, third, fraction = match.groups()
        parts = [int(part) for part in (first, second, third) if part is not None]
        if max(parts[1:]) > 59:
            return NOT_A_NUMBER
        whole = 0
        for part in parts:
            whole = whole * 60 + part
        return whole + int(days or 0) * 86_400 + float(f"0.{fraction or 0}")
    if len(text) > 1 and (match := _ISO.fullmatch(text)) is not None and text[-1] != "t":
        amounts = [float((amount or "0").replace(",", ".")) for amount in match.groups()]
        return sum(a * size for a, size in zip(amounts, (86_400, 3600, 60, 1), strict=True))
    return _with_units(text, target, style)


def _with_units(text: str, target: str, style: Style) -> float:
    at, whole = 0, 0.0
    while at < len(text):
        match = _WITH_UNIT.match(text, at)
        if match is None or match[2] not in _UNITS or match.end() == at:
            return NOT_A_NUMBER
        whole += number(match[1], target, style) * _UNITS[match[2]]
        at = match.end()
    return whole if text else NOT_A_NUMBER


def evidence_of(texts: Iterable[str]) -> Evidence:
    """What numbers and durations tell of how their column is written."""
    evidence = Evidence()
    for text in texts:
        plain = bare(text)
        signs = _signs(plain)
        evidence.signs |= signs
        if "three digits after a comma" in signs:
            evidence.examples.setdefault("comma", text)
        elif "three digits after a dot" in signs:
            evidence.examples.setdefault("dot", text)
        elif (match := _CLOCK.fullmatch(plain)) is not None and match[4] is None:
            evidence.examples.setdefault("clock", text)
    return evidence


def _signs(text: str) -> set[str]:
    if "," in text and "." in text:
        if _COMMAS.fullmatch(text):
            return {"thousands comma", "decimal dot"}
        return {"thousands dot", "decimal comma"} if _DOTS.fullmatch(text) else set()
    if "," in text:
        if not _COMMAS.fullmatch(text):
            return {"decimal comma"} if _ONE_COMMA.fullmatch(text) else set()
        return {"thousands comma"} if text.count(",") > 1 else {"three digits after a comma"}
    if "." in text:
        if not _DOTS.fullmatch(text):
            return {"decimal dot"} if _PLAIN.fullmatch(text) else set()
        return {"thousands dot"} if text.count(".") > 1 else {"three digits after a dot"}
    return {"below a thousand"} if re.fullmatch(r"[1-9]\d{0,2}", text) else set()


# Times

_USUAL = re.compile(
    r"\d{4}[-/.]\d\d?[-/.]\d\d?[T ]+\d\d?:\d\d.*|[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} .*|"
    r"\d\d?([/.-])\d\d?\1(\d\d)?\d\d,?[T ]+\d\d?:\d\d.*|\d{10}([.]\d*)?|\d{13}"
)


def is_time(text: str, time_format: str | None) -> bool:
    """Whether a text is a time, as far as it can be told by its form."""
    if time_format is None:
        plain = text.strip()
        return _USUAL.fullmatch(plain) is not None or rewritten(plain, None) is not None
    return bool(pd.notna(pd.to_datetime(text.strip(), format=time_format, errors="coerce")))


def is_number(text: str) -> bool:
    """Whether a text is a duration, a number or a word for no value."""
    found = seconds(text, "", Style())
    return found == found or bare(text) in NOTHING


def is_time_format(time_format: str) -> bool:
    """Whether a format can be used for `strptime`, and says the day."""
    moment = pd.Timestamp("2026-11-23 14:05:06", tz="UTC")
    try:
        found = pd.to_datetime(moment.strftime(time_format), format=time_format, utc=True)
    except (ValueError, re.error, IndexError, KeyError, OverflowError):
        return False
    return bool(found.date() == moment.date())
