"""`outsim merge`: parts of a study, joined into one directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from outsim.cli.options import Json, named


def merge(
    out: Annotated[
        str,
        typer.Argument(metavar="OUT", help="Directory to join them in.", callback=named),
    ],
    parts: Annotated[
        list[str], typer.Argument(metavar="PART ...", help="Directories of studies.")
    ],
    json: Json = False,
) -> None:
    """Join parts of one study, each made with --out and --replications A:B, into a directory."""
    from outsim.cli.output import print_json, say, show, table
    from outsim.studies.merging import merge as merge_parts
    from outsim.studies.storage import Store

    joined = merge_parts(out, parts)
    there = Store.at(out).indexes()
    if json:
        print_json(
            {
                "directory": out,
                "replications": there,
                "parts": [
                    {"directory": str(part.directory), "taken": part.taken, "there": part.there}
                    for part in joined
                ],
            }
        )
        return
    rows = [[str(part.directory), _spans(part.taken), _spans(part.there)] for part in joined]
    show(table(["part", "taken", "there already"], rows))
    say(f"{out} has {len(there)} replications: {_spans(there)}")


def _spans(indexes: Iterable[int]) -> str:
    """Replications as ``--replications`` takes them: ``0:20, 30:50``."""
    return ", ".join(f"{span.start}:{span.stop}" for span in _runs(sorted(indexes))) or "none"


def _runs(indexes: list[int]) -> Iterator[range]:
    begin = None
    for place, index in enumerate(indexes):
        begin = index if begin is None else begin
        if place + 1 == len(indexes) or indexes[place + 1] != index + 1:
            yield range(begin, index + 1)
            begin = None
