"""A study as it is run: replications as they finish, until there are enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, aclosing
from itertools import count
from typing import Any, Literal

from outsim.engine import Engine, choose
from outsim.errors import StudyError
from outsim.plan import build_plan
from outsim.progress import Progress, reporting
from outsim.results.checkpoint import is_family
from outsim.studies.executors import usual_executor
from outsim.studies.run_array import RunArray
from outsim.studies.run_cache import RunCache, owner_of
from outsim.studies.runs import Job, RunMeasures, stream
from outsim.studies.stopping import Precision
from outsim.studies.storage import Writer
from outsim.studies.study_data import StudyData
from outsim.studies.study_result import StudyResult
from outsim.studies.synchronous import run_sync
from outsim.studies.variance_reduction import PILOT
from outsim.tape import Tape

TOGETHER = 16
"""Scenarios that one job runs at most, where they share no past: what they draw is drawn once."""


class StudyRun:
    """A study as it is run: awaited, streamed, or run to its end; see `Study.stream`."""

    def __init__(
        self,
        study: StudyData,
        batches: tuple[range, ...],
        precisions: tuple[Precision, ...],
        timeout_s: float | None,
        engine: Engine,
        executor: Executor | str | None,
        progress: Progress | Literal["bar"] | None,
        cache: RunCache | None = None,
    ) -> None:
        self.study = study
        self.precisions = precisions
        self._batches, self._timeout_s, self._progress = batches, timeout_s, progress
        self._cache, self._owners = cache, _owners(study, cache)
        self._end = batches[-1].stop
        scenarios = study.scenarios
        self._is_family = len(scenarios) > 1 and is_family(scenarios)
        if study.switches.draws_callees:
            first = scenarios[0].uncertainty
            self._is_family &= all(scenario.uncertainty == first for scenario in scenarios)
        runs = len(scenarios) * len(batches[0])
        # It takes a plan to know: only where the engine or the executor is left open.
        calls = self._calls() if engine == "auto" or executor is None else 0
        # One choice for the whole study: many small runs are worth a quick engine too.
        self.engine = choose(engine, calls * len(batches[0]))
        self._executor = executor or usual_executor(self.engine, runs, calls // len(scenarios))
        self._there = {*study.storage.indexes()}

    def _calls(self) -> int:
        """Calls of one replication, about."""
        scenarios = self.study.scenarios
        planned = scenarios[:1] if self._is_family else scenarios
        calls = sum(build_plan(one, Tape(self.study.seed)).calls_begun for one in planned)
        return calls * len(scenarios) // len(planned)

    async def __aiter__(self) -> AsyncGenerator[RunArray, None]:
        """Replications as they finish; of each batch, those that are there already come first."""
        clock = asyncio.get_running_loop().time
        deadline = None if self._timeout_s is None else clock() + self._timeout_s
        handed_out: set[int] = set()
        with ExitStack() as stack:
            progress = _Counted(stack, self._progress)
            for batch in self._batches:
                # What is there beyond the batch has no say: it would decide by chance.
                self._end = batch.stop
                for part in self._parts(batch):
                    there = [index for index in part if self._is_there(index)]
                    for index in there:
                        if index not in handed_out:
                            yield self.study.storage.runs(index)
                    missing = [index for index in part if index not in there]
                    async with aclosing(self._run(missing, deadline, progress)) as finished:
                        async for replication in finished:
                            yield replication
                    handed_out.update(part)
                if self._is_enough() or (deadline is not None and clock() >= deadline):
                    return

    def _parts(self, batch: range) -> tuple[range, ...]:
        """A batch, parted where it is decided how many runs a replication has from there on."""
        if not self.study.switches.reduces_runs or not batch.start < PILOT < batch.stop:
            return (batch,)
        return range(batch.start, PILOT), range(PILOT, batch.stop)

    def _is_there(self, index: int) -> bool:
        """Whether a replication is there with the runs that it has to have."""
        study = self.study
        return index in self._there and (
            {*study.runs_needed(index)} <= {*study.storage.runs(index).runs}
        )

    async def _run(
        self, missing: list[int], deadline: float | None, progress: _Counted
    ) -> AsyncGenerator[RunArray, None]:
        """Run replications, keep each once it is whole, and give it out, while there is time."""
        if not missing:
            return
        with self.study.storage.writing() as writer:
            parts = {index: self._in_cache(index, writer) for index in missing}
            for index in missing:
                if self._is_whole(index, parts[index]):
                    yield self._keep(index, parts[index], writer)
            jobs = [job for index in missing for job in self._jobs(index, parts[index], writer)]
            if not jobs:
                return
            progress.expect(sum(len(job.positions) * len(job.runs) for job in jobs))
            async with aclosing(stream(jobs, self._executor)) as finished:
                while (measured := await _next(finished, deadline)) is not None:
                    progress.count(len(measured))
                    index = measured[0].replication
                    parts[index].extend(measured)
                    if self._cache is not None:
                        self._cache.add(self._owners, measured)
                    if self._is_whole(index, parts[index]):
                        yield self._keep(index, parts[index], writer)

    def _in_cache(self, index: int, writer: Writer) -> list[RunMeasures]:
        """Runs of a replication that were made already."""
        # Tables are in no cache.
        if self._cache is None or writer.tables_of(index) is not None:
            return []
        runs, series = self.study.runs_needed(index), writer.keeps_series
        return [
            run
            for position, owner in enumerate(self._owners)
            for run in self._cache.find(owner, position, index, runs, series=series)
        ]

    def _is_whole(self, index: int, measured: Sequence[RunMeasures]) -> bool:
        runs = len(self.study.scenarios) * len(self.study.runs_needed(index))
        return len(measured) == runs

    def _keep(self, index: int, measured: Sequence[RunMeasures], writer: Writer) -> RunArray:
        replication = writer.write(index, measured)
        self._there.add(index)
        return replication

    def _jobs(self, index: int, there: Sequence[RunMeasures], writer: Writer) -> Iterator[Job]:
        """Jobs for the scenarios of which there is no run of a replication yet."""
        study = self.study
        positions = sorted({*range(len(study.scenarios))} - {run.scenario for run in there})
        size = max(1, len(positions)) if self._is_family else TOGETHER
        for first in range(0, len(positions), size):
            chosen = tuple(positions[first : first + size])
            yield Job(
                positions=chosen,
                scenarios=tuple(study.scenarios[position] for position in chosen),
                seed=study.seed,
                replication=index,
                engine=self.engine,
                measures=study.measures,
                is_family=self._is_family,
                series=writer.keeps_series,
                tables=writer.tables_of(index),
                runs=study.runs_needed(index),
                controls=study.switches.controls,
                draws_callees=study.switches.draws_callees,
            )

    def _is_enough(self) -> bool:
        return bool(self.precisions) and all(map(self.result.is_reached, self.precisions))

    @property
    def result(self) -> StudyResult:
        """Estimates from the replications of this study that are there without a gap.

        Raises
        ------
        StudyError
            If there are none.
        """
        if not (there := self.without_gap):
            raise StudyError("no replication is over: give the study more time")
        return self.study.result_of(there, self.precisions)

    @property
    def planned(self) -> int:
        """How many replications there will be; 0 where a precision or the time decides."""
        is_open = bool(self.precisions) or self._timeout_s is not None
        return 0 if is_open else len(self._batches[-1])

    @property
    def without_gap(self) -> range:
        """Replications of this study from its first one on, up to where one is missing."""
        first = self._batches[0].start
        end = next(i for i in count(first) if i == self._end or not self._is_there(i))
        return range(first, end)

    async def _all(self) -> StudyResult:
        async with aclosing(self.__aiter__()) as replications:
            async for _ in replications:
                pass
        return self.result

    def __await__(self) -> Generator[Any, None, StudyResult]:
        """Wait for all replications; what they say is what `result` gives."""
        return self._all().__await__()

    def run(self) -> StudyResult:
        """Wait for all replications, in a script or a cell."""
        return run_sync(self._all())

    def __repr__(self) -> str:
        return f"StudyRun of {self.study!r}: await it, or call run()"


def _owners(study: StudyData, cache: RunCache | None) -> tuple[Hashable, ...]:
    """Of each scenario, what its runs are found by in a cache."""
    return () if cache is None else tuple(owner_of(study, k) for k in range(len(study.scenarios)))


class _Counted:
    """Runs done of all that are known to be made, told to one bar for the whole study."""

    def __init__(self, stack: ExitStack, progress: Progress | Literal["bar"] | None) -> None:
        self._stack, self._progress = stack, progress
        self._report: Callable[[int, int], None] | None = None
        self._done, self._total = 0, 0

    def expect(self, runs: int) -> None:
        self._total += runs
        if self._report is None:
            self._report = self._stack.enter_context(reporting(self._progress))

    def count(self, runs: int) -> None:
        self._done += runs
        if self._report is not None:
            self._report(self._done, self._total)


async def _next(
    finished: AsyncGenerator[tuple[RunMeasures, ...], None], deadline: float | None
) -> tuple[RunMeasures, ...] | None:
    """Measures of the next job that is done; None if there is none, or the time is up."""
    try:
        async with asyncio.timeout_at(deadline) as timeout:
            return await anext(finished)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        if timeout.expired():
            return None
        raise  # a run's own, such as that of a disk far away
