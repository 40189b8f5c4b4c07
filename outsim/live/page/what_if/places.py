"""Where the values of changes stand, before and after entries are added and taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from outsim.errors import ScenarioError
from outsim.scenario.keys import (
    AddedEntries,
    KeyPath,
    Names,
    dotted,
    is_entry,
    key_path,
    value_at,
)
from outsim.scenario.scales import NONE

_ENTRY = re.compile(r"(\w+)\[([^\]]*)\](.*)")


class Places:
    """Places of some changes, in the scenario that is changed and in what becomes of it."""

    def __init__(self, whole: Mapping[str, Any], changes: Mapping[str, str]) -> None:
        self._whole, self._changes = whole, changes
        self._added: AddedEntries = {}
        self.paths: dict[str, KeyPath] = {}
        """Where each key leads to; a key that leads nowhere has no place."""
        for key in changes:
            with suppress(ScenarioError):
                self.paths[key] = key_path(key, whole, self._added)
        self._removed = {self.paths[key] for key in self.paths if self.is_removal(key)}

    def is_removal(self, key: str) -> bool:
        """Whether a change takes an entry out."""
        path = self.paths.get(key, ())
        return is_entry(path) and self._changes[key] == NONE

    def is_of_new(self, key: str) -> bool:
        """Whether a change is about an entry that is added."""
        path = self.paths[key]
        return is_entry(path[:2]) and value_at(self._whole, path[:2]) is None

    def in_changed(self, key: str) -> KeyPath:
        """Path of a key in the changed scenario."""
        path = self.paths[key]
        if not is_entry(path[:2]):
            return path
        before = sum(gone < path[:2] for gone in self._removed if gone[0] == path[0])
        return (path[0], int(path[1]) - before, *path[2:])

    def key_in_changed(self, key: str, names: Names) -> tuple[str, str]:
        """Keys of the part, and of the value, in the changed scenario, whose `names` these are."""
        match = _ENTRY.fullmatch(key)
        if match is None:
            return key.partition(".")[0], key
        part = dotted(self.in_changed(key)[:2], names)
        return part, f"{part}{match[3]}"

    def key_of(self, key: str) -> str:
        """Key by which a change goes, from one that a message about the changed scenario has."""
        match = _ENTRY.fullmatch(key)
        if match is None:
            return key
        name, called, rest = match.groups()
        length = len(value_at(self._whole, (name,)) or ())
        kept = [k for k in range(length) if (name, k) not in self._removed]
        for (listed, new), index in self._added.items():
            place = index - length + len(kept)
            if listed == name and called in (str(place), *self._names(f"{name}[{new}]")):
                return f"{name}[{new}]{rest}"
        if called.isdecimal() and int(called) < len(kept):
            return f"{name}[{kept[int(called)]}]{rest}"
        return key

    def _names(self, entry: str) -> list[str]:
        """What an added entry is called, as far as its changes say."""
        name, tenant = (self._changes.get(f"{entry}.{key}") for key in ("name", "tenant"))
        return [] if name is None else [name, f"{tenant}/{name}"]
