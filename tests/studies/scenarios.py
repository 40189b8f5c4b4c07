"""Small campaigns that differ from one replication to the next, and studies without an engine."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from outsim.scenario.model import Scenario
from outsim.studies.runs import Job, RunMeasures
from tests.engine import scenarios


def chancy(name: str = "chancy", **keys: Any) -> Scenario:
    """Thirty calls on ten ports, with every outcome as the usual list has it."""
    campaign = {"contacts": 30, "profile": "known_list", "max_retry": 1} | keys
    return scenarios.scenario(
        scenarios.campaign(**campaign), name=name, platform={"ports": 10, "workers": 1}
    )


def without_campaigns() -> Scenario:
    """Nobody to compare."""
    return scenarios.scenario(name="nobody")


ROUNDS = 4
"""Of the event loop, in which a result finds its way to who waits for it."""


class MadeUp(Executor):
    """Does the jobs of a study without an engine, in an order that has nothing to do with theirs.

    It finishes them in the event loop, one by one, each only when the one before has been taken:
    no thread, no waiting.

    Parameters
    ----------
    figures : callable
        Figures by name, for (place, seed, replication).
    order : random.Random, optional
        Chooses who finishes next; default: in the order in which they came.
    done : int, optional
        So many jobs are done, and the others never.
    """

    reach = 1_000
    """How many of those that have waited longest may be next."""

    def __init__(
        self,
        figures: Callable[[int, int, int], dict[str, float]],
        order: random.Random | None = None,
        done: int | None = None,
    ) -> None:
        self.figures = figures
        self.begun: list[int] = []
        """Replications of the jobs that it was given, in their order."""
        self.finished: list[int] = []
        self._order = order
        self._left = math.inf if done is None else done
        self._waiting: list[tuple[Future, Job]] = []

    def submit(self, _work, /, job: Job) -> Future:  # type: ignore[override]
        future: Future = Future()
        self.begun.append(job.replication)
        self._waiting = [each for each in self._waiting if not each[0].cancelled()]
        self._waiting.append((future, job))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._finish_one, ROUNDS)
        return future

    def _finish_one(self, rounds: int) -> None:
        if rounds or len(self._waiting) > 1:
            asyncio.get_running_loop().call_soon(self._finish_one, (rounds or ROUNDS) - 1)
        if rounds or not self._waiting:
            return
        reach = min(self.reach, len(self._waiting))
        next_one = self._order.randrange(reach) if self._order else 0
        future, job = self._waiting.pop(next_one)
        if self._left > 0 and future.set_running_or_notify_cancel():
            self._left -= 1
            self.finished.append(job.replication)
            future.set_result(self._made(job))
        if self._left == 0:
            self.nothing_more()

    def _made(self, job: Job) -> tuple[RunMeasures, ...]:
        return tuple(
            RunMeasures(
                place, job.replication, self.figures(place, job.seed, job.replication), 1, 0.0
            )
            for place in job.positions
        )

    def nothing_more(self) -> None:
        """Called each time that a job is not done."""


class LongAfter(MadeUp):
    """Once its jobs are done, the clock of the event loop says that it is an hour later."""

    reach = 6

    def nothing_more(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        loop.time = lambda: now + 3_600  # type: ignore[method-assign]
