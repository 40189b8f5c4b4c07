"""The one synchronous door to what is asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Value = TypeVar("Value")


def run_sync(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Wait for a coroutine of outsim, from a script or from inside a running event loop.

    Examples
    --------
    >>> import outsim
    >>> comparison = outsim.run_sync(outsim.compare(a, b))  # doctest: +SKIP
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # A running loop can't be entered twice: wait in a thread with a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
