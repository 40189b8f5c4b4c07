"""Studies on the workers of a real Dask scheduler, started with Dask's own commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outsim.errors import StudyError
from outsim.studies import executors
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult

from .kept import PAIR, SEED, Here, assert_same_content

distributed = pytest.importorskip("distributed")

WITHOUT_OUTSIM = "raise ModuleNotFoundError(\"No module named 'outsim'\", name='outsim')\n"


@contextmanager
def dask(directory: Path, says: str, *arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """A command of Dask's that is up, and what it said when it was."""
    command = [sys.executable, "-m", "dask", *arguments]
    paths = [str(directory), *filter(None, sys.path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=directory, env=environment
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(says, line):
                    yield process, found[1]
                    break
            else:
                pytest.fail(f"{' '.join(arguments)} ended")
        finally:
            process.kill()


def scheduler(directory: Path) -> Any:
    """A scheduler at a free port of this machine, and its address."""
    arguments = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    return dask(directory, r"Scheduler at:\s*tcp://(\S+)", "scheduler", *arguments)


def worker(directory: Path, address: str) -> Any:
    """A worker of such a scheduler, in one process."""
    directory.mkdir(exist_ok=True)
    arguments = ("--no-nanny", "--nthreads", "1", "--no-dashboard")
    return dask(directory, r"(Registered) to:", "worker", f"tcp://{address}", *arguments)


def found(executor: Any, **options: Any) -> StudyResult:
    """What a study of ten replications finds."""
    options = {"progress": None, "engine": "simpy", "replications": 10} | options
    return run_of(PAIR, seed=SEED, executor=executor, **options).run()


def test_a_worker_that_is_killed_in_the_middle_changes_no_bit(tmp_path):
    """Two processes work for a real scheduler; one of them dies with most runs to come."""
    with (
        scheduler(tmp_path) as (_, address),
        worker(tmp_path / "one", address) as (doomed, _),
        worker(tmp_path / "two", address),
    ):
        left_when_killed = []

        def told(done: int, total: int) -> None:
            if done >= 4 and not left_when_killed:
                left_when_killed.append(total - done)
                doomed.kill()

        there = found(
            f"dask://{address}", progress=told, directory=tmp_path / "there", keep_tables=True
        )
    assert doomed.wait() != 0
    assert left_when_killed[0] > 0
    here = found(Here(), directory=tmp_path / "here", keep_tables=True)
    for other in (here, found("threads"), found("processes")):
        assert other.to_dict() == there.to_dict()
        assert other.to_dataframe().equals(there.to_dataframe())
    assert_same_content(tmp_path / "there", tmp_path / "here")


def test_an_address_where_nobody_answers_is_named(monkeypatch):
    monkeypatch.setattr(executors, "ANSWERS_WITHIN", "1s")
    with pytest.raises(StudyError, match=r"dask://127\.0\.0\.1:9.*no scheduler answers there"):
        found("dask://127.0.0.1:9")


def test_a_scheduler_without_workers_or_whose_workers_lack_outsim_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "ANSWERS_WITHIN", "2s")
    with scheduler(tmp_path) as (process, address):
        with pytest.raises(StudyError, match=f"no worker.*{address}"):
            found(f"dask://{address}")
        (tmp_path / "bare" / "outsim").mkdir(parents=True)
        (tmp_path / "bare" / "outsim" / "__init__.py").write_text(WITHOUT_OUTSIM)
        with (
            worker(tmp_path / "bare", address),
            pytest.raises(StudyError, match="No module named 'outsim'"),
        ):
            found(f"dask://{address}")
        with worker(tmp_path / "good", address):

            def told(_done: int, _total: int) -> None:
                process.kill()

            with pytest.raises(StudyError, match="is the scheduler gone"):
                found(f"dask://{address}", progress=told, replications=500)


def test_work_for_another_model_is_refused(monkeypatch):
    """As from a worker that joins later, with an older outsim."""
    from outsim.studies import runs

    monkeypatch.setattr(runs, "MODEL_VERSION", runs.MODEL_VERSION + 1)
    with pytest.raises(StudyError, match="install the same outsim everywhere"):
        found(Here())
