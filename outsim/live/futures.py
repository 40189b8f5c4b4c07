"""A customer's application over many days: one seed after the other, each day with its faults."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.disk import translate_disk_errors
from outsim.document import Answer, Document, Table
from outsim.errors import SandboxError
from outsim.estimates import probability
from outsim.live.http.server import Served, serving
from outsim.live.variations import Day, draw_day, named
from outsim.progress import Progress, unseen
from outsim.scenario.model import Scenario
from outsim.text import plain, shortened

if TYPE_CHECKING:
    from outsim.estimates import Probability

OUTPUT = "output.txt"
"""What the command said on the day that is kept, beside its session."""
_SHOWN = 10
"""Failing days that are listed."""
_MOST_SAID = 100_000
_GRACE_S = 5.0
KEYS = ("tenant", "login", "pin", "developer_key", "token")
"""Of the first account, in environment variables: OUTSIM_TENANT and so on."""


@dataclass(frozen=True)
class Lived:
    """A day on which the application was tried."""

    day: Day
    why: str = ""
    """Why it failed; empty if it did not."""
    inputs: int = 0
    """Inputs in its log."""
    said: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """How much there is to look at."""
        return len(self.day.variations), self.inputs

    @property
    def words(self) -> str:
        """The day, and why it failed."""
        return f"The smallest failing day: seed {self.day.seed}, {self.day.words} ({self.why})."

    @property
    def last_lines(self) -> list[str]:
        """How what it said ends."""
        return self.said.strip().splitlines()[-_SHOWN:]


class Search:
    """Days to try an application on; if some fail, then parts of the smallest of them.

    Whoever tries them says with `lived` what became of each before asking for the next.

    Parameters
    ----------
    scenario : Scenario
        What is varied.
    seeds : sequence of int
        One day each.
    kinds : sequence of str
        What is varied.
    """

    def __init__(self, scenario: Scenario, seeds: Sequence[int], kinds: Sequence[str]) -> None:
        self._scenario, self.seeds, self._kinds = scenario, seeds, named(kinds)
        self.days: list[Lived] = []
        """One for each seed so far."""
        self.smallest: Lived | None = None
        """The smallest day that failed, or a part of it that fails as well."""

    def __iter__(self) -> Iterator[Day]:
        for seed in self.seeds:
            yield draw_day(self._scenario, seed, self._kinds)
        tried = None
        while self.smallest is not None and tried != self.smallest.day:
            tried = self.smallest.day
            for left_out in tried.variations:
                yield Day(tried.seed, tuple(v for v in tried.variations if v != left_out))
                if self.smallest.day != tried:
                    break

    def lived(self, lived: Lived) -> bool:
        """Say what became of a day; whether it is the smallest that failed so far."""
        is_part = len(self.days) == len(self.seeds)
        if not is_part:
            self.days.append(lived)
        is_smallest = lived.why != "" and (
            self.smallest is None or lived.size < self.smallest.size
        )
        if is_smallest:
            self.smallest = lived
        return is_smallest


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

    @property
    def failed(self) -> tuple[Lived, ...]:
        """Days on which it failed."""
        return tuple(lived for lived in self.days if lived.why)

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether it failed on some."""
        return bool(self.failed)

    @property
    def share(self) -> Probability:
        """Of days on which it fails, with its exact interval."""
        return probability(np.array([lived.why != "" for lived in self.days]), is_exact=True)

    def document(self) -> Document:
        """What was found, in words."""
        failed, smallest = self.failed, self.smallest
        rows = [
            [str(lived.day.seed), lived.why, ", ".join(lived.day.names) or "nothing"]
            for lived in failed[:_SHOWN]
        ]
        caption = "Days that failed"
        if len(failed) > _SHOWN:
            caption += f", the first {_SHOWN}"
        return Document(
            id="futures",
            title="On how many days does the application fail?",
            answer=self.sentence(),
            asked=f"{self.scenario}: {shortened(self.command, 60)}",
            more=[] if smallest is None else [smallest.words],
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
            ],
        )

    def sentence(self) -> str:
        """The answer in one line."""
        share, count = self.share, len(self.days)
        low, high = (f"{round(100 * bound, 1):g}" for bound in (share.low, share.high))
        return (
            f"{len(self.failed)} of {count} day{'s' * (count != 1)} failed "
            f"({round(100 * share.mean, 1):g} %, 95 % interval {low} to {high} %)"
        )

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        share = self.share
        return plain(
            {
                "scenario": self.scenario,
                "command": self.command,
                "days": len(self.days),
                "failed": len(self.failed),
                "failed_share": share.mean,
                "failed_share_low": share.low,
                "failed_share_high": share.high,
                "failing": [_said(lived) for lived in self.failed],
                "smallest": None if self.smallest is None else _said(self.smallest),
                "session": None if self.directory is None else str(self.directory),
            }
        )


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
    progress: Progress = unseen,
    **options: Any,
) -> Futures:
    """Run a command once on each of so many days, against a sandbox that begins that day.

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
    progress : callable, optional
        Told how many days are over.
    options
        Those of `outsim.live.http.server.serving`.

    Raises
    ------
    SandboxError
        If there is no such command, or the directory is taken.
    """
    words = _words(command)
    _check_room(keep)
    first = scenario.seed if seed is None else seed
    search = Search(scenario, range(first, first + futures), kinds)
    with tempfile.TemporaryDirectory(prefix="outsim-") as room:
        state = Path(room) / "session"
        async with serving(scenario, state=state, **options) as (served, _):
            for day in search:
                await served.context.begin(day)
                why, said = await _try(words, _environment(served, day), timeout_s)
                await served.sandbox.committed()
                lived = Lived(day, why, len(served.sandbox.log), said)
                if search.lived(lived):
                    keep_session(state, keep, said)
                progress(len(search.days), futures)
    is_kept = search.smallest is not None
    return Futures(
        scenario.name, command, tuple(search.days), search.smallest, keep if is_kept else None
    )


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SandboxError(f"command {command!r}: {error}") from None
    if not words:
        raise SandboxError(
            "the command is empty; write one such as 'pytest tests/test_handler.py'"
        )
    if shutil.which(words[0]) is None:
        raise SandboxError(
            f"command {words[0]!r}: there is no such program; for what a shell understands, write "
            "sh -c '...'"
        )
    return words


def _check_room(keep: Path) -> None:
    """Refuse a directory that holds anything but a failing day that was kept there."""
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


def _environment(served: Served, day: Day) -> Mapping[str, str]:
    """What the command is told, beside what it would have anyway."""
    accounts = [account.model_dump() for account in served.context.logins.accounts]
    numbered = [
        {key: account[key] for key in KEYS} | {"application_id": number}
        for number, account in enumerate(accounts, 1)
    ]
    told = {f"OUTSIM_{key.upper()}": str(value) for key, value in numbered[0].items()}
    return (
        os.environ
        | told
        | {
            "OUTSIM_URL": served.url,
            "OUTSIM_SEED": str(day.seed),
            "OUTSIM_ACCOUNTS": json.dumps(numbered),
        }
    )


async def _try(
    words: Sequence[str], environment: Mapping[str, str], timeout_s: float
) -> tuple[str, str]:
    """Run the command: why it failed, if it did, and what it said."""
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
            why = "" if code == 0 else f"exit code {code}" if code > 0 else f"signal {-code}"
        except TimeoutError:
            why = f"longer than {timeout_s:g} s"
        finally:
            await _end(process)
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - _MOST_SAID))
        return why, output.read().decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a command and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_S):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
