"""What every request passes first: whose host it names, how large and slow it may be."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import UTC
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outsim.live.http.context import Context
from outsim.live.http.seen import ignored_header
from outsim.live.page.front import Front

CLIENTS = ("/webservice/", "/api/", "/ws/")
"""Parts of the interface that are the platform's; an advancing clock waits for their requests."""
OUR_HOSTS = ("127.0.0.1", "localhost", "::1", "sandbox")
MOST_HELD = 2 * 1024 * 1024
"""Bytes of a request that is held in memory; uploads are not."""
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
IGNORED = b"x-sandbox-ignored"
"""Header of an answer to what had fields without a meaning here."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
"""Components of the page are compiled in the browser, which needs eval."""
PAGE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", PAGE_POLICY.encode()),
]
TOO_LARGE = "the request is larger than {:,} bytes"
NOT_OURS = "the Host or Origin of this request is not this sandbox; use the URL of its ready line"


class Gate:
    """Around the application: notes clients' requests, dates answers with simulated time."""

    def __init__(self, app: ASGIApp, context: Context, front: Front | None = None) -> None:
        self.app, self.context, self.front = app, context, front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        if self.front is not None and self.front.has(scope["path"]):
            await self._show(self.front, scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _show(self, front: Front, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the page answer: what it asks for is no client's request, and may be kept."""
        headers = Headers(scope=scope)
        refusal = self._refusal(headers) or self._too_large(headers, scope.get("method", ""))
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *PAGE_HEADERS]}
            await send(message)

        if scope["type"] == "http":
            receive = self._within_limits(headers, receive)
        await front(scope, receive, guarded)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        sandbox, clock = self.context.sandbox, self.context.sandbox.clock
        is_clients = request.url.path.startswith(CLIENTS)
        note = None
        if is_clients:
            now = clock.now
            note = self.context.requests.begin(
                now, clock.local(now).isoformat(), request.method, request.url.path
            )
            scope["outsim.request"] = note

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                if note is not None:
                    note.status = message["status"]
                headers = [*message["headers"], *self._headers()]
                if note is not None and note.ignored:
                    headers.append((IGNORED, ignored_header(note.ignored).encode()))
                message = {**message, "headers": headers}
            await send(message)

        refusal = self._refusal(request.headers)
        if refusal is not None:
            await refusal(scope, receive, dated)
            return
        within_limits = self._within_limits(request.headers, receive)
        try:
            with sandbox.busy("a request") if is_clients else nullcontext():
                await self.app(scope, within_limits, dated)
        finally:
            if note is not None:
                self.context.requests.settle(note)

    def _refusal(self, headers: Headers) -> ASGIApp | None:
        """The answer to who names another host than this, or comes from a page of one."""
        if self.context.settings.any_host or _is_ours(headers):
            return None
        return JSONResponse({"error": NOT_OURS}, 403)

    def _too_large(self, headers: Headers, method: str) -> ASGIApp | None:
        """The answer to who says beforehand that more is coming than may come, or not how much."""
        most = self._most(headers)
        if method == "POST" and "content-length" not in headers:
            return JSONResponse({"error": "an upload says how long it is: Content-Length"}, 411)
        if int(headers.get("content-length", "0")) <= most:
            return None
        return JSONResponse({"error": TOO_LARGE.format(most)}, 413)

    def _within_limits(self, headers: Headers, receive: Receive) -> Receive:
        return _within(receive, self.context.settings.body_s, self._most(headers))

    def _most(self, headers: Headers) -> int:
        """Bytes that the body of a request may have."""
        most = self.context.settings.most_body
        is_upload = headers.get("content-type", "").startswith("multipart/")
        return most if is_upload else min(MOST_HELD, most)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        clock = self.context.sandbox.clock
        date = format_datetime(clock.local(clock.now).astimezone(UTC), usegmt=True)
        return [
            (b"date", date.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", POLICY.encode()),
            (b"cache-control", b"no-store"),
        ]


def _is_ours(headers: Headers) -> bool:
    """Whether a request names this machine, and no page of another host sent it."""
    named = [f"//{headers.get('host', 'localhost')}"]
    if "origin" in headers:
        named.append(headers["origin"])
    try:
        return all(urlsplit(each).hostname in OUR_HOSTS for each in named)
    except ValueError:
        return False


def _within(receive: Receive, limit_s: float, most: int) -> Receive:
    """Receive a body that must be there in time, and not too large."""
    until = asyncio.get_running_loop().time() + limit_s
    is_whole, size = False, 0

    async def within() -> Any:
        nonlocal is_whole, size
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the request was not there within {limit_s:g} s") from None
        is_whole = not message.get("more_body", False)
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413, TOO_LARGE.format(most))
        return message

    return within
