"""Answers that come soon and become narrower, and studies that nobody waits for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

import outsim
from outsim.live.page.narrowing import FEWEST, answer_so_far, narrowing
from outsim.questions.compare import compare

from .what_if.pages import Here

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


class LateFirst(Executor):
    """Makes each run when it is asked for, and hands the first one out when it is told to."""

    def __init__(self) -> None:
        self.first: tuple[Future[Any], Any] | None = None

    def submit(self, work: Any, /, *given: Any, **named: Any) -> Future[Any]:
        asked: Future[Any] = Future()
        made = work(*given, **named)
        if self.first is None:
            self.first = asked, made
        else:
            asked.set_result(made)
        return asked


def both(executor: Executor, replications: int) -> Any:
    base = outsim.load({**SMALL, "name": "base"})
    other = outsim.load({**SMALL, "name": "other", "platform": {"ports": 10}})
    return compare(base, other, replications=replications, executor=executor, engine="simpy")


def test_an_answer_comes_early_and_then_from_more():
    async def sizes() -> list[int]:
        with ThreadPoolExecutor(1) as one:
            asked = narrowing(Here(one), both, answer_so_far, 12)
            return [answer.replications async for answer in asked]

    found = asyncio.run(sizes())
    assert FEWEST <= found[0] < 12
    assert found == sorted(set(found))
    assert found[-1] == 12


def test_runs_that_nobody_waits_for_are_given_up():
    executor = Few(10)

    async def first() -> str:
        async with aclosing(narrowing(Here(executor), both, answer_so_far, 12)) as asked:
            answer = await anext(asked)
            waiting = asyncio.ensure_future(anext(asked))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            return answer.document.answer

    assert "other" in asyncio.run(first())
    assert executor.left
    assert all(run.cancelled() for run in executor.left)


def test_replications_after_one_that_is_missing_are_no_answer_yet():
    executor, questions = LateFirst(), []

    def ask(executor: Executor, replications: int) -> Any:
        questions.append(both(executor, replications))
        return questions[-1]

    async def sizes() -> list[int]:
        async with aclosing(narrowing(Here(executor), ask, answer_so_far, 12)) as asked:
            waiting = asyncio.ensure_future(anext(asked))
            while not questions or len(questions[-1].study.replications) < 11:
                await asyncio.sleep(0)
            assert not waiting.done()
            late, made = executor.first
            late.set_result(made)
            return [(await waiting).replications, *[answer.replications async for answer in asked]]

    assert asyncio.run(sizes()) == [12]


def test_an_error_of_a_run_is_the_error_of_who_waits():
    class Broken(Executor):
        def submit(self, _work: Any, /, *_given: Any, **_named: Any) -> Future[Any]:
            asked: Future[Any] = Future()
            asked.set_exception(OSError("no room"))
            return asked

    async def first() -> None:
        async with aclosing(narrowing(Here(Broken()), both, answer_so_far, 12)) as asked:
            await anext(asked)

    with pytest.raises(OSError, match="no room"):
        asyncio.run(first())
