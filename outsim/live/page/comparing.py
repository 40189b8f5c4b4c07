"""Two scenarios, compared once for all who look."""

from __future__ import annotations

import asyncio

from outsim.document import Document
from outsim.errors import OutsimError
from outsim.live.page.narrowing import narrowing
from outsim.live.page.work import Work
from outsim.questions.compare import compare
from outsim.scenario.model import Scenario


class Comparing:
    """What the second one changes, as far as it is known."""

    def __init__(self, work: Work, base: Scenario, other: Scenario, seed: int) -> None:
        self._work, self._base, self._other, self._seed = work, base, other, seed
        self._comparing: asyncio.Task[None] | None = None
        self.names = f"{other.name} against {base.name}"
        self.document: Document | None = None
        self.replications = 0
        self.problem = ""

    def begin(self) -> None:
        """Compare them, if it is not done yet."""
        if self._comparing is None:
            self._comparing = asyncio.create_task(self._compare())

    async def _compare(self) -> None:
        asked = narrowing(
            self._work,
            lambda executor, replications: compare(
                self._base,
                self._other,
                seed=self._seed,
                replications=replications,
                executor=executor,
            ),
        )
        try:
            async for comparison in asked:
                self.document = await self._work.run(comparison.document)
                self.replications = comparison.findings.replications
        except OutsimError as error:
            self.problem = str(error)
