"""A study whose answer is more than its findings: it is awaited, streamed and run as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Generic, TypeVar

from outsim.studies.replication_set import Replication
from outsim.studies.study import Study
from outsim.studies.study_result import StudyResult
from outsim.studies.synchronous import run_sync

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """A study, and what its findings are made into.

    ``await`` it, or call `run` in a script, for the answer; ``async for`` gives the replications
    as they finish, and `answer` what they say so far.

    Parameters
    ----------
    study : Study
        The runs.
    answered : callable
        Makes the answer of the findings.
    """

    def __init__(self, study: Study, answered: Callable[[StudyResult], Answer]) -> None:
        self.study = study
        self._answered = answered

    def __repr__(self) -> str:
        return f"Question of {self.study!r}"

    def __aiter__(self) -> AsyncIterator[Replication]:
        """Replications as they finish."""
        return self.study.__aiter__()

    @property
    def answer(self) -> Answer:
        """The answer from the replications that are there without a gap.

        Raises
        ------
        StudyError
            If there are none.
        """
        return self._answered(self.study.findings)

    async def _all(self) -> Answer:
        return self._answered(await self.study)

    def __await__(self) -> Generator[Any, None, Answer]:
        """Wait for all replications."""
        return self._all().__await__()

    def run(self) -> Answer:
        """Wait for all replications, in a script or a cell."""
        return run_sync(self._all())
