"""Parts of one study, made here and there, joined into one directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outsim.studies.identity import check_lists, check_same, copies_in, read_identity, settle
from outsim.studies.storage import DirectoryStorage


@dataclass(frozen=True)
class Joined:
    """What one part brought."""

    directory: Path
    taken: tuple[int, ...]
    """Replications that were not there yet."""
    there: tuple[int, ...]
    """Those that were there already, with the same figures."""


def merge(out: str | Path, parts: Sequence[str | Path]) -> list[Joined]:
    """Join parts of a study into a directory, which is made or added to.

    All of them must be of the same study; that is looked at before anything is copied. Each
    replication is copied whole or not at all: a merge that was killed is done by another one.

    Parameters
    ----------
    out : path
        Directory to join them in.
    parts : sequence of path
        Directories of studies; nothing in them changes.

    Returns
    -------
    list of Joined
        What each part brought, in their order.

    Raises
    ------
    StudyError
        If a part holds no study or another one, with what differs; if two have a replication
        with different figures; if something can't be read or written.
    """
    target, directories = Path(out), [Path(part) for part in parts]
    identities = [read_identity(directory) for directory in directories]
    for directory, identity in zip(directories, identities, strict=True):
        check_same(directory, identity, identities[0])
        check_lists(directory, identity)
    settle(target, identities[0], copies_in(directories[0]))
    storage = DirectoryStorage.at(target)
    with storage.writing() as writer:
        joined = []
        for directory in directories:
            part = DirectoryStorage.at(directory)
            taken = {index: writer.adopt(part, index) for index in part.indexes()}
            joined.append(
                Joined(
                    directory,
                    tuple(index for index, new in taken.items() if new),
                    tuple(index for index, new in taken.items() if not new),
                )
            )
    return joined
