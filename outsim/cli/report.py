"""`outsim report`: one page that answers the five questions, for people who run nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import CampaignName, EngineName, Seed, count


def report(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RESULT|STUDY|SCENARIO",
            help="Directory of a run or of a study; or a scenario file, which is run.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Page to write.")
    ] = "report.html",
    campaign: CampaignName = None,
    replications: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(2),
            help="Replications of each question that are run for it, of a run or a scenario; "
            "default: 10.",
        ),
    ] = None,
    seed: Seed = None,
    engine: EngineName = "auto",
) -> None:
    """Write one page that answers the five questions, with all that the answers rest on."""
    from outsim.cli.output import note
    from outsim.present.html_file import check_file
    from outsim.present.report import report as ask

    check_file(output)
    answer = ask(what, campaign, replications=replications, seed=seed, engine=engine).run()
    note(f"report written to {answer.save(output)}")
