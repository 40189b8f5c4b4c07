"""A study: many replications of one or more scenarios, as many as an answer needs.

study = Study([top_of_hour, quarter_past])
result = study.run(precision={"difference:wait_p90_s": "30s"})
async for replication in study.stream(replications=50):   # as they finish
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.progress import Progress
from outsim.results.measures import MEASURES, Measure
from outsim.results.tables.waiting import WAITING_MEASURES
from outsim.scenario.model import Scenario
from outsim.studies.comparable import UNLIKE, check_alike
from outsim.studies.default_replications import MOST
from outsim.studies.identity import check_version, read_identity, scenarios_of
from outsim.studies.input_uncertainty import uncertainty_of
from outsim.studies.promises import read_measure
from outsim.studies.run_cache import RunCache
from outsim.studies.runs import VarianceReduction
from outsim.studies.stopping import Precision, batches_of, read_precisions, read_timeout
from outsim.studies.storage import DirectoryStorage, MemoryStorage
from outsim.studies.study_data import StudyData
from outsim.studies.study_result import StudyResult
from outsim.studies.study_run import StudyRun

Given = ParamSpec("Given")


def _to_its_end(
    stream: Callable[Concatenate[Study, Given], StudyRun],
) -> Callable[Concatenate[Study, Given], StudyResult]:
    """The method that takes the same parameters, and waits for the result."""

    def run(self: Study, /, *given: Given.args, **options: Given.kwargs) -> StudyResult:
        return stream(self, *given, **options).run()

    _, blank, parameters = str(stream.__doc__).partition("\n\n")
    parameters = parameters.replace("StudyRun\n", "StudyResult\n")
    run.__qualname__ = "Study.run"
    run.__doc__ = f"Run it to its end, in a script or a cell.{blank}{parameters}"
    whole = inspect.signature(stream).replace(return_annotation=StudyResult)
    run.__signature__ = whole  # type: ignore[attr-defined]
    return run


class Study(StudyData):
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
        four, in which each draw is once in each quarter of its range; with both, of eight. Used
        where they save variance for what they cost, which the first replications decide.
    controls : bool
        Use control variates where they clearly narrow an interval.
    input_uncertainty : bool or "drawn"
        Draw the callees anew for each replication, out of what the data of the scenarios'
        calibrations leave open. Intervals then hold the answer for the true callees, and
        `StudyResult.uncertainty` says how much of each is input uncertainty; a precision is about
        the stochastic part alone. It takes two runs a replication. "drawn" takes one, for
        probabilities and quantiles over days and callees.
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
        self.storage = MemoryStorage()

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
            for scenario in self.scenarios:
                uncertainty_of(scenario)
            if self.switches.methods:
                raise StudyError(
                    f"input uncertainty and {', '.join(self.switches.methods)}: give one or the "
                    "other; ways of saving variance narrow the stochastic part alone"
                )

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
        cache: RunCache | None = None,
        progress: Progress | Literal["bar"] | None = "bar",
    ) -> StudyRun:
        """Run it: ``async for`` gives replications as they finish, ``await`` the result.

        Parameters
        ----------
        replications : int or range, optional
            How many, or which; default: 20, if no precision is asked for.
        precision : mapping, optional
            Run until all intervals are as narrow as this, by measure, such as
            ``{"wait_p90_s": "30s", "difference:completed_share": "5%"}``.
        timeout : str, optional
            Time after which the study ends with what it has, such as ``"60s"``.
        min_replications, max_replications : int
            Replications before the first decision, and at which the study ends anyway.
        engine : "auto", "simpy" or "compiled"
            Which engine; "auto" goes by the size of the whole study. It never changes a number.
        executor : Executor or str, optional
            Who does the work: one of the caller's, ``"threads"``, ``"processes"``, ``"cores"`` or
            ``"dask://HOST:PORT"``; default: threads for the compiled engine, with processes beside
            them for many small runs in a notebook or at the command line; else processes.
        directory : path, optional
            Where each replication is kept; what it holds already is not run again. Default: in
            memory, or in the directory that the study was loaded from.
        keep_tables : bool
            Keep the tables of every plain run in the directory, too.
        keep_series : bool
            Keep the platform's state minute by minute in memory, too; a directory has it always.
        cache : RunCache, optional
            Runs of other studies in this process: those that are in it are not made again, and
            those that are made are added. It never changes a number.
        progress : callable, "bar" or None
            Told (runs done, runs in all) after each run; or a bar on a terminal or in a notebook.

        Returns
        -------
        StudyRun

        Raises
        ------
        StudyError
            If it can't be run so; the message says what is allowed.
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
        return StudyRun(self, batches, precisions, timeout_s, engine, executor, progress, cache)

    run = _to_its_end(stream)


def run_of(scenarios: Scenario | Sequence[Scenario], **options: Any) -> StudyRun:
    """A study as it is run, from options of `Study` and of `Study.stream` together."""
    what = ("measures", "seed", "unlike", *VarianceReduction.__dataclass_fields__)
    of_study = {name: options.pop(name) for name in what if name in options}
    return Study(scenarios, **of_study).stream(**options)


def load_study(
    directory: str | Path, measures: tuple[Measure, ...] = (*MEASURES, *WAITING_MEASURES)
) -> Study:
    """Open the directory of a study.

    Parameters
    ----------
    directory : path
        Where it was kept.
    measures : tuple of Measure
        Measures that it may have, your own among them.

    Returns
    -------
    Study
        What the directory holds; nothing is run, but `Study.run` goes on there.

    Raises
    ------
    StudyError
        If it holds no study, or one of other measures or of another version of the model.

    Examples
    --------
    >>> study = outsim.load_study("studies/quarter-past")  # doctest: +SKIP
    >>> study.result  # doctest: +SKIP
    >>> study.series().groupby(["scenario", "at"])["queue"].mean()  # doctest: +SKIP
    """
    directory = Path(directory)
    identity = read_identity(directory)
    check_version(directory, identity)
    scenarios = scenarios_of(directory, identity)
    by_name = {measure.name: measure for measure in measures}
    for name in identity["measures"]:
        if name not in by_name:
            try:
                by_name[name] = read_measure(name, "measure", scenarios[0])
            except StudyError:
                raise StudyError(
                    f"{directory}: has the measure {name}, which is none of outsim's; give it to "
                    "load_study among its measures"
                ) from None
    switches = dict.fromkeys(identity["switches"], True)
    drawn = switches.pop("drawn_callees", False)
    options: dict[str, Any] = switches | ({"input_uncertainty": "drawn"} if drawn else {})
    study = Study(
        scenarios,
        measures=tuple(by_name[name] for name in identity["measures"]),
        seed=identity["seed"],
        unlike=identity.get("unlike", ()),
        **options,
    )
    study.storage = DirectoryStorage.at(directory)
    return study
