"""Values of a scenario that are allowed, and make everything fail, or nothing happen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from outsim.clock import SECOND, format_duration, microseconds_between
from outsim.distributions import Constant, Distribution
from outsim.scenario.campaigns import Endpoint
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import human_factor
from outsim.scenario.utilisation import share_left_by_others

Advised = Iterator[tuple[str, str]]
"""Key paths and messages."""

MOST = 0.5
"""Share from which on a fault is the rule and no longer the exception."""
NEARLY_ALL = 0.9
STRONG = 1.5
"""Factor from which on a factor is more than a nuance."""
_MIDPOINTS = (np.arange(1000) + 0.5) / 1000


def values(scenario: Scenario) -> Advised:
    """What can't be meant of single values, as (key, message)."""
    yield from _shares(scenario)
    yield from _durations(scenario)
    yield from _answering(scenario)
    yield from _names_alike(scenario)
    for endpoint in scenario.endpoint:
        for key, message in _endpoint(endpoint):
            yield f"endpoint[{endpoint.name}].{key}", message
    for campaign in scenario.campaign:
        if campaign.pacing is None and campaign.pacing_at != "admission":
            key = f"campaign[{campaign.tenant}/{campaign.name}].pacing_at"
            yield key, "has no effect without pacing"
    if scenario.platform.queue != "fair":
        callers = {campaign.tenant for campaign in scenario.campaign}
        for tenant in scenario.tenant:
            if tenant.weight != 1 and tenant.name in callers:
                yield (
                    f"tenant[{tenant.name}].weight",
                    'has no effect unless platform.queue = "fair"',
                )


def _shares(scenario: Scenario) -> Advised:
    platform, callees = scenario.platform, scenario.callees
    if platform.wedged_calls >= MOST:
        yield "platform.wedged_calls", f"{platform.wedged_calls:.0%} of calls are never dialled"
    if platform.lost_updates >= MOST:
        yield "platform.lost_updates", f"{platform.lost_updates:.0%} of updates are never visible"
    if platform.detection_accuracy < MOST:
        yield (
            "platform.detection_accuracy",
            f"is {platform.detection_accuracy:.0%}: people and machines are told apart wrongly "
            "more often than rightly",
        )
    if share_left_by_others(scenario.carrier) == 0:
        yield (
            "carrier.other_traffic",
            "leaves nothing to the platform: every call is refused",
        )
    if callees.phone_off >= MOST:
        yield "callees.phone_off", f"{callees.phone_off:.0%} of phones are off at every attempt"
    if callees.fax_share >= MOST:
        yield "callees.fax_share", f"{callees.fax_share:.0%} of contacts are fax machines"
    if callees.early_hang_up >= NEARLY_ALL:
        leave = f"{callees.early_hang_up:.0%} of people leave before the message ends"
        yield "callees.early_hang_up", leave


def _durations(scenario: Scenario) -> Advised:
    """Times that are longer, on average, than the run is by the clock."""
    length_us = microseconds_between(scenario.clock.begins, scenario.clock.ends)
    platform, callees = scenario.platform, scenario.callees
    found: dict[str, int | float | None] = {
        "carrier.refusal_time": scenario.carrier.refusal_time,
        **{f"platform.{key}": getattr(platform, key) for key in ("ring_timeout", "start_jitter")},
    }
    if any(campaign.stop_at is not None for campaign in scenario.campaign):
        found["platform.stop_latency"] = platform.stop_latency
    parts: dict[str, Any] = {"platform": platform, "callees": callees}
    for name, part in parts.items():
        for key in type(part).model_fields:
            value = getattr(part, key)
            if hasattr(value, "mean_s"):
                found[f"{name}.{key}"] = value.mean_s() * SECOND
    for campaign in scenario.campaign:
        if campaign.message is not None:
            key = f"campaign[{campaign.tenant}/{campaign.name}].message"
            found[key] = campaign.message.mean_s() * SECOND
    for key, duration_us in found.items():
        if duration_us is not None and duration_us >= length_us:
            yield (
                key,
                f"is {format_duration(duration_us)}, longer than the run "
                f"({format_duration(length_us)})",
            )
    talks = {
        "detection_person": callees.message.quantile_s(_MIDPOINTS),
        "detection_machine": (callees.message.mean_s() + callees.greeting.quantile_s(_MIDPOINTS)),
    }
    for key, talk_s in talks.items():
        detection_us = getattr(platform, key)
        late = float(np.mean(talk_s * SECOND < detection_us))
        if late >= NEARLY_ALL:
            yield (
                f"platform.{key}",
                f"is {format_duration(detection_us)}: {late:.0%} of such calls are over before",
            )


def _answering(scenario: Scenario) -> Advised:
    callees = scenario.callees
    hours = callees.hour_factors.model_dump().values()
    factors = {
        "callees.hour_factors": (max(hours), max(hours)),
        "callees.weekday_factors": (max(callees.weekday_factors),) * 2,
        "callees.redial_factors": (callees.redial_factors[0], max(callees.redial_factors)),
    }
    for key, (most, _) in factors.items():
        if most == 0:
            yield key, "no person ever answers: the factors are 0"
    if all(most > 0 for _, most in factors.values()) and human_factor(scenario) == 0:
        at_work = "weekday_factors" if min(callees.weekday_factors) == 0 else "hour_factors"
        yield f"callees.{at_work}", "no person answers in the run: its factors are 0 then"
    users = {campaign.profile for campaign in scenario.campaign}
    if scenario.background is not None:
        users.add(scenario.background.profile)
    for name in sorted(users):
        profile = scenario.all_profiles[name]
        if not profile.ever_answers:
            yield f"profiles.{name}", "neither a person nor voicemail ever answers"
        for key, (_, most) in factors.items():
            if most >= STRONG and profile.human * most > profile.human + profile.no_answer:
                yield (
                    key,
                    f"a factor of {most:g} on the human share of {name} takes more than its "
                    "no_answer has: it is cut there",
                )


def _endpoint(endpoint: Endpoint) -> Advised:
    late = _share_beyond(endpoint.latency, endpoint.timeout)
    if late >= MOST:
        yield (
            "timeout",
            f"is {format_duration(endpoint.timeout)}: {late:.0%} of posts take longer, and fail",
        )
    if endpoint.failure_share >= MOST:
        yield "failure_share", f"{endpoint.failure_share:.0%} of posts are answered with an error"
    if endpoint.retry_after and sum(endpoint.retry_after) < SECOND:
        within = format_duration(sum(endpoint.retry_after))
        yield "retry_after", f"all repetitions come within {within} of each other"


def _share_beyond(distribution: Distribution, limit_us: int) -> float:
    if isinstance(distribution, Constant):
        return float(distribution.value > limit_us)
    return float(np.mean(distribution.quantile_s(_MIDPOINTS) * SECOND > limit_us))


def _names_alike(scenario: Scenario) -> Advised:
    """Names that differ in nothing but case, spaces and hyphens."""
    tenants = {c.tenant for c in scenario.campaign} | {t.name for t in scenario.tenant}
    named: list[tuple[str, list[str]]] = [
        ("tenant", sorted(tenants)),
        ("endpoint", sorted(each.name for each in scenario.endpoint)),
        ("profiles", sorted(scenario.all_profiles)),
        *(
            (
                f"campaign[{tenant}]",
                sorted(c.name for c in scenario.campaign if c.tenant == tenant),
            )
            for tenant in sorted(tenants)
        ),
    ]
    for key, names in named:
        alike: dict[str, list[str]] = {}
        for name in names:
            alike.setdefault("".join(c for c in name.casefold() if c.isalnum()), []).append(name)
        for same in alike.values():
            for one, other in list(combinations(same, 2))[:1]:
                yield key, f"{one!r} and {other!r} are two: they differ in case or spaces only"
