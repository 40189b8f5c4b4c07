"""What a directory keeps: which kind of thing, in which files, and that they are as written.

A directory holds one run, one study, or several studies and the request for them: the name of a
JSON document in it says which. The document says, under `FILES`, how many bytes each file beside
it has and what their checksum is; and, under `CHECKSUM`, what the checksum of its own values is.
That one is of what is read and not of how it is written: line ends and layout don't matter.

A checksum finds damage and mistakes. It does not keep out anybody who writes a new one. That of
a file is CRC-32: it costs little beside writing a table, and finds every flipped bit and every
damage of up to 32 bits in a row. That of values is BLAKE2b. Somebody else may have written the
directory: nothing outside it is opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.errors import OutsimError

if TYPE_CHECKING:
    import pandas as pd

RUN, STUDY, REQUEST = "run.json", "study.json", "request.json"

EARLIER = "asked.json"
"""Document of a sweep's directory that this outsim does not read any more."""

_HOLDS = {
    RUN: "the result of one run",
    STUDY: "a study",
    REQUEST: "several studies",
    EARLIER: "several studies of an earlier outsim",
}


def refuse_other_kind(own: str, directory: Path, kind: type[OutsimError]) -> None:
    """Raise `kind` if a directory has the document of another kind than its `own`."""
    for name, what in _HOLDS.items():
        if name != own and (directory / name).exists():
            raise kind(f"{directory}: holds {what} ({name}) already; give another directory")


CHECKSUM, FILES = "checksum", "files"
"""Names in a document: of the checksum of its values, and of those of the files beside it."""

_CRC = "crc32"

_BYTES = 16
_BLOCK = 1 << 20


class DamageError(ValueError):
    """What is kept is not what was written."""


def checksum(data: bytes) -> str:
    """Checksum of a text as bytes: BLAKE2b, 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=_BYTES).hexdigest()


def checksum_of_values(values: Any) -> str:
    """Checksum of what a JSON or TOML document says, however it is laid out."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return checksum(text.encode())


def checksums_of(directory: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Bytes and checksum of some files of a directory."""
    return {name: _checksum_of(directory / name) for name in names}


def _checksum_of(path: Path) -> dict[str, Any]:
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return {"bytes": size, _CRC: f"{crc:08x}"}


def with_checksum(document: Mapping[str, Any]) -> str:
    """Text of a JSON document with the checksum of its values."""
    values = json.loads(json.dumps({k: v for k, v in document.items() if k != CHECKSUM}))
    return json.dumps(values | {CHECKSUM: checksum_of_values(values)}, indent=2) + "\n"


def read_checked(path: Path) -> dict[str, Any]:
    """What a JSON document says that `with_checksum` wrote."""
    document = read_document(path)
    verify_checksum(document)
    return document


def read_document(path: Path) -> dict[str, Any]:
    """What a JSON document says, whatever its checksum; errors are those of `read_checked`."""
    try:
        data = _read(inside(path.parent, path.name)).decode()
        document = json.loads(data, parse_int=_integer)
    except RecursionError:
        raise DamageError("it is nested too deeply") from None
    if not isinstance(document, dict):
        raise DamageError("it is no table")
    return document


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise DamageError("it has a number of too many digits") from None


def verify_checksum(document: Mapping[str, Any]) -> None:
    """Refuse a document whose checksum is not that of its values."""
    stated = document.get(CHECKSUM)
    if stated is None:
        raise DamageError(
            "it has no checksum: it is damaged, or was written by an outsim that gave none"
        )
    actual = checksum_of_values({key: value for key, value in document.items() if key != CHECKSUM})
    if stated != actual:
        raise DamageError(
            f"the checksum of its values is {actual}, and it says {str(stated)[:40]}: it was "
            "changed after it was written"
        )


def read_file(directory: Path, name: str, files: object) -> bytes:
    """Bytes of a file, once they are known to be those of which `checksums_of` gave `files`."""
    wanted = files.get(name) if isinstance(files, Mapping) else None
    if not isinstance(wanted, Mapping):
        raise DamageError("it has no checksum: it is none of the files that were written there")
    data = _read(inside(directory, name), wanted.get("bytes"))
    actual = f"{zlib.crc32(data):08x}"
    if actual != wanted.get(_CRC):
        raise DamageError(
            f"its checksum is {actual}, and was {wanted.get(_CRC)} when it was written: it was "
            "changed since"
        )
    return data


def read_table(directory: Path, name: str, files: object) -> pd.DataFrame:
    """A Parquet table that is kept, as `read_file` reads its bytes."""
    import pandas as pd

    return pd.read_parquet(BytesIO(read_file(directory, name, files)))


def _read(path: Path, size: object = None) -> bytes:
    """Bytes of a regular file, if they are as many as they should be."""
    # A pipe would be waited for: it is not, and then it is known for what it is.
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise DamageError("it is no regular file")
        if size is not None and status.st_size != size:
            raise DamageError(f"it has {status.st_size} bytes, and had {size} when it was written")
        with open(opened, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(opened)


class OutsideError(ValueError):
    """A name in a directory leads out of it."""


def inside(directory: Path, name: str | Path) -> Path:
    """Place of a file in a directory, also if it is not there."""
    place = directory / name
    root = os.path.realpath(directory)
    try:
        there = os.path.realpath(place)
    except ValueError:  # a name that no file can have
        there = ""
    if os.path.commonpath([root, there or os.sep]) != root or there == "":
        raise OutsideError(
            f"it leads out of {directory}, and what is kept there is read from nowhere else; if "
            "it is to be read, put a copy in its place"
        )
    return place
