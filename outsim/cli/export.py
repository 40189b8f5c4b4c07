"""`outsim export`: a result in a format that other tools open."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import CampaignName, Json, OneRun, ScenarioOrResult, Shown, with_options
from outsim.formats import Format


@with_options
def export(
    *,
    asked: ScenarioOrResult,
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            help="Timeline for the Perfetto viewer, event log for process mining, or tables.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "-o", "--out", metavar="PATH", help="File, or directory of tables, to write."
        ),
    ],
    campaign: CampaignName = None,
    run: OneRun,
    json: Json = False,
) -> None:
    """Write a result as a timeline, an event log, or plain tables.

    With --campaign, a timeline shows that campaign's attempts alone, on a platform that is shown
    whole.
    """
    from pathlib import Path

    from outsim.cli.output import load_asked, present
    from outsim.questions.export import export as ask

    if Path(out).is_file() and Path(out).resolve().is_relative_to(Path(asked).resolve()):
        raise typer.BadParameter(f"--out {out}: is what is exported; name another file")
    question = ask(load_asked(asked), format_, out, campaign=campaign, **vars(run))
    present(question.run(), Shown(json=json))
