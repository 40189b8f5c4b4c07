"""From what was written to a whole that can be used, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from outsim.errors import Problem, ScenarioError, nearest
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.files import SHOWN_OF_KEYS
from outsim.scenario.keys import ADDED_ENTRIES, NAMED_ENTRIES, KeyPath, field_at, part_at, value_at
from outsim.scenario.parts import NO_DISTRIBUTION
from outsim.scenario.source import Source
from outsim.text import shortened
from outsim.units import YEARS, ContradictionError, is_zone, shown
from outsim.units import Problem as Contradiction

_RULES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have {max_length} characters at most",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have {min_length} or more items, has {actual_length}",
    "too_long": "must have {max_length} items at most, has {actual_length}",
    "int": "must be a whole number",
    "float": "must be a number",
    "finite_number": "must be a finite number",
    "bool": "must be true or false",
    "string": 'must be a text in quotes, such as "name"',
    "list": "must be a list",
    "dict": "must be a table",
    "model": "must be a table",
    "": "must be of another kind",
}
"""What is allowed, by the first word that an error of pydantic's begins with."""


def in_words(details: ErrorDetails, value: Any) -> str:
    """What is wrong with a value: what was found, and what is allowed."""
    kind, limits = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(limits["error"])
    value_text = f"found {shown(value)}"
    if details["loc"][-1] == "[key]":
        value_text = f'found the key "{shortened(str(details["loc"][-2]), SHOWN_OF_KEYS)}"'
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", limits.get("expected") or limits["expected_tags"])
        if kind == "union_tag_invalid":
            allowed = [tag for tag in allowed if tag != NO_DISTRIBUTION]
            if value is None:
                return f"is missing; allowed: {', '.join(allowed)}"
        near = get_close_matches(str(value), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"{value_text}; {hint}allowed: {', '.join(allowed)}"
    if kind == "worded":
        return f"{value_text}; {details['msg']}"
    rule = next(rule for begin, rule in _RULES.items() if kind.startswith(begin))
    numbers = {k: f"{v:.15g}" for k, v in limits.items() if isinstance(v, float)}
    return f"{value_text}; {rule.format(**(limits | numbers))}"


HINTS = 100
"""Problems with which what was probably meant is looked for."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, at a key path."""

    path: KeyPath
    message: str
    found_together: bool = False
    """Whether it came to light by looking at several keys together."""
    instead: str | None = None
    """For an unknown key, the allowed key that was probably meant."""
    unknown: bool = False
    """Whether the key itself is unknown."""
    problem: Problem | None = None
    """What to report instead, where it lies in another file."""


def problem(source: Source, path: KeyPath, message: str) -> Problem:
    """Problem at a key path of a scenario file."""
    file, line = source.origin(path)
    return Problem(file, line, source.key(path), message)


def findings(error: ValidationError, source: Source, whole: type[BaseModel]) -> Iterator[Finding]:
    """What pydantic found, in plain words."""
    for number, details in enumerate(error.errors(include_url=False)):
        path, value = _written_path(details["loc"], details["type"], source.values)
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, ContradictionError):
            for below, message in cause.problems:
                yield Finding((*path, *below), message, found_together=True)
        elif isinstance(cause, ScenarioError):
            for inner in cause.problems:
                yield _in_contact_list(inner, path, source)
        elif details["type"] == "extra_forbidden":
            yield _unknown_key(path, source, whole, hinted=number < HINTS)
        elif details["type"] == "missing":
            yield Finding(path, _is_missing(path, source, whole))
        else:
            together = isinstance(value, Mapping) and details["type"] == "value_error"
            yield Finding(path, in_words(details, value), found_together=together)


def _written_path(
    location: tuple[str | int, ...], kind: str, values: dict[str, Any]
) -> tuple[KeyPath, Any]:
    """Path in the file, and the value there: pydantic's has names of its own steps in between."""
    path: list[str | int] = []
    here: Any = values
    for i, step in enumerate(location):
        in_table = isinstance(here, Mapping) and step in here
        if in_table or (isinstance(here, list) and isinstance(step, int)):
            here = here[step]
        elif not (kind == "missing" and i == len(location) - 1):
            continue
        path.append(step)
    if kind == "union_tag_invalid" and isinstance(here, Mapping):
        path.append("distribution")
        here = here.get("distribution")
    return tuple(path), here


def _in_contact_list(inner: Problem, path: KeyPath, source: Source) -> Finding:
    place = source.origin(path)
    where = f"{place.file}:{place.line}" if place.line else place.file
    message = f"{inner.message} ({source.key(path)} in {where})"
    return Finding(path, message, problem=Problem(inner.file, inner.line, inner.key, message))


def _unknown_key(
    path: KeyPath, source: Source, whole: type[BaseModel], *, hinted: bool
) -> Finding:
    part = part_at(whole, path[:-1], source.values)
    allowed = list(part.model_fields) if part else []
    if len(path) == 1:
        allowed += ["extends", "replaces"]
    near = get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6) if hinted else []
    hint = f'; did you mean "{near[0]}"?' if near else ";"
    key = shortened(str(path[-1]), SHOWN_OF_KEYS)
    message = f'unknown key "{key}"{hint} allowed: {", ".join(allowed)}'
    return Finding(path, message, instead=near[0] if near else None, unknown=True)


def _is_missing(path: KeyPath, source: Source, whole: type[BaseModel]) -> str:
    field = field_at(whole, path, source.values)
    paragraph = (field.description or "").split("\n\n")[0] if field else ""
    meaning = " ".join(paragraph.split()).rstrip(".")
    return f"is missing: {meaning[0].lower()}{meaning[1:]}" if meaning else "is missing"


# Names that must lead somewhere: profiles, endpoints, tenants, campaigns. Plain tables are read,
# so that more can be said about a file whose values are wrong in other places too.

BUILT_IN_PROFILES = frozenset(
    key.removeprefix("profiles.") for key in DEFAULTS if key.startswith("profiles.")
)

NAMES: dict[str, Any] = {
    "campaign": {"__all__": {"name", "tenant", "repeats", "profile", "result_url"}},
    "tenant": {"__all__": {"name"}},
    "account": {"__all__": {"login"}},
    "endpoint": {"__all__": {"name"}},
    "outage": {"__all__": {"endpoint"}},
    "suspension": {"__all__": {"tenant"}},
    "background": {
        "profile": True,
        "result_url": True,
        "tenant_class": {"__all__": {"name", "profile", "result_url"}},
    },
    "pause": {"__all__": {"campaign"}},
    "study": {"campaign"},
    "profiles": True,
}
"""What of a scenario the check reads, in the form of pydantic's `include`."""


def reference_problems(parts: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Names that lead nowhere, or that stand twice, as (key path, message)."""
    hints = iter(range(HINTS))
    campaigns, tenants = _entries(parts, "campaign"), _entries(parts, "tenant")
    endpoints = _entries(parts, "endpoint")
    known_profiles = BUILT_IN_PROFILES.union(*_table(parts, "profiles"))
    known_endpoints = {*_texts(endpoints, "name")}
    known_tenants = {*_texts(tenants, "name"), *_texts(campaigns, "tenant")}

    callers: list[tuple[KeyPath, Mapping[str, Any]]] = [
        (("campaign", i), campaign) for i, campaign in campaigns
    ]
    for background in _table(parts, "background"):
        classes = _entries(background, "tenant_class")
        callers += [(("background",), background)]
        callers += [(("background", "tenant_class", i), part) for i, part in classes]
        for place, message in _twice("tenant_class", classes, ("name",)):
            yield ("background", *place), message
    for path, caller in callers:
        yield from _missing(path, caller, "profile", known_profiles, hints)
        yield from _missing(path, caller, "result_url", known_endpoints, hints)
    for i, outage in _entries(parts, "outage"):
        yield from _missing(("outage", i), outage, "endpoint", known_endpoints, hints)
    for i, suspension in _entries(parts, "suspension"):
        yield from _missing(("suspension", i), suspension, "tenant", known_tenants, hints)
    for i, pause in _entries(parts, "pause"):
        yield from _campaign_meant(("pause", i), pause, campaigns, hints)
    for study in _table(parts, "study"):
        yield from _campaign_meant(("study",), study, campaigns, hints)
    yield from _twice("campaign", campaigns, ("tenant", "name"))
    yield from _twice("tenant", tenants, ("name",))
    yield from _twice("endpoint", endpoints, ("name",))
    yield from _twice("account", _entries(parts, "account"), ("login",))


_DAY = re.compile(r"(.*) \d{4}-\d{2}-\d{2}")
"""What a campaign that repeats is called on one of its days."""


def _campaign_meant(
    path: KeyPath,
    part: Mapping[str, Any],
    campaigns: list[tuple[int, Mapping[str, Any]]],
    hints: Iterator[int],
) -> Iterator[Contradiction]:
    names = list(_texts(campaigns, "name"))
    full_names = [f"{c.get('tenant')}/{c.get('name')}" for _, c in campaigns]
    name = part.get("campaign")
    day = _DAY.fullmatch(name) if isinstance(name, str) else None
    repeating = {
        called
        for (_, c), full in zip(campaigns, full_names, strict=True)
        if c.get("repeats")
        for called in (full, c.get("name"))
    }
    if name in full_names or (day is not None and day[1] in repeating):
        return
    yield from _missing(path, part, "campaign", names, hints)
    if names.count(str(name)) > 1:
        same = ", ".join(full for full in full_names if full.endswith(f"/{name}"))
        message = f"found {name!r}, which several tenants have; write one of {same}"
        yield (*path, "campaign"), message


def _entries(parts: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    entries = parts.get(key)
    if not isinstance(entries, list):
        return []
    return [(i, entry) for i, entry in enumerate(entries) if isinstance(entry, Mapping)]


def _table(parts: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    table = parts.get(key)
    return [table] if isinstance(table, Mapping) else []


def _texts(entries: list[tuple[int, Mapping[str, Any]]], key: str) -> Iterator[str]:
    return (entry[key] for _, entry in entries if isinstance(entry.get(key), str))


def _missing(
    path: KeyPath, part: Mapping[str, Any], key: str, known: Iterable[str], hints: Iterator[int]
) -> Iterator[Contradiction]:
    name = part.get(key)
    # The word "none" turns off what is optional; a profile and a campaign are names.
    turned_off = name == "none" and key not in ("profile", "campaign")
    if isinstance(name, str) and not turned_off and name not in known:
        is_hinted = next(hints, None) is not None
        allowed = nearest(name, sorted(known)) if is_hinted else "it is not defined"
        yield (*path, key), f"found {shown(name)}; {allowed}"


def _twice(
    part: str, entries: list[tuple[int, Mapping[str, Any]]], keys: tuple[str, ...]
) -> Iterator[Contradiction]:
    seen: set[tuple[str, ...]] = set()
    for i, entry in entries:
        names = tuple(entry[key] for key in keys if isinstance(entry.get(key), str))
        if len(names) < len(keys):
            continue
        if names in seen:
            owner = " for this tenant" if len(keys) > 1 else ""
            yield (part, i, keys[-1]), f"found {names[-1]!r}, which stands twice{owner}"
        seen.add(names)


_Whole = TypeVar("_Whole", bound=BaseModel)


def checked(
    whole: type[_Whole],
    source: Source,
    context: Mapping[str, Any] | None = None,
    names: Callable[[Mapping[str, Any]], Iterator[Contradiction]] = reference_problems,
) -> _Whole:
    """The whole that was written, or everything in it that can't be used."""
    values = _with_list_paths(source)
    context = dict(_clock(source.values) if context is None else context)
    try:
        return whole.model_validate(values, context=context)
    except ValidationError as error:
        problems = list(findings(error, source, whole))
    problems += _second_look(whole, problems, values, source, context)
    problems += [Finding(*reference) for reference in names(source.values)]
    raise ScenarioError(_problems(problems, source))


def _clock(values: Mapping[str, Any]) -> dict[str, Any]:
    """Zone and date that clock times are read by; others where they are wrong."""
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
    return path[:3] if path and path[0] in (*NAMED_ENTRIES, *ADDED_ENTRIES) else path[:2]


def _second_look(
    whole: type[BaseModel],
    first_look: list[Finding],
    values: dict[str, Any],
    source: Source,
    context: Any,
) -> Iterator[Finding]:
    """Contradictions in parts, which show when wrong values are left out."""
    wrong = {_setting(finding.path) for finding in first_look if not finding.found_together}
    remaining = _without(values, wrong)
    if not wrong or remaining is None:
        return
    try:
        whole.model_validate(remaining, context=context)
    except ValidationError as error:
        yield from (
            finding for finding in findings(error, source, whole) if finding.found_together
        )


def _without(values: dict[str, Any], settings: set[KeyPath]) -> dict[str, Any] | None:
    """Copy of the values without these settings; None if a whole part is among them."""
    copy = {key: _copy(value) for key, value in values.items()}
    for path in settings:
        part = value_at(copy, path[:-1])
        if not isinstance(part, dict):
            return None
        part.pop(path[-1], None)
    return copy


def _copy(value: Any) -> Any:
    """Copy of a part, as deep as its settings."""
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    return dict(value) if isinstance(value, Mapping) else value


def _problems(problems_at: list[Finding], source: Source) -> list[Problem]:
    """Findings as problems, without those that only repeat that a key is wrong or misspelt."""
    misspelt = {(*f.path[:-1], f.instead) for f in problems_at if f.instead}
    wrong = {f.path for f in problems_at if not f.found_together and not f.unknown}
    wrong |= {_setting(path) for path in wrong}
    problems: dict[Problem, None] = {}
    for finding in problems_at:
        absent = finding.path in misspelt and finding.path not in source.origins
        rests = finding.found_together and _rests_on(finding, wrong | misspelt, source)
        if absent or rests:
            continue
        place = finding.problem or problem(source, finding.path, finding.message)
        problems.setdefault(place)
    return sorted(
        problems, key=lambda entry: (entry.file != source.file, entry.file, entry.line or 0)
    )


def _rests_on(finding: Finding, keys: set[KeyPath], source: Source) -> bool:
    """Whether a contradiction speaks of one of these keys."""
    is_table = isinstance(value_at(source.values, finding.path), Mapping)
    table = finding.path if is_table else finding.path[:-1]
    words = {*re.findall(r"\w+", finding.message), *map(str, finding.path[-1:])}
    return any((*table, word) in keys for word in words)
