"""Checksums of a replication's files, in a file beside them that says whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outsim.directories import FILES, DamageError, checksums_of, read_checked, with_checksum

SEAL = "checksums.json"


def seal(directory: Path, study: str, replication: int, names: Sequence[str]) -> None:
    """Write the checksums of files in a directory beside them.

    Parameters
    ----------
    directory : Path
        Where they are.
    study : str
        Fingerprint of the study that they belong to.
    replication : int
        Which of its replications they are of.
    names : sequence of str
        Which files.
    """
    said = {"study": study, "replication": replication, FILES: checksums_of(directory, names)}
    (directory / SEAL).write_text(with_checksum(said), encoding="utf-8")


def files_of(directory: Path, study: str, replication: int) -> dict[str, Any]:
    """Checksums of the files in a directory, if they are of this study and replication.

    Raises
    ------
    DamageError
        If they are of others, damaged, or not there.
    """
    try:
        said = read_checked(directory / SEAL)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise DamageError(f"{SEAL} beside it: {why}") from None
    for name, wanted in (("study", study), ("replication", replication)):
        if said.get(name) != wanted:
            raise DamageError(f"{SEAL} beside it is of {name} {said.get(name)}, and not {wanted}")
    files: dict[str, Any] = said[FILES]
    return files
