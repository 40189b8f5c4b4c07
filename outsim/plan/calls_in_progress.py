"""How attempts go on that are under way: drawn again, given how long they have lasted.

An attempt that has rung for 20 s is one of those that ring longer than 20 s. So of the courses
that the tape has for it, the first is taken that has not come to its next step by then. This
draws from the distribution of what remains exactly, whatever the durations' distributions and
the mixture of outcomes: who rings for long is rather one who does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MILLISECOND
from outsim.plan.answering import GAPS_US, Answering
from outsim.plan.campaigns import CampaignPlan
from outsim.plan.model import PlatformPlan
from outsim.tape import Purpose
from outsim.tape.draws import AttemptDraws
from outsim.vocabulary import (
    ANSWERED,
    FAX,
    HUMAN,
    INTERVAL_ORDER,
    INVALID,
    NO_ANSWER,
    RINGING,
    VOICEMAIL,
)

Instants = NDArray[np.int64]

COURSES = 32
"""Courses that are drawn for an attempt at a time."""
ROUNDS = 16
"""Times that they are drawn at most; an attempt that outlasts them all ends at once."""


@dataclass(frozen=True, eq=False)
class CallsInState:
    """Calls of one campaign that stand in one state; arrays of shape (calls,)."""

    since_us: Instants
    """When each came into it: where an attempt is under way its dispatch, or its answer."""
    attempts: NDArray[np.int8]
    """Attempts of each that are over."""
    failures: NDArray[np.int8]


def _outcomes(
    campaign: CampaignPlan,
    answering: Answering,
    in_progress: CallsInState,
    uniforms: NDArray[np.float64],
    traits: NDArray[np.float64],
) -> NDArray[np.int8]:
    """Outcome of each course, shape (attempts, COURSES), before the ring timeout."""
    starts = answering.segment_starts_us[campaign.zone]
    factors = answering.segment_factors[campaign.zone]
    segment = np.searchsorted(starts, np.maximum(in_progress.since_us, 0), side="right") - 1
    table = answering.thresholds[campaign.profile]
    failures = np.minimum(in_progress.failures, table.shape[1] - 1)
    bounds = table[factors[segment], failures, len(GAPS_US)]
    place = (uniforms[:, :, np.newaxis] >= bounds[:, np.newaxis, :]).sum(axis=2)
    outcomes: NDArray[np.int8] = np.array(INTERVAL_ORDER, dtype=np.int8)[place]
    # Traits show themselves in the first attempt: whoever is dialed again has none.
    first = (in_progress.attempts == 0)[:, np.newaxis]
    invalid = campaign.model.invalid_share
    fax = invalid + (1 - invalid) * campaign.model.callees.fax_share
    outcomes[first & (traits < fax)] = FAX
    outcomes[first & (traits < invalid)] = INVALID
    return outcomes


def _lengths_us(
    platform: PlatformPlan, draws: AttemptDraws, outcomes: NDArray[np.int8]
) -> tuple[Instants, Instants, NDArray[np.int8]]:
    """Time from dispatch to answer or end, workers being idle; from answer to end; the outcome."""

    def us(milliseconds: NDArray[np.int32]) -> Instants:
        return np.maximum(1, milliseconds.reshape(outcomes.shape).astype(np.int64) * MILLISECOND)

    work_us: Instants | int = platform.dial_work_us
    if platform.dial_work_us < 0:
        work_us = draws.dial_work_us.reshape(outcomes.shape)
    ring_us = np.where(outcomes == VOICEMAIL, us(draws.ring_voicemail_ms), us(draws.ring_human_ms))
    answers = np.isin(outcomes, ANSWERED) & (ring_us <= platform.ring_timeout_us)
    rings = np.isin(outcomes, RINGING)
    ring_us = np.where(answers, ring_us, platform.ring_timeout_us * rings)
    talk_us = np.full(outcomes.shape, max(1, platform.detection_machine_us), dtype=np.int64)
    talk_us = np.where(outcomes == HUMAN, us(draws.talk_human_ms), talk_us)
    talk_us = np.where(outcomes == VOICEMAIL, us(draws.talk_voicemail_ms), talk_us)
    final = np.where(rings & ~answers, NO_ANSWER, outcomes).astype(np.int8)
    return work_us + us(draws.post_dial_ms) + ring_us, talk_us * answers, final


def continue_attempts(
    campaign: CampaignPlan,
    platform: PlatformPlan,
    answering: Answering,
    in_progress: CallsInState,
    at_us: int,
    *,
    is_connected: bool,
) -> tuple[Instants, NDArray[np.int8]]:
    """When each attempt that is under way at a moment ends, and with which outcome."""
    count = len(in_progress.since_us)
    # No campaign has such a name, so these streams are nobody else's.
    name = f"{campaign.name} | {'connected' if is_connected else 'dialing'}"
    ends_us = np.full(count, at_us + 1, dtype=np.int64)
    outcomes = np.full(count, HUMAN if is_connected else NO_ANSWER, dtype=np.int8)
    left = np.arange(count)
    for round_number in range(1, ROUNDS + 1):
        if len(left) == 0:
            break
        shape, size = (len(left), COURSES), len(left) * COURSES
        theirs = CallsInState(
            in_progress.since_us[left], in_progress.attempts[left], in_progress.failures[left]
        )
        draws = campaign.tape.attempts(campaign.tenant, name, campaign.model, round_number, size)
        traits = campaign.tape.uniforms(
            campaign.tenant, name, Purpose.TRAIT, attempt=round_number, count=size
        )
        uniforms = draws.outcome.reshape(shape)
        raw = _outcomes(campaign, answering, theirs, uniforms, traits.reshape(shape))
        dialing_us, talk_us, final = _lengths_us(platform, draws, raw)
        state_us = talk_us if is_connected else dialing_us
        lasts = theirs.since_us[:, np.newaxis] + state_us > at_us
        row = np.flatnonzero(lasts.any(axis=1))
        course = lasts[row].argmax(axis=1)
        length_us = talk_us if is_connected else dialing_us + talk_us
        ends_us[left[row]] = theirs.since_us[row] + length_us[row, course]
        outcomes[left[row]] = final[row, course]
        left = np.delete(left, row)
    return ends_us, outcomes
