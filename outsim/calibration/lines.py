"""Rows of large delimited files, each with its line number, in blocks.

A block ends at the end of a row. Arrow parses it where every line is a row; elsewhere rows are
read one by one, and what is not written as RFC 4180 has it is read as other programs mean it if
that gives the fields that a row has. One bad line costs itself alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from outsim.calibration.sources import Parsed, opened, shown
from outsim.calibration.values import Flags
from outsim.scenario.files import ROW_LINES, Row, read_rows, refusal

BLOCK = 8 * 2**20
"""Bytes that are read at a time."""
JOINED = 20
"""Lines that a row may be broken over where its quotes are not doubled."""


def blocks(path: Path, size: int = BLOCK, *, longest: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """(line, whole rows) of a file by blocks, in UTF-8 without NUL, each line with a newline."""
    line = 1
    with opened(path) as source:
        rest = b""
        while chunk := source.read(size):
            whole, end, rest_of = chunk.rpartition(b"\n")
            if not end:
                rest += chunk
                if len(rest) > longest:
                    what = f"found a line of more than {longest >> 20} MiB, the limit"
                    raise refusal(path, what, line)
                continue
            block = _clean(rest + whole + end, first=line == 1)
            at = _end_of_rows(block)
            block, rest = block[:at], block[at:] + rest_of
            yield line, block
            line += _count(block, b"\n")
        if rest:
            yield line, _clean(rest.removesuffix(b"\n") + b"\n", first=line == 1)


def first_lines(path: Path, size: int) -> list[str]:
    """The lines that a file begins with, about so many bytes of them; a very long one in part."""
    head = b""
    with opened(path) as source:
        while chunk := source.read(size):
            head += chunk
            if len(head) >= size and b"\n" in head:
                head = head[: head.rfind(b"\n")]
                break
            if len(head) > BLOCK:
                break
    return _clean(head, first=True).decode().removesuffix("\n").split("\n")


def _end_of_rows(block: bytes) -> int:
    """Where the last row of a block ends that is over: a quoted field may go on in the next."""
    if _count(block, b'"') % 2 == 0:
        return len(block)
    end = len(block) - 1
    for _ in range(ROW_LINES):
        begin = block.rfind(b"\n", 0, end) + 1
        if block.count(b'"', begin, end) % 2:
            return begin or len(block)
        if begin == 0:
            break
        end = begin - 1
    return len(block)


def _places(block: bytes, byte: bytes) -> Flags:
    return np.asarray(np.frombuffer(block, np.uint8) == ord(byte))


def _count(block: bytes, byte: bytes) -> int:
    """How often a byte is in a block: quicker than `bytes.count` where it is often."""
    return int(np.count_nonzero(_places(block, byte)))


def _clean(block: bytes, *, first: bool) -> bytes:
    if first:
        block = block.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in block:
        block = block.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b" ")
    if b"\0" in block:
        block = block.replace(b"\0", "\ufffd".encode())
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            block = b"\n".join(map(_in_utf8, block.split(b"\n")))
    return block


def _in_utf8(line: bytes) -> bytes:
    """A line in UTF-8; one that is not is taken to be in the code page of Western Windows."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").encode()
    return line


@dataclass(frozen=True)
class Shape:
    """What rows of a file look like."""

    names: tuple[str, ...]
    """Every column, in order, each with a name of its own."""
    delimiter: str = ","
    least: int = 0
    """Fields that a row has at least: the last columns may be missing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "least", self.least or len(self.names))

    def fits(self, fields: Sequence[str]) -> bool:
        """Whether a row may have these fields; empty ones after the last column don't count."""
        return len(fields) >= self.least and not any(map(str.strip, fields[len(self.names) :]))

    def read(self, text: str) -> list[str] | None:
        """Fields of a row that is not written as RFC 4180 has it; None if it is no row."""
        for fields in self._readings(text):
            if fields is not None and self.fits(fields):
                return fields
        return None

    def _readings(self, text: str) -> Iterator[list[str] | None]:
        yield self._parsed(text)
        if "\\" in text:
            yield self._parsed(text, escapechar="\\")
        if '"' in text:
            yield self._with_quotes_inside(text)
            yield None if "\n" in text else text.split(self.delimiter)

    def _parsed(self, text: str, escapechar: str | None = None) -> list[str] | None:
        rows = csv.reader(
            io.StringIO(text, newline="\n"),
            delimiter=self.delimiter,
            escapechar=escapechar,
            strict=True,
        )
        try:
            fields = next(rows)
            return None if next(rows, None) is not None else fields
        except (csv.Error, StopIteration):
            return None

    def _with_quotes_inside(self, text: str) -> list[str] | None:
        """Fields whose own quotes are not doubled: one ends with a quote before a delimiter."""
        fields: list[str] = []
        is_open = False
        for part in text.split(self.delimiter):
            if is_open:
                fields[-1] += self.delimiter + part
            else:
                fields.append(part)
                is_open = part.startswith('"')
            if is_open and part.endswith('"') and len(fields[-1]) > 1:
                fields[-1] = fields[-1][1:-1]
                is_open = False
        return None if is_open else fields


def parse(block: bytes, first_line: int, shape: Shape, wanted: Sequence[str]) -> Parsed:
    """Rows of a block, in their order."""
    ends = np.flatnonzero(_places(block, b"\n"))
    numbers = np.flatnonzero(np.diff(ends, prepend=-1) > 1)
    plain, blank = block, len(ends) - len(numbers)
    if blank:
        plain = re.sub(rb"\n\n+", b"\n", block).removeprefix(b"\n")
    table, others = _quickly(plain, shape, wanted)
    if table is None or table.num_rows + len(others) != len(numbers):
        texts = (f"{text}\n" for text in block.decode().split("\n")[:-1])
        rows = list(read_rows(texts, shape.delimiter, first_line=0, fits=shape.fits))
        table, others = None, [row for row in rows if not row.is_blank]
        blank = len(rows) - len(others)
    is_other = np.zeros(len(numbers), dtype=np.bool_)
    if table is not None:
        is_other[[row.line for row in others]] = True
        others = [row._replace(line=int(numbers[row.line])) for row in others]
    places = [shape.names.index(name) for name in wanted]
    more_lines: list[int] = []
    more_rows: list[list[str]] = []
    broken: list[tuple[int, str]] = []
    for row in _read(others, shape):
        if row.fields is None:
            broken.append((row.line + first_line, _what(row.text, shape)))
        else:
            more_lines.append(row.line)
            more_rows.append([*row.fields, *[""] * (len(shape.names) - len(row.fields))])
    if table is not None and not more_lines:
        return Parsed(table, numbers[~is_other] + first_line, broken, blank=blank)
    lines = np.array(more_lines, dtype=np.int64)
    more = pa.table(
        {
            name: pa.array([fields[k] for fields in more_rows], pa.string())
            for name, k in zip(wanted, places, strict=True)
        }
    )
    if table is not None:
        lines = np.concatenate([numbers[~is_other], lines])
        order = np.argsort(lines)
        lines = lines[order]
        more = pa.concat_tables([table, more]).take(pa.array(order))
    return Parsed(more, lines + first_line, broken, blank=blank)


def _quickly(
    block: bytes, shape: Shape, wanted: Sequence[str]
) -> tuple[pa.Table | None, list[Row]]:
    """Rows by Arrow, and the lines, from 0, that have other fields than the first has."""
    others: list[Row] = []
    if not block:
        return pa.table({name: pa.array([], pa.string()) for name in wanted}), others

    def note(row: pacsv.InvalidRow) -> str:
        others.append(Row(row.number - 1, row.text, None))
        return "skip"

    first = next(read_rows([block[: block.find(b"\n")].decode()], shape.delimiter))
    fields = 0 if first.fields is None else len(first.fields)
    names = shape.names[: fields if fields >= shape.least else len(shape.names)]
    try:
        table = pacsv.read_csv(
            pa.py_buffer(block),
            read_options=pacsv.ReadOptions(
                column_names=list(names), use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=shape.delimiter,
                ignore_empty_lines=False,
                invalid_row_handler=note,
                newlines_in_values=True,
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(wanted),
                include_missing_columns=True,
                column_types={name: pa.string() for name in wanted},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None, []
    return table, others


def _read(rows: Sequence[Row], shape: Shape) -> Iterator[Row]:
    """Rows with their fields, put together where one goes on in the next line; or without any."""
    is_row = [row.fields is not None and shape.fits(row.fields) for row in rows]
    k = 0
    while k < len(rows):
        row, k = rows[k], k + 1
        if is_row[k - 1]:
            yield row
            continue
        text, end, fields = row.text, k, shape.read(row.text)
        while fields is None and '"' in row.text and end < min(k + JOINED, len(rows)):
            after = rows[end]
            is_next = after.line == row.line + text.count("\n") + 1
            if not is_next or is_row[end] or shape.read(after.text) is not None:
                break
            text, end = f"{text}\n{after.text}", end + 1
            fields = shape.read(text)
        if fields is None:
            yield row._replace(fields=None)
        else:
            yield Row(row.line, text, fields)
            k = max(k, end)


def _what(text: str, shape: Shape) -> str:
    """What was found in place of a row."""
    (row,) = read_rows([text], shape.delimiter)
    if row.fields is None:
        return f"a quote that is not closed: {shown(text)}"
    fields = len(row.fields)
    return f"{fields} field{'s' if fields != 1 else ''}: {shown(text)}"
