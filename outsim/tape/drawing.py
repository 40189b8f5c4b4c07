"""How draws are made: streams, one block of calls after the other, turned into values.

A campaign's draws are written into their arrays block by block, so what is needed in
between stays in the processor's cache and takes no memory to speak of.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsim import reuse
from outsim.distributions import Distribution
from outsim.tape.draws import (
    ATTEMPT_ROW,
    TRAIT_FAX,
    TRAIT_INVALID,
    AttemptDraws,
    CallModel,
    ContactDraws,
    PostDraws,
    UpdateDraws,
    constant_us,
    whole_ms,
)
from outsim.tape.streams import Block, Family, Purpose, Streams
from outsim.vocabulary import UPDATE_KINDS

Seconds = NDArray[np.float64]


def draw_contacts(family: Family, model: CallModel, count: int) -> ContactDraws:
    """Traits of the first `count` contacts."""
    draws = ContactDraws(
        trait=np.empty(count, dtype=np.uint8),
        wedged=np.empty(count, dtype=np.bool_),
        missing_ani=np.empty(count, dtype=np.bool_),
    )
    for part, block in Streams(family, 0).blocks(count):
        draws.trait[part] = _traits(model, block)
        draws.wedged[part] = block.below(Purpose.WEDGED, model.wedged_calls)
        draws.missing_ani[part] = block.below(Purpose.MISSING_ANI, model.missing_ani_share)
    return draws


def _traits(model: CallModel, block: Block) -> NDArray[np.uint8]:
    """Trait of each contact: invalid at the low end of the uniform, then fax."""
    invalid = model.invalid_share
    fax = invalid + (1 - invalid) * model.callees.fax_share
    trait = block.below(Purpose.TRAIT, fax) * np.uint8(TRAIT_FAX)
    trait[block.below(Purpose.TRAIT, invalid)] = TRAIT_INVALID
    return trait


def draw_attempts(family: Family, model: CallModel, attempt: int, count: int) -> AttemptDraws:
    """Draws of the attempts numbered `attempt` (from 1) of the first `count` calls."""
    drawn_work = constant_us(model.dial_work) < 0
    draws = AttemptDraws(
        # None of them straddles two cache lines.
        rows=reuse.empty(count, ATTEMPT_ROW),
        dial_work_us=np.empty(count if drawn_work else 0, dtype=np.int64),
    )
    for part, block in Streams(family, attempt).blocks(count):
        _fill_rows(draws.rows[part], model, block)
        if drawn_work:
            draws.dial_work_us[part] = _work_us(model.dial_work, Purpose.DIAL_WORK, block)
    return draws


def _fill_rows(rows: NDArray[np.void], model: CallModel, block: Block) -> None:
    """Write what the streams hold for a block of attempts into its rows."""
    callees = model.callees
    message = block.seconds(model.message, Purpose.TALK)
    greeting = block.seconds(callees.greeting, Purpose.TALK)
    rows["outcome"] = block.uniforms(Purpose.OUTCOME)
    rows["post_dial_ms"] = whole_ms(
        block.seconds(callees.post_dial_delay, Purpose.POST_DIAL_DELAY)
    )
    rows["ring_human_ms"] = whole_ms(block.seconds(callees.ring_human, Purpose.RING))
    rows["ring_voicemail_ms"] = whole_ms(_voicemail_rings_s(model, block))
    rows["talk_human_ms"] = whole_ms(_heard_s(model, message, block))
    rows["talk_voicemail_ms"] = whole_ms(greeting + message)
    rows["recorded_outcome"] = -1
    rows["unused"] = 0
    rows["misdetected"] = ~block.below(Purpose.DETECTION, model.detection_accuracy)
    rows["ani_refused"] = block.below(Purpose.ANI_REFUSAL, model.missing_ani_refusal)


def _voicemail_rings_s(model: CallModel, block: Block) -> Seconds:
    """Seconds of ringing until voicemail answers, which it does early if the phone is off."""
    callees = model.callees
    rings = block.seconds(callees.ring_voicemail, Purpose.RING)
    if callees.phone_off > 0:
        off = block.below(Purpose.PHONE_OFF, callees.phone_off)
        np.copyto(rings, block.seconds(callees.phone_off_ring, Purpose.RING), where=off)
    return rings


def _heard_s(model: CallModel, message: Seconds, block: Block) -> Seconds:
    """Seconds that a person stays; a hang-up's uniform is also its place in the message."""
    callees = model.callees
    if model.transfers_to_agent:
        return block.seconds(callees.agent_talk, Purpose.TALK)
    stays = message
    if model.asks_for_key:
        stays = message + block.seconds(callees.key_press, Purpose.KEY_PRESS)
    share = callees.early_hang_up
    if share == 0:
        return stays
    hang_up = block.uniforms(Purpose.HANG_UP)
    return np.where(hang_up < share, message * (hang_up / share), stays)


def draw_updates(family: Family, model: CallModel, attempt: int, count: int) -> UpdateDraws:
    """Draws of the updates about the attempts numbered `attempt` of the first `count` calls."""
    drawn_work = constant_us(model.status_work) < 0
    shape = (len(UPDATE_KINDS), count) if drawn_work else 0
    draws = UpdateDraws(
        lost=np.zeros(count, dtype=np.uint8), status_work_us=np.empty(shape, dtype=np.int64)
    )
    if model.lost_updates == 0 and not drawn_work:
        return draws
    for part, block in Streams(family, attempt).blocks(count):
        draws.lost[part] = _lost_bits(model.lost_updates, block)
        if drawn_work:
            for kind in range(len(UPDATE_KINDS)):
                purpose = Purpose.STATUS_WORK + kind
                draws.status_work_us[kind, part] = _work_us(model.status_work, purpose, block)
    return draws


def _lost_bits(share: float, block: Block) -> NDArray[np.uint8]:
    """Bit k of each call is set where its update of the k-th kind is lost."""
    bits = np.zeros(block.count, dtype=np.uint8)
    for kind in range(len(UPDATE_KINDS)):
        lost = block.below(Purpose.LOST_UPDATE + kind, share).view(np.uint8)
        bits |= lost << np.uint8(kind)
    return bits


def _work_us(distribution: Distribution, purpose: int, block: Block) -> NDArray[np.int64]:
    """Processing times: whole milliseconds, at least 1 µs."""
    return np.maximum(whole_ms(block.seconds(distribution, purpose)).astype(np.int64) * 1000, 1)


def draw_posts(
    family: Family, latency: Distribution, failure_share: float, post: int, count: int
) -> PostDraws:
    """Draws of the posts numbered `post` (from 1) about the first `count` calls."""
    draws = PostDraws(
        latency_ms=np.empty(count, dtype=np.int32), fails=np.empty(count, dtype=np.uint8)
    )
    for part, block in Streams(family, post).blocks(count):
        draws.latency_ms[part] = whole_ms(block.seconds(latency, Purpose.LATENCY))
        draws.fails[part] = block.below(Purpose.POST_FAILURE, failure_share)
    return draws
