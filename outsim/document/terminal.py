"""Documents on a terminal: the answer first, then tables, then small print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from outsim.document import Document
from outsim.document import Table as Data
from outsim.text import visible_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE_GAP, _CLOSE_GAP = 3, 2
_BRACKETS = (80, 13)
"""Characters that what stands in brackets behind a number is broken to, and at the narrowest."""


def say(text: str = "") -> None:
    """Write a paragraph to standard output, wrapped to the terminal and at most 80 columns."""
    _console().print(visible_lines(text))


_BELOW = ("why", "asked", "texts", "more", "gaps", "tables", "notes", "code", "command", "parts")
"""What may stand below an answer."""


def show(document: Document) -> None:
    """Write a document to standard output."""
    if document.answer:
        say(document.answer)
        if any(getattr(document, part) for part in _BELOW):
            say()
    for text in document.why:
        say(text)
    if document.why:
        say()
    for text in (document.asked, *document.texts, *document.more):
        if text:
            say(text)
    for gap in document.gaps:
        say(f"Gap: {gap}")
    if document.tables:
        say()
    for table in document.tables:
        show_table(table)
    for note in document.notes:
        say(note)
    for name, code in document.code:
        say(f"{name}:\n{code}")
    if document.command:
        say(f"To answer it{' in full' if document.answer else ''}: {document.command}")
    for part in document.parts:
        say()
        say(part.title)
        show(part)


def show_table(table: Data) -> None:
    """Write a table to standard output, whole.

    Numbers are never broken, labels and text between words. Where the columns don't fit beside
    each other, each row becomes a block of its own.
    """
    console = _console()
    if table.caption:
        say(f"{table.caption}:")
    made = _beside(table, console.width) or _turned(table, console.width)
    if made is not None:
        console.print(made)
    else:
        if table.columns[0]:
            say(table.columns[0])
        for label, *cells in table.rows:
            say(label)
            for name, cell in zip(table.columns[1:], cells, strict=True):
                say(f"  {name}  {cell}")
    say()


def _console() -> Console:
    from rich.console import Console

    # Names stand as people wrote them: neither markup nor the name of an emoji.
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = min(console.width, 80)
    return console


def _beside(table: Data, width: int) -> Table | None:
    """The table with its columns beside each other; None where they don't fit."""
    heads = [*map(visible_lines, table.columns)]
    rows = [[visible_lines(cell) for cell in row] for row in table.rows]
    columns = list(zip(*rows, strict=True)) or [()] * len(heads)
    texts = [not table.is_numeric(k) for k in range(len(heads))]
    # What stands behind a number, its half-width or what is in brackets, may have its own lines.
    folded, narrow = (
        [
            column if is_text else tuple(_folded(cell, most) for cell in column)
            for column, is_text in zip(columns, texts, strict=True)
        ]
        for most in _BRACKETS
    )
    for gap, cells, breaks_heads in (
        (_WIDE_GAP, columns, False),
        (_WIDE_GAP, columns, True),
        (_CLOSE_GAP, columns, True),
        (_WIDE_GAP, folded, True),
        (_CLOSE_GAP, folded, True),
        (_CLOSE_GAP, narrow, True),
    ):
        made = [
            (_broken(head, column) if breaks_heads else head, *column)
            for head, column in zip(heads, cells, strict=True)
        ]
        widths = _widths(made, texts, width - gap * (len(made) - 1))
        if widths is not None:
            return _laid_out(made, texts, widths, gap)
    return None


def _folded(cell: str, width: int) -> str:
    """A number, and below it what stands in brackets behind it; where it is narrow, all of it."""
    if width == _BRACKETS[-1]:
        cell = cell.replace(" ± ", "\n± ")
    number, bracket, rest = cell.partition(" (")
    return f"{number}\n{textwrap.fill(f'({rest}', width)}" if bracket else cell


def _turned(table: Data, width: int) -> Table | None:
    """One block a row: what it is about, and below it each column's name beside its cell.

    None where even that does not fit.
    """
    labels, values = [], []
    for row in table.rows:
        labels += [row[0], *(f"  {name}" for name in table.columns[1:])]
        values += ["", *row[1:]]
    cells = [[*map(visible_lines, column)] for column in (labels, values)]
    made = [(visible_lines(table.columns[0]), *cells[0]), ("", *cells[1])]
    for texts in ([True, table.is_text or bool(table.text_columns)], [True, True]):
        widths = _widths(made, texts, width - _CLOSE_GAP)
        if widths is not None:
            return _laid_out(made, texts, widths, _CLOSE_GAP)
    return None


def _laid_out(
    columns: Sequence[Sequence[str]], texts: Sequence[bool], widths: Sequence[int], gap: int
) -> Table:
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=gap == _CLOSE_GAP
    )
    for column, is_text, width in zip(columns, texts, widths, strict=True):
        justify = "left" if is_text else "right"
        made.add_column(column[0], justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for row in zip(*(column[1:] for column in columns), strict=True):
        made.add_row(*row)
    return made


def _widths(
    columns: Sequence[Sequence[str]], texts: Sequence[bool], room: int
) -> list[int] | None:
    """Widths of columns, the first ones as wide as their text is; None if they don't fit."""
    widths = [
        (_longest_word if is_text else _longest_line)(column)
        for column, is_text in zip(columns, texts, strict=True)
    ]
    left = room - sum(widths)
    if left < 0:
        return None
    for k, column in enumerate(columns):
        more = min(left, _longest_line(column) - widths[k])
        widths[k] += more
        left -= more
    return widths


def _longest_word(texts: Iterable[str]) -> int:
    return _longest_line(word for text in texts for word in text.split())


def _longest_line(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for text in texts for line in text.split("\n")), default=0)


def _broken(head: str, column: Sequence[str]) -> str:
    """A header over as many lines as it takes to be no wider than what is below it."""
    width = max(1, _longest_word([head]), _longest_line(column))
    return textwrap.fill(head, width, break_on_hyphens=False)
