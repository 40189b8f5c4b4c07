"""How a call log is laid out: its format, found by how it begins, and what its columns are."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from outsim.calibration import records
from outsim.calibration.lines import opened, read, shown
from outsim.calibration.mapping import (
    ASTERISK,
    ASTERISK_COLUMNS,
    ASTERISK_MORE,
    FIELDS,
    Mapping,
    twilio,
)
from outsim.calibration.results import is_result
from outsim.calibration.selecting import told_by_header
from outsim.scenario.files import refusal

Format = Literal["calls", "results", "asterisk", "twilio", "csv", "outsim"]
"""The platform's call log; its result_url records; Asterisk's cdr-csv; Twilio's export; any
delimited file with a mapping; a saved result of outsim's."""

SAMPLE = 64 * 1024
"""Bytes at the beginning of a file that its format is found by."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: its format, its columns in order, and what they stand for."""

    format: Format
    mapping: Mapping
    names: tuple[str, ...] = ()
    delimiter: str = ","
    header: int = 0
    """Lines before the first row."""


def layout_of(path: Path, format: Format | None, given: Mapping) -> Layout:
    """Layout of a file.

    Parameters
    ----------
    path : Path
    format : optional
        Its format, if the user says it.
    given : Mapping
        What the user says of its columns.

    Raises
    ------
    ScenarioError
        If it can't be read, is of no known format or of another one, or lacks a column.
    """
    if format == "outsim" or (format is None and is_result(path)):
        if not is_result(path):
            raise refusal(path, "is no saved result; write one with outsim run --out DIRECTORY")
        return Layout("outsim", Mapping())
    with opened(path) as stream:
        sample = read(stream, SAMPLE, path)
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise refusal(path, "is UTF-16; save it as UTF-8")
    lines = [line for line in sample.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    if not lines:
        raise refusal(path, "is empty; give a log with at least one row")
    if format is None and given.columns.keys() - {"answered_by"}:
        format = "asterisk" if _asterisk_fields(lines) else "csv"
    if format in (None, "calls", "results"):
        found = _platform_format(lines) or format
        if found in ("calls", "results"):
            is_log = found == "calls"
            if format not in (None, found):
                raise refusal(path, f"holds {_NAMES[found]}; leave out --format, or say {found}")
            basis = records.CALL_LOG if is_log else records.RESULTS
            return _checked(path, Layout(found, given.over(basis), tuple(basis.wanted)))
    if format in (None, "asterisk") and (fields := _asterisk_fields(lines)):
        names = (*ASTERISK_COLUMNS, *ASTERISK_MORE)[:fields]
        logged = {key: each for key, each in ASTERISK.columns.items() if each[0] in names}
        basis = replace(ASTERISK, columns=logged)
        return _checked(path, Layout("asterisk", given.over(basis), names))
    if format == "asterisk":
        raise refusal(
            path,
            "has no line of Asterisk's cdr-csv: 16 to 21 fields, a time in the tenth; "
            "the first line is " + shown(lines[0]),
        )
    return _with_header(path, format, given, lines[0])


_NAMES = {"calls": "the platform's call log", "results": "result_url records"}


def _platform_format(lines: list[str]) -> Format | None:
    for line in lines:
        text = line.strip()
        if text[:1] in ("{", "[") or re.match(r"\w+=[^&]*(&|$)", text):
            head = "".join(lines)
            if re.search(r'"log_id"|"dest"', head):
                return "calls"
            if re.search(r'"(attempts|result|status)"|\battempts=|\bcall_id=', head):
                return "results"
    return None


def _asterisk_fields(lines: list[str]) -> int:
    """Fields of a line of Asterisk's, as most lines have them; 0 if these are others."""
    counts = Counter(
        len(fields)
        for line in lines[:200]
        for fields in csv.reader([line])
        if len(ASTERISK_COLUMNS) - 2 <= len(fields) <= len(ASTERISK_COLUMNS) + len(ASTERISK_MORE)
        and re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields[9])
    )
    return counts.most_common(1)[0][0] if counts else 0


def _with_header(path: Path, format: Format | None, given: Mapping, line: str) -> Layout:
    delimiter = max(",;\t|", key=line.count)
    names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter)))
    basis = twilio(names) if format in (None, "twilio") else None
    if basis is not None:
        return _checked(path, Layout("twilio", given.over(basis), names, delimiter, 1))
    if format == "twilio":
        raise refusal(
            path,
            "has no column of Twilio's export for one of: call SID, status, start time; "
            f"found {', '.join(names[:12])}",
        )
    if not given.columns:
        raise refusal(
            path,
            "is in no format that is known by its first lines. Say what its columns are: "
            "--columns started=NAME,outcome=NAME,talk_s=NAME (fields: "
            f"{', '.join(FIELDS)}). Columns found: {', '.join(names[:20])}",
        )
    basis = Mapping(columns=told_by_header(names))
    return _checked(path, Layout("csv", given.over(basis), names, delimiter, 1))


def _checked(path: Path, layout: Layout) -> Layout:
    for name in layout.mapping.wanted:
        if name not in layout.names:
            near = get_close_matches(name, layout.names, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"found {', '.join(layout.names)}"
            raise refusal(path, f"has no column {name!r}; {hint}")
    twice = [name for name in layout.mapping.wanted if name and layout.names.count(name) > 1]
    if twice:
        raise refusal(path, f"has two columns {twice[0]!r}; give each a name of its own")
    return layout
