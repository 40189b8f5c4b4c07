"""The one table that every call log is read into, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outsim.disk import atomic_write
from outsim.text import brief, visible
from outsim.vocabulary import ANSWERED as ANSWERED_OUTCOMES
from outsim.vocabulary import OUTCOMES

ANSWERED, UNANSWERED = "answered", "unanswered"
WORDS = (*OUTCOMES, ANSWERED, UNANSWERED)
"""Outcomes in a call log: those of a run, and two for logs that tell less. ``answered`` is a
person or a machine; ``unanswered`` rang out, was busy or was refused."""

ANSWERED_CODES = np.array([*ANSWERED_OUTCOMES, WORDS.index(ANSWERED)], dtype=np.int8)

MOST_ATTEMPTS = 1000
"""Attempts of one call that a log may tell of: more is a number of something else."""


@dataclass(frozen=True)
class LogFile:
    """One file of a call log."""

    name: str
    """As the user named it."""
    format: str
    rows: int
    """Rows in it, a header left out."""
    sha256: str
    """Of the file as it is stored."""


@dataclass(frozen=True)
class Unreadable:
    """A row that can't be read."""

    file: str
    line: int
    """Line in the file, from 1; in a JSON document, the entry, from 1."""
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: found {self.found}; {self.allowed}"


@dataclass(frozen=True)
class LogSource:
    """Where a call log comes from."""

    label: str
    """One line for people: files, span, attempts."""
    details: dict[str, str | int | float]
    """Format, digests of the files, counts, days."""


@dataclass(frozen=True, eq=False)
class CallLog:
    """Attempts of one or several call logs.

    Attributes
    ----------
    table : DataFrame
        One row an attempt, in the order of ``started``; in the order of the files where the log
        has no times. A column that no file tells of is not there at all.

        ``started`` (datetime64[us, UTC])
            When it was dialled.
        ``outcome`` (category of `WORDS`)
            What became of it; missing where the log does not say.
        ``ring_s`` (float64)
            Seconds from the dial to the answer; of ``no_answer``, to the giving up, so that it is
            a censored time. Missing for every other outcome. Most logs can't tell the delay
            before the first ring from ringing: it is in there.
        ``talk_s`` (float64)
            Seconds from the answer to the end; missing unless answered.
        ``number`` (int32)
            Which number was dialled, as a code from 0; -1 where it is not told. The numbers
            themselves are not kept.
        ``attempt`` (int32)
            Which dial of the call it is, from 1; 0 where it is not told. As recorded, or worked
            out from earlier attempts at the number: see `outsim.calibration.calls`.
        ``gap_s`` (float64)
            Seconds since the previous attempt of the same call was dialled; missing for the first.
        ``weight`` (float64)
            How many such attempts the row stands for; not there if each stands for itself.
    zone : str or None
        Time zone that local hours and weekdays are taken in; None where nobody said.
    files : tuple of LogFile
    unreadable : tuple of Unreadable
        Every row that can't be read.
    left_out : dict of str to int
        Rows that are no outbound attempts of interest, by reason.
    attempts_derived : bool
        Whether ``attempt`` was worked out.
    last_only : bool
        Whether a row is the last attempt of its call: ``attempt`` - 1 unanswered ones came
        before it that have no row.
    notes : tuple of str
        What was taken to be so in reading it.
    """

    __repr__ = brief

    table: pd.DataFrame
    zone: str | None
    files: tuple[LogFile, ...]
    unreadable: tuple[Unreadable, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    attempts_derived: bool = False
    last_only: bool = False
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rows(self) -> int:
        """Rows in the files: those used, those left out and those that can't be read."""
        return sum(file.rows for file in self.files)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last dial, in the log's zone; None if the log has no times."""
        if "started" not in self.table or self.table["started"].isna().all():
            return None
        zone = self.zone or "UTC"
        first, last = self.table["started"].min(), self.table["started"].max()
        return first.tz_convert(zone).to_pydatetime(), last.tz_convert(zone).to_pydatetime()

    @property
    def source(self) -> LogSource:
        """Where it comes from, to be told with what is fitted to it."""
        names = ", ".join(visible(Path(file.name).name) for file in self.files[:3])
        if len(self.files) > 3:
            names += f" and {len(self.files) - 3} more"
        details: dict[str, str | int | float] = {
            "format": ", ".join(sorted({file.format for file in self.files})),
            "sha256": ", ".join(file.sha256 for file in self.files),
            "rows": self.rows,
            "attempts": len(self),
            "unreadable": len(self.unreadable),
        }
        days = ""
        if self.span is not None:
            first, last = (f"{each:%Y-%m-%d}" for each in self.span)
            days = f", {first} to {last}"
            details |= {"first_day": first, "last_day": last}
        return LogSource(f"{names}{days}, {len(self):,} attempts", details)

    def to_json(self) -> dict[str, Any]:
        """What was read, as a document: files, counts, and the first rows that can't be read."""
        return {
            "files": [vars(file) for file in self.files],
            "rows": self.rows,
            "attempts": len(self),
            "source": self.source.label,
            "span": None if self.span is None else [each.isoformat() for each in self.span],
            "zone": self.zone,
            "columns": list(self.table.columns),
            "attempts_derived": self.attempts_derived,
            "last_only": self.last_only,
            "left_out": self.left_out,
            "unreadable": {
                "rows": len(self.unreadable),
                "first": [vars(each) for each in self.unreadable[:20]],
            },
            "notes": list(self.notes),
        }

    def write_unreadable(self, file: Path) -> None:
        """Write the list of rows that can't be read, as CSV, whole or not at all."""
        columns = ["file", "line", "found", "allowed"]
        rows = pd.DataFrame([vars(each) for each in self.unreadable], columns=columns)
        with atomic_write(file) as beside:
            rows.to_csv(beside, index=False)
