"""`outsim describe`: model and scenario by the items of the STRESS-DES checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import Json

if TYPE_CHECKING:
    from outsim.questions.describe import Description, Item


def describe(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="Scenario file; others are described by how they differ from the first one.",
            show_default=False,
        ),
    ],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    json: Json = False,
) -> None:
    """Describe model and scenario by STRESS-DES: what was simulated, and on what it rests."""
    from outsim.cli.output import load_with_advice, print_json
    from outsim.questions.describe import describe as described

    if markdown and json:
        raise typer.BadParameter("--markdown and --json: give one or the other")
    told = described(*(load_with_advice(path) for path in scenarios))
    if json:
        print_json(told.to_json())
    elif markdown:
        print(told.to_markdown(), end="")
    else:
        _print(told)


def _print(told: Description) -> None:
    from outsim.cli.output import say
    from outsim.questions.describe import SOURCE

    say(" against ".join(scenario.name for scenario in told.scenarios))
    say(f"by STRESS-DES: {SOURCE}")
    section = ""
    for item in told:
        if item.section != section:
            section = item.section
            say()
            say(f"{item.number[0]} {section.upper()}")
        _print_item(item)
    say()
    gaps = told.gaps
    numbers = ", ".join(item.number for item in gaps)
    say(f"{len(gaps)} items have gaps: {numbers}." if gaps else "No item has a gap.")


def _print_item(item: Item) -> None:
    from outsim.cli.output import say

    say()
    say(f"{item.number} {item.title}")
    for text in item.paragraphs:
        say(text)
    if item.diagram:
        say()
        say(item.diagram)
    if item.table is not None:
        say(f"{item.table.columns[0]}: {'; '.join(item.table.columns[1:])}")
        for row in item.table.rows:
            say(f"- {row[0]}: {'; '.join(row[1:])}")
    for gap in item.gaps:
        say(f"GAP: {gap}")
