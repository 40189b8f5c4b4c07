"""`outsim status`: a campaign at a moment, the truth beside what its customer sees."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import CampaignName, OneRun, ScenarioFile, Shown, count, with_options


@with_options
def status(
    *,
    scenario: ScenarioFile,
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
    from outsim.cli.output import load_with_advice, present, simulate_with_bar
    from outsim.questions.status import status as ask
    from outsim.results.result import in_run
    from outsim.studies.comparable import campaign_of

    loaded = load_with_advice(scenario)
    chosen = campaign_of(loaded, campaign)
    moment = in_run(loaded, at, loaded.instant_us(loaded.clock.latest_end))
    result = simulate_with_bar(loaded, **vars(run))
    present(ask(result, chosen, at=moment, limit=limit if calls else 0).run(), shown)
