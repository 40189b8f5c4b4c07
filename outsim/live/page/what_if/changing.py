"""A scenario that is changed key by key, and what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping

from outsim.errors import ScenarioError
from outsim.live.page.session import Page
from outsim.scenario.adjustable import adjustables
from outsim.scenario.keys import key_path, value_at
from outsim.scenario.model import Scenario
from outsim.text import title

SERVED, SECOND = "served", "second"
"""What a changed scenario can be compared with: itself as it was, or the other one."""


class WhatIf:
    """A scenario with changes, and its base."""

    def __init__(self, page: Page) -> None:
        self.scenario, self.file = page.scenario, page.scenario_file
        self.seed = page.context.sandbox.seed
        self.bases = {SERVED: (page.scenario, page.scenario_file)}
        if page.other is not None:
            self.bases[SECOND] = (page.other, page.other_file)
        self.base_name = SECOND if page.other is not None else SERVED
        self.changes: dict[str, str] = {}
        """Texts by key, where they mean something else than the scenario as it was."""
        self.problems: dict[str, str] = {}
        """What is wrong with the changes, by the key that it is about."""
        self.changed: Scenario = self.scenario
        """The scenario with the changes; the last one that could be used."""
        self._whole = self.scenario.plain_tables()

    @property
    def base(self) -> Scenario:
        """What the changed scenario is compared with."""
        return self.bases[self.base_name][0]

    @property
    def is_compared(self) -> bool:
        """Whether there is anything to compare with the base."""
        return bool(self.changes) or self.base_name == SECOND

    def set(self, changes: Mapping[str, str]) -> None:
        """Set values by key, as texts; those that can't be used are in `problems`."""
        wanted = self.changes | {key: text.strip() for key, text in changes.items()}
        self.problems = {}
        try:
            changed = self.scenario.with_(wanted, name=self._name(wanted))
        except ScenarioError as error:
            self.changes = wanted
            self.problems = self._problems(error, [*changes][-1])
            return
        whole = changed.plain_tables()
        paths = {key: key_path(key, self._whole) for key in wanted}
        self.changes = {
            key: text
            for key, text in wanted.items()
            if value_at(whole, paths[key]) != value_at(self._whole, paths[key])
        }
        self.changed = self.scenario
        if self.changes:
            self.changed = self.scenario.with_(self.changes, name=self._name(self.changes))

    def reset(self) -> None:
        """Take all changes back."""
        self.changes, self.problems, self.changed = {}, {}, self.scenario

    def base_texts(self, part: str) -> dict[str, str]:
        """What the base has in a part, by key; empty where it has no such part."""
        return {one.key: one.text for one in adjustables(self.base, part)}

    def _name(self, changes: Mapping[str, str]) -> str:
        """What the scenario is called with some changes."""
        texts = [f"{words_of(key.rpartition('.')[2])} {text}" for key, text in changes.items()]
        return title(", ".join([self.scenario.name, *texts]))

    def _problems(self, error: ScenarioError, last: str) -> dict[str, str]:
        """Messages by the key that each is about; those about no key are about the last one."""
        if not error.problems:
            return {last: str(error)}
        found: dict[str, str] = {}
        for problem in error.problems:
            found.setdefault(problem.key or last, problem.message)
        return found


def words_of(name: str) -> str:
    """A key's name as words."""
    return name.replace("_", " ")
