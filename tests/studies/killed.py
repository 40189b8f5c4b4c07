"""Studies that come to a sudden end, each in a process of its own.

It is run as a file, with ``call`` set to what is called: a function here and its arguments.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from outsim import disk
from outsim.studies import identity, storage
from outsim.studies.runs import RunMeasures
from outsim.studies.study import run_of

WRITING = {disk.__file__, identity.__file__, storage.__file__}


Made = tuple[dict[int, tuple[RunMeasures, ...]], Path]
"""Runs that were made before, by replication, and the directory that a study kept them in."""


class Given(Executor):
    """Gives out runs that were made before, which takes no time, and counts them."""

    def __init__(self, made: Made) -> None:
        self.figures, self.directory = made
        self.count = 0

    def submit(self, _work, job, /) -> Future:  # type: ignore[override]
        self.count += 1
        if job.tables is not None:
            kept = self.directory / "replications" / f"{job.replication:06d}" / "tables"
            shutil.copytree(kept, job.tables)
        future: Future[Any] = Future()
        future.set_result(self.figures[job.replication])
        return future


def run_by_step(
    directory: Path,
    options: dict[str, Any],
    made: Made,
    times: int,
    before: Callable[[int], None],
) -> None:
    """Run a study, and call what is to come before each step of the code that writes.

    A step is a line that is come to; one that is come to more than so many `times` is no step any
    more.
    """
    come_to: Counter[tuple[str, int]] = Counter()
    steps = count()

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in WRITING:
            return None
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            come_to[line] += 1
            if come_to[line] <= times:
                before(next(steps))
        return trace

    sys.settrace(trace)
    run_of(directory=directory, executor=Given(made), progress=None, **options).run()
    sys.settrace(None)


def steps_that_write(
    directory: Path, options: dict[str, Any], made: Made, times: int, pipe: Any
) -> None:
    """Tell the steps before which something else is on the disk than before the last one.

    A process that is killed leaves the disk and nothing else: whoever goes on after it can't tell
    two steps apart between which nothing was written.
    """
    states: dict[int, Any] = {}

    def before(step: int) -> None:
        paths = sorted(directory.rglob("*"))
        states[step] = [
            (path, at.st_ino, at.st_size, at.st_mtime_ns) for path in paths for at in [path.stat()]
        ]

    run_by_step(directory, options, made, times, before)
    pipe.send([step for step in states if states[step] != states.get(step - 1)])


def killed_at_step(
    directory: Path, options: dict[str, Any], made: Made, times: int, step: int
) -> None:
    """Run a study that kills itself in the middle of the code that writes, before one step."""

    def before(come_to: int) -> None:
        if come_to == step:
            os.kill(os.getpid(), signal.SIGKILL)

    run_by_step(directory, options, made, times, before)


def killed_after(directory: Path, options: dict[str, Any], runs: int) -> None:
    """Run a study that kills itself as soon as so many runs are over."""

    def told(done: int, _total: int) -> None:
        if done >= runs:
            os.kill(os.getpid(), signal.SIGKILL)

    run_of(directory=directory, progress=told, **options).run()


def waits_after(directory: Path, options: dict[str, Any], runs: int, pipe: Any) -> None:
    """Run a study that stands still once so many runs are over, until it is told to go on."""

    def told(done: int, _total: int) -> None:
        if done == runs:
            pipe.send(done)
            pipe.recv()

    run_of(directory=directory, progress=told, **options).run()


def begins_with_others(directory: Path, options: dict[str, Any], gate: Any) -> None:
    """Run a study once others are ready to."""
    gate.wait()
    run_of(directory=directory, progress=None, **options).run()


if __name__ == "killed":
    name, *arguments = globals()["call"]
    globals()[name](*arguments)
