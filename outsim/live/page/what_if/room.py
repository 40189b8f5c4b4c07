"""The room as one client has it."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui
from nicegui.events import GenericEventArguments

from outsim.errors import OutsimError
from outsim.live.page.parts import words
from outsim.live.page.session import Page
from outsim.live.page.what_if.answer import AnswerView
from outsim.live.page.what_if.asking import Asking, Found
from outsim.live.page.what_if.changing import SECOND, SERVED, WhatIf, words_of
from outsim.live.page.what_if.controls import Controls, Entry
from outsim.live.page.what_if.keeping import command, file_name, keep, kept_text

STYLE = Path(__file__).with_name("what_if.css")
REPLICATIONS = 20
"""Of the first answer that is whole, and what is added when more are wanted."""


class Room:
    """Controls, the answer to the newest question, and how to keep it."""

    def __init__(self, page: Page) -> None:
        self._what_if = WhatIf(page)
        self._asking = Asking(page.work, page.runs, self._found, self._refused)
        self._controls = Controls(self._what_if, self._ask)
        self._view = AnswerView()
        self._replications = REPLICATIONS
        self._is_named = False

    def build(self) -> None:
        """Build it, and ask how the base does."""
        ui.add_css(STYLE)
        with ui.element("div").classes("what-if"):
            with ui.element("section").classes("said").props('aria-label="Answer"'):
                self._base_choice()
                self._view.build_short()
                self._more = words("button", f"{REPLICATIONS} more replications")
                self._more.props('type="button"').on("click", self._ask_more)
            with ui.element("section").classes("set").props('aria-label="What is changed"'):
                words("h2", "Changes")
                self._reset = words("button", "Take all changes back").props('type="button"')
                self._reset.on("click", self._take_back)
                self._controls.build()
            with ui.element("section").classes("full").props('aria-label="In full"'):
                self._view.build_full()
                self._build_keep()
        ui.context.client.on_delete(self._asking.give_up)
        self._ask()

    def _base_choice(self) -> None:
        bases = self._what_if.bases
        if SECOND not in bases:
            return
        texts = {
            SECOND: f"{bases[SECOND][0].name} (the second scenario)",
            SERVED: f"{bases[SERVED][0].name} (as it was)",
        }
        with ui.element("p"):
            label = words("label", "Base: ")
            with ui.element("select") as choice:
                for name, text in texts.items():
                    option = words("option", text)
                    option.props["value"] = name
                    option.props["selected"] = name == self._what_if.base_name
            label.props["for"] = choice.html_id
            choice.on("change", self._choose_base, js_handler="(e) => emit(e.target.value)")

    def _choose_base(self, event: GenericEventArguments) -> None:
        if event.args in self._what_if.bases:
            self._what_if.base_name = event.args
            self._controls.refresh()
            self._ask()

    def _take_back(self) -> None:
        self._what_if.reset()
        self._controls.refresh()
        self._ask()

    def _ask_more(self) -> None:
        self._replications += REPLICATIONS
        self._ask()

    def _compared(self) -> str:
        """What is compared with what."""
        what_if = self._what_if
        base = what_if.base.name
        if not what_if.is_compared:
            return f"Base: {base}, as it was."
        whose = "the second scenario" if what_if.base_name == SECOND else "the scenario as it was"
        return f"{what_if.changed.name}, compared with {base} ({whose})."

    def _ask(self) -> None:
        """Ask what is on the screen now, instead of what was asked before."""
        problems = self._what_if.problems
        self._reset.set_visibility(bool(self._what_if.changes or problems))
        self._more.set_visibility(False)
        self._show_kept()
        if problems:
            self._asking.give_up()
            elsewhere = [f"{k}: {m}" for k, m in problems.items() if not self._controls.has(k)]
            names = [words_of(key.rpartition(".")[2]) for key in problems]
            self._view.refuse(f"Not asked, for {' and '.join(names)}", "; ".join(elsewhere))
            return
        self._view.wait(self._compared())
        self._asking.ask(self._what_if, self._replications)

    def _found(self, found: Found) -> None:
        nothing = (
            "Nothing is changed yet: move a slider, or write into a field. What that does is then "
            f"compared with {self._what_if.base.name} as it was."
        )
        self._view.show(found, nothing)
        is_whole = found.replications == found.asked
        self._more.set_visibility(is_whole and found.document is not None)

    def _refused(self, problem: str) -> None:
        self._view.refuse("Not asked", problem)

    # Keeping

    def _build_keep(self) -> None:
        with ui.element("section").classes("keep").props('aria-label="Keep"') as self._keep:
            words("h2", "Keep as scenario file")
            with ui.element("p"):
                label = words("label", "File ")
                name = ui.element("input").props('type="text" autocomplete="off"').classes("file")
                name.on("change", self._rename, js_handler="(e) => emit(e.target.value)")
                label.props["for"] = name.html_id
                self._name = Entry(name, "")
            with ui.element("p").classes("buttons"):
                self._write = words("button", "").props('type="button"')
                self._write.on("click", self._keep_beside)
                load = words("button", "Download").props('type="button"')
                load.on("click", self._download)
            self._kept = words("p", "").props('role="status"')
            words("p", "The file extends the scenario's own, and says only what differs:")
            self._text = words("pre", "").props('role="group" aria-label="The file"')
            words("p", "The command that gives the same figures:")
            self._command = words("pre", "").props('role="group" aria-label="The command"')

    def _show_kept(self) -> None:
        what_if = self._what_if
        can_be = bool(what_if.changes) and not what_if.problems and what_if.file is not None
        self._keep.set_visibility(can_be)
        if not can_be or what_if.file is None:
            return
        if not self._is_named:
            self._name.put(file_name(what_if))
        self._kept.text = ""
        self._write.text = f"Write beside {what_if.file.name}"
        try:
            self._text.text = kept_text(what_if)
            self._command.text = command(what_if, self._file, self._replications)
        except OutsimError as error:
            self._text.text = self._command.text = ""
            self._kept.text = str(error)

    @property
    def _file(self) -> str:
        return str(self._name.value)

    def _rename(self, event: GenericEventArguments) -> None:
        self._name.value, self._is_named = str(event.args).strip(), True
        self._show_kept()

    def _keep_beside(self) -> None:
        try:
            self._kept.text = f"{keep(self._what_if, self._file)} is written."
        except OutsimError as error:
            self._kept.text = str(error)

    def _download(self) -> None:
        assert self._what_if.file is not None
        ui.download.content(kept_text(self._what_if), self._file, "application/toml")
        self._kept.text = (
            f"{self._file} is downloaded: put it beside {self._what_if.file}, which it extends."
        )
