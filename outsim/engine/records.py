"""What an engine records: integers only, in the order in which things happened.

Both engines fill the same columns; tables, views and figures are derived from
them afterwards. An instant that did not come is `clock.MISSING`.

Each column has the smallest type that holds it. What is instants, and nothing
else, has 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from outsim import reuse
from outsim.clock import MISSING
from outsim.text import brief

MODEL_VERSION = 2
"""Raised whenever any scenario's records change: studies of two versions don't mix."""

Integers = NDArray[np.int64]
Recorded = NDArray[np.signedinteger[Any]]
"""A column as it is recorded: of the type that the tables below give it."""
Types = Mapping[str, type[np.signedinteger[Any]]]

NOT_KNOWN = -1
"""Outcome of an attempt, or result of a post, that is still under way."""

_INSTANT = np.int64

Instant = Annotated[int, _INSTANT]
Id = Annotated[int, np.int32]
Small = Annotated[int, np.int8]


class Row:
    """What is recorded of one thing, under way."""

    __slots__ = ("place",)

    place: int
    """Among the rows of its kind."""


@dataclass(slots=True, eq=False)
class AttemptRecord(Row):
    """One dial of a call; there is a row for each, in the order of dispatch."""

    call_id: Id
    attempt: Small
    ready: Instant = MISSING
    queued: Instant = MISSING
    eligible: Instant = MISSING
    at_head: Instant = MISSING
    port_free: Instant = MISSING
    token_free: Instant = MISSING
    dispatched: Instant = MISSING
    work_started: Instant = MISSING
    dialed: Instant = MISSING
    ringing: Instant = MISSING
    answered: Instant = MISSING
    detected: Instant = MISSING
    ended: Instant = MISSING
    outcome: Small = 0
    cause: Small = 0
    callee_type: Small = 0


@dataclass(slots=True, eq=False)
class UpdateRecord(Row):
    """One change of status of a call; there is a row for each, in the order they happened in."""

    call_id: Id
    attempt: Small
    status: Small
    happened: Instant
    begun: Instant = MISSING
    visible: Instant = MISSING
    lost: Small = 0
    repaired: Small = 0


@dataclass(slots=True, eq=False)
class DeliveryRecord(Row):
    """One post of a final result; there is a row for each, in the order they became due in."""

    call_id: Id
    post: Small
    due: Instant
    begun: Instant = MISSING
    ended: Instant = MISSING
    result: Small = NOT_KNOWN


@dataclass(slots=True, eq=False)
class RequestRecord(Row):
    """A list or single call that intake could refuse; there is a row for each, as they came."""

    call_id: Id
    came: Instant
    tries: Small = 0
    reason: Small = 0
    taken: Instant = MISSING


@dataclass(slots=True, eq=False)
class CallRecord:
    """How a call stands in the end; there is a row for each, by call_id."""

    status: Small
    attempts: Small = 0
    final: Instant = MISSING


def _types(record: type[Any]) -> Types:
    """Names and types of a record's columns."""
    hints = get_type_hints(record, include_extras=True)
    return {column.name: hints[column.name].__metadata__[0] for column in fields(record)}


ATTEMPT_TYPES = _types(AttemptRecord)
UPDATE_TYPES = _types(UpdateRecord)
DELIVERY_TYPES = _types(DeliveryRecord)
CALL_TYPES = _types(CallRecord)
REQUEST_TYPES = _types(RequestRecord)

_BLOCK = 1 << 14
"""Instants that are shifted at a time: they stay in the processor's cache from pass to pass."""


def shift(instants: Integers, by_us: int) -> None:
    """Move instants by so many microseconds, in place; those that did not come stay missing."""
    for begin in range(0, len(instants), _BLOCK):
        block = instants[begin : begin + _BLOCK]
        came = block != MISSING
        # A product and not a mask: the processor can't guess which instants are missing.
        block += by_us if came.all() else came * np.int64(by_us)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


class Columns(Mapping[str, Recorded]):
    """Columns of one kind of record, by name; instants count from where the run begins.

    Result tables show instants as clock times, which count from 1970. A copy of them for that
    would double what a result takes, so tables and records share one memory: `since` moves a
    column in place, once, to the origin that the tables want, and gives it out. Whoever reads
    that column here afterwards gets it moved back, in a copy made at that moment; all other
    columns are given as they are. What is given out can be read only.

    Parameters
    ----------
    types : mapping
        Names of the columns in their order, and their types.
    arrays : mapping
        One array for each, of equal length. They are taken over, so each has memory of its
        own that can be written to; one that has not its type is converted.
    """

    def __init__(self, types: Types, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._types = types
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(arrays[name], dtype=dtype) for name, dtype in types.items()
        }
        self._origins_us = dict.fromkeys(types, 0)

    @classmethod
    def of(cls, types: Types, arrays: Mapping[str, NDArray[Any]]) -> Columns:
        """Columns as they are, or made of other arrays."""
        return arrays if isinstance(arrays, cls) else cls(types, arrays)

    def __getitem__(self, name: str) -> Recorded:
        array, origin_us = self._arrays[name], self._origins_us[name]
        if origin_us == 0:
            return _read_only(array)
        moved_back = array.copy()
        shift(moved_back, -origin_us)
        return moved_back

    def __repr__(self) -> str:
        return f"Columns({self.rows:,} rows of {', '.join(self)})"

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self._arrays[next(iter(self._types))])

    def since(self, name: str, origin_us: int) -> Integers:
        """The instants of a column, counted from `origin_us` before the run begins; no copy."""
        array = self._arrays[name]
        if origin_us != self._origins_us[name]:
            shift(array, origin_us - self._origins_us[name])
            self._origins_us[name] = origin_us
        return _read_only(array)

    def continue_from(self, name: str, first: NDArray[Any], origin_us: int = 0) -> NDArray[Any]:
        """`first` and a column, joined; the column is from here on a part of that array.

        So it is in memory once, and one column at a time twice. Instants in `first` count
        from `origin_us` before the run begins, and so do those that are given out.
        """
        rest = self._arrays[name]
        joined = reuse.empty(len(first) + len(rest), self._types[name])
        joined[: len(first)], joined[len(first) :] = first, rest
        self._arrays[name] = joined[len(first) :]
        if self._types[name] is _INSTANT:
            self.since(name, origin_us)
        return _read_only(joined)


def _no_requests() -> Columns:
    return Columns(REQUEST_TYPES, {name: np.empty(0, np.int64) for name in REQUEST_TYPES})


@dataclass(frozen=True, eq=False)
class Records:
    """Everything that happened in one run."""

    __repr__ = brief

    attempts: Columns
    updates: Columns
    deliveries: Columns
    calls: Columns
    ended_us: int
    """Where the run ended: what was to come at this instant or later is not in it."""
    requests: Columns = field(default_factory=_no_requests)

    def __post_init__(self) -> None:
        """Give columns that come as plain arrays their types."""
        for kind, types in (
            ("attempts", ATTEMPT_TYPES),
            ("updates", UPDATE_TYPES),
            ("deliveries", DELIVERY_TYPES),
            ("calls", CALL_TYPES),
            ("requests", REQUEST_TYPES),
        ):
            object.__setattr__(self, kind, Columns.of(types, getattr(self, kind)))


class Note(NamedTuple):
    """A rule that acted: the readable engine notes it where it is asked to."""

    at: int
    rule: int
    subject: str
    what: str
