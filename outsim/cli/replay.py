"""`outsim replay`: a session of the sandbox in batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outsim.cli.options import EngineName, Shown, named, with_options


@with_options
def replay(
    *,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What outsim serve --state wrote.")
    ],
    engine: EngineName = "auto",
    verify: Annotated[bool, typer.Option(help="Check every invariant of the result.")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Directory to write the tables to (Parquet).", callback=named
        ),
    ] = None,
    shown: Shown,
) -> None:
    """Run a session of the sandbox again, from its scenario, seed and input log.

    Its records are those of the session, bit for bit.
    """
    from outsim.cli.output import note, present, verify_invariants
    from outsim.disk import translate_disk_errors
    from outsim.errors import OutsimError
    from outsim.live.replay import answer_of
    from outsim.live.replay import replay as run_again

    result = run_again(directory, engine=engine)
    if verify:
        verify_invariants(result)
    if out is not None:
        place = Path(out)
        with translate_disk_errors(place, OutsimError, "name a directory that can be written"):
            place.mkdir(parents=True, exist_ok=True)
            for name, table in result.tables.items():
                table.to_parquet(place / f"{name}.parquet", index=False)
        note(f"tables written to {place}")
    present(answer_of(result) if shown.plot is None else result, shown)
