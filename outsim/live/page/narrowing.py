"""What is found from few replications, and then from more while one looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from outsim.live.page.work import Work

if TYPE_CHECKING:  # studies take long to load, and are not needed before one is asked for
    from outsim.document import Document
    from outsim.questions.question import StudyQuestion
    from outsim.studies.study_run import StudyRun

FEWEST = 3
"""Replications that anything shown rests on, at least: never a single run."""
GROWTH = 1.8
"""How many times as many the next answer rests on."""


class Counted(Protocol):
    """Something found, which says how many replications it rests on."""

    @property
    def replications(self) -> int:
        """How many."""


@dataclass(frozen=True)
class AnswerSoFar:
    """An answer in words, and how many replications it rests on."""

    replications: int
    document: Document


Asked = TypeVar("Asked", bound="StudyQuestion[Any] | StudyRun")
Found = TypeVar("Found", bound=Counted)


def answer_so_far(question: StudyQuestion[Any]) -> AnswerSoFar:
    """What the replications that are there say."""
    answer = question.answer
    return AnswerSoFar(answer.findings.replications, answer.document())


async def narrowing(
    work: Work,
    ask: Callable[[Executor, int], Asked],
    find: Callable[[Asked], Found],
    replications: int,
) -> AsyncGenerator[Found, None]:
    """What is found from more and more replications; the last is from all.

    Parameters
    ----------
    work : Work
        Whoever makes the runs; they end when this is closed, or the task that iterates canceled.
    ask : callable
        Asks, given the executor and the number of replications. It is called in a thread, for
        it may have to look at a day first.
    find : callable
        Says what the replications that are there without a gap come to; in a thread too.
    replications : int
        How many there will be.
    """
    question = await work.run(ask, work.executor, replications)
    came = asyncio.Event()
    # They go on coming while something is found: those from a cache cost no answer each.
    reading = asyncio.create_task(_read(question, came))
    reading.add_done_callback(lambda _: came.set())
    try:
        shown, due = 0, float(min(FEWEST, replications))
        is_over = False
        while not is_over:
            await came.wait()
            came.clear()
            is_over = reading.done()
            if is_over:
                reading.result()
            there = len(question.without_gap)
            if there > shown and (is_over or there >= due):
                found = await work.run(find, question)
                shown, due = found.replications, found.replications * GROWTH
                yield found
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # looked at: who gives up wants to hear of none


async def _read(question: StudyQuestion[Any] | StudyRun, came: asyncio.Event) -> None:
    async with aclosing(question.__aiter__()) as replications:  # type: ignore[type-var]
        async for _ in replications:
            came.set()
