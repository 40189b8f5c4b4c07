"""Two scenarios, compared once for all who look."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from contextlib import aclosing
from typing import TYPE_CHECKING

from outsim.live.page.narrowing import answer_so_far, narrowing
from outsim.live.page.work import Work
from outsim.scenario.model import Scenario
from outsim.studies.comparable import compared, label_scenarios
from outsim.studies.default_replications import COMPARE

if TYPE_CHECKING:
    from outsim.document import Document
    from outsim.questions.compare import Comparison
    from outsim.questions.question import StudyQuestion
    from outsim.studies.run_cache import RunCache


class Comparing:
    """What the second one changes, as far as it is known."""

    def __init__(
        self, work: Work, runs: RunCache, base: Scenario, other: Scenario, seed: int
    ) -> None:
        self._work, self._runs = work, runs
        self._base, self._other, self._seed = base, other, seed
        self._comparing: asyncio.Task[None] | None = None
        self.names = compared(label_scenarios((base.name, other.name)))
        self.document: Document | None = None
        self.replications = 0
        self.problem = ""

    def is_of(self, base: Scenario, seed: int) -> bool:
        """Whether this is what it is compared with, and by these draws."""
        return self._base is base and self._seed == seed

    def begin(self) -> None:
        """Compare them, if it is not done yet."""
        if self._comparing is None:
            self._comparing = self._work.begin(self._refuse, self._compare)

    async def _compare(self) -> None:
        found = narrowing(self._work, self._ask, answer_so_far, COMPARE)
        async with aclosing(found) as coming:
            async for answer in coming:
                self.document, self.replications = answer.document, answer.replications

    def _refuse(self, problem: str) -> None:
        self.problem = problem

    def _ask(self, executor: Executor, replications: int) -> StudyQuestion[Comparison]:
        from outsim.questions.compare import compare

        return compare(
            self._base,
            self._other,
            seed=self._seed,
            replications=replications,
            executor=executor,
            cache=self._runs,
        )
