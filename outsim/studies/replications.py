"""Replications of a study, side by side, as an asynchronous stream.

The work goes to any `concurrent.futures.Executor`; what comes back is small: the
figures of each run, not its tables. A run depends on nothing but its scenario, seed
and replication, so neither the executor nor the order in which runs finish can
change a figure.
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
from typing import TYPE_CHECKING

from outsim.disk import translate_disk_errors
from outsim.engine import Engine, execute
from outsim.engine.records import MODEL_VERSION
from outsim.errors import StudyError
from outsim.plan import build_plan, build_sibling
from outsim.progress import Progress
from outsim.results.measures import MEASURES, Measure, measure
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.run_tables import RunTables
from outsim.scenario.campaigns import ALL_CALLS
from outsim.scenario.memory import runs_that_fit
from outsim.scenario.model import Scenario
from outsim.studies.control_variates import controls_of
from outsim.studies.executors import interrupts_held, workforce
from outsim.studies.input_models import partner, with_drawn_callees
from outsim.studies.members import PLAIN, Member, Members
from outsim.tape import Tape
from outsim.text import brief

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Job:
    """One replication of some scenarios of a study: a run of each, on one tape.

    With antithetic or stratified runs there are several of each, and a tape for each.
    """

    places: tuple[int, ...]
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
    """Directory to write the tables of each plain run to, each in one by its place."""
    members: Members = (PLAIN,)
    """Runs of each scenario."""
    controls: bool = False
    """Whether to tell of each run how lucky its draws were."""
    draws_callees: bool = False
    """Whether each run has callees that the scenarios' calibrations would bear out as well."""
    model_version: int = MODEL_VERSION
    """Model of whoever asks: no other may do the work."""


@dataclass(frozen=True)
class Figures:
    """What a study keeps of one run."""

    __repr__ = brief

    place: int
    """Which of the study's scenarios it is."""
    replication: int
    measures: dict[str, float]
    """By name; the means over the runs where the replication has several."""
    attempts: int
    background_share: float
    series: pd.DataFrame | None = None
    """As `Result.timeline` has it, one row a minute; None where that is not kept."""
    member: Member = PLAIN
    """Which run of the replication it is."""
    controls: dict[str, float] = field(default_factory=dict)
    """What each control is less its known mean; see `outsim.studies.control_variates`."""


def run_job(job: Job, stopped: threading.Event | None = None) -> tuple[Figures, ...]:
    """Make the runs of one replication and measure them; give up if it is no longer wanted.

    Raises
    ------
    concurrent.futures.CancelledError
        If `stopped` was set meanwhile.
    StudyError
        If it was asked for by an outsim with another model, or tables can't be written.
    """
    if job.model_version != MODEL_VERSION:
        raise StudyError(
            f"a worker has model version {MODEL_VERSION}, and the study {job.model_version}: "
            "install the same outsim everywhere"
        )

    def progress(_done_us: int, _ends_us: int) -> None:
        if stopped is not None and stopped.is_set():
            raise CancelledError

    progress(0, 0)
    figures = []
    for member in job.members:
        tape = tape_of(job, member)
        for place, result in results_of(job, progress, tape, swapped=member.swapped):
            figures.append(_figures(job, place, member, tape, result))
            if job.tables is not None and member == PLAIN:
                with translate_disk_errors(job.tables):
                    result.save(job.tables / str(place))
    return tuple(sorted(figures, key=lambda each: (each.place, each.member)))


def _figures(job: Job, place: int, member: Member, tape: Tape, result: Result) -> Figures:
    return Figures(
        place=place,
        replication=job.replication,
        measures=measure(
            result.measure_view(result.scenario.campaign_under_study or ALL_CALLS), job.measures
        ),
        attempts=result.arrays.records.attempts.rows,
        background_share=result.background_share,
        series=result.timeline() if job.series and member == PLAIN else None,
        member=member,
        controls=controls_of(result.arrays.plan, result.scenario, tape) if job.controls else {},
    )


def tape_of(job: Job, member: Member = PLAIN) -> Tape:
    """Tape of the runs of a job; it remembers what several of them draw."""
    tape = member.tape_of(Tape(job.seed, job.replication))
    return tape.remembering() if len(job.scenarios) > 1 else tape


def results_of(
    job: Job, progress: Progress, tape: Tape | None = None, *, swapped: bool = False
) -> Iterator[tuple[int, Result]]:
    """Place and result of each run of a job; what they have in common is drawn and run once.

    They are the plain runs, if no other tape is given; or those with the callees of the
    replication's partner.
    """
    from outsim.results.checkpoint import run_family

    tape = tape or tape_of(job)
    scenarios = job.scenarios
    if job.draws_callees:
        whose = partner(job.replication) if swapped else job.replication
        scenarios = tuple(with_drawn_callees(each, job.seed, whose) for each in scenarios)
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
        yield job.places[k], Result(frames, job.seed, job.replication, engine)


async def stream(
    jobs: Iterable[Job], executor: Executor | str | None = None
) -> AsyncGenerator[tuple[Figures, ...], None]:
    """Figures of each job, as they come.

    Who does the work is said as for `outsim.studies.executors.workforce`. When the stream is
    closed or cancelled, what has not begun never begins, and what has begun in threads or
    processes of its own ends within a second.

    Raises
    ------
    StudyError
        If a process died, for example for lack of memory, or a scheduler is gone.
    """
    waiting = list(jobs)
    stopped = threading.Event()
    engine: Engine = "compiled" if all(job.engine == "compiled" for job in waiting) else "simpy"
    futures: list[Future[tuple[Figures, ...]]] = []
    results: set[asyncio.Future[tuple[Figures, ...]]] = set()
    coming = iter(waiting)
    if not waiting:
        return
    scenarios = {id(each): each for job in waiting for each in job.scenarios}
    at_once = min(len(waiting), runs_that_fit(scenarios.values()))
    with workforce(executor, at_once, engine) as force:
        work: Callable[[Job], tuple[Figures, ...]] = run_job
        if force.shares_memory:
            work = partial(run_job, stopped=stopped)
        try:
            while True:
                # What is handed over must be taken back at the end, against jobs that still run.
                with interrupts_held():
                    for job in islice(coming, force.ahead - len(results)):
                        futures.append(force.executor.submit(work, job))
                        results.add(asyncio.wrap_future(futures[-1]))
                if not results:
                    return
                done, _ = await asyncio.wait(results, return_when=asyncio.FIRST_COMPLETED)
                for result in done:
                    if result.cancelled():
                        raise StudyError(
                            "whoever does the work gave a run up: is the scheduler gone? Start "
                            "it again, and the study with the same --out goes on where it was"
                        )
                    figures = await result
                    results.remove(result)
                    yield figures
        except force.deaths as error:
            if results:
                await asyncio.wait(results)  # the executor is about to fail each of them
            raise StudyError(
                "a process of the study died; was it killed, or short of memory? Try again with "
                "fewer at once. In a script, a study must be under: if __name__ == '__main__'"
            ) from error
        finally:
            # First of all: threads that go on with their work keep this one from its own.
            stopped.set()
            # Errors of those that failed are looked at: one of them was told, which will do.
            for future in futures:
                future.cancel()
            for result in results:
                if not result.cancel() and not result.cancelled():
                    result.exception()
