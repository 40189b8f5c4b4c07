"""The map of when a quarter past helps: starts at :15, :30 and :45 held against :00.

Over regimes, each a study of its own: the backlog of the full hour drains sooner or later,
and the carrier has more or less room. Both are measured from the runs, see
`outsim.results.tables.load`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from outsim.engine import Engine
from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, Estimate, estimate
from outsim.progress import Progress, reporting
from outsim.results.measures import MEASURES, Measure
from outsim.results.tables.load import LOAD_MEASURES
from outsim.scenario.memory import runs_that_fit
from outsim.scenario.model import Scenario
from outsim.studies.conditions import Condition, check_minutes, family, regimes_of
from outsim.studies.executors import workforce
from outsim.studies.request import check_collection
from outsim.studies.stopping import LEAST, read_within
from outsim.studies.study import Study
from outsim.studies.study_result import StudyResult
from outsim.text import bounded, brief_document

if TYPE_CHECKING:
    import pandas as pd

LOADS = (0.5, 1.0, 1.5, 2.0, 2.75, 3.5)
CARRIERS = (0.35, 0.45, 0.55, 0.7, 0.85, 1.1)
RETRIES = (1, 4)
MINUTES = (15, 30, 45)
"""Regimes and starts that a map is made of, if nothing else is said."""

GAINS = ("completed_share", "duration_s", "finish_time_s", "status_lag_p90_s")
"""Figures whose gain is told: completions, time to finish, clock time of the finish, lag."""

MAIN = GAINS[0]


@dataclass(frozen=True, eq=False)
class StartMap:
    """What starts after the full hour gain, regime by regime.

    Every gain is a mean of paired differences from the start at :00, turned so that more is
    better. For each figure, the intervals of all its gains on the map hold together with the
    confidence `LEVEL` (Bonferroni): regimes, retries and starts are the family of comparisons.
    """

    scenario: Scenario
    minutes: tuple[int, ...]
    regimes: tuple[Condition, ...]
    findings: tuple[StudyResult, ...]
    """Of each regime, in their order; its scenarios are the starts, :00 first."""

    @property
    def comparisons(self) -> int:
        """How many gains of one figure hold together."""
        return len(self.regimes) * len(self.minutes)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Figures whose gain is told, by name."""
        return {each.name: each for each in MEASURES if each.name in GAINS}

    def drain_s(self, regime: int) -> Estimate:
        """Drain time of the backlog that others make at :00, in seconds.

        It is that of the run with the latest start, which the campaign under study has
        lengthened least.

        Parameters
        ----------
        regime : int
            Number of the regime, from 0.
        """
        return self.findings[regime].mean(len(self.minutes), "drain_s")

    def headroom(self, regime: int) -> Estimate:
        """The carrier's headroom at the peak, as a share of what is asked; of the same run.

        Parameters
        ----------
        regime : int
            Number of the regime, from 0.
        """
        return self.findings[regime].mean(len(self.minutes), "carrier_headroom")

    def gain(self, regime: int, minute: int, name: str = MAIN) -> Estimate:
        """What the start at this minute gains in a figure, of one regime by its number.

        Parameters
        ----------
        regime : int
            Number of the regime, from 0.
        minute : int
            Minute of the start.
        name : str
            Name of the measure.

        Raises
        ------
        StudyError
            If the map has no such start or tells of no such figure.
        """
        self.check(name)
        if minute not in self.minutes:
            raise StudyError(unknown_name("start", minute, self.minutes, "in the map"))
        if not 0 <= regime < len(self.regimes):
            raise StudyError(f"regime {regime}: there are 0 to {len(self.regimes) - 1}")
        found, place = self.findings[regime], 1 + self.minutes.index(minute)
        later, first = found.values(place, name), found.values(0, name)
        gains = (later - first) * self.measures[name].sign
        support = self.measures[name].support.between(later, first)
        return estimate(gains, 1 - (1 - LEVEL) / self.comparisons, support)

    def check(self, name: str) -> None:
        """Refuse the name of a figure that the map has no gains in.

        Raises
        ------
        StudyError
            If it is none of `measures`.
        """
        if name not in self.measures:
            raise StudyError(unknown_name("measure", name, self.measures, "in the map"))

    def verdict(self, regime: int, minute: int, name: str = MAIN) -> int:
        """+1 where the start helps, -1 where it harms, 0 where that is not clear or too little.

        Parameters
        ----------
        regime : int
            Number of the regime, from 0.
        minute : int
            Minute of the start.
        name : str
            Name of the measure.
        """
        gain = self.gain(regime, minute, name)
        is_small = abs(gain.mean) < self.measures[name].matters_from()
        return 0 if is_small or not gain.is_clear else 1 if gain.mean > 0 else -1

    @property
    def retries(self) -> tuple[int, ...]:
        """Retries of the campaign under study that the map has."""
        return tuple(sorted({each.max_retry for each in self.regimes}))

    def places(self, max_retry: int) -> list[int]:
        """Numbers of the regimes with so many retries, by load and carrier.

        Parameters
        ----------
        max_retry : int
            Retries of the campaign.
        """
        return [k for k, each in enumerate(self.regimes) if each.max_retry == max_retry]

    def table(self) -> pd.DataFrame:
        """One row for each regime, start and figure: where it lies, the gain, its interval."""
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
                        "drain_missing": drain.missing,
                        "headroom": headroom.mean,
                        "minute": minute,
                        "measure": name,
                        "gain": gain.mean,
                        "low": gain.low,
                        "high": gain.high,
                        "replications": gain.count,
                        "not_over": gain.missing,
                        "verdict": self.verdict(k, minute, name),
                    }
                )
        return pd.DataFrame(rows)

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The map for machines: one entry a regime, with its axes and its gains."""
        attempts = [found.attempts for found in self.findings]
        return {
            "scenario": self.scenario.name,
            "seed": self.findings[0].seed,
            "confidence": LEVEL,
            "comparisons": self.comparisons,
            "attempts": [min(few for few, _ in attempts), max(most for _, most in attempts)],
            "minutes": list(self.minutes),
            "figures": {name: each.kind for name, each in self.measures.items()},
            "regimes": [
                {
                    "max_retry": regime.max_retry,
                    "load": regime.load,
                    "carrier": regime.carrier,
                    "replications": self.findings[k].replications,
                    "drain_s": self.drain_s(k).to_json(),
                    "headroom": self.headroom(k).to_json(),
                    "gains": {
                        name: {
                            f":{minute:02d}": self.gain(k, minute, name).to_json()
                            for minute in self.minutes
                        }
                        for name in self.measures
                    },
                }
                for k, regime in enumerate(self.regimes)
            ],
        }

    def __repr__(self) -> str:
        starts = ", ".join(f":{minute:02d}" for minute in self.minutes)
        name, regimes = self.scenario.name, len(self.regimes)
        return bounded(f"StartMap({name!r}, {regimes} regimes, starts {starts})")


async def start_map(
    scenario: Scenario,
    *,
    loads: Sequence[float] = LOADS,
    carriers: Sequence[float] = CARRIERS,
    retries: Sequence[int] = RETRIES,
    minutes: Sequence[int] = MINUTES,
    replications: int | range | None = LEAST,
    within: str | None = None,
    out: str | Path | None = None,
    engine: Engine = "auto",
    executor: Executor | str | None = None,
    progress: Progress | Literal["bar"] | None = "bar",
    **options: Any,
) -> StartMap:
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
        Starts to hold against :00, 1 to 59.
    replications : int or range
        Of each regime, at least 2. None with a precision or a time.
    within : str, optional
        Time for the whole map; each regime gets its part of what is left.
    out : path, optional
        Directory that keeps each regime's study in one of its own; what is there is not run
        again.
    engine, executor, progress, **options
        As for `outsim.studies.study.Study`; progress counts runs of the whole map.

    Returns
    -------
    StartMap
        Gains of each later start in each regime, with their intervals.

    Raises
    ------
    StudyError
        If it can't be made as asked; the message says what is allowed.
    """
    asked = tuple(minutes)
    regimes = regimes_of(loads, carriers, retries)
    check_minutes(asked)
    if replications is not None and len(_range(replications)) < 2:
        raise StudyError(
            f"replications = {replications}: must be 2 or more, or there is no interval"
        )
    families = [family(scenario, regime, (0, *asked)) for regime in regimes]
    if out is not None:
        check_collection(Path(out))
    within_s = read_within(within)
    ends_s = None if within_s is None else time.monotonic() + within_s

    def study(place: int, told: Progress, engine: Engine, executor: Executor) -> Study:
        left = None
        if ends_s is not None:
            left_s = max(0.0, ends_s - time.monotonic()) / (len(regimes) - place)
            left = f"{max(left_s, 0.001):.3f}s"
        return Study(
            families[place],
            replications=replications,
            within=left,
            out=None if out is None else Path(out) / regimes[place].label,
            measures=MEASURES + LOAD_MEASURES,
            progress=told,
            engine=engine,
            executor=executor,
            **options,
        )

    # One engine and one workforce for all regimes: processes take seconds to start.
    largest = Study(
        families[-1], replications=replications, within=within, engine=engine, **options
    )
    each_runs = (1 + len(asked)) * (len(_range(replications)) if replications else LEAST)
    runs = each_runs * len(regimes)
    found = []
    with (
        workforce(executor, min(runs, runs_that_fit([scenario])), largest.engine) as force,
        reporting(progress) as report,
    ):
        for place in range(len(regimes)):

            def told(done: int, of: int, place: int = place) -> None:
                # What an earlier study has kept counts as done.
                report(place * each_runs + max(0, each_runs - of) + done, max(runs, done))

            found.append(await study(place, told, largest.engine, force.executor))
            report((place + 1) * each_runs, runs)
    return StartMap(scenario, asked, regimes, tuple(found))


def _range(replications: int | range) -> range:
    return range(replications) if isinstance(replications, int) else replications
