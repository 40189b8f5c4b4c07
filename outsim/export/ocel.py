"""An object-centric event log for process mining: OCEL 2.0 in JSON.

Objects are tenants, campaigns and calls; events are the changes of a call's status, at the
instant at which they happened. Unlike in a log of cases, a campaign's or a tenant's events are
found as easily as a call's. The format: https://www.ocel-standard.org/specification/, 2.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outsim.export.events import ENDS, Call, calls_of
from outsim.export.selection import Selection
from outsim.export.writing import BinaryFile, binary_file
from outsim.vocabulary import STATUSES

_CALL = {
    "background": "boolean",
    "index": "integer",
    "number": "integer",
    "ani": "integer",
    "waits_from": "time",
    "status": "string",
    "attempts": "integer",
    "outcome": "string",
    "wait_s": "float",
    "wait_state": "string",
    "wedged": "boolean",
    "reject_reason": "string",
}
_EVENT = {"attempt": "integer", "visible_at": "time", "lost": "boolean", "repaired": "boolean"}
_END = {"outcome": "string", "cause": "string", "callee_type": "string"}
_ALWAYS = "1970-01-01T00:00:00.000000+00:00"
"""When an attribute that never changes came to be so: the standard asks for an instant."""


def write_ocel(selection: Selection, path: Path) -> None:
    """Write the calls as an OCEL 2.0 event log in JSON."""
    with binary_file(path) as file:
        file.write(b'{"objectTypes": ')
        file.write(_text([_type("tenant", {}), _type("campaign", {}), _type("call", _CALL)]))
        file.write(b',\n"eventTypes": ')
        file.write(_text([_type(name, _EVENT | _end_of(name)) for name in STATUSES]))
        # Objects come before events, and both are made of the calls: they are gone through twice.
        file.write(b',\n"objects": [')
        told = Selection(selection.result, selection.campaign)
        _write_list(file, _objects(calls_of(told)))
        file.write(b'],\n"events": [')
        _write_list(file, _events(calls_of(selection)))
        file.write(b"]}\n")


def _end_of(status: str) -> dict[str, str]:
    return _END if status in ENDS else {}


def _type(name: str, attributes: dict[str, str]) -> dict[str, Any]:
    shown = [{"name": key, "type": kind} for key, kind in attributes.items()]
    return {"name": name, "attributes": shown}


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write_list(file: BinaryFile, entries: Iterator[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        file.write((b",\n" if number else b"\n") + _text(entry))


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
        yield _object(ids["call"], "call", _said(call.values, _CALL), belongs_to=ids["campaign"])


def _said(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Values that are there, of these names."""
    return {key: values[key] for key in names if values.get(key) not in (None, "")}


def _events(calls: Iterator[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        related = [
            {"objectId": other, "qualifier": how} for how, other in _ids(call.values).items()
        ]
        for number, event in enumerate(call.events):
            values = _said(event, _EVENT | _END)
            yield {
                "id": f"{call.values['call_id']}.{number}",
                "type": event["status"],
                "time": event["happened_at"],
                "attributes": [{"name": key, "value": value} for key, value in values.items()],
                "relationships": related,
            }
