"""Comparison of scenarios, paired replication by replication.

Each replication gives every scenario the same tape, so that a difference is
what the change does and not luck; the interval of a difference is that of the
paired differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.display import format_estimate
from outsim.engine import Engine, choose
from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate, estimate
from outsim.plan import build_plan
from outsim.progress import Progress
from outsim.scenario.model import Scenario
from outsim.study.replications import Figures, Job, stream
from outsim.tables.measures import MEASURES, Measure
from outsim.tape import Tape

if TYPE_CHECKING:
    import pandas as pd

START_TIME_MEASURES = ("completed_by_deadline", "completed_share", "finished_s", "duration_s")
"""The four figures that stand side by side when start times are compared."""

_CLOCK_TIMES = {each.name for each in MEASURES if each.kind == "clock"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Figures of two or more scenarios over the same replications.

    The first scenario is the baseline that the others are held against.
    """

    scenarios: tuple[Scenario, ...]
    seed: int
    replications: int
    figures: tuple[Figures, ...]
    """Of every run, by scenario and replication."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scenarios; where some share a name, with their numbers."""
        names = [scenario.name for scenario in self.scenarios]
        return tuple(
            f"{name} ({place})" if names.count(name) > 1 else name
            for place, name in enumerate(names, 1)
        )

    def values(self, place: int, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One figure of one scenario, by replication.

        A clock time is in seconds since the first scenario begins, by the time of day, also
        where the other one begins at another time or on another day.
        """
        values = np.array([f.measures[name] for f in self.figures if f.place == place])
        return values + self._later_s(place) if name in _CLOCK_TIMES else values

    def _later_s(self, place: int) -> float:
        """How much later in the day a scenario begins than the first one."""
        begins, first = (
            datetime.combine(date.min, self.scenarios[k].clock.begins.time()) for k in (place, 0)
        )
        return (begins - first).total_seconds()

    def mean(self, place: int, name: str) -> Estimate:
        """Mean of one figure of one scenario."""
        return estimate(self.values(place, name))

    def difference(self, place: int, name: str) -> Estimate:
        """Mean of the paired differences of a scenario from the first one."""
        return estimate(self.values(place, name) - self.values(0, name))

    @property
    def background_share(self) -> Estimate:
        """Share of all attempts that background tenants make, over all runs."""
        return estimate(np.array([f.background_share for f in self.figures]))

    @property
    def attempts(self) -> tuple[int, int]:
        """Fewest and most attempts of a run."""
        attempts = [f.attempts for f in self.figures]
        return min(attempts), max(attempts)

    def changes(self, place: int) -> Iterator[tuple[Measure, Estimate]]:
        """Differences from the first scenario that are clear, with what they are about."""
        for each in MEASURES:
            difference = self.difference(place, each.name)
            if difference.is_clear:
                yield each, difference

    def conflicts(self, place: int) -> bool:
        """Whether the four figures of a start time clearly disagree on what is better."""
        signs = {
            np.sign(difference.mean) * each.better
            for each, difference in self.changes(place)
            if each.name in START_TIME_MEASURES
        }
        return len(signs) > 1

    def table(self) -> pd.DataFrame:
        """One row per figure and scenario: mean, interval, difference and its interval."""
        import pandas as pd

        rows = []
        for each in MEASURES:
            for place, label in enumerate(self.labels):
                mean, difference = self.mean(place, each.name), self.difference(place, each.name)
                rows.append(
                    {
                        "measure": each.name,
                        "scenario": label,
                        "mean": mean.mean,
                        "low": mean.low,
                        "high": mean.high,
                        "replications": mean.count,
                        "not_over": mean.missing,
                        "difference": difference.mean if place else np.nan,
                        "difference_low": difference.low if place else np.nan,
                        "difference_high": difference.high if place else np.nan,
                    }
                )
        return pd.DataFrame(rows)

    def label(self, each: Measure) -> str:
        """What people call a figure, with the deadline that the scenarios share."""
        return each.label_at(*(scenario.deadline for scenario in self.scenarios))

    def text_table(self) -> pd.DataFrame:
        """Figures by row, scenarios by column, then the paired differences from the first."""
        import pandas as pd

        begins = self.scenarios[0].clock.begins
        others = range(1, len(self.scenarios))
        differences = (
            ["difference"]
            if len(self.scenarios) == 2
            else [f"{self.labels[place]}: difference" for place in others]
        )
        rows = []
        for each in MEASURES:
            means = [self.mean(place, each.name) for place in range(len(self.scenarios))]
            if each.optional and not any(mean.count for mean in means):
                continue
            row = [self.label(each)]
            for value in means:
                over = (
                    f" ({value.count} of {value.count + value.missing})" if value.missing else ""
                )
                row.append(format_estimate(each.kind, value, begins) + over)
            for place in others:
                value = self.difference(place, each.name)
                row.append(format_estimate(each.kind, value, begins, signed=True))
            rows.append(row)
        return pd.DataFrame(rows, columns=["", *self.labels, *differences])

    def replication_table(self) -> pd.DataFrame:
        """Figures of every run: one row per scenario and replication."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"scenario": self.labels[f.place], "replication": f.replication}
                | f.measures
                | {"attempts": f.attempts, "background_share": f.background_share}
                for f in self.figures
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates."""

        def plain(value: Estimate) -> dict[str, float | int | None]:
            return {
                "mean": _number(value.mean),
                "low": _number(value.low),
                "high": _number(value.high),
                "replications": value.count,
                "not_over": value.missing,
            }

        return {
            "scenarios": list(self.labels),
            "seed": self.seed,
            "replications": self.replications,
            "confidence": LEVEL,
            "background_share": plain(self.background_share),
            "measures": {
                each.name: {
                    "label": self.label(each),
                    "kind": each.kind,
                    "means": [plain(self.mean(k, each.name)) for k in range(len(self.scenarios))],
                    "differences": [
                        plain(self.difference(k, each.name)) for k in range(1, len(self.scenarios))
                    ],
                }
                for each in MEASURES
            },
            "runs": [
                {
                    "scenario": f.place,
                    "replication": f.replication,
                    "attempts": f.attempts,
                    **{name: _number(value) for name, value in f.measures.items()},
                }
                for f in self.figures
            ],
        }

    def __repr__(self) -> str:
        names = " against ".join(self.labels)
        return f"Comparison({names}; {self.replications} paired replications, seed {self.seed})"

    def _repr_html_(self) -> str:
        return self.text_table().to_html(index=False)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


async def compare(
    *scenarios: Scenario,
    replications: int = 8,
    seed: int | None = None,
    executor: Executor | None = None,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Comparison:
    """Compare scenarios over paired replications.

    Parameters
    ----------
    *scenarios : Scenario
        Two or more; the first is the baseline.
    replications : int
        How many, at least 2; the more, the narrower the intervals.
    seed : int, optional
        Seed of all runs; default: that of the first scenario.
    executor : concurrent.futures.Executor, optional
        Who does the work; default: threads of this machine with the compiled engine, and
        processes with the other.
    engine : "auto", "simpy" or "compiled"
        Which engine; "auto" goes by the size of the whole study. The choice never changes a
        figure.
    progress : callable, optional
        Told (runs done, runs in all) after each run.

    Raises
    ------
    StudyError
        If there are too few scenarios or replications, or a scenario has no
        campaign to compare.
    """
    if len(scenarios) < 2:
        raise StudyError(f"{len(scenarios)} scenario given: a comparison needs two or more")
    if replications < 2:
        raise StudyError(
            f"replications = {replications}: must be 2 or more, or there is no interval"
        )
    for scenario in scenarios:
        if scenario.campaign_under_study is None:
            raise StudyError(f"scenario {scenario.name!r} has no campaign to compare")
    common = scenarios[0].seed if seed is None else seed
    # One choice for the whole study: many small runs are worth a quick engine too.
    first = [build_plan(scenario, Tape(common)) for scenario in scenarios]
    chosen = choose(engine, replications * sum(plan.calls_begun for plan in first))
    jobs = [
        Job(place, scenario, common, replication, chosen)
        for replication in range(replications)
        for place, scenario in enumerate(scenarios)
    ]
    done: list[Figures] = []
    async with aclosing(stream(jobs, executor)) as runs:
        async for figures in runs:
            done.append(figures)
            if progress is not None:
                progress(len(done), len(jobs))
    done.sort(key=lambda figures: (figures.place, figures.replication))
    return Comparison(scenarios, common, replications, tuple(done))
