"""The room as one client has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nicegui import ui
from nicegui.events import GenericEventArguments

from outsim.errors import OutsimError
from outsim.live.page.kept import keep
from outsim.live.page.parts import words
from outsim.live.page.session import Page
from outsim.live.page.what_if.answer import AnswerView
from outsim.live.page.what_if.asking import Asking, Found
from outsim.live.page.what_if.changing import WhatIf, words_of
from outsim.live.page.what_if.controls import Controls
from outsim.live.page.what_if.keeping import command, file_name, keep_file, kept_text
from outsim.live.page.what_if.link import query, read
from outsim.live.page.what_if.row import Entry
from outsim.studies.comparable import compared

STYLE = Path(__file__).with_name("what_if.css")
REPLICATIONS = 20
"""Of the first answer that is whole, and what is added when more are wanted."""


class Room:
    """Controls, the answer to the newest question, and how to keep it."""

    def __init__(self, page: Page) -> None:
        self._what_if = WhatIf(page)
        self._view = AnswerView()
        self._asking = Asking(page.work, page.runs, self._found, self._view.warn, self._refused)
        self._controls = Controls(self._what_if, self._ask)
        self._replications = REPLICATIONS
        self._is_named = False

    def build(self) -> None:
        """Build it as its address says, and ask what that comes to."""
        ui.add_css(STYLE)
        wrong = read(self._what_if, ui.context.client.request.query_params.multi_items())
        with ui.element("div").classes("what-if"):
            with ui.element("section").classes("chosen").props('aria-label="What is compared"'):
                for problem in wrong:
                    words("p", f"Left out of this address: {problem}").classes("notice").props(
                        'role="alert"'
                    )
                self._choices()
                self._compared = words("p", "").classes("compared")
            with ui.element("section").classes("said").props('aria-label="Answer"'):
                self._view.build_short()
            with ui.element("section").classes("set").props('aria-label="What is changed"'):
                words("h2", "Changes")
                self._reset = words("button", "Take all changes back").props('type="button"')
                self._reset.on("click", self._take_back)
                self._controls.build()
            with ui.element("section").classes("full").props('aria-label="In full"'):
                self._more = words("button", f"{REPLICATIONS} more replications")
                self._more.props('type="button"').on("click", self._ask_more)
                self._view.build_full()
                self._build_keep()
        ui.context.client.on_delete(self._asking.give_up)
        self._ask()

    def _choices(self) -> None:
        """Which scenario is changed, and which one is the base, where there are two."""
        what_if = self._what_if
        if len(what_if.scenarios) > 1:
            with ui.element("p").classes("choices"):
                self._choice("Changed: ", what_if.start_name, self._choose_start)
                self._choice("Base: ", what_if.base_name, self._choose_base)

    def _choice(self, text: str, chosen: str, choose: Callable[[str], None]) -> None:
        label = words("label", text)
        with ui.element("select") as choice:
            for name, (scenario, _) in self._what_if.scenarios.items():
                option = words("option", f"{scenario.name} ({name})")
                option.props["value"] = name
                option.props["selected"] = name == chosen
        label.props["for"] = choice.html_id

        def changed(event: GenericEventArguments) -> None:
            if event.args in self._what_if.scenarios:
                choose(event.args)
                self._ask()

        choice.on("change", changed, js_handler="(e) => emit(e.target.value)")

    def _choose_start(self, name: str) -> None:
        self._what_if.choose(name)
        self._controls.rebuild()

    def _choose_base(self, name: str) -> None:
        self._what_if.base_name = name
        self._controls.rebase()

    def _take_back(self) -> None:
        self._what_if.reset()
        self._controls.rebuild()
        self._ask()

    def _ask_more(self) -> None:
        self._replications += REPLICATIONS
        self._ask()

    def _ask(self) -> None:
        """Ask what is on the screen now, instead of what was asked before."""
        what_if = self._what_if
        keep(query(what_if))
        self._reset.set_visibility(bool(what_if.changes or what_if.problems))
        self._more.set_visibility(False)
        self._show_kept()
        if what_if.problems:
            self._asking.give_up()
            self._view.refuse([_problem(*found) for found in what_if.problems.items()])
            return
        base = what_if.base.name
        self._compared.text = f"Base: {base}, as it was."
        if what_if.is_compared:
            self._compared.text = f"{compared((base, what_if.changed.name))}."
        self._view.wait()
        self._asking.ask(what_if, self._replications)

    def _found(self, found: Found) -> None:
        nothing = (
            "Nothing is changed yet: move a slider, or write into a field. What that does is then "
            f"compared with {self._what_if.base.name} as it was."
        )
        self._view.show(found, nothing)
        is_whole = found.replications == found.asked
        self._more.set_visibility(is_whole and found.document is not None)

    def _refused(self, problem: str) -> None:
        self._view.refuse([problem])

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
            self._kept.text = f"{keep_file(self._what_if, self._file)} is written."
        except OutsimError as error:
            self._kept.text = str(error)

    def _download(self) -> None:
        assert self._what_if.file is not None
        ui.download.content(kept_text(self._what_if), self._file, "application/toml")
        self._kept.text = (
            f"{self._file} is downloaded: put it beside {self._what_if.file}, which it extends."
        )


def _problem(key: str, message: str) -> str:
    """What is wrong at a key, where the control may be out of sight."""
    return f"{words_of(key.rpartition('.')[2]).capitalize()} ({key}): {message}"
