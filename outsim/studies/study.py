"""A study: many replications of one or more scenarios, as many as an answer needs.

study = Study([top_of_hour, quarter_past])
result = study.run(precision={"difference:wait_p90_s": "30s"})
async for replication in study.stream(replications=50):   # as they finish
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Literal

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.progress import Progress
from outsim.results.measures import MEASURES, Measure
from outsim.scenario.model import Scenario
from outsim.studies.comparable import check_alike
from outsim.studies.default_replications import MOST
from outsim.studies.identity import check_version, read_identity, scenarios_of
from outsim.studies.input_models import check_drawable
from outsim.studies.runs import VarianceReduction
from outsim.studies.stopping import Precision, batches_of, read_precisions, read_timeout
from outsim.studies.storage import DirectoryStorage, MemoryStorage
from outsim.studies.study_data import StudyData
from outsim.studies.study_result import StudyResult
from outsim.studies.study_run import StudyRun


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
        super().__init__(
            scenarios, measures, seed, antithetic, stratified, controls, input_uncertainty, unlike
        )

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
