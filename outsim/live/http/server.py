"""A sandbox behind a socket: uvicorn in the caller's loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outsim.errors import SandboxError
from outsim.live.http.app import application
from outsim.live.http.context import Context, Settings
from outsim.live.http.gate import OUR_HOSTS
from outsim.live.http.logins import Logins
from outsim.live.http.seen import open_journal
from outsim.live.inbox import Inbox
from outsim.live.page.front import Front
from outsim.live.pages import Hosts, Pages
from outsim.live.posts import Posts
from outsim.live.sandbox import Sandbox
from outsim.live.state import Begins, HandlerTime
from outsim.scenario.accounts import Account
from outsim.scenario.model import Scenario

MOST_CONNECTIONS = 1_000
HEAD_S = 20.0
"""Wall-clock seconds in which the head of a request must be there."""
GRACE_S = 2
LOOPBACK = "127.0.0.1"
SECRETS = ("pin", "developer_key", "token")


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 that does not wait for ever for a request, and whose connection can be cut."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        self.scope["outsim.cut"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Wait for the head of a request, but not for ever."""
        self._wait_no_more()
        self._waiting = self.loop.call_later(HEAD_S, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()


def _is_no_cut_at_the_end(record: logging.LogRecord) -> bool:
    """Whether a message is of something else than requests that the end of a server cuts off."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError) and "graceful" not in str(record.msg)


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        logging.getLogger("uvicorn.error").addFilter(_is_no_cut_at_the_end)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass
class Served:
    """A sandbox that answers at a URL."""

    url: str
    context: Context
    _server: _Server

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself."""
        return self.context.sandbox

    def stop(self) -> None:
        """Have it end: `wait` returns."""
        self._server.should_exit = True

    def ready_line(self) -> dict[str, Any]:
        """What there is to know to use it; only secrets that were made up are in it."""
        clock = self.sandbox.clock.view
        return {
            "ready": True,
            "url": self.url,
            "docs": f"{self.url}/docs",
            "scenario": self.sandbox.scenario.name,
            "seed": self.sandbox.seed,
            "is_resumed": self.sandbox.is_resumed,
            "clock": {
                "local": clock.local,
                "state": clock.state,
                "speed": clock.speed,
                "handler_time": clock.handler_time,
                "ends": clock.ends,
                "is_over": clock.is_over,
            },
            "accounts": [
                _shown(account, number, self.sandbox.scenario)
                for number, account in enumerate(self.context.logins.accounts, 1)
            ],
        }


def _shown(account: Account, number: int, scenario: Scenario) -> dict[str, Any]:
    written = _written(account, scenario)
    made_up = {
        key: getattr(account, key) for key in SECRETS if getattr(written, key, None) is None
    }
    return {
        "tenant": account.tenant,
        "login": account.login,
        **made_up,
        "application_id": number,
    }


def is_loopback(host: str) -> bool:
    """Whether a host is reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def serving(
    scenario: Scenario | str | Path,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    seed: int | None = None,
    state: str | Path | None = None,
    speed: float | None = None,
    held: bool = False,
    begins: Begins | None = None,
    handler_time: HandlerTime | None = None,
    allow_hosts: Collection[str] = (),
    settings: Settings | None = None,
    front: Front | None = None,
) -> AsyncIterator[tuple[Served, asyncio.Task[None]]]:
    """Serve a sandbox until the block ends; the task ends when the server does.

    Parameters
    ----------
    scenario : Scenario or path
        The platform, its tenants and the load of others.
    host, port : str, int
        Where it listens; port 0 is any that is free.
    seed, state, speed, held, begins, handler_time
        As `outsim.live.Sandbox` has them.
    allow_hosts : collection of str
        Hosts beside this machine that results may be posted to.
    settings : Settings, optional
        How the interface behaves.
    front : Front, optional
        Its page; there is at most one in a process.

    Raises
    ------
    SandboxError
        If it can't listen there.
    """
    listening = _listen(host, port)
    own = listening.getsockname()[1]

    def is_own(url: str) -> bool:
        parts = urlsplit(url)
        return parts.port == own and parts.hostname in OUR_HOSTS

    def now() -> tuple[int, str]:
        at = sandbox.clock.now
        return at, sandbox.clock.local(at).isoformat()

    inbox = Inbox(now)
    settings = settings or Settings()
    if not is_loopback(host):
        settings = replace(settings, any_host=True)
    try:
        async with Pages(Hosts(frozenset(allow_hosts)), inbox, is_own) as pages:
            posts = Posts(pages, settings.start_method)
            sandbox = Sandbox(
                scenario,
                seed=seed,
                state=state,
                speed=speed,
                held=held,
                begins=begins,
                handler_time=handler_time,
                poster=posts.post,
            )
            posts.attach(sandbox)
            accounts = sandbox.scenario.accounts
            if not is_loopback(host):
                accounts = tuple(_unguessable(a, sandbox.scenario) for a in accounts)
            async with sandbox:
                context = Context(sandbox, Logins(accounts), pages, posts, inbox, settings)
                directory = None if state is None else Path(state)
                journal = open_journal(directory, inbox, context.requests)
                server = _Server(
                    uvicorn.Config(
                        application(context, front),
                        http=_Protocol,
                        ws="none" if front is None else "websockets-sansio",
                        lifespan="off",
                        log_level="error",
                        access_log=False,
                        server_header=False,
                        date_header=False,
                        limit_concurrency=MOST_CONNECTIONS,
                        timeout_graceful_shutdown=GRACE_S,
                    )
                )
                running = asyncio.create_task(server.serve(sockets=[listening]))
                starts = asyncio.create_task(posts.fetch_starts())
                try:
                    await server.ready.wait()
                    shown = f"[{host}]" if ":" in host else host
                    yield Served(f"http://{shown}:{own}", context, server), running
                finally:
                    server.should_exit = True
                    starts.cancel()
                    with suppress(asyncio.CancelledError):
                        await starts
                    await running
                    await journal.close()
    finally:
        listening.close()


def _unguessable(account: Account, scenario: Scenario) -> Account:
    """An account with new secrets for those made up: anybody can compute those."""
    written = _written(account, scenario)
    drawn = {key: secrets.token_hex(8) for key in SECRETS if getattr(written, key, None) is None}
    return account.model_copy(update=drawn)


def _written(account: Account, scenario: Scenario) -> Account | None:
    return next((a for a in scenario.account if a.login == account.login), None)


def _listen(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio leaves the answers to wait for each other (Nagle).
    listening = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SandboxError(
            f"can't listen at {host}, port {port}: {error.strerror or error}; --port 0 takes one "
            "that is free",
            reason="invalid",
        ) from None
    return listening
