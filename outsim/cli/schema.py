"""`outsim schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from outsim.cli.options import Shown


def schema(
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="That of a snapshot of a live queue (JSON) instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check them."""
    from outsim.cli.output import present
    from outsim.questions.schema import schema as ask

    present(ask(snapshot=snapshot).run(), Shown(json=True))
