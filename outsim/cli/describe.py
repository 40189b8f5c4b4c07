"""`outsim describe`: model and scenario by the items of the STRESS-DES checklist."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Json, Shown


def describe(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="Scenario file; others are described by how they differ from the first one.",
        ),
    ],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    json: Json = False,
) -> None:
    """Describe model and scenario by STRESS-DES: what was simulated, and on what it rests."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.describe import describe as ask

    if markdown and json:
        raise typer.BadParameter("--markdown and --json: give one or the other")
    answer = ask(*(load_with_advice(path) for path in scenarios)).run()
    if markdown:
        print(answer.to_markdown(), end="")
    else:
        present(answer, Shown(json=json))
