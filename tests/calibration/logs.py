"""Attempts that nobody dialed, and call logs of them as each kind of platform writes them.

`attempts` draws them; each writer gives the text of a file and the attempts that such a file can
tell of. Times are whole seconds, as most logs have them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

ZONE = "America/Chicago"
FIRST = datetime(2026, 3, 9, 6, tzinfo=UTC)
"""Past the change to summer time: each local time of the days after stands once."""

ANSWERED = ("human", "voicemail", "fax", "answered")


@dataclass(frozen=True)
class Attempt:
    """One row of a call log."""

    started_s: int
    """Seconds after `FIRST`."""
    number: str
    outcome: str | None
    ring_s: int | None = None
    talk_s: int | None = None

    @property
    def started(self) -> datetime:
        return FIRST + timedelta(seconds=self.started_s)

    @property
    def ended_s(self) -> int:
        return self.started_s + (self.ring_s or 0) + (self.talk_s or 0)


@st.composite
def _attempt(draw: st.DrawFn) -> Attempt:
    outcome = draw(st.sampled_from(("human", "voicemail", "no_answer", "busy", "invalid")))
    answered = outcome in ANSWERED
    return Attempt(
        draw(st.integers(0, 500_000)),
        draw(st.sampled_from([f"21255501{k:02d}" for k in range(6)])),
        outcome,
        draw(st.integers(0, 60)) if answered or outcome == "no_answer" else None,
        draw(st.integers(0, 3000)) if answered else None,
    )


attempts = st.lists(
    _attempt(), min_size=1, max_size=30, unique_by=lambda each: each.started_s
).map(lambda drawn: sorted(drawn, key=lambda each: each.started_s))


def _local(started: datetime, seconds: int = 0) -> str:
    moment = started + timedelta(seconds=seconds)
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S")


def _undivided(each: Attempt) -> Attempt:
    """As a log tells it that can't tell persons from machines."""
    return replace(each, outcome="answered") if each.outcome in ANSWERED else each


def asterisk(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """Lines of Master.csv, quoted as cdr_csv.c does: texts always, numbers never."""
    words = {"no_answer": "NO ANSWER", "busy": "BUSY", "invalid": "FAILED"}
    lines = []
    for k, each in enumerate(rows):
        answered = each.outcome in ANSWERED
        texts = ["acme", "5550100", f"1{each.number}", "outbound", '""Acme, Inc."" <5550100>']
        texts += [f"PJSIP/a-{k}", f"PJSIP/b-{k}", "Dial", f"PJSIP/{each.number}@gw,60"]
        quoted = [f'"{text}"' for text in texts]
        quoted.append(f'"{_local(each.started)}"')
        quoted.append(f'"{_local(each.started, each.ring_s or 0)}"' if answered else "")
        duration = (each.ring_s or 0) + (each.talk_s or 0)
        quoted += [f'"{_local(each.started, duration)}"', str(duration), str(each.talk_s or 0)]
        quoted.append(f'"{words.get(each.outcome or "", "ANSWERED")}"')
        lines.append(",".join([*quoted, '"DOCUMENTATION"', f'"1773036000.{k}"', '""']))
    return "\n".join([*lines, ""]), [_undivided(each) for each in rows]


def twilio(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """Twilio's export, by the fields of its Call resource; it has no ring times."""
    statuses = {"no_answer": "no-answer", "busy": "busy", "invalid": "failed"}
    people = {"human": "human", "voicemail": "machine_start"}
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(
        ["Call SID", "From", "To", "Direction", "Status", "Start Time", "Duration", "Answered By"]
    )
    for k, each in enumerate(rows):
        written = each.started.strftime("%a, %d %b %Y %H:%M:%S +0000")
        status = statuses.get(each.outcome or "", "completed")
        spoken = "" if each.talk_s is None else each.talk_s
        to, by = f"+1{each.number}", people.get(each.outcome or "", "")
        table.writerow(
            [f"CA{k:032x}", "+15550100", to, "outbound-api", status, written, spoken, by]
        )
    return out.getvalue(), [replace(each, ring_s=None) for each in rows]


def results_json(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """Fuse's records of result_url, one a line, with the events of the last attempt."""
    lines = []
    for k, each in enumerate(rows):
        at = int(each.started.timestamp())
        events = [{"event": "queued", "timestamp": at - 7}, {"event": "dialing", "timestamp": at}]
        details = {"status": "failed", "attempts": "1", "phone_number": f"tel:+1{each.number}"}
        if each.talk_s is not None and each.ring_s is not None:
            answered_at = at + each.ring_s
            events.append({"event": "connected", "timestamp": answered_at})
            events.append({"event": "disconnected", "timestamp": answered_at + each.talk_s})
            details |= {"status": "completed", "duration": str(each.talk_s)}
            details["callee_type"] = "voice" if each.outcome == "human" else "answeringmachine"
        if each.outcome in ("no_answer", "busy"):
            details["callee_type"] = each.outcome
        lines.append(json.dumps({"call_details": {**details, "call_id": k, "events": events}}))
    plain = [replace(each, ring_s=None) if each.talk_s is None else each for each in rows]
    return "\n".join(lines), [
        replace(each, outcome="unanswered") if each.outcome == "invalid" else each
        for each in plain
    ]


def results_form(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """DEV's records of result_url: the form fields that were posted."""
    lines = []
    for k, each in enumerate(rows):
        answered = each.talk_s is not None
        kind = {"human": "voice", "voicemail": "answeringmachine"}.get(each.outcome or "", "")
        fields = {
            "phone_number": f"1{each.number}",
            "message_reference": f"order {k} & more",
            "call_id": 100_000_000 + k,
            "result": "completed" if answered else "failed",
            "callee_type": kind or (each.outcome if each.outcome != "invalid" else ""),
            "attempts": 1,
            "last_attempt_timestamp": int(each.started.timestamp()),
            "duration": each.talk_s if answered else 0,
        }
        lines.append(urlencode(fields))
    plain = [replace(each, ring_s=None) for each in rows]
    return "\n".join(lines), [
        replace(each, outcome="unanswered") if each.outcome == "invalid" else each
        for each in plain
    ]


def call_log(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """The platform's call log: numbers and times, and not what became of calls."""
    logs = [
        {
            "log_id": str(k),
            "session_id": f"400050;000;{int(each.started.timestamp())}",
            "dest": each.number,
            "type": "outbound",
            "src": "5550100",
            "start": str(int(each.started.timestamp())),
            "end": str(int(each.started.timestamp()) + each.ended_s - each.started_s),
        }
        for k, each in enumerate(rows)
    ]
    document = {"status": "success", "result": {"total_logs": len(logs), "logs": logs}}
    return json.dumps(document, indent=1), [
        replace(each, outcome=None, ring_s=None, talk_s=None) for each in rows
    ]


def plain_csv(rows: Sequence[Attempt]) -> tuple[str, list[Attempt]]:
    """A file of somebody's own, parted by semicolons, with words of its own."""
    words = {"human": "ANSW", "voicemail": "AM", "no_answer": "NA", "busy": "B", "invalid": "DEAD"}
    lines = ["Begin;Phone;Result;Rang;Spoke;Remark"]
    for each in rows:
        began = each.started.strftime("%d.%m.%Y %H:%M:%S +0000")
        rang = "" if each.ring_s is None else each.ring_s
        spoke = -1 if each.talk_s is None else each.talk_s
        lines.append(f'{began};{each.number};{words[each.outcome or ""]};{rang};{spoke};"a; b"')
    return "\n".join([*lines, ""]), list(rows)


WRITERS: dict[str, Callable[[Sequence[Attempt]], tuple[str, list[Attempt]]]] = {
    "asterisk": asterisk,
    "twilio": twilio,
    "result_url as JSON": results_json,
    "result_url as forms": results_form,
    "call log": call_log,
    "csv": plain_csv,
}
COLUMNS = {
    "started": "Begin",
    "number": "Phone",
    "outcome": "Result",
    "ring_s": "Rang",
    "talk_s": "Spoke",
}
OUTCOMES = {"ANSW": "human", "AM": "voicemail", "NA": "no_answer", "B": "busy", "DEAD": "invalid"}
TIME_FORMAT = "%d.%m.%Y %H:%M:%S %z"
