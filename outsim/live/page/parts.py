"""Small parts that rooms are built of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


def words(tag: str, text: str) -> TextElement:
    """Text in an element of its own; markup in it is text."""
    return TextElement(tag=tag, text=text)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> ui.element:
    """A table whose first column names its rows."""
    # Whoever can't use a mouse has to be able to scroll it.
    with ui.element("div").classes("table").props('tabindex="0" role="group"') as around:
        around.props["aria-label"] = caption
        with ui.element("table"):
            words("caption", caption)
            with ui.element("thead"), ui.element("tr"):
                for column in columns:
                    words("th", column).props('scope="col"')
            with ui.element("tbody"):
                for row in rows:
                    with ui.element("tr"):
                        words("th", str(row[0])).props('scope="row"')
                        for cell in row[1:]:
                            words("td", str(cell))
    return around
