"""What an advancing clock waits for: work that is under way outside, and who sleeps until when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from outsim.clock import NEVER


@dataclass(eq=False)
class Work:
    """Something outside that an advancing clock waits for."""

    why: str


_current: ContextVar[Work | None] = ContextVar("current", default=None)


class Waiting:
    """Work outside, and whoever sleeps until an instant.

    Parameters
    ----------
    changed : callable
        Told when something begins or is over.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._work: dict[Work, None] = {}
        self._sleepers: list[tuple[int, int, asyncio.Future[None], Work | None]] = []
        self._count = count()

    def __bool__(self) -> bool:
        return bool(self._work)

    @property
    def reasons(self) -> list[str]:
        """What is waited for."""
        return [work.why for work in self._work]

    @contextmanager
    def busy(self, why: str) -> Iterator[None]:
        """An advancing clock waits meanwhile."""
        work = self.begin(why)
        with self.at_work(work):
            yield

    def begin(self, why: str) -> Work:
        """An advancing clock waits from now on."""
        work = Work(why)
        self._work[work] = None
        return work

    @contextmanager
    def at_work(self, work: Work) -> Iterator[None]:
        """Whatever is done here is this work, and it is over then."""
        token = _current.set(work)
        try:
            yield
        finally:
            _current.reset(token)
            self._work.pop(work, None)
            self._changed()

    async def sleep_until(self, at: int) -> None:
        """Wait until an instant; the clock stops there until whoever waited goes on."""
        work = _current.get()
        if work is not None:
            self._work.pop(work, None)
        woken = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (at, next(self._count), woken, work))
        self._changed()
        await woken

    @property
    def wakes_us(self) -> int:
        """When the first sleeper is to be woken; `clock.NEVER` if nobody sleeps."""
        return self._sleepers[0][0] if self._sleepers else NEVER

    def wake(self, now: int) -> None:
        """Wake those who sleep until now; the clock waits for their work again."""
        while self.wakes_us <= now:
            _, _, woken, work = heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                if work is not None:
                    self._work[work] = None
