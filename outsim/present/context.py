"""What a report is about: a run, a scenario or a kept study, and what is known of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from outsim.display import format_estimate, in_runs
from outsim.estimates import Estimate
from outsim.results.measures import Measure
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.study_result import StudyResult

if TYPE_CHECKING:
    from outsim.questions.eta import Forecast
    from outsim.questions.schedule import Schedule
    from outsim.questions.stop import StopRace
    from outsim.questions.sweep_answers import Sweep


@dataclass(frozen=True, eq=False)
class ReportContext:
    """What a report is about, and what is known of it."""

    scenario: Scenario
    seed: int
    result: Result
    """One run of the scenario: its tables are one day that could be."""
    known: tuple[StudyResult, ...] = ()
    """Figures over replications whose first scenario is the one that the report is about."""
    comparison: StudyResult | None = None
    """Scenarios that were held against each other."""
    schedule: Schedule | None = None
    forecast: Forecast | None = None
    race: StopRace | None = None
    sweep: Sweep | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    """Why a question could not be answered, by the name of its command."""
    is_kept: bool = False
    """Whether it is a study that was kept: then nothing is run for other questions."""
    made_of: str = ""
    """What it was made of, for people."""
    notices: tuple[str, ...] = ()

    @property
    def campaign(self) -> Campaign:
        """The campaign that is asked about."""
        campaign = self.scenario.campaign_under_study
        assert campaign is not None
        return campaign

    def reason(self, command: str) -> str:
        """Why a question could not be answered; empty if nothing was in the way."""
        return dict(self.reasons).get(command, "")

    def measure(self, name: str) -> MeanOfMeasure | None:
        """A figure of the campaign over replications; None where no run has it."""
        for findings in self.known:
            for each in findings.measures:
                if each.name == name:
                    found = MeanOfMeasure(findings, each)
                    return found if found.estimate.count else None
        return None

    @property
    def file(self) -> str:
        """Name of the scenario's file in commands, as the report keeps it."""
        if self.scenario.path is not None:
            return self.scenario.path.name
        words = "".join(c if c.isalnum() else " " for c in self.scenario.name.lower()).split()
        return "-".join(words or ["scenario"]) + ".toml"

    def asking(self, command: str, *options: str, names_campaign: bool = True) -> str:
        """Give the command that asks a question in full; most of them name the campaign."""
        words = ["outsim", command, shlex.quote(self.file)]
        if names_campaign and len(self.scenario.campaigns) > 1:
            words += ["--campaign", shlex.quote(self.campaign.full_name)]
        return " ".join([*words, *options, f"--seed {self.seed}"])

    @property
    def this_run(self) -> str:
        """What the one run is called in sentences."""
        return f"one run (seed {self.result.seed}, replication {self.result.replication})"


@dataclass(frozen=True, eq=False)
class MeanOfMeasure:
    """A figure of the campaign, over replications."""

    findings: StudyResult
    measure: Measure

    @property
    def estimate(self) -> Estimate:
        """Mean with its interval."""
        return self.findings.mean(0, self.measure.name)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.measure.label_at(self.findings.scenarios[0].deadline)

    @property
    def text(self) -> str:
        """Mean and half of the interval's width; and in how many runs, where some have none."""
        value = self.estimate
        begins = self.findings.scenarios[0].clock.begins
        return format_estimate(self.measure.kind, value, begins) + in_runs(value)

    def row(self) -> list[str]:
        """Row of a table of figures."""
        return [self.label, self.text]


def cut(findings: StudyResult, measures: tuple[Measure, ...]) -> StudyResult:
    """The same replications, with some of the figures."""
    return replace(findings, measures=measures)
