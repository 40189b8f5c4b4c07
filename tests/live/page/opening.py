"""A page that is served, and a real browser that opens its rooms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route

Theme = Literal["light", "dark"]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
SCENARIO = """\
name = "<b>two</b> clinics"
[clock]
zone = "America/Chicago"
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[platform]
ports = 20
dial_rate = "5/s"
[[tenant]]
name = "clinic"
[[campaign]]
tenant = "clinic"
name = "reminders"
start = "09:05"
contacts = 300
"""
OTHER = """\
extends = "scenario.toml"
name = "a quarter past"
[[campaign]]
name = "reminders"
start = "09:15"
"""


class Opened:
    """A sandbox that serves its page, and a browser that opens it."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url, self.browser = url, browser
        self.outside: list[str] = []
        """What was asked of other hosts; it was not sent."""
        self.errors: list[str] = []
        """What went wrong in the browser."""

    @contextmanager
    def page(
        self,
        path: str = "",
        size: dict[str, int] = DESK,
        theme: Literal["light", "dark"] = "light",
    ) -> Iterator[Page]:
        """A room, opened and connected."""
        context = self.browser.new_context(viewport=size, color_scheme=theme)
        context.route("**/*", self._let_through)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        page.goto(f"{self.url}/{path}")
        try:
            yield page
        finally:
            context.close()

    def _let_through(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(self.url).netloc:
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)
