"""What a plan found: the smallest value that keeps promises, and what that rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from outsim.display import table_html
from outsim.estimates import finite_or_none
from outsim.scenario.model import Scenario
from outsim.scenario.ranges import Range
from outsim.scenario.utilisation import shortages
from outsim.studies.promises import Promise, Verdict
from outsim.studies.search_result import Found
from outsim.text import bounded, brief, brief_document

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tested:
    """A value that was tested on fresh replications."""

    __repr__ = brief

    value: str
    """As a scenario file has it."""
    verdict: Verdict
    """Whether it is shown to keep all promises, to break one, or neither."""
    promises: tuple[Verdict, ...]
    """The same of each promise by itself."""
    replications: int
    shown: tuple[float, ...]
    """Mean of each promise's figure, or share of runs that kept it."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound of each, one-sided: what the verdicts are made of."""


@dataclass(frozen=True, eq=False)
class Capacity:
    """What a plan found: `plan_capacity` gives it."""

    scenario: Scenario
    vary: Range
    promises: tuple[Promise, ...]
    confidence: float
    replications: int
    """Runs that a test rests on."""
    seed: int
    found: Found = field(repr=False)
    input_uncertainty: bool = False
    """Whether each run has callees of its own, out of what a calibration's data leave open."""

    @property
    def outcome(self) -> Literal["found", "nothing", "undecided"]:
        """What came of it.

        found: a value is shown to keep all promises, and the one below it is not, be it broken
        or undecided. nothing: no value in the range does, as far as it was looked at: each one
        that was tested is shown to break one. undecided: neither could be shown with the runs
        or the time there was.
        """
        return self.found.outcome

    @property
    def values(self) -> tuple[float, ...]:
        """All values that were searched among, in the unit of the range."""
        return self.vary.values()

    def text(self, place: int) -> str:
        """Value at a place among them, as a scenario file has it."""
        return self.vary.text(self.values[place])

    @property
    def value(self) -> str | None:
        """Smallest value that keeps every promise, as in a scenario file; None if not found."""
        return self.best if self._is_found else None

    @property
    def number(self) -> float:
        """The same as a number, in the unit of the range; NaN if not found."""
        return self.values[self.found.place or 0] if self._is_found else math.nan

    @property
    def _is_found(self) -> bool:
        return self.outcome == "found"

    @property
    def below(self) -> str | None:
        """Largest value below that is not shown to keep every promise; None if there is none."""
        return self._text(self.found.below)

    @property
    def broken_below(self) -> str | None:
        """Largest value below that is shown to break a promise; None if there is none.

        Those between it and `value` are undecided.
        """
        return self._text(self.found.broken_below)

    @property
    def kept_to(self) -> str | None:
        """Value up to which, from `value` on, all that were tested keep the promises."""
        return self._text(self.found.kept_to)

    def _text(self, place: int | None) -> str | None:
        return None if place is None else self.text(place)

    @property
    def best(self) -> str | None:
        """Smallest value that is shown to keep every promise so far, also where undecided."""
        return self._text(self.found.place)

    @property
    def warnings(self) -> list[str]:
        """What the platform, with the value that keeps the promises, asks the carrier in vain."""
        if self.best is None:
            return []
        chosen = self.scenario.with_({self.vary.key: self.best}, name=self.scenario.name)
        return [f"{key}: {message}" for key, message in shortages(chosen)]

    @property
    def breaks(self) -> tuple[tuple[str, str], ...]:
        """Where larger values are shown to break a promise again.

        The last that is shown to keep all, the first that is shown not to; those between are
        undecided.
        """
        return tuple((self.text(last), self.text(first)) for last, first in self.found.breaks)

    @property
    def level_from(self) -> str | None:
        """Value from which on more of it changed nothing, as far as was looked; None if it did.

        What keeps the promises from being kept there is something else.
        """
        places = sorted(self.found.glances, reverse=True)
        scores = [self.found.glances[place].score for place in places]
        alike = [p for p, score in zip(places, scores, strict=True) if score == scores[0]]
        level = alike == places[: len(alike)] and len(alike) > 1
        return self.text(alike[-1]) if level else None

    @property
    def runs(self) -> int:
        """Runs that it took."""
        return self.found.runs

    @property
    def grid_runs(self) -> int:
        """Runs that testing every value of the range would have taken."""
        return len(self.values) * self.replications

    def tested(self) -> list[Tested]:
        """Values that were tested on fresh replications, the smallest first."""
        return [self._tested(place) for place in sorted(self.found.verdicts)]

    def _tested(self, place: int) -> Tested:
        figures, test = self.found.fresh[place], self.found.tests[place]
        outcomes = [p.outcomes(figures[:, k]) for k, p in enumerate(self.promises)]
        return Tested(
            self.text(place),
            test.verdict,
            test.promises,
            len(figures),
            tuple(float(each.mean()) for each in outcomes),
            test.bounds,
        )

    def table(self) -> pd.DataFrame:
        """One row per value that was tested on fresh replications, and promise.

        Columns: ``value``, ``promise``, ``shown`` (mean of the promise's figure, or share of
        runs that kept it), ``low`` and ``high`` (its one-sided bounds), ``replications``,
        ``promise_is`` and ``value_is`` (kept, broken or undecided).
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "value": each.value,
                    "promise": promise.text,
                    "shown": shown,
                    "low": low,
                    "high": high,
                    "replications": each.replications,
                    "promise_is": verdict,
                    "value_is": each.verdict,
                }
                for each in self.tested()
                for promise, shown, (low, high), verdict in zip(
                    self.promises, each.shown, each.bounds, each.promises, strict=True
                )
            ]
        )

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answer for machines."""
        return {
            "key": self.vary.key,
            "input_uncertainty": self.input_uncertainty,
            "outcome": self.outcome,
            "value": self.value,
            "below": self.below,
            "broken_below": self.broken_below,
            "kept_up_to": self.kept_to,
            "kept_so_far": self.best,
            "warnings": self.warnings,
            "promises": [promise.text for promise in self.promises],
            "confidence": self.confidence,
            "replications": self.replications,
            "seed": self.seed,
            "runs": self.runs,
            "grid_runs": self.grid_runs,
            "out_of_budget": self.found.is_spent,
            "breaks_again": [{"kept": last, "broken": first} for last, first in self.breaks],
            "looked_at": [self.text(place) for place in sorted(self.found.glances)],
            "tested": [
                {
                    "value": each.value,
                    "verdict": each.verdict,
                    "replications": each.replications,
                    "promises": [
                        {
                            "verdict": verdict,
                            "shown": finite_or_none(shown),
                            "low": finite_or_none(low),
                            "high": finite_or_none(high),
                        }
                        for verdict, shown, (low, high) in zip(
                            each.promises, each.shown, each.bounds, strict=True
                        )
                    ],
                }
                for each in self.tested()
            ],
        }

    def __repr__(self) -> str:
        what = self.value or self.outcome
        return bounded(f"Capacity({self.vary.key}: {what}; {self.runs} runs, seed {self.seed})")

    def _repr_html_(self) -> str:
        from html import escape

        import pandas as pd

        from outsim.questions import capacity_texts as texts

        said = "".join(
            f"<p>{escape(each)}</p>" for each in [texts.answer(self), *texts.notes(self)]
        )
        rows = pd.DataFrame(texts.rows(self), columns=texts.columns(self))
        return said + table_html(rows, index=False)


@dataclass(frozen=True, eq=False)
class Frontier:
    """Smallest value of one key for several values of another: `plan_frontier` gives it."""

    __repr__ = brief

    other: Range
    others: tuple[float, ...]
    """Values of the other key, in its unit."""
    capacities: tuple[Capacity, ...]
    """What was found at each of them."""

    def table(self) -> pd.DataFrame:
        """One row per value of the other key: what is needed there."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    self.other.key: self.other.text(other),
                    each.vary.key: each.value,
                    "outcome": each.outcome,
                    "broken_below": each.broken_below,
                    "kept_up_to": each.kept_to,
                    "runs": each.runs,
                }
                for other, each in zip(self.others, self.capacities, strict=True)
            ]
        )

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answers for machines."""
        return {
            "key": self.other.key,
            "frontier": [
                {"at": self.other.text(other), **each.to_json()}
                for other, each in zip(self.others, self.capacities, strict=True)
            ],
        }

    def _repr_html_(self) -> str:
        return table_html(self.table(), index=False)
