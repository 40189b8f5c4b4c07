"""`outsim explain`: where the wait went, by cause and by whom, and why a call failed."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import (
    CallId,
    CallNumber,
    CampaignName,
    ScenarioOrResult,
    Shown,
    StudyFlags,
    count,
    with_options,
)


@with_options
def explain(
    *,
    asked: ScenarioOrResult,
    campaign: CampaignName = None,
    call: CallId = None,
    number: CallNumber = None,
    worth: Annotated[
        bool, typer.Option(help="Also what one more port, worker, call/s would have been worth.")
    ] = True,
    replication: Annotated[
        int, typer.Option(metavar="N", parser=count(0), help="Which replication is explained.")
    ] = 0,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """Where did the wait go? By cause and by whom; with --call, why a call failed."""
    from outsim.cli.output import load_asked, present
    from outsim.questions.explain import explain as ask

    question = ask(
        load_asked(asked),
        campaign,
        call=call,
        number=number,
        worth=worth,
        replication=replication,
        **study.given(),
    )
    present(question.run(), shown)
