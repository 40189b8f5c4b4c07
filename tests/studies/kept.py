"""Studies that keep their replications in a directory, and what is in it."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pandas as pd

from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.studies.study_run import StudyRun

from .scenarios import chancy

PAIR = (chancy("a"), chancy("b", max_retry=0))
SEED = 5


class Here(Executor):
    """Does each job at once, in this thread, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def submit(self, work, /, *arguments) -> Future:  # type: ignore[override]
        self.count += 1
        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future


def study(directory: Path | None, replications: int | range, **options: Any) -> StudyRun:
    """A study of two small scenarios on the readable engine, in one thread."""
    options = {"executor": Here(), "engine": "simpy", "seed": SEED, "progress": None} | options
    scenarios = options.pop("scenarios", PAIR)
    return run_of(scenarios, replications=replications, directory=directory, **options)


def resumed(directory: Path, replications: int | range, **options: Any) -> tuple[StudyResult, int]:
    """What such a study finds, and how many replications it ran for it."""
    here = Here()
    return study(directory, replications, executor=here, **options).run(), here.count


def finished(directory: Path) -> set[int]:
    """Replications that stand in a directory."""
    return {int(place.name) for place in (directory / "replications").glob("*")}


def files(directory: Path) -> list[str]:
    """Everything that is in a directory, by its path in it."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def content(directory: Path) -> dict[str, bytes]:
    """Everything that is in the files of a directory."""
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def assert_same_content(left: Path, right: Path) -> None:
    """Both hold the same files, and these the same bytes or, read back, the same tables."""
    ours, theirs = content(left), content(right)
    assert sorted(ours) == sorted(theirs)
    for name in ours:
        if ours[name] != theirs[name]:
            assert name.endswith(".parquet"), name
            tables = [pd.read_parquet(directory / name) for directory in (left, right)]
            pd.testing.assert_frame_equal(*tables, check_exact=True, obj=name)
