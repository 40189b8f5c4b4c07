"""A study: many replications of one or more scenarios, as many as an answer needs.

study = Study([top_of_hour, quarter_past], precision={"difference:wait_p90_s": "30s"})
async for replication in study:   # as they finish
...
result = await study              # all of them; study.run() in a script
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing, nullcontext
from itertools import count
from pathlib import Path
from typing import Any, Literal

from outsim.engine import Engine, choose
from outsim.errors import StudyError
from outsim.plan import build_plan
from outsim.progress import Progress, reporting
from outsim.results.checkpoint import is_family
from outsim.results.measures import MEASURES, Measure
from outsim.scenario.model import Scenario
from outsim.studies.comparable import UNLIKE, check_alike
from outsim.studies.estimating import label_scenarios
from outsim.studies.executors import usual_executor
from outsim.studies.input_models import check_drawable
from outsim.studies.members import Switches
from outsim.studies.replication_set import Replication, ReplicationSet
from outsim.studies.replications import Figures, Job, stream
from outsim.studies.stopping import (
    LEAST,
    MOST,
    Precision,
    batch_ends,
    read_precisions,
    read_within,
)
from outsim.studies.storage import Store, Writer, without_series
from outsim.studies.study_result import StudyResult
from outsim.studies.synchronous import run_sync
from outsim.tape import Tape
from outsim.text import bounded

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
        `outsim.studies.stopping.read_precisions`. All of them must be.
    least, most : int
        Replications before the first decision, and at which the study ends anyway. Intervals of
        figures that are far from normal need more of the former.
    within : str, optional
        Time after which the study ends with what it has, such as ``"60s"``. The count reached is
        in the result; asking for as many replications repeats it.
    seed : int, optional
        Seed of all runs; default: that of the first scenario.
    engine : "auto", "simpy" or "compiled"
        Which engine; "auto" goes by the size of the whole study. It never changes a figure.
    executor : Executor or str, optional
        Who does the work: one of the caller's, ``"threads"``, ``"processes"`` or
        ``"dask://HOST:PORT"``; default: threads for the compiled engine, with processes beside
        them for many small runs where the program is a notebook or outsim's own command line;
        else processes.
    measures : tuple of Measure
        Figures to keep, of each scenario's campaign under study.
    out : path, optional
        Directory in which each replication is kept; what it holds already is not run again.
    keep_tables : bool
        Keep the tables of every plain run there, too; replications that are there without their
        tables are run again for them.
    antithetic, stratified : bool
        Make each replication a pair of runs, the draws of one mirrored in the other, or a set of
        four, in which each draw is once in each quarter of its range; with both, of eight. The
        mean of the runs is then the replication's figure, and the replication is the unit as
        ever. Used where they save variance for what they cost, which the first replications
        decide (see `outsim.studies.variance_reduction`); else the study is as without them.
    controls : bool
        Take out of each figure what is due to draws whose mean is known, where that is clear
        (see `outsim.studies.control_variates`).
    input_uncertainty : bool or "drawn"
        Draw the callees anew for each replication, out of what the data of the scenarios'
        calibrations leave open: the same for all scenarios. Intervals then hold what the
        scenarios would give with the true callees, and `Findings.uncertainty` says how much of
        each is luck of the day and how much thinness of the data. It takes two runs a
        replication. A precision is about the luck alone, since no run makes the data thicker.
        "drawn" takes one, for what needs no such interval: the runs are days that the data would
        bear out, and probabilities and quantiles over them are over days and callees; intervals
        of means are those of the mean over all such callees.
    progress : callable, "bar" or None
        Told (runs done, runs in all) after each run; or a bar on a terminal or in a notebook.
    unlike : collection of str
        What may differ in scenarios though it makes a figure mean two things: kinds of
        `outsim.studies.comparable.UNLIKE`. Scenarios that differ in another one are refused.

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
        least: int | None = None,
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
        input_uncertainty: bool | Literal["drawn"] = False,
        unlike: Collection[str] = (),
    ) -> None:
        self.scenarios = (scenarios,) if isinstance(scenarios, Scenario) else tuple(scenarios)
        self.measures = measures
        self.precisions = read_precisions(precision or {}, measures)
        self._batches = _batches(replications, self.precisions, within, least, most)
        self._within_s = read_within(within)
        drawn = input_uncertainty == "drawn"
        self._unlike = tuple(each for each in UNLIKE if each in unlike)
        self.switches = Switches(
            antithetic, stratified, controls, bool(input_uncertainty) and not drawn, drawn
        )
        self._check()
        self.seed = self.scenarios[0].seed if seed is None else seed
        self._end = self._batches[-1].stop
        self._progress = progress
        self._units = ReplicationSet(self.switches)
        self._is_family = len(self.scenarios) > 1 and is_family(self.scenarios)
        if self.switches.draws_callees:
            first = self.scenarios[0].uncertainty
            self._is_family &= all(each.uncertainty == first for each in self.scenarios)
        places, count = len(self.scenarios), len(self._batches[0])
        # It takes a plan to know: only where the engine or the executor is left open.
        calls = self._calls() if engine == "auto" or executor is None else 0
        # One choice for the whole study: many small runs are worth a quick engine too.
        self.engine = choose(engine, calls * count)
        self._executor = executor or usual_executor(self.engine, count * places, calls // places)
        self._store = None
        if out is not None:
            self._store = Store.of(
                Path(out),
                self.scenarios,
                self.seed,
                measures,
                keep_tables,
                self.switches,
                self._unlike,
            )
            for index, figures in self._store.read().items():
                self._units.add(Replication(index, figures))

    def _check(self) -> None:
        if not self.scenarios:
            raise StudyError("no scenario given: a study needs one or more")
        for scenario in self.scenarios:
            if scenario.campaign_under_study is None:
                raise StudyError(
                    f"scenario {scenario.name!r} has no campaign to study; add one, or name it "
                    "under [study]"
                )
        check_alike(self.scenarios, self.measures, self._unlike)
        if len(self.scenarios) == 1 and any(p.of_difference for p in self.precisions):
            raise StudyError("precision of a difference: it takes two scenarios to differ")
        if self.switches.draws_callees:
            check_drawable(self.scenarios)
            if self.switches.saving:
                raise StudyError(
                    f"input uncertainty and {', '.join(self.switches.saving)}: give one or the "
                    "other; ways of saving variance narrow the part that is luck alone"
                )

    def _calls(self) -> int:
        """Calls of one replication, about."""
        looked_at = self.scenarios[:1] if self._is_family else self.scenarios
        calls = sum(build_plan(each, Tape(self.seed)).calls_begun for each in looked_at)
        return calls * len(self.scenarios) // len(looked_at)

    # Running

    async def __aiter__(self) -> AsyncGenerator[Replication, None]:
        """Replications as they finish; of each batch, those that are there already come first."""
        clock = asyncio.get_running_loop().time
        deadline = None if self._within_s is None else clock() + self._within_s
        given: set[int] = set()
        for batch in self._batches:
            # What is there beyond the batch has no say: it would decide, and differ, by chance.
            self._end = batch.stop
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
            if self._is_enough() or (deadline is not None and clock() >= deadline):
                return

    async def _run(
        self, missing: list[int], deadline: float | None
    ) -> AsyncGenerator[Replication, None]:
        """Run replications, keep each once it is whole, and give it out, while there is time."""
        if not missing:
            return
        parts: dict[int, list[Figures]] = {index: [] for index in missing}
        with nullcontext() if self._store is None else self._store.at_work() as writer:
            jobs = [job for index in missing for job in self._jobs(index, writer)]
            done, runs = 0, sum(len(job.places) * len(job.members) for job in jobs)
            async with aclosing(stream(jobs, self._executor)) as finished:
                with reporting(self._progress) as report:
                    while (figures := await _next(finished, deadline)) is not None:
                        done += len(figures)
                        report(done, runs)
                        index = figures[0].replication
                        mine = parts[index]
                        mine.extend(figures)
                        if len(mine) == len(self.scenarios) * len(self._units.members(index)):
                            yield self._keep(mine, writer)

    def _jobs(self, index: int, writer: Writer | None) -> Iterator[Job]:
        places = range(len(self.scenarios))
        size = len(places) if self._is_family else TOGETHER
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
                series=writer is not None,
                tables=None if writer is None else writer.tables_of(index),
                members=self._units.members(index),
                controls=self.switches.controls,
                draws_callees=self.switches.draws_callees,
            )

    def _keep(self, figures: list[Figures], writer: Writer | None) -> Replication:
        figures.sort(key=lambda each: (each.place, each.member))
        index = figures[0].replication
        if writer is not None:
            writer.write(index, figures)
        replication = Replication(index, without_series(figures))
        self._units.add(replication)
        return replication

    def _is_enough(self) -> bool:
        return bool(self.precisions) and all(map(self.findings.is_reached, self.precisions))

    # What was found

    @property
    def findings(self) -> StudyResult:
        """Estimates from the replications that are there without a gap, in their order.

        They end where the study does: replications beyond, which a larger study may have left in
        the directory, are not in them.

        Raises
        ------
        StudyError
            If there are none.
        """
        first = self._batches[0].start
        end = next(i for i in count(first) if i == self._end or not self._units.is_there(i))
        if end == first:
            raise StudyError("no replication is over: give the study more time")
        indexes = range(first, end)
        figures, reductions = self._units.counted(indexes)
        return StudyResult(
            scenarios=self.scenarios,
            seed=self.seed,
            indexes=indexes,
            figures=tuple(each for column in zip(*figures, strict=True) for each in column),
            measures=self.measures,
            precisions=self.precisions,
            switches=self.switches,
            reductions=reductions,
            swapped=self._units.swapped(indexes),
        )

    async def _all(self) -> StudyResult:
        async with aclosing(self.__aiter__()) as replications:
            async for _ in replications:
                pass
        return self.findings

    def __await__(self) -> Generator[Any, None, StudyResult]:
        """Wait for all replications; what they say is what `findings` gives."""
        return self._all().__await__()

    def __repr__(self) -> str:
        names = " against ".join(label_scenarios([each.name for each in self.scenarios]))
        return bounded(
            f"Study({names}; seed {self.seed}; await it, or call run(), for what it finds)", 1_900
        )

    def run(self) -> StudyResult:
        """Wait for all replications, in a script or a cell."""
        return run_sync(self._all())


async def _next(
    finished: AsyncGenerator[tuple[Figures, ...], None], deadline: float | None
) -> tuple[Figures, ...] | None:
    """Figures of the next job that is done; None if there is none, or the time is up."""
    try:
        async with asyncio.timeout_at(deadline) as timeout:
            return await anext(finished)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        if timeout.expired():
            return None
        raise  # a run's own, such as that of a disk far away


MOST_NUMBERED = 2**63 - 1
"""No replication has a higher number."""


def _batches(
    replications: int | range | None,
    precisions: tuple[Precision, ...],
    within: str | None,
    least: int | None,
    most: int,
) -> tuple[range, ...]:
    """What is run between two decisions; each batch begins with what the one before had."""
    if most < 2 or (least is not None and not 2 <= least <= most):
        raise StudyError(
            f"least = {least}, most = {most}: the least is 2 or more, or there is no interval, "
            "and not above the most"
        )
    if replications is not None:
        asked = range(replications) if isinstance(replications, int) else replications
        if asked.step != 1 or asked.start < 0 or asked.stop > MOST_NUMBERED or not asked:
            given = replications if asked.stop <= MOST_NUMBERED else "beyond 2**63"
            raise StudyError(f"replications {given!r}: give a count, or a range such as 20:50")
        if precisions or within:
            raise StudyError(
                "replications, and a precision or a time: give one or the other; least and most "
                "bound how many it takes"
            )
        return (asked,)
    if not precisions:
        return (range(most if within else LEAST),)
    return tuple(range(end) for end in batch_ends(LEAST if least is None else least, most))
