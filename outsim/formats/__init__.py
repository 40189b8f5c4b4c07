"""A result in formats that other tools open.

What writes a format is imported when it is needed: the command line lists the formats.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from outsim.errors import ResultError, unknown_name
from outsim.progress import Progress, unseen

if TYPE_CHECKING:
    from outsim.results.result import Result
    from outsim.scenario.campaigns import Campaign


class _Format(NamedTuple):
    module: str
    writer: str
    """Function of the module that takes a `Selection` and a path."""
    hint: str
    """What opens it."""
    is_directory: bool = False


_DICTIONARY = "data-dictionary.md says what each column is."

FORMATS = {
    "perfetto": _Format(
        "perfetto",
        "write_perfetto",
        "Open it at https://ui.perfetto.dev: the file is read there, and not sent.",
    ),
    "xes": _Format("event_logs", "write_xes", "Process mining tools open it; a case is a call."),
    "ocel": _Format(
        "event_logs",
        "write_ocel",
        "Process mining tools that know OCEL 2.0 open it; objects are calls, campaigns, tenants.",
    ),
    "parquet": _Format("flat", "write_parquet", _DICTIONARY, is_directory=True),
    "csv": _Format("flat", "write_csv", _DICTIONARY, is_directory=True),
}
"""Formats by name."""

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[tuple(FORMATS)]


def check_target(form: Format, path: Path) -> None:
    """Find out whether a result can be written to a place, before it is made."""
    from outsim.formats.flat import is_export
    from outsim.formats.selection import check_directory, check_file

    if form not in FORMATS:
        raise ResultError(unknown_name("format", form, FORMATS))
    if FORMATS[form].is_directory:
        check_directory(path, is_export)
    else:
        check_file(path)


def write(
    result: Result,
    form: Format,
    path: str | Path,
    *,
    campaign: Campaign | None = None,
    progress: Progress = unseen,
) -> Path:
    """Write a result in another format, whole or not at all; see `outsim.export`."""
    from outsim.formats.selection import Selection

    target = Path(path)
    if form not in FORMATS:
        raise ResultError(unknown_name("format", form, FORMATS))
    module = import_module(f"{__name__}.{FORMATS[form].module}")
    getattr(module, FORMATS[form].writer)(Selection(result, campaign, progress), target)
    return target
