"""A session in a process of its own, to be killed: carries out the orders on its input.

Each line is an order as JSON; once it is durable its number is written. What was carried out
before a kill is known from the log and done again without harm: names are given and times are
absolute.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from outsim.errors import SandboxError
from outsim.live import Fault, Post, Reply, Sandbox, Submit
from outsim.scenario import load


def say(word: object) -> None:
    """Write a line that is read at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def answer(post: Post) -> Reply:
    """A handler whose answers depend on the call alone."""
    await asyncio.sleep(0)
    is_error = (post.call.call_id + post.number) % 5 == 0
    return Reply("server_error", 500, 0.1) if is_error else Reply("accepted", 200, 0.2)


async def carry_out(sandbox: Sandbox, order: dict[str, Any]) -> None:
    """Do what is ordered, unless it was done already."""
    try:
        if "submit" in order:
            await sandbox.submit(Submit(**order["submit"]))
        elif "advance_to" in order:
            await sandbox.clock.advance_to(max(sandbox.clock.now, order["advance_to"]))
        elif "stop" in order:
            await sandbox.stop(*order["stop"])
        elif not any(entry.kind == "fault" for entry in sandbox.log):
            await sandbox.order_fault(Fault(**order["fault"]))
    except SandboxError as error:
        if error.reason != "conflict":
            raise


async def session(scenario: Path, state: Path) -> None:
    """Carry out what stands on the input, line by line."""
    async with Sandbox(load(scenario), state=state, poster=answer) as sandbox:
        say("ready")
        for line in sys.stdin:
            order = json.loads(line)
            await carry_out(sandbox, order)
            say(order["number"])


if __name__ == "__main__":
    asyncio.run(session(Path(sys.argv[1]), Path(sys.argv[2])))
