"""An answer that is there soon, and becomes narrower while one looks at it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Protocol, TypeVar

from outsim.errors import StudyError
from outsim.live.page.work import Work

if TYPE_CHECKING:  # studies take long to load, and are not needed before one is asked for
    from outsim.document import Document
    from outsim.questions.question import StudyQuestion
    from outsim.studies.study_result import StudyResult

REPLICATIONS = 20
SHOWN_AFTER = (3, 6, 10, REPLICATIONS)
"""Replications after which an answer is shown: it never rests on a single run."""


class StudyAnswer(Protocol):
    """An answer from a study."""

    @property
    def findings(self) -> StudyResult:
        """What it rests on."""

    def document(self) -> Document:
        """The answer in words."""


Asked = TypeVar("Asked", bound=StudyAnswer)


async def narrowing(
    work: Work, ask: Callable[[Executor, int], StudyQuestion[Asked]]
) -> AsyncGenerator[Asked, None]:
    """Answers from more and more replications.

    Parameters
    ----------
    work : Work
        Whoever makes the runs; they end when this is closed, or the task that iterates canceled.
    ask : callable
        Asks, given the executor and the number of replications. It is called in a thread, for
        it may have to look at a day first.
    """
    question = await work.run(ask, work.executor, REPLICATIONS)
    due, finished = list(SHOWN_AFTER), 0
    async for _ in question:
        finished += 1
        if finished < due[0]:
            continue
        # An earlier replication may not be there yet, and those after a gap do not count.
        try:
            answer = await work.run(lambda: question.answer)
        except StudyError:
            continue
        if answer.findings.replications >= due[0]:
            due = [size for size in due if size > answer.findings.replications]
            yield answer
