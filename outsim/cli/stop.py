"""`outsim stop`: what a stop still saves, by when it comes."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import (
    CampaignName,
    Confidence,
    ScenarioFile,
    Shown,
    StudyFlags,
    certainty,
    count,
    separated,
    with_options,
)


@with_options
def stop(
    *,
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIMES",
            help="From the start to the stop, with commas between, such as 0s,30s,5min, or given "
            "several times; default: until everything is dialed.",
        ),
    ] = None,
    observed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(0),
            help="Dials that went out after your stop, retries included: is that usual? The stop "
            "is the scenario's, or the one of --after.",
        ),
    ] = None,
    promise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROMISE",
            help='Find the latest stop that keeps it, such as "at most 300 dialed after the '
            'stop"; may be given several times.',
        ),
    ] = None,
    latest: Annotated[
        bool,
        typer.Option("--latest/--earliest", help="With --promise: which is looked for."),
    ] = True,
    confidence: Confidence = None,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """Why do calls still go out after I stopped? What a stop saves, by when it comes."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.stop import stop as ask

    loaded = load_with_advice(scenario)
    if promise:
        from outsim.questions.latest import latest_stop

        if after:
            raise typer.BadParameter("--promise searches all stops; leave out --after")
        options = study.given(counts=True) | certainty(confidence) | {"earliest": not latest}
        present(latest_stop(loaded, promise, campaign, **options).run(), shown)
        return
    question = ask(loaded, campaign, after=separated(after), observed=observed, **study.given())
    present(question.run(), shown)
