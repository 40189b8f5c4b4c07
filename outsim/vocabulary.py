"""The words of the model: outcomes, statuses, causes and callee types, with their codes.

An engine records small integers; each stands for its place in one of these tuples.
"""

from __future__ import annotations

OUTCOMES = ("human", "voicemail", "no_answer", "busy", "invalid", "congestion", "fax")
"""What became of an attempt."""
HUMAN, VOICEMAIL, NO_ANSWER, BUSY, INVALID, CONGESTION, FAX = range(7)

ANSWERED = (HUMAN, VOICEMAIL, FAX)
"""Outcomes of an answered attempt: its call is completed."""

STATUSES = (
    "scheduled",
    "queued",
    "dialing",
    "connected",
    "waiting_retry",
    "completed",
    "failed",
    "canceled",
    "expired",
    "rejected",
)
"""Where a call stands; those from ``completed`` on are final."""
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
) = range(10)

FIRST_FINAL = COMPLETED
"""Statuses from this code on are final."""

PENDING_STATUSES = STATUSES[:FIRST_FINAL]
"""Statuses of a call that is not over."""

CAUSES = ("", "carrier_rate", "carrier_channels", "carrier_outage", "missing_ani", "dropped")
"""Why an attempt ended in congestion; empty for every other outcome."""
NO_CAUSE, CARRIER_RATE, CARRIER_CHANNELS, CARRIER_OUTAGE, MISSING_ANI, DROPPED = range(6)

REFUSALS = (CARRIER_RATE, CARRIER_CHANNELS, CARRIER_OUTAGE, MISSING_ANI)
"""Causes for which the carrier does not take an attempt: nobody's phone rings."""

CALLEE_TYPES = ("", "voice", "answeringmachine", "fax", "unknown", "processing")
"""What the platform reports about who answered: the platform's own five words, and empty
where nobody did. ``processing`` is a call that ended before it was known."""
NO_TYPE, VOICE, ANSWERING_MACHINE, FAX_MACHINE, UNKNOWN, PROCESSING = range(6)

POST_RESULTS = ("accepted", "timeout", "server_error", "unreachable")
"""What became of a post to a result_url."""
ACCEPTED, TIMEOUT, SERVER_ERROR, UNREACHABLE = range(4)
