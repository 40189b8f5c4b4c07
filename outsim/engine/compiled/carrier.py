"""The carrier (rule 6): admits an attempt, or refuses it."""

from __future__ import annotations

from outsim.clock import TOKEN
from outsim.engine.compiled.bucket import has_carrier_token, minute_of_hour
from outsim.engine.compiled.memory import Row, instant_at, kernel
from outsim.tape.draws import REFUSED
from outsim.vocabulary import (
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    CARRIER_RATE,
    MISSING_ANI,
    NO_CAUSE,
    NUMBER_REFUSED,
)


@kernel
def channels_left(p: Row, now: int) -> int:
    """Channels that the platform may use."""
    return max(0, instant_at(p.carrier_channels, minute_of_hour(p, now)) - p.channels_out)


@kernel
def admit(p: Row, attempt: Row, call: Row, draws: Row, now: int) -> int:
    """Carry an attempt, or say why not: a code of `outcomes.CAUSES`; a refusal takes nothing."""
    if p.carrier_outages > 0:
        return CARRIER_OUTAGE
    if draws.ani_refused == REFUSED:
        return NUMBER_REFUSED
    if call.missing_ani and draws.ani_refused:
        return MISSING_ANI
    if p.channels_busy >= channels_left(p, now):
        return CARRIER_CHANNELS
    if not has_carrier_token(p, now):
        return CARRIER_RATE
    p.carrier_level -= TOKEN
    p.channels_busy += 1
    attempt.at_carrier = 1
    return NO_CAUSE


@kernel
def hang_up(p: Row, attempt: Row) -> None:
    """Give an attempt's channel back, if it has one."""
    if attempt.at_carrier:
        attempt.at_carrier = 0
        p.channels_busy -= 1
