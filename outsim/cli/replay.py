"""`outsim replay`: a session of the sandbox in batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outsim.cli.options import EngineName, OutDirectory, Shown, with_options


@with_options
def replay(
    *,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What outsim serve --state wrote.")
    ],
    engine: EngineName = "auto",
    verify: Annotated[bool, typer.Option(help="Check every invariant of the result.")] = False,
    out: OutDirectory = None,
    shown: Shown,
) -> None:
    """Run a session of the sandbox again, from its scenario, seed and input log.

    Its records are those of the session, bit for bit.
    """
    from outsim.cli.output import check_out, note, present, verify_invariants, write_out
    from outsim.live.replay import answer_of
    from outsim.live.replay import replay as run_again

    check_out(out)
    result = run_again(directory, engine=engine, note=note)
    if verify:
        verify_invariants(result)
    write_out(result, out)
    present(answer_of(result) if shown.plot is None else result, shown)
