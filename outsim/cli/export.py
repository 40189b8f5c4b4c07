"""`outsim export`: a result in a format that other tools open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Seed

if TYPE_CHECKING:
    from pathlib import Path

    from outsim.results.result import Result


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
            min=0,
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

    from outsim.cli.output import load_with_advice, print_json, say, simulate_with_bar
    from outsim.export.formats import check_target
    from outsim.export.formats import export as write
    from outsim.progress import bar
    from outsim.results.result import load_result
    from outsim.scenario.campaigns import ALL_CALLS
    from outsim.studies.variants import campaign_of

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
    chosen = None if campaign is None else campaign_of(made.scenario, campaign)
    with bar("export", counts=False) as advance:
        path = write(made, form, out, campaign=chosen, progress=advance)
    if json:
        print_json(_document(made, form, path))
        return
    calls = made.view(chosen or ALL_CALLS).calls
    say(
        f"{made.scenario.name}, seed {made.seed}, replication {made.replication}: {len(calls):,} "
        f"calls written to {path} as {form}."
    )
    say(_HINTS[form])


_HINTS = {
    "perfetto": "Open it at https://ui.perfetto.dev: the file is read there, and not sent.",
    "xes": "Process mining tools open it; a case is a call.",
    "ocel": "Process mining tools that know OCEL 2.0 open it; objects are calls, campaigns, "
    "tenants.",
    "parquet": "data-dictionary.md says what each column is.",
    "csv": "data-dictionary.md says what each column is.",
}


def _document(result: Result, form: str, path: Path) -> dict[str, object]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {
        "scenario": result.scenario.name,
        "seed": result.seed,
        "replication": result.replication,
        "format": form,
        "path": str(path),
        "files": {file.name: file.stat().st_size for file in files},
    }
