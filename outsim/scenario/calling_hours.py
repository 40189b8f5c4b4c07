"""When calls may be dispatched: calling windows as spans of simulated time (rule 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from outsim.clock import microseconds_between
from outsim.scenario.campaigns import Campaign, Window
from outsim.scenario.model import Scenario

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _instant_us(begins: datetime, day: datetime, at: time, zone: ZoneInfo) -> int:
    """Instant of a local time of day.

    A time that a change to summer time skips counts as the same span after
    midnight as on other days, which is how zoneinfo reads it.
    """
    if at == time.max:
        day, at = day + timedelta(days=1), time(0)
    return microseconds_between(begins, datetime.combine(day.date(), at, tzinfo=zone))


def window_spans(
    window: Window, begins: datetime, until_us: int, zone: ZoneInfo
) -> tuple[tuple[int, int], ...]:
    """(opens, closes) spans, in microseconds since `begins`, that touch a run until `until_us`."""
    spans: list[tuple[int, int]] = []
    day = begins.astimezone(zone) - timedelta(days=1)
    while True:
        opens = _instant_us(begins, day, window.opens, zone)
        if opens > until_us:
            return tuple(spans)
        closes = _instant_us(begins, day, window.closes, zone)
        if closes > 0 and opens < closes and _DAYS[day.weekday()] in window.days:
            if spans and spans[-1][1] >= opens:
                spans[-1] = (spans[-1][0], closes)
            else:
                spans.append((opens, closes))
        day += timedelta(days=1)


Span = tuple[int, int]
"""Microseconds since the scenario begins, from and to."""


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
    """Spans between start and expiry, or the run's latest end, in which the window is open.

    One for each time zone that the window follows: that of the scenario, or
    those of the callees.
    """
    since = max(scenario.instant_us(campaign.start), scenario.instant_us(campaign.submitted))
    until = scenario.instant_us(scenario.clock.latest_end)
    if campaign.expires_at is not None:
        until = min(until, scenario.instant_us(campaign.expires_at))
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
