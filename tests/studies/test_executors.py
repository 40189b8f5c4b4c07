"""Who does the work of a study, if nobody says or if somebody does."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import Executor
from types import ModuleType

import pytest

from outsim.errors import StudyError
from outsim.studies.executors import SMALL_CALLS, WORTH_CALLS, open_executor, usual_executor
from outsim.studies.study import run_of
from outsim.studies.synchronous import run_sync

from .scenarios import chancy


def test_of_all_cores_one_is_a_thread_of_this_process(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    begun, held = threading.Event(), threading.Event()

    def hold() -> int:
        begun.set()
        held.wait()
        return os.getpid()

    with open_executor("cores", 10, "compiled") as workers:
        executor: Executor = workers.executor
        here = executor.submit(hold)
        begun.wait()
        try:
            elsewhere = executor.submit(os.getpid).result()
        finally:
            held.set()
        assert here.result() == os.getpid()
        assert elsewhere != os.getpid()
    assert not any(thread.name.startswith("outsim") for thread in threading.enumerate())


def test_all_cores_give_the_figures_of_one_thread():
    def figures(executor: str) -> list[float]:
        study = run_of(chancy(), replications=6, engine="compiled", executor=executor)
        return study.run().values(0, "finish_time_s").tolist()

    assert figures("cores") == figures("threads")


def test_a_study_on_all_cores_that_is_left_leaves_nothing_behind():
    async def first() -> int:
        study = run_of(chancy(), replications=400, engine="compiled", executor="cores")
        async for replication in study:
            return replication.index
        return -1

    assert run_sync(first()) >= 0
    assert not any(thread.name.startswith("outsim") for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("file", "runs", "calls", "usual"),
    [
        (None, 64, 92_000, "cores"),
        ("/usr/bin/outsim", 64, 92_000, "cores"),
        ("/somewhere/outsim/__main__.py", 64, 92_000, "cores"),
        ("study.py", 64, 92_000, "threads"),
        (None, 2, WORTH_CALLS // 2 - 1, "threads"),
        (None, 1_000, SMALL_CALLS + 1, "threads"),
    ],
)
def test_many_small_runs_have_processes_where_they_do_not_run_the_program_again(
    file, runs, calls, usual, monkeypatch
):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    program = ModuleType("__main__")
    if file:
        program.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", program)
    assert usual_executor("compiled", runs, calls) == usual
    assert usual_executor("simpy", runs, calls) == "processes"


def test_an_executor_of_no_kind_is_refused():
    with (
        pytest.raises(StudyError, match="executor 'crowd'"),
        open_executor("crowd", 1, "simpy"),
    ):
        pass
