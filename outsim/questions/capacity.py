"""How much is enough: the smallest value of a key that keeps promises.

capacity = await outsim.capacity(scenario, "platform.ports=100:2000", ["p95 wait <= 10 min"])
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from outsim.clock import parse_share
from outsim.engine import Engine, choose
from outsim.errors import StudyError
from outsim.plan import build_plan
from outsim.progress import Progress, reporting
from outsim.questions.capacity_answers import Capacity
from outsim.questions.capacity_frontier import Frontier
from outsim.questions.everybody import Everybody
from outsim.questions.question import Question, asks
from outsim.questions.scarce import scarce
from outsim.scenario.campaigns import Campaign
from outsim.scenario.factors import Range, read_range
from outsim.scenario.memory import runs_that_fit
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import CAPACITY, CAPACITY_RUNS, check_replications
from outsim.studies.executors import open_executor
from outsim.studies.identity import check_collection
from outsim.studies.promise_limits import never_kept
from outsim.studies.promises import Promise, promised_to, read_promise
from outsim.studies.search import FIRST_ERROR, OutOfBudget, Search
from outsim.studies.stopping import read_timeout
from outsim.studies.study import Study, run_of
from outsim.studies.study_result import StudyResult
from outsim.tape import Tape

SECOND_VALUES = 5
"""Values of the second key that a frontier has, if nothing else is said."""


class CapacityOptions(TypedDict, total=False):
    """Keyword parameters of a search for a capacity that `Study` has, too."""

    timeout: str | None
    seed: int | None
    engine: Engine
    executor: Executor | str | None
    directory: str | Path | None
    keep_tables: bool
    progress: Progress | Literal["bar"] | None
    input_uncertainty: bool | Literal["drawn"]


@asks(CapacityOptions)
def capacity(
    scenario: Scenario,
    vary: str,
    target: Sequence[str],
    *,
    largest: bool = False,
    campaign: str | Campaign | None = None,
    campaigns: Sequence[str | Campaign] = (),
    all_tenants: bool = False,
    confidence: str | float = 0.95,
    replications: int | None = None,
    precision: Mapping[str, str | float] | None = None,
    most: int = CAPACITY_RUNS,
    **options: Unpack[CapacityOptions],
) -> Question[Capacity]:
    """Find the smallest value of a key that keeps every promise, with confidence; or the largest.

    Parameters
    ----------
    scenario : Scenario
        What is planned; the promises are about its campaign under study, if they don't say whose.
    vary : str
        Key and range, such as ``"platform.ports=100:2000"``; see `outsim.scenario.factors`.
    target : sequence of str
        Promises, such as ``"p95 wait <= 10 min"``; see `outsim.studies.promises`.
    largest : bool
        Whether the largest value that keeps them is looked for; of a clock time, the latest.
    campaigns : sequence of str or Campaign
        Campaigns of which each must have what is promised, instead of the one under study.
    all_tenants : bool
        Whether every tenant must have it, and background tenants as a class.
    confidence : str or float
        How sure it must be that the answer keeps the promises.
    replications : int, optional
        Runs that the answer and the value below it rest on; default: 100.
    precision : mapping, optional
        As many runs as the scenario as it stands takes for intervals of this width, instead.
    most : int
        Runs in all, at most.
    timeout : str, optional
        Time after which it is undecided, such as ``"5 min"``.
    directory : path, optional
        Where each value has a directory of its own; what they hold already is not run again.
    input_uncertainty : bool
        Whether each run has callees of its own, which a calibration's data would bear out. A
        promise must then be a probability: it is one over days and callees.

    Raises
    ------
    StudyError
        If a promise can't be read, or never be shown with so few replications.
    ScenarioError
        If there is no such key, or the scenario can't be used with a value.
    """
    whose = Everybody.of([scenario], campaigns, all_tenants=all_tenants)
    asked = scenario if campaign is None else scenario.asked_about(campaign_of(scenario, campaign))

    async def work(_: Any) -> Capacity:
        base, count = await base_runs(asked, replications, precision, options)
        varied = _range(vary, asked, largest=largest)
        planner = Planner(asked, varied, target, whose, count, confidence, most, options)
        with planner.working():
            return replace(await planner.plan(asked), base=base)

    return Question("capacity", work)


@asks(CapacityOptions)
def frontier(
    scenario: Scenario,
    vary: str,
    other: str,
    target: Sequence[str],
    *,
    largest: bool = False,
    campaign: str | Campaign | None = None,
    campaigns: Sequence[str | Campaign] = (),
    all_tenants: bool = False,
    confidence: str | float = 0.95,
    replications: int | None = None,
    precision: Mapping[str, str | float] | None = None,
    most: int = CAPACITY_RUNS,
    **options: Unpack[CapacityOptions],
) -> Question[Frontier]:
    """Find the smallest value of one key that keeps every promise, for several values of another.

    Parameters
    ----------
    vary, target, largest, campaign, campaigns, all_tenants
        As for `capacity`.
    confidence, replications, precision, most, timeout, directory, input_uncertainty
        As for `capacity`; `most` and `timeout` are for all of it.
    other : str
        The other key with its range; ``platform.dial_rate=5/s:40/s:8`` takes 8 values; without a
        count it takes 5.

    Raises
    ------
    StudyError, ScenarioError
        As `capacity` does.
    """
    whose = Everybody.of([scenario], campaigns, all_tenants=all_tenants)
    asked = scenario if campaign is None else scenario.asked_about(campaign_of(scenario, campaign))

    async def work(_: Any) -> Frontier:
        base, count = await base_runs(asked, replications, precision, options)
        varied = _range(vary, asked, largest=largest)
        planner = Planner(asked, varied, target, whose, count, confidence, most, options)
        second = _range(other, asked)
        if second.key == planner.vary.key:
            raise StudyError(f"{second.key} is varied twice; give another key, or one range")
        others = second.values(second.count or SECOND_VALUES)
        changed = [second.set_in(asked, value) for value in others]
        with planner.working(len(others)):
            capacities = [
                replace(
                    await planner.plan(other_one, f"{second.key}={second.text(value)}"),
                    base=base,
                )
                for value, other_one in zip(others, changed, strict=True)
            ]
        return Frontier(second, others, tuple(capacities))

    return Question("frontier", work)


async def base_runs(
    scenario: Scenario,
    replications: int | None,
    precision: Mapping[str, str | float] | None,
    options: CapacityOptions,
) -> tuple[StudyResult | None, int]:
    """How many runs a test rests on; with the runs that a precision took."""
    if not precision:
        return None, CAPACITY if replications is None else replications
    if replications is not None:
        raise StudyError("replications and precision: give one or the other")
    taken = {
        name: value for name, value in options.items() if name not in ("directory", "keep_tables")
    }
    base = await run_of(scenario, precision=precision, **taken)
    return base, base.replications


def _range(text: str, scenario: Scenario, *, largest: bool = False) -> Range:
    """Values of a key that can be planned, those to be wished for first."""
    varied = read_range(text, scenario)
    if varied.key.partition(".")[0] in ("clock", "study", "seed"):
        raise StudyError(
            f"{varied.key} can't be planned: promises are held against the same clock and draws"
        )
    return replace(varied, is_descending=largest)


class Planner:
    """Searches that share an executor and a budget."""

    def __init__(
        self,
        scenario: Scenario,
        vary: Range,
        target: Sequence[str],
        whose: Everybody,
        replications: int,
        confidence: str | float,
        most: int,
        options: CapacityOptions,
    ) -> None:
        if scenario.campaign_under_study is None:
            raise StudyError(f"scenario {scenario.name!r} has no campaign to make promises about")
        self.scenario = scenario
        self.vary = vary
        self.confidence = _confidence(confidence)
        self.replications, self.left = replications, most
        self.input_uncertainty = bool(options.get("input_uncertainty"))
        self.promises = self._read(target, whose)
        seed = options.get("seed")
        self.seed = scenario.seed if seed is None else seed
        calls = build_plan(scenario, Tape(self.seed)).calls_begun
        self.engine = choose(options.get("engine", "auto"), calls * replications)
        self._executor = self._work = options.get("executor")
        self._directory = options.get("directory")
        self._keep_tables = options.get("keep_tables", False)
        if self._directory is not None:
            check_collection(Path(self._directory))
        self._progress = options.get("progress", "bar")
        self._report: Progress | None = None
        self._done, self._expected = 0, 0
        self._deadline = _deadline(options.get("timeout"))

    def _read(self, targets: Sequence[str], whose: Everybody) -> tuple[Promise, ...]:
        if not targets:
            raise StudyError("no promise given: write one such as 'p95 wait <= 10 min'")
        check_replications(self.replications)
        promises = tuple(
            promise
            for text in targets
            for promise in promised_to(read_promise(text, self.scenario), whose.subjects)
        )
        for promise in promises:
            if self.input_uncertainty and promise.probability is None:
                raise StudyError(
                    f"promise {promise.text!r}: with input uncertainty the mean over all callees "
                    "that the data allow is no promise about the true ones; write a probability, "
                    "such as 'P(p95 wait <= 10 min) >= 0.9'"
                )
            needed = promise.least_runs((1 - self.confidence) * (1 - FIRST_ERROR))
            if needed > self.replications:
                raise StudyError(
                    f"promise {promise.text!r}: it takes {needed} replications or more to show "
                    f"that with {self.confidence:.4g} confidence, found {self.replications}"
                )
        return promises

    @contextmanager
    def working(self, searches: int = 1) -> Iterator[None]:
        """Have somebody to do the work of all searches, and somebody told of it."""
        halvings = math.ceil(math.log2(len(self.vary.values())))
        self._expected = searches * (16 * (5 + halvings) + 4 * self.replications)
        at_once = min(self.replications, runs_that_fit([self.scenario]))
        with (
            open_executor(self._executor, at_once, self.engine) as workers,
            reporting(self._progress) as self._report,
        ):
            # Threads are told to give up by the study that engages them.
            self._work = "threads" if workers.shares_memory else workers.executor
            yield

    async def plan(self, scenario: Scenario, name: str = "") -> Capacity:
        """Search among the values of the range."""
        values = self.vary.values()
        measures = tuple({p.measure.name: p.measure for p in self.promises}.values())

        async def sample(place: int, replications: range) -> NDArray[np.float64]:
            left_s = math.inf if self._deadline is None else self._deadline - time.monotonic()  # noqa: TID251
            if len(replications) > self.left or left_s <= 0:
                raise OutOfBudget
            text = f"{self.vary.key}={self.vary.text(values[place])}"
            directory = self._directory and (
                Path(self._directory) / _as_file(name) / _as_file(text)
            )
            study = Study(
                self.vary.set_in(scenario, values[place]),
                measures=measures,
                seed=self.seed,
                input_uncertainty="drawn" if self.input_uncertainty else False,
            )
            run = study.stream(
                replications=replications,
                engine=self.engine,
                executor=self._work,
                directory=directory or None,
                keep_tables=self._keep_tables,
                progress=None,
            )
            try:
                async with asyncio.timeout(left_s if math.isfinite(left_s) else None):
                    findings = await run
            except TimeoutError:
                raise OutOfBudget from None
            self.left -= len(replications)
            self._done += len(replications)
            self._expected = max(self._expected, self._done)
            if self._report is not None:
                self._report(self._done, self._expected)
            return np.column_stack([findings.values(0, p.measure.name) for p in self.promises])

        error = 1 - self.confidence
        search = Search(
            len(values),
            self.promises,
            sample,
            error=error,
            replications=self.replications,
            origin=self.vary.first_number,
        )
        found = Capacity(
            scenario,
            self.vary,
            self.promises,
            self.confidence,
            self.replications,
            self.seed,
            await search.run(),
            self.input_uncertainty,
        )
        ends = [self.vary.set_in(scenario, value) for value in (values[0], values[-1])]
        found = replace(found, never=never_kept(self.promises, *ends))
        if found.value is not None or found.level_from is None:
            return found
        most = self.vary.set_in(scenario, values[-1])
        return replace(found, scarce=await asyncio.to_thread(scarce, most, self.seed))


def _as_file(text: str) -> str:
    """A key and its value as the name of a directory."""
    return text.replace("/", " per ")


def _confidence(written: str | float) -> float:
    try:
        is_percent = isinstance(written, str) and "%" in written
        confidence = parse_share(str(written)) if is_percent else float(written)
    except ValueError:
        confidence = math.nan
    if not 0.5 <= confidence < 1:
        raise StudyError(f"confidence {written}: write one from 50 % to less than 100 %")
    return confidence


def _deadline(timeout: str | None) -> float | None:
    timeout_s = read_timeout(timeout)
    return None if timeout_s is None else time.monotonic() + timeout_s  # noqa: TID251
