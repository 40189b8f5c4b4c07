"""What an advancing clock waits for: work that is under way outside, and who sleeps until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from outsim.clock import NEVER


@dataclass(eq=False)
class Work:
    """Something outside that an advancing clock waits for."""

    why: str
    limit_s: float | None = None
    """Wall time after which it is given up; time in which it sleeps does not count."""
    _deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Give up what is done here, by a `TimeoutError`, once it has taken too long."""
        async with asyncio.timeout(self.limit_s) as self._deadline:
            yield

    def pause(self) -> None:
        """It sleeps: its time does not count meanwhile."""
        if self._deadline is not None:
            self._deadline.reschedule(None)

    def resume(self) -> None:
        """It goes on, with all the time that it has."""
        if self._deadline is not None and self.limit_s is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self.limit_s)


_current: ContextVar[Work | None] = ContextVar("current", default=None)


@contextmanager
def untimed() -> Iterator[None]:
    """Time here does not count for whatever is done: it waits for its turn."""
    work = _current.get()
    if work is not None:
        work.pause()
    try:
        yield
    finally:
        if work is not None:
            work.resume()


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

    def begin(self, why: str, limit_s: float | None = None) -> Work:
        """An advancing clock waits from now on."""
        work = Work(why, limit_s)
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
            work.pause()
        woken = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (at, next(self._count), woken, work))
        self._changed()
        await woken
        if work is not None:
            work.resume()

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
