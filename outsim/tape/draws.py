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

Milliseconds = NDArray[np.int32]
Flags = NDArray[np.bool_]

LONGEST_MS = 2**31 - 1

TRAIT_NONE, TRAIT_INVALID, TRAIT_FAX = 0, 1, 2

UPDATE_KINDS = ("queued", "dialing", "connected", "ended", "withdrawn")
"""Updates that one attempt can cause: one stream for each, so that no two share a draw.
``ended`` is waiting_retry or a final status at the end of an attempt; ``withdrawn`` is a
final status that comes without one."""


@dataclass(frozen=True)
class CallModel:
    """What shapes the draws of one campaign: everything but the stream's key."""

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
        p = self.profile
        return p.invalid / (p.human + p.voicemail + p.no_answer + p.busy + p.invalid)


@dataclass(frozen=True)
class ContactDraws:
    """Traits of each contact, drawn once; arrays of shape (calls,)."""

    trait: NDArray[np.uint8]
    """TRAIT_NONE, TRAIT_INVALID or TRAIT_FAX."""
    wedged: Flags
    missing_ani: Flags


@dataclass(frozen=True)
class AttemptDraws:
    """Draws of the k-th attempt of each call of a campaign; arrays of shape (calls,)."""

    outcome: NDArray[np.float64]
    """Uniform to hold against the thresholds of the outcomes."""
    recorded_outcome: NDArray[np.int8]
    """Index of a recorded outcome; -1 where the uniform decides."""
    post_dial_ms: Milliseconds
    ring_human_ms: Milliseconds
    ring_voicemail_ms: Milliseconds
    talk_human_ms: Milliseconds
    talk_voicemail_ms: Milliseconds
    misdetected: NDArray[np.uint8]
    """1 where the callee type is reported wrongly."""
    ani_refused: NDArray[np.uint8]
    """1 where the carrier refuses the attempt if it has no caller ID."""
    dial_work_us: NDArray[np.int64]
    """Processing of the dial; empty where it is constant."""


@dataclass(frozen=True)
class UpdateDraws:
    """Draws of the updates that the k-th attempt of each call of a campaign causes."""

    lost: NDArray[np.uint8]
    """Bit j is set where the update of kind UPDATE_KINDS[j] is lost."""
    status_work_us: NDArray[np.int64]
    """Processing of each kind of update, shape (kinds, calls); empty where it is constant."""


@dataclass(frozen=True)
class PostDraws:
    """Draws of the k-th post about each call of a campaign; arrays of shape (calls,)."""

    latency_ms: Milliseconds
    fails: NDArray[np.uint8]


def whole_ms(seconds: NDArray[np.float64]) -> Milliseconds:
    """Seconds rounded to whole milliseconds, as int32."""
    return np.minimum(np.rint(seconds * 1000.0), LONGEST_MS).astype(np.int32)


def constant_us(distribution: Distribution) -> int:
    """Microseconds of a constant distribution; -1 where durations are drawn."""
    return distribution.value if isinstance(distribution, Constant) else -1


def work_us(distribution: Distribution, streams: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Processing times of shape (streams, calls): whole milliseconds, at least 1 µs."""
    drawn = [whole_ms(distribution.quantile_s(uniforms)) for uniforms in streams]
    return np.maximum(np.stack(drawn).astype(np.int64) * 1000, 1)


def heard_s(
    model: CallModel,
    talk: NDArray[np.float64],
    hang_up: NDArray[np.float64],
    key_press: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Seconds that a person stays on the line.

    With an early hang-up the uniform, stretched to the unit interval again, is
    also the place in the message: one draw says whether and where.
    """
    if model.transfers_to_agent:
        return model.callees.agent_talk.quantile_s(talk)
    whole = model.message.quantile_s(talk)
    share = model.callees.early_hang_up
    stays = whole
    if key_press is not None:
        stays = whole + model.callees.key_press.quantile_s(key_press)
    if share == 0:
        return stays
    return np.where(hang_up < share, whole * (hang_up / share), stays)


def lost_bits(share: float, uniforms: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """Bit k of each call is set where the k-th uniform falls below `share`."""
    bits = np.zeros(len(uniforms[0]), dtype=np.uint8)
    for kind, uniform in enumerate(uniforms):
        bits |= (uniform < share).astype(np.uint8) << np.uint8(kind)
    return bits


def traits(model: CallModel, uniforms: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Trait of each contact: invalid at the low end of the uniform, then fax."""
    invalid = model.invalid_share
    fax = invalid + (1 - invalid) * model.callees.fax_share
    return np.where(
        uniforms < invalid, TRAIT_INVALID, np.where(uniforms < fax, TRAIT_FAX, TRAIT_NONE)
    ).astype(np.uint8)


def call_model(
    platform: Platform,
    callees: Callees,
    profile: Profile,
    *,
    message: Distribution | None,
    asks_for_key: bool,
    transfers_to_agent: bool,
    missing_ani_share: float,
    missing_ani_refusal: float,
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
