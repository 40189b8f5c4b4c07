"""What a report is made of: sections with an answer, pictures, tables and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Table:
    """A table of text; the first cell of each row is what the row is about."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_text: bool = False
    """Whether its cells are words rather than figures; figures stand to the right."""


@dataclass(frozen=True)
class Picture:
    """A picture that is drawn when the page is made."""

    draw: Callable[[Axes], object]
    """Draws on these axes."""
    alt: str
    """What is seen, for those who don't see it."""
    caption: str
    rows: float = 6.0
    """How high it is, in rows of text, or things side by side, beside its frame."""


@dataclass(frozen=True)
class Section:
    """One question, and what is known of its answer."""

    id: str
    title: str
    asked: str = ""
    """What was asked, of what, and how often it was tried."""
    answer: str = ""
    """The answer in a sentence, with its interval; empty where there is none."""
    more: Sequence[str] = ()
    """Further sentences."""
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    """Small print: what figures mean, and what they rest on."""
    command: str = ""
    """Command that would answer it, or answer it in full."""
    texts: Sequence[str] = ()
    """Paragraphs."""
    gaps: Sequence[str] = ()
    """What only the author can say and has not said."""
    code: Sequence[tuple[str, str]] = ()
    """Commands and files, each with what it is."""
    parts: Sequence[Section] = field(default=())
    """Sections in it, each with a heading of its own."""
