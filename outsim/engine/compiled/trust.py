"""Whether code that is kept on a disk may be run: only if nobody else can have put it there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = 0


def distrust(directory: Path) -> str:
    """Why what a directory holds may be another user's work; empty if it can't be.

    The directory must be ours, or root's, and so must those above it: whoever can write to one
    of them can put another one in its place. All may write to one above it that is sticky, as
    ``/tmp`` is: there nobody can.

    Parameters
    ----------
    directory : Path
        Without a link in it, but for its last part, which must be none.
    """
    if sys.platform == "win32":  # which keeps the directories of users apart by other means
        return ""
    for above in reversed(directory.parents):
        if why := _fault(above, above.lstat(), may_be_sticky=True):
            return why
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{directory} is no directory"
    return _fault(directory, found)


def distrust_within(directory: Path) -> str:
    """Why one of the files in a directory may be another user's work; empty if none can be."""
    if sys.platform == "win32":
        return ""
    faults = (_fault(path, path.lstat()) for path in _everything_in(directory))
    return next(filter(None, faults), "")


def _everything_in(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _everything_in(path)


def _fault(path: Path, found: os.stat_result, *, may_be_sticky: bool = False) -> str:
    if found.st_uid not in (os.geteuid(), _ROOT):
        return f"{path} belongs to another user, of number {found.st_uid}"
    if stat.S_ISLNK(found.st_mode):
        return f"{path} is a link"
    if may_be_sticky and found.st_mode & stat.S_ISVTX:
        return ""
    if found.st_mode & stat.S_IWOTH:
        return f"every user can write to {path}"
    if found.st_mode & stat.S_IWGRP and not _is_alone_in(found.st_gid):
        return f"every user of its group can write to {path}"
    return ""


def _is_alone_in(group: int) -> bool:
    """Whether a group is the one that a system makes for each user, and has no other in it."""
    import grp
    import pwd

    user = os.geteuid()
    try:
        name, found = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return user != _ROOT and found.gr_name == name and {*found.gr_mem} <= {name}
