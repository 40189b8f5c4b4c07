"""The newest question is answered, first from few replications; older ones are given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from outsim.document import Document
from outsim.errors import OutsimError
from outsim.live.page.narrowing import FEWEST, GROWTH
from outsim.live.page.what_if.bands import Day, days
from outsim.live.page.what_if.changing import WhatIf
from outsim.live.page.work import Work
from outsim.questions.compare import Comparison, compare
from outsim.questions.question import StudyQuestion
from outsim.scenario.model import Scenario
from outsim.studies.run_cache import RunCache
from outsim.studies.study import run_of
from outsim.studies.study_data import StudyData
from outsim.studies.study_run import StudyRun


@dataclass(frozen=True)
class Found:
    """What some replications say."""

    replications: int
    asked: int
    """Replications there will be."""
    names: tuple[str, ...]
    """Of the scenarios, the base first."""
    document: Document | None
    """The comparison's; None where there is nothing to hold against the base."""
    days: list[Day]
    """How the day goes."""


Question = StudyQuestion[Comparison] | StudyRun


def question_of(scenarios: tuple[Scenario, ...], **options: Any) -> Question:
    """How a scenario does against the first one; or of a single one, how its day goes."""
    options |= {"engine": "compiled", "keep_series": True, "progress": None}
    return compare(*scenarios, **options) if len(scenarios) > 1 else run_of(scenarios, **options)


def found_in(question: Question, asked: int) -> Found:
    """What the replications that are there without a gap say."""
    study, comparison = question.study, None
    there = study.without_gap
    if isinstance(question, StudyQuestion):
        comparison = question.answer
        there = range(comparison.findings.replications)
    document = None if comparison is None else comparison.document()
    return Found(len(there), asked, tuple(study.labels), document, days(study, there))


async def answers(
    work: Work, cache: RunCache, scenarios: tuple[Scenario, ...], replications: int, seed: int
) -> AsyncGenerator[Found, None]:
    """What is found, from few replications and then from more; the last is from all."""
    ask = partial(question_of, executor=work.executor, cache=cache, seed=seed)
    question = await work.run(ask, scenarios, replications=range(replications))
    came = asyncio.Event()
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
            there = _whole(question.study)
            if there > shown and (is_over or there >= due):
                found = await work.run(found_in, question, replications)
                shown, due = found.replications, found.replications * GROWTH
                yield found
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def _read(question: Question, came: asyncio.Event) -> None:
    async with aclosing(question.__aiter__()) as replications:  # type: ignore[type-var]
        async for _ in replications:
            came.set()


def _whole(study: StudyData) -> int:
    """How many replications are there without a gap."""
    return len(study.without_gap) if study.replications else 0


class Asking:
    """Has one question at a time answered, and tells what is found."""

    def __init__(
        self,
        work: Work,
        cache: RunCache,
        show: Callable[[Found], None],
        refuse: Callable[[str], None],
    ) -> None:
        self._work, self._cache = work, cache
        self._show, self._refuse = show, refuse
        self._task: asyncio.Task[None] | None = None

    def ask(self, what_if: WhatIf, replications: int) -> None:
        """Ask how the changed scenario does, or how the base does by itself; nothing else."""
        self.give_up()
        scenarios = (what_if.base, *([what_if.changed] if what_if.is_compared else []))
        self._task = asyncio.create_task(self._answer(scenarios, replications, what_if.seed))

    def give_up(self) -> None:
        """Have nothing more answered."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, scenarios: tuple[Scenario, ...], replications: int, seed: int) -> None:
        try:
            found = answers(self._work, self._cache, scenarios, replications, seed)
            async with aclosing(found) as coming:
                async for one in coming:
                    self._show(one)
        except OutsimError as error:
            self._refuse(str(error))
