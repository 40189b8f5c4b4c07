"""Who goes next: priorities, shares, weights and expiries that the queue does not go by."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.display import percent
from outsim.scenario.campaigns import USUAL_PRIORITY
from outsim.scenario.lint_settings import Advised
from outsim.scenario.model import Scenario
from outsim.vocabulary import DISCIPLINES

NEARLY_ALL_PORTS = 0.95
"""Guaranteed shares of all tenants from which on next to nothing is left to others."""

_QUEUE_OF = {"weight": "fair", "priority": "priority", "guaranteed_share": "guaranteed"}
"""The queue that a key of tenants is for."""


def queue(scenario: Scenario) -> Advised:
    """What can't be meant of the order in which calls go, as (key, message)."""
    yield from _without_effect(scenario)
    discipline = DISCIPLINES[scenario.platform.queue]
    if discipline.by_priority and len(_priorities(scenario)) == 1:
        (number,) = _priorities(scenario)
        yield (
            "platform.queue",
            f"all calls are of priority {number}: the queue is first in, first out",
        )
    if discipline.by_expiry and not _has_expiry(scenario):
        yield "platform.queue", "no call ever expires: the queue is first in, first out"
    if discipline.has_guarantees:
        yield from _guarantees(scenario)


def _without_effect(scenario: Scenario) -> Advised:
    """Keys that are set, and that this queue does not go by."""
    callers = {campaign.tenant for campaign in scenario.campaign}
    for tenant in scenario.tenant:
        for key, of in _QUEUE_OF.items():
            is_usual = getattr(tenant, key) == type(tenant).model_fields[key].default
            if tenant.name in callers and not is_usual and scenario.platform.queue != of:
                yield (
                    f"tenant[{tenant.name}].{key}",
                    f'has no effect unless platform.queue = "{of}"',
                )
    if not DISCIPLINES[scenario.platform.queue].by_priority:
        for campaign in scenario.campaign:
            if campaign.priority is not None:
                yield (
                    f"campaign[{campaign.full_name}].priority",
                    'has no effect unless platform.queue = "priority"',
                )


def _priorities(scenario: Scenario) -> set[int]:
    """Priority numbers that calls have, those of background tenants included."""
    of_tenant = {tenant.name: tenant.priority for tenant in scenario.tenant}
    own = {c.priority or of_tenant.get(c.tenant, USUAL_PRIORITY) for c in scenario.campaign}
    return own | (set() if scenario.background is None else {USUAL_PRIORITY})


def _has_expiry(scenario: Scenario) -> bool:
    return any(
        campaign.expires_at is not None
        or campaign.expires_after is not None
        or (campaign.requests is not None and campaign.requests.expires_s is not None)
        or (campaign.contact_list is not None and campaign.contact_list.expiries_us is not None)
        for campaign in scenario.campaign
    )


def _guarantees(scenario: Scenario) -> Iterator[tuple[str, str]]:
    shares = {tenant.name: tenant.guaranteed_share for tenant in scenario.tenant}
    callers = {campaign.tenant for campaign in scenario.campaign}
    total = sum(shares.values())
    if total == 0:
        yield "platform.queue", "no tenant has a guaranteed share: it is first in, first out"
    others = sorted(name for name in callers if not shares.get(name))
    others += [] if scenario.background is None else ["background tenants"]
    if total >= NEARLY_ALL_PORTS and others:
        last = next(name for name in reversed(shares) if shares[name])
        yield (
            f"tenant[{last}].guaranteed_share",
            f"guaranteed shares make {percent(total, 1)} of the ports in all: "
            f"{', '.join(others)} {'goes' if len(others) == 1 else 'go'} only while they are idle",
        )
    for tenant in scenario.tenant:
        ports = tenant.guaranteed_share * scenario.platform.ports
        if tenant.max_simultaneous is not None and tenant.max_simultaneous < ports:
            yield (
                f"tenant[{tenant.name}].guaranteed_share",
                f"is {ports:g} ports, more than its max_simultaneous "
                f"({tenant.max_simultaneous}): it never holds all of them",
            )
