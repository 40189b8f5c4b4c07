"""A study: many replications of one or more scenarios, as many as an answer needs.

study = Study([top_of_hour, quarter_past], precision={"difference:wait_p90_s": "30s"})
async for replication in study:   # as they finish
...
result = await study              # all of them; study.run() in a script
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from itertools import count
from pathlib import Path
from typing import Any, Literal

from outsim.branching import is_family
from outsim.clock import SECOND, parse_duration_us
from outsim.engine import Engine, choose
from outsim.errors import StudyError
from outsim.plan import build_plan
from outsim.progress import Progress, reporting
from outsim.scenario.model import Scenario
from outsim.study.findings import Findings
from outsim.study.members import Switches
from outsim.study.replications import Figures, Job, stream
from outsim.study.stopping import LEAST, MOST, Precision, batch_ends, read_precisions
from outsim.study.storage import Store
from outsim.study.synchronous import run_sync
from outsim.study.units import Replication, Units
from outsim.tables.measures import MEASURES, Measure
from outsim.tape import Tape

TOGETHER = 16
"""Scenarios that one job runs at most, where they share no past: what they draw is drawn once."""


class Study:
    """Replications of scenarios, paired: each gives all of them the same tape.

    Parameters
    ----------
    scenarios : Scenario or sequence of Scenario
        What to run; the first is the one that others are held against.
    replications : int or range, optional
        How many, or which; default: 20, if no precision is asked for.
    precision : mapping, optional
        Run until intervals are as narrow as this, by figure: see
        `outsim.study.stopping.read_precisions`. All of them must be.
    least, most : int
        Replications before the first decision, and at which the study ends anyway.
    within : str, optional
        Time after which the study ends with what it has, such as ``"60s"``. The count reached is
        in the result; asking for as many replications repeats it.
    seed : int, optional
        Seed of all runs; default: that of the first scenario.
    engine : "auto", "simpy" or "compiled"
        Which engine; "auto" goes by the size of the whole study. It never changes a figure.
    executor : Executor or str, optional
        Who does the work: one of the caller's, ``"threads"``, ``"processes"`` or
        ``"dask://HOST:PORT"``; default: threads for the compiled engine, else processes.
    measures : tuple of Measure
        Figures to keep, of each scenario's campaign under study.
    out : path, optional
        Directory in which each replication is kept; what it holds already is not run again.
    keep_tables : bool
        Keep the tables of every plain run there, too.
    antithetic, stratified : bool
        Make each replication a pair of runs, the draws of one mirrored in the other, or a set of
        four, in which each draw is once in each quarter of its range; with both, of eight. The
        mean of the runs is then the replication's figure, and the replication is the unit as
        ever. Used where they save variance for what they cost, which the first replications
        decide (see `outsim.study.reduction`); else the study is as without them.
    controls : bool
        Take out of each figure what is due to draws whose mean is known, where that is clear
        (see `outsim.study.controls`).
    progress : callable, "bar" or None
        Told (runs done, runs in all) after each run; or a bar on a terminal or in a notebook.

    Raises
    ------
    StudyError
        If it can't be made as asked; the message says what is allowed.
    """

    def __init__(
        self,
        scenarios: Scenario | Sequence[Scenario],
        *,
        replications: int | range | None = None,
        precision: Mapping[str, str | float] | None = None,
        least: int = LEAST,
        most: int = MOST,
        within: str | None = None,
        seed: int | None = None,
        engine: Engine = "auto",
        executor: Executor | str | None = None,
        measures: tuple[Measure, ...] = MEASURES,
        out: str | Path | None = None,
        keep_tables: bool = False,
        progress: Progress | Literal["bar"] | None = "bar",
        antithetic: bool = False,
        stratified: bool = False,
        controls: bool = False,
    ) -> None:
        self.scenarios = (scenarios,) if isinstance(scenarios, Scenario) else tuple(scenarios)
        self.measures = measures
        self.precisions = read_precisions(precision or {}, measures)
        self._batches = _batches(replications, self.precisions, within, least, most)
        self._within_s = _seconds(within)
        self.switches = Switches(antithetic, stratified, controls)
        self._check()
        self.seed = self.scenarios[0].seed if seed is None else seed
        self._executor = executor
        self._progress = progress
        self._units = Units(self.switches)
        self._tables: dict[int, Path] = {}
        self.engine = self._engine(engine)
        self._is_family = len(self.scenarios) > 1 and is_family(self.scenarios)
        self._store = None
        if out is not None:
            self._store = Store(
                Path(out), self.scenarios, self.seed, measures, keep_tables, self.switches
            )
            for index, runs in self._store.read().items():
                self._units.add(Replication(index, runs))

    def _check(self) -> None:
        if not self.scenarios:
            raise StudyError("no scenario given: a study needs one or more")
        for scenario in self.scenarios:
            if scenario.campaign_under_study is None:
                raise StudyError(
                    f"scenario {scenario.name!r} has no campaign to study; add one, or name it "
                    "under [study]"
                )
        if len(self.scenarios) == 1 and any(p.of_difference for p in self.precisions):
            raise StudyError("precision of a difference: it takes two scenarios to differ")

    def _engine(self, engine: Engine) -> Literal["simpy", "compiled"]:
        """One choice for the whole study: many small runs are worth a quick engine too."""
        calls = sum(build_plan(each, Tape(self.seed)).calls_begun for each in self.scenarios)
        return choose(engine, calls * len(self._batches[0]))

    # Running

    async def __aiter__(self) -> AsyncGenerator[Replication, None]:
        """Replications as they finish; of each batch, those that are there already come first."""
        deadline = None if self._within_s is None else time.monotonic() + self._within_s
        given: set[int] = set()
        for batch in self._batches:
            for part in self._units.parts(batch):
                there = [index for index in part if self._units.is_there(index)]
                for index in there:
                    if index not in given:
                        yield self._units[index]
                missing = [index for index in part if index not in there]
                async with aclosing(self._run(missing, deadline)) as finished:
                    async for replication in finished:
                        yield replication
                given.update(part)
            if self._is_enough() or (deadline is not None and time.monotonic() >= deadline):
                return

    async def _run(
        self, missing: list[int], deadline: float | None
    ) -> AsyncGenerator[Replication, None]:
        """Run replications, keep each once it is whole, and give it out, while there is time."""
        parts: dict[int, list[Figures]] = {index: [] for index in missing}
        jobs = [job for index in missing for job in self._jobs(index)]
        done, runs = 0, sum(len(job.places) * len(job.members) for job in jobs)
        async with aclosing(stream(jobs, self._executor)) as finished:
            with reporting(self._progress) as report:
                while True:
                    left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
                    try:
                        figures = await asyncio.wait_for(anext(finished), left_s)
                    except (StopAsyncIteration, TimeoutError):
                        return
                    done += len(figures)
                    report(done, runs)
                    mine = parts[figures[0].replication]
                    mine.extend(figures)
                    whole = len(self.scenarios) * len(self._units.members(figures[0].replication))
                    if len(mine) == whole:
                        yield self._keep(mine)

    def _jobs(self, index: int) -> Iterator[Job]:
        places = range(len(self.scenarios))
        size = len(places) if self._is_family else TOGETHER
        tables = self._store.tables_of(index) if self._store is not None else None
        if tables is not None:
            self._tables[index] = tables
        for first in places[::size]:
            chosen = tuple(places[first : first + size])
            yield Job(
                places=chosen,
                scenarios=tuple(self.scenarios[place] for place in chosen),
                seed=self.seed,
                replication=index,
                engine=self.engine,
                measures=self.measures,
                is_family=self._is_family,
                series=self._store is not None,
                tables=tables,
                members=self._units.members(index),
                controls=self.switches.controls,
            )

    def _keep(self, figures: list[Figures]) -> Replication:
        figures.sort(key=lambda each: (each.place, each.member))
        replication = Replication(figures[0].replication, tuple(figures))
        if self._store is not None:
            tables = self._tables.pop(replication.index, None)
            self._store.write(replication.index, replication.runs, tables)
        self._units.add(replication)
        return replication

    def _is_enough(self) -> bool:
        findings = self.findings
        return bool(self.precisions) and all(map(findings.is_reached, self.precisions))

    # What was found

    @property
    def findings(self) -> Findings:
        """Estimates from the replications that are there without a gap, in their order.

        Raises
        ------
        StudyError
            If there are none.
        """
        first, last = self._batches[0].start, self._batches[-1].stop
        end = next(
            index for index in count(first) if index == last or not self._units.is_there(index)
        )
        if end == first:
            raise StudyError("no replication is over: give the study more time")
        indexes = range(first, end)
        figures, reductions = self._units.counted(indexes)
        return Findings(
            scenarios=self.scenarios,
            seed=self.seed,
            indexes=indexes,
            figures=tuple(each for column in zip(*figures, strict=True) for each in column),
            measures=self.measures,
            precisions=self.precisions,
            switches=self.switches,
            reductions=reductions,
        )

    async def _all(self) -> Findings:
        async with aclosing(self.__aiter__()) as replications:
            async for _ in replications:
                pass
        return self.findings

    def __await__(self) -> Generator[Any, None, Findings]:
        """Wait for all replications; what they say is what `findings` gives."""
        return self._all().__await__()

    def run(self) -> Findings:
        """Wait for all replications, in a script or a cell."""
        return run_sync(self._all())


def _batches(
    replications: int | range | None,
    precisions: tuple[Precision, ...],
    within: str | None,
    least: int,
    most: int,
) -> tuple[range, ...]:
    """What is run between two decisions; each batch begins with what the one before had."""
    if replications is not None:
        asked = range(replications) if isinstance(replications, int) else replications
        if asked.step != 1 or asked.start < 0 or not asked:
            raise StudyError(
                f"replications {replications!r}: give a count, or a range such as 20:50"
            )
        if precisions or within:
            raise StudyError(
                "replications, and a precision or a time: give one or the other; least and most "
                "bound how many it takes"
            )
        return (asked,)
    if not precisions:
        return (range(most if within else LEAST),)
    return tuple(range(end) for end in batch_ends(least, most))


def _seconds(within: str | None) -> float | None:
    try:
        return None if within is None else parse_duration_us(within) / SECOND
    except ValueError as error:
        raise StudyError(f"within {within!r}: {error}") from None
