"""What the tape says about contacts, attempts and posts: uniforms turned into values.

Every duration is rounded to whole milliseconds here and kept as an integer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.distributions import Constant, Distribution
from outsim.scenario.callees import Callees, Profile
from outsim.scenario.platform import Platform
from outsim.text import brief

Milliseconds = NDArray[np.int32]
Flags = NDArray[np.bool_]

LONGEST_MS = 2**31 - 1

TRAIT_NONE, TRAIT_INVALID, TRAIT_FAX = 0, 1, 2

REFUSED = 2
"""Of an attempt whose number is pinned to a refusal."""


@dataclass(frozen=True)
class CallModel:
    """What shapes the draws of one campaign: everything but the stream's key."""

    __repr__ = brief

    callees: Callees
    profile: Profile
    message: Distribution
    asks_for_key: bool
    transfers_to_agent: bool
    lost_updates: float
    wedged_calls: float
    detection_accuracy: float
    missing_ani_share: float
    missing_ani_refusal: float
    dial_work: Distribution
    status_work: Distribution

    @property
    def invalid_share(self) -> float:
        """Share of contacts whose number is not in use."""
        return self.profile.invalid_share


@dataclass(frozen=True)
class ContactDraws:
    """Traits of each contact, drawn once; arrays of shape (calls,)."""

    __repr__ = brief

    trait: NDArray[np.uint8]
    """TRAIT_NONE, TRAIT_INVALID or TRAIT_FAX."""
    wedged: Flags
    missing_ani: Flags


ATTEMPT_ROW = np.dtype(
    [
        ("outcome", "f8"),
        ("post_dial_ms", "i4"),
        ("ring_human_ms", "i4"),
        ("ring_voicemail_ms", "i4"),
        ("talk_human_ms", "i4"),
        ("talk_voicemail_ms", "i4"),
        ("recorded_outcome", "i1"),
        ("misdetected", "u1"),
        ("ani_refused", "u1"),
        ("unused", "u1"),
    ]
)
"""Draws of one attempt: 32 bytes, half a cache line, so that all of them come from memory
together. Compiled code reads rows by this layout."""


def _column(name: str, meaning: str) -> property:
    """A column of the rows of `AttemptDraws`."""
    return property(lambda draws: draws.rows[name], doc=meaning)


@dataclass(frozen=True, eq=False)
class AttemptDraws:
    """Draws of the k-th attempt of each call of a campaign; arrays of shape (calls,)."""

    __repr__ = brief

    rows: NDArray[np.void]
    """One row of `ATTEMPT_ROW` for each call, one after the other in memory."""
    dial_work_us: NDArray[np.int64]
    """Processing of the dial; empty where it is constant."""

    outcome = _column("outcome", "Uniform to hold against the thresholds of the outcomes.")
    recorded_outcome = _column(
        "recorded_outcome", "Index of a recorded outcome; -1 where the uniform decides."
    )
    post_dial_ms = _column("post_dial_ms", "From the carrier's acceptance to the first ring.")
    ring_human_ms = _column("ring_human_ms", "Ringing until a person answers.")
    ring_voicemail_ms = _column("ring_voicemail_ms", "Ringing until voicemail answers.")
    talk_human_ms = _column("talk_human_ms", "How long a person stays on the line.")
    talk_voicemail_ms = _column("talk_voicemail_ms", "Greeting and message.")
    misdetected = _column("misdetected", "1 where the callee type is reported wrongly.")
    ani_refused = _column(
        "ani_refused",
        "1 where the carrier refuses an attempt without caller ID; `REFUSED` for any attempt.",
    )


@dataclass(frozen=True)
class UpdateDraws:
    """Draws of the updates that the k-th attempt of each call of a campaign causes."""

    __repr__ = brief

    lost: NDArray[np.uint8]
    """Bit j is set where the update of kind `vocabulary.UPDATE_KINDS[j]` is lost."""
    status_work_us: NDArray[np.int64]
    """Processing of each kind of update, shape (kinds, calls); empty where it is constant."""


@dataclass(frozen=True)
class PostDraws:
    """Draws of the k-th post about each call of a campaign; arrays of shape (calls,)."""

    __repr__ = brief

    latency_ms: Milliseconds
    fails: NDArray[np.uint8]
    """0 where it is accepted, 1 for a server error, 2 where nobody is there."""


def whole_ms(seconds: NDArray[np.float64]) -> Milliseconds:
    """Seconds rounded to whole milliseconds, as int32."""
    milliseconds = seconds * 1000.0
    np.rint(milliseconds, out=milliseconds)
    np.minimum(milliseconds, LONGEST_MS, out=milliseconds)
    return milliseconds.astype(np.int32)


def constant_us(distribution: Distribution) -> int:
    """Microseconds of a constant distribution; -1 where durations are drawn."""
    return distribution.value if isinstance(distribution, Constant) else -1


def call_model(
    platform: Platform,
    callees: Callees,
    profile: Profile,
    *,
    missing_ani_refusal: float,
    message: Distribution | None = None,
    asks_for_key: bool = False,
    transfers_to_agent: bool = False,
    missing_ani_share: float = 0.0,
) -> CallModel:
    """What shapes the draws of a campaign on this platform."""
    return CallModel(
        callees=callees,
        profile=profile,
        message=message or callees.message,
        asks_for_key=asks_for_key,
        transfers_to_agent=transfers_to_agent,
        lost_updates=platform.lost_updates,
        wedged_calls=platform.wedged_calls,
        detection_accuracy=platform.detection_accuracy,
        missing_ani_share=missing_ani_share,
        missing_ani_refusal=missing_ani_refusal,
        dial_work=platform.dial_work,
        status_work=platform.status_work,
    )
