"""The room of whoever runs the platform."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from outsim.live.page.clock import Clock
from outsim.live.page.operator_faults import Faults, Numbers
from outsim.live.page.operator_traffic import Deliveries, Messages, RequestsSeen
from outsim.live.page.orders import STYLE
from outsim.live.page.parts import words
from outsim.live.page.session import Page


def build(page: Page) -> None:
    """Build it for a client."""
    ui.add_css(STYLE)
    shown: list[Any] = []

    def show() -> None:
        for part in shown:
            part.show()

    words("h2", "Clock")
    shown += [Clock(page, show), Faults(page), Numbers(page), RequestsSeen(page)]
    shown += [Deliveries(page), Messages(page)]
    context, known = page.context, (0, 0, 0, 0, 0)

    async def renew() -> None:
        """Show it anew, if anything has happened since."""
        nonlocal known
        sandbox, last = context.sandbox, context.requests.last
        found = (
            sandbox.last_event,
            sandbox.clock.now,
            last[-1].number if last else 0,
            last[-1].status if last else 0,
            sum(context.inbox.names().values()),
        )
        if found != known:
            await sandbox.committed()
            known = found
            show()

    ui.timer(1.0, renew)
