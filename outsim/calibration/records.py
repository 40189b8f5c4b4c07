"""Records in JSON or in form fields: the platform's call log, its result_url posts, and others'.

They come one a line, one after the other, or in a list; numbers stay the text that they are, so
that none is too long or loses digits. Plum's pages "Call Logs API", "Outbound Calling Guide",
"Get Outbound Call Status" and "Result URL" describe the platform's; the names of the form's
fields are those that a public client reads, and no page gives the values of ``result``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa

from outsim.calibration.lines import blocks
from outsim.calibration.mapping import ANSWERED, LEFT_OUT, UNANSWERED, Mapping
from outsim.calibration.sources import Parsed, shown
from outsim.scenario.files import refusal

LARGEST_DOCUMENT = 128 * 2**20
"""Bytes of a document that is not one record a line."""
_LONG_LINE = 2**20
"""Characters of a line that is taken for a document, and not for one of many records."""
MOST_PARTS = 4_000_000
"""Lists and tables in such a document: each takes memory, however short it is."""
DEEPEST = 20
"""Levels of a record that become columns of their own."""

Record = dict[str, Any]
Entry = tuple[int, Record | None, str]
"""(line, record, its text); no record where there is none, an empty one for an empty list."""

_LISTS = (
    *("logs", "calls", "records", "results", "contacts", "data", "items", "entries", "cdrs"),
    *("objects", "rows", "hits", "edges", "nodes", "value", "values", "conversations"),
    *("elements", "cdr", "calllogs", "call_logs", "callrecords", "call_records"),
)
"""Keys, in small letters, that a document may have its list of records under."""
_ENVELOPES = ("result", "_embedded", "response", *_LISTS)
"""Keys that such a document may stand under, in turn."""
_ENVELOPES_DEEP = 3
_FORM = re.compile(r"[\w.%+-]+=[^&\s]*(&[\w.%+-]+=[^&]*)+")
_JSON = re.compile(r'[\[{]\s*(["\[{\]}]|$)|[\]}]+,?$|"[^"]*"\s*:')
"""A line of JSON: a record, or a part of one."""
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def holds_records(lines: Sequence[str]) -> bool:
    """Whether a file that begins with these lines has records and no rows of fields."""
    texts = [line.strip() for line in lines if line.strip()][:200]
    are_json = [_JSON.match(text) is not None for text in texts]
    return 2 * sum(are_json) > len(texts) or any(map(_is_form, texts))


def _is_form(line: str) -> bool:
    has_key = re.search(r"(^|&)(call_id|phone_number)=", line) is not None
    return has_key and _FORM.fullmatch(line) is not None


def entries(path: Path) -> Iterator[Entry]:
    """Records of a file by line; of a document over several lines, by their count."""
    for line, block in blocks(path, longest=LARGEST_DOCUMENT):
        rows = block.decode().split("\n")[:-1]
        if line == 1 and _is_one_document(rows):
            yield from _document(path)
            return
        for k, text in enumerate(rows):
            if text.strip():
                yield from _of_line(line + k, text)


def _of_line(line: int, text: str) -> Iterator[Entry]:
    plain = text.strip()
    if plain[0] not in "{[":
        fields = dict(parse_qsl(plain, keep_blank_values=True)) if _is_form(plain) else None
        yield line, fields, text
    elif (values := _values(plain)) is None:
        yield line, None, text
    else:
        for value in values:
            yield from ((line, *entry) for entry in _inside(value, text))


def _is_one_document(rows: list[str]) -> bool:
    first = next((row.strip() for row in rows if row.strip()), "")
    return first[:1] in ("{", "[") and (len(first) > _LONG_LINE or _values(first) is None)


def _values(text: str) -> list[Any] | None:
    """Values one after the other; None if it is no JSON."""
    values = []
    at = 0
    try:
        while at < len(text):
            value, at = _DECODER.raw_decode(text, at)
            values.append(value)
            while at < len(text) and text[at] in " \t\r\n,":
                at += 1
    except (ValueError, RecursionError):
        return None
    return values


def _document(path: Path) -> Iterator[Entry]:
    document, size = bytearray(), ""
    for _, block in blocks(path, longest=LARGEST_DOCUMENT):
        document += block
        if len(document) > LARGEST_DOCUMENT:
            size = f"{LARGEST_DOCUMENT >> 20} MiB"
            break
    if not size and document.count(b"{") + document.count(b"[") > MOST_PARTS:
        size = f"{MOST_PARTS:,} parts"
    if size:
        what = f"is one document of more than {size}"
        raise refusal(path, f"{what}; write one record a line, as with jq -c '.[]'")
    text = document.decode()
    values = _values(text.lstrip())
    if values is None:
        # Not a document after all: a first line that is cut off, and records after it.
        for k, line in enumerate(text.split("\n")):
            if line.strip():
                yield from _of_line(k + 1, line)
        return
    del document, text
    every = (entry for value in values for entry in _inside(value, ""))
    yield from ((place, *entry) for place, entry in enumerate(every, 1))


def _inside(value: Any, text: str) -> Iterator[tuple[Record | None, str]]:
    """Records of a value: itself, or those of the list in it."""
    listed = _listed(value)
    if listed and all(isinstance(entry, list) for entry in listed):
        listed = _of_rows(listed[0], listed[1:])
    if listed is None:
        yield (value if isinstance(value, dict) else None), text or json.dumps(value)[:1000]
    elif not listed:
        yield {}, text
    else:
        for entry in listed:
            yield (entry if isinstance(entry, dict) else None), json.dumps(entry)[:1000]


def _listed(value: Any, level: int = 0) -> list[Any] | None:
    """The list of an envelope, or a list itself; None if it is a record."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    if (table := _of_data_frame(value)) is not None:
        return table
    lists = {key.lower(): item for key, item in value.items() if isinstance(item, list)}
    for listed in (lists[key] for key in _LISTS if key in lists):
        # A record may have lists of its own: those of other things than records.
        if all(isinstance(item, dict) for item in listed[:3]) or _is_table(listed):
            return listed
    if level == _ENVELOPES_DEEP:
        return None
    inner = (value[key] for key in _ENVELOPES if isinstance(value.get(key), dict))
    return next((item for place in inner if (item := _listed(place, level + 1))), None)


def _is_table(listed: list[Any]) -> bool:
    """Whether a list has rows: the first has names, and the others as many values."""
    return (
        len(listed) > 1
        and all(isinstance(row, list) for row in listed[:3])
        and all(isinstance(name, str) for name in listed[0])
        and all(0 < len(row) <= len(listed[0]) for row in listed[:3])
    )


def _of_rows(names: list[Any], rows: list[Any]) -> list[Any]:
    keys = [text_of(name) for name in names]
    # What is no row of this table is left as it is, and listed as unreadable.
    are_rows = [isinstance(row, list) and len(row) <= len(keys) for row in rows]
    return [
        dict(zip(keys, row, strict=False)) if is_row else row
        for row, is_row in zip(rows, are_rows, strict=True)
    ]


def _of_data_frame(document: Record) -> list[Any] | None:
    """Records of a document that pandas writes: split, by columns or by index."""
    names, rows = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(rows, list) and set(document) <= _SPLIT:
        return _of_rows(names, rows)
    parts = list(document.values())
    if not parts or not all(isinstance(part, dict) and part for part in parts):
        return None
    if all(map(str.isdecimal, document)):
        return parts
    index = parts[0].keys()
    if all(map(str.isdecimal, index)) and all(part.keys() == index for part in parts):
        return [{name: part[key] for name, part in document.items()} for key in index]
    return None


_SPLIT = {"columns", "index", "data"}


def flat(record: Record, before: str = "", level: int = 1) -> dict[str, str]:
    """Texts of a record by the path to them, such as ``CustomerEndpoint.Address``."""
    texts: dict[str, str] = {}
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and level < DEEPEST:
            texts |= flat(value, f"{name}.", level + 1)
        else:
            texts[name] = text_of(value)
    return texts


def text_of(value: Any) -> str:
    """A value as the text of a column; none for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else json.dumps(value)
    # Half a surrogate pair is no character.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


BATCH = 50_000
"""Records that are made into columns at a time."""
_SAMPLE = 200

ALLOWED = "write one record of the platform a line, as JSON or as form fields"

CALL_LOG = Mapping(
    columns={
        "started": ("start",),
        "ended": ("end",),
        "number": ("dest",),
        "tenant": ("tenant",),
        "caller": ("src",),
        "direction": ("type",),
        "id": ("log_id",),
    }
)
"""The call log tells of times and numbers alone: what became of a call is not in it."""
CALL_LOG_NEEDED = {"dest", "start"}
"""Fields by which it is known."""

_FIELDS = ("started", "outcome", "answered_by", "ring_s", "talk_s", "number", "attempt", "id")
RESULTS = Mapping(
    columns={name: (name,) for name in _FIELDS},
    outcomes={
        "completed": ANSWERED,
        "failed": UNANSWERED,
        **dict.fromkeys(("canceled after attempts", "expired after attempts"), UNANSWERED),
        **dict.fromkeys(("canceled", "expired", "rejected", "never dialed"), LEFT_OUT),
        "noanswer": "no_answer",
    },
    last_only=True,
)

_RESULT = {"attempts", "events", "callee_type", "last_attempt_timestamp"}
_STATUS = {"result", "status"}


def kind_of(path: Path) -> str:
    """Whether most of the first records are of a call log, of result_url, or others'."""
    counts = Counter(
        "other" if record is None else _kind(record)
        for _, record, _ in islice(entries(path), _SAMPLE)
        if record != {}
    )
    known = [kind for kind in ("calls", "results") if counts[kind]]
    return max(known, key=lambda kind: counts[kind], default="other")


def _kind(record: Record) -> str:
    if record.keys() >= CALL_LOG_NEEDED:
        return "calls"
    details = record.get("call_details")
    fields = details if isinstance(details, dict) else record
    if _RESULT & fields.keys() and _STATUS & fields.keys():
        return "results"
    return "other"


def names(path: Path) -> tuple[str, ...]:
    """Columns of the first records, flat, in the order in which they appear."""
    paths: dict[str, None] = {}
    for _, record, _ in islice(entries(path), _SAMPLE):
        paths |= dict.fromkeys(flat(record or {}))
    return tuple(paths)


def columns(path: Path, wanted: Sequence[str], kind: str) -> Iterator[Parsed]:
    """Records of a kind (`kind_of`) as columns of text, a batch at a time."""
    stream = entries(path)
    while batch := list(islice(stream, BATCH)):
        lines: list[int] = []
        broken: list[tuple[int, str]] = []
        rows: list[dict[str, str]] = []
        blank = 0
        for line, record, text in batch:
            if record == {}:
                blank += 1
                continue
            if record is None or (kind != "other" and _kind(record) != kind):
                broken.append((line, shown(text_of(text))))
                continue
            lines.append(line)
            rows.append(_result(record) if kind == "results" else flat(record))
        table = pa.table(
            {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in wanted}
        )
        allowed = "write one record a line, as JSON" if kind == "other" else ALLOWED
        yield Parsed(table, np.array(lines, dtype=np.int64), broken, allowed, blank)


def _result(record: Record) -> dict[str, str]:
    """What a record of result_url says of the call's last attempt, by field of `FIELDS`."""
    details = record.get("call_details")
    fields = details if isinstance(details, dict) else record
    status = text_of(fields.get("result") or fields.get("status")).strip().lower()
    attempts = text_of(fields.get("attempts")).strip()
    events = _last_attempt(fields.get("events"))
    if attempts == "0" or (fields.get("events") and "dialing" not in events):
        status = "never dialed"
    elif status in ("canceled", "expired"):
        status += " after attempts"
    kind = text_of(fields.get("callee_type")).strip().lower()
    outcome = status
    if status == "failed" and kind in ("busy", "noanswer", "no_answer"):
        outcome = kind
    number = text_of(fields.get("phone_number"))
    between = _seconds(events, "connected", "disconnected")
    spoken = text_of(fields.get("duration"))
    result = {
        "started": events.get("dialing") or fields.get("last_attempt_timestamp"),
        "outcome": outcome,
        "answered_by": kind if status == "completed" else "",
        "ring_s": _seconds(events, "dialing", "connected"),
        "talk_s": spoken if between is None or spoken.strip(" 0.") else between,
        "number": number.partition(";")[0],
        "attempt": attempts,
        "id": fields.get("call_id") or record.get("call_id"),
    }
    return {name: text_of(value) for name, value in result.items()}


def _last_attempt(events: Any) -> dict[str, str]:
    """Times of the last attempt's events, as they are written."""
    times: dict[str, str] = {}
    if not isinstance(events, list):
        return times
    for event in events:
        if isinstance(event, dict) and (at := text_of(event.get("timestamp"))):
            name = text_of(event.get("event"))
            times = {name: at} if name == "dialing" else {**times, name: at}
    return times


def _seconds(events: dict[str, str], first: str, then: str) -> float | None:
    try:
        seconds = float(events[then]) - float(events[first])
    except (KeyError, ValueError):
        return None
    return seconds if 0 <= seconds < inf else None
