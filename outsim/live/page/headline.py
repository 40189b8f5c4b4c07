"""The answer above the morning: what the second scenario changes, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from outsim.live.page.parts import words
from outsim.live.page.session import Page

LOOKS_S = 0.5
"""Wall-clock seconds between two looks at how far the comparison is."""


def headline(page: Page) -> Callable[[], None]:
    """Show what the second scenario changes, if there is one; gives what has it compared."""
    comparing = page.comparing
    if comparing is None:
        return lambda: None
    with ui.element("section").props('aria-live="polite"').classes("headline"):
        answer = words("p", "").classes("answer")
        reasons = ui.element("div")
        note = words("p", "").classes("note")
        with ui.element("details") as why:
            words("summary", "What is better and what is worse")
            listed = ui.element("div")
    ui.link("Change more, and see the differences", "/what-if")
    shown = -1

    def show() -> None:
        nonlocal shown
        if comparing.problem:
            note.text = comparing.problem
        if comparing.replications == shown:
            return
        shown = comparing.replications
        document = comparing.document
        why.set_visibility(document is not None and bool(document.more))
        if document is None:
            answer.text = f"{comparing.names}: the first mornings of both are being run ..."
            return
        answer.text, note.text = document.answer, f"{document.asked}."
        for place, lines in ((reasons, document.why), (listed, document.more)):
            place.clear()
            with place:
                for line in lines:
                    words("p", line)

    show()
    ui.timer(LOOKS_S, show)
    return comparing.begin
