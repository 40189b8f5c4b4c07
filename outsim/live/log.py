"""The input log: one line of JSON for each input, durable before anybody is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from outsim.errors import SandboxError
from outsim.live.inputs import INPUT, AnyInput, Clock
from outsim.live.lines import DurableLines


class InputLog:
    """Inputs of a session, in their order, in memory and in a file if it has one.

    Parameters
    ----------
    path : Path, optional
        The file; None keeps the log in memory only.

    Raises
    ------
    SandboxError
        If a line other than the last can't be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.torn = 0
        """Last lines that were dropped as the file was opened: not whole, so never answered."""
        self._entries: list[AnyInput] = []
        whole = 0
        if path is not None and path.exists():
            self._entries, whole, _ = read_log(path)
        self._lines = DurableLines(path)
        self.torn += self._lines.cut(whole)

    def __iter__(self) -> Iterator[AnyInput]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_durable(self) -> bool:
        """Whether all that was appended so far is on disk."""
        return self._lines.is_durable

    def append(self, entry: AnyInput) -> None:
        """Add an input; `durable` says when it is safe.

        Raises
        ------
        SandboxError
            If the log could not be written: nothing can be promised any more.
        """
        self._lines.append(b"" if self.path is None else _line(entry))
        self._entries.append(entry)

    async def durable(self) -> None:
        """Wait until all that was appended so far is on disk; those who wait share one sync.

        Raises
        ------
        SandboxError
            If it can't be written.
        """
        await self._lines.durable()

    async def close(self) -> None:
        """Write what is not written yet, and close the file."""
        await self._lines.close()


def _line(entry: AnyInput) -> bytes:
    values = entry.model_dump_json(exclude_defaults=True, exclude={"kind"})
    return f'{{"kind":"{entry.kind}",{values[1:]}\n'.encode()


def moment_of(entries: Iterable[AnyInput]) -> int:
    """Where a session has got to: whoever was answered was answered before.

    A free clock puts down beforehand how far it may go, until it is put down anew.
    """
    moment = until = 0
    for entry in entries:
        moment = entry.at
        if isinstance(entry, Clock):
            until = entry.until or 0
    return max(moment, until)


class ReadLog(NamedTuple):
    """What a file has of an input log."""

    entries: list[AnyInput]
    whole: int
    """Bytes that its whole lines take."""
    torn: int
    """Last lines that are not whole: the sandbox was killed as it wrote them."""


def torn_note(path: Path) -> str:
    """What is said of a last line that is not whole."""
    return (
        f"{path}: its last line is not whole, as the sandbox was ended while it wrote it; it was "
        "left out, and nobody had been answered"
    )


def read_log(path: Path) -> ReadLog:
    """Inputs of a log.

    Raises
    ------
    SandboxError
        If a line is damaged; one that just ends too early, the last, is torn and no more.
    """
    entries: list[AnyInput] = []
    whole = 0
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            return ReadLog(entries, whole, 1)
        try:
            entry = INPUT.validate_json(line)
        except ValidationError as error:
            raise _damaged(path, number, _first_problem(error)) from None
        if entry.number != number:
            raise _damaged(path, number, f"it has number {entry.number}, and lines are missing")
        entries.append(entry)
        whole += len(line)
    return ReadLog(entries, whole, 0)


def _damaged(path: Path, number: int, why: str) -> SandboxError:
    return SandboxError(
        f"{path}:{number}: is damaged ({why}). Restore the file from a copy, or begin a new "
        "session in another directory. Cut off before this line, the session goes on from there, "
        "and what was answered later is lost",
        "conflict",
    )


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        return "it is no JSON"
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
