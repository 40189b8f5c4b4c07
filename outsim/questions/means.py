"""Means of a study's measures, as sentences and rows of other questions name them."""

from __future__ import annotations

from dataclasses import dataclass

from outsim.display import INTERVALS, format_estimate, in_runs
from outsim.estimates import Estimate
from outsim.results.measures import Measure
from outsim.studies.comparable import campaign_of
from outsim.studies.study_result import StudyResult

NOTE = f"{INTERVALS.capitalize()}."
"""What a table of means shows."""


@dataclass(frozen=True, eq=False)
class Mean:
    """Mean of one measure of a study's first scenario."""

    findings: StudyResult
    measure: Measure

    @property
    def estimate(self) -> Estimate:
        """With its interval."""
        return self.findings.mean(0, self.measure.name)

    @property
    def text(self) -> str:
        """Mean and half of the interval's width; and in how many runs, where some have none."""
        begins = self.findings.scenarios[0].clock.begins
        return format_estimate(self.measure.kind, self.estimate, begins) + in_runs(self.estimate)


@dataclass(frozen=True, eq=False)
class Means:
    """Means of a study's first scenario; of none, where there is no study."""

    findings: StudyResult | None = None

    def get(self, name: str) -> Mean | None:
        """The mean of a measure; None where the study has not kept it, or no run has it."""
        if self.findings is None:
            return None
        for measure in self.findings.measures:
            if measure.name == name and self.findings.mean(0, name).count:
                return Mean(self.findings, measure)
        return None

    def rows(self, *names: str) -> list[list[str]]:
        """Rows of a table of those that there are: label and mean."""
        known = (mean for name in names if (mean := self.get(name)) is not None)
        return [[mean.findings.label(mean.measure), mean.text] for mean in known]

    @property
    def asked(self) -> str:
        """What they are means of."""
        assert self.findings is not None
        scenario, count = self.findings.scenarios[0], self.findings.replications
        campaign = campaign_of(scenario)
        return (
            f"{campaign.name} ({campaign.tenant}), starting at {campaign.start:%H:%M}: from the "
            f"measures that the study kept, {count:,} replication{'s' * (count != 1)}."
        )


NO_MEANS = Means()
