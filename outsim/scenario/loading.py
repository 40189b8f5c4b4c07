"""From a scenario file to a scenario, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from outsim.errors import Problem, ScenarioError
from outsim.scenario.keys import key_path, plain_tables
from outsim.scenario.messages import HINTS, Finding, findings, problem
from outsim.scenario.model import Scenario
from outsim.scenario.references import reference_problems
from outsim.scenario.source import Source, mapping_source, read_source
from outsim.scenario.sources import Written
from outsim.scenario.structure import kinds_at
from outsim.scenario.toml_lines import KeyPath
from outsim.units import YEARS, is_zone

_LISTS = ("campaign", "tenant", "endpoint", "suspension", "outage")


def load(path: str | Path) -> Scenario:
    """Read a scenario from a TOML file and the files that it extends.

    Parameters
    ----------
    path : path
        The file; what it extends is found from there.

    Returns
    -------
    Scenario
        Frozen, with every value checked.

    Raises
    ------
    ScenarioError
        If a file can't be read, or for everything in it that can't be used.

    Examples
    --------
    >>> import outsim
    >>> scenario = outsim.load("scenarios/quarter-past.toml")
    >>> f"{scenario.campaign_under_study.start:%H:%M %Z}"
    '09:15 EDT'
    """
    scenario = from_source(read_source(Path(path)))
    scenario._path = Path(path)
    return scenario


def from_mapping(mapping: Mapping[str, Any], directory: str | Path | None = None) -> Scenario:
    """Make a scenario from tables like those of a scenario file.

    Parameters
    ----------
    mapping : mapping
        What a TOML file would hold.
    directory : path, optional
        Where paths in it begin; default: the current directory.

    Raises
    ------
    ScenarioError
        For everything in it that can't be used.
    """
    return from_source(mapping_source(mapping, Path(directory or ""), "mapping"))


def from_source(source: Source) -> Scenario:
    """Make a scenario of what was written, wherever that was.

    Raises
    ------
    ScenarioError
        For everything in it that can't be used.
    """
    values = _with_list_paths(source)
    try:
        scenario = _validated(values, source)
    except ValidationError as error:
        found = list(findings(error, source))
    else:
        found = list(_unknown_sources(scenario))
        if not found:
            scenario._written = Written({key: at.file for key, at in source.origins.items()})
            return scenario
    found += _second_look(found, values, source)
    found += [Finding(*reference) for reference in reference_problems(source.values)]
    raise ScenarioError(_problems(found, source))


def _validated(values: dict[str, Any], source: Source) -> Scenario:
    return Scenario.model_validate(values, context=_clock(source.values))


def _unknown_sources(scenario: Scenario) -> Iterator[Finding]:
    """Sources of keys that do not exist."""
    whole = plain_tables(scenario) if scenario.sources else {}
    for key in scenario.sources:
        try:
            path = key_path(key, whole)
        except ScenarioError as error:
            yield Finding(("sources", key), str(error))
            continue
        if not kinds_at(path):
            allowed = "a key of a scenario, such as callees.ring_human"
            yield Finding(("sources", key), f"there is no key {key}; allowed: {allowed}")


def _clock(values: Mapping[str, Any]) -> dict[str, Any]:
    """Zone and date that clock times are read by, before anything is known to be right.

    Where they are wrong, that is reported in its place; others stand in for them
    so that the times are still checked for everything else.
    """
    clock = values.get("clock")
    zone, day = (clock.get("zone"), clock.get("date")) if isinstance(clock, Mapping) else ("", "")
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day)
        except ValueError:
            day = None
    known_day = isinstance(day, date) and not isinstance(day, datetime) and day.year in YEARS
    return {
        "zone": ZoneInfo(zone if isinstance(zone, str) and is_zone(zone) else "UTC"),
        "date": day if known_day else date(2000, 1, 1),
        "hints": iter(range(HINTS)),
    }


def _with_list_paths(source: Source) -> dict[str, Any]:
    """Values in which the path of each contact list begins at the file that names it."""
    campaigns = source.values.get("campaign")
    if not isinstance(campaigns, list):
        return source.values
    placed = []
    for i, campaign in enumerate(campaigns):
        path = campaign.get("contact_list") if isinstance(campaign, Mapping) else None
        if isinstance(path, str) and path not in ("", "none"):
            directory = Path(source.origin(("campaign", i, "contact_list")).file).parent
            campaign = {**campaign, "contact_list": directory / path}
        placed.append(campaign)
    return {**source.values, "campaign": placed}


def _setting(path: KeyPath) -> KeyPath:
    """The key of a part of the scenario that a path leads to or below."""
    return path[:3] if path and path[0] in _LISTS else path[:2]


def _second_look(
    found: list[Finding], values: dict[str, Any], source: Source
) -> Iterator[Finding]:
    """What comes to light once the settings that are wrong by themselves are left out.

    Contradictions in a part are only looked for if its values are allowed one by
    one. To name all of them at once, those values are left out and the rest is
    looked at again.
    """
    wrong = {_setting(finding.path) for finding in found if not finding.found_together}
    remaining = _without(values, wrong)
    if not wrong or remaining is None:
        return
    try:
        _validated(remaining, source)
    except ValidationError as error:
        yield from (finding for finding in findings(error, source) if finding.found_together)


def _without(values: dict[str, Any], settings: set[KeyPath]) -> dict[str, Any] | None:
    """Copy of the values without these settings; None if a whole part is among them."""
    copy = {key: _copy(value) for key, value in values.items()}
    for path in settings:
        part: Any = copy
        for key in path[:-1]:
            part = part[key]
        if not isinstance(part, dict):
            return None
        part.pop(path[-1], None)
    return copy


def _copy(value: Any) -> Any:
    """Copy of a part, as deep as its settings."""
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    return dict(value) if isinstance(value, Mapping) else value


def _problems(found: list[Finding], source: Source) -> list[Problem]:
    """Findings as problems, each once, in the order of files and lines.

    A contradiction that rests on a key that is wrong or misspelt itself would
    only repeat it, and so would the absence of a key that is misspelt.
    """
    misspelt = {(*f.path[:-1], f.instead) for f in found if f.instead}
    wrong = {f.path for f in found if not f.found_together and not f.unknown}
    wrong |= {_setting(path) for path in wrong}
    problems: dict[Problem, None] = {}
    for finding in found:
        absent = finding.path in misspelt and finding.path not in source.origins
        rests = finding.found_together and _rests_on(finding, wrong | misspelt, source)
        if absent or rests:
            continue
        place = finding.problem or problem(source, finding.path, finding.message)
        problems.setdefault(place)
    return sorted(problems, key=lambda each: (each.file != source.file, each.file, each.line or 0))


def _rests_on(finding: Finding, keys: set[KeyPath], source: Source) -> bool:
    """Whether a contradiction speaks of one of these keys."""
    here: Any = source.values
    for key in finding.path:
        present = isinstance(here, list) or (isinstance(here, Mapping) and key in here)
        here = here[key] if present else None
    table = finding.path if isinstance(here, Mapping) else finding.path[:-1]
    words = {*re.findall(r"\w+", finding.message), *map(str, finding.path[-1:])}
    return any((*table, word) in keys for word in words)
