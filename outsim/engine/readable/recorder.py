"""The recorder: what has happened, by name, and if asked which rule made it happen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Generic, TypeVar

import numpy as np

from outsim.clock import MISSING
from outsim.engine.readable.events import EventList
from outsim.engine.readable.state import CampaignState
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    NOT_KNOWN,
    REQUEST_TYPES,
    UPDATE_TYPES,
    AttemptRecord,
    Columns,
    DeliveryRecord,
    Integers,
    Note,
    Records,
    RequestRecord,
    Row,
    Types,
    UpdateRecord,
)
from outsim.vocabulary import NO_TYPE

RowT = TypeVar("RowT", bound=Row)


class Table(Generic[RowT]):
    """The rows of one kind of record, in the order in which they began."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self._values = attrgetter(*types)
        self._rows: list[RowT | tuple[int, ...]] = []
        """What may still change stands there itself, what is settled by its values alone."""

    def __len__(self) -> int:
        return len(self._rows)

    def begin(self, row: RowT) -> None:
        """Give a row its place; its values may still change."""
        row.place = len(self._rows)
        self._rows.append(row)

    def settle(self, row: RowT) -> None:
        """Keep a row's values: they don't change any more."""
        self._rows[row.place] = self._values(row)

    def columns(self) -> dict[str, Integers]:
        """All rows as they are now, by column."""
        values = (row if isinstance(row, tuple) else self._values(row) for row in self._rows)
        shape = (len(self._rows), len(self.types))
        rows = np.fromiter(chain.from_iterable(values), np.int64, shape[0] * shape[1])
        return {name: rows.reshape(shape)[:, k] for k, name in enumerate(self.types)}


class Recorder:
    """Attempts in the order of dispatch, updates as they happen, deliveries as they are due.

    And requests as they come, where intake may refuse them.
    """

    def __init__(self, events: EventList, *, notes: bool = False) -> None:
        self.events = events
        self.attempts: Table[AttemptRecord] = Table(ATTEMPT_TYPES)
        self.updates: Table[UpdateRecord] = Table(UPDATE_TYPES)
        self.deliveries: Table[DeliveryRecord] = Table(DELIVERY_TYPES)
        self.requests: Table[RequestRecord] = Table(REQUEST_TYPES)
        self.notes: list[Note] | None = [] if notes else None
        """Which rule did what, in order; None if nobody asked."""

    def note(self, rule: int, subject: object, what: str, *values: object) -> None:
        """Say which rule acts now, on whom or what, and how; the values fill `what`."""
        if self.notes is not None:
            self.notes.append(Note(self.events.now, rule, str(subject), what.format(*values)))

    def records(self, ends_us: int, campaigns: Iterable[CampaignState]) -> Records:
        """Everything that happened before `ends_us`; campaigns in the order of their calls."""
        return Records(
            attempts=Columns(ATTEMPT_TYPES, _cut(self.attempts.columns(), ends_us)),
            updates=Columns(UPDATE_TYPES, self.updates.columns()),
            deliveries=Columns(DELIVERY_TYPES, self.deliveries.columns()),
            calls=_calls(campaigns),
            ended_us=ends_us,
            requests=Columns(REQUEST_TYPES, self.requests.columns()),
        )


def _cut(columns: dict[str, Integers], ends_us: int) -> dict[str, Integers]:
    """Of attempts still under way only what came: their course is set as they are dialed."""
    under_way = columns["ended"] == MISSING
    for name in ("ringing", "answered", "detected"):
        columns[name][under_way & (columns[name] >= ends_us)] = MISSING
    columns["outcome"][under_way] = NOT_KNOWN
    columns["callee_type"][under_way & (columns["detected"] == MISSING)] = NO_TYPE
    return columns


def _calls(campaigns: Iterable[CampaignState]) -> Columns:
    calls = [call for campaign in campaigns for call in campaign.calls]
    return Columns(
        CALL_TYPES,
        {
            name: np.fromiter(map(attrgetter(name), calls), dtype, len(calls))
            for name, dtype in CALL_TYPES.items()
        },
    )
