"""`outsim sweep`: which assumption matters, and which one flips a recommendation."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from outsim.cli.options import (
    ComparedFlags,
    MattersFlags,
    ScenarioFile,
    Shown,
    SizeFlags,
    count,
    with_options,
)


@with_options
def sweep(
    *,
    scenario: ScenarioFile,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[OTHER]",
            help="Scenario to hold against it: which assumption flips the order of the two?",
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=A:B[:N]|KEY=A,B",
            help="Range of one key, such as platform.ports=100:400 or carrier.rate=5/s:40/s:8, "
            "where N is how many values, evenly spaced; or its values, such as "
            "campaign[0].start=09:00,09:15; may be given several times.",
        ),
    ] = None,
    assumptions: Annotated[
        bool,
        typer.Option(
            "--assumptions",
            help="Vary every default graded A (assumption) that the scenario rests on.",
        ),
    ] = False,
    design: Annotated[
        Literal["grid", "lhs", "sobol", "morris"] | None,
        typer.Option(
            help="Points to run; default: grid for one or two ranges, else morris; with OTHER, "
            "none unless it is asked for."
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(1),
            help="Points of lhs, base points of sobol, trajectories of morris.",
        ),
    ] = None,
    measure: Annotated[
        str,
        typer.Option(
            metavar="MEASURE",
            help="Measure that the answer is about, such as wait_p90_s or 'p95 wait of deals'.",
        ),
    ] = "completed_by_deadline",
    measures: Annotated[
        bool,
        typer.Option(
            "--measures",
            help="Show all measures at each point, port use and queue of all calls among them.",
        ),
    ] = False,
    compared: ComparedFlags,
    difference: MattersFlags,
    size: SizeFlags,
    shown: Shown,
) -> None:
    """Vary assumptions: which one matters, and which one flips what is better."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.sweep import sweep as ask

    question = ask(
        load_with_advice(scenario),
        None if other is None else load_with_advice(other),
        vary=vary or (),
        assumptions=assumptions,
        design=design,
        points=points,
        measure=measure,
        measures=measures,
        **compared.given(),
        **difference.given(),
        **size.given(counts=True),
    )
    present(question.run(), shown)
