"""What a scenario says of its load by hour and weekday that is unlikely to be meant (rule 15)."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.clock import DAY, microseconds_between
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import class_means

Advised = Iterator[tuple[str, str]]
"""Key paths and messages."""


def load_by_day(scenario: Scenario) -> Advised:
    """What load does not scale, classes that bring nothing, and what comes again once."""
    yield from _unscaled(scenario)
    for of in scenario.background.tenant_class if scenario.background is not None else ():
        if not sum(class_means(scenario, of)):
            what = "lists" if of.lists_calls else "calls"
            yield (
                f"background.tenant_class[{of.name}]",
                f"brings no {what}: the run has none of the hours and weekdays that have a rate",
            )
    until, zone = scenario.clock.latest_end, scenario.clock.zone_info
    for entry in scenario.campaign:
        if entry.repeats and len(entry.occurrences(until, zone)) == 1:
            days = ", ".join(entry.repeats)
            yield (
                f"campaign[{entry.full_name}].repeats",
                f"it comes once: the run has no other day of {days}",
            )
    for i, suspension in enumerate(scenario.suspension):
        ends = suspension.ends if suspension.repeats else None
        if ends is not None and microseconds_between(suspension.begins, ends) >= DAY:
            yield f"suspension[{i}].ends", "is a day or more later: it comes again meanwhile"


def _unscaled(scenario: Scenario) -> Advised:
    if scenario.load == 1:
        return
    stay = {
        "a contact list": [c for c in scenario.campaign if c.contact_list is not None],
        "recorded requests": [
            c
            for c in scenario.campaign
            if c.requests is not None and c.requests.times_s is not None
        ],
    }
    for what, campaigns in stay.items():
        if campaigns:
            names = ", ".join(campaign.full_name for campaign in campaigns)
            yield "load", f"is {scenario.load:g}, and does not scale {what}: that of {names}"
