"""How much memory a run of a scenario takes, so that one that can't fit is refused at once."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from outsim.clock import HOUR, RATE_SECONDS, SECOND
from outsim.errors import Problem, ScenarioError
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import (
    campaign_traffic,
    class_means,
    dialable,
    mean_at_all_hours,
)
from outsim.scenario.sizes import mean_size
from outsim.scenario.snapshot import STATES

CALL_BYTES = 250
ATTEMPT_BYTES = 500
"""Measured: runs of 1 to 4 million calls take 240 bytes a call that is not dialed, and 590 an
attempt with its call and three updates."""
DRAWN_CAMPAIGN_BYTES = 1500
"""What a campaign of a background tenant takes before it starts."""
UNDER_WAY_BYTES = 10_000
"""What a call that is under way at the moment of a snapshot takes: 32 courses are drawn."""
SMALL = 200_000_000
"""Bytes below which nobody asks how many there are."""
MOST_CALLS = 2**27 - 1
"""Calls that a campaign can have at most: engines number them in 27 bits."""
MOST_IN_ALL = 2**31 - 1
"""Calls that a run can have at most."""


@dataclass(frozen=True)
class Need:
    """What one key of a scenario makes a run take."""

    key: str
    found: str
    calls: float
    bytes: float


def check_size(scenario: Scenario) -> None:
    """Refuse a scenario of which no run fits in the memory that is available."""
    if sum(need.bytes for need in _needs(scenario, exact=False)) < SMALL:
        return
    needs = [*_needs(scenario, exact=True)]
    most = max(needs, key=lambda need: need.bytes)
    calls = sum(need.calls for need in needs)
    for need in needs:
        if need.calls > MOST_CALLS and not need.key.startswith("background"):
            message = f"{_count(need.calls)} calls; a campaign can have {MOST_CALLS:,} at most"
            raise _refusal(scenario, need, message)
    if calls > MOST_IN_ALL:
        message = f"{_count(calls)} calls in all; a run can have {MOST_IN_ALL:,} at most"
        raise _refusal(scenario, most, message)
    takes, there = sum(need.bytes for need in needs), available_bytes()
    if takes > there:
        message = (
            f"a run of some {_count(calls)} calls takes {takes / 1e9:,.1f} GB of memory at least, "
            f"and {there / 1e9:,.1f} GB are available; lower it, or use a machine with more"
        )
        raise _refusal(scenario, most, message)


def runs_that_fit(scenarios: Iterable[Scenario]) -> int:
    """How many runs of the largest of some scenarios fit in memory side by side, at least one."""
    needed = [
        sum(need.bytes for need in _needs(scenario, exact=True))
        for scenario in scenarios
        if sum(need.bytes for need in _needs(scenario, exact=False)) >= SMALL
    ]
    most = max(needed, default=0.0)
    return sys.maxsize if most < SMALL else max(1, int(min(available_bytes(), 1e15) // most))


def check_drawn(scenario: Scenario, sizes: list[int]) -> None:
    """Refuse campaigns of background tenants that were drawn and do not fit in memory."""
    largest, needed = max(sizes, default=0), CALL_BYTES * sum(sizes)
    if needed < SMALL or (largest <= MOST_CALLS and needed <= available_bytes()):
        return
    spread = "some" if scenario.background is None else f"{scenario.background.size_log_sd:g}"
    need = Need("background.size_log_sd", spread, sum(sizes), needed)
    message = f"a campaign of {_count(largest)} calls was drawn, {_count(sum(sizes))} in all"
    raise _refusal(scenario, need, f"{message}, which do not fit in memory; lower it")


def _refusal(scenario: Scenario, need: Need, message: str) -> ScenarioError:
    file = "scenario" if scenario.path is None else str(scenario.path)
    return ScenarioError([Problem(file, None, need.key, f"found {need.found}; {message}")])


def _count(number: float) -> str:
    return f"{number:,.0f}" if number < 1e4 else f"{float(f'{number:.2g}'):,.0f}"


def _needs(scenario: Scenario, *, exact: bool) -> Iterator[Need]:
    """What a run takes by what asks for it: at least, if `exact`; else at most, and quickly."""
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    platform = scenario.platform
    dialed = platform.dial_burst + platform.dial_rate / RATE_SECONDS * latest_us / SECOND
    for campaign in scenario.campaigns:
        requests = campaign.requests
        key, amount = f"campaign[{campaign.entry}].", ""
        if requests is None:
            calls: float = dialable(scenario, campaign)
            key += "contacts" if campaign.contact_list is None else "contact_list"
            amount = f"{calls:,.0f}"
        elif requests.times_s is not None:
            calls, amount = len(requests.times_s), f"{len(requests.times_s):,} times"
            key += "requests.times_s"
        else:
            calls = _requests(scenario, campaign, exact=exact)
            key += "requests"
            amount = f"some {_count(calls)} requests"
        attempts = calls * (1 + campaign.max_retry)
        if exact and calls:
            traffic = campaign_traffic(scenario, campaign)
            attempts = min(attempts, calls * traffic.attempts / max(1, traffic.contacts), dialed)
        yield Need(key, amount, calls, CALL_BYTES * calls + ATTEMPT_BYTES * attempts)
    yield from _of_others(scenario, dialed if exact else math.inf)
    for in_snapshot in scenario.snapshot.campaign if scenario.snapshot is not None else ():
        calls = sum(in_snapshot.count(state) for state in STATES)
        under_way = in_snapshot.count("dialing") + in_snapshot.count("connected")
        needed = (CALL_BYTES + ATTEMPT_BYTES) * calls + UNDER_WAY_BYTES * under_way
        yield Need(f"snapshot.campaign[{in_snapshot.full_name}]", f"{calls:,}", calls, needed)


def _of_others(scenario: Scenario, dialed: float) -> Iterator[Need]:
    """What campaigns of the background take, of which `dialed` attempts are made at most."""
    background = scenario.background
    if background is None:
        return
    hours, latest = (
        scenario.instant_us(at) / HOUR for at in (scenario.clock.ends, scenario.clock.latest_end)
    )
    if background.campaigns_per_hour:
        there = background.campaigns_per_hour * scenario.load * latest
        calls = mean_at_all_hours(scenario) * hours
        is_many = there * DRAWN_CAMPAIGN_BYTES >= calls * CALL_BYTES
        key = "campaigns_per_hour" if is_many else "median_size"
        amount = str(getattr(background, key))
        yield _of_drawn(f"background.{key}", amount, calls, there, background.max_retry, dialed)
    for of in background.tenant_class:
        there = sum(class_means(scenario, of)) * latest / max(hours, 1e-9)
        calls = sum(class_means(scenario, of)) * (mean_size(of.contacts) if of.lists_calls else 1)
        key = f"background.tenant_class[{of.name}]"
        if not of.lists_calls:
            there = min(there, of.tenants * latest)
        yield _of_drawn(key, f"some {_count(calls)} calls", calls, there, of.max_retry, dialed)


def _of_drawn(
    key: str, amount: str, calls: float, campaigns: float, max_retry: int, dialed: float
) -> Need:
    attempts = min(calls, dialed) if dialed < math.inf else calls * (1 + max_retry)
    needed = CALL_BYTES * calls + ATTEMPT_BYTES * attempts + DRAWN_CAMPAIGN_BYTES * campaigns
    return Need(key, amount, calls, needed)


def _requests(scenario: Scenario, campaign: Campaign, *, exact: bool) -> float:
    requests = campaign.requests
    assert requests is not None
    if exact:
        return dialable(scenario, campaign)
    until_us = scenario.instant_us(scenario.clock.ends)
    fastest = scenario.load * max(requests.rate or 0, *requests.rate_by_hour.values(), 0)
    return max(0, until_us) / SECOND * fastest / RATE_SECONDS


def available_bytes() -> float:
    """Bytes of memory that this process may still take; infinite where nobody says."""
    return min(_of_machine(), _of_group(), _of_limit())


def _of_machine() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, AttributeError):
        return math.inf


def _of_group() -> float:
    """What a container may take."""
    group = Path("/sys/fs/cgroup")
    try:
        most = float((group / "memory.max").read_text())
        return most - float((group / "memory.current").read_text())
    except (OSError, ValueError):
        return math.inf


def _of_limit() -> float:
    """What the limit on the process's own memory leaves."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return math.inf
    return math.inf if most == resource.RLIM_INFINITY else float(most - used)
