"""What a study found, as tables, pictures and documents tell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.display import format_estimate
from outsim.estimates import LEVEL, Estimate, finite_or_none
from outsim.study.estimating import Estimates
from outsim.tables.measures import Measure, measure_named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finished_s", "duration_s")
"""The four figures that stand side by side when start times are compared."""


@dataclass(frozen=True, eq=False)
class Findings(Estimates):
    """Figures of one or more scenarios over the same replications.

    The first scenario is the baseline that the others are held against.
    """

    def changes(self, place: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences from the first scenario that are clear, with what they are about.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        """
        for each in self.measures:
            difference = self.difference(place, each.name)
            if difference.is_clear:
                yield each, difference

    def conflicts(self, place: int | str) -> bool:
        """Whether the four figures of a start time clearly disagree on what is better.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        """
        signs = {
            np.sign(difference.mean) * each.better
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
        """What people call a figure, with the deadline that the scenarios share.

        Parameters
        ----------
        each : Measure
            The figure.
        """
        return each.label_at(*(scenario.deadline for scenario in self.scenarios))

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
            row = [self.label(each)]
            for value in means:
                over = (
                    f" ({value.count} of {value.count + value.missing})" if value.missing else ""
                )
                row.append(format_estimate(each.kind, value, begins) + over)
            for place in others:
                value = self.difference(place, each.name)
                row.append(format_estimate(each.kind, value, begins, signed=True))
            rows.append(row)
        return pd.DataFrame(rows, columns=["", *self.labels, *differences])

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

    def to_json(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates."""
        return {
            "scenarios": list(self.labels),
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
                    "differences": [
                        self.difference(k, each.name).to_json()
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

    def plot(self, measure: str, ax: Axes | None = None) -> Axes:
        """Draw one figure of every scenario with its interval, one below the other.

        Parameters
        ----------
        measure : str
            Name of the figure; clock times stand on an axis of clock times.
        ax : matplotlib axes, optional
            Where to draw; default: a picture of its own.

        Returns
        -------
        matplotlib.axes.Axes
            A scenario whose runs give no figure has its place and no mark.

        Raises
        ------
        StudyError
            If there is no such figure.
        """
        from outsim.plots.estimates import findings

        return findings(self, measure, ax)

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
        return f"Findings({names}; {self.replications} replications, seed {self.seed})"

    def _repr_html_(self) -> str:
        return self.text_table().to_html(index=False)
