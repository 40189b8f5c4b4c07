"""What is around every room of the page: where one can go, whose page it is, how late it is."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.types import ASGIApp

from outsim._version import __version__
from outsim.live.page import morning
from outsim.live.page.clock import STATES
from outsim.live.page.front import ROOMS
from outsim.live.page.kept import return_to
from outsim.live.page.parts import words
from outsim.live.page.session import Page

MODULES = {"/": "morning", "/what-if": "what_if", "/customer": "customer", "/operator": "operator"}
"""Modules of the rooms by their paths; one that nobody has opened is not loaded."""
STYLE = Path(__file__).with_name("page.css")
MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="3" fill="#00528c"/>'
    '<path d="M2 12 6 5l3 4 5-6v9z" fill="#fff"/></svg>'
)
THEMES = {"auto": None, "light": False, "dark": True}
COOKIE = "outsim-theme"
LOST = "Connection lost: this page is as it was, and takes no orders until it is back."
GONE = (
    "The session that this page showed is gone: the sandbox was started anew, and this is the new "
    "one."
)


class Connection(ui.element, component="connection.js"):
    """Switches off what can be ordered while nobody hears it, and says whose session is gone."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self._props.update(session=session, gone=GONE)


@asynccontextmanager
async def started(page: Page) -> AsyncIterator[ASGIApp]:
    """The page as an application, until the block ends; there is one at a time in a process."""
    app = FastAPI(openapi_url=None)
    morning.add_routes(app, page)
    for path in ROOMS:
        _add_room(page, path, f"outsim.live.page.{MODULES[path]}")
    # A bar that flits by with each request says nothing, and has no name for who can't see it.
    nicegui_app.config.quasar_config["loadingBar"]["skipHijack"] = True
    ui.run_with(
        app,
        title="outsim",
        favicon=MARK,
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        tailwind=False,
        show_welcome_message=False,
    )
    async with app.router.lifespan_context(app):
        yield app


def _add_room(page: Page, path: str, name: str) -> None:
    @ui.page(path, title=f"{ROOMS[path]} - outsim")
    def room() -> None:
        with _frame(page, path), ui.element("div") as inside:
            if name in sys.modules:
                sys.modules[name].build(page)
                return
            words("p", "The room is being loaded ...").classes("note").props('role="status"')

        async def furnish() -> None:
            # On a busy machine it may take longer than a browser is to wait for the frame.
            module = await page.work.run(import_module, name)
            inside.clear()
            with inside:
                module.build(page)

        with inside:
            ui.timer(0, furnish, once=True)


@contextmanager
def _frame(page: Page, path: str) -> Iterator[None]:
    """Header, footer and the room between them."""
    return_to()
    ui.add_css(STYLE)
    ui.context.client.on_delete(page.leave)
    theme = ui.dark_mode(THEMES.get(_kept_theme()))
    with ui.header(fixed=False):
        ui.link("Skip to the room", "#main").classes("skip")
        with ui.element("nav").classes("rooms").props('aria-label="Rooms"'):
            for to, title in ROOMS.items():
                link = ui.link(title, to)
                if to == path:
                    link.props('aria-current="page"')
        _clock(page)
        _theme_switch(theme)
    with ui.element("div").props("id=main tabindex=-1"):
        words("h1", ROOMS[path])
        Connection(page.name)
        yield
    with ui.footer(fixed=False):
        sandbox = page.context.sandbox
        ui.label(f"{sandbox.scenario.name}, seed {sandbox.seed}; outsim {__version__}")


def _clock(page: Page) -> None:
    """The simulated local time, as it goes; once nobody tells of it any more, that."""
    with ui.element("div").classes("clock").props('role="timer" aria-label="Simulated time"'):
        shown = words("span", "").classes("connected")
        words("span", LOST).classes("lost")

    def show() -> None:
        view = page.context.sandbox.clock.view
        shown.text = f"{view.local[11:19]} ({STATES[view.state]})"

    show()
    ui.timer(1.0, show)


def _kept_theme() -> str:
    return str(ui.context.client.request.cookies.get(COOKIE, "auto"))


def _theme_switch(theme: ui.dark_mode) -> None:
    """Light, dark, or as the system has it; the browser remembers it."""

    def choose(name: str) -> None:
        theme.value = THEMES[name]
        ui.run_javascript(
            f"document.cookie = '{COOKIE}={name}; path=/; max-age=31536000; samesite=strict'"
        )

    kept = _kept_theme()
    ui.select(
        {"auto": "System", "light": "Light", "dark": "Dark"},
        label="Theme",
        value=kept if kept in THEMES else "auto",
        on_change=lambda event: choose(event.value),
    ).props("dense options-dense outlined").classes("theme")
