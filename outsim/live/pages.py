"""Customers' pages as the sandbox meets them: start_url and result_url, over real HTTP."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import SimpleNamespace, TracebackType
from typing import Literal, Self
from urllib.parse import urlencode, urlsplit
from weakref import WeakValueDictionary

import aiohttp
import yarl

from outsim._version import __version__
from outsim.live.inbox import INBOX_PATH, Inbox
from outsim.live.views import Post
from outsim.live.waiting import Limit, Watch, begin_time, untimed

MOST_READ = 65_536
"""Bytes that are read of a page's answer."""
MOST_SHOWN = 2_000
"""Characters that are kept of it."""
FORM = "application/x-www-form-urlencoded"


BACKLOG = 5
"""Connections that a plain server lets wait; what comes beyond them is lost for seconds."""
OPENING_S = 0.01
"""Wall-clock seconds after which a connection no longer waits there."""
LEAST_S = 0.05
"""Wall-clock seconds that a page is given at least whose time counts for nothing."""


class PageError(ValueError):
    """A page that the sandbox does not call."""


@dataclass(frozen=True)
class Hosts:
    """Hosts that the sandbox sends requests to: this machine's own, and those allowed by name.

    Names are not looked up: one that leads to this machine must be allowed by name too.
    """

    allowed: Collection[str] = ()

    def check(self, url: str) -> None:
        """Refuse a page that is somewhere else.

        Raises
        ------
        PageError
            If it is, or the URL is none that could be called.
        """
        try:
            parts = urlsplit(url)
            host, _ = (parts.hostname or "").lower(), parts.port
            yarl.URL(url)
        except ValueError:
            raise PageError("is no URL; write one such as http://127.0.0.1:8000/result") from None
        if parts.scheme not in ("http", "https") or not host:
            raise PageError("write a URL that begins with http:// or https://")
        if not self._is_allowed(host):
            raise PageError(
                f"the sandbox calls pages on this machine only; to allow another, start it with "
                f"--allow-host {host}"
            )

    def _is_allowed(self, host: str) -> bool:
        if host == "localhost" or host in self.allowed or "*" in self.allowed:
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


@dataclass
class Exchange:
    """A request to a customer's page, and its answer."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    status: int | None = None
    """HTTP status of the answer; None if there was none."""
    answer: str = ""
    """Beginning of the answer."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    """Why there was no answer."""
    is_timeout: bool = False
    wall_s: float = 0.0
    """Wall time from the request's being sent to its answer; the sandbox's own pages take none."""


class Pages:
    """Sends requests to customers' pages.

    A page that hangs delays nobody else: there is no limit on open connections, and every request
    has a deadline of its own. Only `BACKLOG` requests to one host and port begin at a time: the
    next one is sent once one of them is answered, or open for `OPENING_S`. Redirects are not
    followed, and no proxy is used.

    Parameters
    ----------
    hosts : Hosts
        Whom it may call.
    inbox : Inbox
        The built-in receiver, which is called without a connection.
    is_own : callable
        Whether the host and port of a URL are the sandbox's own.
    """

    def __init__(self, hosts: Hosts, inbox: Inbox, is_own: Callable[[str], bool]) -> None:
        self.hosts, self.inbox, self._is_own = hosts, inbox, is_own
        self._session: aiohttp.ClientSession | None = None
        self._watch = Watch()
        self._opening: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[_sending()],
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": f"outsim/{__version__}"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, timeout_s: float) -> Exchange:
        """Ask a page whether it is there."""
        return await self._send("GET", url, {}, "", timeout_s)

    async def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        timeout_s: float,
        method: Literal["POST", "GET"] = "POST",
        about: Post | None = None,
    ) -> Exchange:
        """Post a form; as a GET, its fields are added to the URL."""
        text = urlencode(fields)
        if method == "GET":
            return await self._send(
                "GET", f"{url}{'&' if '?' in url else '?'}{text}", {}, "", timeout_s
            )
        return await self._send("POST", url, {"Content-Type": FORM}, text, timeout_s, about)

    async def post_json(self, url: str, text: str, timeout_s: float, about: Post) -> Exchange:
        """Post JSON."""
        headers = {"Content-Type": "application/json"}
        return await self._send("POST", url, headers, text, timeout_s, about)

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: str,
        timeout_s: float,
        about: Post | None = None,
    ) -> Exchange:
        exchange = Exchange(method, url, headers, body)
        try:
            self.hosts.check(url)
            if self._is_own(url) and urlsplit(url).path.startswith(INBOX_PATH):
                with untimed():
                    await self._to_inbox(exchange, about)
            else:
                async with self._turn(urlsplit(url).netloc):
                    limit_s = timeout_s if about is not None else max(timeout_s, LEAST_S)
                    await self._in_time(exchange, limit_s)
        except TimeoutError:
            exchange.error, exchange.is_timeout = f"no answer within {timeout_s:.3g} s", True
        except (aiohttp.ClientError, OSError, ValueError) as error:
            exchange.error = _why(error)
        return exchange

    async def _in_time(self, exchange: Exchange, timeout_s: float) -> None:
        with self._watch:
            limit = Limit(timeout_s)
            began_s = asyncio.get_running_loop().time()

            def sent() -> None:
                nonlocal began_s
                began_s = asyncio.get_running_loop().time()
                limit.restart()
                begin_time()

            try:
                async with limit:
                    await self._over_http(exchange, sent)
            finally:
                exchange.wall_s = max(0.0, self._watch.now_s - began_s)

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a place among the requests to a host that begin."""
        places = self._opening.get(host)
        if places is None:
            places = self._opening[host] = asyncio.Semaphore(BACKLOG)
        with untimed():
            await places.acquire()
        opened = asyncio.get_running_loop().call_later(OPENING_S, places.release)
        try:
            yield
        finally:
            if opened.when() > asyncio.get_running_loop().time():
                opened.cancel()
                places.release()

    async def _over_http(self, exchange: Exchange, sent: Callable[[], None]) -> None:
        if self._session is None:
            raise RuntimeError("use it within `async with`")
        async with self._session.request(
            exchange.method,
            exchange.url,
            headers=exchange.headers,
            data=exchange.body.encode() or None,
            allow_redirects=False,
            trace_request_ctx=sent,
        ) as response:
            exchange.headers = dict(response.request_info.headers)
            exchange.status = response.status
            exchange.answer_headers = dict(response.headers)
            read = await _beginning(response.content)
            exchange.answer = read.decode("utf-8", "replace")[:MOST_SHOWN]

    async def _to_inbox(self, exchange: Exchange, about: Post | None) -> None:
        reply = await self.inbox.receive(
            urlsplit(exchange.url).path.removeprefix(INBOX_PATH),
            *(exchange.method, exchange.headers, exchange.body.encode()),
            post="" if about is None else f"{about.call.call_id}/{about.number}",
            is_resent=about is not None and about.is_resent,
        )
        exchange.status, exchange.answer = reply.status, reply.text


def _sending() -> aiohttp.TraceConfig:
    """Tells each request when it is sent."""

    async def is_sent(_session: object, context: SimpleNamespace, _headers: object) -> None:
        context.trace_request_ctx()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(is_sent)
    return tracing


def _why(error: Exception) -> str:
    """Why there was no answer, in words for whoever's page it is."""
    if isinstance(error, PageError):
        return str(error)
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "no secure connection: the page's certificate or its TLS is not accepted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name is not known"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientOSError | OSError):
        reasons = {
            errno.ECONNREFUSED: "nobody listens at this host and port",
            errno.ECONNRESET: "the connection was cut",
            errno.EPIPE: "the connection was cut",
            errno.EHOSTUNREACH: "the host can't be reached",
            errno.ENETUNREACH: "the host can't be reached",
        }
        return reasons.get(error.errno or 0, "no connection to this host and port")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came is no HTTP answer"
    return "the request could not be sent to this URL"


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """What an answer begins with; the rest, if it is long, is not waited for."""
    read = b""
    while len(read) < MOST_READ and (piece := await content.read(MOST_READ - len(read))):
        read += piece
    return read
