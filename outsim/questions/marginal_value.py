"""What one more port, worker or call per second would have been worth to a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from outsim.clock import RATE_SECONDS, format_rate, write_rate
from outsim.display import format_estimates
from outsim.document import Document, Table
from outsim.estimates import Estimate
from outsim.results.measures import MEASURES, WAIT_MEAN, Measure
from outsim.scenario.model import Scenario
from outsim.studies.study_result import StudyResult
from outsim.text import brief

SHARE = 20
"""The larger step in ports is one in so many: 5 %."""

MARGINAL_MEASURES: tuple[Measure, ...] = (
    WAIT_MEAN,
    *(measure for measure in MEASURES if measure.name == "wait_p90_s"),
    *(measure for measure in MEASURES if measure.name == "completed_by_deadline"),
)
"""Measures of what more would have been worth."""


@dataclass(frozen=True)
class Increment:
    """A platform with more of something."""

    what: str
    """Such as ``"1 more port"``."""
    key: str
    """Key of the scenario."""
    value: str
    """Its new value, as a scenario file has it."""
    change: str
    """From what to what, for people."""


def default_increments(scenario: Scenario) -> tuple[Increment, ...]:
    """One more port, 5 % more of them, one more worker, and one more call per second."""
    platform = scenario.platform
    ports, workers, rate = platform.ports, platform.workers, platform.dial_rate
    steps = [_count("port", "platform.ports", ports, 1)]
    if (larger := -(-ports // SHARE)) > 1:
        steps.append(_count("port", "platform.ports", ports, larger))
    steps.append(_count("worker", "platform.workers", workers, 1))
    more = rate + RATE_SECONDS
    change = f"{format_rate(rate)} to {format_rate(more)}"
    steps.append(Increment("1 more call/s", "platform.dial_rate", write_rate(more), change))
    return tuple(steps)


def _count(what: str, key: str, there: int, more: int) -> Increment:
    words = f"{more} more {what}" + ("s" if more > 1 else "")
    return Increment(words, key, str(there + more), f"{there:,} to {there + more:,}")


@dataclass(frozen=True, eq=False)
class MarginalValue:
    """What more of something does to the waits of a campaign, over paired replications."""

    __repr__ = brief

    findings: StudyResult
    """Measures of the scenario, and then of one for each step."""
    steps: tuple[Increment, ...]

    def effect(self, step: int, measure: str) -> Estimate:
        """Mean paired difference that a step makes to a measure.

        The intervals of all steps hold together with 95 % (Bonferroni).
        """
        return self.findings.difference(step + 1, measure)

    def table(self) -> pd.DataFrame:
        """One row a step, indexed by ``what``.

        Columns: ``key``, ``value``, and of each measure of `MARGINAL_MEASURES` its difference with
        the ends of its interval, as ``NAME``, ``NAME_low`` and ``NAME_high``; seconds, and
        shares from 0 to 1.
        """
        rows = []
        for place, step in enumerate(self.steps):
            row: dict[str, Any] = {"what": step.what, "key": step.key, "value": step.value}
            for measure in MARGINAL_MEASURES:
                row |= self.effect(place, measure.name).columns(measure.name)
            rows.append(row)
        return pd.DataFrame(rows).set_index("what")

    def document(self) -> Document:
        """What more would have been worth, in a table."""
        findings, begins = self.findings, self.findings.scenarios[0].clock.begins
        columns = {
            "with": [step.what for step in self.steps],
            "from, to": [step.change for step in self.steps],
        }
        for measure in MARGINAL_MEASURES:
            effects = [self.effect(place, measure.name) for place in range(len(self.steps))]
            columns[findings.label(measure)] = format_estimates(
                measure.kind, effects, begins, signed=True
            )
        return Document(
            id="marginal-value",
            title="What would more have been worth?",
            tables=[Table.of_columns("What more would have been worth", columns)],
            notes=[
                f"What more would have been worth: mean paired difference over "
                f"{findings.replications} replications, seed {findings.seed}; the "
                f"{len(self.steps)} differences of one measure hold together with 95 % "
                "(Bonferroni)."
            ],
        )

    def to_dict(self) -> dict[str, Any]:
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
                        measure.name: self.effect(place, measure.name).to_dict()
                        for measure in MARGINAL_MEASURES
                    },
                }
                for place, step in enumerate(self.steps)
            ],
        }
