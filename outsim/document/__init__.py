"""Answers as documents: what a terminal, a notebook, a report and a machine are given.

An answer words itself once, in its `Answer.document`, and gives machines its `Answer.to_dict`.
Whatever shows it puts the document on paper and words nothing: `outsim.document.terminal`,
`outsim.document.html`, and the report in `outsim.present`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outsim.text import bounded, brief, visible

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table of text; the first cell of each row is what the row is about."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_text: bool = False
    """Whether all its cells are words rather than numbers; numbers stand to the right."""
    text_columns: Collection[str] = ()
    """Columns whose cells are words, beside the first."""

    __repr__ = brief

    @classmethod
    def of_columns(cls, caption: str, columns: Mapping[str, Sequence[str]]) -> Table:
        """A table of numbers, from its columns by their headings."""
        return cls(caption, [*columns], [[*row] for row in zip(*columns.values(), strict=True)])

    def is_numeric(self, column: int) -> bool:
        """Whether the cells of a column are numbers."""
        return not (self.is_text or column == 0 or self.columns[column] in self.text_columns)

    def to_dataframe(self) -> pd.DataFrame:
        """The table as a data frame of text, indexed by its first column."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(self.columns)).set_index(self.columns[0])


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn: a function of `outsim.plots`, and what it draws."""

    plot: str | Callable[[Any], object]
    """Name of the function; or something that draws on the axes that it is given."""
    of: Any = None
    """Its first argument; it takes the axes to draw on as ``ax``."""
    alt: str = ""
    """What is seen, for those who don't see it."""
    caption: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the function."""
    rows: float = 6.0
    """How high it is, in rows of text, or things side by side, beside its frame."""

    __repr__ = brief


@dataclass(frozen=True)
class Document:
    """One question, and what is known of its answer."""

    id: str
    """Name of the question, and of its command."""
    title: str
    """The question in words."""
    asked: str = ""
    """What was asked, of what, and how often it was tried."""
    answer: str = ""
    """The answer in one line, with its interval; empty where there is none."""
    why: Sequence[str] = ()
    """Why the answer is what it is, in few sentences."""
    more: Sequence[str] = ()
    """Further sentences."""
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    """Small print: what numbers mean, and what they rest on."""
    command: str = ""
    """Command that would answer it, or answer it in full."""
    texts: Sequence[str] = ()
    """Paragraphs."""
    gaps: Sequence[str] = ()
    """What only the author can say and has not said."""
    code: Sequence[tuple[str, str]] = ()
    """Commands and files, each with what it is."""
    parts: Sequence[Document] = ()
    """Documents in it, each with a heading of its own."""

    __repr__ = brief

    def _repr_html_(self) -> str:
        from outsim.document.html import fragment

        return fragment(self)


class Answer(ABC):
    """What a question gives: it states itself once, and whatever shows it has it from there.

    A dataclass that is an answer is declared with ``repr=False``.
    """

    is_no = False
    """Whether the answer is no: then the command ends with exit code 1."""

    @abstractmethod
    def document(self) -> Document:
        """The answer in words, tables and pictures."""

    @abstractmethod
    def to_dict(self) -> Any:
        """The answer for machines: what can be written as JSON."""

    def __repr__(self) -> str:
        document = self.document()
        text = visible(document.answer or document.asked or document.title)
        return bounded(f"{type(self).__name__}: {text}")

    def _repr_html_(self) -> str:
        return self.document()._repr_html_()
