"""A sandbox as a process of its own: it says that it is ready, and ends when it is told to."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from outsim.live.http.context import Context
from outsim.live.http.server import serving
from outsim.live.log import torn_note
from outsim.live.page.front import Front
from outsim.live.page.session import Page
from outsim.live.saving import check_room
from outsim.scenario.model import Scenario

if TYPE_CHECKING:
    from outsim.results.result import Result


def run(
    scenario: Scenario,
    other: Scenario | None = None,
    *,
    scenario_file: Path | None = None,
    other_file: Path | None = None,
    made: Result | None = None,
    first_picture: Future[bytes] | None = None,
    save: Path | None = None,
    note: Callable[[str], None],
    **options: Any,
) -> None:
    """Serve a scenario until the process is told to end; the ready line goes to standard output.

    Parameters
    ----------
    scenario : Scenario
        What is served.
    other : Scenario, optional
        What its page compares it with.
    scenario_file, other_file : Path, optional
        Where they were read from.
    made : Result, optional
        A run of the scenario that is there already.
    first_picture : Future, optional
        What is drawn of a run of the scenario, if that was begun.
    save : Path, optional
        Where the session is written to at the end, as a scenario.
    note : callable
        Says something beside the answer.
    options
        Those of `outsim.live.http.server.serving`.
    """
    state = options.get("state")
    # A session that is kept is the same one after a restart.
    name = token_hex() if state is None else sha256(f"{state.resolve()}".encode()).hexdigest()
    about = partial(
        Page,
        name=name,
        other=other,
        scenario_file=scenario_file,
        other_file=other_file,
        made=made,
        first_picture=first_picture,
    )
    if save is not None:
        check_room(save)  # before a session is begun
    asyncio.run(_run(scenario, about, save, note, options))


async def _run(
    scenario: Scenario,
    about: Callable[[Context], Page],
    save: Path | None,
    note: Callable[[str], None],
    options: dict[str, Any],
) -> None:
    front = Front()
    async with serving(scenario, front=front, **options) as (served, running):
        sandbox = served.sandbox
        if save is not None:
            sandbox.check_save(save)
        if not (sandbox.is_resumed or options["held"] or options["speed"]):
            await sandbox.clock.free()
        if sandbox.log.torn and sandbox.log.path is not None:
            note(torn_note(sandbox.log.path))
        loop = asyncio.get_running_loop()
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(kind, served.stop)
        home = f"{served.url}/"
        print(json.dumps({**served.ready_line(), "page": home}), flush=True)  # noqa: T201
        note(f"open {home} to see it move, {home}docs for the interface; Ctrl-C ends the sandbox")
        page = about(served.context)
        sparing = asyncio.create_task(_spare_collections(page))
        async with front.opened(page):
            await running
        sparing.cancel()
        if save is not None:
            left_out = sandbox.save(save).words
            note(f"session written to {save}" + (f"; not in it: {left_out}" if left_out else ""))


GONE_AT_ONCE = 20
"""Browsers that have closed a room: what is left of so many, some 2 MB, is worth a collection."""


async def _spare_collections(page: Page) -> None:
    """Keep what is there out of collections: looking through a million objects stops the loop."""
    known = 0
    while True:
        if page.left - known >= GONE_AT_ONCE:
            known = page.left
            gc.unfreeze()
            gc.collect()
        gc.freeze()
        await asyncio.sleep(1)
