"""`outsim report`: one page that answers the five questions, for people who run nothing."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from outsim.cli.options import CampaignName, EngineName, Seed


def report(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RESULT|STUDY|SCENARIO",
            help="What --out kept of a run or a study; or a scenario file, which is run.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Page to write."),
    ] = "report.html",
    campaign: CampaignName = None,
    replications: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Replications of each question that are run for it, of a run or a scenario; "
            "default: 10.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = None,
    engine: EngineName = "auto",
) -> None:
    """Write one page that answers the five questions, with all that the answers rest on."""
    from outsim.cli.output import note
    from outsim.present.build import page_of
    from outsim.present.page import check_file, html, write
    from outsim.present.sources import REPLICATIONS, read_subject
    from outsim.progress import bar

    file = check_file(output)
    subject = read_subject(
        what, campaign, replications=replications or REPLICATIONS, seed=seed, engine=engine
    )
    command = ["outsim", "report", what, "--output", output]
    for name, value in (("campaign", campaign), ("replications", replications), ("seed", seed)):
        if value is not None:
            command += [f"--{name}", str(value)]
    with bar("pictures") as advance:
        write(html(page_of(subject, shlex.join(command)), advance), file)
    note(f"report written to {file}")
