"""The clock on the page: how it stands, and the orders that the interface takes too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from outsim.clock import SECOND, format_duration
from outsim.live.clock import UNTIL
from outsim.live.http import control
from outsim.live.http.control import Advance, ClockOrder
from outsim.live.page.orders import Notice
from outsim.live.page.parts import words
from outsim.live.page.session import Page
from outsim.live.views import ClockView

STATES = {"free": "running", "held": "held", "advancing": "advancing", "ready": "held"}
"""How a clock stands, as people say it; one that is ready is held where it was to go."""
SPEED = 60
"""Of a clock that is let run from the page, at first."""


class Clock:
    """Hold it, let it run, advance it.

    Parameters
    ----------
    page : Page
        Whose clock it is.
    on_order : callable
        Told when an order is done.
    """

    def __init__(self, page: Page, on_order: Callable[[], Awaitable[None] | None]) -> None:
        self._page, self._on_order = page, on_order
        self._state = words("p", "").classes("state")
        with ui.element("div").classes("orders"):
            with ui.element("div").classes("order"):
                ui.button("Hold", on_click=self._hold)
            with ui.element("div").classes("order"):
                self._speed = ui.input("Times wall-clock time", value=f"{SPEED}")
                ui.button("Let it run", on_click=self._free)
            with ui.element("div").classes("order"):
                self._by = ui.input("Duration", value="1 min")
                ui.button("Advance by", on_click=lambda: self._advance(by=self._by.value))
            with ui.element("div").classes("order"):
                self._to = ui.input("Local time", placeholder="09:45")
                ui.button("Advance to", on_click=lambda: self._advance(to=self._to.value))
            with ui.element("div").classes("order"):
                self._until = ui.select([*UNTIL], label="Until", value=UNTIL[0])
                self._whose = ui.select({}, label="Campaign")
                ui.button("Advance until", on_click=self._advance_until)
        self._until.on_value_change(self._ask_whose)
        self._notice = Notice()
        self.show()

    def show(self) -> None:
        """Say how it stands."""
        self._state.text = in_words(self._page.context.sandbox.clock.view)
        self._ask_whose()

    def _campaigns(self) -> dict[int, str]:
        """Campaigns by their place."""
        sandbox = self._page.context.sandbox
        self._keys = [
            (tenant, name) for tenant in sandbox.tenants for name in sandbox.campaign_names(tenant)
        ]
        return {place: f"{tenant}: {name}" for place, (tenant, name) in enumerate(self._keys)}

    def _ask_whose(self) -> None:
        is_asked = self._until.value != "idle"
        self._whose.set_visibility(is_asked)
        if is_asked and self._whose.options != (campaigns := self._campaigns()):
            chosen = self._whose.value
            self._whose.set_options(campaigns, value=chosen if chosen in campaigns else None)

    async def _hold(self) -> None:
        await self._order(control.set_clock, lambda: ClockOrder(state="held"))

    async def _free(self) -> None:
        speed: Any = self._speed.value
        await self._order(control.set_clock, lambda: ClockOrder(state="free", speed=speed))

    async def _advance_until(self) -> None:
        chosen = self._whose.value
        tenant, name = (None, None) if chosen is None else self._keys[chosen]
        if self._until.value == "idle":
            tenant = name = None
        await self._advance(until=self._until.value, tenant=tenant, campaign=name)

    async def _advance(self, **order: Any) -> None:
        await self._order(control.advance, lambda: Advance(**order))

    async def _order(self, do: Callable[..., Awaitable[Any]], order: Callable[[], Any]) -> None:
        with self._notice.refusals():
            await do(self._page.context, order())
        self.show()
        shown = self._on_order()
        if shown is not None:
            await shown


def in_words(view: ClockView) -> str:
    """How a clock stands."""
    state = STATES[view.state]
    if view.state == "free":
        state += f" at {view.speed:g} times wall-clock time"
    sentences = [f"It is {view.local[:19].replace('T', ' ')}, and the clock is {state}."]
    if view.is_over:
        sentences.append(f"The run is over: {view.ends_why}.")
    if view.behind_s >= 1:
        sentences.append(f"It is {format_duration(view.behind_s * SECOND)} behind.")
    if view.open_posts:
        sentences.append(f"Posts that are not answered yet: {view.open_posts:,}.")
    if view.reasons:
        sentences.append(f"It waits for {'; '.join(view.reasons)}.")
    return " ".join(sentences)
