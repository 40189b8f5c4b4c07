"""The room in which the morning moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, HTTPException
from nicegui import ui
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import outsim
from outsim.errors import OutsimError
from outsim.live.page.headline import headline
from outsim.live.page.mornings import LIVE, Morning
from outsim.live.page.parts import words
from outsim.live.page.session import Page
from outsim.live.page.stop_flag import StopFlag

BASE = "/page/morning"
STATIC = Path(outsim.__file__).parent / "plots" / "static"


def add_routes(app: FastAPI, page: Page) -> None:
    """Say where the browser gets what it draws."""
    app.mount(f"{BASE}/static", StaticFiles(directory=STATIC))

    def named(source: str) -> Morning:
        found = page.mornings.named(source)
        if found is None:
            raise HTTPException(404, f"there is no morning {source!r}")
        return found

    @app.get(BASE + "/{source}/data")
    async def data(source: str) -> Response:
        drawn = await named(source).data()
        return Response(drawn, media_type="application/json", headers={"content-encoding": "gzip"})

    @app.get(BASE + "/{source}/story/{call_id}")
    async def story_of(source: str, call_id: int) -> dict[str, Any] | None:
        # What is looked for and not found is no error, which a browser would write down.
        return await _told(page, "story", await named(source).result(), call_id)

    @app.get(BASE + "/{source}/instant")
    async def instant_at(source: str, at_s: float) -> dict[str, Any]:
        told = await _told(page, "instant", await named(source).result(), at_s)
        if told is None:
            raise HTTPException(404, f"the run has no instant {at_s:g} s")
        return told


async def _told(
    page: Page, what: Literal["story", "instant"], *given: Any
) -> dict[str, Any] | None:
    def tell() -> dict[str, Any]:
        from outsim.plots import animation

        return dict(getattr(animation, what)(*given))

    try:
        return await page.work.run(tell)
    except OutsimError:
        return None


class MovingMorning(ui.element, component="morning.js"):
    """A run that moves, drawn by the browser."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._props["base"] = BASE
        self.show(source)

    def show(self, source: str) -> None:
        """Draw another run."""
        self._props["source"] = source
        self.update()

    def tell_stop(self, text: str) -> None:
        """Say below the flag what a stop does there."""
        self.run_method("tellStop", text)

    def renew(self) -> None:
        """Draw what there is by now."""
        self.run_method("renew")


def build(page: Page) -> None:
    """Build it for a client."""
    ui.add_head_html(f'<link rel="stylesheet" href="{BASE}/static/animation.css">')
    titles = page.mornings.titles()
    first = next(iter(titles))
    ui.add_head_html(
        f'<link rel="preload" as="fetch" href="{BASE}/{first}/data" crossorigin="anonymous">'
        + "".join(
            f'<link rel="modulepreload" href="{BASE}/static/{script.name}">'
            for script in sorted(STATIC.glob("*.js"))
        )
    )
    begin_comparing = headline(page)
    with ui.element("div").classes("beside"):
        sources = ui.radio(titles, value=first).props('inline aria-label="Which morning"')
        session = _Session(page)

    def chosen() -> Morning:
        found = page.mornings.named(sources.value)
        assert found is not None
        return found

    def begin() -> None:
        # Not before there is something to look at: all this wants the same processors.
        page.work.warm_up(page.scenario)
        begin_comparing()

    moving = MovingMorning(first).on("drawn", begin)
    flag = StopFlag(page.work, chosen, moving.tell_stop)
    moving.on("stop", flag.moved)

    def switch() -> None:
        session.set_visible(sources.value == LIVE)
        flag.give_up()
        moving.show(sources.value)

    looks = 0

    async def look() -> None:
        nonlocal looks
        session.show()
        if sources.value != LIVE:
            return
        live = page.mornings.live
        await live.renew()
        # Another client may have had it renewed.
        if live.looks != looks:
            looks = live.looks
            moving.renew()

    sources.on_value_change(switch)
    session.set_visible(first == LIVE)
    ui.timer(1.0, look)


class _Session:
    """How the session's clock stands, and whether it runs."""

    def __init__(self, page: Page) -> None:
        self._clock = page.context.sandbox.clock
        with ui.element("div").classes("beside") as self._around:
            self._says = words("span", "").props('role="status"')
            self._button = ui.button(on_click=self._turn).props("no-caps dense outline")
            ui.link("More orders", "/operator")
        self.show()

    def set_visible(self, is_visible: bool) -> None:
        self._around.set_visibility(is_visible)

    def show(self) -> None:
        view = self._clock.view
        runs = view.state == "free"
        self._says.text = (
            f"The session's clock runs at {view.speed:g}x."
            if runs
            else f"The session's clock is held at {view.local[11:19]}."
        )
        self._button.text = "Hold it" if runs else "Let it run"

    async def _turn(self) -> None:
        view = self._clock.view
        await (self._clock.hold() if view.state == "free" else self._clock.free(view.speed))
        self.show()
