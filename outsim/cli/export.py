"""`outsim export`: a result in a format that other tools open."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Seed, Shown, count


def export(
    result: Annotated[
        str,
        typer.Argument(
            metavar="RESULT", help="Directory that run --out wrote, or a scenario file to run."
        ),
    ],
    form: Annotated[
        Literal["perfetto", "xes", "ocel", "parquet", "csv"],
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
    seed: Seed = None,
    replication: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(0),
            help="Which replication of the seed; default: the first.",
            show_default=False,
        ),
    ] = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Write a result as a timeline, an event log, or plain tables.

    With --campaign, a timeline shows that campaign's attempts alone, on a platform that is shown
    whole.
    """
    from pathlib import Path

    from outsim.cli.output import load_with_advice, present, simulate_with_bar
    from outsim.formats.write import check_target
    from outsim.progress import bar
    from outsim.questions.export import export as ask
    from outsim.results.result import load_result

    check_target(form, Path(out))
    given = Path(result)
    if Path(out).is_file() and Path(out).resolve().is_relative_to(given.resolve()):
        raise typer.BadParameter(f"--out {out}: is what is exported; name another file")
    if given.is_dir() or not (given.exists() or given.suffix):
        for name, value in (("seed", seed), ("replication", replication)):
            if value is not None:
                raise typer.BadParameter(
                    f"--{name}: {result} has been run already; give a scenario file to run it anew"
                )
        made = load_result(result)
    else:
        made = simulate_with_bar(load_with_advice(result), seed, replication or 0, engine)
    with bar("export", counts=False) as advance:
        answer = ask(made, form, out, campaign=campaign, progress=advance).run()
    present(answer, Shown(json=json))
