"""A scenario that is changed key by key, and what it is compared with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from outsim.errors import ScenarioError
from outsim.live.page.session import Page
from outsim.live.page.what_if.places import Places
from outsim.scenario.adjustable import (
    Adjustable,
    adjustable_parts,
    adjustables,
    adjustables_of_new,
)
from outsim.scenario.keys import ADDED_ENTRIES, NEW, entry_names, value_at
from outsim.scenario.model import Scenario
from outsim.scenario.scales import NONE
from outsim.text import title

FIRST, SECOND = "first", "second"
"""The scenarios that are served: changes are made to one of them, and one is the base."""
_PART = re.compile(r"(\w+)(?:\[([^\]]*)\])?")


class WhatIf:
    """A scenario with changes, and its base."""

    def __init__(self, page: Page) -> None:
        self.seed = page.context.sandbox.seed
        self.scenarios: dict[str, tuple[Scenario, Path | None]] = {
            FIRST: (page.scenario, page.scenario_file)
        }
        if page.other is not None:
            self.scenarios[SECOND] = (page.other, page.other_file)
        self.usual = [*self.scenarios][-1]
        """What changes are made to, unless another one is chosen."""
        self.base_name = FIRST
        self.start(self.usual)

    def start(self, name: str) -> None:
        """Make changes to this scenario, and none yet."""
        self.start_name = name
        self.scenario, self.file = self.scenarios[name]
        self.changes: dict[str, str] = {}
        """Texts by key, where they mean something else than the scenario as it was."""
        self.problems: dict[str, str] = {}
        """What is wrong with the changes, by the key that it is about."""
        self.changed: Scenario = self.scenario
        """The scenario with the changes; the last one that could be used."""
        self.new: dict[str, list[str]] = {}
        """How the entries are called that are added, by their list."""
        self._known: dict[str, dict[str, Adjustable]] = {}
        self._whole = self.scenario.plain_tables()
        self._parts = adjustable_parts(self.scenario)

    @property
    def base(self) -> Scenario:
        """What the changed scenario is compared with."""
        return self.scenarios[self.base_name][0]

    @property
    def is_compared(self) -> bool:
        """Whether there is anything to compare with the base."""
        return bool(self.changes) or self.start_name != self.base_name

    # What can be changed

    def abouts(self, part: str) -> dict[str, Adjustable]:
        """What can be changed of a part, or of an entry that is added, by key."""
        if part not in self._known:
            match = _PART.fullmatch(part)
            name, called = ("", "") if match is None else (match[1], match[2] or "")
            found: Iterator[Adjustable] = iter(())
            if called in self.new.get(name, ()):
                found = adjustables_of_new(self.scenario, name, called)
            elif part in self._parts:
                found = adjustables(self.scenario, part)
            self._known[part] = {one.key: one for one in found}
        return self._known[part]

    def about(self, key: str) -> Adjustable | None:
        """What is known of a key; None where it can't be changed."""
        match = _PART.match(key)
        return None if match is None else self.abouts(match[0]).get(key)

    # Changes

    def set(self, changes: Mapping[str, str]) -> None:
        """Set values by key, as texts; those that can't be used are in `problems`.

        A text that is empty takes the change of its key back.
        """
        new = {key: text.strip() for key, text in changes.items()}
        kept = {
            key: text
            for key, text in self.changes.items()
            if not any(_is_within(key, other) or _is_within(other, key) for other in new)
        }
        self._use({**kept, **{key: text for key, text in new.items() if text}}, [*new])

    def _use(self, wanted: dict[str, str], last: list[str]) -> None:
        """Use these changes; what is wrong and about no key is about the last one."""
        self.problems = {}
        places = Places(self._whole, wanted)
        try:
            changed = self.scenario.with_(wanted, name=self._name(wanted))
        except ScenarioError as error:
            self.changes = wanted
            for problem in error.problems:
                key = places.key_of(problem.key) or last[-1]
                self.problems.setdefault(key, problem.message)
            if not self.problems:
                self.problems[last[-1]] = str(error)
            return
        whole = changed.plain_tables()
        self.changes = {
            key: text
            for key, text in _written(wanted, changed, places).items()
            if places.is_of_new(key)
            or value_at(whole, places.in_changed(key)) != value_at(self._whole, places.paths[key])
            or places.is_removal(key)
        }
        self.changed = self.scenario
        if self.changes:
            self.changed = self.scenario.with_(self.changes, name=self._name(self.changes))

    def reset(self) -> None:
        """Take all changes back."""
        self.start(self.start_name)

    def choose(self, name: str) -> None:
        """Make the same changes to another one of the scenarios."""
        changes, new = self.changes, self.new
        self.start(name)
        self.new = new
        if changes:
            self.set(changes)

    # Entries of lists

    def entries(self, name: str) -> list[str]:
        """Keys of the entries of a list, those that are added last."""
        there = [key for key in self._parts if key.startswith(f"{name}[")]
        return [*there, *(f"{name}[{called}]" for called in self.new.get(name, ()))]

    def add(self, name: str) -> str:
        """Add an entry to a list, of which nothing is said yet; its key."""
        texts = ("new" if k == 1 else f"new{k}" for k in count(1))
        called = next(text for text in texts if f"{name}[{text}]" not in self.entries(name))
        self.new.setdefault(name, []).append(called)
        return f"{name}[{called}]"

    def remove(self, entry: str) -> None:
        """Take an entry out; one that was added is forgotten."""
        name, called = entry.removesuffix("]").split("[", 1)
        if called not in self.new.get(name, ()):
            self.set({entry: NONE})
            return
        self.new[name].remove(called)
        self._known.pop(entry, None)
        self._use({k: v for k, v in self.changes.items() if not _is_within(k, entry)}, [entry])

    # Words

    def base_texts(self, part: str) -> dict[str, str]:
        """What the base has in a part, by key; empty where it has no such part."""
        return {one.key: one.text for one in adjustables(self.base, part)}

    def said(self) -> list[str]:
        """The changes in words, one by one."""
        return [*_said(self.changes, self.scenario)]

    def _name(self, changes: Mapping[str, str]) -> str:
        """What the scenario is called with some changes."""
        return title(", ".join([self.scenario.name, *_said(changes, self.scenario)]))


def _written(changes: Mapping[str, str], changed: Scenario, places: Places) -> dict[str, str]:
    """Texts as they are written elsewhere: ``9:15`` is ``09:15``."""
    names = entry_names(changed.plain_tables())
    written: dict[str, dict[str, str]] = {}
    found = {}
    for key, text in changes.items():
        part, renamed = places.key_in_changed(key, names)
        if part not in written and not places.is_removal(key):
            written[part] = {one.key: one.text for one in adjustables(changed, part)}
        found[key] = text if places.is_removal(key) else written[part].get(renamed, text)
    return found


def _said(changes: Mapping[str, str], scenario: Scenario) -> Iterator[str]:
    """Changes in words: what is said of an entry without a name stands together."""
    study = scenario.campaign_under_study
    plain = {"campaign": "" if study is None else study.full_name}
    entries: dict[str, list[str]] = {}
    for key, text in changes.items():
        match = _PART.match(key)
        assert match is not None
        part, kind, called = match[0], match[1], match[2]
        name = key[len(part) + 1 :].rpartition(".")[2]
        if called is None and not name:
            yield f"{words_of(kind)} {text}"
        elif not name:
            yield f"without {kind} {int(called) + 1}"
        elif NEW.fullmatch(called or "") or kind in ADDED_ENTRIES:
            entries.setdefault(part, []).append(text)
        else:
            whose = "" if called in (None, plain.get(kind)) else f"{called} "
            yield f"{whose}{words_of(name)} {text}"
    for part, texts in entries.items():
        yield f"{part.partition('[')[0]} {' '.join(texts)}"


def _is_within(key: str, other: str) -> bool:
    """Whether a key is another one, or stands in what that is."""
    return key == other or key.startswith(f"{other}.")


def words_of(name: str) -> str:
    """A key's name as words."""
    return name.replace("_", " ")
