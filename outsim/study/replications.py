"""Runs of several scenarios and replications, side by side, as an asynchronous stream.

The work goes to any `concurrent.futures.Executor`; what comes back is small:
the figures of each run, not its tables. A run depends on nothing but its
scenario, seed and replication, so neither the executor nor the order in which
runs finish can change a figure.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.scenario.model import Scenario

MOST_AHEAD = 256
"""Jobs that another one's executor is given before the first of them is done."""


@dataclass(frozen=True)
class Job:
    """One run that is to be made."""

    place: int
    """Which of the scenarios it is."""
    scenario: Scenario
    seed: int
    replication: int
    engine: Engine = "auto"


@dataclass(frozen=True)
class Figures:
    """What a study keeps of one run."""

    place: int
    replication: int
    measures: dict[str, float]
    attempts: int
    background_share: float


def run_job(job: Job, stopped: threading.Event | None = None) -> Figures:
    """Make one run and measure it; give up if it is no longer wanted.

    Raises
    ------
    concurrent.futures.CancelledError
        If `stopped` was set meanwhile.
    """
    from outsim.result import simulate

    def progress(_done_us: int, _ends_us: int) -> None:
        if stopped is not None and stopped.is_set():
            raise CancelledError

    progress(0, 0)
    result = simulate(
        job.scenario,
        seed=job.seed,
        replication=job.replication,
        engine=job.engine,
        progress=progress,
    )
    return Figures(
        place=job.place,
        replication=job.replication,
        measures=result.measures(),
        attempts=result.frames.records.attempts.rows,
        background_share=result.background_share,
    )


def _workers(jobs: int) -> int:
    return max(1, min(jobs, os.cpu_count() or 1))


def process_pool(jobs: int) -> ProcessPoolExecutor:
    """Processes for this many jobs, at most one a core.

    Processes are spawned, not forked: a fork of a notebook or of a program with
    threads may never wake up.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(_workers(jobs), mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Have this process end when the one that waits for it is gone, however that was killed.

    A process of a pool waits for work on a pipe that it holds open itself: it would wait for
    ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C, which processes that are started meanwhile then never see.

    A terminal sends it to all of them; it is for the one that waits for them to end them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool, in the middle of a run if they are in one."""
    # Python 3.14 has this as terminate_workers(), but for the wait until they are gone.
    manager, processes = pool._executor_manager_thread, list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    if manager is not None:
        manager.join()  # type: ignore[attr-defined]


async def stream(
    jobs: Iterable[Job], executor: Executor | None = None
) -> AsyncGenerator[Figures, None]:
    """Figures of each job, as they come.

    Without an executor, this machine does the work: in threads where every job
    is for the compiled engine, which lets them run side by side, else in
    processes. When the stream is closed or cancelled, what has not begun never
    begins, and what has begun ends within a second.

    Raises
    ------
    StudyError
        If a process died, for example for lack of memory.
    """
    waiting = list(jobs)
    stopped = threading.Event()
    work: Callable[[Job], Figures] = run_job
    pool: Executor
    threads: ThreadPoolExecutor | None = None
    # Each job that is handed over must be taken back at the end, against others that still run.
    ahead = 4 * _workers(len(waiting))
    if executor is not None:
        pool, ahead = executor, MOST_AHEAD
    elif all(job.engine == "compiled" for job in waiting):
        pool = threads = ThreadPoolExecutor(_workers(len(waiting)), "outsim")
        work = partial(run_job, stopped=stopped)
    else:
        pool = process_pool(len(waiting))
    futures: list[Future[Figures]] = []
    results: set[asyncio.Future[Figures]] = set()
    coming = iter(waiting)
    try:
        while True:
            with _interrupts_held():
                for job in islice(coming, ahead - len(results)):
                    futures.append(pool.submit(work, job))
                    results.add(asyncio.wrap_future(futures[-1]))
            if not results:
                return
            done, _ = await asyncio.wait(results, return_when=asyncio.FIRST_COMPLETED)
            for result in done:
                figures = await result
                results.remove(result)
                yield figures
    except BrokenExecutor as error:
        if results:
            await asyncio.wait(results)  # the executor is about to fail each of them
        raise StudyError(
            "a process of the study died; was it killed, or short of memory? Try again with "
            "fewer at once. In a script, a study must be under: if __name__ == '__main__'"
        ) from error
    finally:
        # First of all: threads that go on with their work keep this one from its own.
        stopped.set()
        # Errors of those that failed are looked at: one of them has been told, which will do.
        for future in futures:
            future.cancel()
        for result in results:
            if not result.cancel() and not result.cancelled():
                result.exception()
        if threads is not None:
            threads.shutdown(wait=True)
        elif isinstance(pool, ProcessPoolExecutor) and executor is None:
            _end(pool)
