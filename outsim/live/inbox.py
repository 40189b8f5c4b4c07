"""A receiver of results that is always there, so that the first hour needs no handler."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from outsim.live.journal import Journal

INBOX_PATH = "/inbox/"
MOST_NAMES, MOST_MESSAGES, MOST_KEPT = 100, 10_000, 16_384
"""Inboxes, messages of each, and bytes of each message; older messages give way."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Message:
    """Something that was posted to an inbox."""

    number: int
    """Counts the messages of the inbox, from 1."""
    at: int
    """When, in microseconds since the scenario begins."""
    local: str
    """The same as local time."""
    headers: dict[str, str]
    body: str
    fields: Any
    """The body read as a form, or as JSON; None if it is neither."""


@dataclass(frozen=True)
class InboxReply:
    """What an inbox answers."""

    status: int
    text: str


class Inbox:
    """All inboxes; each is there once something is sent to it.

    Parameters
    ----------
    now : callable
        Simulated time, in microseconds and as local time.
    """

    def __init__(self, now: Callable[[], tuple[int, str]]) -> None:
        self._now = now
        self._journal: Journal | None = None
        self._opened = asyncio.Event()
        self._before: set[str] = set()
        """Posts that came before the sandbox was started again."""
        self._messages: dict[str, deque[Message]] = {}
        self._posts: dict[str, deque[str]] = {}
        """For each message the post of the sandbox that it came by, if it was one."""
        self._counts: dict[str, int] = {}
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    def open(self, journal: Journal) -> None:
        """Take what comes from now on, and keep it there."""
        self._journal = journal
        self._opened.set()

    def restore(self, entry: Mapping[str, Any]) -> None:
        """Have what a journal tells of an inbox."""
        if "emptied" in entry:
            self._forget(entry["emptied"])
            return
        name, number, headers, text = (
            entry[key] for key in ("inbox", "number", "headers", "body")
        )
        message = Message(
            number, entry["at"], entry["local"], headers, text, _fields(headers, text)
        )
        self._add(name, message, entry["post"])
        self._before.add(entry["post"])

    def entries(self) -> Iterator[dict[str, Any]]:
        """What a journal keeps of the messages that are there."""
        for name, messages in self._messages.items():
            for message, post in zip(messages, self._posts.get(name, ()), strict=True):
                yield _entry(name, message, post)

    def _add(self, name: str, message: Message, post: str) -> None:
        self._messages.setdefault(name, deque(maxlen=MOST_MESSAGES)).append(message)
        self._posts.setdefault(name, deque(maxlen=MOST_MESSAGES)).append(post)
        self._counts[name] = message.number

    async def durable(self) -> None:
        """Wait until all that is there would be there after a crash."""
        if self._journal is not None:
            await self._journal.durable()

    async def receive(
        self,
        name: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes,
        post: str = "",
        *,
        is_resent: bool = False,
    ) -> InboxReply:
        """Take a request; one that is no POST is a pre-flight, and leaves no message.

        `post` names a post of the sandbox itself: one that is sent again after a crash leaves no
        second message.
        """
        await self._opened.wait()
        assert self._journal is not None
        if not _NAME.fullmatch(name):
            return InboxReply(404, "an inbox has a name of letters, digits, '.', '_' and '-'\n")
        if name not in self._messages and len(self._messages) >= MOST_NAMES:
            return InboxReply(507, f"there are {MOST_NAMES} inboxes, and no room for more\n")
        self._messages.setdefault(name, deque(maxlen=MOST_MESSAGES))
        if method == "POST" and not (is_resent and post in self._before):
            at, local = self._now()
            text = body[:MOST_KEPT].decode("utf-8", "replace")
            number = self._counts.get(name, 0) + 1
            message = Message(number, at, local, dict(headers), text, _fields(headers, text))
            self._add(name, message, post)
            self._journal.append(_entry(name, message, post))
            await self._journal.durable()
            self._wake(name)
        return InboxReply(200, "")

    def names(self) -> dict[str, int]:
        """Inboxes that something was sent to, with the number of messages that ever came."""
        return {name: self._counts.get(name, 0) for name in sorted(self._messages)}

    def messages(self, name: str, after: int = 0) -> list[Message]:
        """Messages of an inbox with a number above `after`, the oldest first."""
        return [message for message in self._messages.get(name, ()) if message.number > after]

    async def wait(self, name: str, at_least: int, after: int = 0) -> None:
        """Wait until so many messages have come with a number above `after`."""
        if self._counts.get(name, 0) < after + at_least:
            arrived = asyncio.get_running_loop().create_future()
            waiting = name, after + at_least, arrived
            self._waiting.append(waiting)
            try:
                await arrived
            finally:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)

    def clear(self, name: str | None = None) -> None:
        """Empty one inbox, or all."""
        self._forget(name)
        if self._journal is not None:
            self._journal.append({"emptied": name})

    def _forget(self, name: str | None) -> None:
        for emptied in [name] if name is not None else list(self._messages):
            self._messages.pop(emptied, None)
            self._posts.pop(emptied, None)
            self._counts.pop(emptied, None)

    def _wake(self, name: str) -> None:
        there = self._counts.get(name, 0)
        for waiting in [w for w in self._waiting if w[0] == name and w[1] <= there]:
            self._waiting.remove(waiting)
            if not waiting[2].done():
                waiting[2].set_result(None)


def _entry(name: str, message: Message, post: str) -> dict[str, Any]:
    values = asdict(message)
    values.pop("fields")
    return {"inbox": name, **values, "post": post}


def _fields(headers: Mapping[str, str], text: str) -> Any:
    kind = next((value for key, value in headers.items() if key.lower() == "content-type"), "")
    try:
        if "json" in kind:
            return json.loads(text)
        if "form-urlencoded" in kind:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except (ValueError, RecursionError):
        pass
    return None
