"""Text files from outside, read with limits.

Scenario files, contact lists and call logs come from anywhere. A pipe, a device, a file
of one endless line or of another encoding must give a message at once, and
never fill the memory first.
"""

from __future__ import annotations

import codecs
import csv
import io
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from outsim.errors import Problem, ScenarioError
from outsim.text import shortened

SHOWN_OF_KEYS = 40
"""Characters that messages show of a key or header that can't be used: the file may be another
one than was meant."""
LINE_LIMIT = 64 * 1024
"""Longest line, in bytes, its end included."""

SHOWN_PATH = 200
"""Characters of a path that a message repeats."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def refusal(file: object, message: str, line: int | None = None) -> ScenarioError:
    """Error about one place in a file."""
    return ScenarioError([Problem(str(file), line, "", message)])


def header_shown(names: Sequence[str]) -> str:
    """The beginning of a header that is not what it should be: the file may be a private one."""
    text = shortened(", ".join(names), SHOWN_OF_KEYS)
    return text if len(names) < 2 or not text.endswith("...") else f"{text} ({len(names)} in all)"


def kind_problem(path: Path) -> str | None:
    """Why a path can't be read: there is nothing, or no regular file; None if it can."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return f"there is no file {str(path)[:SHOWN_PATH]}"
    except (OSError, ValueError) as error:
        return f"can't be read: {_reason(error)}"
    if stat.S_ISREG(mode):
        return None
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
    return f"found {kind}; must be a regular file"


def check_kind(path: Path) -> None:
    """Refuse what is no regular file, before anything is read of it."""
    reason = kind_problem(path)
    if reason is not None:
        raise refusal(path, "no such file" if reason.startswith("there is no") else reason)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file with their ends; a byte order mark is dropped."""
    check_kind(path)
    try:
        with path.open("rb") as stream:
            for number, text in _utf8_lines(stream, path):
                if "\0" in text:
                    raise refusal(path, "found a NUL byte; must be UTF-8 text", number)
                yield text
    except OSError as error:
        raise refusal(path, f"can't be read: {_reason(error)}") from None


def read_table_lines(path: Path) -> Iterator[str]:
    """Lines, with their ends, of a table in UTF-8 or UTF-16; a NUL is read as U+FFFD."""
    check_kind(path)
    try:
        with path.open("rb") as stream:
            encoding, end = text_kind(stream.read(LINE_LIMIT))
            stream.seek(0)
            is_plain = (encoding, end) == ("utf-8", "\n")
            lines = (_utf8_lines if is_plain else partial(_text_lines, encoding, end))(
                stream, path
            )
            for _, text in lines:
                yield text.replace("\0", "\ufffd")
    except OSError as error:
        raise refusal(path, f"can't be read: {_reason(error)}") from None


def text_kind(head: bytes) -> tuple[str, str]:
    """Encoding of a text that begins so, as far as it can be told, and how its lines end."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    pairs = len(head) // 2
    if encoding == "utf-8" and pairs > 1:
        nuls = [head[k : 2 * pairs : 2].count(0) / pairs for k in (0, 1)]
        if max(nuls) > 0.6 and min(nuls) < 0.1:
            encoding = "utf-16-be" if nuls[0] > nuls[1] else "utf-16-le"
    text = head.decode(encoding, "replace")
    has_old_ends = text.replace("\r\n", "\n").count("\r") > text.count("\n")
    return encoding, "\r" if has_old_ends else "\n"


_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _utf8_lines(stream: IO[bytes], path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        _check_length(line, path, number)
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise refusal(
                path,
                f"found byte 0x{line[error.start]:02x} at byte {error.start + 1} of the "
                "line, which is not UTF-8; save the file as UTF-8",
                number,
            ) from None
        yield number, text.removeprefix("\ufeff") if number == 1 else text


def _text_lines(
    encoding: str, end: str, stream: IO[bytes], path: Path
) -> Iterator[tuple[int, str]]:
    reader = io.TextIOWrapper(stream, encoding, newline=end)
    number = 0
    try:
        while line := reader.readline(LINE_LIMIT + 1):
            number += 1
            _check_length(line, path, number)
            yield number, line.removeprefix("\ufeff") if number == 1 else line
    except UnicodeDecodeError:
        message = f"is not {encoding.upper()} throughout; save it as UTF-8"
        raise refusal(path, message) from None
    finally:
        if not stream.closed:  # so that whoever opened it closes it, if nobody has
            reader.detach()


def _check_length(line: bytes | str, path: Path, number: int) -> None:
    if len(line) > LINE_LIMIT:
        raise refusal(path, "found a line longer than 64 KiB, the limit", number)


ROW_LINES = 1000
"""Lines that one row may be broken over, in quotes."""
ROW_LIMIT = LINE_LIMIT
"""Characters that a row of several lines may have."""


class Row(NamedTuple):
    """A row of a CSV file."""

    line: int
    """Line of the file on which it begins, from 1."""
    text: str
    """As it stands there, without the end of its last line."""
    fields: list[str] | None
    """None where quotes are out of order."""

    @property
    def is_blank(self) -> bool:
        """Whether it is a line without anything, not even quotes."""
        return not self.text.strip()


def read_rows(
    lines: Iterable[str],
    delimiter: str = ",",
    *,
    first_line: int = 1,
    fits: Callable[[list[str]], bool] | None = None,
) -> Iterator[Row]:
    r"""Rows of some lines."""
    source = iter(lines)
    ahead: deque[str] = deque()
    taken: list[str] = []
    number = first_line
    reader = csv.reader(_going_on(taken, ahead, source), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        fields = None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            pass
        text = "".join(taken).rstrip("\r\n")
        if fields is None or (len(taken) > 1 and fits is not None and not fits(fields)):
            ahead.extendleft(reversed(taken[1:]))
            text = taken[0].rstrip("\r\n")
            fields = None if '"' in text else text.split(delimiter)
            del taken[1:]
            reader = csv.reader(_going_on(taken, ahead, source), delimiter=delimiter, strict=True)
        yield Row(number, text, fields or [""] if fields is not None else None)
        number += len(taken)


def _going_on(taken: list[str], ahead: deque[str], source: Iterator[str]) -> Iterator[str]:
    """Lines, each put into `taken`; none any more where a row grows past its limits."""
    size = 0
    while len(taken) < ROW_LINES:
        line = ahead.popleft() if ahead else next(source, None)
        if line is None:
            return
        taken.append(line)
        size = size + len(line) if len(taken) > 1 else len(line)
        if len(taken) > 1 and size > ROW_LIMIT:
            return
        yield line
