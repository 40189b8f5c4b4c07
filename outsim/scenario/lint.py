"""What a scenario says that is allowed, but unlikely to be meant.

Each piece of advice is about one key. None of it changes how a scenario runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from outsim.clock import MINUTE, RATE_SECONDS, SECOND, after, format_duration, format_rate
from outsim.display import percent
from outsim.scenario.back_off import Retries
from outsim.scenario.campaigns import Campaign, window_spans
from outsim.scenario.lint_lives import by_outcome, lives
from outsim.scenario.lint_load import load_by_day
from outsim.scenario.lint_queue import queue
from outsim.scenario.lint_settings import Advised, events, values, zones
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import (
    campaign_traffic,
    contacts_without_ani,
    dialable,
    rings,
    voicemail_rings,
)
from outsim.scenario.snapshot_advice import standing
from outsim.scenario.utilisation import shortages, utilisation

Span = tuple[int, int]
"""Microseconds since the scenario begins, from and to."""
QUARTER = timedelta(minutes=15)
MOST_SHOWN = 100.0
"""Load that is shown at most, as a multiple of what there is."""
FEW_CANCELED = 0.1
"""Calls canceled for each that goes out, below which a stop by calls saves next to nothing."""
LATE_SHARE = 0.05
"""Share of answers after the ring timeout from which on it is worth a word."""


@dataclass(frozen=True)
class ScenarioWarning:
    """Something in a scenario that is allowed, but unlikely to be meant."""

    key: str
    """Key path, with campaigns by name: ``campaign[clinic/reminders].window``."""
    message: str
    """What will happen, and what was probably meant."""

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


def advice(scenario: Scenario, *, is_served: bool = False) -> list[ScenarioWarning]:
    """Everything in a scenario that is allowed, but unlikely to be meant.

    One that `is_served` gets its campaigns from outside.
    """
    looks = [_clock, _ring_timeout, _capacity, values, events, load_by_day, zones, queue]
    looks += [standing, _campaigns]
    if not is_served:
        looks.insert(3, _names)
    return [ScenarioWarning(*advised) for look in looks for advised in look(scenario)]


def _campaigns(scenario: Scenario) -> Advised:
    for campaign in scenario.campaign:
        for key, message in _campaign(scenario, campaign):
            yield f"campaign[{campaign.full_name}].{key}", message


def _clock(scenario: Scenario) -> Advised:
    clock = scenario.clock
    zones = {clock.zone, *(c.callee_zone for c in scenario.campaign if c.callee_zone)}
    for name in sorted(zones):
        zone = ZoneInfo(name)
        # A run that needs longer goes on after `ends`, but few do.
        until_us = scenario.instant_us(clock.latest or clock.ends)
        # Clocks change on whole quarters of an hour of UTC.
        quarters = range(-_past_quarter_us(clock.begins), until_us + 15 * MINUTE, 15 * MINUTE)
        instants = [after(clock.begins, quarter).astimezone(zone) for quarter in quarters]
        for earlier, later in pairwise(instants):
            change = (later.utcoffset() or timedelta()) - (earlier.utcoffset() or timedelta())
            if change:
                forward = change > timedelta()
                yield (
                    "clock.date",
                    f"the clock in {name} is put {'forward' if forward else 'back'} during the "
                    f"run: {earlier + QUARTER:%Y-%m-%d %H:%M} becomes {later:%H:%M}, so local "
                    f"times between them {'are skipped' if forward else 'come twice'}",
                )
    study = scenario.study
    if study is not None and study.deadline is not None:
        campaign = scenario.campaign_under_study
        deadline_us = scenario.instant_us(study.deadline)
        if deadline_us > scenario.instant_us(clock.latest_end):
            yield "study.deadline", "is after the latest end of the run"
        elif campaign is not None and deadline_us <= scenario.instant_us(campaign.start):
            yield "study.deadline", "is not after the start of the campaign under study"


def _past_quarter_us(instant: datetime) -> int:
    since = timedelta(
        minutes=instant.minute % 15, seconds=instant.second, microseconds=instant.microsecond
    )
    return since // timedelta(microseconds=1)


def _ring_timeout(scenario: Scenario) -> Advised:
    timeout_us = scenario.platform.ring_timeout
    answers = {
        "voicemail": voicemail_rings(scenario),
        "people who answer": rings(scenario.callees.ring_human, timeout_us),
    }
    for who, ringing in answers.items():
        late = 1 - ringing.in_time
        if late >= LATE_SHARE:
            yield (
                "platform.ring_timeout",
                f"is {format_duration(timeout_us)}: {percent(late)} of {who} would pick up later, "
                "and count as no answer",
            )


def _capacity(scenario: Scenario) -> Advised:
    keys = {
        "ports": ("platform.ports", "calls wait ever longer"),
        "dial rate": ("platform.dial_rate", "calls wait ever longer"),
        "workers": ("platform.workers", "status updates lag ever more"),
        "carrier rate": ("carrier.rate", "calls are refused"),
        "carrier channels": ("carrier.channels", "calls are refused"),
    }
    for load in utilisation(scenario):
        if load.offered > 1:
            key, consequence = keys[load.resource]
            yield (
                key,
                f"the attempts that are to be expected take {_busy(load.offered)} of it "
                f"from begin to end of the run: {consequence}",
            )
    yield from shortages(scenario)


def _busy(offered: float) -> str:
    return percent(offered) if offered < MOST_SHOWN else f"more than {percent(MOST_SHOWN)}"


def _names(scenario: Scenario) -> Advised:
    """Entries that nothing refers to: most likely a name is misspelt."""
    tenants = {campaign.tenant for campaign in scenario.campaign}
    endpoints = {caller.result_url for caller in scenario.callers}
    for tenant in scenario.tenant:
        if tenant.name not in tenants:
            yield f"tenant[{tenant.name}]", "has no campaign"
    for endpoint in scenario.endpoint:
        if endpoint.name not in endpoints:
            yield f"endpoint[{endpoint.name}]", "is the result_url of no campaign"
    for name in scenario.profiles:
        if name not in scenario.profiles_in_use:
            yield f"profiles.{name}", "is the profile of no campaign"
    if scenario.study is None and len(scenario.campaign) > 1:
        first = scenario.campaign[0].name
        yield ("study.campaign", f"is not given: the first campaign, {first!r}, is taken")
    if not scenario.campaign and scenario.background is None:
        yield "campaign", "there is none, so nothing is dialed"


def _campaign(scenario: Scenario, campaign: Campaign) -> Advised:
    yield from _instants(scenario, campaign)
    yield from _contacts(scenario, campaign)
    yield from _limits(scenario, campaign)
    for opportunity in opportunities(scenario, campaign):
        yield from _time_enough(scenario, campaign, opportunity)
        yield from _retries(campaign, opportunity)
    yield from by_outcome(campaign)
    yield from lives(scenario, campaign)


def _instants(scenario: Scenario, campaign: Campaign) -> Advised:
    # Local times of one zone compare by the clock's hands, so elapsed time is compared.
    ends_us = scenario.instant_us(scenario.clock.ends)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    start_us = scenario.instant_us(campaign.start)
    if start_us >= latest_us:
        yield "start", "is not before the latest end of the run: nothing is dialed"
    elif start_us >= ends_us:
        yield "start", "is not before the end of the run"
    if campaign.stop_at is not None:
        stop_us = scenario.instant_us(campaign.stop_at)
        starts_us = max(start_us, scenario.instant_us(campaign.submitted))
        if stop_us <= starts_us and campaign.stop_mode == "campaign":
            yield "stop_at", "is not after the start: every call is canceled before it is dialed"
        elif stop_us >= latest_us:
            yield "stop_at", "is not before the latest end of the run: nothing is stopped"


def _contacts(scenario: Scenario, campaign: Campaign) -> Advised:
    count = dialable(scenario, campaign)
    if count == 0:
        key = "contact_list" if campaign.contact_list is not None else "contacts"
        yield (key if campaign.requests is None else "requests"), "there is nobody to call"
    contacts = campaign.contact_list
    if contacts is not None:
        if contacts.rejected:
            reasons = ", ".join(f"{n} {reason}" for reason, n in contacts.rejections.items())
            first = contacts.rejected[0]
            yield (
                "contact_list",
                f"{len(contacts.rejected)} of {len(contacts)} rows can't be dialed and are "
                f"rejected ({reasons}); the first is {contacts.place_of(first)}: {first.text!r}",
            )
        duplicates = int(contacts.duplicates.sum())
        if duplicates:
            fate = (
                "they are dialed again" if campaign.duplicates == "dial" else "they are rejected"
            )
            yield "duplicates", f"rows that repeat a number of the list: {duplicates}; {fate}"
    missing = contacts_without_ani(scenario, campaign)
    refusal = scenario.carrier.missing_ani_refusal
    if missing > 0 and refusal > 0:
        yield (
            "ani" if contacts is not None else "missing_ani_share",
            f"{percent(missing, 1)} of contacts have no caller ID: the carrier refuses "
            f"{percent(refusal)} of the attempts at them",
        )


def _limits(scenario: Scenario, campaign: Campaign) -> Advised:
    platform = scenario.platform
    if campaign.pacing is not None and campaign.pacing > platform.dial_rate:
        yield (
            "pacing",
            f"is faster than the platform's dial rate of {format_rate(platform.dial_rate)}",
        )
    if campaign.max_simultaneous is not None and campaign.max_simultaneous > platform.ports:
        yield "max_simultaneous", f"is more than the platform's {platform.ports} ports"
    if campaign.stop_at is not None and campaign.stop_mode == "calls":
        limit, rate = _slowest(scenario, campaign)
        cancels = campaign.cancel_rate / RATE_SECONDS
        if cancels < FEW_CANCELED * rate:
            yield (
                "cancel_rate",
                f"is {format_rate(campaign.cancel_rate)}: at {limit}, {rate / cancels:,.0f} calls "
                "can go out while one is canceled",
            )


def _time_enough(scenario: Scenario, campaign: Campaign, opportunity: Opportunity) -> Advised:
    """Whether each contact can be dialed once in the time that there is, nobody else calling."""
    too_late = scenario.instant_us(campaign.start) >= scenario.instant_us(
        scenario.clock.latest_end
    )
    if campaign.requests is not None or too_late:
        return
    contacts = opportunity.contacts or dialable(scenario, campaign)
    where = f" in {opportunity.zone}" if opportunity.contacts else ""
    key = "expires_at" if campaign.expires_after is None else "expires_after"
    key = "window" if campaign.window is not None else key
    if not opportunity.spans:
        yield key, f"leaves no time to call anybody{where} between start and expiry or run's end"
        return
    limit, rate = _slowest(scenario, campaign)
    needed_us = contacts / rate * SECOND
    if needed_us > opportunity.length_us:
        yield (
            key
            if campaign.window or campaign.expires_at or campaign.expires_after
            else "contacts",
            f"the {contacts:,.0f} contacts{where} can't all be dialed: at {limit} that takes "
            f"{format_duration(needed_us)}, and there are "
            f"{format_duration(opportunity.length_us)}",
        )


def _slowest(scenario: Scenario, campaign: Campaign) -> tuple[str, float]:
    """The limit that slows a campaign most, and the calls a second that it allows."""
    platform = scenario.platform
    means = campaign_traffic(scenario, campaign).means
    rates: dict[str, float] = {
        "the platform's dial rate": platform.dial_rate / RATE_SECONDS,
        "the loader's rate": platform.loader_rate / RATE_SECONDS,
        "the pace that the platform's ports allow": platform.ports / means.port_s,
    }
    if campaign.pacing is not None:
        rates["its pacing"] = campaign.pacing / RATE_SECONDS
    if campaign.max_simultaneous is not None:
        rates["its limit on simultaneous calls"] = campaign.max_simultaneous / means.port_s
    for tenant in (tenant for tenant in scenario.tenant if tenant.name == campaign.tenant):
        if tenant.dial_rate is not None:
            rates["its tenant's dial rate"] = tenant.dial_rate / RATE_SECONDS
        if tenant.max_simultaneous is not None:
            at_once = tenant.max_simultaneous / means.port_s
            rates["its tenant's limit on simultaneous calls"] = at_once
    slowest = min(rates, key=rates.__getitem__)
    a_minute = rates[slowest] * 60
    rate = f"{a_minute:,.0f}" if a_minute >= 10 else f"{a_minute:.2g}"
    return f"{slowest} of {rate} calls a minute", rates[slowest]


def _retries(campaign: Campaign, opportunity: Opportunity) -> Advised:
    """How many retries of the very first call could come before it is too late for them."""
    if not opportunity.spans or campaign.requests is not None:
        return
    courses = {"retry_interval": [campaign.retry_interval] * campaign.max_retry}
    for name, retry in campaign.retry_by_outcome.items():
        key = "back_off" if retry.back_off > 1 else "interval"
        courses[f"retry.{name}.{key}"] = retry.intervals_us(
            campaign.retry_interval, campaign.max_retry
        )
    if len(courses) == 1 + len(Retries.model_fields):
        del courses["retry_interval"]
    for key, intervals_us in courses.items():
        possible = _possible(opportunity, intervals_us)
        if possible < len(intervals_us):
            count = f"only {possible} of {len(intervals_us)} retries" if possible else "no retry"
            lengths = dict.fromkeys(map(format_duration, (intervals_us[0], intervals_us[-1])))
            yield (
                key,
                f"{'is' if key == 'retry_interval' else 'makes intervals of'} "
                f"{' to '.join(lengths)}: {count} can come before "
                f"{'expiry' if campaign.ever_expires else 'the latest end of the run'}"
                f"{' inside the window' if campaign.window else ''}",
            )


def _possible(opportunity: Opportunity, intervals_us: list[int]) -> int:
    """How many retries after these intervals can be dialed, if dialing takes no time."""
    instant: int | None = opportunity.spans[0][0]
    for possible, interval_us in enumerate(intervals_us):
        instant = opportunity.first_from((instant or 0) + interval_us)
        if instant is None:
            return possible
    return len(intervals_us)


@dataclass(frozen=True)
class Opportunity:
    """Spans in which calls of one callee time zone may be dispatched."""

    zone: str
    contacts: int
    """Contacts in this zone, where the campaign has a list; else 0."""
    spans: tuple[Span, ...]

    @property
    def length_us(self) -> int:
        """Time in which calls may be dispatched, all spans together."""
        return sum(until - since for since, until in self.spans)

    def first_from(self, instant_us: int) -> int | None:
        """Earliest instant from `instant_us` on at which a call may be dispatched."""
        return next(
            (max(since, instant_us) for since, end in self.spans if end > instant_us), None
        )


def opportunities(scenario: Scenario, campaign: Campaign) -> list[Opportunity]:
    """Spans from start to expiry or latest end with the window open, for each of its zones."""
    since = max(scenario.instant_us(campaign.start), scenario.instant_us(campaign.submitted))
    until = scenario.instant_us(scenario.clock.latest_end)
    if campaign.expires_at is not None:
        until = min(until, scenario.instant_us(campaign.expires_at))
    if campaign.expires_after is not None and campaign.requests is None:
        until = min(until, scenario.instant_us(campaign.submitted) + campaign.expires_after)
    return [
        Opportunity(zone, contacts, _cut(_open(scenario, campaign, zone), since, until))
        for zone, contacts in _zones(scenario, campaign).items()
    ]


def _zones(scenario: Scenario, campaign: Campaign) -> dict[str, int]:
    if campaign.window is None or campaign.window.zone == "scenario":
        return {scenario.clock.zone: 0}
    usual = campaign.callee_zone or scenario.clock.zone
    contacts = campaign.contact_list
    if contacts is None:
        return {usual: 0}
    counts: dict[str, int] = {}
    for index, zone in [(-1, usual), *enumerate(contacts.zones)]:
        here = int(((contacts.zone_index == index) & (contacts.numbers != 0)).sum())
        if here:
            counts[zone] = counts.get(zone, 0) + here
    return counts


def _open(scenario: Scenario, campaign: Campaign, zone: str) -> tuple[Span, ...]:
    clock = scenario.clock
    until = scenario.instant_us(clock.latest_end)
    if campaign.window is None:
        return ((0, until),)
    return window_spans(campaign.window, clock.begins, until, ZoneInfo(zone))


def _cut(spans: tuple[Span, ...], since: int, until: int) -> tuple[Span, ...]:
    cut = [(max(opens, since), min(closes, until)) for opens, closes in spans]
    return tuple((opens, closes) for opens, closes in cut if opens < closes)
