"""Retries outcome by outcome (rule 17): how often a call came to what, and what it waits for."""

from __future__ import annotations

from outsim.clock import NEVER
from outsim.engine.compiled.layout import block_at
from outsim.engine.compiled.memory import Row, instant_at, kernel, number_at, rare, set_number
from outsim.plan.retries import TALLY_BITS
from outsim.units import WHOLE

_MOST = (1 << TALLY_BITS) - 1


@rare
def count(p: Row, campaign: Row, at: int, outcome: int) -> None:
    """An attempt of a call has come to an outcome."""
    place = campaign.first_tally + at - campaign.first_call
    set_number(p.tallies, place, number_at(p.tallies, place) + (1 << TALLY_BITS * outcome))


@kernel
def _row(p: Row, campaign: Row, at: int, outcome: int) -> int:
    """Place in the tables of what a call that has just come to an outcome is to wait for."""
    tally = number_at(p.tallies, campaign.first_tally + at - campaign.first_call)
    return (outcome << TALLY_BITS) + ((tally >> TALLY_BITS * outcome) & _MOST)


@rare
def is_left(p: Row, campaign: Row, at: int, outcome: int) -> bool:
    """Whether a call is dialed again that has just come to an outcome."""
    interval_us = instant_at(campaign.retry_intervals, _row(p, campaign, at, outcome))
    return interval_us != NEVER


@rare
def wait_us(p: Row, campaign: Row, at: int, attempt: int, outcome: int) -> int:
    """From the end of an attempt to the queue again."""
    row = _row(p, campaign, at, outcome)
    interval_us = instant_at(campaign.retry_intervals, row)
    jitter = block_at(p.blocks, campaign.blocks + attempt).jitter
    if jitter == 0:
        return interval_us
    millionths = instant_at(jitter, at - campaign.first_call)
    return interval_us + instant_at(campaign.retry_jitters, row) * millionths // WHOLE
