"""`outsim run`: one run of a scenario."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import OneRun, OutDirectory, ScenarioFile, Shown, with_options


@with_options
def run(
    *,
    scenario: ScenarioFile,
    run: OneRun,
    out: OutDirectory = None,
    verify: Annotated[bool, typer.Option(help="Check every invariant of the result.")] = False,
    shown: Shown,
) -> None:
    """Run a scenario once and say what happened to its campaigns.

    The picture that --plot writes shows queue and busy ports over time, by tenant.
    """
    from outsim.cli.output import (
        check_out,
        load_with_advice,
        present,
        verify_invariants,
        write_out,
    )
    from outsim.questions.one_run import one_run

    loaded = load_with_advice(scenario)
    check_out(out)
    result = one_run(loaded, **vars(run))
    if verify:
        verify_invariants(result)
    write_out(result, out)
    present(result, shown)
