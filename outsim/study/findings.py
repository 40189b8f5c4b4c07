"""What a study found: estimates of each figure, and paired differences between scenarios.

Each replication gives every scenario the same tape, so that a difference is
what the change does and not luck; the interval of a difference is that of the
paired differences. Where several scenarios are held against the first one, all
of these intervals hold together with the confidence that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.display import format_estimate
from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate, Probability, estimate, finite_or_none, probability
from outsim.scenario.model import Scenario
from outsim.study.controls import Controlled, controlled
from outsim.study.input_uncertainty import Array, Uncertain, apportioned
from outsim.study.members import NOTHING, Switches
from outsim.study.pairing import Saving, saving
from outsim.study.reduction import Reduction
from outsim.study.replications import Figures
from outsim.study.stopping import Precision
from outsim.tables.measures import MEASURES, Measure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Values = Callable[[int, str], Array]
"""Gives one figure of one scenario, by replication."""

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finished_s", "duration_s")
"""The four figures that stand side by side when start times are compared."""


@dataclass(frozen=True, eq=False)
class Findings:
    """Figures of one or more scenarios over the same replications.

    The first scenario is the baseline that the others are held against.
    """

    scenarios: tuple[Scenario, ...]
    seed: int
    indexes: range
    """Which replications."""
    figures: tuple[Figures, ...]
    """Of every replication, by scenario; a replication of several runs has their means."""
    measures: tuple[Measure, ...] = MEASURES
    precisions: tuple[Precision, ...] = ()
    """Precisions that were asked for."""
    switches: Switches = NOTHING
    """Ways of saving variance that were asked for."""
    reductions: tuple[Reduction, ...] = ()
    """What became of antithetic and stratified runs."""
    swapped: tuple[Figures, ...] = ()
    """Of every replication with the callees of its partner, by scenario; empty where callees are
    not drawn."""

    @property
    def replications(self) -> int:
        """How many replications there are."""
        return len(self.indexes)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scenarios; where some share a name, with their numbers."""
        return tuple(label_scenarios([scenario.name for scenario in self.scenarios]))

    def values(self, place: int, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One figure of one scenario, by replication.

        A clock time is in seconds since the first scenario begins, by the time of day, also
        where the other one begins at another time or on another day.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.

        Returns
        -------
        float64 array of shape (replications,)
            In the figure's unit, NaN where a run was too short to have it.
        """
        return self._values_of(self.figures)(place, name)

    def _values_of(self, figures: Sequence[Figures]) -> Values:
        def values(place: int, name: str) -> Array:
            found = np.array([f.measures[name] for f in figures if f.place == place])
            return found + self._later_s(place) if self._kinds[name] == "clock" else found

        return values

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {each.name: each.kind for each in self.measures}

    def _later_s(self, place: int) -> float:
        """How much later in the day a scenario begins than the first one."""
        begins, first = (
            datetime.combine(date.min, self.scenarios[k].clock.begins.time()) for k in (place, 0)
        )
        return (begins - first).total_seconds()

    def mean(self, place: int, name: str) -> Estimate:
        """Mean of one figure of one scenario.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.

        Returns
        -------
        Estimate
            In the figure's unit: shares as fractions, times in seconds.
        """
        if self.switches.controls:
            return controlled(self.values(place, name), self._controls(place)).estimate
        return self.estimate_of(lambda values: values(place, name))

    def estimate_of(self, figure: Callable[[Values], Array], level: float = LEVEL) -> Estimate:
        """Mean of anything that is worked out of the figures of each replication.

        Parameters
        ----------
        figure : callable
            Given a function like `values`, one number for each replication; NaN where there is
            none.
        level : float
            Confidence of its interval. Where callees are drawn, it holds the answer for the true
            ones; see `outsim.study.input_uncertainty`.
        """
        if not self.swapped:
            return estimate(figure(self.values), level)
        return self.uncertainty_of(figure, level).estimate

    def uncertainty_of(self, figure: Callable[[Values], Array], level: float = LEVEL) -> Uncertain:
        """What the interval of such a mean comes from: luck of the day, thinness of the data.

        Parameters
        ----------
        figure : callable
            As for `estimate_of`.
        level : float
            Confidence of the interval.

        Returns
        -------
        Uncertain
            In the figure's unit.

        Raises
        ------
        StudyError
            If callees were not drawn, or partners did not swap them.
        """
        if not self.swapped:
            raise StudyError(
                "what the intervals are made of is not known: give the study "
                "input_uncertainty=True, or the command --input-uncertainty"
            )
        swapped = figure(self._values_of(self.swapped))
        return apportioned(figure(self.values), swapped, self.indexes.start, level)

    def uncertainty(self, place: int, name: str) -> Uncertain:
        """What the interval of `mean` comes from: luck of the day, and thinness of the data.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.

        Returns
        -------
        Uncertain
            In the figure's unit: shares as fractions, times in seconds.

        Raises
        ------
        StudyError
            If callees were not drawn, or partners did not swap them.
        """
        return self.uncertainty_of(lambda values: values(place, name))

    def uncertainty_of_difference(self, place: int, name: str) -> Uncertain:
        """What the interval of `difference` comes from; callees are the same in all scenarios.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.

        Returns
        -------
        Uncertain
            In the figure's unit: shares as fractions, times in seconds.

        Raises
        ------
        StudyError
            If callees were not drawn, or partners did not swap them.
        """
        return self.uncertainty_of(_difference(place, name), self._joint_level)

    def difference(self, place: int, name: str) -> Estimate:
        """Mean of the paired differences of a scenario from the first one.

        The intervals of all scenarios together have the confidence `LEVEL`: each of them is wider
        the more there are (Bonferroni).

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.

        Returns
        -------
        Estimate
            In the figure's unit: shares as fractions, times in seconds.
        """
        if self.switches.controls:
            values = self.values(place, name) - self.values(0, name)
            return controlled(values, self._controls(0, place), self._joint_level).estimate
        return self.estimate_of(_difference(place, name), self._joint_level)

    @property
    def _joint_level(self) -> float:
        """Confidence of each difference's interval."""
        return 1 - (1 - LEVEL) / max(1, len(self.scenarios) - 1)

    def _controls(self, *places: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Controls of these scenarios, shape (replications, controls)."""
        return np.hstack(
            [
                np.array([[*f.controls.values()] for f in self.figures if f.place == place])
                for place in places
            ]
        )

    def saved_by_controls(self, place: int, name: str) -> Controlled:
        """What controls did for a figure: for its difference where there are several scenarios.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.
        """
        if len(self.scenarios) == 1:
            return controlled(self.values(place, name), self._controls(place))
        values = self.values(place, name) - self.values(0, name)
        return controlled(values, self._controls(0, place), self._joint_level)

    def probability(
        self,
        place: int,
        name: str,
        *,
        at_least: float = -np.inf,
        at_most: float = np.inf,
        is_exact: bool = False,
    ) -> Probability:
        """Probability that a figure of one scenario keeps within limits, both of them included.

        A promise about days is one about runs. A run that is too short to give the figure, such
        as one whose campaign is not over, does not keep it. Where callees are drawn, it is the
        probability as far as the data tell: over days and callees.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.
        at_least, at_most : float
            Limits in the figure's unit; for a clock time, seconds since the first scenario
            begins.
        is_exact : bool
            As for `outsim.estimates.probability`.
        """
        values = self.values(place, name)
        return probability((values >= at_least) & (values <= at_most), is_exact=is_exact)

    def saved_by_pairing(self, place: int, name: str) -> Saving:
        """How many times the replications unpaired runs would take for the same difference.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        name : str
            Name of the measure.
        """
        return saving(self.values(place, name), self.values(0, name))

    def _about(self, precision: Precision) -> list[Estimate]:
        """Estimates that a precision is about; the luck alone, which runs can narrow."""
        places, name = range(len(self.scenarios)), precision.measure
        if precision.of_difference:
            if self.swapped:
                return [
                    estimate(_difference(k, name)(self.values), self._joint_level)
                    for k in places[1:]
                ]
            return [self.difference(place, name) for place in places[1:]]
        if self.swapped:
            return [estimate(self.values(place, name)) for place in places]
        return [self.mean(place, name) for place in places]

    def is_reached(self, precision: Precision) -> bool:
        """Whether every estimate that a precision is about is as precise as that."""
        return all(map(precision.is_reached, self._about(precision)))

    def widest(self, precision: Precision) -> float:
        """Half-width of the widest interval that a precision is about, in the figure's unit."""
        return float(np.max([found.half_width for found in self._about(precision)]))

    @property
    def background_share(self) -> Estimate:
        """Share of all attempts that background tenants make, over all runs."""
        return estimate(np.array([f.background_share for f in self.figures]))

    @property
    def attempts(self) -> tuple[int, int]:
        """Fewest and most attempts of a run."""
        attempts = [f.attempts for f in self.figures]
        return min(attempts), max(attempts)

    def changes(self, place: int) -> Iterator[tuple[Measure, Estimate]]:
        """Differences from the first scenario that are clear, with what they are about.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
        """
        for each in self.measures:
            difference = self.difference(place, each.name)
            if difference.is_clear:
                yield each, difference

    def conflicts(self, place: int) -> bool:
        """Whether the four figures of a start time clearly disagree on what is better.

        Parameters
        ----------
        place : int
            The scenario, by its place, from 0.
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
        found = next((each for each in self.measures if each.name == name), None)
        if found is None:
            raise StudyError(
                f"figure {name!r}: there is no such one; allowed: {', '.join(self._kinds)}"
            )
        return found

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


def _difference(place: int, name: str) -> Callable[[Values], Array]:
    """Paired difference of a scenario from the first one, by replication."""
    return lambda values: values(place, name) - values(0, name)


def label_scenarios(names: Sequence[str]) -> list[str]:
    """Names of scenarios; where some share a name, with their numbers."""
    return [
        f"{name} ({place})" if names.count(name) > 1 else name
        for place, name in enumerate(names, 1)
    ]
