"""Runs of a study, side by side, as an asynchronous stream.

What comes back is small: the measures of each run, not its tables. A run depends on nothing but
its scenario, seed and replication, so neither the executor nor the order in which runs finish can
change a number.

A replication is one run of each scenario, or several: an antithetic pair, a stratified set, two
with input uncertainty (on one tape, with its own callees and with its partner's). Each of them has
the distribution of a plain run, and the plain run is among them; they are not independent, so the
replication is the unit, with the mean of its runs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from outsim.disk import translate_disk_errors
from outsim.engine import Engine, execute
from outsim.engine.records import MODEL_VERSION
from outsim.errors import StudyError
from outsim.plan import build_plan, build_sibling
from outsim.progress import Progress
from outsim.results.everybody import Everybody
from outsim.results.measures import MEASURES, Measure
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.run_tables import RunTables
from outsim.scenario.memory import runs_that_fit
from outsim.scenario.model import Scenario
from outsim.studies.control_variates import controls_of
from outsim.studies.executors import open_executor
from outsim.studies.input_uncertainty import paired_replication, with_drawn_callees
from outsim.studies.synchronous import defer_interrupts
from outsim.tape import STRATA, Tape
from outsim.text import brief

if TYPE_CHECKING:
    import pandas as pd


class Run(NamedTuple):
    """Which run of a replication it is."""

    stratum: int = 0
    """Which of the stratified runs; 0 where there is no other."""
    mirrored: bool = False
    """Whether it is the second of an antithetic pair."""
    swapped: bool = False
    """Whether it has the callees of the paired replication."""

    def tape_of(self, plain: Tape) -> Tape:
        """Tape of this run, from the one of the plain run."""
        tape = plain.in_stratum(self.stratum) if self.stratum else plain
        return tape.mirrored() if self.mirrored else tape


PLAIN_RUN, SWAPPED_RUN = Run(), Run(swapped=True)

Runs = tuple[Run, ...]


def runs_of(*, antithetic: bool = False, stratified: bool = False, swapped: bool = False) -> Runs:
    """Runs of a replication, the plain one first."""
    return tuple(
        Run(stratum, mirrored, with_partners)
        for stratum in (range(STRATA) if stratified else (0,))
        for mirrored in ((False, True) if antithetic else (False,))
        for with_partners in ((False, True) if swapped else (False,))
    )


DRAWING = ("input_uncertainty", "drawn_callees")
"""Switches by which callees are drawn."""


@dataclass(frozen=True)
class VarianceReduction:
    """Ways of getting narrower intervals that a study may use where they help, or honest ones."""

    antithetic: bool = False
    stratified: bool = False
    controls: bool = False
    input_uncertainty: bool = False
    """Whether callees are drawn anew for each replication, and paired ones swap them."""
    drawn_callees: bool = False
    """Whether callees are drawn, and nobody swaps them."""

    @property
    def runs(self) -> Runs:
        """Runs of a replication if all of them are used."""
        return runs_of(
            antithetic=self.antithetic, stratified=self.stratified, swapped=self.input_uncertainty
        )

    @property
    def reduces_runs(self) -> bool:
        """Whether a replication's measures are the means over several runs, where they help."""
        return self.antithetic or self.stratified

    @property
    def names(self) -> list[str]:
        """Names of those that are on."""
        return [name for name, is_on in vars(self).items() if is_on]

    @property
    def methods(self) -> list[str]:
        """Names of the ways of saving variance that are on."""
        return [name for name in self.names if name not in DRAWING]

    @property
    def draws_callees(self) -> bool:
        """Whether each replication has callees of its own."""
        return self.input_uncertainty or self.drawn_callees


NONE = VarianceReduction()


@dataclass(frozen=True)
class Job:
    """One replication of some scenarios of a study: some runs of each, on one tape a run."""

    positions: tuple[int, ...]
    """Which of the study's scenarios they are."""
    scenarios: tuple[Scenario, ...]
    seed: int
    replication: int
    engine: Engine = "auto"
    measures: tuple[Measure, ...] = MEASURES
    is_family: bool = False
    """Whether they differ only in what is to come, and share their past."""
    series: bool = False
    """Whether the state of the platform is kept minute by minute."""
    tables: Path | None = None
    """Directory to write the tables of each plain run to, each in one by its position."""
    runs: Runs = (PLAIN_RUN,)
    """Runs of each scenario."""
    controls: bool = False
    """Whether to tell of each run how its draws differ from their means."""
    draws_callees: bool = False
    """Whether each run has callees that the scenarios' calibrations would bear out as well."""
    model_version: int = MODEL_VERSION
    """Model of whoever asks: no other may do the work."""


@dataclass(frozen=True)
class RunMeasures:
    """What a study keeps of one run."""

    __repr__ = brief

    scenario: int
    """Its position among the study's scenarios."""
    replication: int
    measures: dict[str, float]
    attempts: int
    background_share: float
    series: pd.DataFrame | None = None
    """As `Result.timeline` has it, one row a minute; None where that is not kept."""
    run: Run = PLAIN_RUN
    controls: dict[str, float] = field(default_factory=dict)
    """What each control is less its known mean; see `outsim.studies.control_variates`."""


def run_job(job: Job, stopped: threading.Event | None = None) -> tuple[RunMeasures, ...]:
    """Make the runs of one replication and measure them; CancelledError once `stopped` is set."""
    if job.model_version != MODEL_VERSION:
        raise StudyError(
            f"a worker has model version {MODEL_VERSION}, and the study {job.model_version}: "
            "install the same outsim everywhere"
        )

    def progress(_done_us: int, _ends_us: int) -> None:
        if stopped is not None and stopped.is_set():
            raise CancelledError

    progress(0, 0)
    measured = []
    for run in job.runs:
        tape = run.tape_of(Tape(job.seed, job.replication))
        if len(job.scenarios) > 1:
            tape = tape.remembering()  # what several runs draw is drawn once
        for position, result in _results(job, progress, tape, swapped=run.swapped):
            measured.append(_measured(job, position, run, tape, result))
            if job.tables is not None and run == PLAIN_RUN:
                with translate_disk_errors(job.tables):
                    result.save(job.tables / str(position))
    return tuple(measured)


def _measured(job: Job, position: int, run: Run, tape: Tape, result: Result) -> RunMeasures:
    return RunMeasures(
        scenario=position,
        replication=job.replication,
        measures=Everybody(result).values(job.measures),
        attempts=result.arrays.records.attempts.rows,
        background_share=result.background_share,
        series=result.timeline() if job.series and run == PLAIN_RUN else None,
        run=run,
        controls=controls_of(result.arrays.plan, result.scenario, tape) if job.controls else {},
    )


def _results(
    job: Job, progress: Progress, tape: Tape, *, swapped: bool
) -> Iterator[tuple[int, Result]]:
    """Position and result of each run; what they have in common is drawn and run once."""
    from outsim.results.checkpoint import run_family

    scenarios = job.scenarios
    if job.draws_callees:
        whose = paired_replication(job.replication) if swapped else job.replication
        scenarios = tuple(with_drawn_callees(one, job.seed, whose) for one in scenarios)
    first, *others = scenarios
    plans = [build_plan(first, tape)]
    if job.is_family:
        plans += [build_sibling(plans[0], scenario, tape) for scenario in others]
    else:
        plans += [build_plan(scenario, tape) for scenario in others]
    if job.is_family and job.engine == "compiled":
        runs = ((k, records, "compiled") for k, records in run_family(plans, progress))
    else:
        runs = ((k, *execute(plan, job.engine, progress)) for k, plan in enumerate(plans))
    for k, records, engine in runs:
        scenario = scenarios[k]
        frames = RunTables(RunArrays(scenario, plans[k], records))
        yield job.positions[k], Result(frames, job.seed, job.replication, engine)


async def stream(
    jobs: Iterable[Job], executor: Executor | str | None = None
) -> AsyncGenerator[tuple[RunMeasures, ...], None]:
    """Measures of each job, as they come; what has not begun when it is closed never begins."""
    waiting = list(jobs)
    stopped = threading.Event()
    engine: Engine = "compiled" if all(job.engine == "compiled" for job in waiting) else "simpy"
    futures: list[Future[tuple[RunMeasures, ...]]] = []
    results: set[asyncio.Future[tuple[RunMeasures, ...]]] = set()
    coming = iter(waiting)
    if not waiting:
        return
    scenarios = {id(one): one for job in waiting for one in job.scenarios}
    at_once = min(len(waiting), runs_that_fit(scenarios.values()))
    with open_executor(executor, at_once, engine) as workers:
        work: Callable[[Job], tuple[RunMeasures, ...]] = run_job
        if workers.shares_memory:
            work = partial(run_job, stopped=stopped)
        try:
            while True:
                # What is handed over must be taken back at the end, against jobs that still run.
                with defer_interrupts():
                    for job in islice(coming, workers.prefetch - len(results)):
                        futures.append(workers.executor.submit(work, job))
                        results.add(asyncio.wrap_future(futures[-1]))
                if not results:
                    return
                done, _ = await asyncio.wait(results, return_when=asyncio.FIRST_COMPLETED)
                for result in done:
                    if result.cancelled():
                        raise StudyError(
                            "whoever does the work gave a run up: is the scheduler gone? Start "
                            "it again, and the study with the same --directory goes on where "
                            "it was"
                        )
                    measured = await result
                    results.remove(result)
                    yield measured
        except workers.lost_worker_errors as error:
            if results:
                await asyncio.wait(results)  # the executor is about to fail each of them
            raise StudyError(
                "a process of the study died; was it killed, or short of memory? Try again with "
                "fewer at once. In a script, a study must be under: if __name__ == '__main__'"
            ) from error
        finally:
            # First of all: threads that go on with their work keep this one from its own.
            stopped.set()
            # Errors of those that failed are looked at: one of them was raised, which will do.
            for future in futures:
                future.cancel()
            for result in results:
                if not result.cancel() and not result.cancelled():
                    result.exception()
