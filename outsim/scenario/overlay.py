"""Changes of a scenario as a file that extends its own: what differs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit

from outsim.errors import ScenarioError
from outsim.scenario.difference import differences
from outsim.scenario.keys import (
    ADDED_ENTRIES,
    NAMED_ENTRIES,
    AddedEntries,
    KeyPath,
    is_entry,
    key_path,
    put,
    read_value,
    value_at,
)
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario
from outsim.scenario.scales import NONE, written_text
from outsim.scenario.source import REPLACES


def overlay(scenario: Scenario, changes: Mapping[str, str], *, name: str, file: Path) -> str:
    """Text of a scenario file that makes these changes and extends the scenario's own.

    Parameters
    ----------
    scenario : Scenario
        What is changed.
    changes : mapping
        Value by key, as for `Scenario.with_`.
    name : str
        What the changed scenario is called.
    file : path
        The scenario's own file; the text is one for the same directory.

    Raises
    ------
    ScenarioError
        If a value can't be used, or `file` is not what the scenario is.
    """
    changed = scenario.with_(changes, name=name)
    text = tomlkit.dumps({"extends": file.name, "name": name, **_tables(scenario, changes)})
    for unlike in differences(load(text, directory=file.parent), changed):
        raise ScenarioError(
            f"{file}: is not the scenario that was changed ({unlike.key}: {unlike.left}, and not "
            f"{unlike.right}); load it again"
        )
    return text


def _tables(scenario: Scenario, changes: Mapping[str, str]) -> dict[str, Any]:
    """What a file says that makes these changes."""
    is_set, whole = scenario.model_dump(mode="json", exclude_unset=True), scenario.plain_tables()
    tables: dict[str, Any] = {}
    new: AddedEntries = {}
    added: dict[KeyPath, dict[str, Any]] = {}
    lists: dict[str, dict[KeyPath, Any]] = {}
    for key, text in changes.items():
        path = key_path(key, whole, new)
        value, name = read_value(text, Scenario, path), str(path[0])
        if path[0] in ADDED_ENTRIES and value_at(whole, path[:2]) is not None:
            lists.setdefault(name, {})[path] = value
        elif is_entry(path[:2]) and value_at(whole, path[:2]) is None:
            put(added.setdefault(path[:2], {}), {}, path[2:], value)
        elif is_entry(path):
            raise ScenarioError(
                f"{key}: a file that extends another one has all of its {name}s; take it out "
                "where it is written"
            )
        else:
            _put(tables, path, value, is_set, whole)
    for name, values in lists.items():
        tables[name] = _entries(scenario, name, values)
    for path in sorted(added):
        tables.setdefault(str(path[0]), []).append(added[path])
    return ({REPLACES: [*lists]} if lists else {}) | {name: v for name, v in tables.items() if v}


def _entries(scenario: Scenario, name: str, changes: Mapping[KeyPath, Any]) -> list[Any]:
    """What a file says of entries without a name, some of which are changed or taken out."""
    kept = []
    for place, entry in enumerate(getattr(scenario, name)):
        if changes.get((name, place)) == NONE:
            continue
        said = entry.model_dump(mode="json", exclude_unset=True)
        for key, value in entry:
            if isinstance(value, datetime):
                said[key] = written_text(scenario, "clock", value)
        for path, value in changes.items():
            if path[1] == place:
                put(said, entry.model_dump(mode="json"), path[2:], value)
        kept.append({key: value for key, value in said.items() if value is not None})
    return kept


def _put(tables: dict[str, Any], path: KeyPath, value: Any, is_set: Any, whole: Any) -> None:
    """Write into tables; those within a part that are defaults are written out."""
    place: Any = tables
    for at, step in enumerate(path[:-1]):
        above = path[: at + 1]
        if at == 0:
            place = place.setdefault(step, [] if step in NAMED_ENTRIES else {})
        elif at == 1 and path[0] in NAMED_ENTRIES:
            place = _entry(place, value_at(whole, above))
        else:
            if isinstance(place, dict) and not isinstance(place.get(str(step)), dict | list):
                is_merged = isinstance(value_at(is_set, above), dict)
                place[step] = {} if is_merged else _written_out(value_at(whole, above))
            place = place[step]
    place[path[-1]] = value


def _written_out(table: Any) -> Any:
    """A list, or a table without what is turned off in it; empty where there is none."""
    if isinstance(table, list):
        return deepcopy(table)
    return {key: deepcopy(v) for key, v in (table or {}).items() if v is not None}


def _entry(entries: list[dict[str, Any]], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The one of some entries that is about an entry, made if there is none."""
    names = {key: entry[key] for key in ("name", "tenant") if key in entry}
    for known in entries:
        if names.items() <= known.items():
            return known
    entries.append(names)
    return names
