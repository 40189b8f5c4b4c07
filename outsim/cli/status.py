"""`outsim status`: a campaign at a moment, the truth beside what its customer sees."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import CampaignName, OneRun, ScenarioOrResult, Shown, count, with_options


@with_options
def status(
    *,
    asked: ScenarioOrResult,
    at: Annotated[str, typer.Option(metavar="TIME", help="Local clock time, such as 09:30.")],
    campaign: CampaignName = None,
    calls: Annotated[
        bool, typer.Option("--calls", help="Show the customer's call table.")
    ] = False,
    limit: Annotated[
        int, typer.Option(metavar="N", parser=count(1), help="Rows of the call table.")
    ] = 20,
    run: OneRun,
    shown: Shown,
) -> None:
    """Show a campaign at a moment: the truth beside what the customer sees.

    The picture that --plot writes shows both over the whole run, with the moment marked.
    """
    from outsim.cli.output import load_asked, present
    from outsim.questions.status import status as ask

    question = ask(load_asked(asked), campaign, at=at, calls=calls, limit=limit, **vars(run))
    present(question.run(), shown)
