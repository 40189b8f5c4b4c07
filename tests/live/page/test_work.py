"""Who does the work that would hold up the loop."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from outsim.live.page.work import Work


@pytest.fixture(scope="module")
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.close()


@contextmanager
def closed(gate: Path) -> Iterator[None]:
    """Jobs that want to pass wait until the block ends."""
    with gate.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def pass_by(gate: Path) -> tuple[Callable[[str], None], str]:
    """A job that waits until a gate is open; a process knows none of what is in a test."""
    return exec, f"import fcntl; fcntl.flock(open({str(gate)!r}), fcntl.LOCK_SH)"


def test_runs_of_the_newest_study_go_first(work, tmp_path):
    gate, ended = tmp_path / "gate", []
    older, newer = work.executor, work.executor
    with closed(gate):
        jobs = [older.submit(*pass_by(gate)) for _ in range(30)]
        jobs += [newer.submit(*pass_by(gate))]
        for job in jobs:
            job.add_done_callback(ended.append)
    wait(jobs)
    # Some of the older study were under way.
    assert ended.index(jobs[-1]) < 15


def test_a_run_that_is_given_up_is_not_begun(work, tmp_path):
    gate, study = tmp_path / "gate", work.executor
    with closed(gate):
        jobs = [study.submit(*pass_by(gate)) for _ in range(30)]
        assert all(map(Future.cancel, jobs[10:]))
    assert [job.result() for job in jobs[:10]] == [None] * 10
    assert all(map(Future.cancelled, jobs[10:]))
    assert work.executor.submit(divmod, 7, 2).result() == (3, 1)


def test_an_error_of_a_run_is_told_and_a_lost_process_replaced(work):
    assert isinstance(work.executor.submit(divmod, 1, 0).exception(), ZeroDivisionError)
    assert work.executor.submit(os._exit, 1).exception() is not None
    assert work.executor.submit(divmod, 7, 2).result() == (3, 1)


def test_work_in_a_thread_gives_its_value(work):
    async def both() -> int:
        return await work.run(sum, [1, 2])

    assert asyncio.run(both()) == 3


def test_whoever_waits_when_it_is_closed_waits_no_more():
    async def close() -> tuple[asyncio.Task[None], asyncio.Task[int], list[str]]:
        work, told = Work(), []
        begun = work.begin(told.append, asyncio.Event().wait)
        await asyncio.sleep(0)
        work.close()
        late = asyncio.ensure_future(work.run(sum, [1, 2]))
        await asyncio.wait([begun, late])
        return begun, late, told

    begun, late, told = asyncio.run(close())
    assert begun.cancelled()
    assert late.cancelled()
    assert told == []
