"""What a study found, as tables, pictures and documents tell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from outsim.display import explain_missing, format_estimate, table_html, unit_of
from outsim.estimates import LEVEL, Estimate, finite_or_none
from outsim.results.measures import Measure, measure_named
from outsim.studies.comparable import told
from outsim.studies.estimating import Estimates
from outsim.text import bounded, brief_document

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["better", "worse", "higher", "lower", "small", "unclear"]

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finish_time_s", "duration_s")
"""The four figures that stand side by side when start times are compared."""


@dataclass(frozen=True, eq=False)
class StudyResult(Estimates):
    """Figures of one or more scenarios over the same replications.

    The first scenario is the baseline that the others are held against.
    """

    def matters_from(self, name: str) -> float:
        """Smallest difference from the first scenario that matters, in the figure's unit.

        Parameters
        ----------
        name : str
            Name of the measure.
        """
        return self.measure(name).matters_from(self.mean(0, name).mean)

    def verdict(self, place: int | str, name: str) -> Verdict:
        """What is known of a scenario against the first one in a figure.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        name : str
            Name of the measure.

        Returns
        -------
        str
            ``better``, ``worse``, or ``higher`` and ``lower`` of a figure that is neither better
            high nor low: where the difference is clear and not too small to matter. ``small``:
            it is too small to matter, see `Estimate.is_under`. Else ``unclear``.
        """
        difference, about = self.difference(place, name), self.measure(name)
        least = self.matters_from(name)
        if difference.is_under(least):
            return "small"
        if not difference.is_clear or abs(difference.mean) < least:
            return "unclear"
        if not about.sign:
            return "higher" if difference.mean > 0 else "lower"
        return "better" if difference.mean * about.sign > 0 else "worse"

    def changes(self, place: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences from the first scenario that are clear and matter, with what they are about.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        """
        for each in self.measures:
            if self.verdict(place, each.name) not in ("small", "unclear"):
                yield each, self.difference(place, each.name)

    def small_changes(self, place: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences from the first scenario that are there, and too small to matter.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        """
        for each in self.measures:
            difference = self.difference(place, each.name)
            if self.verdict(place, each.name) == "small" and not difference.is_zero:
                yield each, difference

    def conflicts(self, place: int | str) -> bool:
        """Whether the four figures of a start time clearly disagree on what is better.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        """
        signs = {
            np.sign(difference.mean) * each.sign
            for each, difference in self.changes(place)
            if each.name in START_TIME_MEASURES
        }
        return len(signs) > 1

    def table(self) -> pd.DataFrame:
        """One row per figure and scenario: mean, interval, difference and its interval."""
        import pandas as pd

        rows = []
        for each in self.measures:
            for place, label in enumerate(self.labels):
                mean, difference = self.mean(place, each.name), self.difference(place, each.name)
                rows.append(
                    {
                        "measure": each.name,
                        "scenario": label,
                        "mean": mean.mean,
                        "low": mean.low,
                        "high": mean.high,
                        "replications": mean.count,
                        "not_over": mean.missing,
                        "difference": difference.mean if place else np.nan,
                        "difference_low": difference.low if place else np.nan,
                        "difference_high": difference.high if place else np.nan,
                    }
                )
        return pd.DataFrame(rows)

    def measure(self, name: str) -> Measure:
        """One of `measures` by its name.

        Raises
        ------
        StudyError
            If there is no such figure.
        """
        return measure_named(name, self.measures)

    def label(self, each: Measure) -> str:
        """What people call a figure, with the deadline, or one after the other where they differ.

        Parameters
        ----------
        each : Measure
            The figure.
        """
        label = each.label_at(*(scenario.deadline for scenario in self.scenarios))
        is_local = each.kind == "clock" or "{deadline}" in each.label
        return f"{label}, each in its zone" if is_local and "zone" in self.unlike else label

    @property
    def unlike_texts(self) -> list[str]:
        """What is different in the scenarios though figures are compared, in sentences."""
        return told([scenario.name for scenario in self.scenarios], self.unlike)

    def text_table(self) -> pd.DataFrame:
        """Figures by row, scenarios by column, then the paired differences from the first."""
        import pandas as pd

        begins = self.scenarios[0].clock.begins
        others = range(1, len(self.scenarios))
        differences = (
            ["difference"]
            if len(self.scenarios) == 2
            else [f"{self.labels[place]}: difference" for place in others]
        )
        rows = []
        for each in self.measures:
            means = [self.mean(place, each.name) for place in range(len(self.scenarios))]
            if each.optional and not any(mean.count for mean in means):
                continue
            apart = [self.difference(place, each.name) for place in others]
            unit = unit_of(each.kind, [*(means if each.kind != "clock" else []), *apart])
            row = [self.label(each)]
            for value in means:
                over = (
                    f" ({value.count} of {value.count + value.missing})" if value.missing else ""
                )
                row.append(format_estimate(each.kind, value, begins, unit=unit) + over)
            signed = unit_of(each.kind, [], signed=True) if each.kind == "share" else unit
            row += [format_estimate(each.kind, d, begins, signed=True, unit=signed) for d in apart]
            rows.append(row)
        return pd.DataFrame(rows, columns=["", *self.labels, *differences])

    @property
    def missing_intervals(self) -> str:
        """What so few replications can know of figures that have no interval, for people.

        Empty where `text_table` has an interval everywhere.
        """
        return explain_missing(
            estimate
            for each in self.measures
            for place in range(len(self.scenarios))
            for estimate in (
                self.mean(place, each.name),
                *([self.difference(place, each.name)] if place else []),
            )
            if not estimate.is_zero
        )

    def replication_table(self) -> pd.DataFrame:
        """Figures of every run: one row per scenario and replication."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"scenario": self.labels[f.place], "replication": f.replication}
                | f.measures
                | {"attempts": f.attempts, "background_share": f.background_share}
                for f in self.figures
            ]
        )

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates."""
        return {
            "scenarios": list(self.labels),
            "unlike": self.unlike,
            "seed": self.seed,
            "replications": self.replications,
            "first_replication": self.indexes.start,
            "precision": [
                {
                    "asked": str(each),
                    "reached": self.is_reached(each),
                    "half_width": finite_or_none(self.widest(each)),
                }
                for each in self.precisions
            ],
            "variance_reduction": self._saved_to_json(),
            "input_uncertainty": self._uncertainty_to_json(),
            "confidence": LEVEL,
            "background_share": self.background_share.to_json(),
            "measures": {
                each.name: {
                    "label": self.label(each),
                    "kind": each.kind,
                    "means": [
                        self.mean(k, each.name).to_json() for k in range(len(self.scenarios))
                    ],
                    "matters_from": finite_or_none(self.matters_from(each.name)),
                    "differences": [
                        self.difference(k, each.name).to_json()
                        | {"verdict": self.verdict(k, each.name)}
                        | {"saved_by_pairing": self.saved_by_pairing(k, each.name).to_json()}
                        for k in range(1, len(self.scenarios))
                    ],
                }
                for each in self.measures
            },
            "runs": [
                {
                    "scenario": f.place,
                    "replication": f.replication,
                    "attempts": f.attempts,
                    **{name: finite_or_none(value) for name, value in f.measures.items()},
                }
                for f in self.figures
            ],
        }

    def _uncertainty_to_json(self) -> dict[str, Any] | None:
        """What intervals come from where callees were drawn; None where they were not."""
        if not self.swapped:
            return None
        places = range(len(self.scenarios))
        return {
            each.name: {
                "means": [self.uncertainty(k, each.name).to_json() for k in places],
                "differences": [
                    self.uncertainty_of_difference(k, each.name).to_json() for k in places[1:]
                ],
            }
            for each in self.measures
        }

    def _saved_to_json(self) -> dict[str, Any]:
        """What each way of saving variance came to."""
        found = {each.name: each.to_json() for each in self.reductions}
        if self.switches.controls:
            about = range(min(1, len(self.scenarios) - 1), len(self.scenarios))
            did = {
                each.name: [self.saved_by_controls(place, each.name) for place in about]
                for each in self.measures
            }
            found["controls"] = {
                "used": {name: [each.is_used for each in row] for name, row in did.items()},
                "saved": {
                    name: [finite_or_none(each.saved) for each in row] for name, row in did.items()
                },
            }
        return found

    def __repr__(self) -> str:
        names = " against ".join(self.labels)
        return bounded(f"Findings({names}; {self.replications} replications, seed {self.seed})")

    def _repr_html_(self) -> str:
        from html import escape

        said = "".join(f"<p>{escape(text)}</p>" for text in self.unlike_texts)
        return said + table_html(self.text_table(), index=False)
