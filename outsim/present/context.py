"""What a report is about: a run, a scenario or a kept study, and what is known of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsim.document import Document
from outsim.questions.means import NO_MEANS, Means
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
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
    means: Means = NO_MEANS
    """Over replications whose first scenario is the one that the report is about."""
    comparison: StudyResult | None = None
    """Scenarios that were held against each other."""
    schedule: Schedule | None = None
    forecast: Forecast | None = None
    race: StopRace | None = None
    sweep: Sweep | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    """Why a question could not be answered, by the name of its command."""
    made_of: str = ""
    """What it was made of, for people."""
    notices: tuple[str, ...] = ()

    @property
    def campaign(self) -> Campaign:
        """The campaign that is asked about."""
        return campaign_of(self.scenario)

    def unanswered(self, command: str, title: str) -> Document:
        """A question that has no answer here: why not, and the command that would answer it."""
        return Document(
            id=command,
            title=title,
            asked=dict(self.reasons).get(command, "This was not asked here."),
            command=self.asking(command),
        )

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
