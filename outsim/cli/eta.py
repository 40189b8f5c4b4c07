"""`outsim eta`: when a campaign's calls go out, or one call, from the queue as it stands."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import (
    CallId,
    CallNumber,
    CampaignName,
    ScenarioFile,
    Shown,
    StudyFlags,
    with_options,
)


@with_options
def eta(
    *,
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    call: CallId = None,
    number: CallNumber = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="The queue as it stands (JSON; see `outsim schema --snapshot`)."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Forecast from the queue as one run of the scenario has it then."
        ),
    ] = None,
    promise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROMISE",
            help='Say how probably it is kept, such as "95% of calls out by 11:00"; may be given '
            "several times.",
        ),
    ] = None,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """Say when a campaign's calls go out and when it is finished, or when one call goes out."""
    from outsim.cli.output import load_with_advice, note, present
    from outsim.questions.eta import eta as ask
    from outsim.scenario.snapshot_advice import standing as unlikely

    if shown.plot is not None and (call is not None or number is not None):
        raise typer.BadParameter("--plot draws a campaign; leave out --call and --number")
    question = ask(
        load_with_advice(scenario),
        campaign,
        call=call,
        number=number,
        snapshot=snapshot,
        at=at,
        promise=promise or (),
        **study.given(),
    )
    if snapshot is not None:
        for key, message in unlikely(question.study.scenarios[0]):
            note(f"warning: {snapshot}: {key.removeprefix('snapshot.')}: {message}")
    present(question.run(), shown)
