"""Files of call logs as bytes of text: unpacked, in UTF-8, and refused by name if they are none.

What is unpacked is bounded: a small file that unpacks to gigabytes is no log.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from outsim.errors import ScenarioError
from outsim.scenario.files import LINE_LIMIT, check_kind, refusal, text_kind

UNPACKED_TIMES = 100
"""How many times its size a packed log may be: logs are some 10 to 50 times."""
UNPACKED_LEAST = 16 * 2**20
"""Bytes that any packed log may unpack to."""

_SAVE_AS_CSV = "open it in a spreadsheet and save it as CSV"
_UNPACK = "unpack it and give the log that is in it"
_EXPORT = "export the table of calls as CSV"
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls)", _SAVE_AS_CSV),
    (b"%PDF", "a PDF", _EXPORT),
    (b"SQLite format 3\0", "an SQLite database", _EXPORT),
    (b"PGDMP", "a PostgreSQL dump", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x1f\x9d", "a file packed by compress", _UNPACK),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ORC", "an ORC file", _EXPORT),
    (b"{\\rtf", "a document in RTF", _EXPORT),
    (b"RIFF", "a recording or a picture", _EXPORT),
    (b"\x89PNG", "a picture", _EXPORT),
    (b"\xff\xd8\xff", "a picture", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
)
"""First bytes of files that are no text, what they are, and what to do."""
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
        self._path = path
        self._stream = stream
        self._left = limit
        self._limit = limit
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
            found, self._head = self._head or self._bytes(size), b""
            is_over = not found
            if self._decoder is not None:
                found = self._decoder.decode(found, final=is_over).encode("utf-8", "replace")
            if found or is_over:
                return found.replace(b"\r", b"\n") if self._has_old_ends else found

    def _bytes(self, size: int) -> bytes:
        try:
            found = self._stream.read(size)
        except OSError as error:
            why = _BROKEN if error.strerror is None else f"can't be read: {error.strerror}"
            raise refusal(self._path, why) from None
        except (EOFError, RuntimeError, ValueError, zlib.error, lzma.LZMAError, BadZipFile):
            raise refusal(self._path, _BROKEN) from None
        self._left -= len(found)
        if self._left < 0:
            raise refusal(
                self._path,
                f"unpacks to more than {self._limit / 2**20:,.0f} MiB, and a packed log may have "
                f"{UNPACKED_TIMES} times its size; unpack it yourself if it is a log",
            )
        return found


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
    if packing == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if packing == "bzip2":
        return bz2.BZ2File(stream)
    if packing == "xz":
        return lzma.LZMAFile(stream)
    if packing == "zip":
        return _only_member(path, ZipFile(stream))
    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(stream), packing))


def _only_member(path: Path, archive: ZipFile) -> IO[bytes]:
    names = [each for each in archive.namelist() if not each.endswith("/")]
    names = [each for each in names if not each.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names:
        what = (
            "an Excel workbook" if any(each.startswith("xl/") for each in names) else "a document"
        )
        raise _is_other(path, what, _SAVE_AS_CSV)
    if "mimetype" in names and "content.xml" in names:
        raise _is_other(path, "a spreadsheet or document of OpenOffice", _SAVE_AS_CSV)
    if len(names) != 1:
        some = ", ".join(shown(each) for each in names[:5]) + (", ..." if len(names) > 5 else "")
        found = f"a zip archive of {len(names)} files" + (f": {some}" if names else "")
        raise _is_other(path, found, "unpack it and give the logs that are in it")
    if archive.getinfo(names[0]).flag_bits & 1:
        raise _is_other(path, "a zip archive with a password", _UNPACK)
    return archive.open(names[0])


def _check_text(path: Path, head: bytes) -> None:
    """Refuse what is known to be no log, by name."""
    for mark, what, hint in _OTHERS:
        if head.startswith(mark):
            raise _is_other(path, what, hint)
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise _is_other(path, "a tar archive", _UNPACK)
    if any(head.startswith(mark) for mark, _ in _PACKINGS):
        raise _is_other(path, "a packed file in a packed file", _UNPACK)
    encoding, _ = text_kind(head)
    start = head[:4096]
    if encoding == "utf-8" and len(start.translate(None, _CONTROLS)) < 0.9 * len(start):
        raise _is_other(path, "a file of some program", _EXPORT)
    text = head[:4096].decode(encoding, "replace").removeprefix("\ufeff")
    for pattern, what, hint in _OTHER_TEXTS:
        if re.match(pattern, text, re.IGNORECASE):
            raise _is_other(path, what, hint)


def _is_other(path: Path, what: str, hint: str) -> ScenarioError:
    return refusal(path, f"is {what}, not a log in text; {hint}")


def shown(text: str) -> str:
    """A piece of a file as messages show it."""
    plain = "".join(each if each.isprintable() else "\ufffd" for each in text[: SHOWN + 1])
    return repr(plain[:SHOWN] + ("..." if len(text) > SHOWN else ""))
