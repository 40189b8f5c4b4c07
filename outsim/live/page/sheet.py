"""A dialog with everything that there is to say of one thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from nicegui import ui

from outsim.live.page.parts import words


class Sheet:
    """A dialog that is filled when it is opened, and is closed by its button or Escape."""

    def __init__(self) -> None:
        self._dialog = ui.dialog()

    @contextmanager
    def opened(self, title: str, close: str = "Close") -> Iterator[None]:
        """Fill it with what is made in the block and a button that closes it, and open it."""
        self._dialog.clear()
        self._dialog.props["aria-label"] = title
        with self._dialog, ui.element("div").classes("sheet q-card"):
            words("h2", title)
            yield
            words("button", close).props("type=button").on("click", self.close)
        self._dialog.open()

    def close(self) -> None:
        """Close it."""
        self._dialog.close()


def terms(named: Iterable[tuple[str, object]]) -> None:
    """Names and what they stand for; what is empty is left out."""
    with ui.element("dl").classes("terms"):
        for name, text in named:
            if text not in ("", None):
                words("dt", name)
                words("dd", f"{text}")


def block(title: str, text: str) -> None:
    """Text as it came, if there is any."""
    if text:
        words("h3", title)
        words("pre", text).props('tabindex="0"')
