"""`outsim schedule`: start times of a campaign, compared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outsim.cli.options import (
    CampaignName,
    Confidence,
    MattersFlags,
    ScenarioFile,
    Shown,
    StudyFlags,
    certainty,
    with_options,
)


@with_options
def schedule(
    *,
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Time between two starts; default: 15min, or 1min for a promise.",
        ),
    ] = None,
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FIRST LAST",
            help="First and latest start, such as 09:00 10:00; default: the full hour that the "
            "scenario's start is in, to the next.",
        ),
    ] = None,
    promise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROMISE",
            help='Find the latest start that keeps it, such as "P(95% of calls done by 11:00) >= '
            '0.9"; may be given several times.',
        ),
    ] = None,
    latest: Annotated[
        bool,
        typer.Option("--latest/--earliest", help="With --promise: which is looked for."),
    ] = True,
    confidence: Confidence = None,
    difference: MattersFlags,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """When should I schedule my calls? Compare start times of a campaign."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.schedule import schedule as ask

    loaded = load_with_advice(scenario)
    steps: dict[str, Any] = {} if every is None else {"every": every}
    if promise:
        from outsim.questions.latest import latest_start

        options = study.given(counts=True) | steps | certainty(confidence)
        options |= {"between": between, "earliest": not latest}
        present(latest_start(loaded, promise, campaign, **options).run(), shown)
        return
    question = ask(
        loaded, campaign, between=between, **steps, **difference.given(), **study.given()
    )
    present(question.run(), shown)
