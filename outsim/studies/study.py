"""A study: many replications of one or more scenarios, as many as an answer needs.

study = Study([top_of_hour, quarter_past])
result = study.run(precision={"difference:wait_p90_s": "30s"})
async for replication in study.stream(replications=50):   # as they finish
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Executor
from contextlib import ExitStack, aclosing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from outsim.engine import Engine, choose
from outsim.errors import StudyError, unknown_name
from outsim.estimates import quantile_rank
from outsim.plan import build_plan
from outsim.progress import Progress, reporting
from outsim.results.checkpoint import is_family, simulate
from outsim.results.measures import MEASURES, Measure
from outsim.results.result import Result
from outsim.scenario.model import Scenario
from outsim.studies.comparable import UNLIKE, check_alike
from outsim.studies.default_replications import MOST
from outsim.studies.executors import usual_executor
from outsim.studies.identity import check_version, read_identity, scenarios_of
from outsim.studies.input_models import check_drawable, with_drawn_callees
from outsim.studies.run_array import RunArray
from outsim.studies.runs import (
    PLAIN_RUN,
    SWAPPED_RUN,
    Job,
    RunMeasures,
    Runs,
    VarianceReduction,
    runs_of,
    stream,
)
from outsim.studies.stopping import (
    Precision,
    batches_of,
    read_precisions,
    read_timeout,
)
from outsim.studies.storage import DirectoryStorage, MemoryStorage, Storage, Writer
from outsim.studies.study_result import StudyResult, label_scenarios, position_of
from outsim.studies.synchronous import run_sync
from outsim.studies.variance_reduction import PILOT, Reduction, decide, reductions_of
from outsim.tape import Tape
from outsim.text import bounded

if TYPE_CHECKING:
    import pandas as pd

NOTHING_THERE = "no replication is there yet; run the study, or give it more time"

TOGETHER = 16
"""Scenarios that one job runs at most, where they share no past: what they draw is drawn once."""


class Study:
    """Replications of scenarios, paired: each gives all of them the same tape.

    Nothing is run before `run` or `stream` is called; what is there already is not run again.

    Parameters
    ----------
    scenarios : Scenario or sequence of Scenario
        What to run; the first is the baseline of comparisons.
    measures : tuple of Measure
        What to keep of each run, about each scenario's campaign under study.
    seed : int, optional
        Seed of all runs; default: that of the first scenario.
    antithetic, stratified : bool
        Make each replication a pair of runs, the draws of one mirrored in the other, or a set of
        four, in which each draw is once in each quarter of its range; with both, of eight. The
        mean of the runs is then the replication's number, and the replication is the unit as
        ever. Used where they save variance for what they cost, which the first replications
        decide (see `outsim.studies.variance_reduction`); else the study is as without them.
    controls : bool
        Use control variates where they clearly narrow an interval (see
        `outsim.studies.control_variates`).
    input_uncertainty : bool or "drawn"
        Draw the callees anew for each replication, out of what the data of the scenarios'
        calibrations leave open: the same for all scenarios. Intervals then hold what the
        scenarios would give with the true callees, and `StudyResult.uncertainty` says how much
        of each is stochastic and how much input uncertainty. It takes two runs a replication. A
        precision is about the stochastic part alone, since no run adds to the data. "drawn"
        takes one, for what needs no such interval: probabilities and quantiles over runs are
        then over days and callees; intervals of means are those of the mean over all callees.
    unlike : collection of str
        What may differ in scenarios though it makes a measure mean two things: kinds of
        `outsim.studies.comparable.UNLIKE`. Scenarios that differ in another one are refused.
    """

    def __init__(
        self,
        scenarios: Scenario | Sequence[Scenario],
        *,
        measures: tuple[Measure, ...] = MEASURES,
        seed: int | None = None,
        antithetic: bool = False,
        stratified: bool = False,
        controls: bool = False,
        input_uncertainty: bool | Literal["drawn"] = False,
        unlike: Collection[str] = (),
    ) -> None:
        self.scenarios = (scenarios,) if isinstance(scenarios, Scenario) else tuple(scenarios)
        self.measures = measures
        self.seed = self.scenarios[0].seed if seed is None and self.scenarios else seed or 0
        is_drawn = input_uncertainty == "drawn"
        swaps = bool(input_uncertainty) and not is_drawn
        self.switches = VarianceReduction(antithetic, stratified, controls, swaps, is_drawn)
        self.unlike = tuple(kind for kind in UNLIKE if kind in unlike)
        self.storage: Storage = MemoryStorage()
        self._used: Runs | None = None

    def _check(self, precisions: Sequence[Precision] = ()) -> None:
        """Refuse what can't be studied: the message says what is allowed."""
        if not self.scenarios:
            raise StudyError("no scenario given: a study needs one or more")
        for scenario in self.scenarios:
            if scenario.campaign_under_study is None:
                raise StudyError(
                    f"scenario {scenario.name!r} has no campaign to study; add one, or name it "
                    "under [study]"
                )
        check_alike(self.scenarios, self.measures, self.unlike)
        if len(self.scenarios) == 1 and any(p.of_difference for p in precisions):
            raise StudyError("precision of a difference: it takes two scenarios to differ")
        if self.switches.draws_callees:
            check_drawable(self.scenarios)
            if self.switches.methods:
                raise StudyError(
                    f"input uncertainty and {', '.join(self.switches.methods)}: give one or the "
                    "other; ways of saving variance narrow the stochastic part alone"
                )

    # Running

    def stream(
        self,
        *,
        replications: int | range | None = None,
        precision: Mapping[str, str | float] | None = None,
        timeout: str | None = None,
        min_replications: int | None = None,
        max_replications: int = MOST,
        engine: Engine = "auto",
        executor: Executor | str | None = None,
        directory: str | Path | None = None,
        keep_tables: bool = False,
        keep_series: bool = False,
        progress: Progress | Literal["bar"] | None = "bar",
    ) -> StudyRun:
        """Run it: ``async for`` gives replications as they finish, ``await`` the result.

        Parameters
        ----------
        replications : int or range, optional
            How many, or which; default: 20, if no precision is asked for.
        precision : mapping, optional
            Run until intervals are as narrow as this, by measure: see
            `outsim.studies.stopping.read_precisions`. All of them must be.
        timeout : str, optional
            Time after which the study ends with what it has, such as ``"60s"``. The count reached
            is in the result; asking for as many replications repeats it.
        min_replications, max_replications : int
            Replications before the first decision, and at which the study ends anyway. Intervals
            of measures that are far from normal need more of the former.
        engine : "auto", "simpy" or "compiled"
            Which engine; "auto" goes by the size of the whole study. It never changes a number.
        executor : Executor or str, optional
            Who does the work: one of the caller's, ``"threads"``, ``"processes"``, ``"cores"`` or
            ``"dask://HOST:PORT"``; default: threads for the compiled engine, with processes beside
            them for many small runs where the program is a notebook or outsim's own command line;
            else processes.
        directory : path, optional
            Where each replication is kept; what it holds already is not run again. Default: in
            memory, or in the directory that the study was loaded from.
        keep_tables : bool
            Keep the tables of every plain run in the directory, too; replications that are there
            without their tables are run again for them.
        keep_series : bool
            Keep the platform's state minute by minute in memory, too, for `series`; a directory
            has it always.
        progress : callable, "bar" or None
            Told (runs done, runs in all) after each run; or a bar on a terminal or in a notebook.

        Returns
        -------
        StudyRun

        Raises
        ------
        StudyError
            If it can't be run as asked; the message says what is allowed.
        """
        precisions = read_precisions(precision or {}, self.measures)
        batches = batches_of(replications, precisions, timeout, min_replications, max_replications)
        timeout_s = read_timeout(timeout)
        self._check(precisions)
        if directory is not None:
            self.storage = DirectoryStorage.of(
                Path(directory),
                self.scenarios,
                self.seed,
                self.measures,
                keep_tables,
                self.switches,
                self.unlike,
            )
        elif isinstance(self.storage, MemoryStorage):
            self.storage.keeps_series = keep_series
        return StudyRun(self, batches, precisions, timeout_s, engine, executor, progress)

    def run(
        self,
        *,
        replications: int | range | None = None,
        precision: Mapping[str, str | float] | None = None,
        timeout: str | None = None,
        min_replications: int | None = None,
        max_replications: int = MOST,
        engine: Engine = "auto",
        executor: Executor | str | None = None,
        directory: str | Path | None = None,
        keep_tables: bool = False,
        keep_series: bool = False,
        progress: Progress | Literal["bar"] | None = "bar",
    ) -> StudyResult:
        """Run it to its end, in a script or a cell.

        Parameters
        ----------
        replications, precision, timeout, min_replications, max_replications
            How long.
        engine, executor, directory, keep_tables, keep_series, progress
            By whom, and where it is kept; all as for `stream`.

        Returns
        -------
        StudyResult
            Estimates from all replications.
        """
        how: dict[str, Any] = {name: value for name, value in locals().items() if name != "self"}
        return self.stream(**how).run()

    # What is there

    @property
    def labels(self) -> list[str]:
        """Names of the scenarios; where some share a name, with their numbers."""
        return label_scenarios([scenario.name for scenario in self.scenarios])

    @property
    def replications(self) -> list[int]:
        """Replications that are there, in order."""
        return self.storage.indexes()

    @property
    def without_gap(self) -> range:
        """Replications from the first one on, up to where one is missing.

        Raises
        ------
        StudyError
            If there are none.
        """
        there = self.replications
        if not there:
            raise StudyError(NOTHING_THERE)
        return range(there[0], next(k for k in count(there[0]) if k not in {*there}))

    @property
    def result(self) -> StudyResult:
        """Estimates from all replications that are there.

        Raises
        ------
        StudyError
            If there are none, or one is missing between two others.
        """
        there, whole = self.replications, self.without_gap
        if len(whole) < len(there):
            gaps = len(range(there[0], there[-1] + 1)) - len(there)
            raise StudyError(
                f"replication {whole.stop} is missing between others ({gaps} are); run or merge "
                "it first"
            )
        return self.result_of(whole)

    def result_of(self, indexes: range, precisions: tuple[Precision, ...] = ()) -> StudyResult:
        """Estimates from replications of these indexes; precisions are those asked for."""
        check_alike(self.scenarios, self.measures, self.unlike)
        arrays = [self.storage.runs(index) for index in indexes]
        used: Runs = (PLAIN_RUN,)
        reductions: tuple[Reduction, ...] = ()
        if self.switches.reduces_runs:
            pilot = self._pilot(indexes.stop)
            ways = decide(self.switches, pilot)
            used = runs_of(**ways)
            reductions = reductions_of(ways, pilot, RunArray.joined(arrays, used))
        return StudyResult(
            scenarios=self.scenarios,
            seed=self.seed,
            data=RunArray.joined(arrays, used).mean(used),
            measures=self.measures,
            precisions=precisions,
            switches=self.switches,
            reductions=reductions,
            swapped=RunArray.joined(arrays, (SWAPPED_RUN,)).mean((SWAPPED_RUN,))
            if self.switches.input_uncertainty
            else None,
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Measures of every run: indexed by scenario, replication and run, a column a measure.

        Raises
        ------
        StudyError
            If no replication is there.
        """
        import pandas as pd

        tables = [self.storage.runs(index).table() for index in self.replications]
        if not tables:
            raise StudyError(NOTHING_THERE)
        table = pd.concat(tables)
        codes = table["scenario"].to_numpy(np.int64)
        table["scenario"] = pd.Categorical.from_codes(codes, pd.Index(self.labels))
        return table.set_index(["scenario", "replication", *PLAIN_RUN._fields]).sort_index()

    def series(self, replications: Iterable[int] | None = None) -> pd.DataFrame:
        """The platform minute by minute, of every run: one row a scenario, replication, minute.

        Columns ``scenario``, ``replication``, ``at`` and those of `Result.timeline`.

        Parameters
        ----------
        replications : iterable of int, optional
            Which; default: all that are there.

        Raises
        ------
        StudyError
            If they were not kept, or can't be read.
        """
        import pandas as pd

        parts = []
        for index in self.replications if replications is None else replications:
            table = self.storage.series(index).copy()
            scenarios = table.pop("scenario").to_numpy(np.int64)
            labels = pd.Categorical.from_codes(scenarios, pd.Index(self.labels))
            table.insert(0, "scenario", pd.Series(labels, index=table.index))
            table.insert(1, "replication", index)
            parts.append(table)
        if not parts:
            raise StudyError(NOTHING_THERE)
        return pd.concat(parts, ignore_index=True)

    def bands(self, column: str, share: float = 0.9) -> pd.DataFrame:
        """Where most replications are, minute by minute, in one column of `series`.

        Parameters
        ----------
        column : str
            Such as ``"queue"`` or ``"busy_ports"``.
        share : float
            Of the replications that have that minute, the part that lies within the band.

        Returns
        -------
        DataFrame
            Indexed by scenario and ``at``: ``low``, ``median`` and ``high`` over replications,
            pointwise, and how many ``replications`` there are.

        Raises
        ------
        StudyError
            If there is no such column, or series were not kept.
        """
        series = self.series()
        columns = list(series.columns[3:])
        if column not in columns:
            raise StudyError(unknown_name("column", column, columns))
        wide = series.pivot(index=["scenario", "at"], columns="replication", values=column)
        values = np.sort(wide.to_numpy(np.float64), axis=1)  # those that are missing come last
        counts = np.count_nonzero(~np.isnan(values), axis=1)
        levels = {"low": (1 - share) / 2, "median": 0.5, "high": (1 + share) / 2}
        for name, level in levels.items():
            places = [quantile_rank(level, count) for count in counts.tolist()]
            wide[name] = values[np.arange(len(values)), places]
        wide["replications"] = counts
        return wide[[*levels, "replications"]].rename_axis(columns=None)

    def tables(self, replication: int, scenario: int | str = 0) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, if the study kept them; see `Result.tables`.

        Parameters
        ----------
        replication : int
            Which replication.
        scenario : int or str
            Position of the scenario, or its name.
        """
        return self.storage.tables(replication, position_of(scenario, self.labels))

    def simulate(self, replication: int, scenario: int | str = 0, **options: Any) -> Result:
        """Run one replication of one scenario by itself: all of its tables and views.

        Parameters
        ----------
        replication : int
            Which replication; it need not be there.
        scenario : int or str
            Position of the scenario, or its name.
        **options
            As for `outsim.simulate`, such as ``engine``.
        """
        chosen = self.scenarios[position_of(scenario, self.labels)]
        if self.switches.draws_callees:
            chosen = with_drawn_callees(chosen, self.seed, replication)
        return simulate(chosen, seed=self.seed, replication=replication, until=None, **options)

    def __repr__(self) -> str:
        done = len(self.replications)
        there = f"{done} replications" if done else "not run yet"
        return bounded(f"Study({' against '.join(self.labels)}; {there}, seed {self.seed})", 1_900)

    # Which runs make a replication

    def _runs_needed(self, index: int) -> Runs:
        """Runs that a replication has to have of each scenario."""
        if not self.switches.reduces_runs or index < PILOT:
            return self.switches.runs
        if self._used is None and (pilot := self._pilot(PILOT)) is not None:
            self._used = runs_of(**decide(self.switches, pilot))
        return self._used or self.switches.runs

    def _pilot(self, end: int) -> RunArray | None:
        """The replications before `end` that it is decided on; None where one is not there."""
        first, there = range(min(end, PILOT)), {*self.storage.indexes()}
        if not all(k in there and self.storage.runs(k).runs == self.switches.runs for k in first):
            return None
        return RunArray.joined([self.storage.runs(k) for k in first], self.switches.runs)


class StudyRun:
    """A study as it is run: awaited, streamed, or run to its end; see `Study.stream`."""

    def __init__(
        self,
        study: Study,
        batches: tuple[range, ...],
        precisions: tuple[Precision, ...],
        timeout_s: float | None,
        engine: Engine,
        executor: Executor | str | None,
        progress: Progress | Literal["bar"] | None,
    ) -> None:
        self.study = study
        self.precisions = precisions
        self._batches, self._timeout_s, self._progress = batches, timeout_s, progress
        self._end = batches[-1].stop
        scenarios = study.scenarios
        self._is_family = len(scenarios) > 1 and is_family(scenarios)
        if study.switches.draws_callees:
            first = scenarios[0].uncertainty
            self._is_family &= all(each.uncertainty == first for each in scenarios)
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
        calls = sum(build_plan(each, Tape(self.study.seed)).calls_begun for each in planned)
        return calls * len(scenarios) // len(planned)

    async def __aiter__(self) -> AsyncGenerator[RunArray, None]:
        """Replications as they finish; of each batch, those that are there already come first."""
        clock = asyncio.get_running_loop().time
        deadline = None if self._timeout_s is None else clock() + self._timeout_s
        given: set[int] = set()
        with ExitStack() as stack:
            progress = _Counted(stack, self._progress)
            for batch in self._batches:
                # What is there beyond the batch has no say: it would decide by chance.
                self._end = batch.stop
                for part in self._parts(batch):
                    there = [index for index in part if self._is_there(index)]
                    for index in there:
                        if index not in given:
                            yield self.study.storage.runs(index)
                    missing = [index for index in part if index not in there]
                    async with aclosing(self._run(missing, deadline, progress)) as finished:
                        async for replication in finished:
                            yield replication
                    given.update(part)
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
            {*study._runs_needed(index)} <= {*study.storage.runs(index).runs}
        )

    async def _run(
        self, missing: list[int], deadline: float | None, progress: _Counted
    ) -> AsyncGenerator[RunArray, None]:
        """Run replications, keep each once it is whole, and give it out, while there is time."""
        if not missing:
            return
        parts: dict[int, list[RunMeasures]] = {index: [] for index in missing}
        with self.study.storage.writing() as writer:
            jobs = [job for index in missing for job in self._jobs(index, writer)]
            progress.expect(sum(len(job.positions) * len(job.runs) for job in jobs))
            async with aclosing(stream(jobs, self._executor)) as finished:
                while (measured := await _next(finished, deadline)) is not None:
                    progress.count(len(measured))
                    index = measured[0].replication
                    mine = parts[index]
                    mine.extend(measured)
                    runs = len(self.study.scenarios) * len(self.study._runs_needed(index))
                    if len(mine) == runs:
                        replication = writer.write(index, mine)
                        self._there.add(index)
                        yield replication

    def _jobs(self, index: int, writer: Writer) -> Iterator[Job]:
        study = self.study
        positions = range(len(study.scenarios))
        size = len(positions) if self._is_family else TOGETHER
        for first in positions[::size]:
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
                runs=study._runs_needed(index),
                controls=study.switches.controls,
                draws_callees=study.switches.draws_callees,
            )

    def _is_enough(self) -> bool:
        return bool(self.precisions) and all(map(self.result.is_reached, self.precisions))

    @property
    def result(self) -> StudyResult:
        """Estimates from the replications that are there without a gap, in their order.

        They end where the study does: replications beyond, which a larger study may have left in
        the directory, are not in them.

        Raises
        ------
        StudyError
            If there are none.
        """
        first = self._batches[0].start
        end = next(i for i in count(first) if i == self._end or not self._is_there(i))
        if end == first:
            raise StudyError("no replication is over: give the study more time")
        return self.study.result_of(range(first, end), self.precisions)

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


def run_of(scenarios: Scenario | Sequence[Scenario], **options: Any) -> StudyRun:
    """A study as it is run, from options of `Study` and of `Study.stream` together."""
    what = ("measures", "seed", "unlike", *VarianceReduction.__dataclass_fields__)
    asked = {name: options.pop(name) for name in what if name in options}
    return Study(scenarios, **asked).stream(**options)


def load_study(directory: str | Path, measures: tuple[Measure, ...] = MEASURES) -> Study:
    """Open the directory of a study.

    Parameters
    ----------
    directory : path
        Where it was kept.
    measures : tuple of Measure
        Measures that it may have: give those of your own, if the study had any.

    Returns
    -------
    Study
        What the directory holds; nothing is run, but `Study.run` goes on there.

    Raises
    ------
    StudyError
        If it holds no study, one with other measures, or one of another version of the model or
        of what the measures mean; or if its scenarios come out as others than were run.

    Examples
    --------
    >>> study = outsim.load_study("studies/quarter-past")  # doctest: +SKIP
    >>> study.result  # doctest: +SKIP
    >>> study.series().groupby(["scenario", "at"])["queue"].mean()  # doctest: +SKIP
    """
    directory = Path(directory)
    identity = read_identity(directory)
    check_version(directory, identity)
    by_name = {each.name: each for each in measures}
    for name in identity["measures"]:
        if name not in by_name:
            raise StudyError(
                f"{directory}: has the measure {name}, which is none of outsim's; give it to "
                "load_study among its measures"
            )
    switches = dict.fromkeys(identity["switches"], True)
    drawn = switches.pop("drawn_callees", False)
    options: dict[str, Any] = switches | ({"input_uncertainty": "drawn"} if drawn else {})
    study = Study(
        scenarios_of(directory, identity),
        measures=tuple(by_name[name] for name in identity["measures"]),
        seed=identity["seed"],
        unlike=identity.get("unlike", ()),
        **options,
    )
    study.storage = DirectoryStorage.at(directory)
    return study
