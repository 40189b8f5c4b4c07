"""Text files from outside, read with limits.

Scenario files, contact lists and call logs come from anywhere. A pipe, a device, a file
of one endless line or of another encoding must give a message at once, and
never fill the memory first.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from outsim.errors import Problem, ScenarioError
from outsim.text import shortened

SHOWN_OF_KEYS = 40
"""Characters that messages show of a key or header that can't be used: the file may be another
one than was meant."""
LINE_LIMIT = 64 * 1024
"""Longest line, in bytes, its end included."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def refusal(file: Path | str, message: str, line: int | None = None) -> ScenarioError:
    """Error about one place in a file."""
    return ScenarioError([Problem(str(file), line, "", message)])


def header_shown(names: Sequence[str]) -> str:
    """The beginning of a header that is not what it should be.

    The file may be another one than was meant, and nobody's business: a private key, a list of
    passwords.
    """
    told = shortened(", ".join(names), SHOWN_OF_KEYS)
    return told if len(names) < 2 or not told.endswith("...") else f"{told} ({len(names)} in all)"


def check_kind(path: Path) -> None:
    """Refuse what is no regular file, before anything is read of it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise refusal(path, "no such file") from None
    except (OSError, ValueError) as error:
        raise refusal(path, f"can't be read: {_reason(error)}") from None
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise refusal(path, f"found {kind}; must be a regular file")


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file with their ends; a byte order mark is dropped.

    Raises
    ------
    ScenarioError
        If there is no such file, it is no regular file, a line of it is longer
        than `LINE_LIMIT`, is not UTF-8 or holds a NUL.
    """
    check_kind(path)
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(LINE_LIMIT + 1):
                number += 1
                if len(line) > LINE_LIMIT:
                    raise refusal(path, "found a line longer than 64 KiB, the limit", number)
                if b"\0" in line:
                    raise refusal(path, "found a NUL byte; must be UTF-8 text", number)
                try:
                    text = line.decode()
                except UnicodeDecodeError as error:
                    raise refusal(
                        path,
                        f"found byte 0x{line[error.start]:02x} at byte {error.start + 1} of the "
                        "line, which is not UTF-8; save the file as UTF-8",
                        number,
                    ) from None
                yield text.removeprefix("\ufeff") if number == 1 else text
    except OSError as error:
        raise refusal(path, f"can't be read: {_reason(error)}") from None
