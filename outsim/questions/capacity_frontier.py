"""What is needed of one key at several values of another: a frontier, in words too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outsim.document import Answer, Document, Picture, Table
from outsim.questions.capacity_answers import TITLE, Capacity
from outsim.scenario.factors import Range
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Frontier(Answer):
    """Smallest value of one key that keeps promises, for several values of another key."""

    other: Range
    others: tuple[float, ...]
    """Values of the other key, in its unit."""
    capacities: tuple[Capacity, ...]
    """What was found at each of them."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether there is none at any of them."""
        return all(capacity.value is None for capacity in self.capacities)

    @property
    def _by_text(self) -> dict[str, Capacity]:
        """By value of the other key."""
        return dict(zip(map(self.other.text, self.others), self.capacities, strict=True))

    def document(self) -> Document:
        """What is needed at each value of the other key."""
        first, key = self.capacities[0], self.capacities[0].vary.key
        words = {"nothing": "none in range", "undecided": "undecided"}
        rows, more = [], []
        for at, capacity in self._by_text.items():
            value = capacity.value or words[capacity.outcome]
            kept_to = (capacity.kept_to if capacity.breaks else None) or "-"
            rows.append([at, value, capacity.broken_below or "-", kept_to, f"{capacity.runs:,}"])
            where = f"{self.other.key} = {at}"
            more += [f"{where}: {text}" for text in capacity.break_texts()]
            more += capacity.warning_texts(f"{where}, ")
        pairs = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
        best, beyond = first.words.best.capitalize(), first.beyond
        caption = f"{best} {key} that keeps the promises, by {self.other.key}"
        return Document(
            id="frontier",
            title=TITLE,
            answer=f"{caption}: {pairs}.",
            asked=first.asked,
            more=more,
            tables=[
                Table(
                    "",
                    [self.other.key, key, f"broken {beyond}", f"kept {first.words.to}", "runs"],
                    rows,
                )
            ],
            pictures=[
                Picture(
                    "frontier",
                    self,
                    alt=f"{best} {key} against {self.other.key}: {pairs}.",
                    caption=caption,
                )
            ],
            notes=[
                f"{best} {key} that is shown to keep the promises, and the next {beyond} that is "
                f"shown to break one, from {first.text(0)} to {first.text(-1)}; kept "
                f"{first.words.to}: where {first.further} values are shown to break one again."
            ],
        )

    def table(self) -> pd.DataFrame:
        """One row per value of the other key: what is needed there."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    self.other.key: at,
                    capacity.vary.key: capacity.value,
                    "outcome": capacity.outcome,
                    "broken_below": capacity.broken_below,
                    "kept_up_to": capacity.kept_to,
                    "runs": capacity.runs,
                }
                for at, capacity in self._by_text.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The answers for machines."""
        return plain(
            {
                "key": self.other.key,
                "frontier": [
                    {"at": at, **capacity.to_dict()} for at, capacity in self._by_text.items()
                ],
            }
        )
