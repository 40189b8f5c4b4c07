"""A customer's application over many days: one seed after the other, each day with its faults."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.disk import translate_disk_errors
from outsim.document import Answer, Document, Table
from outsim.errors import SandboxError
from outsim.estimates import probability
from outsim.live.command import environment_of, run_command, words_of
from outsim.live.http.server import Served, serving
from outsim.live.search import SHOWN, Lived, Search
from outsim.live.state import SESSION
from outsim.live.variations import Day
from outsim.progress import Progress, unseen
from outsim.scenario.model import Scenario
from outsim.text import plain, shortened

if TYPE_CHECKING:
    from outsim.estimates import Probability

OUTPUT = "output.txt"
"""What the command said on the day that is kept, beside its session."""


@dataclass(frozen=True, eq=False, repr=False)
class Futures(Answer):
    """How an application fared on many days."""

    scenario: str
    command: str
    days: tuple[Lived, ...]
    smallest: Lived | None
    """The smallest day that failed, without what it fails without as well."""
    directory: Path | None
    """Where the session of that day is kept."""
    interrupted_of: int | None = None
    """How many days there were to be, if it was interrupted before they were over."""
    file: Path | None = None
    """The scenario's file, if it is one."""

    @property
    def failed(self) -> tuple[Lived, ...]:
        """Days on which it failed."""
        return tuple(lived for lived in self.days if lived.why)

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether it failed on some."""
        return bool(self.failed)

    @property
    def again(self) -> str:
        """Command that tries the smallest failing day again; empty where none says it."""
        smallest = self.smallest
        if smallest is None or self.file is None or not (self.command and smallest.day.names):
            return ""
        return shlex.join(
            [
                *("outsim", "serve", str(self.file), "--futures", "1"),
                *("--seed", str(smallest.day.seed), "--vary", ",".join(smallest.day.names)),
                *("--command", self.command),
            ]
        )

    @property
    def share(self) -> Probability:
        """Of days on which it fails, with its exact interval."""
        return probability(np.array([lived.why != "" for lived in self.days]), is_exact=True)

    def document(self) -> Document:
        """What was found, in words."""
        failed, smallest = self.failed, self.smallest
        rows = [
            [str(lived.day.seed), lived.problem, ", ".join(lived.day.names) or "nothing"]
            for lived in failed[:SHOWN]
        ]
        unreduced = (
            "" if self.interrupted_of is None else " Nothing was left out of it before it ended."
        )
        caption = "Days that failed"
        if len(failed) > SHOWN:
            caption += f", the first {SHOWN}"
        return Document(
            id="futures",
            title="On how many days does the application fail?",
            answer=self.sentence(),
            asked=f"{self.scenario}: {shortened(self.command, 60)}",
            more=[] if smallest is None else [f"{smallest.words}{unreduced}"],
            tables=[Table(caption, ["seed", "why", "varied"], rows, is_text=True)] if rows else [],
            parts=[
                Document(id="output", title="What it said then", texts=lines)
                for lines in [smallest.last_lines if smallest is not None else []]
                if lines
            ],
            code=[
                ("Its session", f"outsim replay {shlex.quote(str(directory))}")
                for directory in [self.directory]
                if directory is not None
            ]
            + ([("The same day, to try again", self.again)] if self.again else []),
        )

    def sentence(self) -> str:
        """The answer in one line."""
        share, count = self.share, len(self.days)
        low, high = (f"{round(100 * bound, 1):g}" for bound in (share.low, share.high))
        said = (
            f"{len(self.failed)} of {count} day{'s' * (count != 1)} failed "
            f"({round(100 * share.mean, 1):g} %, 95 % interval {low} to {high} %)"
        )
        is_whole = self.interrupted_of in (None, count)
        return said if is_whole else f"{said}, and {self.interrupted_of:,} were asked for"

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        share = self.share
        said: dict[str, Any] = plain(
            {
                "scenario": self.scenario,
                "command": self.command,
                "days": len(self.days),
                **({} if self.interrupted_of is None else {"interrupted_of": self.interrupted_of}),
                "failed": len(self.failed),
                "failed_share": share.mean,
                "failed_share_low": share.low,
                "failed_share_high": share.high,
                "failing": [_said(lived) for lived in self.failed],
                "smallest": None if self.smallest is None else _said(self.smallest),
                "session": None if self.directory is None else str(self.directory),
            }
        )
        return said


def _said(lived: Lived) -> dict[str, Any]:
    return {
        "seed": lived.day.seed,
        "why": lived.why,
        "variations": {v.name: v.words for v in lived.day.variations},
        "inputs": lived.inputs,
    }


async def run_futures(
    scenario: Scenario,
    command: str,
    futures: int,
    *,
    seed: int | None = None,
    kinds: Sequence[str],
    keep: Path,
    timeout_s: float,
    jobs: int = 1,
    progress: Progress = unseen,
    **options: Any,
) -> Futures:
    """Run a command once on each of so many days, against a sandbox that begins that day.

    If it is canceled, it gives what the days so far have shown.

    Parameters
    ----------
    scenario : Scenario
        What is varied.
    command : str
        Words as a shell reads them; no shell runs it.
    futures : int
        How many seeds.
    seed : int, optional
        The first of them; default: the scenario's.
    kinds : sequence of str
        What is varied: names or kinds of `outsim.live.variations`.
    keep : Path
        Directory for the session of the smallest failing day.
    timeout_s : float
        Wall-clock seconds after which a day counts as failed.
    jobs : int
        Days side by side, each with a sandbox and a command of its own.
    progress : callable, optional
        Told how many days are over.
    options
        Those of `outsim.live.http.server.serving`.

    Raises
    ------
    SandboxError
        If there is no such command, or the directory is taken.
    """
    words = words_of(command)
    _check_room(keep)
    first = scenario.seed if seed is None else seed
    search = Search(scenario, range(first, first + futures), kinds)
    is_interrupted = False

    async def live(served: Served, state: Path, days: Iterator[Day]) -> None:
        for day in days:
            await served.context.begin(day)
            why, said = await run_command(words, environment_of(served, day), timeout_s)
            await served.sandbox.committed()
            if search.lived(Lived(day, why, len(served.sandbox.log), said)):
                keep_session(state, keep, said)
            progress(search.count, futures)

    async with AsyncExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outsim-")))
        lanes = []
        for lane in range(min(jobs, futures)):
            state = room / f"session-{lane}"
            served, _ = await stack.enter_async_context(serving(scenario, state=state, **options))
            lanes.append((served, state))
        try:
            for days in search.rounds():
                async with asyncio.TaskGroup() as group:
                    for served, state in lanes:
                        group.create_task(live(served, state, days))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or search.count == 0:
                raise
            task.uncancel()
            is_interrupted = True
    return Futures(
        scenario.name,
        command,
        search.days,
        search.smallest,
        None if search.smallest is None else keep,
        futures if is_interrupted else None,
        scenario.path,
    )


def _check_room(keep: Path) -> None:
    """Refuse a directory that holds anything but a failing day that was kept there."""
    if (keep / SESSION).exists() and not (keep / OUTPUT).is_file():
        raise SandboxError(
            f"{keep}: holds a session, and each day begins one of its own; name another directory "
            "with --state DIR",
            "conflict",
        )
    if keep.exists() and (
        not keep.is_dir() or (any(keep.iterdir()) and not (keep / OUTPUT).is_file())
    ):
        raise SandboxError(
            f"{keep}: is there already, and holds no failing day; name another with --state DIR"
        )


def keep_session(state: Path, keep: Path, said: str) -> None:
    """Keep the session of a failing day, in place of one that was kept before."""
    with translate_disk_errors(keep, SandboxError, "name a directory that can be written"):
        if keep.exists():
            shutil.rmtree(keep)
        shutil.copytree(state, keep)
        (keep / OUTPUT).write_text(said, encoding="utf-8")
