"""What one more would have been worth: a port, a worker, a call per second.

The same replications are run with each of them, everything else being equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from outsim.clock import RATE_SECONDS, format_rate, write_rate
from outsim.display import format_estimate, unit_of
from outsim.estimates import Estimate
from outsim.results.measures import MEASURES, WAIT_MEAN, Measure
from outsim.scenario.model import Scenario
from outsim.studies.study_result import StudyResult
from outsim.text import brief, brief_document

SHARE = 20
"""The larger step in ports is one in so many: 5 %."""

WORTH_MEASURES: tuple[Measure, ...] = (
    WAIT_MEAN,
    *(each for each in MEASURES if each.name == "wait_p90_s"),
    *(each for each in MEASURES if each.name == "completed_by_deadline"),
)
"""Figures that the worth of more is told in."""


@dataclass(frozen=True)
class More:
    """A platform with more of something."""

    what: str
    """Such as ``"1 more port"``."""
    key: str
    """Key of the scenario."""
    value: str
    """Its new value, as a scenario file has it."""
    change: str
    """From what to what, for people."""

    def of(self, scenario: Scenario) -> Scenario:
        """The scenario with it."""
        return scenario.with_({self.key: self.value}, name=f"{scenario.name}, {self.what}")


def usual_steps(scenario: Scenario) -> tuple[More, ...]:
    """One more port, 5 % more of them, one more worker, and one more call per second."""
    platform = scenario.platform
    ports, workers, rate = platform.ports, platform.workers, platform.dial_rate
    steps = [_count("port", "platform.ports", ports, 1)]
    if (larger := -(-ports // SHARE)) > 1:
        steps.append(_count("port", "platform.ports", ports, larger))
    steps.append(_count("worker", "platform.workers", workers, 1))
    more = rate + RATE_SECONDS
    change = f"{format_rate(rate)} to {format_rate(more)}"
    steps.append(More("1 more call/s", "platform.dial_rate", write_rate(more), change))
    return tuple(steps)


def _count(what: str, key: str, there: int, more: int) -> More:
    words = f"{more} more {what}" + ("s" if more > 1 else "")
    return More(words, key, str(there + more), f"{there:,} to {there + more:,}")


@dataclass(frozen=True, eq=False)
class Worth:
    """What more of something does to the waits of a campaign, over paired replications."""

    __repr__ = brief

    findings: StudyResult
    """Figures of the scenario, and then of one for each step."""
    steps: tuple[More, ...]

    def effect(self, step: int, measure: str) -> Estimate:
        """Mean paired difference that a step makes to a figure.

        The intervals of all steps hold together with 95 % (Bonferroni).
        """
        return self.findings.difference(step + 1, measure)

    def table(self) -> pd.DataFrame:
        """One row a step, indexed by ``what``.

        Columns: ``key``, ``value``, and of each figure of `WORTH_MEASURES` its difference with
        the ends of its interval, as ``NAME``, ``NAME_low`` and ``NAME_high``; seconds, and
        shares from 0 to 1.
        """
        rows = []
        for place, step in enumerate(self.steps):
            row: dict[str, Any] = {"what": step.what, "key": step.key, "value": step.value}
            for each in WORTH_MEASURES:
                found = self.effect(place, each.name)
                row |= {
                    each.name: found.mean,
                    f"{each.name}_low": found.low,
                    f"{each.name}_high": found.high,
                }
            rows.append(row)
        return pd.DataFrame(rows).set_index("what")

    def rows(self) -> list[list[str]]:
        """What each step does, as people write it; columns are `columns`."""
        begins = self.findings.scenarios[0].clock.begins
        rows = [[step.what, step.change] for step in self.steps]
        for each in WORTH_MEASURES:
            effects = [self.effect(place, each.name) for place in range(len(self.steps))]
            unit = unit_of(each.kind, effects, signed=True)
            for row, effect in zip(rows, effects, strict=True):
                row.append(format_estimate(each.kind, effect, begins, signed=True, unit=unit))
        return rows

    @property
    def columns(self) -> list[str]:
        """Headers of `rows`."""
        return ["with", "from, to", *(self.findings.label(each) for each in WORTH_MEASURES)]

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answer for machines."""
        return {
            "replications": self.findings.replications,
            "seed": self.findings.seed,
            "steps": [
                {
                    "what": step.what,
                    "key": step.key,
                    "value": step.value,
                    "effects": {
                        each.name: self.effect(place, each.name).to_json()
                        for each in WORTH_MEASURES
                    },
                }
                for place, step in enumerate(self.steps)
            ],
        }
