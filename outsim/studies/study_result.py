"""Estimates of each measure over replications, and paired differences between scenarios.

Each replication gives every scenario the same tape, so that a difference is what the change does
and not chance; the interval of a difference is that of the paired differences. Where several
scenarios are compared with the first one, all of these intervals hold together with the
confidence that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from outsim.display import Unit, explain_missing, format_estimate, table_html, unit_of
from outsim.errors import StudyError
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
from outsim.studies.bands import Band, prediction_band
from outsim.studies.comparable import describe_unlike, label_scenarios, position_of, unlike
from outsim.studies.control_variates import Controlled
from outsim.studies.estimands import Estimand, Estimator, Values
from outsim.studies.input_uncertainty import VarianceComponents
from outsim.studies.matters import matters_from
from outsim.studies.run_array import ABOUT, Array, RunArray
from outsim.studies.runs import NONE, PLAIN_RUN, VarianceReduction
from outsim.studies.stopping import Precision
from outsim.studies.variance_reduction import Reduction, VarianceRatio, paired_variance_ratio
from outsim.text import bounded, plain

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["better", "worse", "higher", "lower", "small", "unclear"]

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finish_time_s", "duration_s")
"""The four measures that stand side by side when start times are compared."""


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
    matters: Mapping[str, float] = field(default_factory=dict)
    """Least differences that matter by measure, where they were asked for."""

    @property
    def replications(self) -> int:
        """How many replications there are."""
        return len(self.data.replications)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the scenarios; with campaigns where they differ, numbered where they don't."""
        names = [scenario.name for scenario in self.scenarios]
        if campaigns := self.unlike.get("campaign"):
            pairs = zip(names, campaigns, strict=True)
            names = [f"{name} ({campaign.partition('/')[2]})" for name, campaign in pairs]
        return tuple(label_scenarios(names))

    @cached_property
    def unlike(self) -> dict[str, list[str]]:
        """What makes one measure of these scenarios mean different things, by what each has."""
        return unlike(self.scenarios, self.measures)

    def place(self, scenario: int | str) -> int:
        """Position of a scenario among them, from 0; refused if there is no such scenario."""
        return position_of(scenario, self.labels)

    def measure(self, name: str) -> Measure:
        """A measure by its name; refused if there is no such measure."""
        return measure_named(name, self.measures)

    def values(self, scenario: int | str, name: str) -> Array:
        """A measure by its name, of a scenario, by replication; NaN where a run was too short.

        A clock time is in seconds since the first scenario begins, by the time of day.
        """
        return self._values_of(self.data)(scenario, name)

    def _values_of(self, data: RunArray) -> Values:
        def values(scenario: int | str, name: str) -> Array:
            position, kind = self.place(scenario), self.measure(name).kind
            column = data.values(position, name)
            return column + self._later_s(position) if kind == "clock" else column

        return values

    def _later_s(self, position: int) -> float:
        """How much later in the day a scenario begins than the first one."""
        begins, first = (
            datetime.combine(date.min, self.scenarios[k].clock.begins.time())
            for k in (position, 0)
        )
        return (begins - first).total_seconds()

    @cached_property
    def _estimator(self) -> Estimator:
        swapped = None if self.swapped is None else self._values_of(self.swapped)
        return Estimator(self.data, self.values, swapped, self.switches.controls)

    def _mean_of(self, scenario: int | str, name: str) -> Estimand:
        position = self.place(scenario)
        support = self.measure(name).support
        return Estimand(lambda values: values(position, name), support, scenarios=(position,))

    def _difference_of(self, scenario: int | str, name: str, together: int = 1) -> Estimand:
        position = self.place(scenario)
        return Estimand(
            lambda values: values(position, name) - values(0, name),
            self.measure(name).support.between(*(self.values(k, name) for k in (position, 0))),
            # Together they have the confidence `LEVEL`: each is wider for it (Bonferroni).
            1 - (1 - LEVEL) / (together * max(1, len(self.scenarios) - 1)),
            (0, position),
        )

    def mean(self, scenario: int | str, name: str) -> Estimate:
        """Mean of a measure, by its name, of one scenario."""
        return self._estimator.estimate(self._mean_of(scenario, name))

    def difference(self, scenario: int | str, name: str, *, together: int = 1) -> Estimate:
        """Mean of a scenario's paired differences from the first one in the measure of a name.

        The intervals of all scenarios, and of so many measures `together`, have the confidence
        `LEVEL` (Bonferroni).
        """
        return self._estimator.estimate(self._difference_of(scenario, name, together))

    def estimate_of(
        self, compute: Callable[[Values], Array], level: float = LEVEL, support: Support = ANYTHING
    ) -> Estimate:
        """Mean of what `compute` makes, by replication, of a function like `values`.

        NaN stands for none; `level` is the confidence of the interval, which holds the answer for
        the true callees where they are drawn, and `support` what the mean can be.
        """
        return self._estimator.estimate(Estimand(compute, support, level))

    def uncertainty(
        self, scenario: int | str, name: str, *, of_difference: bool = False
    ) -> VarianceComponents:
        """What the interval of `mean` of a scenario and name, or of a difference, comes from.

        The latter with `of_difference`. Refused if callees were not drawn and swapped.
        """
        estimand = self._difference_of if of_difference else self._mean_of
        return self._estimator.components(estimand(scenario, name))

    def saved_by_controls(self, scenario: int | str, name: str) -> Controlled:
        """What controls did for the mean, or difference, of a measure by name in a scenario."""
        estimand = self._mean_of if len(self.scenarios) == 1 else self._difference_of
        return self._estimator.controlled(estimand(scenario, name))

    def saved_by_pairing(self, scenario: int | str, name: str) -> VarianceRatio:
        """How many times the replications unpaired runs take: a scenario, a measure by name."""
        return paired_variance_ratio(self.values(scenario, name), self.values(0, name))

    def band(self, scenario: int | str, name: str) -> Band:
        """What the measure `name` of a scenario is on one day: p5 to p95 of days."""
        return prediction_band(self.values(scenario, name))

    def probability(
        self,
        scenario: int | str,
        name: str,
        *,
        at_least: float = -np.inf,
        at_most: float = np.inf,
        is_exact: bool = False,
    ) -> Probability:
        """Probability that the measure `name` of a scenario keeps within limits, both included.

        A run that is too short to give the measure does not keep it. `at_least` and `at_most` are
        in the measure's unit; for a clock time, seconds since the first scenario begins.
        `is_exact` is as for `outsim.estimates.probability`.

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
        return estimate(self._of_all("background_share"), support=SHARE)

    @property
    def attempts(self) -> tuple[int, int]:
        """Fewest and most attempts of a run."""
        attempts = self._of_all("attempts")
        return int(attempts.min()), int(attempts.max())

    def _of_all(self, column: str) -> Array:
        return np.concatenate([self.data.values(k, column) for k in range(len(self.scenarios))])

    def _about(self, precision: Precision) -> list[Estimate]:
        """Estimates that a precision is about: the stochastic part, which runs can narrow."""
        estimand = self._difference_of if precision.of_difference else self._mean_of
        positions = range(int(precision.of_difference), len(self.scenarios))
        by = self._estimator.estimate if self.swapped is None else self._estimator.stochastic
        return [by(estimand(position, precision.measure)) for position in positions]

    def is_reached(self, precision: Precision) -> bool:
        """Whether every estimate that a precision is about is as precise as that."""
        return all(map(precision.is_reached, self._about(precision)))

    def widest(self, precision: Precision) -> float:
        """Half-width of the widest interval that a precision is about, in the measure's unit."""
        return float(np.max([value.precision for value in self._about(precision)]))

    def matters_from(self, name: str) -> float:
        """Smallest difference from the first scenario that matters, of the measure of a name."""
        return matters_from(self.measure(name), self.matters, self.mean(0, name).mean)

    def verdict(self, scenario: int | str, name: str, *, together: int = 1) -> Verdict:
        """What is known of a scenario against the first one in a measure, by its name.

        ``better`` or ``worse``, or ``higher`` or ``lower`` where neither is, if it is clear and
        large enough to matter; ``small`` if it is too small to matter; else ``unclear``.
        `together` is as for `difference`.
        """
        difference = self.difference(scenario, name, together=together)
        about = self.measure(name)
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
        for measure in self.measures:
            if self.verdict(scenario, measure.name) not in ("small", "unclear"):
                yield measure, self.difference(scenario, measure.name)

    def small_changes(self, scenario: int | str) -> Iterator[tuple[Measure, Estimate]]:
        """Differences of a scenario from the first that are there, and too small to matter."""
        for measure in self.measures:
            difference = self.difference(scenario, measure.name)
            if self.verdict(scenario, measure.name) == "small" and not difference.is_zero:
                yield measure, difference

    def conflicts(self, scenario: int | str) -> bool:
        """Whether the four measures of a start time disagree on whether a scenario is better."""
        signs = {
            np.sign(difference.mean) * measure.sign
            for measure, difference in self.changes(scenario)
            if measure.name in START_TIME_MEASURES
        }
        return len(signs) > 1

    def table(self) -> pd.DataFrame:
        """One row per measure and scenario: mean, interval, difference and its interval."""
        import pandas as pd

        columns = ["measure", "scenario", "mean", "low", "high", "replications", "n_missing"]
        columns += ["difference", "difference_low", "difference_high"]
        rows = []
        for name, position in product([m.name for m in self.measures], range(len(self.scenarios))):
            mean, of = self.mean(position, name), (np.nan, np.nan, np.nan)
            if position:
                difference = self.difference(position, name)
                of = difference.mean, difference.low, difference.high
            about = mean.mean, mean.low, mean.high, mean.count, mean.n_missing
            rows.append((name, self.labels[position], *about, *of))
        return pd.DataFrame(rows, columns=columns)

    def label(self, measure: Measure) -> str:
        """What people call a measure, with its deadline, or with all of them where they differ."""
        label = measure.label_at(*(scenario.deadline for scenario in self.scenarios))
        is_local = measure.kind == "clock" or "{deadline}" in measure.label
        return f"{label}, each in its zone" if is_local and "zone" in self.unlike else label

    def units(self, measure: Measure) -> tuple[Unit, Unit]:
        """What means and differences of a measure are written in, wherever they stand."""
        kind, places = measure.kind, range(len(self.scenarios))
        means = [self.mean(place, measure.name) for place in places]
        differences = [self.difference(place, measure.name) for place in places[1:]]
        unit = unit_of(kind, [*(means if kind != "clock" else []), *differences])
        return unit, unit_of(kind, [], signed=True) if kind == "share" else unit

    @property
    def unlike_texts(self) -> list[str]:
        """What is different in the scenarios though measures are compared, in sentences."""
        return describe_unlike(self.scenarios, self.unlike)

    def text_table(self) -> pd.DataFrame:
        """Measures by row, scenarios by column, then the paired differences from the first."""
        import pandas as pd

        begins = self.scenarios[0].clock.begins
        others = range(1, len(self.scenarios))
        heads = [f"{self.labels[place]}: difference" for place in others]
        rows = []
        for measure in self.measures:
            kind = measure.kind
            means = [self.mean(place, measure.name) for place in range(len(self.scenarios))]
            if measure.optional and not any(mean.count for mean in means):
                continue
            differences = [self.difference(place, measure.name) for place in others]
            unit, signed = self.units(measure)
            row = [self.label(measure)]
            for mean in means:
                row.append(format_estimate(kind, mean, begins, unit=unit))
                if mean.n_missing:
                    row[-1] += f" ({mean.count} of {mean.count + mean.n_missing})"
            for difference in differences:
                row.append(format_estimate(kind, difference, begins, signed=True, unit=signed))
            rows.append(row)
        heads = ["difference"] if len(heads) == 1 else heads
        return pd.DataFrame(rows, columns=["", *self.labels, *heads])

    @property
    def missing_intervals(self) -> str:
        """What so few replications can know where `text_table` lacks an interval; else empty."""
        return explain_missing(
            value
            for measure in self.measures
            for place in range(len(self.scenarios))
            for estimate_of in (self.mean, self.difference)[: 1 + (place > 0)]
            if not (value := estimate_of(place, measure.name)).is_zero
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Measures of every run: one row per scenario and replication."""
        table = self.data.table().drop(columns=[*PLAIN_RUN._fields])
        columns = ["scenario", "replication", *self.data.measures, *ABOUT]
        table["scenario"] = [self.labels[k] for k in table["scenario"]]
        return table[columns]

    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates."""
        document = {
            "scenarios": list(self.labels),
            "unlike": self.unlike,
            "seed": self.seed,
            "replications": self.replications,
            "first_replication": self.data.index,
            "precision": [
                {
                    "asked": str(precision),
                    "reached": self.is_reached(precision),
                    "half_width": finite_or_none(self.widest(precision)),
                }
                for precision in self.precisions
            ],
            "variance_reduction": self._saved(),
            "input_uncertainty": self._uncertainty(),
            "confidence": LEVEL,
            "background_share": self.background_share.to_dict(),
            "measures": {measure.name: self._measure(measure) for measure in self.measures},
            "runs": [
                {"scenario": k, "replication": replication, "attempts": int(attempts)}
                | dict(zip(self.data.measures, map(finite_or_none, row), strict=False))
                for k in range(len(self.scenarios))
                for replication, attempts, row in zip(
                    self.data.replications,
                    self.data.values(k, "attempts"),
                    self.data.array[k, :, 0],
                    strict=True,
                )
            ],
        }
        return plain(document)

    def _measure(self, measure: Measure) -> dict[str, Any]:
        """One measure for machines."""
        name, positions = measure.name, range(len(self.scenarios))
        return {
            "label": self.label(measure),
            "kind": measure.kind,
            "means": [self.mean(k, name).to_dict() for k in positions],
            "by_day": [self.band(k, name).to_dict() for k in positions],
            "matters_from": finite_or_none(self.matters_from(name)),
            "differences": [
                self.difference(k, name).to_dict()
                | {
                    "verdict": self.verdict(k, name),
                    "saved_by_pairing": self.saved_by_pairing(k, name).to_dict(),
                }
                for k in positions[1:]
            ],
        }

    def _uncertainty(self) -> dict[str, Any] | None:
        """What intervals come from where callees were drawn; None where they were not."""
        if self.swapped is None:
            return None

        def parts(first: int, name: str) -> list[dict[str, Any]]:
            positions = range(first, len(self.scenarios))
            of = [self.uncertainty(k, name, of_difference=bool(first)) for k in positions]
            return [components.to_dict() for components in of]

        names = [measure.name for measure in self.measures]
        return {name: {"means": parts(0, name), "differences": parts(1, name)} for name in names}

    def _saved(self) -> dict[str, Any]:
        """What each way of saving variance came to."""
        saved = {reduction.name: reduction.to_dict() for reduction in self.reductions}
        if self.switches.controls:
            positions = range(min(1, len(self.scenarios) - 1), len(self.scenarios))
            names = [measure.name for measure in self.measures]
            of = {name: [self.saved_by_controls(k, name) for k in positions] for name in names}
            used = {name: [by.is_used for by in of[name]] for name in names}
            times = {name: [finite_or_none(by.saved) for by in of[name]] for name in names}
            saved["controls"] = {"used": used, "saved": times}
        return saved

    def __repr__(self) -> str:
        names = " against ".join(self.labels)
        return bounded(f"StudyResult({names}; {self.replications} replications, seed {self.seed})")

    def _repr_html_(self) -> str:
        from html import escape

        texts = "".join(f"<p>{escape(text)}</p>" for text in self.unlike_texts)
        return texts + table_html(self.text_table(), index=False)
