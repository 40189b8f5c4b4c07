"""A result in formats that other tools open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from outsim.errors import ResultError, unknown_name
from outsim.formats.event_logs import write_ocel, write_xes
from outsim.formats.flat import is_export, write_tables
from outsim.formats.perfetto import write_perfetto
from outsim.formats.selection import Selection, check_directory, check_file
from outsim.progress import Progress, unseen
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign

Format = Literal["perfetto", "xes", "ocel", "parquet", "csv"]

FORMATS: dict[Format, Callable[[Selection, Path], None]] = {
    "perfetto": write_perfetto,
    "xes": write_xes,
    "ocel": write_ocel,
    "parquet": partial(write_tables, form="parquet"),
    "csv": partial(write_tables, form="csv"),
}
assert tuple(FORMATS) == get_args(Format)


def check_target(form: Format, path: Path) -> None:
    """Find out whether a result can be written to a place, before it is made."""
    if form in ("parquet", "csv"):
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
    target = Path(path)
    if form not in FORMATS:
        raise ResultError(unknown_name("format", form, FORMATS))
    FORMATS[form](Selection(result, campaign, progress), target)
    return target
