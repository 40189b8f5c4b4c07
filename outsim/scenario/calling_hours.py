"""When a campaign's calls may be dispatched at all, by its own rules alone."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.windows import window_spans

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
