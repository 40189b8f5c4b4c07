"""Contact lists: CSV files in the platform's format.

The header of the first column is ``destination``; every other column is a
variable of the call, of which the model uses ``ani`` (caller ID), ``time_zone``,
``scheduled_time`` and ``expiration_time``. A row that can't be dialed is no error of the
file: it keeps its place in the list and is rejected with a reason.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from outsim.clock import microseconds_between, parse_clock_time
from outsim.scenario.files import Row, header_shown, read_rows, read_table_lines, refusal
from outsim.text import brief
from outsim.units import YEARS, is_zone, shown, zone_names

if TYPE_CHECKING:
    import pandas as pd

Clock = tuple[date, ZoneInfo]
"""Date and time zone of local times."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NATIONAL = r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})"
_DIALED = re.compile(rf"(?:tel:)?{_NATIONAL}", re.ASCII | re.IGNORECASE)
_WITH_ANI = re.compile(rf"(?:tel:)?{_NATIONAL}(?:;ani={_NATIONAL})?", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"(?:tel:)?(\+?)([0-9]+)", re.ASCII | re.IGNORECASE)
_POSTD = re.compile(r"[0-9*#]+")


class InvalidNumberError(ValueError):
    """A destination can't be dialed; the message says why, in a few words."""


def _national_number(text: str, bare_reason: str) -> int:
    """Ten-digit national number of `text`, which holds no parameters."""
    match = _DIALED.fullmatch(text)
    if match is not None:
        return int(match[1])
    digits = _DIGITS.fullmatch(text)
    if digits is None:
        raise InvalidNumberError(bare_reason)
    plus, number = digits.groups()
    if (plus and number[0] != "1") or (len(number) == 11 and number[0] != "1"):
        raise InvalidNumberError("country code")
    number = number[1:] if plus or len(number) == 11 else number
    if len(number) != 10:
        raise InvalidNumberError("wrong length")
    raise InvalidNumberError("area code" if number[0] in "01" else "exchange")


def parse_destination(text: str) -> tuple[int, int]:
    """National number and caller ID of a destination such as ``tel:+1...;ani=...``."""
    match = _WITH_ANI.fullmatch(text)
    if match is not None:
        return int(match[1]), int(match[2] or 0)
    head, *parameters = (part.strip() for part in text.split(";"))
    if not head:
        raise InvalidNumberError("empty")
    number = _national_number(head, "not a number")
    values: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        if name not in ("ani", "postd") or name in values:
            raise InvalidNumberError("unknown parameter")
        values[name] = value.strip()
    if "postd" in values and not _POSTD.fullmatch(values["postd"]):
        raise InvalidNumberError("bad postd")
    return number, parse_ani(values["ani"]) if "ani" in values else 0


def parse_ani(text: str) -> int:
    """Ten-digit caller ID."""
    try:
        return _national_number(text.strip(), "bad ani")
    except InvalidNumberError:
        raise InvalidNumberError("bad ani") from None


FIRST_HEADER = "destination"
FRAME = "DataFrame"
"""Stands for the file of a list that came as a table."""
NO_ZONE = -1
SCHEDULED_TIME, EXPIRATION_TIME = "scheduled_time", "expiration_time"
"""Headers of a call's own schedule and expiry."""
NO_TIME = -1
"""Of a row that has none."""
LOOKED_UP = 50
"""Unknown time zones that are looked up one by one, which is quicker for a few."""
SHOWN_LENGTH = 80
"""Characters that are kept of the text of a rejected row."""


REASONS = {
    "empty": "the row or its destination is empty",
    "not a number": "other characters than those of a phone number",
    "wrong length": "neither 10 digits nor 11 with a leading 1",
    "country code": "not a number of country code 1",
    "area code": "the area code begins with 0 or 1",
    "exchange": "the exchange begins with 0 or 1",
    "bad ani": "the caller ID is no number that could be dialed",
    "bad postd": "the digits to dial after the answer are no digits",
    "unknown parameter": "a parameter other than ani and postd, or one of them twice",
    "unknown time zone": "the time zone is not in the IANA database",
    "bad scheduled_time": "the schedule is no time",
    "bad expiration_time": "the expiry is no time",
    "expires too early": "the expiry is not later than the schedule",
    "too few fields": "fewer fields than headers",
    "too many fields": "more fields than headers",
    "bad quoting": "quotes that don't enclose a whole field",
}
"""Why a row is rejected: the reason as `calls` shows it, and what it means."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of a contact list that can't be dialed."""

    row: int
    """Index of the row in the list, from 0."""
    line: int
    """Line of the file on which it begins, from 1."""
    text: str
    """What can't be used of it: its destination, caller ID or time zone, or the whole line;
    shortened."""
    reason: str
    """A key of `REASONS`."""


@dataclass(frozen=True, eq=False)
class ContactList:
    """Rows of a contact list, in the file's order; arrays of shape (rows,)."""

    __repr__ = brief

    path: Path
    """The file, as the user or the scenario named it."""
    numbers: NDArray[np.int64] = field(repr=False)
    """National ten-digit number; 0 where the row is rejected."""
    anis: NDArray[np.int64] = field(repr=False)
    """Caller ID; 0 where the row has none or is rejected."""
    zones: tuple[str, ...]
    """Time zones that stand in the list."""
    zone_index: NDArray[np.int16] = field(repr=False)
    """Index into `zones`; -1 where the row has none or is rejected."""
    rejected: tuple[RejectedRow, ...] = field(repr=False)
    """Rows that can't be dialed, in order."""
    variables: tuple[str, ...]
    """Headers of all columns but the first."""
    schedules_us: NDArray[np.int64] | None = field(default=None, repr=False)
    """Before when each is not to go out, in microseconds since 1970; `NO_TIME` where a row has
    none, None where none has."""
    expiries_us: NDArray[np.int64] | None = field(default=None, repr=False)
    """From when on each is not dispatched, in the same way."""
    text: str | None = field(default=None, repr=False)
    """What would stand in the file, where there is none: the list came as a DataFrame."""

    def __post_init__(self) -> None:
        """Let nobody write to the arrays: scenarios share them."""
        for column in self._columns:
            column.flags.writeable = False

    @property
    def _columns(self) -> list[NDArray[Any]]:
        own = (self.schedules_us, self.expiries_us)
        return [
            self.numbers,
            self.anis,
            self.zone_index,
            *(times for times in own if times is not None),
        ]

    @classmethod
    def read(cls, path: str | Path, clock: Clock | None = None) -> ContactList:
        """Read a list from a CSV in the platform's format.

        Local times in it are those of a `clock`: a date and a time zone.
        """
        return _Reader(Path(path), clock).read(read_table_lines(Path(path)))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, clock: Clock | None = None) -> ContactList:
        """Take over a list from a table with the columns of a CSV in the platform's format."""
        headers = [str(name) for name in frame.columns]
        first = headers.index(FIRST_HEADER) if FIRST_HEADER in headers else 0
        order = [first, *(k for k in range(len(headers)) if k != first)][: len(headers)]
        columns = [map(_field, frame.iloc[:, k].tolist()) for k in order]
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(headers[k] for k in order)
        rows.writerows(zip(*columns, strict=True))
        return cls.from_text(text.getvalue(), FRAME, clock)

    @classmethod
    def from_text(
        cls, text: str, name: str = "contacts", clock: Clock | None = None
    ) -> ContactList:
        """Take over a list from what would stand in its file."""
        lines = text.splitlines(keepends=True)
        return replace(_Reader(Path(name), clock).read(iter(lines)), text=text)

    def copy_to(self, path: Path) -> None:
        """Write the file that the list came from, or would have come from, to a `path`."""
        if self.text is None:
            shutil.copyfile(self.path, path)
        else:
            path.write_text(self.text, encoding="utf-8", newline="")

    def place_of(self, row: RejectedRow) -> str:
        """Where a row of it stands, as messages name it."""
        return f"line {row.line}" if self.text is None else f"row {row.row}"

    def __len__(self) -> int:
        return len(self.numbers)

    def __eq__(self, other: object) -> bool:
        """Whether two lists say the same, wherever they were read from."""
        if not isinstance(other, ContactList):
            return NotImplemented
        if (self.zones, self.variables) != (other.zones, other.variables):
            return False
        return (
            self.rejected == other.rejected
            and len(self._columns) == len(other._columns)
            and all(map(np.array_equal, self._columns, other._columns))
        )

    def __hash__(self) -> int:
        return hash((self.zones, self.variables, len(self)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the list says, wherever it was read from."""
        hashed = sha256(repr((self.zones, self.variables, self.rejected)).encode())
        for column in self._columns:
            hashed.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
        return hashed.hexdigest()

    @cached_property
    def duplicates(self) -> NDArray[np.bool_]:
        """Whether the number of each row stands in an earlier accepted row too."""
        repeated = np.zeros(len(self), dtype=np.bool_)
        rows = np.flatnonzero(self.numbers)
        rows = rows[np.argsort(self.numbers[rows], kind="stable")]
        repeated[rows[1:]] = self.numbers[rows[1:]] == self.numbers[rows[:-1]]
        return repeated

    @property
    def rejections(self) -> dict[str, int]:
        """Number of rejected rows by reason, the most frequent first."""
        return dict(Counter(row.reason for row in self.rejected).most_common())

    @property
    def without_ani(self) -> int:
        """Number of accepted rows without a caller ID of their own."""
        return int(np.count_nonzero((self.numbers != 0) & (self.anis == 0)))

    @classmethod
    def _validate(cls, value: Any, info: ValidationInfo) -> ContactList:
        if isinstance(value, ContactList):
            return value
        clock = None if info.context is None else (info.context["date"], info.context["zone"])
        if is_frame(value):
            return cls.from_frame(value, clock)
        if not isinstance(value, str | Path) or not str(value):
            raise ValueError(
                f"found {shown(value)}; write the path of a CSV file, or give a DataFrame"
            )
        return cls.read(value, clock)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Accept the path of a file, or a list that has been read."""
        return core_schema.with_info_plain_validator_function(
            cls._validate,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda contacts: str(contacts.path),
                return_schema=core_schema.str_schema(),
                when_used="json",
            ),
        )


def is_frame(value: object) -> bool:
    """Whether a value is a pandas DataFrame; nothing is imported to see that."""
    return type(value).__name__ == "DataFrame" and hasattr(value, "iloc")


def _field(value: Any) -> str:
    """A cell of a table as a CSV would have it: a number without a fraction, nothing as empty."""
    if isinstance(value, str):
        return value
    if value is None or str(value) in ("nan", "<NA>", "NaT"):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class _Reader:
    """Reads one file row by row: a list may be far larger than what is kept of it."""

    def __init__(self, path: Path, clock: Clock | None) -> None:
        self.path = path
        self.clock = clock
        self.own_times = {SCHEDULED_TIME: array("q"), EXPIRATION_TIME: array("q")}
        self.numbers = array("q")
        self.anis = array("q")
        self.zone_of_row = array("h")
        self.rejected: list[RejectedRow] = []
        self.unknown_zones = 0
        self.zone_indexes: dict[str, int] = {"": NO_ZONE}

    def read(self, lines: Iterable[str]) -> ContactList:
        rows = read_rows(lines)
        headers = self._headers(rows)
        blank_lines: list[int] = []
        for row in rows:
            if row.is_blank:
                blank_lines.append(row.line)
                continue
            # Blank lines between rows are rows without a destination; at the end they are none.
            for blank_line in blank_lines:
                self._reject(blank_line, "", "empty")
            blank_lines.clear()
            if row.fields is None:
                self._reject(row.line, row.text, "bad quoting")
            elif len(row.fields) < len(headers):
                self._reject(row.line, row.fields[0], "too few fields")
            elif len(row.fields) > len(headers):
                self._reject(row.line, row.fields[0], "too many fields")
            else:
                self._add(row.line, row.fields)
        return ContactList(
            path=self.path,
            numbers=np.array(self.numbers, dtype=np.int64),
            anis=np.array(self.anis, dtype=np.int64),
            zones=tuple(list(self.zone_indexes)[1:]),
            zone_index=np.array(self.zone_of_row, dtype=np.int16),
            rejected=tuple(self.rejected),
            variables=tuple(headers[1:]),
            schedules_us=self._times(SCHEDULED_TIME),
            expiries_us=self._times(EXPIRATION_TIME),
        )

    def _times(self, header: str) -> NDArray[np.int64] | None:
        times = np.array(self.own_times[header], dtype=np.int64)
        return times if (times != NO_TIME).any() else None

    def _headers(self, rows: Iterator[Row]) -> list[str]:
        row = next(rows, None)
        if row is None:
            raise refusal(
                self.path, f"found an empty file; the first line must begin with {FIRST_HEADER!r}"
            )
        if row.fields is None:
            raise refusal(
                self.path, "the header can't be read: quotes don't enclose whole fields", 1
            )
        headers = [header.strip() for header in row.fields]
        first = headers[0]
        if first != FIRST_HEADER:
            hint = "" if "," in row.text or len(first) < 12 else "; commas part columns"
            problem = f"found {header_shown([first])!r} as the first header"
            raise refusal(self.path, f"{problem}; must be {FIRST_HEADER!r}{hint}", 1)
        for header, count in Counter(headers).items():
            if header and count > 1:
                raise refusal(
                    self.path, f"the header {header_shown([header])!r} stands {count} times", 1
                )
        self.ani_column = headers.index("ani") if "ani" in headers else 0
        self.zone_column = headers.index("time_zone") if "time_zone" in headers else 0
        self.time_columns = {
            header: headers.index(header) for header in self.own_times if header in headers
        }
        return headers

    def _add(self, line: int, fields: list[str]) -> None:
        text = fields[0]
        try:
            number, ani = parse_destination(text)
            if self.ani_column and not ani and fields[self.ani_column].strip():
                text = fields[self.ani_column]
                ani = parse_ani(text)
            zone = NO_ZONE
            if self.zone_column:
                text = fields[self.zone_column].strip()
                zone = self._zone(text)
            times = dict.fromkeys(self.own_times, NO_TIME)
            for header, column in self.time_columns.items():
                text = fields[column].strip()
                times[header] = self._time_us(header, text)
            if NO_TIME < times[EXPIRATION_TIME] <= times[SCHEDULED_TIME]:
                raise InvalidNumberError("expires too early")
        except InvalidNumberError as error:
            self._reject(line, text, str(error))
        else:
            self.numbers.append(number)
            self.anis.append(ani)
            self.zone_of_row.append(zone)
            for header, time_us in times.items():
                self.own_times[header].append(time_us)

    def _time_us(self, header: str, text: str) -> int:
        """A time of a row in microseconds since 1970, `NO_TIME` for none."""
        if text in ("", "0", "now"):
            return NO_TIME
        try:
            if text.isdecimal():
                at = datetime.fromtimestamp(int(text), UTC)
            else:
                at = self._local(text)
        except (ValueError, OverflowError, OSError):
            raise InvalidNumberError(f"bad {header}") from None
        if at.year not in YEARS:
            raise InvalidNumberError(f"bad {header}")
        return microseconds_between(_EPOCH, at)

    def _local(self, text: str) -> datetime:
        """A time that names its offset, or a local one of the list's clock."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is not None and at.tzinfo is not None:
            return at
        if self.clock is None:
            raise ValueError("a local time needs a clock")
        return parse_clock_time(text, *self.clock)

    def _zone(self, name: str) -> int:
        index = self.zone_indexes.get(name)
        if index is None:
            is_listed = self.unknown_zones <= LOOKED_UP or name in zone_names()
            if not (is_listed and is_zone(name)):
                self.unknown_zones += 1
                raise InvalidNumberError("unknown time zone")
            index = self.zone_indexes[name] = len(self.zone_indexes) - 1
        return index

    def _reject(self, line: int, text: str, reason: str) -> None:
        shown = text.strip()
        if len(shown) > SHOWN_LENGTH:
            shown = shown[:SHOWN_LENGTH] + "..."
        self.rejected.append(RejectedRow(len(self.numbers), line, shown, reason))
        self.numbers.append(0)
        self.anis.append(0)
        self.zone_of_row.append(NO_ZONE)
        for times in self.own_times.values():
            times.append(NO_TIME)
