"""A mutation run: inputs of one kind, by number, each in a process of its own with bounds.

    python tests/mutation scenario --seed 1 --inputs 0:500

prints one JSON document: how many inputs became what, and every fault with the number that
makes it again. With one input, ``--inputs 17:18 --keep DIRECTORY``, what was given to outsim
stays in that directory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.mutation.bounded import bounded
from tests.mutation.kinds import KINDS, Workspace


def mutation_run(
    kind: str, seed: int, inputs: range, directory: Path, *, shown: bool = False
) -> dict[str, Any]:
    """Give some inputs of a kind to outsim, and count what became of them."""
    workspace = Workspace.made(directory)
    act = KINDS[kind]
    _warm_up(act, workspace)
    became: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    for number in inputs:
        shutil.rmtree(workspace.room)
        workspace.room.mkdir()
        os.chdir(workspace.room)
        answer = bounded(lambda n=number: act(Random(f"{kind} {seed} {n}"), workspace))
        if "fault" in answer:
            faults.append({"input": number, **answer})
            became[answer["fault"]] += 1
        else:
            became[answer["became"]] += 1
            faults += [{"input": number, "fault": x} for x in answer["problems"]]
        if shown:
            sys.stderr.write(f"{number} {json.dumps(answer)}\n")
    return {"kind": kind, "seed": seed, "inputs": len(inputs), "became": became, "faults": faults}


def _warm_up(act: Any, workspace: Workspace) -> None:
    """Import and compile what the act needs once, and not in every child."""
    import outsim

    assert workspace.trace
    if act is KINDS["option"]:
        outsim.simulate(outsim.load(workspace.given / "small.toml"), engine="compiled")
    os.chdir(workspace.room)
    # What an input does to outsim is counted in a child; here it only has modules imported.
    with contextlib.suppress(BaseException):
        act(Random(0), workspace)


def main() -> None:
    """Make a mutation run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", default="0:100", metavar="FROM:TO")
    parser.add_argument("--keep", type=Path, help="leave the last input in this directory")
    parser.add_argument("--show", action="store_true", help="say what became of each input")
    given = parser.parse_args()
    first, last = (int(x) for x in given.inputs.split(":"))
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as room:
        directory = Path(room) if given.keep is None else given.keep.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        found = mutation_run(
            given.kind, given.seed, range(first, last), directory, shown=given.show
        )
        os.chdir("/")
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
