"""The newest question is answered, first from few replications; older ones are given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from outsim.document import Document
from outsim.live.page.narrowing import narrowing
from outsim.live.page.what_if.bands import Day, days
from outsim.live.page.what_if.changing import WhatIf
from outsim.live.page.work import Work
from outsim.questions.compare import COMPARED, PROMISED, Comparison, compare
from outsim.questions.question import StudyQuestion
from outsim.scenario.lint import advice
from outsim.scenario.model import Scenario
from outsim.studies.run_cache import RunCache
from outsim.studies.study import run_of
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
    """The comparison's; None where there is nothing to compare with the base."""
    days: list[Day]
    """How the day goes."""
    short: list[tuple[str, str]]
    """Measures that most promises are about, and their differences."""


Question = StudyQuestion[Comparison] | StudyRun


def question_of(scenarios: tuple[Scenario, ...], **options: Any) -> Question:
    """How a scenario does against the first one; or of a single one, how its day goes."""
    options |= {"engine": "compiled", "keep_series": True, "progress": None}
    if len(scenarios) > 1:
        return compare(*scenarios, **options)
    return run_of(scenarios, measures=COMPARED, **options)  # the same runs as for a comparison


def found_in(question: Question, asked: int) -> Found:
    """What the replications that are there without a gap say."""
    study, there, document, short = question.study, question.without_gap, None, []
    if isinstance(question, StudyQuestion):
        comparison = question.answer
        # More may have come meanwhile.
        there = range(comparison.findings.replications)
        document = comparison.document()
        findings = comparison.findings
        labels = {findings.label(one) for one in findings.measures if one.name in PROMISED}
        short = [(row[0], row[-1]) for row in document.tables[0].rows if row[0] in labels]
    return Found(len(there), asked, tuple(study.labels), document, days(study, there), short)


def warnings(changed: Scenario, base: Scenario) -> list[str]:
    """What `outsim check` says of a scenario, and not of its base."""
    known = set(map(str, advice(base)))
    return [text for text in map(str, advice(changed)) if text not in known]


def answers(
    work: Work, cache: RunCache, scenarios: tuple[Scenario, ...], replications: int, seed: int
) -> AsyncGenerator[Found, None]:
    """What is found, from few replications and then from more; the last is from all."""

    def ask(executor: Executor, replications: int) -> Question:
        return question_of(
            scenarios,
            replications=range(replications),
            executor=executor,
            cache=cache,
            seed=seed,
        )

    return narrowing(work, ask, partial(found_in, asked=replications), replications)


class Asking:
    """Has one question at a time answered, and tells what is found."""

    def __init__(
        self,
        work: Work,
        cache: RunCache,
        show: Callable[[Found], None],
        warn: Callable[[list[str]], None],
        refuse: Callable[[str], None],
    ) -> None:
        self._work, self._cache = work, cache
        self._show, self._warn, self._refuse = show, warn, refuse
        self._task: asyncio.Task[None] | None = None

    def ask(self, what_if: WhatIf, replications: int) -> None:
        """Ask how the changed scenario does, or how the base does by itself; nothing else."""
        self.give_up()
        scenarios = (what_if.base, *([what_if.changed] if what_if.is_compared else []))
        self._task = self._work.begin(
            self._refuse, self._answer, scenarios, replications, what_if.seed
        )

    def give_up(self) -> None:
        """Have nothing more answered."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, scenarios: tuple[Scenario, ...], replications: int, seed: int) -> None:
        found = answers(self._work, self._cache, scenarios, replications, seed)
        async with aclosing(found) as coming:
            is_first = True
            async for one in coming:
                self._show(one)
                if is_first:
                    is_first = False
                    self._warn(await self._work.run(warnings, scenarios[-1], scenarios[0]))
