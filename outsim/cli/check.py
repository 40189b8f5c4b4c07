"""`outsim check`: whether scenarios are right, and how busy they would keep the platform."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outsim.cli.options import Json


def check(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    json: Json = False,
) -> None:
    """Check scenario files: errors, warnings, and utilisation at full rate."""
    from outsim.cli.output import note, print_json, say, show, table
    from outsim.errors import ScenarioError
    from outsim.scenario import load
    from outsim.scenario.advice import advice
    from outsim.scenario.utilisation import utilisation

    documents: list[dict[str, Any]] = []
    wrong = False
    for path in scenarios:
        try:
            scenario = load(path)
        except ScenarioError as error:
            wrong = True
            documents.append({"file": path, "errors": str(error).splitlines()})
            note(f"outsim: {error}")
            continue
        loads, warnings = utilisation(scenario), advice(scenario)
        documents.append(
            {
                "file": path,
                "errors": [],
                "warnings": [str(warning) for warning in warnings],
                "utilisation": {each.resource: each.load for each in loads},
            }
        )
        if json:
            continue
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
    if json:
        print_json(documents)
    raise typer.Exit(2 if wrong else 0)
