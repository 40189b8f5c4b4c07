"""Tables of which only a piece is in the browser, and whose rows have buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from outsim.live.page.parts import words

SIZE = 25
"""Rows that are shown at once."""
Act = Callable[[str, Any], Awaitable[None] | None]
"""Told which button of a row was pressed, by name, and the key of the row."""


@dataclass(frozen=True)
class Column:
    """A column: the key of its cells, what stands above them, and how they are set."""

    name: str
    label: str
    kind: Literal["", "number", "truth", "number truth", "long"] = ""


class Rows(Element, component="rows.js"):
    """A table whose first column names its rows.

    Parameters
    ----------
    caption : str
        What it is of.
    columns : sequence of Column
        Its columns.
    actions : mapping
        Labels of the buttons of each row, by what they are called.
    on_act : callable
        Told which was pressed.
    none : str
        What is said where there are no rows.
    """

    def __init__(
        self,
        caption: str,
        columns: Sequence[Column],
        *,
        actions: Mapping[str, str] | None = None,
        on_act: Act | None = None,
        none: str = "none",
    ) -> None:
        super().__init__()
        self.caption = caption
        named = [{"name": name, "label": label} for name, label in (actions or {}).items()]
        self._props.update(caption=caption, actions=named, none=none, rows=[])
        self.set_columns(columns)
        if on_act is not None:

            def told(event: GenericEventArguments) -> Awaitable[None] | None:
                return on_act(event.args["action"], event.args["key"])

            self.on("act", told, ["action", "key"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What is shown: texts by the names of the columns, and the key of each row."""
        rows: list[dict[str, Any]] = self._props["rows"]
        return rows

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Have other columns."""
        shown = [
            {"name": column.name, "label": column.label, "kind": column.kind} for column in columns
        ]
        self.columns = tuple(columns)
        if shown != self._props.get("columns"):
            self._props["columns"] = shown

    def show(self, rows: list[dict[str, Any]], caption: str | None = None) -> None:
        """Show these rows; nothing is sent if they are there already.

        A row has a ``key``, a text for each column, and may name buttons that it is ``without``.
        """
        caption = caption or self.caption
        if (rows, caption) != (self._props["rows"], self._props["caption"]):
            self._props.update(rows=rows, caption=caption)


class Pager:
    """Turns the pages of a table that is longer than what is shown.

    Parameters
    ----------
    what : str
        What is turned, for who hears the page.
    on_turn : callable
        Shows the rows from ``begin`` on.
    """

    def __init__(self, what: str, on_turn: Callable[[], Awaitable[None] | None]) -> None:
        self.begin = 0
        self._total = 0
        self._on_turn = on_turn
        with ui.element("div").classes("pager").props('role="group"') as self._around:
            self._around.props["aria-label"] = f"Pages of {what}"
            self._back = ui.button("Previous", on_click=lambda: self._turn(-SIZE))
            self._where = words("span", "").props('role="status"')
            self._on = ui.button("Next", on_click=lambda: self._turn(SIZE))
        for button in (self._back, self._on):
            button.props("flat dense no-caps")
        self.set_total(0)

    def set_total(self, total: int) -> None:
        """Say how many rows there are, and stay within them."""
        self._total = total
        self.begin = max(0, min(self.begin, (total - 1) // SIZE * SIZE))
        last = min(self.begin + SIZE, total)
        self._where.text = f"{self.begin + 1:,} to {last:,} of {total:,}"
        self._back.set_enabled(self.begin > 0)
        self._on.set_enabled(last < total)
        self._around.set_visibility(total > SIZE)

    async def _turn(self, by: int) -> None:
        self.begin += by
        self.set_total(self._total)
        shown = self._on_turn()
        if shown is not None:
            await shown
