"""A receiver of results that is always there, so that the first hour needs no handler."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

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
        self._messages: dict[str, deque[Message]] = {}
        self._counts: dict[str, int] = {}
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    def receive(
        self, name: str, method: str, headers: Mapping[str, str], body: bytes
    ) -> InboxReply:
        """Take a request; one that is no POST is a pre-flight, and leaves no message."""
        if not _NAME.fullmatch(name):
            return InboxReply(404, "an inbox has a name of letters, digits, '.', '_' and '-'\n")
        if name not in self._messages and len(self._messages) >= MOST_NAMES:
            return InboxReply(507, f"there are {MOST_NAMES} inboxes, and no room for more\n")
        messages = self._messages.setdefault(name, deque(maxlen=MOST_MESSAGES))
        if method == "POST":
            self._counts[name] = number = self._counts.get(name, 0) + 1
            at, local = self._now()
            text = body[:MOST_KEPT].decode("utf-8", "replace")
            messages.append(
                Message(number, at, local, dict(headers), text, _fields(headers, text))
            )
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
            self._waiting.append((name, after + at_least, arrived))
            await arrived

    def clear(self, name: str | None = None) -> None:
        """Empty one inbox, or all."""
        for each in [name] if name is not None else list(self._messages):
            self._messages.pop(each, None)
            self._counts.pop(each, None)

    def _wake(self, name: str) -> None:
        there = self._counts[name]
        for waiting in [w for w in self._waiting if w[0] == name and w[1] <= there]:
            self._waiting.remove(waiting)
            if not waiting[2].done():
                waiting[2].set_result(None)


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
