"""The map of when a quarter past helps: starts at :15, :30 and :45 held against :00.

Over regimes, each a study of its own: the backlog of the full hour drains sooner or later,
and the carrier has more or less room. Both are measured from the runs, see
`outsim.results.tables.load`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from outsim.display import percent
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, Estimate, estimate
from outsim.progress import reporting
from outsim.questions.question import Question, StudyOptions, asks
from outsim.results.measures import MEASURES, Measure
from outsim.results.tables.load import LOAD_MEASURES
from outsim.scenario.memory import runs_that_fit
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import START_MAP, check_replications
from outsim.studies.executors import open_executor
from outsim.studies.identity import check_collection
from outsim.studies.run_array import RunArray
from outsim.studies.stopping import read_timeout
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Condition, check_minutes, conditions_of, starts_under
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd

LOADS = (0.5, 1.0, 1.5, 2.0, 2.75, 3.5)
CARRIERS = (0.35, 0.45, 0.55, 0.7, 0.85, 1.1)
RETRIES = (1, 4)
MINUTES = (15, 30, 45)
"""Regimes and starts that a map is made of, if nothing else is said."""

GAINS = ("completed_share", "duration_s", "finish_time_s", "status_lag_p90_s")
"""Measures whose gain is shown: completions, time to finish, clock time of the finish, lag."""

MAIN = GAINS[0]


@dataclass(frozen=True, eq=False, repr=False)
class StartMap(Answer):
    """What starts after the full hour gain, regime by regime.

    Every gain is a mean of paired differences from the start at :00, turned so that more is
    better. For each measure, the intervals of all its gains on the map hold together with the
    confidence `LEVEL` (Bonferroni): regimes, retries and starts are the family of comparisons.
    """

    scenario: Scenario
    minutes: tuple[int, ...]
    regimes: tuple[Condition, ...]
    findings: tuple[StudyResult, ...]
    """Of each regime, in their order; its scenarios are the starts, :00 first."""

    @property
    def comparisons(self) -> int:
        """How many gains of one measure hold together."""
        return len(self.regimes) * len(self.minutes)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Measures whose gain is shown, by name."""
        return {measure.name: measure for measure in MEASURES if measure.name in GAINS}

    def drain_s(self, regime: int) -> Estimate:
        """Drain time of the backlog that others make at :00, in seconds, by number of the regime.

        It is that of the run with the latest start, which the campaign under study has
        lengthened least.
        """
        return self.findings[regime].mean(len(self.minutes), "drain_s")

    def headroom(self, regime: int) -> Estimate:
        """The carrier's headroom at the peak of that run of a regime, a share of what is asked."""
        return self.findings[regime].mean(len(self.minutes), "carrier_headroom")

    def gain(self, regime: int, minute: int, name: str = MAIN) -> Estimate:
        """What the start at a minute gains in a measure, by its name, in a regime, by its number.

        Raises
        ------
        StudyError
            If the map has no such start, regime or measure.
        """
        self.check(name)
        if minute not in self.minutes:
            raise StudyError(unknown_name("start", minute, self.minutes, "in the map"))
        if not 0 <= regime < len(self.regimes):
            raise StudyError(f"regime {regime}: there are 0 to {len(self.regimes) - 1}")
        findings, place = self.findings[regime], 1 + self.minutes.index(minute)
        later, first = findings.values(place, name), findings.values(0, name)
        gains = (later - first) * self.measures[name].sign
        support = self.measures[name].support.between(later, first)
        return estimate(gains, 1 - (1 - LEVEL) / self.comparisons, support)

    def check(self, name: str) -> None:
        """Refuse the name of a measure that the map has no gains in.

        Raises
        ------
        StudyError
            If it is none of `measures`.
        """
        if name not in self.measures:
            raise StudyError(unknown_name("measure", name, self.measures, "in the map"))

    def verdict(self, regime: int, minute: int, name: str = MAIN) -> int:
        """+1 where the minute helps the regime by the measure name, -1 where it harms; else 0."""
        gain = self.gain(regime, minute, name)
        is_small = abs(gain.mean) < self.measures[name].matters_from()
        return 0 if is_small or not gain.is_clear else 1 if gain.mean > 0 else -1

    @property
    def retries(self) -> tuple[int, ...]:
        """Retries of the campaign under study that the map has."""
        return tuple(sorted({regime.max_retry for regime in self.regimes}))

    def places(self, max_retry: int) -> list[int]:
        """Numbers of the regimes with `max_retry` retries, by load and carrier."""
        return [k for k, regime in enumerate(self.regimes) if regime.max_retry == max_retry]

    def table(self) -> pd.DataFrame:
        """One row for each regime, start and measure: where it lies, the gain, its interval."""
        import pandas as pd

        rows = []
        for k, regime in enumerate(self.regimes):
            drain, headroom = self.drain_s(k), self.headroom(k)
            for minute, name in product(self.minutes, self.measures):
                gain = self.gain(k, minute, name)
                rows.append(
                    {
                        "max_retry": regime.max_retry,
                        "load": regime.load,
                        "carrier": regime.carrier,
                        "drain_s": drain.mean,
                        "drain_n_missing": drain.n_missing,
                        "headroom": headroom.mean,
                        "minute": minute,
                        "measure": name,
                        "gain": gain.mean,
                        "low": gain.low,
                        "high": gain.high,
                        "replications": gain.count,
                        "n_missing": gain.n_missing,
                        "verdict": self.verdict(k, minute, name),
                    }
                )
        return pd.DataFrame(rows)

    def document(self) -> Document:
        """The map in words: where a start helps, and each regime's verdicts as signs."""
        first = self.findings[0]
        counts = sorted({findings.replications for findings in self.findings})
        few = min(findings.attempts[0] for findings in self.findings)
        most = max(findings.attempts[1] for findings in self.findings)
        starts = [f":{minute:02d}" for minute in self.minutes]
        missing = sum(self.drain_s(k).n_missing for k in range(len(self.regimes)))
        unfinished = (
            f"In {missing} runs the backlog of :00 never drained; they are in no drain time."
        )
        return Document(
            id="start_map",
            title="When does a start after the full hour help?",
            asked=(
                f"{self.scenario.name}: {campaign_of(self.scenario).name} at {', '.join(starts)} "
                f"compared with :00 in {len(self.regimes)} regimes, {_span(counts)} "
                f"replications each, seed {first.seed}; {few:,} to {most:,} attempts a run."
            ),
            answer=self._answer(),
            more=[self._drained(max_retry) for max_retry in self.retries],
            tables=[
                *(self._signs(max_retry, starts) for max_retry in self.retries),
                Table(
                    "Regimes in which a start is better / worse than :00, of all",
                    ["", *starts],
                    [
                        [
                            f"{measure.label_at(self.scenario.deadline)}, retries {max_retry}",
                            *(self._counted(max_retry, minute, name) for minute in self.minutes),
                        ]
                        for name, measure in self.measures.items()
                        for max_retry in self.retries
                    ],
                ),
            ],
            pictures=[
                Picture(
                    "start_map_panel",
                    self,
                    alt=f"A place for each regime, by drain time and headroom: {self._answer()}",
                    caption=f"Gain of a start at :{minute:02d}",
                    options={"minute": minute},
                )
                for minute in self.minutes
            ],
            notes=[
                "+ better, - worse, . not clear: the interval of the paired difference covers "
                f"zero. For each measure, all {self.comparisons} intervals of the map hold "
                f"together with {percent(LEVEL)} confidence (Bonferroni).",
                *([unfinished] if missing else []),
            ],
        )

    def _answer(self) -> str:
        """In how many regimes each start completes more, and in how many fewer."""
        texts = []
        for minute in self.minutes:
            verdicts = [self.verdict(k, minute) for k in range(len(self.regimes))]
            texts.append(f":{minute:02d} in {verdicts.count(1)} and {verdicts.count(-1)}")
        return (
            "More calls, and fewer, are completed in the end than with a start at :00 at "
            f"{', at '.join(texts)} of {len(self.regimes)} regimes ({percent(LEVEL)} confidence)."
        )

    def _counted(self, max_retry: int, minute: int, name: str) -> str:
        verdicts = [self.verdict(k, minute, name) for k in self.places(max_retry)]
        return f"{verdicts.count(1)} / {verdicts.count(-1)} of {len(verdicts)}"

    def _signs(self, max_retry: int, starts: list[str]) -> Table:
        """The verdicts on completions, a row a carrier and a sign a load."""
        places = self.places(max_retry)
        rows = []
        for carrier in sorted({self.regimes[k].carrier for k in places}, reverse=True):
            row = [k for k in places if self.regimes[k].carrier == carrier]
            headroom = [self.headroom(k).mean for k in row]
            low, high = (f"{100 * share:+.0f}" for share in (min(headroom), max(headroom)))
            rows.append(
                [
                    f"{low} %" if low == high else f"{low} to {high} %",
                    *("".join(_SIGNS[self.verdict(k, at)] for k in row) for at in self.minutes),
                ]
            )
        return Table(
            f"Completed in the end, {_retries(max_retry)}", ["carrier's headroom", *starts], rows
        )

    def _drained(self, max_retry: int) -> str:
        """When the backlog of :00 is drained, load by load."""
        places = self.places(max_retry)
        times = []
        for load in sorted({self.regimes[k].load for k in places}):
            drains = [self.drain_s(k).mean for k in places if self.regimes[k].load == load]
            low, high = (f"{seconds / 60:.0f}" for seconds in (min(drains), max(drains)))
            times.append(low if low == high else f"{low} to {high}")
        return (
            f"With {_retries(max_retry)}, from left to right, the backlog of :00 is drained after "
            f"{'; '.join(times)} min."
        )

    def to_dict(self) -> dict[str, Any]:
        """The map for machines: one entry a regime, with its axes and its gains."""
        attempts = [findings.attempts for findings in self.findings]
        return plain(
            {
                "scenario": self.scenario.name,
                "seed": self.findings[0].seed,
                "confidence": LEVEL,
                "comparisons": self.comparisons,
                "attempts": [min(few for few, _ in attempts), max(most for _, most in attempts)],
                "minutes": self.minutes,
                "measures": {name: measure.kind for name, measure in self.measures.items()},
                "regimes": [
                    {
                        "max_retry": regime.max_retry,
                        "load": regime.load,
                        "carrier": regime.carrier,
                        "replications": self.findings[k].replications,
                        "drain_s": self.drain_s(k).to_dict(),
                        "headroom": self.headroom(k).to_dict(),
                        "gains": {
                            name: {
                                f":{minute:02d}": self.gain(k, minute, name).to_dict()
                                for minute in self.minutes
                            }
                            for name in self.measures
                        },
                    }
                    for k, regime in enumerate(self.regimes)
                ],
            }
        )


_SIGNS = {1: "+", 0: ".", -1: "-"}


def _retries(count: int) -> str:
    return f"{count} {'retry' if count == 1 else 'retries'}"


def _span(values: list[int]) -> str:
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


@asks(StudyOptions)
def start_map(
    scenario: Scenario,
    *,
    loads: Sequence[float] = LOADS,
    carriers: Sequence[float] = CARRIERS,
    retries: Sequence[int] = RETRIES,
    minutes: Sequence[int] = MINUTES,
    **options: Unpack[StudyOptions],
) -> Question[StartMap]:
    """Make the map of when a start after the full hour helps.

    Parameters
    ----------
    scenario : Scenario
        Its campaign under study starts at :00 and at `minutes` of the same hour; it needs a
        background.
    loads : sequence of float
        Factors on the background campaigns that start at :00: they move the drain time.
    carriers : sequence of float
        Factors on the carrier's rate and channels: they move its headroom.
    retries : sequence of int
        Retries of the campaign under study.
    minutes : sequence of int
        Starts to compare with :00, 1 to 59.
    replications : int or range, optional
        How many of each regime, or which: at least 2; default: 20.
    timeout : str, optional
        Time for the whole map, such as ``"60s"``; each regime gets its part of what is left.
    directory : path, optional
        Where each regime's study has a directory of its own.

    Raises
    ------
    StudyError
        If it can't be made as asked; the message says what is allowed.
    """
    asked = tuple(minutes)
    regimes = conditions_of(loads, carriers, retries)
    check_minutes(asked)
    replications = options.get("replications")
    check_replications(replications)
    families = [starts_under(scenario, regime, (0, *asked)) for regime in regimes]
    _ = [family.scenarios for family in families]  # refused before anything is run
    directory = options.pop("directory", None)
    if directory is not None:
        check_collection(Path(directory))
    timeout_s = read_timeout(options.get("timeout"))

    async def made(tell: Callable[[RunArray], None]) -> StartMap:
        ends_s = None if timeout_s is None else time.monotonic() + timeout_s  # noqa: TID251
        # One engine and one executor for all regimes: processes take seconds to start.
        engine = families[-1].stream(**options).engine
        count = len(replications) if isinstance(replications, range) else replications
        each_runs = (1 + len(asked)) * (count or START_MAP)
        runs = each_runs * len(regimes)
        results = []
        with (
            open_executor(
                options.get("executor"), min(runs, runs_that_fit([scenario])), engine
            ) as workers,
            reporting(options.get("progress", "bar")) as report,
        ):
            for place, regime in enumerate(regimes):

                def advance(done: int, of: int, place: int = place) -> None:
                    # What an earlier study has kept counts as done.
                    report(place * each_runs + max(0, each_runs - of) + done, max(runs, done))

                of_one = StudyOptions(**options)
                of_one["progress"], of_one["engine"] = advance, engine
                of_one["executor"] = workers.executor
                of_one["directory"] = None if directory is None else Path(directory) / regime.label
                if ends_s is not None:
                    left_s = max(0.0, ends_s - time.monotonic()) / (len(regimes) - place)  # noqa: TID251
                    of_one["timeout"] = f"{max(left_s, 0.001):.3f}s"
                run = families[place].stream(measures=MEASURES + LOAD_MEASURES, **of_one)
                async for replication in run:
                    tell(replication)
                results.append(run.result)
                report((place + 1) * each_runs, runs)
        return StartMap(scenario, asked, regimes, tuple(results))

    return Question("start_map", made)
