"""The room that shows what a customer sees, and beside it what really happened."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from outsim.clock import format_duration
from outsim.live.http import control
from outsim.live.page.clock import Clock
from outsim.live.page.customer_calls import CampaignCalls, still_goes_out
from outsim.live.page.customer_list import QueueList
from outsim.live.page.orders import STYLE, Notice
from outsim.live.page.parts import words
from outsim.live.page.rows import SIZE, Column, Pager, Rows
from outsim.live.page.session import Page
from outsim.live.page.sheet import Sheet
from outsim.live.page.times import local
from outsim.live.views import CampaignView
from outsim.scenario.accounts import Account


def build(page: Page) -> None:
    """Build it for a client."""
    ui.add_css(STYLE)
    if page.context.logins.accounts:
        CustomersPage(page)
    else:
        words("p", "The scenario has no tenant that could hand in calls.").classes("notice")


class CustomersPage:
    """The page that the platform has for its customers: it is as it was when it was loaded."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown_at: int | None = None
        accounts = page.context.logins.accounts
        with ui.element("div").classes("bar"):
            self._account = ui.select(
                {
                    place: f"{account.tenant} ({account.login})"
                    for place, account in enumerate(accounts)
                },
                label="Customer",
                value=next(
                    (place for place, account in enumerate(accounts) if account.is_active), 0
                ),
                on_change=self._log_in,
            ).props("dense outlined options-dense")
            self._truth = ui.switch("Show the truth beside it", on_change=self.refresh)
        with ui.element("details"):
            words("summary", "Move the clock")
            self._clock = Clock(page, self._say_how_old)
        with ui.element("div").classes("bar"):
            self._as_of = words("p", "").props('role="status"')
            ui.button("Refresh", on_click=self.refresh)
            self._old = words("p", "").props('role="status"')
            self._often = ui.checkbox("Refresh each second", on_change=self._renew_or_not)
        self._notice, self._sheet = Notice(), Sheet()
        self._campaigns = Rows(
            "",
            [],
            actions={"view": "View", "pause": "Pause", "unpause": "Go on", "stop": "Stop"},
            on_act=self._act,
            none="no campaign yet: queue calls below",
        )
        self._pages = Pager("campaigns", self.refresh)
        self._calls = CampaignCalls(page, lambda: bool(self._truth.value))
        self._timer = ui.timer(1.0, self.refresh, active=False)
        QueueList(page, lambda: self.account, self._queued)
        ui.timer(1.0, self._time_passes)
        ui.timer(0, self.refresh, once=True)

    @property
    def account(self) -> Account:
        """Whose page it is."""
        chosen: int = self._account.value
        return self._page.context.logins.accounts[chosen]

    async def _log_in(self) -> None:
        self._pages.begin = 0
        self._calls.view(self.account.tenant, None)
        self._notice.say("")
        await self.refresh()

    def _renew_or_not(self) -> None:
        self._timer.active = bool(self._often.value)

    async def refresh(self) -> None:
        """Load the page anew: what the customer sees now."""
        sandbox = self._page.context.sandbox
        await sandbox.committed()
        names = sandbox.campaign_names(self.account.tenant)
        self._pages.set_total(len(names))
        begin = self._pages.begin
        # The latest first.
        shown = names[::-1][begin : begin + SIZE]
        views = [sandbox.campaign(self.account.tenant, name) for name in shown]
        self._campaigns.set_columns(self._columns(views))
        beside = ", and what they are in truth" if self._truth.value else ""
        caption = (
            f"Campaigns: {len(names):,}, the latest first, as their customer sees them{beside}"
        )
        self._campaigns.show([self._cells(view) for view in views], caption)
        self._calls.show()
        self._shown_at = sandbox.clock.now
        self._as_of.text = f"As of {local(self._page, self._shown_at)}."
        self._say_how_old()

    def _time_passes(self) -> None:
        self._clock.show()
        self._say_how_old()

    def _say_how_old(self) -> None:
        """Say whether the clock has moved since the page was loaded."""
        now = self._page.context.sandbox.clock.now
        is_old = self._shown_at not in (None, now)
        self._old.text = (
            f"It is {local(self._page, now)} now: refresh to see what has changed since."
            if is_old
            else ""
        )

    def _columns(self, views: list[CampaignView]) -> list[Column]:
        counted = [dict.fromkeys(key for view in views for key in (*view.seen, *view.happened))]
        columns = [Column("name", "Campaign", "long")]
        for key in counted[0] or ("pending", "completed", "failed"):
            columns.append(Column(key, key.capitalize(), "number"))
            if self._truth.value:
                columns.append(
                    Column(f"true_{key}", f"{key.capitalize()} in truth", "number truth")
                )
        if self._truth.value:
            columns.append(Column("waiting", "Updates not seen yet", "number truth"))
            columns.append(Column("wedged", "Wedged: never go out", "number truth"))
            columns.append(Column("lag", "Status lag, mean of the last", "number truth"))
        return columns

    def _cells(self, view: CampaignView) -> dict[str, Any]:
        cells: dict[str, Any] = {"key": view.name, "name": view.name}
        if view.submitted_at > self._page.context.sandbox.clock.now:
            cells["name"] += " (not handed in yet)"
        keys = {**view.seen, **view.happened}
        cells |= {key: f"{view.seen.get(key, 0):,}" for key in keys}
        cells |= {f"true_{key}": f"{view.happened.get(key, 0):,}" for key in keys}
        cells["waiting"] = f"{view.waiting_updates:,}"
        cells["wedged"] = f"{view.wedged:,}"
        lag_us = view.status_lag_us
        cells["lag"] = "none yet" if lag_us is None else format_duration(lag_us)
        cells["without"] = ["pause" if view.is_paused else "unpause"]
        if view.is_over:
            cells["without"] = ["pause", "unpause"]
        if view.is_over or control.stopped_at(self._page.context, view) is not None:
            cells["without"].append("stop")
        return cells

    async def _act(self, action: str, name: str) -> None:
        tenant = self.account.tenant
        if action == "stop":
            self._ask_whether_to_stop(tenant, name)
            return
        with self._notice.refusals():
            if action in ("pause", "unpause"):
                order = control.pause if action == "pause" else control.unpause
                answer = await order(self._page.context, tenant, name)
                self._notice.say(f"{answer['done']}.")
            self._calls.view(tenant, name)
        await self.refresh()

    def _ask_whether_to_stop(self, tenant: str, name: str) -> None:
        async def stop() -> None:
            self._sheet.close()
            with self._notice.refusals():
                answer = await control.stop(self._page.context, tenant, name)
                self._notice.say(f"{answer['done']}.")
                self._calls.view(tenant, name)
            await self.refresh()

        sandbox = self._page.context.sandbox
        with self._notice.refusals(), self._sheet.opened(f"Stop {name}?", "Let it go on"):
            words("p", still_goes_out(sandbox, sandbox.campaign(tenant, name)))
            words("p", "A stop can't be undone.")
            words("button", "Stop it").props("type=button").on("click", stop)

    async def _queued(self, name: str) -> None:
        self._calls.view(self.account.tenant, name)
        await self.refresh()
