"""The one synchronous door to what is asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

Value = TypeVar("Value")


def run_sync(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Wait for a coroutine of outsim, from a script or from inside a running event loop.

    Ctrl-C, or the interruption of a notebook's cell, cancels it.

    Parameters
    ----------
    coroutine : coroutine
        Such as `outsim.compare` gives.

    Returns
    -------
    object
        What the coroutine gives.

    Examples
    --------
    >>> import outsim
    >>> scenario = outsim.load("scenarios/stop-race.toml")
    >>> pair = outsim.compare(scenario, scenario, replications=2, executor="threads")
    >>> outsim.run_sync(pair).replications
    2
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # A running loop can't be entered twice: wait in a thread with a loop of its own.
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def begin() -> Value:
        task = asyncio.current_task()
        assert task is not None
        begun.set_result((asyncio.get_running_loop(), task))
        return await coroutine

    with ThreadPoolExecutor(1) as thread:
        waited = thread.submit(asyncio.run, begin())
        try:
            return waited.result()
        except BaseException:
            if not waited.done():
                loop, task = begun.result()
                with suppress(RuntimeError):  # it ended at this very moment
                    loop.call_soon_threadsafe(task.cancel)
            raise
