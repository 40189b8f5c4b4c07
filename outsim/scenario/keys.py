"""Keys as people write them: ``platform.ports``, ``campaign[NAME].max_retry``.

``campaign[TENANT/NAME]`` where several have the name; ``callees.redial_factors[1]`` in a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from outsim.errors import ScenarioError, nearest
from outsim.scenario.messages import dotted
from outsim.scenario.model import Scenario
from outsim.scenario.source import NAMED_ENTRIES
from outsim.scenario.toml_lines import KeyPath
from outsim.units import shown

_STEP = re.compile(r"([\w-]+)((?:\[[^\]]*\])*)")


def plain_tables(scenario: Scenario) -> dict[str, Any]:
    """A scenario as plain tables, with its defaults and the built-in profiles."""
    whole = scenario.model_dump(mode="json")
    whole["profiles"] = {
        name: profile.model_dump(mode="json") for name, profile in scenario.all_profiles.items()
    }
    return whole


def key_path(key: str, whole: Mapping[str, Any]) -> KeyPath:
    """Keys and list indexes that a written key stands for.

    Parameters
    ----------
    key : str
        As people write it.
    whole : mapping
        Plain tables of a scenario, with its defaults.

    Raises
    ------
    ScenarioError
        If it is no key, or there is no such entry in a list.
    """
    path: list[str | int] = []
    here: Any = whole
    rest = key.strip()
    while True:
        found = _STEP.match(rest)
        if found is None:
            raise ScenarioError(
                f"{key}: is no key; write one such as platform.ports or campaign[NAME].max_retry"
            )
        names = re.findall(r"\[([^\]]*)\]", found[2])
        here = _step(here, found[1], path)
        for name in names:
            here = _step(here, _index(key, here, path, name), path)
        rest = rest[found.end() :]
        if not rest:
            return tuple(path)
        if isinstance(here, list) and rest.startswith("."):
            raise ScenarioError(f"{key}: {_which(path, here)}")
        if not rest.startswith("."):
            raise ScenarioError(f"{key}: found {shown(rest)}; write a dot between keys")
        rest = rest[1:]


def _step(here: Any, step: str | int, path: list[str | int]) -> Any:
    path.append(step)
    if isinstance(here, list):
        return here[int(step)]
    return here.get(step) if isinstance(here, Mapping) else None


def _index(key: str, here: Any, path: list[str | int], name: str) -> str | int:
    """Index of the entry that a name in brackets means."""
    if not isinstance(here, list):
        return name
    if len(path) == 1 and path[0] in NAMED_ENTRIES:
        found = [i for i, entry in enumerate(here) if name in _names(entry)]
        if len(found) == 1:
            return found[0]
        if found:
            same = ", ".join(_names(here[i])[-1] for i in found)
            raise ScenarioError(f"{key}: {name} is the name of several; write one of {same}")
    if name.isdecimal() and int(name) < len(here):
        return int(name)
    raise ScenarioError(f"{key}: found [{name}]; {_which(path, here, name)}")


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of an entry, the one that no other has last."""
    name = entry["name"]
    return (name, f"{entry['tenant']}/{name}") if "tenant" in entry else (name,)


def _which(path: list[str | int], entries: list[Any], name: str | None = None) -> str:
    place = dotted(tuple(path))
    if len(path) == 1 and path[0] in NAMED_ENTRIES:
        names = [_names(entry)[-1] for entry in entries]
        return f"{place} is a list; write {place}[NAME]; {nearest(name, sorted(names))}"
    there = f"0 to {len(entries) - 1}" if entries else "none, as it is empty"
    return f"{place} is a list; write {place}[NUMBER]; allowed: {there}"
