"""What a session has seen beside its inputs: messages of inboxes, and requests.

The model needs none of it, so it has a file of its own beside the input log. What is kept in
memory is bounded, and so is the file: it is written anew, with what is kept, when it is opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from outsim.disk import atomic_write
from outsim.errors import SandboxError
from outsim.live.lines import DurableLines

SEEN = "seen.jsonl"

Entry = Mapping[str, Any]


class Journal:
    """A file of entries, one line of JSON each; nothing is kept without a directory.

    Parameters
    ----------
    directory : Path, optional
        Of the session; it must be open, so that nobody else writes there.
    restore : callable
        Told of each entry that is there already, in order.
    kept : callable
        Entries that are still wanted, once all have been told.
    """

    def __init__(
        self,
        directory: Path | None,
        restore: Callable[[Entry], None],
        kept: Callable[[], Iterable[Entry]],
    ) -> None:
        self._path = None if directory is None else directory / SEEN
        if self._path is not None:
            if self._path.exists():
                for entry in _entries(self._path):
                    restore(entry)
            with atomic_write(self._path) as room:
                room.write_bytes(b"".join(map(_line, kept())))
        self._lines = DurableLines(self._path)

    def append(self, entry: Entry) -> None:
        """Add an entry; `durable` says when it is safe."""
        self._lines.append(_line(entry))

    async def durable(self) -> None:
        """Wait until all that was appended is on disk."""
        await self._lines.durable()

    async def close(self) -> None:
        """Write what is not written yet, and close the file."""
        await self._lines.close()


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _entries(path: Path) -> Iterable[Entry]:
    """Entries of a file, but for a last line that was being written at the end."""
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if line.endswith(b"\n"):
            try:
                yield json.loads(line)
            except ValueError:
                raise SandboxError(
                    f"{path}:{number}: is damaged. Restore the file from a copy, or remove it: "
                    "then messages and requests that were seen are forgotten, and no more",
                    "conflict",
                ) from None
