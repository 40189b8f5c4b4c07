"""Outages, suspensions, stops and requests whose times can't be meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from outsim.clock import SECOND, format_duration
from outsim.scenario.campaigns import Campaign
from outsim.scenario.incidents import Outage, Suspension
from outsim.scenario.model import Scenario

Advised = Iterator[tuple[str, str]]
"""Key paths and messages."""


def events(scenario: Scenario) -> Advised:
    """What can't be meant of the times of outages, suspensions, stops and requests."""
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    for i, suspension in enumerate(scenario.suspension):
        begins_us = scenario.instant_us(suspension.begins)
        if begins_us < latest_us <= _ends_us(scenario, suspension):
            whom = "everybody" if suspension.tenant is None else suspension.tenant
            yield (
                f"suspension[{i}].ends",
                f"is not before the latest end of the run: {whom} is not dialled from "
                f"{suspension.begins:%H:%M} on",
            )
    yield from _suspended_twice(scenario)
    yield from _outages(scenario)
    every_us = scenario.platform.reconciliation_every
    if every_us is not None and every_us >= latest_us:
        yield (
            "platform.reconciliation_every",
            f"is {format_duration(every_us)}, and the run is over by then: nothing is repaired",
        )
    for campaign in scenario.campaign:
        for key, message in (*_stop(scenario, campaign), *_requests(scenario, campaign)):
            yield f"campaign[{campaign.tenant}/{campaign.name}].{key}", message


def _suspended_twice(scenario: Scenario) -> Advised:
    spans = [(i, s, _ends_us(scenario, s)) for i, s in enumerate(scenario.suspension)]
    for (i, one, one_ends), (j, other, other_ends) in combinations(spans[:MOST_COMPARED], 2):
        same = one.tenant == other.tenant or None in (one.tenant, other.tenant)
        latest_begin = max(scenario.instant_us(one.begins), scenario.instant_us(other.begins))
        if same and latest_begin < min(one_ends, other_ends):
            whom = one.tenant or other.tenant or "everybody"
            yield f"suspension[{j}].begins", f"overlaps suspension[{i}], of {whom} too"


def _ends_us(scenario: Scenario, event: Suspension | Outage) -> int:
    ends = scenario.clock.latest_end if event.ends is None else event.ends
    return scenario.instant_us(ends)


def _outages(scenario: Scenario) -> Advised:
    there = {
        "ports": scenario.platform.ports,
        "workers": scenario.platform.workers,
        "channels": scenario.carrier.channels,
    }
    ends_us = scenario.instant_us(scenario.clock.ends)
    for i, outage in enumerate(scenario.outage):
        all_of_them = there.get(outage.of, 1)
        if outage.count is not None and outage.count > all_of_them:
            yield (
                f"outage[{i}].count",
                f"is {outage.count}, and there are {all_of_them} {outage.of}",
            )
        is_whole = outage.count is None or outage.count >= all_of_them
        begins_us = scenario.instant_us(outage.begins)
        if is_whole and begins_us < ends_us <= _ends_us(scenario, outage):
            what = outage.endpoint or outage.of
            yield (
                f"outage[{i}].ends",
                f"is not before the end of the run: {what} is out from {outage.begins:%H:%M} on",
            )
    spans = [(i, o, _ends_us(scenario, o)) for i, o in enumerate(scenario.outage)]
    for (i, one, one_ends), (j, other, other_ends) in combinations(spans[:MOST_COMPARED], 2):
        same = (one.of, one.endpoint) == (other.of, other.endpoint)
        apart = max(scenario.instant_us(one.begins), scenario.instant_us(other.begins)) >= min(
            one_ends, other_ends
        )
        if same and not apart:
            yield f"outage[{j}].begins", f"overlaps outage[{i}], of {one.of} too"


MOST_COMPARED = 200
"""Outages, or suspensions, of which each is compared with each."""


def _stop(scenario: Scenario, campaign: Campaign) -> Advised:
    if campaign.window is not None:
        for day, count in Counter(campaign.window.days).items():
            if count > 1:
                yield "window.days", f"names {day} {count} times"
    if campaign.stop_at is None:
        return
    stop_us = scenario.instant_us(campaign.stop_at)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    latency = scenario.platform.stop_latency
    if stop_us < latest_us <= stop_us + latency:
        yield (
            "stop_at",
            f"takes effect {format_duration(latency)} later, which is not before the latest end "
            "of the run: nothing is stopped",
        )
    if campaign.expires_at is not None and stop_us >= scenario.instant_us(campaign.expires_at):
        yield "stop_at", "is not before expires_at: nothing is left to stop"


def _requests(scenario: Scenario, campaign: Campaign) -> Advised:
    requests = campaign.requests
    if requests is None:
        return
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    if requests.times_s is not None:
        late = sum(time_s * SECOND >= latest_us for time_s in requests.times_s)
        if late:
            yield (
                "requests.times_s",
                f"{late:,} of {len(requests.times_s):,} come after the latest end of the run",
            )
    if requests.until is not None:
        until_us = scenario.instant_us(requests.until)
        if until_us > scenario.instant_us(scenario.clock.ends):
            yield "requests.until", "is after the end of the run, where requests end"
