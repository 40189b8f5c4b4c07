"""`outsim compare`: two or more scenarios, paired."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Shown, with_options
from outsim.cli.studies import (
    AcrossZones,
    Antithetic,
    ComparedCampaigns,
    ComparedDeadlines,
    Controls,
    Stratified,
    StudyFlags,
)


@with_options
def compare(
    *,
    scenarios: Annotated[list[str], typer.Argument(metavar="A B ...", help="Scenario files.")],
    campaign: ComparedCampaigns = None,
    deadline: ComparedDeadlines = None,
    across_zones: AcrossZones = False,
    antithetic: Antithetic = False,
    stratified: Stratified = False,
    controls: Controls = False,
    study: StudyFlags,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say as well what pairing the replications saved.")
    ] = False,
    shown: Shown,
) -> None:
    """Compare scenarios over paired replications, with confidence intervals."""
    from dataclasses import replace

    from outsim.cli.output import load_with_advice, present
    from outsim.questions.compare import compare as ask

    question = ask(
        *map(load_with_advice, scenarios),
        campaign=campaign,
        deadline=deadline,
        across_zones=across_zones,
        antithetic=antithetic,
        stratified=stratified,
        controls=controls,
        **study.given(),
    )
    present(replace(question.run(), verbose=verbose), shown)
