"""Who does the work of a study: threads, processes, or any executor of the caller's."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from outsim.engine import Engine
from outsim.engine.records import MODEL_VERSION
from outsim.errors import StudyError, unknown_name

KINDS = ("threads", "processes", "cores", "dask://HOST:PORT")
"""What an executor can be named as; "cores" is a thread here and a process for each other core."""

MAX_PREFETCH = 256
"""Jobs that another one's executor is given before the first of them is done."""


def workers(jobs: int) -> int:
    """How many of so many jobs this machine does at once."""
    return max(1, min(jobs, os.cpu_count() or 1))


@dataclass(frozen=True)
class Workers:
    """An executor, and how to use it."""

    executor: Executor
    prefetch: int
    """Jobs that it is given before the first of them is done."""
    shares_memory: bool = False
    """Whether it works in this process, so that a job can be told to give up."""
    lost_worker_errors: tuple[type[Exception], ...] = (BrokenExecutor,)
    """What it raises if those that work die."""


@contextmanager
def open_executor(executor: Executor | str | None, jobs: int, engine: Engine) -> Iterator[Workers]:
    """Somebody to do so many jobs: the caller's executor, or one of `KINDS` until the end."""
    if executor is None:
        executor = "threads" if engine == "compiled" else "processes"
    if isinstance(executor, Executor):
        yield Workers(executor, MAX_PREFETCH)
    elif executor == "threads":
        threads = ThreadPoolExecutor(workers(jobs), "outsim")
        try:
            yield Workers(threads, 4 * workers(jobs), shares_memory=True)
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
    elif executor == "processes":
        pool = process_pool(jobs)
        try:
            yield Workers(pool, 4 * workers(jobs))
        finally:
            end_pool(pool)
    elif executor == "cores":
        both = _Cores(workers(jobs))
        try:
            yield Workers(both, 4 * workers(jobs), shares_memory=True)
        finally:
            both.end()
    elif executor.startswith("dask://"):
        with _dask(executor) as there:
            yield there
    else:
        raise StudyError(unknown_name("executor", executor, KINDS))


class _Cores(Executor):
    """One thread of this process, at work while a process for each other core starts."""

    def __init__(self, count: int) -> None:
        self.threads = ThreadPoolExecutor(count, "outsim")
        self.processes = process_pool(max(1, count - 1))
        self._here = threading.Lock()

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Have it done here, or in a process if this one is busy."""
        return self.threads.submit(self._do, work, *arguments, **named)

    def _do(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if self._here.acquire(blocking=False):
            try:
                return work(*arguments, **named)
            finally:
                self._here.release()
        # What tells a job to give up is of this process; the others are ended instead.
        plain = work.func if isinstance(work, partial) else work
        return self.processes.submit(plain, *arguments, **named).result()

    def end(self) -> None:
        """End all work, in the middle of a run if there is one."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        end_pool(self.processes)
        self.threads.shutdown(wait=True)


SMALL_CALLS, WORTH_CALLS = 400_000, 4_000_000
"""Calls of a run up to which threads wait for each other; of a study that is worth processes."""


def usual_executor(engine: Engine, runs: int, calls: int) -> str:
    """Who does so many runs of so many calls each, if nobody says."""
    if engine != "compiled":
        return "processes"
    worth = calls <= SMALL_CALLS and runs * calls >= WORTH_CALLS and workers(runs) > 1
    return "cores" if worth and _may_start_processes() else "threads"


def _may_start_processes() -> bool:
    """Whether a process that is started does not run the user's program again."""
    # A script without a guard runs again, and nobody can tell; these two are safe.
    main = sys.modules["__main__"]
    name = getattr(main, "__file__", None)
    return name is None or Path(name).stem == "outsim" or Path(name).parent.name == "outsim"


@contextmanager
def _dask(address: str) -> Iterator[Workers]:
    """Dask's own executor, on the workers of a scheduler that runs at this address."""
    try:
        import distributed
    except ImportError:
        raise StudyError(
            f"executor {address!r} needs Dask: install it with pip install 'outsim[dask]'"
        ) from None
    dask = cast(Any, distributed)
    try:
        client = dask.Client(
            address.replace("dask://", "tcp://", 1), timeout=ANSWERS_WITHIN, asynchronous=False
        )
    except (OSError, ValueError) as error:
        raise StudyError(
            f"executor {address!r}: no scheduler answers there ({error}); start one with "
            "dask scheduler, and give its address"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=ANSWERS_WITHIN)
        except dask.TimeoutError:
            raise StudyError(
                f"executor {address!r}: the scheduler there has no worker; start some with "
                f"dask worker {address.removeprefix('dask://')}"
            ) from None
        _check_workers(client, address)
        there = client.get_executor(pure=False)
        yield Workers(there, MAX_PREFETCH, lost_worker_errors=(dask.KilledWorker,))


ANSWERS_WITHIN = "10s"
"""Time that a scheduler has to answer, and to find a worker."""


def _check_workers(client: Any, address: str) -> None:
    """Refuse workers that have no outsim, or another model than ours, before they get work."""
    versions = client.run(_model_version, on_error="return")
    for worker, version in versions.items():
        if version != MODEL_VERSION:
            what = version if isinstance(version, Exception) else f"model version {version}"
            raise StudyError(
                f"executor {address!r}: worker {worker} can't do this work ({what}); install "
                f"there what is here, an outsim of model version {MODEL_VERSION}, and restart it"
            )


def _model_version() -> int:
    return MODEL_VERSION


def process_pool(jobs: int, *, niceness: int = 0) -> ProcessPoolExecutor:
    """Processes for this many jobs, at most one a core; nice ones let others go first."""
    # A fork of a notebook, or of a program with threads, may never wake up.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        workers(jobs), mp_context=context, initializer=_begin, initargs=(niceness,)
    )


def _begin(niceness: int) -> None:
    """Have this process end when the one that waits for it is gone, however that was killed."""
    if niceness:
        os.nice(niceness)
    # An interruption of the terminal reaches all of them; whoever waits ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    # It waits for work on a pipe that it holds open itself, and would wait for ever.
    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_pool(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool, in the middle of a run if they are in one."""
    # Python 3.14 has this as terminate_workers(), but for the wait until they are gone.
    manager, processes = pool._executor_manager_thread, list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    if manager is not None:
        manager.join()  # type: ignore[attr-defined]
