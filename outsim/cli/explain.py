"""`outsim explain`: where the wait went, by cause and by whom, and why a call failed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outsim.cli.options import CampaignName, Replication, Shown, count, with_options
from outsim.cli.studies import RunFlags, Within


@with_options
def explain(
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|RESULT",
            help="Scenario file (TOML), or a directory that outsim run --out wrote.",
        ),
    ],
    campaign: CampaignName = None,
    call: Annotated[
        int | None,
        typer.Option("--call", metavar="ID", parser=count(0), help="One call, by its id."),
    ] = None,
    number: Annotated[
        str | None,
        typer.Option("--number", metavar="N", help="One call, by its ten-digit number."),
    ] = None,
    worth: Annotated[
        bool,
        typer.Option(help="Also what one more port, worker, call/s would have been worth."),
    ] = True,
    within: Within = None,
    replication: Replication = 0,
    runs: RunFlags,
    shown: Shown,
) -> None:
    """Where did the wait go? By cause and by whom; with --call, why a call failed."""
    from outsim.cli.output import load_with_advice, present, simulate_with_bar
    from outsim.questions.explain import explain as ask
    from outsim.results.result import load_result
    from outsim.studies.comparable import campaign_of

    if Path(asked).is_dir():
        if runs.seed is not None or replication:
            raise typer.BadParameter("--seed and --replication: the result has its own")
        result = load_result(asked)
    else:
        scenario = load_with_advice(asked)
        campaign_of(scenario, campaign)
        result = simulate_with_bar(scenario, runs.seed, replication, runs.engine)
    options = runs.given() | ({} if within is None else {"timeout": within})
    question = ask(result, campaign, call=call, number=number, worth=worth, **options)
    present(question.run(), shown)
