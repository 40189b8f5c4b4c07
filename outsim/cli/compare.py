"""`outsim compare`: two or more scenarios, paired."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import ComparedFlags, MattersFlags, Shown, StudyFlags, with_options


@with_options
def compare(
    *,
    scenarios: Annotated[list[str], typer.Argument(metavar="A B ...", help="Scenario files.")],
    compared: ComparedFlags,
    difference: MattersFlags,
    antithetic: Annotated[
        bool,
        typer.Option(
            "--antithetic",
            help="Make each replication a pair of runs, one with the draws of the other mirrored; "
            "used only where the pairs save more than they cost.",
        ),
    ] = False,
    stratified: Annotated[
        bool,
        typer.Option(
            "--stratified",
            help="Make each replication four runs that share out the range of every draw; used "
            "only where that saves more than it costs.",
        ),
    ] = False,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls",
            help="Use control variates, whose means are known, where they narrow an interval.",
        ),
    ] = False,
    study: StudyFlags,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Say as well what measures are on one day, p5 to p95 of days, and what pairing "
            "the replications saved.",
        ),
    ] = False,
    shown: Shown,
) -> None:
    """Compare scenarios over paired replications, with confidence intervals."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.compare import compare as ask

    question = ask(
        *map(load_with_advice, scenarios),
        **compared.given(),
        **difference.given(),
        antithetic=antithetic,
        stratified=stratified,
        controls=controls,
        verbose=verbose,
        **study.given(),
    )
    present(question.run(), shown)
