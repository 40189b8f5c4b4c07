"""`outsim diff`: how two scenarios differ in meaning."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Json, Shown


def diff(
    left: Annotated[str, typer.Argument(metavar="A", help="Scenario file.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Scenario file.")],
    json: Json = False,
) -> None:
    """Say how two scenarios differ, inheritance and defaults resolved; exit 1 if they do."""
    from outsim.cli.output import present
    from outsim.questions.diff import diff as ask
    from outsim.scenario import load

    present(ask(load(left), load(right), names=(left, right)).run(), Shown(json=json))
