"""The stream of runs: canceled, closed or broken, it leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import replace
from pathlib import Path

import pytest

from outsim.errors import StudyError
from outsim.questions.compare import compare
from outsim.studies import executors
from outsim.studies.runs import Job, run_job, stream
from outsim.studies.synchronous import run_sync

from .scenarios import chancy


def jobs(count: int) -> list[Job]:
    scenario = chancy()
    return [Job((0,), (scenario,), seed=1, replication=k) for k in range(count)]


class Begun(Executor):
    """One thread that counts the jobs that it begins, and holds from the second one on."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self.count = 0
        self.released = threading.Event()

    def submit(self, work, /, *arguments) -> Future:  # type: ignore[override]
        return self.thread.submit(self._begin, work, *arguments)

    def _begin(self, work, *arguments):
        self.count += 1
        if self.count > 1:
            self.released.wait()
        return work(*arguments)

    def finish(self) -> None:
        """Let go of the job that is held, and wait for everything that still begins."""
        self.released.set()
        self.thread.shutdown(wait=True)


@pytest.fixture
def begun() -> Iterator[Begun]:
    """Such an executor, which is let go of whatever becomes of the test."""
    executor = Begun()
    yield executor
    executor.finish()


def children() -> set[int | None]:
    """Processes that were started by this one through multiprocessing and are alive."""
    return {child.pid for child in multiprocessing.active_children()}


async def first_of(executor: Executor | None, count: int) -> int:
    """Take one run of a stream, close it, and say which it was."""
    runs = stream(jobs(count), executor)
    (first,) = await anext(runs)
    await runs.aclose()
    return first.replication


def test_the_stream_gives_every_run_once():
    async def all_of_them() -> list[int]:
        with ThreadPoolExecutor(3) as threads:
            return [figures.replication async for (figures,) in stream(jobs(7), threads)]

    assert sorted(run_sync(all_of_them())) == list(range(7))


def test_no_jobs_make_an_empty_stream():
    async def all_of_them() -> list[int]:
        return [figures.replication async for (figures,) in stream([])]

    assert run_sync(all_of_them()) == []


def test_a_closed_stream_begins_nothing_more(begun):
    """Of twenty jobs one is over and the next has begun; the other eighteen never do."""
    assert run_sync(first_of(begun, 20)) == 0
    begun.finish()
    assert begun.count <= 2


def test_an_executor_of_the_callers_is_left_open():
    with ThreadPoolExecutor(1) as thread:
        run_sync(first_of(thread, 3))
        assert thread.submit(len, "still there").result() == 11


def test_jobs_that_were_taken_are_given_back_if_another_is_refused():
    """As an executor does that is shut down meanwhile."""
    taken: list[Future] = []

    class Closing(Executor):
        def submit(self, *_) -> Future:  # type: ignore[override]
            if len(taken) == 2:
                raise RuntimeError("cannot schedule new futures after shutdown")
            taken.append(Future())
            return taken[-1]

    with pytest.raises(RuntimeError, match="after shutdown"):
        run_sync(first_of(Closing(), 5))
    assert [future.cancelled() for future in taken] == [True, True]


def test_processes_are_gone_once_the_stream_is_closed():
    before = children()
    run_sync(first_of(None, 500))
    assert children() == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to look into it")
def test_ctrl_c_is_for_the_process_that_waits_and_not_for_those_that_work():
    """A terminal sends it to all of them: those that work hold it back from their start on."""

    async def held_back() -> list[bool]:
        before = children()
        runs = stream(jobs(500))
        await anext(runs)
        masks = [
            re.search(r"SigBlk:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())[1]
            for pid in children() - before
        ]
        await runs.aclose()
        return [bool(int(mask, 16) >> (signal.SIGINT - 1) & 1) for mask in masks]

    held = run_sync(held_back())
    assert held
    assert all(held)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.parametrize("processes", [False, True])
def test_a_cancelled_comparison_begins_nothing_more_and_leaves_no_process(processes, begun):
    """It is canceled when its first run is over, with hundreds to come."""
    before, executor = children(), None if processes else begun

    async def cancelled_in_between() -> bool:
        task: asyncio.Task | None = None

        def after_the_first_run(done: int, total: int) -> None:
            assert (done, total) == (2, 800)
            assert children() > before or not processes
            task.cancel()

        task = asyncio.ensure_future(
            compare(
                chancy("a"),
                chancy("b"),
                replications=400,
                executor=executor,
                engine="simpy",
                progress=after_the_first_run,
            )
        )
        try:
            await task
        except asyncio.CancelledError:
            return children() == before
        return False

    assert run_sync(cancelled_in_between())
    begun.finish()
    assert begun.count == 0 if processes else begun.count <= 2


def test_a_run_in_a_thread_that_nobody_wants_any_more_gives_up():
    """In the middle: its thread would else hold the program until the run is over."""
    stopped = threading.Event()
    stopped.set()
    job = Job((0,), (chancy(),), seed=1, replication=0, engine="compiled")
    with pytest.raises(CancelledError):
        run_job(job, stopped)


def test_runs_of_the_compiled_engine_share_this_process():
    async def streamed() -> list[bool]:
        runs = stream([replace(job, engine="compiled") for job in jobs(4)])
        return [children() == before async for _ in runs]

    before = children()
    assert run_sync(streamed()) == [True] * 4
    assert not any(thread.name.startswith("outsim") for thread in threading.enumerate())


def test_a_failing_progress_report_ends_the_study_and_its_processes():
    before = children()

    def broken(done: int, total: int) -> None:
        raise OSError("the terminal is gone")

    async def reported() -> bool:
        with pytest.raises(OSError, match="the terminal is gone"):
            await compare(chancy("a"), chancy("b"), replications=400, progress=broken)
        return children() == before

    assert run_sync(reported())


def test_a_process_that_dies_is_an_error_of_the_study(caplog):
    """The processes of this pool die as they start; every run is lost, and it is said once."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=os._exit, initargs=(1,)) as doomed:
        comparison = compare(chancy("a"), chancy("b"), replications=4, executor=doomed)
        with pytest.raises(StudyError, match="a process of the study died"):
            run_sync(comparison)
    gc.collect()  # asyncio tells of errors that nobody took when their futures go
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_there_are_no_more_processes_than_jobs_or_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for count, workers in ((1, 1), (3, 3), (9, 4)):
        with executors.process_pool(count) as pool:
            assert pool._max_workers == workers


# The synchronous door


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


def test_a_script_waits_for_a_coroutine():
    assert run_sync(answer()) == 42


def test_so_does_a_cell_of_a_notebook_whose_loop_is_running():
    async def cell() -> int:
        return run_sync(answer())

    assert asyncio.run(cell()) == 42


@pytest.mark.parametrize("inside", [False, True])
def test_an_error_comes_out_of_the_door_as_it_is(inside):
    async def cell() -> None:
        run_sync(compare(chancy()))

    with pytest.raises(StudyError, match="1 scenario given"):
        asyncio.run(cell()) if inside else run_sync(compare(chancy()))


WAITS_TO_BE_KILLED = """
import os
from outsim.studies.executors import process_pool

if __name__ == "__main__":
    pool = process_pool(2)
    jobs = [pool.submit(os.getpid) for _ in range(2)]
    print(jobs[0].result(), flush=True)
    input()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a handle on a foreign process")
def test_processes_do_not_outlive_the_program_that_is_killed(tmp_path):
    """A kill leaves no time to clean up: the processes have to see for themselves."""
    script = tmp_path / "waits.py"
    script.write_text(WAITS_TO_BE_KILLED)
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        handle = os.pidfd_open(int(program.stdout.readline()))
        program.kill()
    ended, _, _ = select.select([handle], [], [], 60)
    os.close(handle)
    assert ended
