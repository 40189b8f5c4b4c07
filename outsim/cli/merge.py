"""`outsim merge`: parts of a study, joined into one directory."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Json, Shown, named


def merge(
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="Directory to join them in.", callback=named)
    ],
    parts: Annotated[
        list[str], typer.Argument(metavar="PART ...", help="Directories of studies.")
    ],
    json: Json = False,
) -> None:
    """Join parts of a study, each with --directory and --replications A:B, into a directory."""
    from outsim.cli.output import present
    from outsim.questions.merge import merge as ask

    present(ask(out, parts).run(), Shown(json=json))
