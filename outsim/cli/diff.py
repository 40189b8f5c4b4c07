"""`outsim diff`: how two scenarios differ in meaning."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Json


def diff(
    left: Annotated[str, typer.Argument(metavar="A", help="Scenario file.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Scenario file.")],
    json: Json = False,
) -> None:
    """Say how two scenarios differ, inheritance and defaults resolved; exit 1 if they do."""
    from outsim.cli.output import print_json, say, show, table
    from outsim.scenario import load
    from outsim.scenario.difference import differences

    found = differences(load(left), load(right))
    if json:
        print_json([{"key": d.key, "left": d.left, "right": d.right} for d in found])
    elif found:
        show(table(["", left, right], [[d.key, str(d.left), str(d.right)] for d in found]))
    else:
        say("The scenarios mean the same.")
    raise typer.Exit(1 if found else 0)
