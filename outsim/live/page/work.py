"""Work that would hold up the loop: it is done elsewhere, and given up when nobody wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from outsim.studies.executors import workers

Given = ParamSpec("Given")
Found = TypeVar("Found")


class Work:
    """Threads for what takes long, and an executor for the runs of studies; the rooms share both.

    A study is asked with ``executor=work.executor``; canceling the task that awaits it ends it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, "outsim-page")
        self.executor: Executor = ThreadPoolExecutor(workers(4), "outsim-study")

    async def run(
        self, work: Callable[Given, Found], /, *given: Given.args, **named: Given.kwargs
    ) -> Found:
        """Have something done in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*given, **named))

    def close(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        for executor in (self._threads, self.executor):
            executor.shutdown(wait=True, cancel_futures=True)
