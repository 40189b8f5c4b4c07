"""How two scenarios differ in what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from outsim.document import Answer, Document, Table
from outsim.questions.question import Question, asks
from outsim.scenario.difference import Difference, differences
from outsim.scenario.model import Scenario
from outsim.text import plain


@dataclass(frozen=True, eq=False, repr=False)
class Diff(Answer):
    """How two scenarios differ, however they are written."""

    names: tuple[str, str]
    differences: tuple[Difference, ...]

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether they differ."""
        return bool(self.differences)

    def document(self) -> Document:
        """The keys in which they differ."""
        rows = [[change.key, str(change.left), str(change.right)] for change in self.differences]
        count = len(rows)
        answer = f"They differ in {count} key{'s' * (count != 1)}."
        return Document(
            id="diff",
            title="How do two scenarios differ in what they mean?",
            answer=answer if rows else "The scenarios mean the same.",
            tables=[Table("", ["key", *self.names], rows, is_text=True)] if rows else [],
        )

    def to_dict(self) -> list[dict[str, str]]:
        """The differences for machines."""
        rows: list[dict[str, str]] = plain(
            [
                {"key": change.key, "left": change.left, "right": change.right}
                for change in self.differences
            ]
        )
        return rows


@asks()
def diff(
    left: Scenario, right: Scenario, *, names: tuple[str, str] | None = None
) -> Question[Diff]:
    """Compare what two scenarios mean, inheritance and defaults resolved.

    Parameters
    ----------
    left, right : Scenario
        What `outsim.load` gives.
    names : pair of str, optional
        What they are called; default: their names.

    Returns
    -------
    Question
        Its answer has each key in which they differ; `Diff.is_no` says whether there is any.
    """
    called = names or (left.name, right.name)
    return Question("diff", lambda _: Diff(called, tuple(differences(left, right))))
