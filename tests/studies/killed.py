"""Studies that come to a sudden end, each in a process of its own.

It is run as a file, with ``call`` set to what is called: a function here and its arguments.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from concurrent.futures import Executor, Future
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


def killed_at_step(
    directory: Path, options: dict[str, Any], made: Made, step: int, times: int = 1
) -> None:
    """Run a study that kills itself in the middle of the code that writes, before one line of it.

    A step is a line that is come to; one that is come to more than so many `times` is no step any
    more. If there are fewer steps, how many there are stands in a file beside the directory.
    """
    come_to: Counter[tuple[str, int]] = Counter()
    steps = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal steps
        if frame.f_code.co_filename not in WRITING:
            return None
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            come_to[line] += 1
            if come_to[line] <= times:
                if steps == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                steps += 1
        return trace

    sys.settrace(trace)
    run_of(directory=directory, executor=Given(made), progress=None, **options).run()
    sys.settrace(None)
    directory.with_suffix(".steps").write_text(str(steps))


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
