"""`outsim schedule`: start times of a campaign, compared."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import (
    CampaignName,
    MattersFlags,
    ScenarioFile,
    Shown,
    StudyFlags,
    with_options,
)


@with_options
def schedule(
    *,
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="Time between two starts, such as 5min.")
    ] = "15min",
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FIRST LAST",
            help="First and latest start, such as 09:00 10:00; default: the full hour that the "
            "scenario's start is in, to the next.",
        ),
    ] = None,
    difference: MattersFlags,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """When should I schedule my calls? Compare start times of a campaign."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.schedule import schedule as ask

    loaded = load_with_advice(scenario)
    question = ask(
        loaded, campaign, every=every, between=between, **difference.given(), **study.given()
    )
    present(question.run(), shown)
