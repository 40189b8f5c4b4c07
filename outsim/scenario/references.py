"""Names in a scenario that must lead somewhere: profiles, endpoints, tenants, campaigns.

The check reads plain tables, so that it can speak about a file whose values are
wrong in other places too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from outsim.errors import nearest
from outsim.scenario.defaults import DEFAULTS
from outsim.units import Problem, shown

BUILT_IN_PROFILES = frozenset(
    key.removeprefix("profiles.") for key in DEFAULTS if key.startswith("profiles.")
)

NAMES: dict[str, Any] = {
    "campaign": {"__all__": {"name", "tenant", "profile", "result_url"}},
    "tenant": {"__all__": {"name"}},
    "endpoint": {"__all__": {"name"}},
    "outage": {"__all__": {"endpoint"}},
    "suspension": {"__all__": {"tenant"}},
    "background": {"profile", "result_url"},
    "study": {"campaign"},
    "profiles": True,
}
"""What of a scenario the check reads, in the form of pydantic's `include`."""

HINTS = 100
"""Problems with which the nearest name is looked for."""


def reference_problems(parts: Mapping[str, Any]) -> Iterator[Problem]:
    """Names that lead nowhere, or that stand twice, as (key path, message)."""
    hints = iter(range(HINTS))
    campaigns, tenants = _entries(parts, "campaign"), _entries(parts, "tenant")
    endpoints = _entries(parts, "endpoint")
    known_profiles = BUILT_IN_PROFILES.union(*_table(parts, "profiles"))
    known_endpoints = {*_texts(endpoints, "name")}
    known_tenants = {*_texts(tenants, "name"), *_texts(campaigns, "tenant")}

    callers: list[tuple[tuple[str | int, ...], Mapping[str, Any]]] = [
        (("campaign", i), campaign) for i, campaign in campaigns
    ]
    callers += [(("background",), part) for part in _table(parts, "background")]
    for path, caller in callers:
        yield from _missing(path, caller, "profile", known_profiles, hints)
        yield from _missing(path, caller, "result_url", known_endpoints, hints)
    for i, outage in _entries(parts, "outage"):
        yield from _missing(("outage", i), outage, "endpoint", known_endpoints, hints)
    for i, suspension in _entries(parts, "suspension"):
        yield from _missing(("suspension", i), suspension, "tenant", known_tenants, hints)
    for study in _table(parts, "study"):
        yield from _under_study(study, campaigns, hints)
    yield from _twice("campaign", campaigns, ("tenant", "name"))
    yield from _twice("tenant", tenants, ("name",))
    yield from _twice("endpoint", endpoints, ("name",))


def _under_study(
    study: Mapping[str, Any],
    campaigns: list[tuple[int, Mapping[str, Any]]],
    hints: Iterator[int],
) -> Iterator[Problem]:
    names = list(_texts(campaigns, "name"))
    full_names = [f"{c.get('tenant')}/{c.get('name')}" for _, c in campaigns]
    name = study.get("campaign")
    if name in full_names:
        return
    yield from _missing(("study",), study, "campaign", names, hints)
    if names.count(str(name)) > 1:
        same = ", ".join(full for full in full_names if full.endswith(f"/{name}"))
        message = f"found {name!r}, which several tenants have; write one of {same}"
        yield ("study", "campaign"), message


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
    path: tuple[str | int, ...],
    part: Mapping[str, Any],
    key: str,
    known: Iterable[str],
    hints: Iterator[int],
) -> Iterator[Problem]:
    name = part.get(key)
    # The word "none" turns off what is optional; a profile and a campaign are names.
    turned_off = name == "none" and key not in ("profile", "campaign")
    if isinstance(name, str) and not turned_off and name not in known:
        is_hinted = next(hints, None) is not None
        allowed = nearest(name, sorted(known)) if is_hinted else "it is not defined"
        yield (*path, key), f"found {shown(name)}; {allowed}"


def _twice(
    part: str, entries: list[tuple[int, Mapping[str, Any]]], keys: tuple[str, ...]
) -> Iterator[Problem]:
    seen: set[tuple[str, ...]] = set()
    for i, entry in entries:
        names = tuple(entry[key] for key in keys if isinstance(entry.get(key), str))
        if len(names) < len(keys):
            continue
        if names in seen:
            owner = " for this tenant" if len(keys) > 1 else ""
            yield (part, i, "name"), f"found {names[-1]!r}, which stands twice{owner}"
        seen.add(names)
