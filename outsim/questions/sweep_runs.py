"""The runs of a sweep: points of a design, and pairs with one assumption changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outsim.errors import StudyError
from outsim.estimates import Estimate, estimate
from outsim.questions.everybody import NOBODY, Everybody
from outsim.results.measures import MEASURES, Measure, measure_named
from outsim.scenario.factors import Factor
from outsim.scenario.model import Scenario
from outsim.studies.comparable import describe_unlike, label_scenarios, position_of, unlike
from outsim.studies.crossover import Crossover
from outsim.studies.matters import matters_from
from outsim.studies.sensitivity import Design, Sensitivity, analyse
from outsim.studies.study_result import StudyResult

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SweepRuns:
    """The runs of a sweep, and what is computed of them."""

    scenarios: tuple[Scenario, ...]
    """One; or two, of which the second is held against the first."""
    factors: tuple[Factor, ...]
    """What was varied."""
    left_out: tuple[tuple[str, str], ...]
    """Assumptions that could not be varied, and why."""
    measure: Measure
    """Measure that is asked about."""
    seed: int
    replications: int
    """Replications at each point and value; a search for a flip takes more where it must."""
    design: Design | None = None
    """None where only flips were looked for."""
    findings: StudyResult | None = None
    """Runs of the design: at each place of `places`, one scenario after the other."""
    places: tuple[int, ...] = ()
    """Which of the runs each point of the design is: points of equal values are one."""
    base: StudyResult | None = None
    """The two scenarios as they stand."""
    whose: Everybody = NOBODY
    """Campaigns and tenants that are asked about beside the campaign under study."""
    shows_all: bool = False
    """Whether all measures are shown at each point."""
    flips: tuple[Crossover, ...] = ()
    """What each assumption does to the sign of the difference, largest effect first."""
    matters: Mapping[str, float] = field(default_factory=dict)
    """Least differences that matter by measure, where they were asked for."""

    @property
    def is_paired(self) -> bool:
        """Whether two scenarios are held against each other."""
        return len(self.scenarios) == 2

    @property
    def unlike_texts(self) -> list[str]:
        """What is different in two scenarios that are compared, in sentences."""
        return describe_unlike(self.scenarios, unlike(self.scenarios, MEASURES))

    @property
    def _labels(self) -> list[str]:
        return label_scenarios([scenario.name for scenario in self.scenarios])

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What there is of each run of the design."""
        return MEASURES if self.findings is None else self.findings.measures

    # The design

    def values(self, name: str, scenario: int | str | None = None) -> Array:
        """A measure by name, of shape (points, replications); NaN where a run was too short.

        Of one `scenario`, by place or name; by default of the only one, or of two the second less
        the first.

        Raises
        ------
        StudyError
            If no design was run, or there is no such measure or scenario.
        """
        if self.findings is None:
            raise StudyError("no design was run: ask for one, such as design='morris'")
        findings, count = self.findings, len(self.scenarios)

        def of(k: int) -> Array:
            runs = len(findings.scenarios) // count
            return np.array([findings.values(run * count + k, name) for run in range(runs)])

        if scenario is not None:
            return of(position_of(scenario, self._labels))[list(self.places)]
        values = of(1) - of(0) if self.is_paired else of(0)
        return values[list(self.places)]

    @cached_property
    def sensitivities(self) -> Mapping[str, Sensitivity]:
        """By measure, which assumption matters; empty where no design was run.

        Of two scenarios, it is about their difference.
        """
        if self.design is None:
            return {}
        return {
            measure.name: analyse(
                self.design,
                self.values(measure.name),
                self.seed,
                matters_from=matters_from(measure, self.matters),
            )
            for measure in dict.fromkeys((*MEASURES, self.measure))
            if not measure.optional or not np.isnan(self.values(measure.name)).all()
        }

    def point(self, index: int) -> dict[str, str]:
        """Value of each assumption at the point of an index, as in a scenario file.

        Raises
        ------
        StudyError
            If no design was run, or it has no such point.
        """
        if self.design is None:
            raise StudyError("no design was run: ask for one, such as design='morris'")
        if not 0 <= index < self.design.points:
            raise StudyError(f"point {index}: there are 0 to {self.design.points - 1}")
        row = self.design.positions[index]
        return {
            factor.name: factor.text(factor.level(float(at)))
            for factor, at in zip(self.factors, row, strict=True)
        }

    def estimates(self, name: str, scenario: int | str | None = None) -> list[Estimate]:
        """Mean of a measure by name at each point of the design; scenario as for `values`."""
        support = measure_named(name, self.measures).support
        if self.is_paired and scenario is None:
            support = support.of_difference
        return [estimate(row, support=support) for row in self.values(name, scenario)]

    def table(self) -> pd.DataFrame:
        """One row per point and measure: values, mean and interval (of the difference, of two)."""
        import pandas as pd

        rows = []
        for measure in self.measures:
            for index, mean in enumerate(self.estimates(measure.name)):
                rows.append(
                    {"point": index, **self.point(index), "measure": measure.name}
                    | {"mean": mean.mean, "low": mean.low, "high": mean.high}
                    | {"replications": mean.count, "n_missing": mean.n_missing}
                )
        return pd.DataFrame(rows)

    # What it says

    @property
    def base_difference(self) -> Estimate | None:
        """The difference between two scenarios as they stand."""
        return None if self.base is None else self.base.difference(1, self.measure.name)

    def preferred(self, sign: int) -> str:
        """Name of the scenario that a sign of the difference speaks for.

        Of a measure that is neither better high nor low, the one in which it is higher.
        """
        second = sign * (self.measure.sign or 1) > 0
        labels = self.base.labels if self.base is not None else (self.scenarios[0].name,)
        return labels[1 if second else 0]
