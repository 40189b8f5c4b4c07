"""The input log: one line of JSON for each input, durable before anybody is answered."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pydantic import ValidationError

from outsim.disk import reason
from outsim.errors import SandboxError
from outsim.live.inputs import INPUT, AnyInput, Clock

if sys.platform != "win32":
    import fcntl


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
        self._file: BinaryIO | None = None
        self._unwritten: list[bytes] = []
        self._durable = 0
        self._writing: asyncio.Future[None] | None = None
        self._broken: OSError | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        whole = 0
        if path.exists():
            self._entries, whole, _ = read_log(path)
        self._file = path.open("ab")
        _lock(self._file, path)
        if self._file.tell() > whole:
            self.torn = 1
            self._file.truncate(whole)
            os.fsync(self._file.fileno())
        self._durable = len(self._entries)

    def __iter__(self) -> Iterator[AnyInput]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_durable(self) -> bool:
        """Whether all that was appended so far is on disk."""
        return self._durable == len(self._entries)

    def append(self, entry: AnyInput) -> None:
        """Add an input; `durable` says when it is safe.

        Raises
        ------
        SandboxError
            If the log could not be written: nothing can be promised any more.
        """
        self._check()
        self._entries.append(entry)
        if self._file is None:
            self._durable = len(self._entries)
        else:
            line = entry.model_dump_json(exclude_defaults=True, exclude={"kind"})
            self._unwritten.append(f'{{"kind":"{entry.kind}",{line[1:]}\n'.encode())

    async def durable(self) -> None:
        """Wait until all that was appended so far is on disk; those who wait share one sync.

        Raises
        ------
        SandboxError
            If it can't be written.
        """
        wanted = len(self._entries)
        while self._durable < wanted:
            self._check()
            if self._writing is None:
                lines, self._unwritten = self._unwritten, []
                work = self._write_beside(lines, len(self._entries))
                self._writing = asyncio.ensure_future(work)
            # Whoever waits may give up; what is being written is written.
            await asyncio.shield(self._writing)

    async def _write_beside(self, lines: list[bytes], reached: int) -> None:
        try:
            await asyncio.to_thread(self._write, lines)
            self._durable = reached
        except OSError as error:
            self._broken = error
        finally:
            self._writing = None

    def _check(self) -> None:
        if self._broken is not None:
            raise SandboxError(
                f"{self.path}: can't be written ({reason(self._broken)}), so nothing can be "
                "promised any more; make room, and start the sandbox again",
                "conflict",
            )

    def _write(self, lines: list[bytes]) -> None:
        assert self._file is not None
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    async def close(self) -> None:
        """Write what is not written yet, and close the file."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if self._file is not None:
            if self._unwritten and self._broken is None:
                self._write(self._unwritten)
            self._unwritten = []
            self._file.close()
            self._file = None


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


def _lock(file: BinaryIO, path: Path) -> None:
    """Have the log for oneself, as long as it is open."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise SandboxError(
                f"{path}: another process has this session open; end it first, or name another "
                "directory",
                "conflict",
            ) from None


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
