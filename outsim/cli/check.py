"""`outsim check`: whether scenarios are right, and how busy they would keep the platform."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Json, Seed, Shown, count

WRONG = 2
"""Exit code where a scenario can't be used."""


def check(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    theory: Annotated[
        bool,
        typer.Option("--theory", help="Run each, and compare what theory says of it with that."),
    ] = False,
    ciw: Annotated[
        bool,
        typer.Option(
            "--ciw", help="With --theory: ask the simulator Ciw as well, where it can tell."
        ),
    ] = False,
    replications: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=count(0), help="With --theory: how many runs; default: 20."
        ),
    ] = None,
    seed: Seed = None,
    promise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROMISE",
            help='Warn if no run can keep it, such as "95% of calls out by 11:00"; may be given '
            "several times.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check scenario files: errors, warnings, utilization at full rate; on request, theory."""
    from outsim.cli.output import note, present
    from outsim.questions.check import check as ask

    question = ask(
        *scenarios,
        theory=theory,
        ciw=ciw,
        replications=replications,
        seed=seed,
        promise=promise or (),
    )
    answer = question.run()
    for error in answer.errors:
        note(f"outsim: {error}")
    if json or len(answer.errors) < len(scenarios):
        present(answer, Shown(json=json))
    if answer.errors:
        raise typer.Exit(WRONG)
