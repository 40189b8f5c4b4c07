"""From what was written to a whole that can be used, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from outsim.errors import Problem, ScenarioError
from outsim.scenario.keys import KeyPath
from outsim.scenario.messages import HINTS, Finding, findings, problem
from outsim.scenario.references import reference_problems
from outsim.scenario.source import Source
from outsim.units import YEARS, is_zone

_Whole = TypeVar("_Whole", bound=BaseModel)
_LISTS = ("campaign", "tenant", "endpoint", "suspension", "outage")


def checked(whole: type[_Whole], source: Source) -> _Whole:
    """What was written, as the whole that it is of.

    Raises
    ------
    ScenarioError
        For everything in it that can't be used.
    """
    values = _with_list_paths(source)
    try:
        return _validated(whole, values, source)
    except ValidationError as error:
        found = list(findings(error, source, whole))
    found += _second_look(whole, found, values, source)
    found += [Finding(*reference) for reference in reference_problems(source.values)]
    raise ScenarioError(_problems(found, source))


def _validated(whole: type[_Whole], values: dict[str, Any], source: Source) -> _Whole:
    return whole.model_validate(values, context=_clock(source.values))


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
    whole: type[BaseModel], found: list[Finding], values: dict[str, Any], source: Source
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
        _validated(whole, remaining, source)
    except ValidationError as error:
        yield from (each for each in findings(error, source, whole) if each.found_together)


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
