"""Uniform numbers keyed to what they are for, not to when they are asked for.

One stream per (seed, replication, tenant, campaign, purpose, attempt number),
one uniform per call in it. A longer list, another retry, another port, another
start or another campaign therefore changes no draw of anybody else's.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What a stream is for. Values are part of every tape: never renumber them."""

    TRAIT = 1
    """Whether a contact is a fax machine or an invalid number."""
    WEDGED = 2
    """Whether a call is wedged."""
    MISSING_ANI = 3
    """Whether a contact has no caller ID."""
    START_JITTER = 4
    """How late a campaign's loader begins."""
    REQUEST = 5
    """When the next single-call request comes in."""
    OUTCOME = 10
    """What becomes of an attempt."""
    POST_DIAL_DELAY = 11
    """From the carrier's acceptance to the first ring."""
    RING = 12
    """How long it rings."""
    PHONE_OFF = 13
    """Whether voicemail answers early."""
    TALK = 14
    """Length of the message or the talk."""
    HANG_UP = 15
    """Whether and where a person leaves early."""
    KEY_PRESS = 16
    """Time to press a key."""
    DETECTION = 17
    """Whether the callee type is reported rightly."""
    ANI_REFUSAL = 18
    """Whether the carrier refuses an attempt without a caller ID."""
    DIAL_WORK = 19
    """Processing of the dial."""
    LOST_UPDATE = 20
    """Whether an update is lost; one stream for each kind of update, from here on."""
    STATUS_WORK = 30
    """Processing of an update; one stream for each kind of update, from here on."""
    LATENCY = 40
    """Time that an endpoint takes to answer a post; the attempt number counts posts."""
    POST_FAILURE = 41
    """Whether an endpoint answers a post with an error."""
    BACKGROUND_START = 50
    """Which kind of minute a background campaign starts at."""
    BACKGROUND_MINUTE = 51
    """Which minute of that kind."""
    BACKGROUND_SIZE = 52
    """How many contacts a background campaign has."""


def _words(name: str) -> tuple[int, int, int, int]:
    digest = hashlib.sha256(name.encode()).digest()
    one, two, three, four = (int.from_bytes(digest[k : k + 4], "little") for k in (0, 4, 8, 12))
    return one, two, three, four


def uniforms(
    seed: int,
    replication: int,
    tenant: str,
    campaign: str,
    purpose: int,
    attempt: int,
    count: int,
) -> NDArray[np.float64]:
    """First `count` uniforms of a stream, strictly between 0 and 1.

    They are made from raw PCG64 words by one exact operation, so they are the
    same on every processor and under every version of numpy. A longer draw
    begins with the shorter one.
    """
    key = (
        seed & 0xFFFFFFFF,
        seed >> 32,
        replication,
        *_words(tenant),
        *_words(campaign),
        purpose,
        attempt,
    )
    raw = np.random.PCG64(np.random.SeedSequence(key)).random_raw(count)
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
