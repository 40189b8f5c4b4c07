"""Numbers that several calls of a campaign have, of which one is up at most (rule 3)."""

from __future__ import annotations

from outsim.engine.compiled.layout import NONE, call_at, campaign_at, shared_number_at
from outsim.engine.compiled.memory import Row, kernel, number_at, rare


@kernel
def of_call(p: Row, at: int) -> int:
    """The number of a call, where others have it too and wait for each other; else NONE."""
    campaign = campaign_at(p.campaigns, call_at(p.calls, at).campaign)
    if campaign.shared_number == 0:
        return NONE
    place = number_at(campaign.shared_number, at - campaign.first_call)
    return NONE if place < 0 else campaign.first_number + place


@rare
def is_up(p: Row, at: int) -> bool:
    """Whether another call to the number of this one is up."""
    place = of_call(p, at)
    return place != NONE and shared_number_at(p.numbers, place).is_up != 0


@rare
def take(p: Row, at: int) -> int:
    """A call to a number is up; since when it could be."""
    place = of_call(p, at)
    if place == NONE:
        return 0
    number = shared_number_at(p.numbers, place)
    number.is_up = 1
    free_since: int = number.free_since
    return free_since
