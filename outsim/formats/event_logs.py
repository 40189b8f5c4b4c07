"""Event logs for process mining: XES (IEEE 1849-2016) and OCEL 2.0 in JSON.

Events are the changes of a call's status, at the instant at which they happened; when the customer
could see them is an attribute. In XES a case is a call. In OCEL objects are tenants, campaigns and
calls, so that a campaign's or a tenant's events are found as easily as a call's; the format:
https://www.ocel-standard.org/specification/, 2.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from outsim.formats.selection import BinaryFile, Selection, binary_file, plain
from outsim.text import visible
from outsim.vocabulary import AFTER_ATTEMPT_STATUSES, STATUSES, UNDER_WAY_STATUSES

CALLS_AT_ONCE = 1 << 12
"""Calls that are turned into Python objects at a time: memory does not grow with the result."""


class Call(NamedTuple):
    """A call, with its values by column of the calls table, and its events in order."""

    values: dict[str, Any]
    events: list[dict[str, Any]]
    """By column of the updates table; ``outcome``, ``cause`` and ``callee_type`` are those of
    the attempt that the event ends, else None."""


_CALL_COLUMNS = (
    *("call_id", "tenant", "campaign", "background", "index", "number", "ani", "submitted_at"),
    *("wait_starts_at", "status", "attempts", "outcome", "wait_s", "wait_state", "wedged"),
    "reject_reason",
)
_EVENT_COLUMNS = ("attempt", "status", "happened_at", "visible_at", "lost", "reconciled")
_OF_ATTEMPT = ("outcome", "cause", "callee_type")


def calls_of(selection: Selection) -> Iterator[Call]:
    """Each call with its true changes of status, `CALLS_AT_ONCE` of them in memory."""
    calls, updates = selection.table("calls"), selection.table("updates")
    attempts = selection.table("attempts")
    order = np.argsort(updates["call_id"].to_numpy(), kind="stable")
    call_of_update = updates["call_id"].to_numpy()[order]
    attempt_order = np.argsort(attempts["call_id"].to_numpy(), kind="stable")
    call_of_attempt = attempts["call_id"].to_numpy()[attempt_order]
    more = selection.counting(len(calls))
    for begin in range(0, len(calls), CALLS_AT_ONCE):
        block = calls.iloc[begin : begin + CALLS_AT_ONCE]
        first, last = block["call_id"].iloc[[0, -1]]
        rows = order[slice(*np.searchsorted(call_of_update, [first, last + 1]))]
        events = _records(updates.iloc[rows], ("call_id", *_EVENT_COLUMNS))
        rows = attempt_order[slice(*np.searchsorted(call_of_attempt, [first, last + 1]))]
        ended = {
            (record.pop("call_id"), record.pop("attempt")): record
            for record in _records(attempts.iloc[rows], ("call_id", "attempt", *_OF_ATTEMPT))
        }
        by_call: dict[int, list[dict[str, Any]]] = {}
        for event in events:
            call_id = event.pop("call_id")
            is_after = event["status"] in AFTER_ATTEMPT_STATUSES
            came_of = ended.get((call_id, event["attempt"])) if is_after else None
            before = by_call.setdefault(call_id, [])
            # A call that is canceled while it waits has its attempt's end behind it.
            if came_of and before and before[-1]["status"] in UNDER_WAY_STATUSES:
                event |= came_of
            before.append(event)
        for values in _records(block, _CALL_COLUMNS):
            yield Call(values, by_call.get(values["call_id"], []))
        more(len(block))


def _records(table: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows of a table as plain values."""
    values = [plain(table[column]).tolist() for column in columns]
    for row in zip(*values, strict=True):
        yield dict(zip(columns, row, strict=True))


_EXTENSIONS = {
    "Concept": ("concept", "http://www.xes-standard.org/concept.xesext"),
    "Time": ("time", "http://www.xes-standard.org/time.xesext"),
    "Lifecycle": ("lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    "Organizational": ("org", "http://www.xes-standard.org/org.xesext"),
}
_HEAD = (
    """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
"""
    + "".join(
        f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
        for name, (prefix, uri) in _EXTENSIONS.items()
    )
    + """<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/>\
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/></global>
<classifier name="status" keys="concept:name"/>
"""
)


def write_xes(selection: Selection, path: Path) -> None:
    """Write the calls as an XES event log."""
    with binary_file(path) as file:
        file.write(_HEAD.encode())
        file.write(_attribute("concept:name", selection.result.scenario.name).encode())
        for call in calls_of(selection):
            values = {"concept:name": str(call.values["call_id"])} | call.values
            lines = ["<trace>", *_attributes(values)]
            for event in call.events:
                standard = {
                    "concept:name": event["status"],
                    "lifecycle:transition": "complete",
                    "org:resource": call.values["tenant"],
                    "time:timestamp": event["happened_at"],
                }
                rest = {k: v for k, v in event.items() if k not in ("status", "happened_at")}
                lines += ["<event>", *_attributes(standard | rest), "</event>"]
            file.write("".join([*lines, "</trace>\n"]).encode())
        file.write(b"</log>\n")


def _attributes(values: Mapping[str, Any]) -> list[str]:
    """Attributes that have a value."""
    return [_attribute(key, value) for key, value in values.items() if value not in (None, "")]


def _attribute(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<boolean key="{key}" value="{str(value).lower()}"/>'
    if isinstance(value, int):
        return f'<int key="{key}" value="{value}"/>'
    if isinstance(value, float):
        return f'<float key="{key}" value="{value}"/>'
    kind = "date" if key == "time:timestamp" or key.endswith(("_at", "_from")) else "string"
    return f'<{kind} key="{key}" value={quoteattr(visible(value))}/>'


_CALL = {
    "background": "boolean",
    "index": "integer",
    "number": "integer",
    "ani": "integer",
    "wait_starts_at": "time",
    "status": "string",
    "attempts": "integer",
    "outcome": "string",
    "wait_s": "float",
    "wait_state": "string",
    "wedged": "boolean",
    "reject_reason": "string",
}
_EVENT = {"attempt": "integer", "visible_at": "time", "lost": "boolean", "reconciled": "boolean"}
_END = {"outcome": "string", "cause": "string", "callee_type": "string"}
_ALWAYS = "1970-01-01T00:00:00.000000+00:00"
"""When an attribute that never changes came to be so: the standard asks for an instant."""


def write_ocel(selection: Selection, path: Path) -> None:
    """Write the calls as an OCEL 2.0 event log in JSON."""
    with binary_file(path) as file:
        file.write(b'{"objectTypes": ')
        file.write(_json([_type("tenant", {}), _type("campaign", {}), _type("call", _CALL)]))
        file.write(b',\n"eventTypes": ')
        file.write(_json([_type(name, _EVENT | _end_of(name)) for name in STATUSES]))
        # Objects come before events, and both are made of the calls: they are gone through twice.
        file.write(b',\n"objects": [')
        silent = Selection(selection.result, selection.campaign)
        _write_list(file, _objects(calls_of(silent)))
        file.write(b'],\n"events": [')
        _write_list(file, _ocel_events(calls_of(selection)))
        file.write(b"]}\n")


def _end_of(status: str) -> dict[str, str]:
    return _END if status in AFTER_ATTEMPT_STATUSES else {}


def _type(name: str, attributes: dict[str, str]) -> dict[str, Any]:
    shown = [{"name": key, "type": kind} for key, kind in attributes.items()]
    return {"name": name, "attributes": shown}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write_list(file: BinaryFile, entries: Iterator[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        file.write((b",\n" if number else b"\n") + _json(entry))


def _object(name: str, kind: str, values: dict[str, Any], **related: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": kind,
        "attributes": [
            {"name": key, "time": _ALWAYS, "value": value} for key, value in values.items()
        ],
        "relationships": [{"objectId": other, "qualifier": how} for how, other in related.items()],
    }


def _ids(values: dict[str, Any]) -> dict[str, str]:
    """Names of the objects that an event of a call is about, by their kind."""
    tenant = f"tenant:{values['tenant']}"
    campaign = f"campaign:{values['tenant']}/{values['campaign']}"
    return {"call": f"call:{values['call_id']}", "campaign": campaign, "tenant": tenant}


def _objects(calls: Iterator[Call]) -> Iterator[dict[str, Any]]:
    """Every call, and each tenant and campaign before the first of its calls."""
    known: set[str] = set()
    for call in calls:
        ids = _ids(call.values)
        if ids["tenant"] not in known:
            known.add(ids["tenant"])
            yield _object(ids["tenant"], "tenant", {})
        if ids["campaign"] not in known:
            known.add(ids["campaign"])
            yield _object(ids["campaign"], "campaign", {}, belongs_to=ids["tenant"])
        yield _object(ids["call"], "call", _facts(call.values, _CALL), belongs_to=ids["campaign"])


def _facts(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Values that are there, of these names."""
    return {key: values[key] for key in names if values.get(key) not in (None, "")}


def _ocel_events(calls: Iterator[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        related = [
            {"objectId": other, "qualifier": how} for how, other in _ids(call.values).items()
        ]
        for number, event in enumerate(call.events):
            values = _facts(event, _EVENT | _END)
            yield {
                "id": f"{call.values['call_id']}.{number}",
                "type": event["status"],
                "time": event["happened_at"],
                "attributes": [{"name": key, "value": value} for key, value in values.items()],
                "relationships": related,
            }
