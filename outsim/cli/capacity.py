"""`outsim capacity`: the smallest capacity that keeps a promise."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import EverybodyFlags, ScenarioFile, Shown, StudyFlags, count, with_options


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
            '"P(95% of calls done by 18:00) >= 0.9", or "every tenant\'s p95 wait <= 10 min"; may '
            "be given several times.",
        ),
    ],
    largest: Annotated[
        bool,
        typer.Option(
            "--largest",
            "--latest",
            help="Find the largest value that keeps them, of a clock time the latest.",
        ),
    ] = False,
    everybody: EverybodyFlags,
    confidence: Annotated[
        str, typer.Option(metavar="SHARE", help="How sure the answer must be.")
    ] = "95%",
    most: Annotated[
        int | None,
        typer.Option(metavar="N", parser=count(1), help="Runs in all at most; default: 20000."),
    ] = None,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """Find the smallest capacity that keeps a promise, or the largest value.

    The answer and the value below it rest on as many runs each as --replications says, by
    default 100, or on as many as the scenario as it stands takes for a --precision.
    """
    from outsim.cli.output import load_with_advice, present
    from outsim.errors import StudyError
    from outsim.questions.capacity import capacity as ask
    from outsim.questions.capacity import frontier as ask_frontier

    if len(vary) > 2:
        raise StudyError(f"{len(vary)} keys to vary: give one, or two for a frontier")
    options = (
        study.given(counts=True)
        | everybody.given()
        | {"confidence": confidence, "largest": largest}
    )
    if most is not None:
        options["most"] = most
    loaded = load_with_advice(scenario)
    if len(vary) == 2:
        present(ask_frontier(loaded, vary[0], vary[1], target, **options).run(), shown)
    else:
        present(ask(loaded, vary[0], target, **options).run(), shown)
