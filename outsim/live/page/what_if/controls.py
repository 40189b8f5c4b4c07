"""Sliders and fields for what a scenario can say, made of its schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial

from nicegui import ui

from outsim.live.page.parts import words
from outsim.live.page.what_if.changing import WhatIf
from outsim.live.page.what_if.row import Row
from outsim.scenario.adjustable import adjustable_parts, lists_of_entries
from outsim.scenario.keys import ADDED_ENTRIES
from outsim.scenario.model import Scenario
from outsim.scenario.scales import written_text

FIRST = {
    "campaign": (
        *("name", "tenant", "start", "contacts", "stop_at"),
        *("pacing", "max_retry", "retry_interval"),
    ),
    "platform": ("ports", "dial_rate", "workers"),
    "background": ("campaigns_per_hour", "median_size"),
    "load": ("load",),
}
"""What is asked about most: of the campaign under study, of others, and of other parts."""
TITLES = {"background": "Load of others", "load": "All load"}
"""Names of parts that are not called as their keys are."""
PLURALS = {"campaign": "Further campaigns"}
"""Names of lists that are not called as their keys are."""


def first_parts(scenario: Scenario) -> list[str]:
    """Keys of the parts that stand open: of each the keys in `FIRST`."""
    campaign = scenario.campaign_under_study
    under_study = "" if campaign is None else f"campaign[{campaign.entry}]"
    there = adjustable_parts(scenario)
    keys = [under_study if part == "campaign" else part for part in FIRST]
    return [key for key in keys if key in there]


def title_of(part: str) -> str:
    """What a part is called: ``campaign[clinic/reminders]`` is Campaign clinic/reminders."""
    kind, _, name = part.removesuffix("]").partition("[")
    called = TITLES.get(kind, kind.capitalize())
    return f"{called} {name}" if name else called


def _kind(part: str) -> str:
    return part.partition("[")[0]


class Controls:
    """A control for each key; what they are set to is told at once."""

    def __init__(self, what_if: WhatIf, changed: Callable[[], None]) -> None:
        self._what_if, self._changed = what_if, changed
        self._rows: dict[str, Row] = {}

    def build(self) -> None:
        """Build them: what is asked about most stands open, the rest opens when it is wanted."""
        with ui.element("div") as self._all:
            self._build()

    def _build(self) -> None:
        self._rows.clear()
        first = first_parts(self._what_if.scenario)
        for part in first:
            with self._section(title_of(part)):
                self._add_part(part)
        rest = [p for p in adjustable_parts(self._what_if.scenario) if p not in first]
        lists = lists_of_entries()
        for name in sorted(lists, key=[*_FIRST_LISTS, *lists].index):
            with self._section(PLURALS.get(name, f"{name}s".capitalize())):
                self._list(name, [part for part in rest if part.startswith(f"{name}[")])
        others = [part for part in rest if _kind(part) not in lists]
        with self._section("Other parts"):
            for part in others:
                self._later(title_of(part), partial(self._add, part), self._has_changes([part]))

    def _section(self, title: str) -> ui.element:
        with ui.element("section").classes("controls") as section:
            words("h3", title)
        return section

    def _has_changes(self, within: Iterable[str]) -> bool:
        said = (*self._what_if.changes, *self._what_if.problems)
        return any(key.startswith(part) for part in within for key in said)

    def _later(self, title: str, add: Callable[[], None], is_open: bool = False) -> None:
        """Controls that are built when they are first opened."""
        with ui.element("details") as details:
            words("summary", title)
        is_built: list[bool] = []

        def build() -> None:
            if not is_built:
                is_built.append(True)
                with details:
                    add()

        if is_open:
            details.props["^open"] = True
            build()
        details.on("toggle", build, js_handler="() => emit()")

    def _add_part(self, part: str) -> None:
        """Controls of a part: those that are asked about most, the others behind them."""
        names = FIRST.get(_kind(part))
        if names is None:
            self._add(part)
            return
        self._add(part, names)
        keys = [key for key, one in self._what_if.abouts(part).items() if one.name not in names]
        if keys:
            more = partial(self._add, part, without=names)
            title = title_of(part) if part in first_parts(self._what_if.scenario) else "this one"
            self._later(f"More of {title}", more, self._has_changes(keys))

    def _add(
        self, part: str, only: Collection[str] | None = None, without: Collection[str] = ()
    ) -> None:
        """Controls of a part: of its keys of some names, or of all but some."""
        base = self._what_if.base_texts(part)
        for one in self._what_if.abouts(part).values():
            if one.name not in without and (only is None or one.name in only):
                row = self._rows[one.key] = Row(one, self._set)
                row.set_base(base.get(one.key))
                self._show(one.key)

    # Entries of lists

    def _list(self, name: str, there: list[str]) -> None:
        """Entries of a list, and the button that adds one."""
        for entry in there:
            add = partial(self._add, entry)
            if name in ADDED_ENTRIES:
                add = partial(self._entry, entry, f"Take {name} {_number(entry)} out")
            self._later(self._entry_title(entry), add, self._has_changes([entry]))
        added = ui.element("div")

        def show(entry: str) -> None:
            with added, ui.element("div").classes("entry") as around:
                words("h4", f"New {name}")
                self._entry(entry, f"Take this {name} out", around)

        def add_one() -> None:
            show(self._what_if.add(name))

        for called in self._what_if.new.get(name, ()):
            show(f"{name}[{called}]")
        article = "an" if name[0] in "aeiou" else "a"
        words("button", f"Add {article} {name}").props('type="button"').on("click", add_one)

    def _entry_title(self, entry: str) -> str:
        name = _kind(entry)
        if name not in ADDED_ENTRIES:
            return title_of(entry)
        scenario = self._what_if.scenario
        one = getattr(scenario, name)[_number(entry) - 1]
        return f"{_number(entry)}: {one.label} from {written_text(scenario, 'clock', one.begins)}"

    def _entry(self, entry: str, take_out: str, around: ui.element | None = None) -> None:
        """Controls of an entry, and the button that takes it out, and back."""
        button = words("button", take_out).props('type="button"')
        with ui.element("div") as controls:
            (self._add if around is None else self._add_part)(entry)

        def show() -> None:
            is_out = entry in self._what_if.changes
            controls.set_visibility(not is_out)
            button.text = "Put it back" if is_out else take_out

        def press() -> None:
            if around is None and entry in self._what_if.changes:
                self._what_if.set({entry: ""})
            else:
                self._what_if.remove(entry)
            if around is None:
                show()
            else:
                around.delete()
                self._forget(entry)
            self._show_all()
            self._changed()

        button.on("click", press)
        show()

    def _forget(self, entry: str) -> None:
        for key in [key for key in self._rows if key.startswith(f"{entry}.")]:
            del self._rows[key]

    # What they are set to

    def _set(self, key: str, text: str) -> None:
        before = {*self._what_if.changes, *self._what_if.problems}
        self._what_if.set({key: text})
        for other in before | {*self._what_if.changes, *self._what_if.problems} | {key}:
            self._show(other)
        self._changed()

    def _show(self, key: str) -> None:
        row = self._rows.get(key)
        if row is not None:
            text = self._what_if.changes.get(key, row.about.text)
            row.show(text, self._what_if.problems.get(key, ""))

    def _show_all(self) -> None:
        for key in self._rows:
            self._show(key)

    def rebuild(self) -> None:
        """Build them anew: there are other parts."""
        self._all.clear()
        with self._all:
            self._build()

    def rebase(self) -> None:
        """Mark the values of another base."""
        texts: dict[str, dict[str, str]] = {}
        for key, row in self._rows.items():
            part = row.about.part
            if part not in texts:
                texts[part] = self._what_if.base_texts(part)
            row.set_base(texts[part].get(key))
            self._show(key)

    def has(self, key: str) -> bool:
        """Whether a message about a key is shown at its control."""
        return key in self._rows


_FIRST_LISTS = ("campaign", *ADDED_ENTRIES)


def _number(entry: str) -> int:
    """Number of an entry without a name, from 1."""
    return int(entry.partition("[")[2].removesuffix("]")) + 1
