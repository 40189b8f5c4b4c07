"""The paths of the page, from before it is there: it is loaded while the sandbox answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module

from starlette.types import ASGIApp, Receive, Scope, Send

from outsim.live.page.session import Page

ROOMS = {"/": "Morning", "/what-if": "What if", "/customer": "Customer", "/operator": "Operator"}
"""Titles of the rooms by their paths."""
PARTS = ("/_nicegui", "/page/", "/favicon.ico")
"""What the rooms are made of."""


class Front:
    """What is asked of the page waits here until it is there."""

    def __init__(self) -> None:
        self._app: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()

    def has(self, path: str) -> bool:
        """Whether a path is the page's."""
        return path in ROOMS or path.startswith(PARTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or speak with a client."""
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    @asynccontextmanager
    async def opened(self, page: Page) -> AsyncIterator[None]:
        """Load the page, and have it answer until the block ends."""
        answering = asyncio.create_task(self._answer(page))
        try:
            yield
        finally:
            # First: whatever became of the page, its processes end.
            page.work.close()
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    async def _answer(self, page: Page) -> None:
        try:
            # In a thread, and late: the sandbox is to answer before all this is there.
            shell = await asyncio.to_thread(import_module, "outsim.live.page.shell")
            async with shell.started(page) as app:
                self._app.set_result(app)
                await asyncio.Event().wait()
        except Exception as error:
            self._app.set_exception(error)
            raise
