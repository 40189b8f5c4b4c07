"""Pages as files: found out beforehand whether they can be written, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from outsim.disk import atomic_write, check_writable, reason
from outsim.errors import OutsimError


def check_file(path: str | Path, kind: str = "report") -> Path:
    """Path that a page can be written to, found out before any run is made for it."""
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise OutsimError(f"{kind} {path}: its name must end in .html")
    if target.is_dir():
        raise OutsimError(f"{kind} {path}: is a directory; name a file, such as {kind}.html")
    try:
        check_writable(target)
    except OSError as error:
        raise _unwritable(path, kind, error) from None
    return target


def write(text: str, path: Path, kind: str = "report") -> None:
    """Write a page, whole or not at all."""
    try:
        with atomic_write(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, kind, error) from None


def _unwritable(path: str | Path, kind: str, error: OSError) -> OutsimError:
    return OutsimError(
        f"{kind} {path}: {reason(error)}; name a file in a directory that can be written to"
    )
