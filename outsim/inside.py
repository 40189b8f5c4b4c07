"""Files of a directory that somebody else may have written: nothing outside it is opened."""

from __future__ import annotations

import os
from pathlib import Path


class OutsideError(ValueError):
    """A name in a directory leads out of it."""


def inside(directory: Path, name: str | Path) -> Path:
    """Place of a file in a directory, also if it is not there.

    Raises
    ------
    OutsideError
        If its name begins elsewhere, climbs out, or is a link to a place outside.
    """
    place = directory / name
    root = os.path.realpath(directory)
    try:
        there = os.path.realpath(place)
    except ValueError:  # a name that no file can have
        there = ""
    if os.path.commonpath([root, there or os.sep]) != root or there == "":
        raise OutsideError(
            f"it leads out of {directory}, and what is kept there is read from nowhere else; if "
            "it is to be read, put a copy in its place"
        )
    return place
