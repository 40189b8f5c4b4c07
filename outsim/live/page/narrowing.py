"""An answer that is there soon, and becomes narrower while one looks at it."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Protocol, TypeVar

from outsim.errors import StudyError
from outsim.live.page.work import Work

if TYPE_CHECKING:  # studies take long to load, and are not needed before one is asked for
    from outsim.document import Document
    from outsim.questions.question import StudyQuestion
    from outsim.studies.study_result import StudyResult

FEWEST = 3
"""Replications that an answer rests on, at least: never on a single run."""
GROWTH = 1.8
"""How many times as many the next answer rests on."""


class StudyAnswer(Protocol):
    """An answer from a study."""

    @property
    def findings(self) -> StudyResult:
        """What it rests on."""

    def document(self) -> Document:
        """The answer in words."""


Asked = TypeVar("Asked", bound=StudyAnswer)


async def narrowing(
    work: Work, ask: Callable[[Executor, int], StudyQuestion[Asked]], replications: int
) -> AsyncGenerator[Asked, None]:
    """Answers from more and more replications.

    Parameters
    ----------
    work : Work
        Whoever makes the runs; they end when this is closed, or the task that iterates canceled.
    ask : callable
        Asks, given the executor and the number of replications. It is called in a thread, for
        it may have to look at a day first.
    replications : int
        How many the last answer rests on.
    """
    question = await work.run(ask, work.executor, replications)
    due, finished = FEWEST, 0
    async for _ in question:
        finished += 1
        if finished < due:
            continue
        # An earlier replication may not be there yet, and those after a gap do not count.
        try:
            answer = await work.run(lambda: question.answer)
        except StudyError:
            continue
        count = answer.findings.replications
        if count >= due:
            due = min(replications, math.ceil(count * GROWTH))
            yield answer
