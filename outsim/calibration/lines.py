"""Rows of large delimited files, each with its line number, in blocks.

A block ends at the end of a line. Arrow parses it; where a quote that is never closed makes it
swallow lines, the block is gone through line by line, so that one bad line costs itself alone.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from outsim.scenario.files import LINE_LIMIT, check_kind, refusal

BLOCK = 8 * 2**20
"""Bytes that are read at a time."""
JOINED = 20
"""Lines that one row may be broken over, in quotes."""
SHOWN = 80
"""Characters that are kept of a line that can't be read."""

Lines = NDArray[np.int64]


def opened(path: Path) -> IO[bytes]:
    """A file to read bytes from, decompressed if it is a gzip file.

    Raises
    ------
    ScenarioError
        If there is no such file, or it is no regular one.
    """
    check_kind(path)
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        return gzip.open(path, "rb") if packed else path.open("rb")
    except OSError as error:
        raise refusal(path, f"can't be read: {error.strerror}") from None


def read(stream: IO[bytes], size: int, path: Path) -> bytes:
    """Bytes of a file; a broken one is the user's to know of."""
    try:
        return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise refusal(path, "is a broken gzip file; get it again") from None
    except OSError as error:
        raise refusal(path, f"can't be read: {error.strerror}") from None


def blocks(path: Path, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """(line on which it begins, whole lines) of a file, one block after the other.

    Bytes that are no UTF-8 are replaced; every line ends in ``\\n`` and holds no other break.
    """
    line = 1
    with opened(path) as stream:
        rest = b""
        while chunk := read(stream, size, path):
            whole, end, rest_of = chunk.rpartition(b"\n")
            if not end:
                rest += chunk
                if len(rest) > max(size, LINE_LIMIT):
                    raise refusal(path, "found a line of many megabytes; is it a text?", line)
                continue
            block = _clean(rest + whole + end, first=line == 1)
            rest = rest_of
            yield line, block
            line += block.count(b"\n")
        if rest:
            yield line, _clean(rest + b"\n", first=line == 1)


def _clean(block: bytes, *, first: bool) -> bytes:
    if first:
        block = block.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    if b"\0" in block:
        block = block.replace(b"\0", "\ufffd".encode())
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            block = block.decode(errors="replace").encode()
    return block


@dataclass(frozen=True)
class Parsed:
    """Rows of a block.

    Attributes
    ----------
    table : pyarrow.Table
        The columns that were asked for, as text.
    lines : int64 array of shape (rows,)
        Line on which each row begins, from 1.
    broken : list of (int, str)
        Lines that are no rows, with what was found.
    allowed : str
        What they should be.
    """

    table: pa.Table
    lines: Lines
    broken: list[tuple[int, str]]
    allowed: str = "write as many fields as the other lines have"


def parse(
    block: bytes, first_line: int, names: Sequence[str], wanted: Sequence[str], delimiter: str
) -> Parsed:
    """Rows of a block of whole lines.

    Parameters
    ----------
    block : bytes
        As `blocks` gives them.
    first_line : int
        Line on which it begins.
    names : sequence of str
        Every column of the file, in order.
    wanted : sequence of str
        Those to keep.
    delimiter : str
    """
    count = block.count(b"\n")
    quick = _quickly(block, names, wanted, delimiter)
    if quick is not None and quick[0].num_rows + len(quick[1]) == count:
        table, broken = quick
        numbers = np.arange(count, dtype=np.int64)
    else:
        text, numbers, unclosed = _closed_lines(block, len(names), delimiter)
        closed = _quickly(text, names, wanted, delimiter)
        assert closed is not None, "every quote is closed"
        table, broken = closed
        unclosed_text = [(int(line) + first_line, found) for line, found in unclosed]
        return _numbered(table, numbers, broken, first_line, unclosed_text)
    return _numbered(table, numbers, broken, first_line, [])


def _numbered(
    table: pa.Table,
    numbers: Lines,
    broken: list[tuple[int, str]],
    first_line: int,
    more: list[tuple[int, str]],
) -> Parsed:
    at = np.array([row for row, _ in broken], dtype=np.int64)
    listed = [(int(numbers[row]) + first_line, found) for row, found in broken]
    return Parsed(table, np.delete(numbers, at) + first_line, sorted(listed + more))


def _quickly(
    block: bytes, names: Sequence[str], wanted: Sequence[str], delimiter: str
) -> tuple[pa.Table, list[tuple[int, str]]] | None:
    """Rows by Arrow, and (row from 0, what was found) of those with too few or many fields."""
    broken: list[tuple[int, str]] = []

    def note(row: pacsv.InvalidRow) -> str:
        fields = f"{row.actual_columns} field{'s' if row.actual_columns != 1 else ''}"
        broken.append((row.number - 1, f"{fields}: {shown(row.text)}"))
        return "skip"

    if not block:
        return pa.table({name: pa.array([], pa.string()) for name in wanted}), broken
    try:
        table = pacsv.read_csv(
            pa.py_buffer(block),
            read_options=pacsv.ReadOptions(
                column_names=list(names), use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                ignore_empty_lines=False,
                invalid_row_handler=note,
                newlines_in_values=True,
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(wanted),
                column_types={name: pa.string() for name in wanted},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table, broken


def shown(text: str) -> str:
    """A piece of a file as messages show it."""
    plain = "".join(each if each.isprintable() else "\ufffd" for each in text)
    return repr(plain[:SHOWN] + ("..." if len(plain) > SHOWN else ""))


def _closed_lines(
    block: bytes, fields: int, delimiter: str
) -> tuple[bytes, Lines, list[tuple[int, str]]]:
    """Lines whose quotes are closed, where they were, and the others.

    A row that is broken over a few lines within quotes is put together if the whole has the
    right number of fields.
    """
    comma = re.escape(delimiter)
    field = rf'(?:"(?:[^"]|"")*"[^{comma}]*|[^"{comma}][^{comma}]*|)'
    whole = re.compile(rf"{field}(?:{comma}{field})*")
    a_row = re.compile(rf"{field}(?:{comma}{field}){{{fields - 1}}}")
    lines = block.decode().split("\n")[:-1]
    kept: list[str] = []
    numbers: list[int] = []
    unclosed: list[tuple[int, str]] = []
    k = 0
    while k < len(lines):
        numbers.append(k)
        if whole.fullmatch(lines[k]):
            kept.append(lines[k])
            k += 1
            continue
        for last in range(k + 2, min(k + JOINED, len(lines)) + 1):
            if a_row.fullmatch(joined := " ".join(lines[k:last])):
                kept.append(joined)
                k = last
                break
        else:
            numbers.pop()
            unclosed.append((k, f"a quote that is not closed: {shown(lines[k])}"))
            k += 1
    text = "".join(f"{line}\n" for line in kept).encode()
    return text, np.array(numbers, dtype=np.int64), unclosed
