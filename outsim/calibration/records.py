"""Records of the platform's own: its call log, and what it posts to result_url.

Both come as JSON (one document, or one record a line); the records of result_url also as the
form fields that were posted, one record a line. Plum's pages "Call Logs API", "Outbound Calling
Guide", "Get Outbound Call Status" and "Result URL" describe them; the names of the form's fields
are those that a public client reads, and no page gives the values of ``result``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa

from outsim.calibration.lines import Parsed, blocks, shown
from outsim.calibration.log import ANSWERED, UNANSWERED
from outsim.calibration.mapping import LEFT_OUT, Mapping

BATCH = 50_000
"""Records that are made into columns at a time."""
LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of a document that is not one record a line."""

ALLOWED = "write one record of the platform a line, as JSON or as form fields"

CALL_LOG = Mapping(
    columns={
        "started": ("start",),
        "ended": ("end",),
        "number": ("dest",),
        "direction": ("type",),
        "id": ("log_id",),
    }
)
"""The call log tells of times and numbers alone: what became of a call is not in it."""

_FIELDS = ("started", "outcome", "answered_by", "ring_s", "talk_s", "number", "attempt", "id")
RESULTS = Mapping(
    columns={name: (name,) for name in _FIELDS},
    outcomes={
        "completed": ANSWERED,
        "failed": UNANSWERED,
        **dict.fromkeys(("canceled after attempts", "expired after attempts"), UNANSWERED),
        **dict.fromkeys(("canceled", "expired", "rejected", "never dialled"), LEFT_OUT),
        "noanswer": "no_answer",
    },
    last_only=True,
)

Record = dict[str, Any]


def records(path: Path) -> Iterator[tuple[int, Record | None, str]]:
    """(line, record, its text) of a file; None where a line is no record.

    A document over several lines, or an envelope of logs, has its entries counted instead.
    """
    for line, block in blocks(path):
        rows = block.decode().split("\n")[:-1]
        if line == 1 and _is_one_document(rows):
            yield from _document(path)
            return
        for k, text in enumerate(rows):
            if not text.strip():
                continue
            record = _record(text)
            inside = None if record is None else _inside(record)
            if inside is None:
                yield line + k, record, text
            else:
                yield from ((line + k, *_entry(each)) for each in inside)


def _is_one_document(rows: list[str]) -> bool:
    first = next((row.strip() for row in rows if row.strip()), "")
    return first[:1] in ("{", "[") and _loaded(first) is None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _document(path: Path) -> Iterator[tuple[int, Record | None, str]]:
    text = bytearray()
    for _, block in blocks(path):
        text += block
        if len(text) > LARGEST_DOCUMENT:
            return
    found = _loaded(text.decode())
    if found is None:
        # Not a document after all: a first line that is cut off, and records after it.
        for k, line in enumerate(text.decode().split("\n")):
            if line.strip():
                yield k + 1, _record(line), line
        return
    entries = _inside(found)
    for k, each in enumerate([found] if entries is None else entries):
        yield k + 1, *_entry(each)


def _entry(each: Any) -> tuple[Record | None, str]:
    return (each if isinstance(each, dict) else None), json.dumps(each)


def _inside(found: Any) -> list[Any] | None:
    """Entries of an envelope or a list; None if it is a record itself."""
    if isinstance(found, list):
        return found
    result = found.get("result")
    logs = result.get("logs") if isinstance(result, dict) else found.get("logs")
    return logs if isinstance(logs, list) else None


def _record(text: str) -> Record | None:
    text = text.strip()
    if text[:1] in ("{", "["):
        found = _loaded(text)
        if isinstance(found, list):
            return {"logs": found}
        return found if isinstance(found, dict) else None
    fields = dict(parse_qsl(text, keep_blank_values=True)) if "=" in text else {}
    return fields if "call_id" in fields or "phone_number" in fields else None


def is_call_log(record: Record) -> bool:
    """Whether a record is one of a call log, not of result_url."""
    return "dest" in record and "start" in record


def columns(
    path: Path, wanted: tuple[str, ...] | list[str], *, is_log: bool
) -> Iterator[Parsed]:
    """Records of a file as columns of text, a batch at a time."""
    stream = records(path)
    while batch := list(islice(stream, BATCH)):
        lines: list[int] = []
        broken: list[tuple[int, str]] = []
        rows: list[Record] = []
        for line, record, text in batch:
            if record is None or is_call_log(record) != is_log:
                broken.append((line, shown(text)))
                continue
            flat = record if is_log else _result(record)
            lines.append(line)
            rows.append(flat)
        table = pa.table(
            {name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in wanted}
        )
        yield Parsed(table, np.array(lines, dtype=np.int64), broken, ALLOWED)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _result(record: Record) -> Record:
    """What a record of result_url says of the call's last attempt, by field of `FIELDS`."""
    details = record.get("call_details")
    said = details if isinstance(details, dict) else record
    status = _text(said.get("result") or said.get("status")).strip().lower()
    attempts = _text(said.get("attempts")).strip()
    events = _last_attempt(said.get("events"))
    if attempts == "0" or (said.get("events") and "dialing" not in events):
        status = "never dialled"
    elif status in ("canceled", "expired"):
        status += " after attempts"
    kind = _text(said.get("callee_type")).strip().lower()
    outcome = status
    if status == "failed" and kind in ("busy", "noanswer", "no_answer"):
        outcome = kind
    number = _text(said.get("phone_number"))
    return {
        "started": events.get("dialing") or said.get("last_attempt_timestamp"),
        "outcome": outcome,
        "answered_by": kind if status == "completed" else "",
        "ring_s": _seconds(events, "dialing", "connected"),
        "talk_s": said.get("duration") or _seconds(events, "connected", "disconnected"),
        "number": number.partition(";")[0],
        "attempt": attempts,
        "id": said.get("call_id") or record.get("call_id"),
    }


def _last_attempt(events: Any) -> dict[str, float]:
    """Times of the last attempt's events, in seconds since 1970."""
    found: dict[str, float] = {}
    if not isinstance(events, list):
        return found
    for each in events:
        if not isinstance(each, dict):
            continue
        try:
            at = float(each.get("timestamp", ""))
        except (TypeError, ValueError):
            continue
        name = _text(each.get("event"))
        if name == "dialing":
            found = {}
        found[name] = at
    return found


def _seconds(events: dict[str, float], first: str, then: str) -> float | None:
    if first in events and then in events and events[then] >= events[first]:
        return events[then] - events[first]
    return None
