"""What goes wrong on order, and numbers whose outcome is known before."""

from __future__ import annotations

import re
from typing import Any

from nicegui import ui

from outsim.live.http import faults
from outsim.live.http.faults import FaultOrder, PinOrder
from outsim.live.inputs import FAULTS, LIMITS, PINNED, Fault
from outsim.live.page.orders import Fields, Notice, in_one_line
from outsim.live.page.parts import words
from outsim.live.page.rows import Column, Rows
from outsim.live.page.session import Page
from outsim.live.page.sheet import terms
from outsim.live.page.times import local


class Faults:
    """Faults that are on or to come, and new ones."""

    def __init__(self, page: Page) -> None:
        self._page = page
        words("h2", "Faults")
        self._rows = Rows(
            "Faults that are on, or to come",
            [
                Column("number", "Fault"),
                Column("of", "Of"),
                Column("begins", "Begins"),
                Column("ends", "Ends"),
                Column("count", "Count", "number"),
                Column("share", "Share", "number"),
                Column("whom", "Whom", "long"),
            ],
            actions={"end": "End"},
            on_act=self._end,
        )
        with ui.element("details").props("open"):
            words("summary", "Order a fault")
            with ui.element("details"):
                words("summary", "What each of them is")
                terms(
                    (kind.replace("_", " "), in_one_line(word.meaning))
                    for kind, word in FAULTS.items()
                )
            tenants = {"tenant": page.context.sandbox.tenants}
            self._fields = Fields(
                FaultOrder,
                [*FaultOrder.model_fields],
                choices=tenants,
                labels={
                    "of": "what goes wrong (of)",
                    "status": "HTTP status (status)",
                    "delay_s": "delay in seconds (delay_s)",
                },
            )
            ui.button("Order it", on_click=self._order)
        self._notice = Notice()
        self.show()

    def show(self) -> None:
        """Show those that there are."""
        self._rows.show([self._cells(fault) for fault in self._page.context.sandbox.faults()])

    def _cells(self, fault: Fault) -> dict[str, Any]:
        given = {name.replace("_", " "): getattr(fault, name) for name in LIMITS}
        return {
            "key": fault.number,
            "number": f"{fault.number}",
            "of": fault.of.replace("_", " "),
            "begins": local(self._page, fault.at if fault.begins is None else fault.begins),
            "ends": local(self._page, fault.ends) or "by order",
            "count": "" if fault.count is None else f"{fault.count:,}",
            "share": f"{fault.share:g}",
            "whom": ", ".join(f"{name} {value}" for name, value in given.items() if value)
            or "everybody",
        }

    async def _order(self) -> None:
        with self._notice.refusals():
            order = FaultOrder(**self._fields.values)
            answer = await faults.order_fault(self._page.context, order)
            self._notice.say(f"Fault {answer['number']} is ordered.")
        self.show()

    async def _end(self, _action: str, number: int) -> None:
        with self._notice.refusals():
            answer = await faults.end_fault(self._page.context, number)
            self._notice.say(f"{answer['done']}.")
        self.show()


class Numbers:
    """Reserved numbers that have an outcome."""

    def __init__(self, page: Page) -> None:
        self._page = page
        words("h2", "Numbers")
        self._rows = Rows(
            "Numbers whose outcome is given",
            [
                Column("number", "Number"),
                Column("outcome", "Outcome"),
                Column("after", "Rings", "number"),
                Column("talk", "Talks", "number"),
            ],
            actions={"free": "Take away"},
            on_act=self._free,
        )
        with ui.element("details"):
            words("summary", "Give numbers an outcome")
            words("p", "Several numbers are parted by spaces or commas.").classes("note")
            with ui.element("details"):
                words("summary", "What each outcome is")
                terms(
                    (f"{outcome}".replace("_", " "), word.meaning)
                    for outcome, word in PINNED.items()
                )
            self._fields = Fields(
                PinOrder,
                [*PinOrder.model_fields],
                labels={
                    "after_s": "ringing in seconds (after_s)",
                    "talk_s": "talking in seconds (talk_s)",
                },
            )
            ui.button("Give it", on_click=self._pin)
        self._notice = Notice()
        self.show()

    def show(self) -> None:
        """Show those that there are."""
        self._rows.show(
            [
                {
                    "key": number,
                    "number": number,
                    "outcome": f"{pin.outcome}".replace("_", " "),
                    "after": "as drawn" if pin.after_s is None else f"{pin.after_s:g} s",
                    "talk": "as drawn" if pin.talk_s is None else f"{pin.talk_s:g} s",
                }
                for number, pin in sorted(self._page.context.sandbox.pins().items())
            ]
        )

    async def _pin(self) -> None:
        values = self._fields.values
        if "numbers" in values:
            values["numbers"] = re.split(r"[\s,;]+", values["numbers"].strip())
        with self._notice.refusals():
            answer = await faults.pin_numbers(self._page.context, PinOrder(**values))
            self._notice.say(f"{answer['done']}.")
        self.show()

    async def _free(self, _action: str, number: str) -> None:
        with self._notice.refusals():
            order = PinOrder(numbers=[number], outcome=None)
            answer = await faults.pin_numbers(self._page.context, order)
            self._notice.say(f"{answer['done']}.")
        self.show()
