"""A file of lines that are on disk before anybody is answered; those who wait share one sync."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import BinaryIO

from outsim.disk import reason
from outsim.errors import SandboxError

if sys.platform != "win32":
    import fcntl


class DurableLines:
    """Lines that are added to a file; without a file each is durable at once.

    Parameters
    ----------
    path : Path, optional
        The file.

    Raises
    ------
    SandboxError
        If another process has it open.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._unwritten: list[bytes] = []
        self._appended = 0
        self._durable = 0
        self._writing: asyncio.Future[None] | None = None
        self._broken: OSError | None = None
        self._is_closed = False
        self._file: BinaryIO | None = None
        if path is not None:
            self._file = path.open("ab")
            _lock(self._file, path)

    @property
    def is_durable(self) -> bool:
        """Whether all that was appended so far is on disk."""
        return self._durable == self._appended

    def cut(self, size: int) -> bool:
        """Drop what is there beyond so many bytes; whether there was anything."""
        if self._file is None or self._file.tell() <= size:
            return False
        self._file.truncate(size)
        os.fsync(self._file.fileno())
        return True

    def append(self, line: bytes) -> None:
        """Add a line; `durable` says when it is safe.

        Raises
        ------
        SandboxError
            If the file could not be written: nothing can be promised any more.
        """
        self._check()
        self._appended += 1
        if self._file is None:
            self._durable = self._appended
        else:
            self._unwritten.append(line)

    async def durable(self) -> None:
        """Wait until all that was appended so far is on disk.

        Raises
        ------
        SandboxError
            If it can't be written.
        """
        wanted = self._appended
        while self._durable < wanted:
            self._check()
            if self._writing is None:
                lines, self._unwritten = self._unwritten, []
                work = self._write_beside(lines, self._appended)
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
        if self._is_closed:
            raise SandboxError("the sandbox was closed", "conflict")
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
        """Write what is not written yet, and close the file; nothing more is taken then.

        Raises
        ------
        SandboxError
            If it can't be written.
        """
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if self._file is not None:
            try:
                if self._unwritten and self._broken is None:
                    self._write(self._unwritten)
                    self._durable = self._appended
            except OSError as error:
                self._broken = error
                self._check()
            finally:
                self._unwritten = []
                self._file.close()
                self._file = None
        self._is_closed = True


def _lock(file: BinaryIO, path: Path) -> None:
    """Have a file for oneself, as long as it is open."""
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
