"""What an estimate of a study is of, and how it is had: plainly, by controls, by callees too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate, Support, estimate
from outsim.studies.control_variates import Controlled, controlled
from outsim.studies.input_uncertainty import VarianceComponents, variance_components
from outsim.studies.run_array import Array, RunArray

Values = Callable[[int | str, str], Array]
"""Gives one measure of one scenario, by replication."""


@dataclass(frozen=True)
class Estimand:
    """What an estimate is of."""

    compute: Callable[[Values], Array]
    """One number for each replication, from what gives the measures."""
    support: Support
    level: float = LEVEL
    scenarios: tuple[int, ...] = ()
    """Whose control variates go with it."""


@dataclass(frozen=True)
class Estimator:
    """Estimates from the replications of a study."""

    data: RunArray
    values: Values
    swapped: Values | None
    """The same with the callees of the paired replications; None where callees are not drawn."""
    uses_controls: bool

    def estimate(self, of: Estimand) -> Estimate:
        """Mean, with controls where they are used, and with input uncertainty where there is."""
        if self.uses_controls and of.scenarios:
            return self.controlled(of).estimate
        return self.stochastic(of) if self.swapped is None else self.components(of).estimate

    def controlled(self, of: Estimand) -> Controlled:
        """Mean with what controls did for it."""
        controls = np.hstack([self.data.controls_of(k) for k in of.scenarios])
        return controlled(of.compute(self.values), controls, of.level, of.support)

    def stochastic(self, of: Estimand) -> Estimate:
        """Mean with the part of its uncertainty that runs can narrow."""
        return estimate(of.compute(self.values), of.level, of.support)

    def components(self, of: Estimand) -> VarianceComponents:
        """Mean with where its uncertainty comes from; refused if callees were not swapped."""
        if self.swapped is None:
            raise StudyError(
                "what the intervals are made of is not known: give the study "
                "input_uncertainty=True, or the command --input-uncertainty"
            )
        own, swapped = of.compute(self.values), of.compute(self.swapped)
        return variance_components(own, swapped, self.data.index, of.level, of.support)
