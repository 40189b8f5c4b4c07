"""Where two runs of a plan part: the first record in which they differ, and what was around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from outsim.clock import MISSING, NEVER, SECOND
from outsim.engine.order import EventClass
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    REQUEST_TYPES,
    UPDATE_TYPES,
    Columns,
    Records,
    Types,
)
from outsim.plan import OutagePlan, Plan, SuspensionPlan
from outsim.vocabulary import DROPPED, STATUS_TABLE

AROUND = 10
"""Events that are shown before the first difference, and after it."""


@dataclass(frozen=True)
class _Kind:
    """One kind of record: what names a row of it, and when the row begins."""

    types: Types
    names: tuple[str, ...]
    begins: str

    def is_instant(self, column: str) -> bool:
        return self.types[column] is np.int64


CLOSING = len(EventClass)
"""Work begins as an instant closes, after all classes of events."""
LAST = CLOSING + 1
"""What only repeats other records, or their order."""

COLUMN_CLASSES = {
    ("attempts", "ready"): EventClass.ENTERS_QUEUE,
    ("attempts", "queued"): EventClass.ENTERS_QUEUE,
    ("attempts", "dispatched"): EventClass.DISPATCH,
    ("attempts", "work_started"): CLOSING,
    ("attempts", "dialed"): EventClass.WORKER_FINISHES,
    ("attempts", "ended"): EventClass.ATTEMPT_ENDS,
    ("updates", "begun"): CLOSING,
    ("updates", "visible"): EventClass.WORKER_FINISHES,
    ("calls", "final"): LAST,
    ("requests", "came"): EventClass.REQUEST,
    ("requests", "taken"): EventClass.REQUEST,
}
"""When in its instant a column's event comes; `OTHER` for those that are not here."""

_NAMES = tuple(ATTEMPT_TYPES)
DECIDED = {
    "outcome": "dialed",
    "cause": "dialed",
    "callee_type": "answered",
    "lost": "happened",
    "repaired": "visible",
    "result": "begun",
    "status": "final",
    "attempts": "final",
    "tries": "came",
    "reason": "came",
    # What an attempt waited for stands between its entry and its dispatch.
    **dict.fromkeys(_NAMES[_NAMES.index("queued") + 1 : _NAMES.index("dispatched")], "dispatched"),
}
"""The instant at which a value is settled that is none itself, or is noted down later."""

_CUT_SHORT = ("outcome", "cause", "callee_type")
"""Values that are settled by the end of an attempt that is cut off."""

_KINDS = {
    "attempts": _Kind(ATTEMPT_TYPES, ("call_id", "attempt"), "dispatched"),
    "updates": _Kind(UPDATE_TYPES, ("call_id", "attempt", "status"), "happened"),
    "deliveries": _Kind(DELIVERY_TYPES, ("call_id", "post"), "due"),
    "calls": _Kind(CALL_TYPES, ("call_id",), "final"),
    "requests": _Kind(REQUEST_TYPES, ("call_id",), "came"),
}

Name = tuple[int, ...]
Row = dict[str, int]


class Event(NamedTuple):
    """Something that the records say of one instant."""

    at: int
    table: str
    kind: str
    name: Name


class Difference(NamedTuple):
    """A record that is another one in two runs, or that only one of them has."""

    at: int
    """Instant from which on it differs."""
    step: int
    """Place in that instant: a class of events, `CLOSING` or `LAST`."""
    later: int
    """0 if the event itself differs or is missing, 1 for what is noted with it."""
    table: str
    place: int
    name: Name
    column: str
    """The column that differs first; empty where only one run has the record."""
    one: Row | None
    other: Row | None

    @property
    def columns(self) -> list[str]:
        """The columns that differ; all of a record that only one run has."""
        if self.one is None or self.other is None:
            return list(self.one or self.other or ())
        return [c for c in self.one if self.one[c] != self.other[c]]


def same(one: Records, other: Records) -> bool:
    """Whether two runs have the same records, every column of them, and ended together."""
    return one.ended_us == other.ended_us and all(
        np.array_equal(getattr(one, table)[column], getattr(other, table)[column])
        for table, kind in _KINDS.items()
        for column in kind.types
    )


def find_first(one: Records, other: Records) -> Difference | None:
    """The first record in which two runs of a plan differ; None if they are the same.

    First in time, then in the order that events have within an instant.
    """
    return None if same(one, other) else min(_differences(one, other))


def told(
    plan: Plan, one: Records, other: Records, first: Difference, sides: tuple[str, str]
) -> Iterator[str]:
    """Lines that show a difference side by side, and the events around it."""
    yield from _side_by_side(first, sides)
    yield ""
    yield f"Around it, in {sides[0]}, {sides[1]} or both:"
    yield from _around(plan, one, other, first.at, sides)


def _rows(columns: Columns, kind: _Kind) -> dict[Name, Row]:
    """Rows by name; one that comes again has a number more in its name."""
    lists = {column: columns[column].tolist() for column in kind.types}
    size = columns.rows
    lists = {"call_id": list(range(size)), "place": list(range(size))} | lists
    seen: Counter[Name] = Counter()
    rows: dict[Name, Row] = {}
    for values in zip(*lists.values(), strict=True):
        row = dict(zip(lists, values, strict=True))
        name = tuple(row[part] for part in kind.names)
        seen[name] += 1
        rows[name if seen[name] == 1 else (*name, seen[name])] = row
    return rows


def _differences(one: Records, other: Records) -> Iterator[Difference]:
    ended = min(one.ended_us, other.ended_us)
    if one.ended_us != other.ended_us:
        rows = ({"ended_us": one.ended_us}, {"ended_us": other.ended_us})
        yield Difference(ended, LAST, 0, "the run", 0, (), "ended_us", *rows)
    for table, kind in _KINDS.items():
        ours, theirs = (_rows(getattr(records, table), kind) for records in (one, other))
        for name in ours | theirs:
            row, its = ours.get(name), theirs.get(name)
            if row != its:
                yield _difference(table, name, row, its, ended)


def _difference(
    table: str, name: Name, one: Row | None, other: Row | None, ended: int
) -> Difference:
    """When and in what two rows part: in the earliest instant that only one of them has.

    A value that is no instant parts when it was settled, and a row that only one run has when
    it begins; at the end of the run where that did not come.
    """
    kind = _KINDS[table]
    known = [row for row in (one, other) if row is not None]
    place = min(row["place"] for row in known)

    def earliest(column: str) -> int:
        return min((row[column] for row in known if row[column] != MISSING), default=ended)

    if one is None or other is None:
        step = _step(table, kind.begins, known[0])
        return Difference(earliest(kind.begins), step, 0, table, place, name, "", one, other)
    parted = []
    for column in kind.types:
        if one[column] != other[column]:
            settled = DECIDED.get(column, column)
            if column in _CUT_SHORT and _is_dropped(one, other):
                settled = "ended"
            step = _step(table, settled, one)
            parted.append((earliest(settled), step, int(settled != column), column))
    if not parted:
        return Difference(earliest(kind.begins), LAST, 0, table, place, name, "place", one, other)
    at, step, later, column = min(parted)
    return Difference(at, step, later, table, place, name, column, one, other)


def _is_dropped(*rows: Row) -> bool:
    """Whether an attempt was cut off in one of the runs: its outcome is settled only then."""
    return any(row["cause"] == DROPPED for row in rows)


def _step(table: str, column: str, row: Row) -> int:
    if (table, column) == ("updates", "happened"):
        status = STATUS_TABLE[row["status"]]
        if status.group == "ended otherwise":
            return EventClass.CONTROL
        table, column = "attempts", status.came_at or "ended"
    return COLUMN_CLASSES.get((table, column), EventClass.OTHER)


def _seconds(at: int) -> str:
    return f"{at / SECOND:.6f}"


def _campaign_and_index(plan: Plan, call_id: int) -> str:
    firsts = [campaign.first_call_id for campaign in plan.by_call]
    campaign = plan.by_call[int(np.searchsorted(firsts, call_id, side="right")) - 1]
    return f"{campaign.full_name} call {call_id - campaign.first_call_id}"


def record_name(plan: Plan, table: str, name: Name) -> str:
    """Campaign, index and number of what a record is about."""
    if not name:
        return "its end"
    call_id, *parts = name
    words = [*_KINDS[table].names[1:], "time"]
    return ", ".join(
        [
            _campaign_and_index(plan, call_id),
            *(f"{word} {part}" for word, part in zip(words, parts, strict=False)),
        ]
    )


def _side_by_side(first: Difference, engines: tuple[str, str]) -> Iterator[str]:
    """The columns in which they differ, and after them those that are the same."""
    kind = _KINDS.get(first.table)
    differing = first.columns
    columns = list(first.one or first.other or ())

    def text_of(row: Row | None, column: str) -> str:
        if row is None:
            return "no such record"
        value = row[column]
        if column != "ended_us" and (kind is None or column not in kind.types):
            return str(value)
        if kind is not None and not kind.is_instant(column):
            return str(value)
        return "-" if value == MISSING else f"{_seconds(value)} s"

    yield f"  {'':14}{engines[0]:>18}{engines[1]:>18}"
    for column in [c for c in columns if c in differing]:
        yield f"* {column:14}{text_of(first.one, column):>18}{text_of(first.other, column):>18}"
    for column in [c for c in columns if c not in differing]:
        value = text_of(first.one, column)
        yield f"  {column:14}{value:>18}{value:>18}"


def events(records: Records) -> set[Event]:
    """Every instant that the records have, and of what."""
    return {
        Event(row[column], table, column, name)
        for table, kind in _KINDS.items()
        for name, row in _rows(getattr(records, table), kind).items()
        for column in kind.types
        if kind.is_instant(column) and row[column] != MISSING
    }


def controls(plan: Plan, until_us: int) -> list[tuple[int, str, int]]:
    """What is done to the platform from outside until then: when, what, and to which campaign.

    The campaign is its rank, or -1 where it is no single one.
    """
    disturbances: list[tuple[str, SuspensionPlan | OutagePlan]] = [
        *((hold.label, hold) for hold in plan.suspensions),
        *(("outage of " + o.of, o) for o in plan.outages),
    ]
    done = [
        (at, f"{what} {edge}", -1)
        for what, disturbance in disturbances
        for edge, at in (("begins", disturbance.begins_us), ("ends", disturbance.ends_us))
    ]
    for campaign in plan.campaigns:
        rules = campaign.rules
        done.append((rules.stop_effect_us, "stop takes effect", campaign.rank))
        done.append((rules.expires_us, "calls expire", campaign.rank))
        for spans in rules.window:
            for opens, closes in spans:
                if opens > 0:
                    done.append((opens, "window opens", campaign.rank))
                done.append((closes, "window closes", campaign.rank))
    return sorted(
        disturbance for disturbance in done if 0 <= disturbance[0] < min(until_us, NEVER)
    )


def _around(
    plan: Plan, one: Records, other: Records, at: int, engines: tuple[str, str]
) -> Iterator[str]:
    """About ten events before an instant, all that differ at it, and about ten from it on."""
    ours, theirs = events(one), events(other)
    lines = [
        (
            event.at,
            "both" if event in ours and event in theirs else engines[event not in ours],
            f"{event.table} {event.kind}",
            record_name(plan, event.table, event.name),
        )
        for event in ours | theirs
    ]
    for when, what, rank in controls(plan, max(one.ended_us, other.ended_us)):
        campaign = plan.campaigns[rank] if rank >= 0 else None
        lines.append((when, "plan", what, campaign.full_name if campaign else ""))
    # At the instant itself what only one engine has comes first: it is why the other goes on.
    lines.sort(key=lambda line: (line[0], line[1] == "both", line[2:]))
    before = [line for line in lines if line[0] < at][-AROUND:]
    after = [line for line in lines if line[0] >= at][:AROUND]
    for when, where, what, whose in before + after:
        mark = "*" if when >= at and where in engines else " "
        yield f"{mark} {_seconds(when):>16} s  {where:9} {what:24} {whose}"
