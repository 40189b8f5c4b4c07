"""Changes of a scenario as a file that extends its own: what differs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import tomlkit

from outsim.errors import ScenarioError
from outsim.scenario.difference import differences
from outsim.scenario.keys import (
    ADDED_ENTRIES,
    NAMED_ENTRIES,
    KeyPath,
    key_path,
    read_value,
    value_at,
)
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario


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
    for key, text in changes.items():
        path = key_path(key, whole)
        if path[0] in ADDED_ENTRIES:
            raise ScenarioError(
                f"{key}: a file that extends another one can add to its {path[0]}s, and change "
                "none of them; change it where it is written"
            )
        _put(tables, path, read_value(text, Scenario, path), is_set, whole)
    return tables


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
            if isinstance(place, dict) and step not in place:
                is_merged = isinstance(value_at(is_set, above), dict)
                place[step] = {} if is_merged else deepcopy(value_at(whole, above))
            place = place[step]
    place[path[-1]] = value


def _entry(entries: list[dict[str, Any]], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The one of some entries that is about an entry, made if there is none."""
    names = {key: entry[key] for key in ("name", "tenant") if key in entry}
    for known in entries:
        if names.items() <= known.items():
            return known
    entries.append(names)
    return names
