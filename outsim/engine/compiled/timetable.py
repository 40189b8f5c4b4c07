"""What will be done to the platform from outside, in the order in which it happens.

Stops, expiries, windows, suspensions and outages are known beforehand: the
kernel reads them from a list. A branch of a run has a list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from outsim.clock import NEVER
from outsim.engine.compiled.controls import (
    CARRIER,
    CHANNELS,
    ENDPOINT,
    EXPIRY,
    OUTAGE,
    PORTS,
    REPAIR,
    RESUMPTION,
    STATUS,
    STOP,
    SUSPENSION,
    WINDOW_CLOSES,
    WINDOW_OPENS,
    WORKERS,
)
from outsim.engine.compiled.events import CONTROL
from outsim.engine.compiled.layout import NONE
from outsim.engine.order import EXPIRY_STEP, STOP_STEP, WINDOW_STEP, call_key
from outsim.plan import Plan

OUTAGES = {
    "ports": PORTS,
    "workers": WORKERS,
    "channels": CHANNELS,
    "carrier": CARRIER,
    "status": STATUS,
    "endpoint": ENDPOINT,
}

Entry = tuple[int, int, int, int]
"""When, the place among what happens then, what, and to whom."""


def _campaigns(plan: Plan) -> Iterator[Entry]:
    for rank, campaign in enumerate(plan.campaigns):
        rules = campaign.rules
        if rules.stop_effect_us < plan.latest_us:
            yield rules.stop_effect_us, call_key(rank, 0, 0, STOP_STEP), STOP, rank
        if rules.expires_us < plan.latest_us:
            yield rules.expires_us, call_key(rank, 0, 0, EXPIRY_STEP), EXPIRY, rank


def windows(plan: Plan) -> list[tuple[int, int]]:
    """Campaign and place of each callee zone with a calling window."""
    return [
        (rank, place)
        for rank, campaign in enumerate(plan.campaigns)
        for place in range(len(campaign.rules.window))
    ]


def _windows(plan: Plan) -> Iterator[Entry]:
    for item, (rank, place) in enumerate(windows(plan)):
        key = call_key(rank, place, 0, WINDOW_STEP)
        for opens, closes in plan.campaigns[rank].rules.window[place]:
            yield opens, key, WINDOW_OPENS, item
            yield closes, key, WINDOW_CLOSES, item


def _disturbances(plan: Plan) -> Iterator[Entry]:
    ranks = {tenant.name: rank for rank, tenant in enumerate(plan.tenants)}
    place = 0
    for suspension in plan.suspensions:
        whom = ranks[suspension.tenant] if suspension.tenant else NONE
        yield suspension.begins_us, 2 * place, SUSPENSION, whom
        yield suspension.ends_us, 2 * place + 1, RESUMPTION, whom
        place += 1
    for item, outage in enumerate(plan.outages):
        yield outage.begins_us, 2 * place, OUTAGE, item
        yield outage.ends_us, 2 * place + 1, REPAIR, item
        place += 1


def timetable(plan: Plan) -> list[Entry]:
    """All of it, in order; what was to happen before the run happens as it begins."""
    entries = [*_campaigns(plan), *_windows(plan), *_disturbances(plan)]
    return sorted(
        ((max(0, at), CONTROL | key, kind, item) for at, key, kind, item in entries if at < NEVER),
        key=lambda entry: entry[:2],
    )
