"""The result tables: every column with its type, its unit and its meaning, and how it is made.

Instants are ``datetime64[us]`` in the scenario's time zone, so that clock times
read as people think; they hold the engine's microseconds without loss, and are
NaT where the instant did not come. Words are categories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from outsim.errors import MomentError
from outsim.vocabulary import (
    CALLEE_TYPES,
    CAUSES,
    OUTCOMES,
    POST_RESULTS,
    REFUSAL_REASONS,
    STATUSES,
)

Kind = Literal["id", "small", "number", "flag", "instant", "seconds", "word", "name"]

DTYPES: dict[str, str] = {
    "id": "int32",
    "small": "int8",
    "number": "int64",
    "flag": "bool",
    "instant": "datetime64[us, zone of the scenario]",
    "seconds": "float64",
    "word": "category",
    "name": "category",
}

WAIT_STATES = (
    *("complete", "censored", "never", "canceled", "wedged", "rejected", "before", "refused"),
)
"""What is known of a call's wait: it is complete; the run ended first; the call ended without an
attempt that the carrier took; it was canceled first; it was wedged; it was rejected; it was over
before the moment of the snapshot that the run goes on from; intake refused it, so it has none."""


@dataclass(frozen=True)
class Column:
    """One column of a result table."""

    name: str
    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()
    """Allowed words, in their order."""
    rules: tuple[int, ...] = ()
    """Rules of the model that decide it: numbers of `outsim.engine.rules`."""
    recorded_as: str = ""
    """Its name in the records, if that is not its own (of an instant: without ``_at``)."""

    @property
    def record(self) -> str:
        """Its name in the records of an engine, if it is in them."""
        return self.recorded_as or self.name.removesuffix("_at")

    @property
    def dtype(self) -> str:
        """Type in pandas."""
        return DTYPES[self.kind]

    @property
    def unit(self) -> str:
        """Unit, where there is one."""
        return {"seconds": "s", "instant": "local time"}.get(self.kind, "")


def _instant(name: str, meaning: str, *rules: int, recorded_as: str = "") -> Column:
    return Column(name, "instant", meaning, rules=rules, recorded_as=recorded_as)


_CALL = (
    Column("call_id", "id", "number of the call in the run, by campaign and place in it"),
    Column("tenant", "name", "customer that the campaign belongs to"),
    Column("campaign", "name", "campaign that the call belongs to"),
)

CALLS = (
    *_CALL,
    Column("background", "flag", "whether it is a background tenant's", rules=(14, 15)),
    Column("index", "id", "place in the campaign's list, from 0"),
    Column("number", "number", "national number dialed; 0 where the row has none", rules=(1,)),
    Column("ani", "number", "caller ID; 0 where it has none", rules=(1, 6)),
    Column("callee_zone", "name", "time zone of the callee's clock", rules=(7, 9)),
    _instant("submitted_at", "handed in", 1, 15),
    _instant(
        "wait_starts_at",
        "start of the campaign, or submission or its own schedule if later: waits count from here",
        *(1, 2, 16),
    ),
    _instant(
        "given_up_at",
        "when its customer gives it up; missing where patience has no end",
        16,
    ),
    Column(
        "dialed_after_wanted",
        "flag",
        "whether an attempt was dispatched after given_up_at",
        rules=(4, 16),
    ),
    Column(
        "status", "word", "status when the run ended", STATUSES, rules=(8, 9, 10, 12, 16, 18, 19)
    ),
    Column("attempts", "small", "attempts dispatched", rules=(4, 8)),
    Column("outcome", "word", "outcome of the last attempt that ended", OUTCOMES, rules=(6, 7)),
    _instant("first_dispatched_at", "dispatch of the first attempt", 4),
    _instant("went_out_at", "dispatch of the first attempt that the carrier took", 4, 6),
    _instant("final_at", "when the final status came", 8, 9, 12, 16),
    Column(
        "wait_s",
        "seconds",
        "from wait_starts_at to went_out_at; missing unless complete",
        rules=(1, 4, 6),
    ),
    Column(
        "wait_state", "word", "what is known of the wait", WAIT_STATES, rules=(1, 4, 6, 9, 10, 12)
    ),
    Column("wedged", "flag", "accepted, shown as pending, and never dialed", rules=(10,)),
    Column(
        "reject_reason", "name", "why the row could not be dialed; empty if it could", rules=(1,)
    ),
)

ATTEMPTS = (
    *_CALL,
    Column("number", "number", "national number dialed", rules=(1,)),
    Column("attempt", "small", "which dial of the call, from 1", rules=(8,)),
    _instant(
        "ready_at",
        "loaded, or retry interval over: could enter the queue but for pacing",
        *(2, 8, 17),
    ),
    _instant("queued_at", "entered the outbound queue", 2, 3, 8),
    _instant("eligible_at", "not held back from here on until its dispatch", 3, 9, 13, 19),
    _instant("at_head_at", "next to go from here on", 3, 20),
    _instant("port_free_at", "a port was free from here on, it being next to go", 4, 13),
    _instant("token_free_at", "a dial token was there from here on, it being next to go", 4),
    _instant("dispatched_at", "port and dial token taken", 4),
    _instant("work_started_at", "a worker began the dial work", 5),
    _instant("dialed_at", "dial work done: the attempt is at the carrier", 5),
    _instant("ringing_at", "first ring", 6, 7),
    _instant("answered_at", "answered, by whomever", 7),
    _instant("detected_at", "callee type known", 7),
    _instant("ended_at", "over: port and channel free", 6, 7),
    Column("outcome", "word", "what became of it; missing while it lasts", OUTCOMES, rules=(6, 7)),
    Column("cause", "word", "why it was congestion; empty otherwise", CAUSES, rules=(6, 13)),
    Column(
        "callee_type",
        "word",
        "who answered, as reported; not always rightly",
        CALLEE_TYPES,
        rules=(7,),
    ),
    Column("callee_hour", "small", "hour of the callee's clock at dispatch, 0 to 23", rules=(7,)),
)

UPDATES = (
    *_CALL,
    Column(
        "attempt",
        "small",
        "attempts so far, this one included; 0 before the first entry",
        rules=(8, 10),
    ),
    Column("status", "word", "the new status", STATUSES, rules=(10,)),
    _instant("happened_at", "when the status changed", 10),
    _instant(
        "started_at", "when a worker began to process the update", 5, 10, recorded_as="begun"
    ),
    _instant("visible_at", "when the customer could see it", 5, 10),
    Column("lost", "flag", "whether the update went astray", rules=(10,)),
    Column(
        "reconciled",
        "flag",
        "whether reconciliation made it visible",
        rules=(10,),
        recorded_as="repaired",
    ),
)

DELIVERIES = (
    *_CALL,
    Column("endpoint", "name", "result_url endpoint", rules=(11,)),
    Column(
        "delivery_attempt",
        "small",
        "which POST of the call, from 1",
        rules=(11,),
        recorded_as="post",
    ),
    _instant("due_at", "ready to be sent", 10, 11),
    _instant("started_at", "sent", 11, recorded_as="begun"),
    _instant("ended_at", "answered, or given up", 11),
    Column(
        "result", "word", "what became of it; missing while it lasts", POST_RESULTS, rules=(11, 13)
    ),
)

REQUESTS = (
    *_CALL,
    Column("calls", "id", "calls that it is for: 1, or the rows of a list", rules=(1, 18)),
    _instant("came_at", "came for the first time", 18, recorded_as="came"),
    Column("tries", "small", "how often it came", rules=(18,)),
    Column(
        "reason",
        "word",
        "why it was refused the last time; empty if it never was",
        REFUSAL_REASONS,
        rules=(18,),
    ),
    _instant("taken_at", "taken; missing if it never was", 18, recorded_as="taken"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "calls": CALLS,
    "attempts": ATTEMPTS,
    "updates": UPDATES,
    "deliveries": DELIVERIES,
    "requests": REQUESTS,
}

TABLE_MEANINGS = {
    "calls": "one row a call that was handed in before the run ended, by call_id",
    "attempts": "one row an attempt, in the order of dispatch: the truth",
    "updates": "one row a change of status: the submissions, then in the order of happening",
    "deliveries": "one row a POST to a result_url, in the order in which they became due",
    "requests": "one row a request that intake could refuse, in the order in which they came",
}


_BLOCK = 1 << 16

Array = NDArray[Any]


def blocks(length: int) -> Iterator[slice]:
    """Slices that cover so many rows in turn, each small enough for the processor's cache."""
    for begin in range(0, length, _BLOCK):
        yield slice(begin, begin + _BLOCK)


def take(values: Array, places: Array) -> Array:
    """`values[places]`, in blocks: numpy widens all places to 64 bits first."""
    taken = np.empty(len(places), dtype=values.dtype)
    for rows in blocks(len(places)):
        np.take(values, places[rows], out=taken[rows], mode="clip")
    return taken


def in_spans(numbers: Array, spans: Sequence[range]) -> NDArray[np.bool_]:
    """Whether each of some int32 numbers, none of them negative, lies in one of the spans."""
    is_inside = np.zeros(len(numbers), dtype=np.bool_)
    for rows in blocks(len(numbers)):
        for span in spans:
            # What lies before the span wraps around, to beyond its length.
            is_inside[rows] |= (numbers[rows] - np.int32(span.start)).view(np.uint32) < len(span)
    return is_inside


def code_type(words: Sequence[object]) -> type[np.signedinteger[Any]]:
    """Smallest type of the codes of so many words, as pandas has it."""
    return next(t for t in (np.int8, np.int16, np.int32) if len(words) < np.iinfo(t).max)


def frame(
    columns: Iterable[Column],
    array_of: Callable[[Column], Array],
    names: Mapping[str, Sequence[str]],
    zone: str,
) -> pd.DataFrame:
    """Data frame of these columns, which shares the memory of their arrays and can only be read.

    `array_of` gives instants in microseconds since 1970, and codes for words; `names` has the
    words of columns whose words the schema does not know.
    """
    shown = {}
    for column in columns:
        array = array_of(column).view()
        array.flags.writeable = False
        shown[column.name] = _shown(array, column, names.get(column.name, column.words), zone)
    return pd.DataFrame(shown, copy=False)


def microseconds(instants: pd.Series[Any]) -> NDArray[np.int64]:
    """Microseconds since 1970 of a column; `clock.MISSING` where an instant did not come."""
    return instants.to_numpy(dtype="datetime64[us]").view(np.int64)


def handed_out(table: pd.DataFrame) -> pd.DataFrame:
    """A table to give away, columns shared until written to: this one stays as it is."""
    for dtype in table.dtypes:
        if isinstance(dtype, pd.CategoricalDtype):
            dtype.categories.name = None  # the one thing that copies share and that can be set
    copy = table.copy(deep=False)
    # A column that only one table has is written to where it is, and this memory can be read
    # only: so the other table has to be there for as long as this one is.
    object.__setattr__(copy, "_given_of", table)
    return copy


def _shown(array: Array, column: Column, words: Sequence[str], zone: str) -> Any:
    if column.kind == "instant":
        return pd.array(array, dtype=pd.DatetimeTZDtype("us", zone), copy=False)
    if column.kind in ("word", "name"):
        categories: Any = pd.Index(list(words), dtype="str")
        codes = array.astype(code_type(words), copy=False)
        return pd.Categorical.from_codes(codes, categories=categories, validate=False)
    return array.view(column.dtype)


def checked_step(every: str | timedelta) -> str | timedelta:
    """A step of time as pandas writes it, such as ``"5min"``; MomentError if it is none."""
    try:
        step = to_offset(every)
    except (ValueError, TypeError):
        step = None
    if step is None or step.n <= 0:
        raise MomentError(f"every: found {every!r}; write a step such as '1min', '30s' or '1h'")
    return every
