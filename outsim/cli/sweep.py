"""`outsim sweep`: which assumption matters, and which one flips a recommendation."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from outsim.cli.options import EngineName, ScenarioFile, Seed, Shown, count, with_options
from outsim.cli.studies import (
    AcrossZones,
    ComparedCampaigns,
    ComparedDeadlines,
    ExecutorName,
    Out,
    Precision,
    Replications,
    Within,
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
            show_default=False,
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=A:B[:N]",
            help="Range of one key, such as platform.ports=100:400 or carrier.rate=5/s:40/s:8, "
            "where N is how many values, evenly spaced; may be given several times.",
            show_default=False,
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
            "none unless it is asked for.",
            show_default=False,
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(1),
            help="Points of lhs, base points of sobol, trajectories of morris.",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[
        str, typer.Option(metavar="MEASURE", help="Measure that the answer is about.")
    ] = "completed_by_deadline",
    campaign: ComparedCampaigns = None,
    deadline: ComparedDeadlines = None,
    across_zones: AcrossZones = False,
    replications: Replications = None,
    precision: Precision = None,
    within: Within = None,
    out: Out = None,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    shown: Shown,
) -> None:
    """Vary assumptions: which one matters, and which one flips what is better."""
    from outsim.cli.output import load_with_advice, present
    from outsim.errors import StudyError
    from outsim.questions.sweep import sweep as ask
    from outsim.studies.stopping import read_replications, split_precisions

    count_given = None if replications is None else read_replications(replications)
    if isinstance(count_given, range):
        raise StudyError(f"--replications {replications}: a sweep takes a count, such as 20")
    question = ask(
        *[load_with_advice(path) for path in (scenario, other) if path is not None],
        vary=vary or (),
        assumptions=assumptions,
        design=design,
        points=points,
        measure=measure,
        campaign=campaign,
        deadline=deadline,
        across_zones=across_zones,
        replications=count_given,
        precision=split_precisions(precision or []),
        timeout=within,
        directory=out,
        executor=executor,
        seed=seed,
        engine=engine,
    )
    present(question.run(), shown)
