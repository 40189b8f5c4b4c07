"""The words of the model: outcomes, statuses, causes, update kinds, queue disciplines.

Each word is one row that says all that is true of it. The sets and sums which other modules
need are computed from the rows, so that a new word is a new row. An engine records small
integers: a word's code is its row's position in its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar


class _Word:
    name: str

    @property
    def label(self) -> str:
        """The word as a reader sees it, such as *no answer*."""
        return self.name.replace("_", " ")


Word = TypeVar("Word", bound=_Word)


def _names(rows: Iterable[_Word]) -> tuple[str, ...]:
    return tuple(row.name for row in rows)


def _codes(rows: Iterable[Word], belongs: Callable[[Word], Any]) -> tuple[int, ...]:
    return tuple(code for code, row in enumerate(rows) if belongs(row))


@dataclass(frozen=True)
class CalleeType(_Word):
    """What the platform reports about who answered: empty where nobody did."""

    name: str


NO_TYPE, VOICE, ANSWERING_MACHINE, FAX_MACHINE, UNKNOWN, PROCESSING = range(6)
CALLEE_TYPE_TABLE = (
    CalleeType(""),
    CalleeType("voice"),
    CalleeType("answeringmachine"),
    CalleeType("fax"),
    CalleeType("unknown"),
    # A call that ended before it was known.
    CalleeType("processing"),
)
CALLEE_TYPES = _names(CALLEE_TYPE_TABLE)


@dataclass(frozen=True)
class Outcome(_Word):
    """What became of an attempt."""

    name: str
    account: str
    """What happened, in the account of a call."""
    color: str
    """Name of its color in pictures."""
    hatch: str
    is_answered: bool = False
    """Somebody or something answered: the call is completed."""
    rings: bool = False
    """The phone rings, unless the attempt is cut off before."""
    is_retried: bool = False
    """The call may be dialed again."""
    is_callee_failure: bool = False
    """It counts as a failure of the callee: in redial factors and the redial gap."""
    interval: int | None = None
    """Its place on the unit interval, if each attempt draws it anew: what a factor takes from
    the first goes to the second, its neighbor."""
    is_trait: bool = False
    """It is a trait of the contact, drawn once."""
    is_drawn: bool = True
    """The tape can hold it; else it emerges from a rule."""
    reported: tuple[int, int] = (NO_TYPE, NO_TYPE)
    """Codes of the callee type that is reported rightly, and wrongly."""
    reason: str = ""
    """Why a call fails whose last attempt came to this."""
    side: str = ""
    """Whose side that is."""


HUMAN, VOICEMAIL, NO_ANSWER, BUSY, INVALID, CONGESTION, FAX = range(7)
OUTCOME_TABLE = (
    Outcome(
        "human",
        "answered by a person",
        "blue",
        "",
        is_answered=True,
        rings=True,
        interval=0,
        reported=(VOICE, ANSWERING_MACHINE),
    ),
    Outcome(
        "voicemail",
        "answered by voicemail",
        "sky",
        "....",
        is_answered=True,
        rings=True,
        interval=2,
        reported=(ANSWERING_MACHINE, VOICE),
    ),
    Outcome(
        "no_answer",
        "nobody answered",
        "grey",
        "",
        rings=True,
        is_retried=True,
        is_callee_failure=True,
        interval=1,
        reason="nobody answered the last attempt",
        side="the callee",
    ),
    Outcome(
        "busy",
        "the line was busy",
        "orange",
        "////",
        is_retried=True,
        is_callee_failure=True,
        interval=3,
        reason="the line was busy at the last attempt",
        side="the callee",
    ),
    Outcome(
        "invalid",
        "there is no such number",
        "purple",
        "\\\\\\\\",
        is_trait=True,
        reason="there is no such number",
        side="the contact list",
    ),
    Outcome(
        "congestion",
        "refused by the carrier or cut off",
        "vermilion",
        "xx",
        is_retried=True,
        is_drawn=False,
        reason="the carrier refused the last attempt, or an outage cut it off",
        side="the carrier",
    ),
    Outcome(
        "fax",
        "answered by a fax machine",
        "green",
        "++",
        is_answered=True,
        rings=True,
        is_trait=True,
        reported=(FAX_MACHINE, UNKNOWN),
    ),
)
OUTCOMES = _names(OUTCOME_TABLE)

ANSWERED = _codes(OUTCOME_TABLE, lambda row: row.is_answered)
RINGING = _codes(OUTCOME_TABLE, lambda row: row.rings)
RETRIED = _codes(OUTCOME_TABLE, lambda row: row.is_retried)
CALLEE_FAILURES = _codes(OUTCOME_TABLE, lambda row: row.is_callee_failure)
UNANSWERED_OUTCOMES = tuple(row for row in OUTCOME_TABLE if not row.is_answered)
"""Outcomes that a failed call may have come to."""
DRAWN_EACH_ATTEMPT = tuple(row for row in OUTCOME_TABLE if row.interval is not None)
"""Outcomes that a callee profile gives a weight and each attempt draws anew."""
INTERVAL_ORDER = tuple(
    sorted(
        _codes(OUTCOME_TABLE, lambda row: row.interval is not None),
        key=lambda code: OUTCOME_TABLE[code].interval or 0,
    )
)
"""Codes of these outcomes in their order on the unit interval."""


@dataclass(frozen=True)
class UpdateKind(_Word):
    """What in an attempt's life an update is about; their order is part of every tape."""

    name: str
    is_of_every_attempt: bool = True


QUEUED_KIND, DIALING_KIND, CONNECTED_KIND, ENDED_KIND, WITHDRAWN_KIND = range(5)
UPDATE_TABLE = (
    UpdateKind("queued"),
    UpdateKind("dialing"),
    UpdateKind("connected", is_of_every_attempt=False),
    # waiting_retry, or the final status at the end of an attempt.
    UpdateKind("ended"),
    # A final status that comes without the end of an attempt.
    UpdateKind("withdrawn", is_of_every_attempt=False),
)
UPDATE_KINDS = _names(UPDATE_TABLE)


@dataclass(frozen=True)
class Status(_Word):
    """Where a call stands."""

    name: str
    update: int | None = None
    """Code of the kind of update that tells of it; None where it is visible at once."""
    came_at: str = ""
    """Column of attempts with the instant at which it comes, if one has it."""
    group: Literal["pending", "completed", "failed", "ended otherwise"] = "pending"
    """What pictures count it as; ``pending`` is whatever is not final."""
    stands_as: str = ""
    """State that a snapshot counts it as; default: its own name."""
    is_under_way: bool = False
    """An attempt is under way."""

    @property
    def is_final(self) -> bool:
        """Whether the call is over."""
        return self.group != "pending"


(
    SCHEDULED,
    QUEUED,
    DIALING,
    CONNECTED,
    WAITING_RETRY,
    COMPLETED,
    FAILED,
    CANCELED,
    EXPIRED,
    REJECTED,
    REFUSED,
) = range(11)
STATUS_TABLE = (
    Status("scheduled"),
    Status("queued", QUEUED_KIND, "queued"),
    Status("dialing", DIALING_KIND, "dispatched", is_under_way=True),
    Status("connected", CONNECTED_KIND, "answered", is_under_way=True),
    Status("waiting_retry", ENDED_KIND),
    Status("completed", ENDED_KIND, group="completed"),
    Status("failed", ENDED_KIND, group="failed"),
    Status("canceled", ENDED_KIND, group="ended otherwise"),
    Status("expired", ENDED_KIND, group="ended otherwise"),
    # A row that the platform did not accept.
    Status("rejected", group="ended otherwise"),
    # A request that the platform did not take; its client may still ask again.
    Status("refused", group="ended otherwise"),
)
STATUSES = _names(STATUS_TABLE)

PENDING_STATUSES = _names(row for row in STATUS_TABLE if not row.is_final)
FINAL_STATUSES = _names(row for row in STATUS_TABLE if row.is_final)
UNDER_WAY_STATUSES = _names(row for row in STATUS_TABLE if row.is_under_way)
ENDED_STATUSES = _names(row for row in STATUS_TABLE if row.is_final and row.update is not None)
"""Final statuses of accepted calls."""
AFTER_ATTEMPT_STATUSES = _names(row for row in STATUS_TABLE if row.update == ENDED_KIND)
"""Statuses to which a call comes at the end of an attempt, or without one."""
STATUS_GROUPS = {
    group: tuple(row.name for row in STATUS_TABLE if row.group == group)
    for group in dict.fromkeys(row.group for row in STATUS_TABLE)
}
"""Names of statuses by `Status.group`."""
FIRST_FINAL = len(PENDING_STATUSES)
"""Statuses from this code on are final."""
NOT_ACCEPTED = (REJECTED, REFUSED)
"""Codes of final statuses that no call came to: it never was one."""
RECENT_UPDATES = 100
"""Updates over which the status lag at a moment is averaged: the last that were shown."""


@dataclass(frozen=True)
class Refusal(_Word):
    """Why a request was refused as it came in; empty if it never was."""

    name: str
    account: str = ""
    """What happened, in the account of a call."""
    is_rate: bool = False
    """Too many requests came; else too many calls wait."""


NO_REFUSAL, TENANT_RATE, PLATFORM_RATE, TENANT_QUEUE, PLATFORM_QUEUE = range(5)
REFUSAL_TABLE = (
    Refusal(""),
    Refusal("tenant_rate", "more requests than its customer may make", is_rate=True),
    Refusal("platform_rate", "more requests than the platform takes", is_rate=True),
    Refusal("tenant_queue", "as many of its customer's calls wait as may"),
    Refusal("platform_queue", "as many calls wait as the platform holds"),
)
"""In the order in which they are looked for."""
REFUSAL_REASONS = _names(REFUSAL_TABLE)


@dataclass(frozen=True)
class Cause(_Word):
    """Why an attempt ended in congestion; empty for every other outcome."""

    name: str
    account: str = ""
    """What happened, in the account of a call."""
    is_refusal: bool = True
    """The carrier did not take the attempt: nobody's phone rang."""


(
    NO_CAUSE,
    CARRIER_RATE,
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    MISSING_ANI,
    DROPPED,
    NUMBER_REFUSED,
) = range(7)
CAUSE_TABLE = (
    Cause("", is_refusal=False),
    Cause("carrier_rate", "refused by the carrier: more calls than its rate leaves room for"),
    Cause("carrier_channels", "refused by the carrier: all its channels were in use"),
    Cause("carrier_outage", "refused: the carrier was out of service"),
    Cause("missing_ani", "refused by the carrier: the call had no caller ID"),
    Cause("dropped", "cut off by an outage", is_refusal=False),
    Cause("number_refused", "refused by the carrier: it takes no calls to this number"),
)
CAUSES = _names(CAUSE_TABLE)
REFUSALS = _codes(CAUSE_TABLE, lambda row: row.is_refusal)


@dataclass(frozen=True)
class Discipline(_Word):
    """Who goes next in the outbound queue."""

    name: str
    rule: str
    """What it does, in the description of a scenario."""
    ahead: str = "nothing held them back"
    """Why calls go before older ones: what follows "because"."""
    retries_last: bool = False
    """Every first attempt goes before any retry."""
    tenants_take_turns: bool = False
    """Tenants take turns by weight; the order of entry counts within a tenant only."""
    by_priority: bool = False
    """Calls of a lower priority number go before others."""
    by_expiry: bool = False
    """Calls that expire earlier go before others."""
    has_guarantees: bool = False
    """Calls of a tenant with fewer ports than it is guaranteed go before others."""


DISCIPLINE_TABLE = (
    Discipline(
        "fifo",
        "Dispatch takes the oldest entry that is eligible; lanes of entries that are held back "
        "together are left out while they are.",
    ),
    Discipline(
        "fair",
        "Tenants take turns by start-time fair queueing: each as often as its weight says, "
        "oldest first within a tenant.",
        "it was their tenants' turn",
        tenants_take_turns=True,
    ),
    Discipline(
        "first_attempts_first",
        "First attempts go before retries; oldest first among each.",
        "first attempts go before retries",
        retries_last=True,
    ),
    Discipline(
        "priority",
        "Calls of the lowest priority number go first, oldest first within one; calls in "
        "progress are not interrupted.",
        "their priority number is lower",
        by_priority=True,
    ),
    Discipline(
        "earliest_expiry",
        "The call that expires first goes first, of those that expire together the oldest; calls "
        "that never expire go after all others.",
        "they expire earlier",
        by_expiry=True,
    ),
    Discipline(
        "guaranteed",
        "A tenant that holds fewer ports than its guaranteed share of those in service goes "
        "first, of several the one that holds the smallest part of its guarantee; else the "
        "oldest entry. Idle guarantees are lent out and come back as calls end.",
        "their tenants held less than their guaranteed shares",
        has_guarantees=True,
    ),
)
DISCIPLINES = {row.name: row for row in DISCIPLINE_TABLE}
"""Disciplines by name."""
OWN_DISCIPLINE = Discipline(
    "own",
    "A discipline of the user's own says whose call goes next.",
    "the discipline of the user's own said so",
)
"""What a scenario does not say: Python does."""

POST_RESULTS = ("accepted", "timeout", "server_error", "unreachable")
"""What became of a post to a result_url."""
ACCEPTED, TIMEOUT, SERVER_ERROR, UNREACHABLE = range(4)

FIRST_CALL_ID = 100_000_000
"""A sandbox's customers know a call by a number of nine digits: the run's own, and this."""
