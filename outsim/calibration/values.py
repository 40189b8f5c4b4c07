"""Values of a call log as people and programs write them: nothing, numbers, durations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache, reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Array = NDArray[Any]
Integers = NDArray[np.int64]
Keys = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Micros = NDArray[np.int64]
Codes = NDArray[np.int8]

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
    dots = {"three digits after a dot", "below a thousand"}
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
            and ("thousands dot" in column.signs or dots <= column.signs)
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
    for target, of_field in evidence.items():
        column = names.get(target, target)
        ambiguous = ["comma", "dot"] if target in style.thousands_dot else ["comma"]
        for text in filter(None, map(of_field.examples.get, ambiguous)):
            value = f"{number(text, target, style):.12g}"
            notes.append(f"{column} {text!r} is read as {value}, by the column's other values")
        if "clock" in of_field.examples:
            notes.append(f"{column} {of_field.examples['clock']!r} is read as minutes and seconds")
        if "serial" in of_field.examples:
            notes.append(
                f"{column} {of_field.examples['serial']!r} is read as a spreadsheet's days since "
                "1899-12-30, in local time"
            )
    if style.from_zero:
        notes.append(f"{names.get('attempt', 'attempt')} is read as counted from 0")
    days = [column.examples["day"] for column in evidence.values() if "day" in column.examples]
    if days:
        order = "the day before the month" if style.day_first else "the month before the day"
        notes.append(f"{days[0]!r} is read with {order}; --time-format says it otherwise")
    return notes


_PLAIN = re.compile(r"[+-]?(\d+[.]?\d*|[.]\d+)(e[+-]?\d{1,3})?")
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
        return np.nan
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
    return np.nan


def seconds(text: str, target: str, style: Style) -> float:
    """A duration in seconds, as a number, a clock or with units; NaN where it is none."""
    plain = number(text, target, style)
    if not np.isnan(plain):
        return plain
    text = _DAY_ZERO.sub("", bare(text))
    if _DOTTED_CLOCK.fullmatch(text):
        text = text.replace(".", ":")
    if (match := _MORNING.fullmatch(text)) is not None:
        text = f"{int(match[1]) % 12 + 12 * (match[3] == 'p')}:{match[2]}"
    if (match := _CLOCK.fullmatch(text)) is not None:
        days, *clock, fraction = match.groups()
        parts = [int(part) for part in clock if part is not None]
        if max(parts[1:]) > 59:
            return np.nan
        whole = reduce(lambda larger, part: larger * 60 + part, parts)
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
            return np.nan
        whole += number(match[1], target, style) * _UNITS[match[2]]
        at = match.end()
    return whole if text else np.nan


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


def is_number(text: str) -> bool:
    """Whether a text is a duration, a number or a word for no value."""
    return not np.isnan(seconds(text, "", Style())) or bare(text) in NOTHING


# Columns


def flags_of(flags: pa.Array) -> Flags:
    """Truth values; a missing one is false."""
    flags = pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
    return np.asarray(flags, dtype=np.bool_)


def matching(text: pa.Array, pattern: str) -> Flags:
    """Where a text has a pattern in it."""
    return flags_of(pc.match_substring_regex(text, pattern))


def encoded(text: pa.Array) -> tuple[list[str], Array]:
    """Distinct texts, and which of them each row has: a number beyond the last where none."""
    coded = text.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    return texts, pc.fill_null(coded.indices, len(texts)).to_numpy(zero_copy_only=False)


def trimmed(text: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Text without blanks around it; missing where there is none."""
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    array = pc.utf8_trim_whitespace(array)
    if any(pc.any(pc.starts_with(array, quote)).as_py() for quote in ('="', '"', "'")):
        # A spreadsheet's way to keep digits as text, and quotes that are none of CSV's.
        array = pc.replace_substring_regex(array, "^=?\"(.*)\"$|^'(.*)'$", r"\1\2")
    is_empty = pc.equal(array, "")
    return pc.if_else(is_empty, None, array) if pc.any(is_empty).as_py() else array


def without_placeholders(text: pa.Array, nothing: Collection[str] = NOTHING) -> pa.Array:
    """Text that is no word for nothing; missing in place of such words."""
    is_nothing = pc.is_in(text, _ways(frozenset(nothing)))
    return pc.if_else(is_nothing, None, text) if pc.any(is_nothing).as_py() else text


@cache
def _ways(words: frozenset[str]) -> pa.Array:
    """Words in the ways in which programs write them."""
    ways = {way(word) for word in words for way in (str.lower, str.upper, str.capitalize)}
    return pa.array(sorted({*ways, "NaN"}))


def is_there(text: pa.Array) -> Flags:
    """Where there is a text at all."""
    return flags_of(pc.is_valid(text)) if text.null_count else np.ones(len(text), dtype=np.bool_)


def numbers(text: pa.Array, target: str, style: Style) -> tuple[Floats, Flags, Evidence]:
    """Numbers of a column, durations in seconds; where a text is none, and what texts tell."""
    texts, places = encoded(text)
    read = number if target in ("attempt", "weight") else seconds
    values = np.array([read(one, target, style) for one in texts] + [np.nan])
    is_none = np.array([bare(one) in NOTHING for one in texts] + [True])
    by_row = values[places]
    return by_row, ~np.isfinite(by_row) & ~is_none[places], evidence_of(texts)
