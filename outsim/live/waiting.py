"""What a clock waits for: work that is under way outside, and who sleeps until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from types import TracebackType
from typing import Self

from outsim.clock import NEVER

LOOKS = 5
"""Turns of the loop that it takes at most to see what has arrived while it was kept busy."""
BEAT_S = 0.01
"""Wall time between two looks at whether the loop is kept busy."""


class Limit:
    """Gives up what is done in it, by a `TimeoutError`, once it has taken too long.

    What has arrived by then is seen first, however long the loop was kept busy.
    """

    def __init__(self, limit_s: float | None, looks: int = LOOKS) -> None:
        self._limit_s, self._looks = limit_s, looks
        self._timeout = asyncio.timeout(None)
        self._next: asyncio.Handle | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self.restart()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        await self._timeout.__aexit__(kind, error, trace)

    def stop(self) -> None:
        """No time counts from now on."""
        if self._next is not None:
            self._next.cancel()

    def restart(self) -> None:
        """All the time that it has counts from now on."""
        self.stop()
        if self._limit_s is not None:
            loop = asyncio.get_running_loop()
            self._next = loop.call_later(self._limit_s, self._look, self._looks)

    def _look(self, left: int) -> None:
        loop = asyncio.get_running_loop()
        if left:
            self._next = loop.call_soon(self._look, left - 1)
        else:
            self._timeout.reschedule(loop.time())


class Watch:
    """Says when what is seen now has arrived at the earliest: the loop may have been kept busy."""

    def __init__(self) -> None:
        self._uses = 0
        self._looked_s = 0.0
        self._next: asyncio.Handle | None = None

    def __enter__(self) -> Self:
        self._uses += 1
        if self._uses == 1:
            self._look(0)
        return self

    def __exit__(self, *_: object) -> None:
        self._uses -= 1
        if not self._uses and self._next is not None:
            self._next.cancel()

    def _look(self, left: int) -> None:
        loop = asyncio.get_running_loop()
        if left:
            self._next = loop.call_soon(self._look, left - 1)
        else:
            self._looked_s = loop.time()
            self._next = loop.call_later(BEAT_S, self._look, LOOKS)

    @property
    def now_s(self) -> float:
        """Time of the loop, without that in which it has not looked."""
        return min(asyncio.get_running_loop().time(), self._looked_s + BEAT_S)


@dataclass(eq=False)
class Work:
    """Something outside that an advancing clock waits for."""

    why: str
    limit_s: float | None = None
    """Wall time after which it is given up; time in which it sleeps does not count."""
    until_us: int = NEVER
    """Where any clock waits for it."""
    latest_us: int = NEVER
    """The same, if it sleeps beyond; once it sleeps beyond that too, it is given up."""
    give_up: Callable[[], None] = lambda: None
    _limit: Limit | None = None

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Give up what is done here, by a `TimeoutError`, once it has taken too long."""
        # Whatever it does with a limit of its own says so first.
        async with Limit(self.limit_s, 2 * LOOKS) as self._limit:
            yield

    def pause(self) -> None:
        """It sleeps: its time does not count meanwhile."""
        if self._limit is not None:
            self._limit.stop()

    def resume(self) -> None:
        """It goes on, with all the time that it has."""
        if self._limit is not None:
            self._limit.restart()

    def sleep_until(self, at: int) -> None:
        """It sleeps until an instant: no clock waits for it before."""
        self.pause()
        if at > self.latest_us:
            self.give_up()
        elif at > self.until_us:
            self.until_us = self.latest_us


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
        begin_time()


def begin_time() -> None:
    """All the time that is given for whatever is done counts from now on."""
    work = _current.get()
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
        """What does not sleep."""
        self._until: set[Work] = set()
        """What any clock waits for somewhere."""
        self._sleepers: list[tuple[int, int, asyncio.Future[None], Work | None]] = []
        self._count = count()

    def __bool__(self) -> bool:
        return bool(self._work)

    def reasons(self, at: int = NEVER) -> list[str]:
        """What is waited for, by a clock that stands there."""
        return [work.why for work in self._work if at == NEVER or work.until_us <= at]

    @property
    def until_us(self) -> int:
        """Where any clock waits for work that is under way; `clock.NEVER` if for none."""
        return min((work.until_us for work in self._until), default=NEVER)

    @property
    def limit_us(self) -> int:
        """Where the clock stops until somebody has acted; `clock.NEVER` if for nobody."""
        return min(self.until_us, self.wakes_us)

    @contextmanager
    def busy(self, why: str) -> Iterator[None]:
        """An advancing clock waits meanwhile."""
        work = self.begin(why)
        with self.at_work(work):
            yield

    def begin(self, why: str) -> Work:
        """An advancing clock waits from now on."""
        return self.add(Work(why))

    def add(self, work: Work) -> Work:
        """An advancing clock waits from now on, and any other where the work says."""
        self._work[work] = None
        if work.until_us != NEVER:
            self._until.add(work)
        return work

    def pass_by(self, work: Work) -> None:
        """No clock but an advancing one waits any more."""
        self._until.discard(work)

    @contextmanager
    def at_work(self, work: Work) -> Iterator[None]:
        """Whatever is done here is this work, and it is over then."""
        token = _current.set(work)
        try:
            yield
        finally:
            _current.reset(token)
            self._work.pop(work, None)
            self.pass_by(work)
            self._changed()

    async def sleep_until(self, at: int) -> None:
        """Wait until an instant; the clock stops there until whoever waited goes on."""
        work = _current.get()
        if work is not None:
            self._work.pop(work, None)
            work.sleep_until(at)
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
