"""Work that would hold up the loop: it is done elsewhere, and given up when nobody wants it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from outsim.errors import OutsimError
from outsim.scenario.model import Scenario
from outsim.studies.executors import end_pool, process_pool, workers

Given = ParamSpec("Given")
Found = TypeVar("Found")

MOST_PROCESSES = 4
NICENESS = 3
"""Of the processes: the browser draws on the same machine, and what moves is to move smoothly."""
AHEAD = 1
"""Jobs that the processes are given beside those that they are at, so that none waits."""


class Work:
    """Threads for what takes long, and processes for the runs of studies; the rooms share both.

    A question is asked with ``executor=work.executor``; canceling the task that awaits it ends
    it. Runs are made in processes: threads with the compiled engine take longer over them, and
    let the loop wait up to three times as long.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, "outsim-page")
        self._runs = _Runs()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def executor(self) -> Executor:
        """Whoever makes the runs of a study; those of the newest study go first."""
        return self._runs.of_a_study()

    async def run(
        self, work: Callable[Given, Found], /, *given: Given.args, **named: Given.kwargs
    ) -> Found:
        """Have something done in a thread; once this is closed, nobody waits for it any more."""
        if self._is_closed:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*given, **named))

    def begin(
        self,
        refuse: Callable[[str], None],
        work: Callable[Given, Coroutine[Any, Any, None]],
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> asyncio.Task[None]:
        """Have something done in the loop meanwhile; why it can't be done is told."""

        async def done() -> None:
            try:
                await work(*given, **named)
            except OutsimError as error:
                refuse(str(error))
            except Exception as error:
                refuse(f"This failed, and the sandbox's process says where: {error!r}")
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "work of the page failed", "exception": error}
                )

        task = asyncio.create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def warm_up(self, scenario: Scenario) -> None:
        """Have the processes make a run once, so that the first study does not wait for them."""
        self._runs.warm_up(scenario)

    def close(self) -> None:
        """Begin nothing more, and end what is under way."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        self._runs.close()
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Runs:
    """Processes that make one run after the other, those of the newest study first."""

    def __init__(self) -> None:
        self._count = workers(MOST_PROCESSES)
        self._pool = process_pool(self._count, niceness=NICENESS)
        self._is_warm = False
        self._lock = threading.RLock()
        self._studies: list[deque[tuple[Future[Any], Callable[[], Any]]]] = []
        self._under_way = 0
        self._is_closed = False

    def of_a_study(self) -> Executor:
        return _OneStudy(self)

    def warm_up(self, scenario: Scenario) -> None:
        if not (self._is_warm or self._is_closed):
            self._is_warm = True
            for _ in range(self._count):
                self._pool.submit(_warm_up, scenario)

    def add(self, waiting: deque[tuple[Future[Any], Callable[[], Any]]]) -> None:
        """Have the jobs of a study done."""
        with self._lock:
            if not any(waiting is study for study in self._studies):
                self._studies.append(waiting)
            self._begin()

    def _begin(self) -> None:
        while self._under_way < self._count + AHEAD and not self._is_closed:
            while self._studies and not self._studies[-1]:
                self._studies.pop()
            if not self._studies:
                return
            asked, job = self._studies[-1].popleft()
            if asked.set_running_or_notify_cancel():
                self._under_way += 1
                self._submit(job).add_done_callback(partial(self._end, asked))

    def _submit(self, job: Callable[[], Any]) -> Future[Any]:
        try:
            return self._pool.submit(job)
        except BrokenExecutor:
            self._pool = process_pool(self._count, niceness=NICENESS)
            return self._pool.submit(job)

    def _end(self, asked: Future[Any], done: Future[Any]) -> None:
        if done.cancelled():
            asked.set_exception(BrokenExecutor("the page was closed"))
        elif (error := done.exception()) is not None:
            asked.set_exception(error)
        else:
            asked.set_result(done.result())
        with self._lock:
            self._under_way -= 1
            self._begin()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        end_pool(self._pool)


class _OneStudy(Executor):
    """The executor of one study."""

    def __init__(self, runs: _Runs) -> None:
        self._runs = runs
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Have a run made when it is this study's turn."""
        asked: Future[Any] = Future()
        self._waiting.append((asked, partial(work, *given, **named)))
        self._runs.add(self._waiting)
        return asked


def _warm_up(scenario: Scenario) -> None:
    """Make a run, for what is imported and loaded by that."""
    from outsim.results.checkpoint import simulate

    simulate(scenario)
