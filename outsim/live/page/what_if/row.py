"""The control of one key: slider and field, the value of the base, what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from outsim.live.page.parts import words
from outsim.live.page.what_if.changing import words_of
from outsim.scenario.adjustable import Adjustable
from outsim.scenario.scales import NONE


class Entry:
    """What a person writes into: it is the browser's, and no other news from here resets it."""

    def __init__(self, element: ui.element, value: str | int) -> None:
        self.element, self.value = element, value
        # As an attribute, which is where it begins: a property would be set with every update.
        element.props["^value"] = value

    def put(self, value: str | int) -> None:
        """Have another value stand there."""
        if value != self.value:
            self.value = value
            code = f"getElement({self.element.id}).value = {json.dumps(value)}"
            self.element.client.run_javascript(code)


class Row:
    """The control of one key: slider and field, the value of the base, what is wrong."""

    def __init__(self, about: Adjustable, choose: Callable[[str, str], None]) -> None:
        self.about = about
        self._choose = partial(choose, about.key)
        self._base: str | None = None
        name = words_of(about.name).capitalize()
        with ui.element("div").classes("control"):
            with ui.element("div").classes("head"):
                label = words("label", name)
                self._field = Entry(
                    self._choices() if about.choices else self._input(), about.text
                )
                label.props["for"] = self._field.element.html_id
                self._back = words("button", "").classes("back").props('type="button"')
                self._back.on("click", self._to_base)
            self._slider = self._range(name)
            self._error = words("p", "").classes("error")
            self._error.props["role"] = "alert"
            self._note = words("p", about.description).classes("note")
        self._field.element.props["aria-describedby"] = (
            f"{self._error.html_id} {self._note.html_id}"
        )

    def _choices(self) -> ui.element:
        with ui.element("select") as field:
            for word in self.about.choices:
                option = words("option", word)
                option.props["value"] = word
                option.props["selected"] = word == self.about.text
        return self._chosen(field)

    def _input(self) -> ui.element:
        field = ui.element("input").props('type="text" autocomplete="off" spellcheck="false"')
        return self._chosen(field)

    def _chosen(self, field: ui.element) -> ui.element:
        field.classes("value")
        return field.on(
            "change",
            self._write,
            js_handler="(event) => emit(event.target.value)",
        )

    def _write(self, event: GenericEventArguments) -> None:
        self._field.value = str(event.args)
        self._choose(self._field.value)

    def _range(self, name: str) -> Entry | None:
        scale = self.about.scale
        if scale is None:
            return None
        with ui.element("div").classes("track"):
            slider = ui.element("input").props('type="range" min="0" step="1"')
            slider.props["max"] = scale.last + self.about.is_open
            slider.props["aria-label"] = f"{name}, slider"
            slider.props["aria-valuetext"] = self.about.text
            # The newest position counts: while one is asked about, no other waits.
            slider.on(
                "input",
                self._slide,
                js_handler="(event) => emit(Number(event.target.value))",
                throttle=0.05,
            )
            self._mark = ui.element("span").classes("mark").props('aria-hidden="true"')
        with ui.element("div").classes("ends").props('aria-hidden="true"'):
            words("span", scale.text(0))
            words("span", NONE if self.about.is_open else scale.text(scale.last))
        return Entry(slider, self._step(self.about.text) or 0)

    def _slide(self, event: GenericEventArguments) -> None:
        assert self._slider is not None
        assert self.about.scale is not None
        step = self._slider.value = int(event.args)
        self._choose(NONE if step > self.about.scale.last else self.about.scale.text(step))

    def _to_base(self) -> None:
        if self._base is not None:
            self._choose(self._base)

    def set_base(self, text: str | None) -> None:
        """Mark what the base has; None where it has no such key."""
        self._base = text
        if self._slider is not None:
            at = None if text is None else self._step(text)
            self._mark.set_visibility(at is not None)
            if at is not None:
                most = self._slider.element.props["max"]
                self._mark.style(f"--at: {at / max(1, most):.4f}")

    def _step(self, text: str) -> int | None:
        scale = self.about.scale
        if scale is not None and text == NONE and self.about.is_open:
            return scale.last + 1
        return self.about.step(text)

    def show(self, text: str, error: str = "") -> None:
        """Show a value, and what is wrong with it."""
        self._field.put(text)
        self._field.element.props["aria-invalid"] = "true" if error else "false"
        self._error.text = error
        self._error.set_visibility(bool(error))
        is_base = self._base is None or text == self._base
        self._back.set_visibility(not is_base)
        self._back.text = f"Back to base: {self._base or 'not set'}"
        if self._slider is not None:
            self._slider.element.props["aria-valuetext"] = text
            step = self._step(text)
            if step is not None:
                self._slider.put(step)
