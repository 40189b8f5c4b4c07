"""A scenario beside what was run of it: written so that it can be made again, and checked.

Contact lists are copied beside it, into the directory `CONTACTS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from outsim.errors import ScenarioError
from outsim.inside import OutsideError, inside
from outsim.scenario.contacts import ContactList
from outsim.scenario.difference import meaning
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario
from outsim.scenario.sources import Written
from outsim.units import shown

CONTACTS = "contacts"


def written(scenario: Scenario) -> dict[str, Any]:
    """A scenario's tables as a file would hold them, its contact lists by their copies."""
    tables: dict[str, Any] = json.loads(scenario.model_dump_json(exclude_unset=True))
    for campaign, said in zip(scenario.campaign, tables.get("campaign", []), strict=True):
        if campaign.contact_list is not None:
            said["contact_list"] = str(_copy_of(campaign.contact_list))
    return tables


def places_written(scenario: Scenario) -> list[list[Any]]:
    """Which file holds each value: key path and name of the file, for `made_again`."""
    return [[[*key], Path(file).name] for key, file in scenario.written.files.items()]


def _copy_of(contacts: ContactList) -> Path:
    return Path(CONTACTS, f"{contacts.digest[:16]}.csv")


def lists_of(scenarios: Sequence[Scenario]) -> dict[Path, ContactList]:
    """Contact lists of some scenarios, by their places in the directory."""
    return {
        _copy_of(campaign.contact_list): campaign.contact_list
        for scenario in scenarios
        for campaign in scenario.campaign
        if campaign.contact_list is not None
    }


def _check_inside(tables: Mapping[str, Any], directory: Path) -> None:
    """Refuse tables that name files other than the copies in their directory."""
    if "extends" in tables:
        raise ScenarioError(
            f"extends: found {shown(tables['extends'])}; what is kept extends no file. Load the "
            "scenario from its own file, and run it again"
        )
    campaigns = tables.get("campaign")
    for i, campaign in enumerate(campaigns if isinstance(campaigns, list) else ()):
        named = campaign.get("contact_list") if isinstance(campaign, Mapping) else None
        if not isinstance(named, str) or named in ("", "none"):
            continue
        try:
            place = inside(directory / CONTACTS, Path(named).name)
            if Path(named) != Path(CONTACTS, place.name):
                raise OutsideError(f"it is none of the copies in {directory / CONTACTS}")
        except OutsideError as error:
            raise ScenarioError(
                f"campaign[{i}].contact_list: found {shown(named)}: {error}"
            ) from None


def made_again(
    tables: Mapping[str, Any],
    means: Mapping[str, str],
    directory: Path,
    version: object,
    places: Iterable[Sequence[Any]] = (),
) -> Scenario:
    """Scenario of what `written` gave.

    Parameters
    ----------
    tables : mapping
        What `written` gave.
    means : mapping
        What the scenario meant then: `outsim.scenario.difference.meaning`, or a part of it.
    directory : Path
        Where the copies of its contact lists are.
    version : object
        Which outsim wrote it, for the message.
    places : iterable
        What `places_written` gave.

    Raises
    ------
    ScenarioError
        If it can't be made, or means something else now: the message says in what.
    """
    _check_inside(tables, directory)
    scenario = load(tables, directory=directory)
    now = meaning(scenario)
    for key in now:
        if key != "seed" and means.get(key) != now[key]:
            raise ScenarioError(
                f"{key} was {means.get(key)}, and is {now[key]} now; restore the files in "
                f"{directory}, or use the version of outsim that wrote it ({version})"
            )
    if places:
        scenario._written = Written({tuple(key): file for key, file in places})
    return scenario
