"""The result tables: every column with its type, its unit and its meaning.

Instants are ``datetime64[us]`` in the scenario's time zone, so that clock times
read as people think; they hold the engine's microseconds without loss, and are
NaT where the instant did not come. Words are categories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from outsim.outcomes import CALLEE_TYPES, CAUSES, OUTCOMES, POST_RESULTS, STATUSES

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

WAIT_STATES = ("complete", "censored", "never", "canceled", "wedged", "rejected", "before")
"""What is known of a call's wait: it is complete; the run ended first; the call ended without
ever being dispatched; it was canceled first; it was wedged; it was rejected; it was over before
the moment of the snapshot that the run goes on from."""


@dataclass(frozen=True)
class Column:
    """One column of a result table."""

    name: str
    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()
    """Allowed words, in their order."""

    @property
    def dtype(self) -> str:
        """Type in pandas."""
        return DTYPES[self.kind]

    @property
    def unit(self) -> str:
        """Unit, where there is one."""
        return {"seconds": "s", "instant": "local time"}.get(self.kind, "")


def _instant(name: str, meaning: str) -> Column:
    return Column(name, "instant", meaning)


_CALL = (
    Column("call_id", "id", "number of the call in the run, by campaign and place in it"),
    Column("tenant", "name", "customer that the campaign belongs to"),
    Column("campaign", "name", "campaign that the call belongs to"),
)

CALLS = (
    *_CALL,
    Column("background", "flag", "whether it is a background tenant's"),
    Column("index", "id", "place in the campaign's list, from 0"),
    Column("number", "number", "national number dialled; 0 where the row has none"),
    Column("ani", "number", "caller ID; 0 where it has none"),
    _instant("submitted_at", "handed in"),
    _instant("waits_from", "start of the campaign, or submission if later: waits count from here"),
    Column("status", "word", "status when the run ended", STATUSES),
    Column("attempts", "small", "attempts dispatched"),
    Column("outcome", "word", "outcome of the last attempt that ended", OUTCOMES),
    _instant("first_dispatched_at", "dispatch of the first attempt"),
    _instant("final_at", "when the final status came"),
    Column("wait_s", "seconds", "from waits_from to the first dispatch; missing unless complete"),
    Column("wait_state", "word", "what is known of the wait", WAIT_STATES),
    Column("wedged", "flag", "accepted, shown as pending, and never dialled"),
    Column("reject_reason", "name", "why the row could not be dialled; empty if it could"),
)

ATTEMPTS = (
    *_CALL,
    Column("number", "number", "national number dialled"),
    Column("attempt", "small", "which dial of the call, from 1"),
    _instant("ready_at", "loaded, or retry interval over: could enter the queue but for pacing"),
    _instant("queued_at", "entered the outbound queue"),
    _instant("eligible_at", "not held back from here on until its dispatch"),
    _instant("at_head_at", "next to go from here on"),
    _instant("port_free_at", "a port was free from here on, it being next to go"),
    _instant("token_free_at", "a dial token was there from here on, it being next to go"),
    _instant("dispatched_at", "port and dial token taken"),
    _instant("work_started_at", "a worker began the dial work"),
    _instant("dialed_at", "dial work done: the attempt is at the carrier"),
    _instant("ringing_at", "first ring"),
    _instant("answered_at", "answered, by whomever"),
    _instant("detected_at", "callee type known"),
    _instant("ended_at", "over: port and channel free"),
    Column("outcome", "word", "what became of it; missing while it lasts", OUTCOMES),
    Column("cause", "word", "why it was congestion; empty otherwise", CAUSES),
    Column("callee_type", "word", "who answered, as reported; not always rightly", CALLEE_TYPES),
)

UPDATES = (
    *_CALL,
    Column("attempt", "small", "attempts so far, this one included; 0 before the first entry"),
    Column("status", "word", "the new status", STATUSES),
    _instant("happened_at", "when the status changed"),
    _instant("begun_at", "when a worker began to process the update"),
    _instant("visible_at", "when the customer could see it"),
    Column("lost", "flag", "whether the update went astray"),
    Column("repaired", "flag", "whether reconciliation made it visible"),
)

DELIVERIES = (
    *_CALL,
    Column("endpoint", "name", "result_url endpoint"),
    Column("post", "small", "which POST of the call, from 1"),
    _instant("due_at", "ready to be sent"),
    _instant("begun_at", "sent"),
    _instant("ended_at", "answered, or given up"),
    Column("result", "word", "what became of it; missing while it lasts", POST_RESULTS),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "calls": CALLS,
    "attempts": ATTEMPTS,
    "updates": UPDATES,
    "deliveries": DELIVERIES,
}
