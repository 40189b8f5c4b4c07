"""`outsim capacity`: the smallest capacity that keeps a promise."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outsim.cli.options import EngineName, ScenarioFile, Seed, Shown, count, with_options
from outsim.cli.studies import ExecutorName, InputUncertainty, KeepTables, Out, Within


@with_options
def capacity(
    *,
    scenario: ScenarioFile,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=LOW:HIGH",
            help="What to find the smallest value of, such as platform.ports=100:2000. Given "
            "twice, the second (KEY=LOW:HIGH:COUNT) takes a few values and the first is found "
            "for each.",
        ),
    ],
    target: Annotated[
        list[str],
        typer.Option(
            metavar="PROMISE",
            help='What must be kept, such as "p95 wait <= 10 min", "finished by 17:30" or '
            '"P(95% of calls done by 18:00) >= 0.9"; may be given several times.',
        ),
    ],
    confidence: Annotated[
        str, typer.Option(metavar="SHARE", help="How sure the answer must be.")
    ] = "95%",
    replications: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(2),
            help="Runs that the answer and the value below it rest on; default: 100.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=WIDTH",
            help="As many runs as the scenario as it stands takes for intervals of this "
            "half-width, such as wait_p90_s=30s, instead of --replications.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=count(1),
            help="Runs in all at most; default: 20000.",
            show_default=False,
        ),
    ] = None,
    within: Within = None,
    out: Out = None,
    keep_tables: KeepTables = False,
    input_uncertainty: InputUncertainty = False,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    shown: Shown,
) -> None:
    """Find the smallest capacity that keeps a promise."""
    from outsim.cli.output import load_with_advice, present
    from outsim.errors import StudyError
    from outsim.questions.capacity import capacity as ask
    from outsim.questions.capacity import frontier as ask_frontier
    from outsim.studies.default_replications import CAPACITY_RUNS
    from outsim.studies.stopping import split_precisions

    if len(vary) > 2:
        raise StudyError(f"{len(vary)} keys to vary: give one, or two for a frontier")
    if keep_tables and out is None:
        raise StudyError("--keep-tables: say where, with --out DIR")
    if precision and replications is not None:
        raise StudyError("--replications and --precision: give one or the other")
    options: dict[str, Any] = {
        "confidence": confidence,
        "replications": replications,
        "precision": split_precisions(precision or []),
        "most": most or CAPACITY_RUNS,
        "timeout": within,
        "directory": out,
        "keep_tables": keep_tables,
        "input_uncertainty": input_uncertainty,
        "executor": executor,
        "seed": seed,
        "engine": engine,
    }
    loaded = load_with_advice(scenario)
    if len(vary) == 2:
        present(ask_frontier(loaded, vary[0], vary[1], target, **options).run(), shown)
    else:
        present(ask(loaded, vary[0], target, **options).run(), shown)
