"""What is on the screen as a scenario file, and as the command that makes it again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from outsim.disk import reason
from outsim.errors import SandboxError
from outsim.live.page.what_if.changing import WhatIf
from outsim.scenario.overlay import overlay

_FILE = re.compile(r"[\w][\w .+-]{0,120}\.toml")
_NOT_IN_FILE = re.compile(r"[^\w]+")
LONGEST_FILE = 60


def file_name(what_if: WhatIf) -> str:
    """A name for the file: that of the scenario's own, and what is changed."""
    stem = "scenario" if what_if.file is None else what_if.file.stem
    name = _NOT_IN_FILE.sub("-", " ".join([stem, *what_if.said()])).strip("-")
    return f"{name[:LONGEST_FILE].rstrip('-')}.toml"


def kept_text(what_if: WhatIf) -> str:
    """The file: it extends the scenario's own, and has only what differs."""
    if what_if.file is None:
        raise SandboxError("the scenario was read from no file, so that none can extend it")
    name = what_if.changed.name
    return overlay(what_if.scenario, what_if.changes, name=name, file=what_if.file)


def place_of(what_if: WhatIf, name: str) -> Path:
    """Where a file of this name goes: beside the scenario's own."""
    if not _FILE.fullmatch(name):
        raise SandboxError(
            f"found the file name {name!r}; write one such as quarter-past.toml, without a "
            "directory"
        )
    assert what_if.file is not None
    return what_if.file.with_name(name)


def keep_file(what_if: WhatIf, name: str) -> Path:
    """Write the file beside the scenario's own; refused where there is one of that name."""
    text, place = kept_text(what_if), place_of(what_if, name)
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SandboxError(f"{place}: is there already; give another name", "conflict") from None
    except OSError as error:
        raise SandboxError(f"{place}: can't be written ({reason(error)})") from None
    return place


def command(what_if: WhatIf, name: str, replications: int) -> str:
    """The command that gives the same figures once the file is kept; empty if nothing can."""
    base = what_if.scenarios[what_if.base_name][1]
    if base is None or what_if.file is None:
        return ""
    kept = place_of(what_if, name) if what_if.changes else what_if.file
    words = ["outsim", "compare", str(base), str(kept)]
    words += ["--replications", str(replications), "--seed", str(what_if.seed)]
    return shlex.join(words)
