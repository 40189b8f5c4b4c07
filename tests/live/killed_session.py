"""A session in a process of its own, to be killed: carries out the orders that a pipe brings.

Once an order is durable its number is sent back. What was carried out
before a kill is known from the log and done again without harm: names are given and times are
absolute.
"""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from outsim.errors import SandboxError
from outsim.live import Fault, Post, Reply, Sandbox, Submit
from outsim.scenario import load


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


async def session(scenario: Path, state: Path, orders: Connection) -> None:
    """Carry out one order after the other, until there are no more."""
    async with Sandbox(load(scenario), state=state, poster=answer) as sandbox:
        orders.send("ready")
        while True:
            try:
                order = orders.recv()
            except EOFError:
                return
            await carry_out(sandbox, order)
            orders.send(order["number"])


if __name__ == "__main__":
    # Whoever runs this gives a scenario, the directory of the session, and a pipe of orders.
    asyncio.run(session(*globals()["GIVEN"]))
