"""What is told as it happens: the last events, and whoever listens to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import takewhile
from time import perf_counter

from outsim.live.views import Event, EventKind

KEPT_EVENTS = 10_000
"""Events that can still be asked for."""
TURN_S = 0.008
"""Wall time after which other tasks have their turn."""

_Row = tuple[int, int, EventKind, str, str, int, str, int]
"""The fields of an event: it is made when somebody listens."""


class EventFeed:
    """The events of a sandbox, from the oldest that is kept to those that are yet to come."""

    def __init__(self) -> None:
        self._rows: deque[_Row] = deque(maxlen=KEPT_EVENTS)
        self.last = 0
        """Number of the last event."""
        self._is_closed = False
        self._listening: list[asyncio.Future[None]] = []

    def add(
        self,
        at: int,
        kind: EventKind,
        tenant: str,
        campaign: str,
        call_id: int,
        status: str,
        attempt: int,
    ) -> None:
        """Tell of an event."""
        self.last += 1
        self._rows.append((self.last, at, kind, tenant, campaign, call_id, status, attempt))
        self._wake()

    def _wake(self) -> None:
        listening, self._listening = self._listening, []
        for waiting in listening:
            if not waiting.done():
                waiting.set_result(None)

    def close(self) -> None:
        """Nothing more happens: whoever listens comes to an end."""
        self._is_closed = True
        self._wake()

    async def listen(self, after: int | None) -> AsyncIterator[Event]:
        """What happens after an event of that number, or from now on."""
        last = self.last if after is None else after
        until = perf_counter() + TURN_S
        while True:
            fresh = [*takewhile(lambda row: row[0] > last, reversed(self._rows))]  # noqa: B023
            for row in reversed(fresh):
                last = row[0]
                yield Event(*row)
                # More may come for as long as someone listens: others have their turn too.
                if perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = perf_counter() + TURN_S
            if not fresh:
                if self._is_closed:
                    return
                waiting = asyncio.get_running_loop().create_future()
                self._listening.append(waiting)
                try:
                    await waiting
                finally:
                    if waiting in self._listening:
                        self._listening.remove(waiting)
