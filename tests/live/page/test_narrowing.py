"""Answers that come soon and become narrower, and studies that nobody waits for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import outsim
from outsim.live.page.narrowing import FEWEST, narrowing
from outsim.questions.compare import compare

SMALL = {
    "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
    "platform": {"ports": 5},
    "tenant": [{"name": "clinic"}],
    "campaign": [{"name": "calls", "tenant": "clinic", "start": "09:05", "contacts": 20}],
}


class Few(Executor):
    """Makes so many runs at once, and leaves the others."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.left: list[Future[Any]] = []

    def submit(self, work: Any, /, *given: Any, **named: Any) -> Future[Any]:
        asked: Future[Any] = Future()
        if self.most:
            self.most -= 1
            asked.set_result(work(*given, **named))
        else:
            self.left.append(asked)
        return asked


class Here:
    """Work that is done by this thread."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    async def run(self, work: Any, *given: Any) -> Any:
        return work(*given)


def both(executor: Executor, replications: int) -> Any:
    base = outsim.load({**SMALL, "name": "base"})
    other = outsim.load({**SMALL, "name": "other", "platform": {"ports": 10}})
    return compare(base, other, replications=replications, executor=executor, engine="simpy")


def test_an_answer_comes_early_and_then_from_more():
    async def sizes() -> list[int]:
        with ThreadPoolExecutor(1) as one:
            asked = narrowing(Here(one), both, 12)
            return [answer.findings.replications async for answer in asked]

    found = asyncio.run(sizes())
    assert FEWEST <= found[0] < 12
    assert found == sorted(set(found))
    assert found[-1] == 12


def test_runs_that_nobody_waits_for_are_given_up():
    executor = Few(10)

    async def first() -> str:
        async with aclosing(narrowing(Here(executor), both, 12)) as asked:
            answer = await anext(asked)
            waiting = asyncio.ensure_future(anext(asked))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            return answer.document().answer

    assert "other" in asyncio.run(first())
    assert executor.left
    assert all(run.cancelled() for run in executor.left)
