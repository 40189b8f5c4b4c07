"""How far the answer moves as each number of a scenario goes through its plausible range.

One number at a time goes to both ends of its range, the others stay as the scenario has them.
All runs share their random numbers, so that what is shown is what the number does and not chance.
Which numbers matter together is another question; see `outsim.questions.sweep`.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from outsim.display import table_html
from outsim.engine import Engine
from outsim.estimates import LEVEL, Estimate, estimate
from outsim.progress import Progress
from outsim.questions.sweep import USUAL_FIGURE
from outsim.results.measures import Measure, measure_named
from outsim.scenario.factors import Factor, check
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import ParameterTable, assumptions
from outsim.studies.default_replications import SWEEP, check_replications
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Variants
from outsim.text import bounded, brief_document

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Effect:
    """What one number does to one figure; differences are paired."""

    factor: Factor
    low: Estimate
    """The figure at the low end of the range, less the figure as the scenario stands."""
    high: Estimate
    """The same at the high end."""
    move: Estimate
    """The figure at the high end less the one at the low end."""
    matters_from: float
    """Smallest difference of the figure that matters, in its unit."""

    @property
    def size(self) -> float:
        """How far the figure moves, at the most; 0 where no run has it."""
        moves = (self.low.mean, self.high.mean, self.move.mean)
        return max((abs(each) for each in moves if each == each), default=0.0)

    @property
    def is_none(self) -> bool:
        """Whether nothing changes in any replication."""
        return all(each.is_zero for each in (self.low, self.high, self.move))

    @property
    def is_small(self) -> bool:
        """Whether all that changes is too small to matter; see `Estimate.is_under`."""
        return all(each.is_under(self.matters_from) for each in (self.low, self.high, self.move))

    @property
    def verdict(self) -> Literal["moves", "small", "none", "unclear"]:
        """Whether it moves the figure clearly and by enough to matter.

        ``small`` where all that changes is too small to matter, ``none`` where nothing changes
        in any replication; else ``unclear``.
        """
        if self.is_none:
            return "none"
        if self.is_small:
            return "small"
        changes = (self.low, self.high, self.move)
        if any(each.is_clear and abs(each.mean) >= self.matters_from for each in changes):
            return "moves"
        return "unclear"


@dataclass(frozen=True, eq=False)
class Effects:
    """What each number of a scenario does to its figures."""

    ledger: ParameterTable
    findings: StudyResult
    """The scenario as it stands; then, for each factor of the ledger, its low and high end."""
    measure: Measure
    """Figure that is asked about."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What was moved."""
        return self.ledger.factors

    @property
    def replications(self) -> int:
        """How many there are of each scenario."""
        return self.findings.replications

    @property
    def base(self) -> Estimate:
        """The figure as the scenario stands."""
        return self.findings.mean(0, self.measure.name)

    def of(self, figure: str | None = None) -> tuple[Effect, ...]:
        """What each number does to a figure, the largest effect first.

        The intervals of all numbers hold together with the confidence that is named (Bonferroni).

        Parameters
        ----------
        figure : str, optional
            Name of a measure; default: the one that is asked about.

        Returns
        -------
        tuple of Effect
            Differences in the unit of the figure: shares as fractions, times in seconds.

        Raises
        ------
        StudyError
            If there is no such figure.
        """
        measure = self.measure_of(figure)
        name, support = measure.name, measure.support
        values = [self.findings.values(k, name) for k in range(2 * len(self.factors) + 1)]
        level = 1 - (1 - LEVEL) / max(1, len(self.factors))
        matters_from = measure.matters_from(self.findings.mean(0, name).mean)
        found = []
        for k, factor in enumerate(self.factors):
            low, high = values[2 * k + 1], values[2 * k + 2]
            moves = [
                estimate(to - since, level, support.between(to, since))
                for to, since in ((low, values[0]), (high, values[0]), (high, low))
            ]
            found.append(Effect(factor, moves[0], moves[1], moves[2], matters_from))
        return tuple(sorted(found, key=lambda each: -each.size))

    def measure_of(self, figure: str | None = None) -> Measure:
        """The measure of a name; by default the one that is asked about.

        Raises
        ------
        StudyError
            If there is no such figure.
        """
        return self.measure if figure is None else measure_named(figure, self.findings.measures)

    def table(self) -> pd.DataFrame:
        """One row a number and figure, in the order of the ledger.

        Columns: key, low_end, high_end (texts), measure, of ``low``, ``high`` and ``move`` the
        mean and both ends of its interval, in the figure's unit: shares as fractions, times in
        seconds; and the verdict.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for measure in self.findings.measures:
            found = {each.factor.name: each for each in self.of(measure.name)}
            for factor in self.factors:
                row = {"key": factor.name, "low_end": factor.shown(0), "high_end": factor.shown(1)}
                rows.append(row | {"measure": measure.name} | _columns(found[factor.name]))
        return pd.DataFrame(rows)

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The effects for machines, of every figure, by key."""
        measures = self.findings.measures
        return {
            "scenario": self.ledger.scenario.name,
            "seed": self.findings.seed,
            "replications": self.replications,
            "confidence": LEVEL,
            "figure": self.measure.name,
            "base": {each.name: self.findings.mean(0, each.name).to_json() for each in measures},
            "effects": {each.name: self._effects(each.name) for each in measures},
        }

    def _effects(self, figure: str) -> list[dict[str, Any]]:
        return [
            {
                "key": each.factor.name,
                "low_end": each.factor.text(0),
                "high_end": each.factor.text(1),
                "low": each.low.to_json(),
                "high": each.high.to_json(),
                "move": each.move.to_json(),
                "verdict": each.verdict,
                "matters_from": each.matters_from,
            }
            for each in self.of(figure)
        ]

    def __repr__(self) -> str:
        return bounded(
            f"Effects({self.ledger.scenario.name}: {len(self.factors)} numbers, "
            f"{self.replications} replications, seed {self.findings.seed})"
        )

    def _repr_html_(self) -> str:
        return table_html(self.table(), index=False)


def _columns(effect: Effect) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name in ("low", "high", "move"):
        value: Estimate = getattr(effect, name)
        found |= {name: value.mean, f"{name}_from": value.low, f"{name}_to": value.high}
    return found | {"verdict": effect.verdict}


async def assumption_effects(
    scenario: Scenario,
    *,
    figure: str = USUAL_FIGURE,
    replications: int = SWEEP,
    seed: int | None = None,
    engine: Engine = "auto",
    executor: Executor | str | None = None,
    directory: str | Path | None = None,
    progress: Progress | Literal["bar"] | None = "bar",
) -> Effects:
    """Run a scenario with each of its numbers at both ends of its plausible range.

    Every number of `outsim.assumptions` that has a range takes two runs a replication; the
    scenario as it stands takes one. All have the same tapes.

    Parameters
    ----------
    scenario : Scenario
        What is asked about; its figures are those of its campaign under study.
    figure : str
        Measure by which the numbers are put in order.
    replications : int
        How many of each, 2 or more.
    seed, engine, executor, directory, progress
        As for `Study`.

    Returns
    -------
    Effects

    Raises
    ------
    ScenarioError
        If a range can't be used.
    StudyError
        If there is no such figure, or the study can't be made as asked.

    Examples
    --------
    >>> effects = await outsim.assumption_effects(scenario, figure="wait_p90_s")  # doctest: +SKIP
    """
    measure = measure_named(figure)
    found = assumptions(scenario)
    check(found.factors, [scenario])
    check_replications(replications)
    changes: dict[str, Mapping[str, str]] = {"as it stands": {}}
    for factor in found.factors:
        changes |= {f"{factor.name} {end}": factor.changes(end) for end in (0.0, 1.0)}
    run = Variants(scenario, changes, are_named=False).stream(
        seed=seed,
        replications=replications,
        engine=engine,
        executor=executor,
        directory=directory,
        progress=progress,
    )
    return Effects(found, await run, measure)
