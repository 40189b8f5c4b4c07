"""Records of the platform's own: its call log, and what it posts to result_url.

Both come as JSON (one document, or one record a line); the records of result_url also as the
form fields that were posted, one record a line. Plum's pages "Call Logs API", "Outbound Calling
Guide", "Get Outbound Call Status" and "Result URL" describe them; the names of the form's fields
are those that a public client reads, and no page gives the values of ``result``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from outsim.calibration.entries import Record, entries, flat, text_of
from outsim.calibration.lines import Parsed
from outsim.calibration.log import ANSWERED, UNANSWERED
from outsim.calibration.mapping import LEFT_OUT, Mapping
from outsim.calibration.opening import shown

BATCH = 50_000
"""Records that are made into columns at a time."""
_SAMPLE = 200

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
    if "dest" in record and "start" in record:
        return "calls"
    details = record.get("call_details")
    said = details if isinstance(details, dict) else record
    if _RESULT & said.keys() and _STATUS & said.keys():
        return "results"
    return "other"


def names(path: Path) -> tuple[str, ...]:
    """Columns of the first records, flat, in the order in which they appear."""
    found: dict[str, None] = {}
    for _, record, _ in islice(entries(path), _SAMPLE):
        found |= dict.fromkeys(flat(record or {}))
    return tuple(found)


def columns(path: Path, wanted: Sequence[str], kind: str) -> Iterator[Parsed]:
    """Records of a file as columns of text, a batch at a time.

    `kind` is what `kind_of` says; records of another one are broken.
    """
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
    said = details if isinstance(details, dict) else record
    status = text_of(said.get("result") or said.get("status")).strip().lower()
    attempts = text_of(said.get("attempts")).strip()
    events = _last_attempt(said.get("events"))
    if attempts == "0" or (said.get("events") and "dialing" not in events):
        status = "never dialled"
    elif status in ("canceled", "expired"):
        status += " after attempts"
    kind = text_of(said.get("callee_type")).strip().lower()
    outcome = status
    if status == "failed" and kind in ("busy", "noanswer", "no_answer"):
        outcome = kind
    number = text_of(said.get("phone_number"))
    spoken, between = text_of(said.get("duration")), _seconds(events, "connected", "disconnected")
    found = {
        "started": events.get("dialing") or said.get("last_attempt_timestamp"),
        "outcome": outcome,
        "answered_by": kind if status == "completed" else "",
        "ring_s": _seconds(events, "dialing", "connected"),
        "talk_s": spoken if between is None or spoken.strip(" 0.") else between,
        "number": number.partition(";")[0],
        "attempt": attempts,
        "id": said.get("call_id") or record.get("call_id"),
    }
    return {name: text_of(value) for name, value in found.items()}


def _last_attempt(events: Any) -> dict[str, str]:
    """Times of the last attempt's events, as they are written."""
    found: dict[str, str] = {}
    if not isinstance(events, list):
        return found
    for each in events:
        if isinstance(each, dict) and (at := text_of(each.get("timestamp"))):
            name = text_of(each.get("event"))
            found = {name: at} if name == "dialing" else {**found, name: at}
    return found


def _seconds(events: dict[str, str], first: str, then: str) -> float | None:
    try:
        seconds = float(events[then]) - float(events[first])
    except (KeyError, ValueError):
        return None
    return seconds if 0 <= seconds < inf else None
