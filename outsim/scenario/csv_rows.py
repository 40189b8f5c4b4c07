"""Rows of CSV files (RFC 4180), each with the line on which it begins; no line is lost.

A quoted field may hold delimiters, line ends and doubled quotes. Where quotes are out of order
nobody can tell how far a row goes: such a line is a row by itself, of unknown fields, and the
next line begins another one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from outsim.scenario.files import LINE_LIMIT

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
    r"""Rows of some lines.

    Parameters
    ----------
    lines : iterable of str
        Lines with their ends, ``\n`` or ``\r\n``.
    delimiter : str
    first_line : int
        Number of the first line.
    fits : optional
        Whether fields may be a row. A row over several lines that does not fit is none: its
        first line is taken by itself.
    """
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
