"""Estimates of each figure over replications, and paired differences between scenarios.

Each replication gives every scenario the same tape, so that a difference is
what the change does and not luck; the interval of a difference is that of the
paired differences. Where several scenarios are held against the first one, all
of these intervals hold together with the confidence that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import index
from typing import Any

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.estimates import (
    ANYTHING,
    LEVEL,
    SHARE,
    Estimate,
    Probability,
    Support,
    estimate,
    probability,
)
from outsim.results.measures import MEASURES, Measure, measure_named
from outsim.scenario.model import Scenario
from outsim.studies.comparable import unlike
from outsim.studies.control_variates import Controlled, controlled
from outsim.studies.input_uncertainty import Array, Uncertain, apportioned
from outsim.studies.members import NOTHING, Switches
from outsim.studies.pairing import Saving, saving
from outsim.studies.replications import Figures
from outsim.studies.stopping import Precision
from outsim.studies.variance_reduction import Reduction
from outsim.text import visible

Values = Callable[[int | str, str], Array]
"""Gives one figure of one scenario, by replication."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Figures of one or more scenarios over the same replications, and what is estimated of them.

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
        """Names of the scenarios; with their campaigns where these differ.

        Where some share a name, with their numbers.
        """
        names = [scenario.name for scenario in self.scenarios]
        if campaigns := self.unlike.get("campaign"):
            pairs = zip(names, campaigns, strict=True)
            names = [f"{name} ({campaign.partition('/')[2]})" for name, campaign in pairs]
        return tuple(label_scenarios(names))

    @cached_property
    def unlike(self) -> dict[str, list[str]]:
        """What makes one figure of these scenarios mean different things, by what each has.

        Empty where it means the same in all of them; see `outsim.studies.comparable.unlike`.
        """
        return unlike(self.scenarios, self.measures)

    def values(self, place: int | str, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One figure of one scenario, by replication.

        A clock time is in seconds since the first scenario begins, by the time of day, also
        where the other one begins at another time or on another day.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        name : str
            Name of the measure.

        Returns
        -------
        float64 array of shape (replications,)
            In the figure's unit, NaN where a run was too short to have it.
        """
        return self._values_of(self.figures)(place, name)

    def _values_of(self, figures: Sequence[Figures]) -> Values:
        def values(scenario: int | str, name: str) -> Array:
            place, kind = self.place(scenario), measure_named(name, self.measures).kind
            found = np.array([f.measures[name] for f in figures if f.place == place])
            return found + self._later_s(place) if kind == "clock" else found

        return values

    def place(self, scenario: int | str) -> int:
        """Place of a scenario among them, from 0.

        Parameters
        ----------
        scenario : int or str
            The place, or one of `labels`.

        Raises
        ------
        StudyError
            If there is no such scenario.
        """
        return place_of(scenario, self.labels)

    def _measure(self, name: str) -> Measure:
        return measure_named(name, self.measures)

    def _of_difference(self, place: int | str, name: str) -> Support:
        figures = (self.values(each, name) for each in (place, 0))
        return self._measure(name).support.between(*figures)

    def _later_s(self, place: int) -> float:
        """How much later in the day a scenario begins than the first one."""
        begins, first = (
            datetime.combine(date.min, self.scenarios[k].clock.begins.time()) for k in (place, 0)
        )
        return (begins - first).total_seconds()

    def mean(self, place: int | str, name: str) -> Estimate:
        """Mean of one figure of one scenario.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        name : str
            Name of the measure.

        Returns
        -------
        Estimate
            In the figure's unit: shares as fractions, times in seconds.
        """
        if self.switches.controls:
            return self._controlled_mean(place, name).estimate
        return self.estimate_of(
            lambda values: values(place, name), support=self._measure(name).support
        )

    def estimate_of(
        self,
        figure: Callable[[Values], Array],
        level: float = LEVEL,
        support: Support = ANYTHING,
    ) -> Estimate:
        """Mean of anything that is worked out of the figures of each replication.

        Parameters
        ----------
        figure : callable
            Given a function like `values`, one number for each replication; NaN where there is
            none.
        level : float
            Confidence of its interval. Where callees are drawn, it holds the answer for the true
            ones; see `outsim.studies.input_uncertainty`.
        support : Support
            Values that it can take.
        """
        if not self.swapped:
            return estimate(figure(self.values), level, support)
        return self.uncertainty_of(figure, level, support).estimate

    def uncertainty_of(
        self,
        figure: Callable[[Values], Array],
        level: float = LEVEL,
        support: Support = ANYTHING,
    ) -> Uncertain:
        """What the interval of such a mean comes from: luck of the day, thinness of the data.

        Parameters
        ----------
        figure : callable
            As for `estimate_of`.
        level : float
            Confidence of the interval.
        support : Support
            Values that it can take.

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
        return apportioned(figure(self.values), swapped, self.indexes.start, level, support)

    def uncertainty(self, place: int | str, name: str) -> Uncertain:
        """What the interval of `mean` comes from: luck of the day, and thinness of the data.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
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
        return self.uncertainty_of(
            lambda values: values(place, name), support=self._measure(name).support
        )

    def uncertainty_of_difference(self, place: int | str, name: str) -> Uncertain:
        """What the interval of `difference` comes from; callees are the same in all scenarios.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
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
        return self.uncertainty_of(
            _difference(place, name), self._joint_level, self._of_difference(place, name)
        )

    def difference(self, place: int | str, name: str) -> Estimate:
        """Mean of the paired differences of a scenario from the first one.

        The intervals of all scenarios together have the confidence `LEVEL`: each of them is wider
        the more there are (Bonferroni).

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        name : str
            Name of the measure.

        Returns
        -------
        Estimate
            In the figure's unit: shares as fractions, times in seconds.
        """
        if self.switches.controls:
            return self._controlled_difference(place, name).estimate
        return self.estimate_of(
            _difference(place, name), self._joint_level, self._of_difference(place, name)
        )

    @property
    def _joint_level(self) -> float:
        """Confidence of each difference's interval."""
        return 1 - (1 - LEVEL) / max(1, len(self.scenarios) - 1)

    def _controls(self, *places: int | str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Controls of these scenarios, shape (replications, controls)."""
        return np.hstack(
            [
                np.array([[*f.controls.values()] for f in self.figures if f.place == place])
                for place in map(self.place, places)
            ]
        )

    def saved_by_controls(self, place: int | str, name: str) -> Controlled:
        """What controls did for a figure: for its difference where there are several scenarios.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
        name : str
            Name of the measure.
        """
        if len(self.scenarios) == 1:
            return self._controlled_mean(place, name)
        return self._controlled_difference(place, name)

    def _controlled_mean(self, place: int | str, name: str) -> Controlled:
        values, support = self.values(place, name), self._measure(name).support
        return controlled(values, self._controls(place), support=support)

    def _controlled_difference(self, place: int | str, name: str) -> Controlled:
        values, controls = _difference(place, name)(self.values), self._controls(0, place)
        return controlled(values, controls, self._joint_level, self._of_difference(place, name))

    def probability(
        self,
        place: int | str,
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
        place : int or str
            The scenario, by its place, from 0, or its label.
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

    def saved_by_pairing(self, place: int | str, name: str) -> Saving:
        """How many times the replications unpaired runs would take for the same difference.

        Parameters
        ----------
        place : int or str
            The scenario, by its place, from 0, or its label.
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
                    estimate(
                        _difference(k, name)(self.values),
                        self._joint_level,
                        self._of_difference(k, name),
                    )
                    for k in places[1:]
                ]
            return [self.difference(place, name) for place in places[1:]]
        if self.swapped:
            support = self._measure(name).support
            return [estimate(self.values(place, name), support=support) for place in places]
        return [self.mean(place, name) for place in places]

    def is_reached(self, precision: Precision) -> bool:
        """Whether every estimate that a precision is about is as precise as that."""
        return all(map(precision.is_reached, self._about(precision)))

    def widest(self, precision: Precision) -> float:
        """Half-width of the widest interval that a precision is about, in the figure's unit."""
        return float(np.max([found.precision for found in self._about(precision)]))

    @property
    def background_share(self) -> Estimate:
        """Share of all attempts that background tenants make, over all runs."""
        shares = np.array([f.background_share for f in self.figures])
        return estimate(shares, support=SHARE)

    @property
    def attempts(self) -> tuple[int, int]:
        """Fewest and most attempts of a run."""
        attempts = [f.attempts for f in self.figures]
        return min(attempts), max(attempts)


def _difference(place: int | str, name: str) -> Callable[[Values], Array]:
    """Paired difference of a scenario from the first one, by replication."""
    return lambda values: values(place, name) - values(0, name)


def place_of(scenario: int | str, labels: Sequence[str]) -> int:
    """Place of a scenario, which is given by it or by its label.

    Raises
    ------
    StudyError
        If there is no such scenario.
    """
    if isinstance(scenario, str) and scenario in labels:
        return labels.index(scenario)
    if not isinstance(scenario, str | bool | None):
        try:
            if 0 <= index(scenario) < len(labels):
                return index(scenario)
        except TypeError:
            pass
    raise StudyError(unknown_name("scenario", scenario, [*labels, *range(len(labels))]))


def label_scenarios(names: Sequence[str]) -> list[str]:
    """Names of scenarios; where some share a name, with their numbers."""
    names = [visible(name) for name in names]
    return [
        f"{name} ({place})" if names.count(name) > 1 else name
        for place, name in enumerate(names, 1)
    ]
