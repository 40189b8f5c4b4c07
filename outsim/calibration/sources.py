"""Where call logs come from: files as bytes of text, unpacked and in UTF-8; tables; DataFrames.

What is unpacked is bounded: a small file that unpacks to gigabytes is no log.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from outsim.calibration.values import Integers
from outsim.errors import ScenarioError
from outsim.scenario.files import LINE_LIMIT, check_kind, refusal, text_kind

UNPACKED_TIMES = 100
"""How many times its size a packed log may be: logs are some 10 to 50 times."""
UNPACKED_LEAST = 16 * 2**20
"""Bytes that any packed log may unpack to."""

_SAVE_AS_CSV = "open it in a spreadsheet and save it as CSV"
_UNPACK = "unpack it and give the log that is in it"
_EXPORT = "export the table of calls as CSV"
_OTHERS: dict[str, tuple[bytes | tuple[bytes, ...], str]] = {
    "an Excel workbook of the old kind (.xls)": (b"\xd0\xcf\x11\xe0", _SAVE_AS_CSV),
    "a PDF": (b"%PDF", _EXPORT),
    "an SQLite database": (b"SQLite format 3\0", _EXPORT),
    "a PostgreSQL dump": (b"PGDMP", _EXPORT),
    "a 7-Zip archive": (b"7z\xbc\xaf\x27\x1c", _UNPACK),
    "a RAR archive": (b"Rar!", _UNPACK),
    "a file packed by compress": (b"\x1f\x9d", _UNPACK),
    "an Avro file": (b"Obj\x01", _EXPORT),
    "an ORC file": (b"ORC", _EXPORT),
    "a document in RTF": (b"{\\rtf", _EXPORT),
    "a recording or a picture": (b"RIFF", _EXPORT),
    "a picture": ((b"\x89PNG", b"\xff\xd8\xff"), _EXPORT),
    "a program": (b"\x7fELF", _EXPORT),
}
"""What files are that are no text, their first bytes, and what to do."""
_OTHER_TEXTS = (
    (r"\s*<(!doctype\s+html|html|head|table|body)\b", "an HTML page", _EXPORT),
    (r"\s*<\?xml|\s*<\w+[^>\n]*>\s*<", "an XML file", _EXPORT),
    (
        r"(?s)(\s*(--|/\*)[^\n]*\n)*\s*"
        r"(INSERT\s+INTO|CREATE\s+(TABLE|DATABASE)|DROP\s+TABLE|COPY\s+\S+\s*\(|SET\s+\w+\s*=|"
        r"LOCK\s+TABLES|USE\s+`)",
        "an SQL dump",
        _EXPORT,
    ),
)
_TAR_AT = 257
_CONTROLS = bytes(k for k in range(32) if chr(k) not in "\t\n\v\f\r\x1b")
_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
)
_BROKEN = "is a broken packed file; get it again"
SHOWN = 80
"""Characters that are kept of a line that can't be read."""


class Source:
    """Bytes of a log, unpacked and in UTF-8."""

    def __init__(self, path: Path, stream: IO[bytes], limit: float) -> None:
        self._path, self._stream = path, stream
        self._left = self._limit = limit
        self._head = self._bytes(LINE_LIMIT)
        _check_text(path, self._head)
        encoding, end = text_kind(self._head)
        self._decoder = None
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._has_old_ends = end == "\r"

    def read(self, size: int) -> bytes:
        """The next bytes, about so many; none at the end."""
        while True:
            chunk, self._head = self._head or self._bytes(size), b""
            is_over = not chunk
            if self._decoder is not None:
                chunk = self._decoder.decode(chunk, final=is_over).encode("utf-8", "replace")
            if chunk or is_over:
                return chunk.replace(b"\r", b"\n") if self._has_old_ends else chunk

    def _bytes(self, size: int) -> bytes:
        try:
            chunk = self._stream.read(size)
        except OSError as error:
            why = _BROKEN if error.strerror is None else f"can't be read: {error.strerror}"
            raise refusal(self._path, why) from None
        except (EOFError, RuntimeError, ValueError, zlib.error, lzma.LZMAError, BadZipFile):
            raise refusal(self._path, _BROKEN) from None
        self._left -= len(chunk)
        if self._left < 0:
            raise refusal(
                self._path,
                f"unpacks to more than {self._limit / 2**20:,.0f} MiB, and a packed log may have "
                f"{UNPACKED_TIMES} times its size; unpack it yourself if it is a log",
            )
        return chunk


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Bytes of a log, unpacked from gzip, bzip2, xz, Zstandard, LZ4 or a zip of one file."""
    check_kind(path)
    with ExitStack() as files:
        try:
            stream = files.enter_context(path.open("rb"))
            head = stream.read(LINE_LIMIT)
            stream.seek(0)
        except OSError as error:
            raise refusal(path, f"can't be read: {error.strerror}") from None
        packing = next((name for mark, name in _PACKINGS if head.startswith(mark)), "")
        if not packing:
            yield Source(path, stream, float("inf"))
            return
        try:
            unpacked = files.enter_context(_unpacked(path, stream, packing))
        except BadZipFile:
            raise refusal(path, _BROKEN) from None
        yield Source(path, unpacked, unpacked_limit(path))


def unpacked_limit(path: Path) -> int:
    """Bytes that a packed file may have once it is unpacked."""
    return max(UNPACKED_TIMES * path.stat().st_size, UNPACKED_LEAST)


def is_parquet(path: Path) -> bool:
    """Whether a file is a Parquet table."""
    check_kind(path)
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PAR1"
    except OSError as error:
        raise refusal(path, f"can't be read: {error.strerror}") from None


def _unpacked(path: Path, stream: IO[bytes], packing: str) -> IO[bytes]:
    if packing == "zip":
        return _only_member(path, ZipFile(stream))
    opener: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}.get(packing)
    if opener is not None:
        return cast("IO[bytes]", opener(stream))
    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(stream), packing))


def _only_member(path: Path, archive: ZipFile) -> IO[bytes]:
    names = [name for name in archive.namelist() if not re.match(r"__MACOSX/|.*/$", name)]
    if "[Content_Types].xml" in names:
        is_workbook = any(name.startswith("xl/") for name in names)
        what = "an Excel workbook" if is_workbook else "a document"
        raise _is_other(path, what, _SAVE_AS_CSV)
    if "mimetype" in names and "content.xml" in names:
        raise _is_other(path, "a spreadsheet or document of OpenOffice", _SAVE_AS_CSV)
    if len(names) != 1:
        some = ", ".join(shown(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        what = f"a zip archive of {len(names)} files" + (f": {some}" if names else "")
        raise _is_other(path, what, "unpack it and give the logs that are in it")
    if archive.getinfo(names[0]).flag_bits & 1:
        raise _is_other(path, "a zip archive with a password", _UNPACK)
    return archive.open(names[0])


def _check_text(path: Path, head: bytes) -> None:
    """Refuse what is known to be no log, by name."""
    for what, (marks, hint) in _OTHERS.items():
        if head.startswith(marks):
            raise _is_other(path, what, hint)
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise _is_other(path, "a tar archive", _UNPACK)
    if any(head.startswith(mark) for mark, _ in _PACKINGS):
        raise _is_other(path, "a packed file in a packed file", _UNPACK)
    encoding, _ = text_kind(head)
    start = head[:4096]
    if encoding == "utf-8" and len(start.translate(None, _CONTROLS)) < 0.9 * len(start):
        raise _is_other(path, "a file of some program", _EXPORT)
    text = start.decode(encoding, "replace").removeprefix("\ufeff")
    for pattern, what, hint in _OTHER_TEXTS:
        if re.match(pattern, text, re.IGNORECASE):
            raise _is_other(path, what, hint)


def _is_other(path: Path, what: str, hint: str) -> ScenarioError:
    return refusal(path, f"is {what}, not a log in text; {hint}")


def shown(text: str) -> str:
    """A piece of a file as messages show it."""
    plain = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[: SHOWN + 1])
    return repr(plain[:SHOWN] + ("..." if len(text) > SHOWN else ""))


# Tables


def each_its_own(fields: Sequence[str]) -> tuple[str, ...]:
    """Names of columns; those that are repeated or missing get one that nobody asks for."""
    seen: set[str] = set()
    names = []
    for k, name in enumerate(fields):
        names.append(f"{name}\n{k}" if not name or name in seen else name)
        seen.add(name)
    return tuple(names)


@dataclass(frozen=True)
class Parsed:
    """Rows of a block."""

    table: pa.Table
    """The columns that were asked for, as text."""
    lines: Integers
    """Line on which each row begins, from 1. Shape (rows,)."""
    broken: list[tuple[int, str]]
    """Lines that are no rows, with what was found."""
    allowed: str = "write as many fields as the other lines have"
    """What they should be."""
    blank: int = 0
    """Rows without anything: they count, and are not in the table."""


_ROWS = 50_000
"""Rows of a table that are read at a time."""
_LEAST_BYTES = 4
"""Of a value once it is unpacked."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A call log that is a DataFrame; messages name it as they name a file."""

    name: str
    table: pa.Table

    def __str__(self) -> str:
        return self.name

    @property
    def sha256(self) -> str:
        """Digest of its values."""
        digest = hashlib.sha256(repr(self.table.schema.names).encode())
        for batch in self.table.to_batches():
            digest.update(batch.serialize())
        return digest.hexdigest()


def frame_of(table: pd.DataFrame, name: str) -> Frame:
    """A DataFrame as a call log, with its index where that has a name."""
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    arrays = [_arrow(table.iloc[:, k]) for k in range(table.shape[1])]
    return Frame(name, pa.Table.from_arrays(arrays, each_its_own([str(n) for n in table.columns])))


def _arrow(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """A column as Arrow has it; as texts where its values are of several kinds."""
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        array = None
    if array is None or isinstance(array.type, pa.BaseExtensionType):
        return pa.array(
            [None if gone else str(x) for x, gone in zip(column, column.isna(), strict=True)]
        )
    return array


def names_of(source: Path | Frame) -> tuple[str, ...]:
    """Columns of a table."""
    if isinstance(source, Frame):
        return tuple(source.table.column_names)
    try:
        return tuple(pq.read_schema(source).names)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(source, error) from None


def columns_of(source: Path | Frame, wanted: Sequence[str]) -> Iterator[Parsed]:
    """Rows of a table as columns of text, a batch at a time."""
    row = 1
    for batch in _batches(source, wanted):
        table = pa.table({name: _text(batch[name]) for name in wanted})
        yield Parsed(table, np.arange(row, row + batch.num_rows, dtype=np.int64), [])
        row += batch.num_rows


def _batches(source: Path | Frame, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if isinstance(source, Frame):
        yield from source.table.to_batches(_ROWS)
        return
    try:
        with pq.ParquetFile(source) as file:
            rows = file.metadata.num_rows
            if rows * len(wanted) * _LEAST_BYTES > unpacked_limit(source):
                raise refusal(
                    source,
                    f"has {rows:,} rows in {source.stat().st_size:,} bytes; "
                    "a log has other values in most of them",
                )
            yield from file.iter_batches(_ROWS, columns=list(wanted))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _broken(source, error) from None


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_duration(column.type):
        column = pc.divide(pc.cast(column, pa.duration("us")).cast(pa.int64()), 1e6)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        column = pa.array([None if value is None else str(value) for value in column.to_pylist()])
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _broken(path: Path, error: Exception) -> ScenarioError:
    why = str(error).partition("\n")[0][:200]
    return refusal(path, f"is a Parquet table that can't be read: {why}")


def is_result(source: Path | Frame) -> bool:
    """Whether a directory holds a saved result."""
    files = ("run.json", "attempts.parquet")
    return isinstance(source, Path) and all((source / file).is_file() for file in files)
