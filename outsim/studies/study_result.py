"""Estimates of each measure over replications, and paired differences between scenarios.

Each replication gives every scenario the same tape, so that a difference is what the change does
and not chance; the interval of a difference is that of the paired differences. Where several
scenarios are compared with the first one, all of these intervals hold together with the
confidence that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from outsim.display import explain_missing, format_estimate, table_html, unit_of
from outsim.errors import StudyError, unknown_name
from outsim.estimates import (
    ANYTHING,
    LEVEL,
    SHARE,
    Estimate,
    Probability,
    Support,
    estimate,
    finite_or_none,
    probability,
)
from outsim.results.measures import MEASURES, Measure, measure_named
from outsim.scenario.model import Scenario
from outsim.studies.comparable import told, unlike
from outsim.studies.control_variates import Controlled, controlled
from outsim.studies.input_uncertainty import VarianceComponents, variance_components
from outsim.studies.pairing import VarianceRatio, paired_variance_ratio
from outsim.studies.run_array import ABOUT, Array, RunArray
from outsim.studies.runs import NONE, PLAIN_RUN, VarianceReduction
from outsim.studies.stopping import Precision
from outsim.studies.variance_reduction import Reduction
from outsim.text import bounded, brief_document, visible

if TYPE_CHECKING:
    import pandas as pd

Values = Callable[[int | str, str], Array]
"""Gives one measure of one scenario, by replication."""

Verdict = Literal["better", "worse", "higher", "lower", "small", "unclear"]

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finish_time_s", "duration_s")
"""The four measures that stand side by side when start times are compared."""


class _Estimand(NamedTuple):
    """What an estimate is of."""

    compute: Callable[[Values], Array]
    """One number for each replication, from what gives the measures."""
    support: Support
    level: float = LEVEL
    scenarios: tuple[int, ...] = ()
    """Whose control variates go with it."""


@dataclass(frozen=True, eq=False)
class StudyResult:
    """Measures of one or more scenarios over the same replications.

    The first scenario is the baseline of comparisons. In every method a scenario is named by its
    position, from 0, or its label; estimates are in the measure's unit: shares as fractions,
    times in seconds.
    """

    scenarios: tuple[Scenario, ...]
    seed: int
    data: RunArray
    """Of every scenario and replication; those of several runs have their means."""
    measures: tuple[Measure, ...] = MEASURES
    precisions: tuple[Precision, ...] = ()
    """Precisions that were asked for."""
    switches: VarianceReduction = NONE
    """Ways of saving variance that were asked for."""
    reductions: tuple[Reduction, ...] = ()
    """What became of antithetic and stratified runs."""
    swapped: RunArray | None = None
    """The same with the callees of the paired replications; None where callees are not drawn."""

    @property
    def indexes(self) -> range:
        """Which replications."""
        first = self.data.replications[0]
        return range(first, first + self.replications)

    @property
    def replications(self) -> int:
        """How many replications there are."""
        return len(self.data.replications)

    @cached_property
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
        """What makes one measure of these scenarios mean different things, by what each has.

        Empty where it means the same in all of them; see `outsim.studies.comparable.unlike`.
        """
        return unlike(self.scenarios, self.measures)

    def place(self, scenario: int | str) -> int:
        """Position of a scenario among them, from 0; refused if there is no such scenario."""
        return position_of(scenario, self.labels)

    def measure(self, name: str) -> Measure:
        """A measure by its name; refused if there is no such measure."""
        return measure_named(name, self.measures)

    # Values

    def values(self, scenario: int | str, name: str) -> Array:
        """A measure by its name, of a scenario, by replication; NaN where a run was too short.

        A clock time is in seconds since the first scenario begins, by the time of day, also
        where the other one begins at another time or on another day.
        """
        return self._values_of(self.data)(scenario, name)

    def _values_of(self, data: RunArray) -> Values:
        def values(scenario: int | str, name: str) -> Array:
            position, kind = self.place(scenario), self.measure(name).kind
            found = data.values(position, name)
            return found + self._later_s(position) if kind == "clock" else found

        return values

    def _later_s(self, position: int) -> float:
        """How much later in the day a scenario begins than the first one."""
        begins, first = (
            datetime.combine(date.min, self.scenarios[k].clock.begins.time())
            for k in (position, 0)
        )
        return (begins - first).total_seconds()

    # Estimates

    def _mean_of(self, scenario: int | str, name: str) -> _Estimand:
        position = self.place(scenario)
        return _Estimand(
            lambda values: values(position, name),
            self.measure(name).support,
            scenarios=(position,),
        )

    def _difference_of(self, scenario: int | str, name: str) -> _Estimand:
        position = self.place(scenario)
        return _Estimand(
            lambda values: values(position, name) - values(0, name),
            self.measure(name).support.between(*(self.values(k, name) for k in (position, 0))),
            # Together they have the confidence `LEVEL`: each is wider for it (Bonferroni).
            1 - (1 - LEVEL) / max(1, len(self.scenarios) - 1),
            (0, position),
        )

    def _estimate(self, about: _Estimand) -> Estimate:
        if self.switches.controls:
            return self._controlled(about).estimate
        return self.estimate_of(about.compute, about.level, about.support)

    def _controlled(self, about: _Estimand) -> Controlled:
        controls = np.hstack([self.data.controls_of(k) for k in about.scenarios])
        return controlled(about.compute(self.values), controls, about.level, about.support)

    def mean(self, scenario: int | str, name: str) -> Estimate:
        """Mean of a measure, by its name, of one scenario."""
        return self._estimate(self._mean_of(scenario, name))

    def difference(self, scenario: int | str, name: str) -> Estimate:
        """Mean of a scenario's paired differences from the first one in the measure of a name.

        The intervals of all scenarios together have the confidence `LEVEL`: each of them is wider
        the more there are (Bonferroni).
        """
        return self._estimate(self._difference_of(scenario, name))

    def estimate_of(
        self,
        compute: Callable[[Values], Array],
        level: float = LEVEL,
        support: Support = ANYTHING,
    ) -> Estimate:
        """Mean of anything that is worked out of the measures of each replication.

        Parameters
        ----------
        compute : callable
            Given a function like `values`, one number for each replication; NaN where there is
            none.
        level : float
            Confidence of its interval. Where callees are drawn, it holds the answer for the true
            ones; see `outsim.studies.input_uncertainty`.
        support : Support
            Values that it can take.
        """
        if self.swapped is None:
            return estimate(compute(self.values), level, support)
        return self._components(_Estimand(compute, support, level)).estimate

    def _components(self, about: _Estimand) -> VarianceComponents:
        if self.swapped is None:
            raise StudyError(
                "what the intervals are made of is not known: give the study "
                "input_uncertainty=True, or the command --input-uncertainty"
            )
        swapped = about.compute(self._values_of(self.swapped))
        own, first = about.compute(self.values), self.indexes.start
        return variance_components(own, swapped, first, about.level, about.support)

    def uncertainty(
        self, scenario: int | str, name: str, *, of_difference: bool = False
    ) -> VarianceComponents:
        """What the interval of `mean` of a scenario and name comes from, or that of `difference`.

        The latter with `of_difference`; callees are the same in all scenarios. Refused if
        callees were not drawn, or paired replications did not swap them.
        """
        of = self._difference_of if of_difference else self._mean_of
        return self._components(of(scenario, name))

    def saved_by_controls(self, scenario: int | str, name: str) -> Controlled:
        """What controls did for the mean, or difference, of a measure by name in a scenario."""
        of = self._mean_of if len(self.scenarios) == 1 else self._difference_of
        return self._controlled(of(scenario, name))

    def saved_by_pairing(self, scenario: int | str, name: str) -> VarianceRatio:
        """How many times the replications unpaired runs take: a scenario, a measure by name."""
        return paired_variance_ratio(self.values(scenario, name), self.values(0, name))

    def probability(
        self,
        scenario: int | str,
        name: str,
        *,
        at_least: float = -np.inf,
        at_most: float = np.inf,
        is_exact: bool = False,
    ) -> Probability:
        """Probability that a measure of one scenario keeps within limits, both of them included.

        A promise about days is one about runs. A run that is too short to give the measure, such
        as one whose campaign is not over, does not keep it. Where callees are drawn, it is the
        probability as far as the data tell: over days and callees.

        Parameters
        ----------
        scenario : int or str
            The scenario, by its position, from 0, or its label.
        name : str
            Name of the measure.
        at_least, at_most : float
            Limits in the measure's unit, one or both; for a clock time, seconds since the first
            scenario begins.
        is_exact : bool
            As for `outsim.estimates.probability`.

        Raises
        ------
        StudyError
            If there is no limit, or no such scenario or measure.
        """
        if at_least == -np.inf and at_most == np.inf:
            raise StudyError(f"probability of {name}: found no limit; give at_least or at_most")
        values = self.values(scenario, name)
        return probability((values >= at_least) & (values <= at_most), is_exact=is_exact)

    @property
    def background_share(self) -> Estimate:
        """Share of all attempts that background tenants make, over all runs."""
        scenarios = range(len(self.scenarios))
        shares = [self.data.values(k, "background_share") for k in scenarios]
        return estimate(np.concatenate(shares), support=SHARE)

    @property
    def attempts(self) -> tuple[int, int]:
        """Fewest and most attempts of a run."""
        found = [self.data.values(k, "attempts") for k in range(len(self.scenarios))]
        return int(np.min(found)), int(np.max(found))

    # Precisions

    def _about(self, precision: Precision) -> list[Estimate]:
        """Estimates that a precision is about: the stochastic part, which runs can narrow."""
        of = self._difference_of if precision.of_difference else self._mean_of
        positions = range(int(precision.of_difference), len(self.scenarios))
        abouts = [of(position, precision.measure) for position in positions]
        if self.swapped is None:
            return list(map(self._estimate, abouts))
        return [estimate(each.compute(self.values), each.level, each.support) for each in abouts]

    def is_reached(self, precision: Precision) -> bool:
        """Whether every estimate that a precision is about is as precise as that."""
        return all(map(precision.is_reached, self._about(precision)))

    def widest(self, precision: Precision) -> float:
        """Half-width of the widest interval that a precision is about, in the measure's unit."""
        return float(np.max([found.precision for found in self._about(precision)]))

    # What differs

    def matters_from(self, name: str) -> float:
        """Smallest difference from the first scenario that matters, of the measure of a name."""
        return self.measure(name).matters_from(self.mean(0, name).mean)

    def verdict(self, scenario: int | str, name: str) -> Verdict:
        """What is known of a scenario against the first one in a measure, by its name.

        Returns
        -------
        str
            ``better``, ``worse``, or ``higher`` and ``lower`` of a measure that is neither better
            high nor low: where the difference is clear and not too small to matter. ``small``:
            it is too small to matter, see `Estimate.is_under`. Else ``unclear``.
        """
        difference, about = self.difference(scenario, name), self.measure(name)
        least = self.matters_from(name)
        if difference.is_under(least):
            return "small"
        if not difference.is_clear or abs(difference.mean) < least:
            return "unclear"
        if not about.sign:
            return "higher" if difference.mean > 0 else "lower"
        return "better" if difference.mean * about.sign > 0 else "worse"

    def changes(self, scenario: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences of a scenario from the first that are clear and matter, by measure."""
        for each in self.measures:
            if self.verdict(scenario, each.name) not in ("small", "unclear"):
                yield each, self.difference(scenario, each.name)

    def small_changes(self, scenario: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences of a scenario from the first that are there, and too small to matter."""
        for each in self.measures:
            difference = self.difference(scenario, each.name)
            if self.verdict(scenario, each.name) == "small" and not difference.is_zero:
                yield each, difference

    def conflicts(self, scenario: int | str) -> bool:
        """Whether the four measures of a start time disagree on whether a scenario is better."""
        signs = {
            np.sign(difference.mean) * each.sign
            for each, difference in self.changes(scenario)
            if each.name in START_TIME_MEASURES
        }
        return len(signs) > 1

    def table(self) -> pd.DataFrame:
        """One row per measure and scenario: mean, interval, difference and its interval."""
        import pandas as pd

        columns = ["measure", "scenario", "mean", "low", "high", "replications", "n_missing"]
        columns += ["difference", "difference_low", "difference_high"]
        rows = []
        for measure in self.measures:
            for position, label in enumerate(self.labels):
                mean = self.mean(position, measure.name)
                apart = (np.nan, np.nan, np.nan)
                if position:
                    difference = self.difference(position, measure.name)
                    apart = difference.mean, difference.low, difference.high
                about = mean.mean, mean.low, mean.high, mean.count, mean.n_missing
                rows.append((measure.name, label, *about, *apart))
        return pd.DataFrame(rows, columns=columns)

    def label(self, each: Measure) -> str:
        """What people call a measure, with the deadline, or one after the other where they differ.

        Parameters
        ----------
        each : Measure
            The measure.
        """
        label = each.label_at(*(scenario.deadline for scenario in self.scenarios))
        is_local = each.kind == "clock" or "{deadline}" in each.label
        return f"{label}, each in its zone" if is_local and "zone" in self.unlike else label

    @property
    def unlike_texts(self) -> list[str]:
        """What is different in the scenarios though measures are compared, in sentences."""
        return told([scenario.name for scenario in self.scenarios], self.unlike)

    def text_table(self) -> pd.DataFrame:
        """Measures by row, scenarios by column, then the paired differences from the first."""
        import pandas as pd

        begins = self.scenarios[0].clock.begins
        others = range(1, len(self.scenarios))
        differences = [f"{self.labels[place]}: difference" for place in others]
        if len(self.scenarios) == 2:
            differences = ["difference"]
        rows = []
        for each in self.measures:
            means = [self.mean(place, each.name) for place in range(len(self.scenarios))]
            if each.optional and not any(mean.count for mean in means):
                continue
            apart = [self.difference(place, each.name) for place in others]
            unit = unit_of(each.kind, [*(means if each.kind != "clock" else []), *apart])
            row = [self.label(each)]
            for value in means:
                row.append(format_estimate(each.kind, value, begins, unit=unit))
                if value.n_missing:
                    row[-1] += f" ({value.count} of {value.count + value.n_missing})"
            signed = unit_of(each.kind, [], signed=True) if each.kind == "share" else unit
            row += [format_estimate(each.kind, d, begins, signed=True, unit=signed) for d in apart]
            rows.append(row)
        return pd.DataFrame(rows, columns=["", *self.labels, *differences])

    @property
    def missing_intervals(self) -> str:
        """What so few replications can know of measures that have no interval, for people.

        Empty where `text_table` has an interval everywhere.
        """
        return explain_missing(
            estimate
            for each in self.measures
            for place in range(len(self.scenarios))
            for of in (self.mean, self.difference)[: 1 + (place > 0)]
            for estimate in [of(place, each.name)]
            if not estimate.is_zero
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Measures of every run: one row per scenario and replication."""
        table = self.data.table().drop(columns=[*PLAIN_RUN._fields])
        columns = ["scenario", "replication", *self.data.measures, *ABOUT]
        table["scenario"] = [self.labels[k] for k in table["scenario"]]
        return table[columns]

    @brief_document
    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates."""
        names = self.data.measures
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
            "variance_reduction": self._saved(),
            "input_uncertainty": self._uncertainty(),
            "confidence": LEVEL,
            "background_share": self.background_share.to_dict(),
            "measures": {
                each.name: {
                    "label": self.label(each),
                    "kind": each.kind,
                    "means": [
                        self.mean(k, each.name).to_dict() for k in range(len(self.scenarios))
                    ],
                    "matters_from": finite_or_none(self.matters_from(each.name)),
                    "differences": [
                        self.difference(k, each.name).to_dict()
                        | {"verdict": self.verdict(k, each.name)}
                        | {"saved_by_pairing": self.saved_by_pairing(k, each.name).to_dict()}
                        for k in range(1, len(self.scenarios))
                    ],
                }
                for each in self.measures
            },
            "runs": [
                {"scenario": k, "replication": replication, "attempts": int(attempts)}
                | {name: finite_or_none(value) for name, value in zip(names, row, strict=True)}
                for k in range(len(self.scenarios))
                for replication, attempts, row in zip(
                    self.data.replications,
                    self.data.values(k, "attempts"),
                    self.data.array[k, :, 0, : len(names)],
                    strict=True,
                )
            ],
        }

    def _uncertainty(self) -> dict[str, Any] | None:
        """What intervals come from where callees were drawn; None where they were not."""
        if self.swapped is None:
            return None

        def parts(first: int, name: str) -> list[dict[str, Any]]:
            scenarios = range(first, len(self.scenarios))
            of = [self.uncertainty(k, name, of_difference=bool(first)) for k in scenarios]
            return [each.to_dict() for each in of]

        names = [measure.name for measure in self.measures]
        return {name: {"means": parts(0, name), "differences": parts(1, name)} for name in names}

    def _saved(self) -> dict[str, Any]:
        """What each way of saving variance came to."""
        found = {each.name: each.to_dict() for each in self.reductions}
        if self.switches.controls:
            about = range(min(1, len(self.scenarios) - 1), len(self.scenarios))
            used, saved = {}, {}
            for measure in self.measures:
                did = [self.saved_by_controls(position, measure.name) for position in about]
                used[measure.name] = [controlled.is_used for controlled in did]
                saved[measure.name] = [finite_or_none(controlled.saved) for controlled in did]
            found["controls"] = {"used": used, "saved": saved}
        return found

    def __repr__(self) -> str:
        names = " against ".join(self.labels)
        return bounded(f"StudyResult({names}; {self.replications} replications, seed {self.seed})")

    def _repr_html_(self) -> str:
        from html import escape

        said = "".join(f"<p>{escape(text)}</p>" for text in self.unlike_texts)
        return said + table_html(self.text_table(), index=False)


def position_of(scenario: int | str, labels: Sequence[str]) -> int:
    """Position of a scenario, which is given by it or by its label; refused if there is none."""
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
        f"{name} ({position})" if names.count(name) > 1 else name
        for position, name in enumerate(names, 1)
    ]
