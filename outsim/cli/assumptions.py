"""`outsim assumptions`: every number that a scenario uses, and how far it moves the answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outsim.cli.options import ScenarioFile, Shown, StudyFlags, with_options


@with_options
def assumptions(
    *,
    scenario: ScenarioFile,
    effect: Annotated[
        bool,
        typer.Option(
            "--effect", help="Run both ends of each range, and tell how far they move the answer."
        ),
    ] = False,
    measure: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="Measure that the answer is about; default: completed_by_deadline.",
        ),
    ] = None,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """List every number that a scenario uses, with its source, grade and plausible range."""
    from outsim.cli.output import load_with_advice, present
    from outsim.errors import StudyError
    from outsim.questions.effects import Assumptions, assumption_effects
    from outsim.results.measures import measure_named
    from outsim.scenario.provenance import assumptions as ledger_of

    about: dict[str, Any] = {} if measure is None else {"measure": measure_named(measure).name}
    if effect:
        question = assumption_effects(load_with_advice(scenario), **about, **study.given())
        present(question.run(), shown)
        return
    for name, value in (vars(study) | {"plot": shown.plot} | about).items():
        if value is not None and value is not False and name != "engine":
            raise StudyError(
                f"--{name.replace('_', '-')}: it is about the effect; ask for that too, with "
                "--effect"
            )
    present(Assumptions(ledger_of(load_with_advice(scenario))), shown)
