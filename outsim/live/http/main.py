"""A sandbox as a process of its own: it says that it is ready, and ends when it is told to."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outsim.live.http.server import serving
from outsim.scenario.model import Scenario


def run(
    scenario: Scenario,
    *,
    save: Path | None = None,
    note: Callable[[str], None],
    **options: Any,
) -> None:
    """Serve a scenario until the process is told to end; the ready line goes to standard output.

    Parameters
    ----------
    scenario : Scenario
        What is served.
    save : Path, optional
        Where the session is written to at the end, as a scenario.
    note : callable
        Says something beside the answer.
    options
        Those of `outsim.live.http.server.serving`.
    """
    asyncio.run(_run(scenario, save, note, options))


async def _run(
    scenario: Scenario, save: Path | None, note: Callable[[str], None], options: dict[str, Any]
) -> None:
    async with serving(scenario, **options) as (served, running):
        loop = asyncio.get_running_loop()
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(kind, served.stop)
        print(json.dumps(served.ready_line()), flush=True)  # noqa: T201
        note(f"{served.url}/docs describes the interface; Ctrl-C ends the sandbox")
        sparing = asyncio.create_task(_spare_collections())
        await running
        sparing.cancel()
        if save is not None:
            served.sandbox.save(save)
            note(f"session written to {save}")


async def _spare_collections() -> None:
    """Keep what is there out of collections: looking through a million objects stops the loop."""
    gc.set_threshold(50_000, 20, 100)
    while True:
        gc.freeze()
        await asyncio.sleep(1)
