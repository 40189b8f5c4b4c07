"""What a directory holds: one run, one study, or several studies and what was asked of them.

The name of a file says which. A directory holds one of them: of two, only one would be read.
"""

from __future__ import annotations

from pathlib import Path

from outsim.errors import OutsimError

RUN, STUDY, ASKED = "run.json", "study.json", "asked.json"

_HOLDS = {RUN: "the result of one run", STUDY: "a study", ASKED: "several studies"}


def refuse_other_than(own: str, directory: Path, kind: type[OutsimError]) -> None:
    """Refuse a directory that holds something else already.

    Parameters
    ----------
    own : str
        Name of the file that says what it is to hold.
    directory : Path
        The directory, if it is there.
    kind : type of OutsimError
        What to raise.

    Raises
    ------
    OutsimError
        If it does.
    """
    for name, what in _HOLDS.items():
        if name != own and (directory / name).exists():
            raise kind(f"{directory}: holds {what} ({name}) already; give another directory")
