"""`outsim check`: whether scenarios are right, and how busy they would keep the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import Json, Seed

if TYPE_CHECKING:
    from outsim.scenario import Scenario
    from outsim.theory.answer import Line, Theory
    from outsim.theory.ciw_check import CiwCheck

DIFFERS, WRONG = 1, 2
"""Exit codes: runs are not as a formula says; a scenario can't be used."""


def check(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    theory: Annotated[
        bool,
        typer.Option(
            "--theory", help="Run each, and hold what theory says of it against the runs."
        ),
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
            metavar="N",
            help="With --theory: how many runs; default: 20.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Check scenario files: errors, warnings, utilisation at full rate; on request, theory."""
    from outsim.cli.output import note, print_json
    from outsim.errors import ScenarioError, StudyError
    from outsim.scenario import load
    from outsim.scenario.memory import check_size

    for name, asked in (("--ciw", ciw), ("--replications", replications), ("--seed", seed)):
        if asked not in (None, False) and not theory:
            raise StudyError(f"{name} is about runs: ask for them, with --theory")
    if replications is not None:
        from outsim.theory.answer import check_replications

        check_replications(replications)
    documents: list[dict[str, Any]] = []
    code = 0
    for path in scenarios:
        try:
            scenario = load(path)
            check_size(scenario)
        except ScenarioError as error:
            code = WRONG
            documents.append({"file": path, "errors": error.message.splitlines()})
            note(f"outsim: {error}")
            continue
        document = _checked(path, scenario, quiet=json)
        if theory:
            told, agrees = _theory(scenario, replications, seed, ciw=ciw, quiet=json)
            document["theory"] = told
            code = code or (0 if agrees else DIFFERS)
        documents.append(document)
    if json:
        print_json(documents)
    raise typer.Exit(code)


def _checked(path: str, scenario: Scenario, *, quiet: bool) -> dict[str, Any]:
    from outsim.cli.output import say, show, table
    from outsim.scenario.lint import advice
    from outsim.scenario.utilisation import utilisation

    loads, warnings = utilisation(scenario), advice(scenario)
    if not quiet:
        say(f"{path}: {scenario.name}")
        show(
            table(
                ["at full rate", "busy", ""],
                [[each.resource, f"{each.load:.0%}", each.explanation] for each in loads],
            )
        )
        for warning in warnings:
            say(f"warning: {warning}")
        if not warnings:
            say("no warnings")
    return {
        "file": path,
        "errors": [],
        "warnings": [str(warning) for warning in warnings],
        "utilisation": {each.resource: each.load for each in loads},
    }


def _theory(
    scenario: Scenario, replications: int | None, seed: int | None, *, ciw: bool, quiet: bool
) -> tuple[dict[str, Any], bool]:
    """What theory says, for machines, and whether the runs agree; said to people if not quiet."""
    from outsim.studies.synchronous import run_sync
    from outsim.theory.answer import DEFAULT_REPLICATIONS, check_theory
    from outsim.theory.ciw_check import check_with_ciw

    # Whether Ciw is there is known before anything is run.
    opinion = check_with_ciw(scenario, seed) if ciw else None
    found = run_sync(
        check_theory(
            scenario, DEFAULT_REPLICATIONS if replications is None else replications, seed=seed
        )
    )
    if not quiet:
        _print(found)
        if opinion is not None:
            _print_opinion(opinion)
    document = found.to_json()
    agrees = found.agrees
    if opinion is not None:
        document["ciw"] = opinion.to_json()
        agrees = agrees and opinion.agrees is not False
    return document, agrees


def _print(found: Theory) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import format_figure

    begins = found.scenario.clock.begins

    say()
    say(
        f"theory beside simulation: {found.findings.replications} runs, seed {found.findings.seed}"
    )
    lines = [line for line in found.lines if not line.is_bound]
    if lines:
        show(
            table(
                ["formula", "theory", "simulated", "standard errors", ""],
                [_row(line, found.scenario) for line in lines],
            )
        )
    bounds = [line for line in found.lines if line.is_bound]
    if bounds:
        show(
            table(
                ["bound", "theory", "simulated", "apart", ""],
                [_bound_row(line, found.scenario) for line in bounds],
            )
        )
        say("Bounds are each run's own, by what came in: each run is held against its own.")
    if found.pace is not None:
        say(
            f"The latest of them for the last first call is that of {found.pace.resource}: "
            f"it goes out {format_figure('seconds', found.pace.difference, begins)} after."
        )
    if any(line.check.kind == "exact" for line in lines):
        say(
            "± is half of the 95 % interval. Formulas are told the times and rates of the runs; "
            f"within {found.critical:.1f} standard errors a figure agrees."
        )
    if any(line.check.kind == "approximation" for line in lines):
        say("An approximation need not agree: the standard errors say how clearly it is one.")
    if found.others:
        say("Does not apply:")
        for each in found.others:
            say(f"  {each}")


def _row(line: Line, scenario: Scenario) -> list[str]:
    from outsim.display import UNKNOWN, format_estimate, format_figure

    measure, begins = line.check.simulated, scenario.clock.begins
    known = line.errors == line.errors
    return [
        f"{line.check.formula}: {line.check.of}",
        format_figure(measure.kind, line.predicted, begins),
        format_estimate(measure.kind, line.simulated, begins),
        f"{line.errors:+.1f}" if known else UNKNOWN,
        line.verdict or line.check.kind,
    ]


def _bound_row(line: Line, scenario: Scenario) -> list[str]:
    from outsim.display import UNKNOWN, format_estimate, format_figure

    measure, begins = line.check.simulated, scenario.clock.begins
    word = "from" if line.check.kind == "at least" else "by"
    clock = format_figure("clock", line.predicted, begins)
    return [
        f"{line.check.formula}: {line.check.of}",
        f"{word} {clock}" if clock != UNKNOWN else UNKNOWN,
        format_estimate(measure.kind, line.simulated, begins),
        format_figure("seconds", line.difference, begins),
        line.verdict,
    ]


def _print_opinion(opinion: CiwCheck) -> None:
    from outsim.cli.output import say

    say(f"Ciw: {opinion}")
