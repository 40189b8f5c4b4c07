"""What a contact list, or the time zone of one, says that is unlikely to be meant."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from outsim.scenario.campaigns import Campaign
from outsim.scenario.contacts import ContactList
from outsim.scenario.model import Scenario
from outsim.units import PLACES, near_zone

SAME_AS = {
    "time_zone": ("timezone", "tz", "zone", "zonename", "localzone", "calleezone", "olson"),
    "ani": ("callerid", "callingnumber", "from", "fromnumber", "cli", "clid", "outboundani"),
}
"""What others call the columns that the model reads, without case, spaces and hyphens."""


def headers(contacts: ContactList) -> Iterator[str]:
    """Headers that are variables of the call, and most likely meant as columns of the model."""
    for column, words in SAME_AS.items():
        if column in contacts.variables:
            continue
        for header in contacts.variables:
            plain = "".join(each for each in header.casefold() if each.isalnum())
            known = [column.replace("_", ""), *words]
            if plain in known or get_close_matches(header[:80], [column], cutoff=0.85):
                yield (
                    f"the column {header!r} is taken as a variable of the call; did you mean "
                    f"{column}?"
                )


def zones(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Zones without summer time, in whose place there is one with it, as (key, message)."""
    yield from (("clock.zone", message) for message in _fixed(scenario.clock.zone))
    for campaign in scenario.campaign:
        key = f"campaign[{campaign.tenant}/{campaign.name}]"
        yield from _of_campaign(campaign, key)


def _of_campaign(campaign: Campaign, key: str) -> Iterator[tuple[str, str]]:
    if campaign.callee_zone is not None:
        for message in _fixed(campaign.callee_zone):
            yield f"{key}.callee_zone", message
    contacts = campaign.contact_list
    if contacts is None:
        return
    for message in headers(contacts):
        yield f"{key}.contact_list", message
    for zone in contacts.zones:
        for message in _fixed(zone):
            yield f"{key}.contact_list", message
    unknown = next((r for r in contacts.rejected if r.reason == "unknown time zone"), None)
    near = near_zone(unknown.text) if unknown is not None else None
    if unknown is not None and near is not None:
        message = f"line {unknown.line}: {unknown.text!r} is no time zone; did you mean {near}?"
        yield f"{key}.contact_list", message


def _fixed(zone: str) -> Iterator[str]:
    """That a zone has no summer time, while that of the place that is probably meant has."""
    if zone in PLACES:
        yield f"the time zone {zone} has no summer time; {PLACES[zone]} has it"
    elif zone.startswith(("Etc/GMT+", "Etc/GMT-")) and zone[8:] != "0":
        yield f"the time zone {zone} has no summer time; write that of a place, if it has"
