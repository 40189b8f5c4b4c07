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
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from dataclasses import dataclass

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.scenario.model import Scenario


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


def run_job(job: Job) -> Figures:
    """Make one run and measure it."""
    from outsim.result import simulate

    result = simulate(job.scenario, seed=job.seed, replication=job.replication, engine=job.engine)
    return Figures(
        place=job.place,
        replication=job.replication,
        measures=result.measures(),
        attempts=len(result.attempts),
        background_share=result.background_share,
    )


def process_pool(jobs: int) -> ProcessPoolExecutor:
    """Processes for this many jobs, at most one a core.

    Processes are spawned, not forked: a fork of a notebook or of a program with
    threads may never wake up.
    """
    workers = max(1, min(jobs, os.cpu_count() or 1))
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


async def stream(jobs: Iterable[Job], executor: Executor | None = None) -> AsyncIterator[Figures]:
    """Figures of each job, as they come.

    Without an executor, processes of this machine do the work and are gone at
    the end. When the stream is closed or cancelled, what has not begun never
    begins.

    Raises
    ------
    StudyError
        If a process died, for example for lack of memory.
    """
    waiting = list(jobs)
    pool = executor or process_pool(len(waiting))
    futures = [pool.submit(run_job, job) for job in waiting]
    try:
        for done in asyncio.as_completed([asyncio.wrap_future(future) for future in futures]):
            yield await done
    except BrokenExecutor as error:
        raise StudyError(
            "a process of the study died; was it killed, or short of memory? "
            "Try again with fewer at once"
        ) from error
    finally:
        for future in futures:
            future.cancel()
        if executor is None:
            pool.shutdown(wait=False, cancel_futures=True)
