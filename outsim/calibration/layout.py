"""How a call log is laid out: its format, found by how it begins, and what its columns are."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Literal, cast

from outsim.calibration import records
from outsim.calibration.lines import Shape, first_lines
from outsim.calibration.mapping import (
    BESIDE,
    FIELDS,
    MAKERS,
    WITHOUT_HEADER,
    Mapping,
    Order,
    kinds_of,
    maker_of,
)
from outsim.calibration.records import holds_records
from outsim.calibration.sources import Frame, each_its_own, is_parquet, is_result, names_of, shown
from outsim.calibration.times import is_time
from outsim.calibration.values import TIMES, is_number
from outsim.scenario.files import Row, header_shown, read_rows, refusal

Format = Literal[
    "calls", "results", "asterisk", "freeswitch", "twilio", "connect", "csv", "outsim"
]
"""The platform's call log; its result_url records; Asterisk's and FreeSWITCH's tables of calls;
Twilio's export; Amazon Connect's contact records; any table with a mapping; a saved result of
outsim's."""

SAMPLE = 64 * 1024
"""Bytes at the beginning of a file that its format is found by."""
_SAMPLE_ROWS = 200
_BEFORE_HEADER = 20
"""Rows that a header is looked for in."""

Kind = Literal["delimited", "records", "tables"]


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: its format, its columns, and what they stand for."""

    format: Format
    mapping: Mapping
    kind: Kind = "delimited"
    """Delimited text, records in JSON or in the platform's forms, or a Parquet table."""
    shape: Shape = field(default_factory=lambda: Shape(()))
    skipped: int = 0
    """Lines before the first row."""


def layout_of(path: Path | Frame, format: Format | None, mapping: Mapping) -> Layout:
    """Layout of a log."""
    if isinstance(path, Frame):
        return _of_table(path, format, mapping)
    if format == "outsim" or (format is None and is_result(path)):
        if not is_result(path):
            raise refusal(path, "is no saved result; write one with outsim run --out DIRECTORY")
        return Layout("outsim", Mapping())
    if path.is_dir():
        raise refusal(path, "is a directory; name the logs in it, such as with DIRECTORY/*.csv")
    if is_parquet(path):
        return _of_table(path, format, mapping)
    lines = first_lines(path, SAMPLE)
    if not any(map(str.strip, lines)):
        raise refusal(path, "is empty; give a log with at least one row")
    if holds_records(lines):
        return _of_records(path, format, mapping, records.kind_of(path))
    return _of_text(path, format, mapping, lines)


_NAMES = {"calls": "the platform's call log", "results": "result_url records"}
_CALLED = {
    "asterisk": "Asterisk's tables of calls",
    "freeswitch": "FreeSWITCH's tables of calls",
    "twilio": "Twilio's export of calls (a call SID, a status, a start time)",
    "connect": "Amazon Connect's contact records",
}


def _of_table(path: Path | Frame, format: Format | None, user: Mapping) -> Layout:
    names = names_of(path)
    layout = Layout("csv", user, "tables", Shape(names))
    is_other = format not in (None, "calls") or bool(user.columns.keys() - BESIDE)
    if is_other or not set(names) >= records.CALL_LOG_NEEDED:
        return _named(path, format, layout)
    columns = records.CALL_LOG.columns.items()
    present = {target: named for target, named in columns if named[0] in names}
    mapping = user.over(replace(records.CALL_LOG, columns=present))
    return _checked(path, replace(layout, format="calls", mapping=mapping))


def _of_records(path: Path, format: Format | None, mapping: Mapping, kind: str) -> Layout:
    is_known = kind in _NAMES and not mapping.columns.keys() - BESIDE
    if kind in _NAMES and format not in (None, kind, "csv"):
        raise refusal(path, f"holds {_NAMES[kind]}; leave out --format, or say {kind}")
    if kind in _NAMES and (is_known or format == kind):
        basis = records.CALL_LOG if kind == "calls" else records.RESULTS
        shape = Shape(tuple(basis.wanted))
        return _checked(path, Layout(cast("Format", kind), mapping.over(basis), "records", shape))
    names = records.names(path)
    if not names:
        raise refusal(path, "holds no record that can be read; write one a line, as JSON")
    return _named(path, format, Layout("csv", mapping, "records", Shape(names)))


def _of_text(path: Path, format: Format | None, mapping: Mapping, lines: list[str]) -> Layout:
    if format in _NAMES:
        what = f"holds no {_NAMES[format]}: the first line is {shown(lines[0])}"
        raise refusal(path, f"{what}; leave out --format")
    separator = re.fullmatch(r'"?sep=(.)"?;*', lines[0].strip(), re.IGNORECASE)
    skipped = int(separator is not None)
    delimiter = separator[1] if separator is not None else _delimiter(lines)
    texts = [f"{line}\n" for line in lines[skipped:]]
    read = read_rows(texts, delimiter, first_line=skipped + 1)
    rows = list(islice((row for row in read if not row.is_blank), _SAMPLE_ROWS))
    if not rows:
        raise refusal(path, "is empty; give a log with at least one row")
    header = _header(rows, format, mapping)
    order = _order(rows, format, mapping.time_format, delimiter) if header is None else None
    if order is not None:
        shape = Shape(order.names, delimiter, order.least)
        layout = Layout(cast("Format", order.maker), mapping.over(order.mapping), shape=shape)
        return _checked(path, layout)
    if format in ("asterisk", "freeswitch") and header is None:
        what = f"has no row of {_CALLED[format]}, with or without a header"
        raise refusal(path, f"{what}; the first line is {shown(lines[0])}")
    found_fields = [_fields(row, delimiter) for row in rows]
    if header is None and _begins_with_a_row(found_fields, mapping):
        counts = Counter(map(len, found_fields))
        names = tuple(f"column {k + 1}" for k in range(max(counts)))
        shape = Shape(names, delimiter, counts.most_common(1)[0][0])
        return _checked(path, Layout("csv", mapping, shape=shape, skipped=skipped))
    header = header or rows[0]
    fields = [_unquoted(name) for name in header.fields or [header.text]]
    least = max((k + 1 for k, name in enumerate(fields) if name), default=1)
    shape = Shape(each_its_own(fields), delimiter, least)
    after = header.line + header.text.count("\n")
    return _named(path, format, Layout("csv", mapping, shape=shape, skipped=after))


def _unquoted(name: str) -> str:
    """A name of a header without blanks, and quotes that are none of CSV's."""
    return re.sub(r"^([\"'])(.+)\1$", r"\2", unicodedata.normalize("NFC", name.strip()))


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter by which most lines have the same fields as the first, and more than one."""

    def agreement(delimiter: str) -> tuple[bool, int]:
        texts = [f"{line}\n" for line in lines[:_SAMPLE_ROWS]]
        rows = (row for row in read_rows(texts, delimiter) if not row.is_blank)
        counts = [len(_fields(row, delimiter)) for row in rows]
        several = Counter(count for count in counts if count > 1)
        if not several:
            return False, 0
        fields, often = several.most_common(1)[0]
        return counts[0] == fields, often * (fields - 1)

    return max(",;\t|", key=agreement)


def _header(rows: Sequence[Row], format: Format | None, mapping: Mapping) -> Row | None:
    """The row that has the names the user gives, or those of a known maker."""
    names = [name for name in mapping.wanted if not _position(name)]
    for row in rows[:_BEFORE_HEADER]:
        fields = [_unquoted(name) for name in row.fields or ()]
        if names and all(_name(name, fields) is not None for name in names):
            return row
        if format in (None, *MAKERS) and any(
            maker_of(maker, fields) is not None for maker in MAKERS if format in (None, maker)
        ):
            return row
    return None


def _order(
    rows: Sequence[Row], format: Format | None, time_format: str | None, delimiter: str
) -> Order | None:
    """The table without a header that has most of the rows, if it has any."""
    best, most = None, 0
    for order in WITHOUT_HEADER:
        if format in (None, order.maker):
            shape = Shape(order.names, delimiter, order.least)
            read = (shape.read(row.text) for row in rows)
            count = sum(order.is_row(fields or (), time_format) for fields in read)
            best, most = (order, count) if count > most else (best, most)
    return best


def _fields(row: Row, delimiter: str) -> list[str]:
    """Fields of a row; where its quotes are out of order they are taken for signs like others."""
    return row.text.split(delimiter) if row.fields is None else row.fields


def _begins_with_a_row(rows: Sequence[Sequence[str]], mapping: Mapping) -> bool:
    """Whether the first row is none of names, where columns are given by their positions."""
    if not mapping.wanted or not all(map(_position, mapping.wanted)):
        return False
    first = rows[0]

    def value_of(names: tuple[str, ...]) -> str:
        place = _position(names[0]) - 1
        return first[place].strip() if place < len(first) else ""

    of_kind = [
        is_time(value, mapping.time_format) if target in TIMES else is_number(value)
        for target, value in (
            (target, value_of(names)) for target, names in mapping.columns.items()
        )
        if target in TIMES or target.endswith("_s")
    ]
    if of_kind:
        return any(of_kind)
    place = _position(mapping.wanted[0]) - 1
    others = [row[place] for row in rows[1:] if place < len(row)]
    return place < len(first) and first[place] in others


def _named(path: Path | Frame, format: Format | None, layout: Layout) -> Layout:
    """Layout of a file whose columns have names."""
    names = layout.shape.names
    given = layout.mapping
    kinds = kinds_of(names)
    is_said = bool(given.columns.keys() - BESIDE)
    for maker in MAKERS:
        is_asked = format == maker or (format is None and not is_said)
        basis = maker_of(maker, names) if is_asked else None
        if basis is not None:
            mapping = given.over(basis).over(kinds)
            layout = replace(layout, format=cast("Format", maker), mapping=mapping)
            return _checked(path, layout)
    if format in _CALLED:
        header = header_shown(names)
        raise refusal(path, f"has not the columns of {_CALLED[format]}; found {header}")
    if not given.columns:
        raise refusal(
            path,
            "is in no format that is known by its first lines. Say what its columns are: "
            "--columns started=NAME,outcome=NAME,talk_s=NAME, or by position as in started=10 "
            f"(fields: {', '.join(FIELDS)}). Columns found: {header_shown(names)}",
        )
    return _checked(path, replace(layout, mapping=given.over(kinds)))


def _checked(path: Path | Frame, layout: Layout) -> Layout:
    """The layout with the names that its columns have in the file."""
    names = layout.shape.names
    mapping = layout.mapping

    def in_file(name: str) -> str:
        if name not in names and 0 < _position(name) <= len(names):
            return names[_position(name) - 1]
        same = _name(name, names)
        if same is None:
            near = get_close_matches(name, names, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"found {header_shown(names)}"
            raise refusal(path, f"has no column {name!r}; {hint}")
        if any(other.partition("\n")[0] == same and other != same for other in names):
            place = f"as in started={names.index(same) + 1}"
            raise refusal(path, f"has two columns {same!r}; say which by its position, {place}")
        return same

    columns = {target: tuple(map(in_file, named)) for target, named in mapping.columns.items()}
    where = {in_file(name): values for name, values in mapping.where.items()}
    return replace(layout, mapping=replace(mapping, columns=columns, where=where))


def _position(name: str) -> int:
    """Position of a column that is given by it, from 1; 0 if it is given by name."""
    return int(name) if name.isdecimal() and len(name) < 7 else 0


def _name(name: str, names: Sequence[str]) -> str | None:
    """A name as the file writes it: case, blanks and underscores matter only if they must."""
    if name in names:
        return name

    def plain(name: str) -> str:
        return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFC", name)).casefold()

    same = [other for other in names if plain(other) == plain(name)]
    return same[0] if len(same) == 1 else None
