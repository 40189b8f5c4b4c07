"""The one synchronous door to what is asynchronous."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import Any, TypeVar

Value = TypeVar("Value")


_SEEN_AFTER_S = 0.2
"""How long an interruption may go unseen."""


def run_sync(awaitable: Awaitable[Value]) -> Value:
    """Wait for it, from a script or inside a running event loop; Ctrl-C cancels it.

    Examples
    --------
    >>> import outsim
    >>> scenario = outsim.load("scenarios/stop-race.toml")
    >>> pair = outsim.compare(scenario, scenario, replications=2, executor="threads")
    >>> pair.run().findings.replications
    2
    """

    async def whole() -> Value:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(whole())
    # A running loop can't be entered twice: wait for a thread with a loop of its own.
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
    waited: Future[Value] = Future()
    going_on = Lock()
    going_on.acquire()

    async def begin() -> Value:
        task = asyncio.current_task()
        assert task is not None
        begun.set_result((asyncio.get_running_loop(), task))
        return await awaitable

    def work() -> None:
        try:
            waited.set_result(asyncio.run(begin()))
        except BaseException as error:
            waited.set_exception(error)
        finally:
            going_on.release()

    thread = Thread(target=work, name="outsim")
    try:
        with defer_interrupts():
            thread.start()
        # An interruption in the wrong line of `Future.result` would leave its lock taken; one that
        # comes just before the system begins to wait is not seen before the wait is over.
        while not going_on.acquire(timeout=_SEEN_AFTER_S):
            pass
    except BaseException:
        if thread.is_alive():
            loop, task = begun.result()
            with suppress(RuntimeError):  # it ended at this very moment
                loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        if thread.ident is not None:
            thread.join()
    return waited.result()


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Hold back Ctrl-C, which processes that are started meanwhile then never see."""
    # A terminal sends it to all of them; it is for the one that waits for them to end them.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
