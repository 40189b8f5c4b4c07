"""The outbound queue (rule 3): one queue for all tenants, made of lanes.

A lane that has calls and is not held back is an offer. The offers of a group are
a heap of lanes; each lane knows its place in it, so that one that is held back
leaves it at once.
"""

from __future__ import annotations

from outsim.engine.compiled.layout import (
    CALL_BYTES,
    NONE,
    call_at,
    campaign_at,
    group_at,
    lane_at,
    tenant_at,
)
from outsim.engine.compiled.memory import Row, fetch, kernel, number_at, set_number

PRIORITY_BITS = 40
"""A lane's order is its priority above the number of its first entry."""


@kernel
def wake(p: Row, at: int) -> None:
    """Have the dispatcher look at the head of the queue at the end of this instant."""
    p.look_at = min(p.look_at, at)


@kernel
def _set_offer(p: Row, group: Row, place: int, at: int) -> None:
    """Put a lane at a place among the offers of its group."""
    set_number(p.offers, group.first_offer + place, at)
    lane_at(p.lanes, at).place = place


@kernel
def _rise(p: Row, group: Row, place: int, at: int) -> None:
    order = lane_at(p.lanes, at).order
    while place > 0:
        above = number_at(p.offers, group.first_offer + (place - 1) // 2)
        if lane_at(p.lanes, above).order < order:
            break
        _set_offer(p, group, place, above)
        place = (place - 1) // 2
    _set_offer(p, group, place, at)


@kernel
def _sink(p: Row, group: Row, place: int, at: int) -> None:
    order = lane_at(p.lanes, at).order
    while True:
        below = 2 * place + 1
        if below >= group.offers:
            break
        best = number_at(p.offers, group.first_offer + below)
        if below + 1 < group.offers:
            other = number_at(p.offers, group.first_offer + below + 1)
            # Which of the two it is nobody can guess, the processor neither: no jump.
            later = lane_at(p.lanes, other).order < lane_at(p.lanes, best).order
            below += later
            best += (other - best) * later
        if order < lane_at(p.lanes, best).order:
            break
        _set_offer(p, group, place, best)
        place = below
    _set_offer(p, group, place, at)


@kernel
def _set_order(p: Row, lane: Row) -> None:
    lane.order = (lane.priority << PRIORITY_BITS) | call_at(p.calls, lane.first).sequence


@kernel
def _offer(p: Row, at: int) -> None:
    """Take note of a lane with an eligible call."""
    lane = lane_at(p.lanes, at)
    group = group_at(p.groups, lane.group)
    _set_order(p, lane)
    group.offers += 1
    _rise(p, group, group.offers - 1, at)


@kernel
def _withdraw_offer(p: Row, at: int) -> None:
    """Leave a lane out."""
    lane = lane_at(p.lanes, at)
    group = group_at(p.groups, lane.group)
    place = lane.place
    group.offers -= 1
    if place < group.offers:
        last = number_at(p.offers, group.first_offer + group.offers)
        _sink(p, group, place, last)
        _rise(p, group, lane_at(p.lanes, last).place, last)


@kernel
def _turn_starts(p: Row, group: Row) -> int:
    return max(group.turn_ends, p.turns_reached)


@kernel
def head(p: Row) -> int:
    """Lane whose first call goes next; NONE if no call is eligible.

    The oldest eligible entry goes next, lanes of a lower priority number before others. Where
    tenants take turns, it is the oldest of the tenant whose turn starts first.
    """
    best = NONE
    for place in range(p.group_count):
        group = group_at(p.groups, place)
        if group.offers > 0 and (
            best == NONE or _turn_starts(p, group) < _turn_starts(p, group_at(p.groups, best))
        ):
            best = place
    if best == NONE:
        return NONE
    return number_at(p.offers, group_at(p.groups, best).first_offer)


@kernel
def lane_of(p: Row, campaign: Row, call: Row) -> int:
    """Lane that a call waits in: by its zone, and by whether it is a retry."""
    place = number_at(campaign.lane_of_zone, call.zone)
    if p.retries_last and call.number > 1:
        place += campaign.zones
    return campaign.first_lane + place


@kernel
def enter(p: Row, at: int) -> None:
    """Put a call at the tail of its lane."""
    call = call_at(p.calls, at)
    place = lane_of(p, campaign_at(p.campaigns, call.campaign), call)
    lane = lane_at(p.lanes, place)
    call.queued_at = p.now
    call.sequence = p.sequence
    call.next = NONE
    p.sequence += 1
    if lane.first != NONE:
        call_at(p.calls, lane.last).next = at
        lane.last = at
        return
    lane.first = at
    lane.last = at
    if lane.holds == 0:
        _offer(p, place)
        wake(p, p.now)


@kernel
def take(p: Row, at: int) -> int:
    """Take the first call of an offered lane off the queue."""
    lane = lane_at(p.lanes, at)
    group = group_at(p.groups, lane.group)
    taken = lane.first
    p.turns_reached = _turn_starts(p, group)
    group.turn_ends = p.turns_reached + group.turn
    lane.first = call_at(p.calls, taken).next
    if lane.first == NONE:
        _withdraw_offer(p, at)
    else:
        following = call_at(p.calls, lane.first).next
        if following != NONE:
            fetch(p.calls, following * CALL_BYTES)
        _set_order(p, lane)
        _sink(p, group, lane.place, at)
    return taken


@kernel
def hold(p: Row, first: int, count: int) -> None:
    """Add a reason to hold these lanes back."""
    for at in range(first, first + count):
        lane = lane_at(p.lanes, at)
        lane.holds += 1
        if lane.holds == 1 and lane.first != NONE:
            _withdraw_offer(p, at)
            wake(p, p.now)


@kernel
def release(p: Row, first: int, count: int) -> None:
    """Take a reason to hold these lanes back away again."""
    for at in range(first, first + count):
        lane = lane_at(p.lanes, at)
        lane.holds -= 1
        if lane.holds == 0:
            lane.eligible_since = p.now
            if lane.first != NONE:
                _offer(p, at)
                wake(p, p.now)


@kernel
def hold_campaign(p: Row, campaign: Row) -> None:
    """Hold back all lanes of a campaign."""
    hold(p, campaign.first_lane, campaign.lanes)


@kernel
def release_campaign(p: Row, campaign: Row) -> None:
    """Release all lanes of a campaign."""
    release(p, campaign.first_lane, campaign.lanes)


@kernel
def hold_tenant(p: Row, rank: int) -> None:
    """Hold back all lanes of a tenant."""
    tenant = tenant_at(p.tenants, rank)
    hold(p, tenant.first_lane, tenant.lanes)


@kernel
def release_tenant(p: Row, rank: int) -> None:
    """Release all lanes of a tenant."""
    tenant = tenant_at(p.tenants, rank)
    release(p, tenant.first_lane, tenant.lanes)


@kernel
def clear(p: Row, campaign: Row) -> None:
    """Take all calls of a campaign off the queue."""
    for at in range(campaign.first_lane, campaign.first_lane + campaign.lanes):
        lane = lane_at(p.lanes, at)
        if lane.first != NONE:
            if lane.holds == 0:
                _withdraw_offer(p, at)
            lane.first = NONE
            wake(p, p.now)
