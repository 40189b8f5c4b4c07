"""`outsim schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="That of a snapshot of a live queue (JSON) instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check them."""
    from outsim.cli.output import print_json
    from outsim.scenario.schema import json_schema
    from outsim.scenario.snapshot import json_schema as snapshot_schema

    print_json(snapshot_schema() if snapshot else json_schema())
