"""What is found, on the screen: the answer, its table, and the day of both."""

from __future__ import annotations

import json
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from outsim.document import Document
from outsim.live.page.parts import table, words
from outsim.live.page.what_if.asking import Found
from outsim.live.page.what_if.bands import COLOURS, LINES, QUANTITIES, REPAINT, Day


class AnswerView:
    """The answer in one line, from how many replications it is, and in full."""

    def __init__(self) -> None:
        self._days: list[Day] = []
        self._shown = ""
        """What the figures are of."""

    def build_short(self) -> None:
        """Build what stays in sight."""
        self._problem = words("div", "").classes("notice problems").props('role="alert"')
        self._problem.set_visibility(False)
        with ui.element("div").props('aria-live="polite"') as self._short:
            # On a phone it may be longer than its place: it is scrolled, by keyboard too.
            self._answer = words("p", "").classes("answer").props('tabindex="0"')
            self._measures = ui.element("ul").classes("short")
        self._status = words("p", "").classes("note").props('role="status"')

    def build_full(self) -> None:
        """Build what stands below."""
        self._warnings = ui.element("div")
        self._full = ui.element("div")
        words("h2", "Over the day")
        self._legend = ui.element("ul").classes("legend")
        self._charts, self._tables = [], []
        self._open: set[int] = set()
        for place, quantity in enumerate(QUANTITIES):
            with ui.element("figure").classes("day"):
                words("figcaption", quantity.title)
                chart = ui.echart({"series": []}).props('role="img"').classes("chart")
                chart.props["aria-label"] = f"{quantity.title}: nothing is there yet"
                with ui.element("details") as details:
                    words("summary", f"{quantity.title}, as a table")
                    self._tables.append(ui.element("div"))
            self._charts.append(chart)
            details.on(
                "toggle",
                partial(self._toggle, place),
                js_handler="(event) => emit(event.target.open)",
            )
        ids = json.dumps([chart.id for chart in self._charts])
        ui.run_javascript(
            f"const CHARTS = {ids}; new MutationObserver(() => {{ {REPAINT} }})"
            ".observe(document.body, {attributes: true, attributeFilter: ['class']})"
        )

    def wait(self) -> None:
        """Say that something is asked; what stands there is of something else."""
        self._problem.set_visibility(False)
        self._is_stale(
            f"Being run. Until then the figures are those of {self._shown}."
            if self._shown
            else "Being run; the first answer comes from few replications."
        )

    def refuse(self, problems: list[str]) -> None:
        """Say why nothing is asked, and what the figures are of."""
        self._problem.clear()
        with self._problem:
            for problem in problems:
                words("p", problem)
        self._problem.set_visibility(True)
        self._is_stale(
            f"Not run. The figures are those of the last valid setting: {self._shown}."
            if self._shown
            else "Not run: there are no figures yet."
        )

    def warn(self, warnings: list[str]) -> None:
        """Say what becomes scarce or unlikely by a change."""
        self._warnings.classes(remove="stale")
        self._warnings.clear()
        with self._warnings:
            if warnings:
                words("h2", "Warnings")
            for warning in warnings:
                words("p", warning).classes("notice")

    def _is_stale(self, status: str) -> None:
        self._status.text = status
        self._short.props["aria-busy"] = "true"
        for element in (self._short, self._full, self._warnings):
            element.classes(add="stale")

    def show(self, found: Found, nothing: str) -> None:
        """Show what is found; `nothing` is said where there is nothing to compare."""
        for element in (self._short, self._full):
            element.classes(remove="stale")
        self._shown = found.names[-1]
        count, asked = found.replications, found.asked
        # It is read aloud once, when it is whole.
        self._short.props["aria-busy"] = "false" if count == asked else "true"
        more = "" if count == asked else f" of {asked}; it gets narrower"
        self._status.text = f"From {count} paired replications{more}."
        if found.document is None:
            self._status.text = f"From {count} replications{more}."
        self._answer.text = nothing if found.document is None else found.document.answer
        self._measures.clear()
        with self._measures:
            for measure, difference in found.short:
                words("li", f"{measure} {difference}")
        self._full.clear()
        with self._full:
            if found.document is not None:
                _in_full(found.document, count)
        self._show_days(found)

    def _show_days(self, found: Found) -> None:
        self._days = found.days
        self._legend.clear()
        with self._legend:
            for name, colour, line in zip(found.names, COLOURS, LINES, strict=False):
                with ui.element("li"):
                    ui.element("span").classes("swatch").style(
                        f"border-top: 3px {line} {colour}"
                    ).props('aria-hidden="true"')
                    words("span", name)
            words("li", "line: median; darker band: half of the replications; paler band: 90 %")
        for chart, day in zip(self._charts, found.days, strict=True):
            chart.props["aria-label"] = day.alt
            chart.options.clear()
            chart.options.update(day.options)
            chart.update()
        self._fill_tables()

    def _toggle(self, place: int, event: GenericEventArguments) -> None:
        (self._open.add if event.args else self._open.discard)(place)
        self._fill_tables()

    def _fill_tables(self) -> None:
        """Fill those that are open."""
        for place, day in enumerate(self._days):
            self._tables[place].clear()
            if place in self._open:
                with self._tables[place]:
                    table(day.title, day.columns, day.rows)


def _in_full(document: Document, count: int) -> None:
    """Everything that a document says but its answer, with how often it was tried."""
    for text in (*document.why, *document.more):
        words("p", text)
    for shown in document.tables:
        # The difference first: on a phone there is room for no more beside the measure.
        columns = ["measure", f"difference, {count} replications", *shown.columns[1:-1]]
        rows = [[row[0], row[-1], *row[1:-1]] for row in shown.rows]
        table(f"{shown.caption}, from {count} paired replications", columns, rows)
    for note in document.notes:
        words("p", note).classes("note")
