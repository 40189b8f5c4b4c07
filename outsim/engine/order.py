"""The order of events: time, then class, then whose event it is.

Both engines order events at the same instant by one integer, made of the class
and of the place of tenant, campaign, call and attempt in their written order.
Nothing is left to the order of insertion: the last bits, the step, tell apart
what one attempt can have due at one instant.
"""

from __future__ import annotations

from enum import IntEnum

INDEX_BITS = 27
ATTEMPT_BITS = 4
STEP_BITS = 4
CALL_BITS = ATTEMPT_BITS + STEP_BITS
CAMPAIGN_BITS = INDEX_BITS + CALL_BITS
CLASS_BITS = 58
_STEPS, _ATTEMPTS, _INDEXES = (1 << STEP_BITS) - 1, (1 << ATTEMPT_BITS) - 1, (1 << INDEX_BITS) - 1
_RANKS = (1 << CLASS_BITS - CAMPAIGN_BITS) - 1


TURN = 10**9
"""Length of a turn of weight 1 in the fair queue; long, so that what is lost by dividing it by a
weight is nothing beside it."""


class EventClass(IntEnum):
    """What goes first at the same instant."""

    REQUEST = 0
    """A request is taken or refused: by how things stand before anything else happens then."""
    ATTEMPT_ENDS = 1
    """An attempt ends and frees its port."""
    WORKER_FINISHES = 2
    """A worker finishes dial work or an update."""
    CONTROL = 3
    """Stops, suspensions, outages, windows, expiries, and their ends."""
    ENTERS_QUEUE = 4
    """A call enters the queue, or asks to."""
    DISPATCH = 5
    """The dispatcher looks at the head of the queue."""
    OTHER = 6
    """Everything else: answers, posts, reconciliation."""


# Steps of what is due for a call or a campaign, within a class.
# Dial work and being ready have step 0.
FIRST_UPDATE_STEP = 1
"""Of a worker's job: the kinds of updates follow dial work."""
ADMIT_STEP = 1
STOP_STEP, EXPIRY_STEP, WINDOW_STEP, RELEASE_CAMPAIGN_STEP, RELEASE_TENANT_STEP = 1, 2, 3, 4, 5
CLEAR_STEP = 6
CANCEL_STEP = 8
ANSWER_STEP, POST_ENDS_STEP, POST_DUE_STEP = 0, 1, 2


def call_key(rank: int, index: int, attempt: int = 0, step: int = 0) -> int:
    """Place of an event among those of its class, by `rank`: that of (tenant, campaign)."""
    return ((((rank + 1) << INDEX_BITS | index) << ATTEMPT_BITS) | attempt) << STEP_BITS | step


def campaign_of(key: int) -> int:
    """Rank of the campaign that an event's key is of."""
    return ((key >> CAMPAIGN_BITS) & _RANKS) - 1


def index_of(key: int) -> int:
    """Place in its campaign of the call that an event's key is of."""
    return (key >> CALL_BITS) & _INDEXES


def attempt_of(key: int) -> int:
    """Attempt that an event's key is of."""
    return (key >> STEP_BITS) & _ATTEMPTS


def step_of(key: int) -> int:
    """Step that an event's key is of."""
    return key & _STEPS
