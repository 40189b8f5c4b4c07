"""`outsim run`: one run of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outsim.cli.options import OneRun, ScenarioFile, Shown, named, with_options


@with_options
def run(
    *,
    scenario: ScenarioFile,
    run: OneRun,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Directory to write the tables to (Parquet).", callback=named
        ),
    ] = None,
    verify: Annotated[bool, typer.Option(help="Check every invariant of the result.")] = False,
    shown: Shown,
) -> None:
    """Run a scenario once and say what happened to its campaigns.

    The picture that --plot writes shows queue and busy ports over time, by tenant.
    """
    from outsim.cli.output import load_with_advice, note, present, verify_invariants
    from outsim.disk import translate_disk_errors
    from outsim.errors import OutsimError
    from outsim.questions.one_run import one_run
    from outsim.results.saving import check_directory

    loaded = load_with_advice(scenario)
    advice = "name a directory that can be written"
    if out is not None:
        # Before the run, so that it is not made in vain.
        with translate_disk_errors(Path(out), OutsimError, advice):
            check_directory(Path(out))
    result = one_run(loaded, **vars(run))
    if verify:
        verify_invariants(result)
    if out is not None:
        with translate_disk_errors(Path(out), OutsimError, advice):
            note(f"tables written to {result.save(out)}")
    present(result, shown)
