"""`outsim schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check them."""
    from outsim.cli.output import print_json
    from outsim.scenario.schema import json_schema

    print_json(json_schema())
