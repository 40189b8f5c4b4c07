"""How far the answer moves as each number of a scenario goes through its plausible range.

One number at a time goes to both ends of its range, the others stay as the scenario has them.
All runs share their random numbers, so that what is shown is what the number does and not chance.
Which numbers matter together is another question; see `outsim.questions.sweep`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack

from outsim.display import explain_missing, format_estimate, format_estimates, format_matters
from outsim.document import Answer, Document, Picture, Table
from outsim.estimates import LEVEL, Estimate, estimate
from outsim.questions.question import StudyOptions, StudyQuestion, asks
from outsim.questions.sweep import USUAL_MEASURE
from outsim.results.measures import Measure, measure_named
from outsim.scenario.factors import Factor, check
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import DEFAULT, ParameterTable, assumptions
from outsim.studies.default_replications import SWEEP, check_replications
from outsim.studies.foot import with_foot
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Variants
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd


TITLE = "What do the answers rest on?"


@dataclass(frozen=True)
class Effect:
    """What one number does to one measure; differences are paired."""

    factor: Factor
    low: Estimate
    """The measure at the low end of the range, less the measure as the scenario stands."""
    high: Estimate
    """The same at the high end."""
    move: Estimate
    """The measure at the high end less the one at the low end."""
    matters_from: float
    """Smallest difference of the measure that matters, in its unit."""

    @property
    def changes(self) -> tuple[Estimate, Estimate, Estimate]:
        """To the low end, to the high end, and from one to the other."""
        return self.low, self.high, self.move

    @property
    def size(self) -> float:
        """How far the measure moves, at the most; 0 where no run has it."""
        return 0.0 if self.largest is None else abs(self.largest.mean)

    @property
    def largest(self) -> Estimate | None:
        """The largest of the three changes; None where no run has the measure."""
        known = [change for change in self.changes if change.mean == change.mean]
        return max(known, key=lambda change: abs(change.mean), default=None)

    @property
    def is_none(self) -> bool:
        """Whether nothing changes in any replication."""
        return all(change.is_zero for change in self.changes)

    @property
    def is_small(self) -> bool:
        """Whether all that changes is too small to matter; see `Estimate.is_under`."""
        return all(change.is_under(self.matters_from) for change in self.changes)

    @property
    def verdict(self) -> Literal["moves", "small", "none", "unclear"]:
        """Whether it moves the measure clearly and by enough to matter.

        ``small`` where all that changes is too small to matter, ``none`` where nothing changes
        in any replication; else ``unclear``.
        """
        if self.is_none:
            return "none"
        if self.is_small:
            return "small"
        if any(move.is_clear and abs(move.mean) >= self.matters_from for move in self.changes):
            return "moves"
        return "unclear"


@dataclass(frozen=True, eq=False, repr=False)
class Assumptions(Answer):
    """Every number that a scenario uses, with its source, grade and plausible range."""

    ledger: ParameterTable

    def document(self) -> Document:
        """All numbers, by grade."""
        ledger = self.ledger
        graded = "; ".join(f"{count} {grade}" for grade, count in ledger.by_grade.items())
        rows = [
            [
                entry.key,
                entry.value,
                entry.grade,
                entry.source,
                entry.range and f"{entry.range} ({entry.range_source})",
                "" if entry.written_in == DEFAULT else entry.written_in,
            ]
            for grade in ledger.by_grade
            for entry in ledger
            if entry.grade == grade
        ]
        return Document(
            id="assumptions",
            title=TITLE,
            answer=(
                f"{ledger.scenario.name}: {len(ledger)} numbers and words, by where they come "
                f"from: {graded}."
            ),
            tables=[
                Table(
                    "Numbers with grade, source and plausible range",
                    ["key", "value", "grade", "source", "range", "file"],
                    rows,
                    is_text=True,
                )
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers for machines."""
        return plain({"scenario": self.ledger.scenario.name, "assumptions": self.ledger.to_dict()})


@dataclass(frozen=True, eq=False, repr=False)
class Effects(Answer):
    """What each number of a scenario does to its measures."""

    ledger: ParameterTable
    findings: StudyResult
    """The scenario as it stands; then, for each factor of the ledger, its low and high end."""
    measure: Measure
    """Measure that is asked about."""

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
        """The measure as the scenario stands."""
        return self.findings.mean(0, self.measure.name)

    def of(self, measure: str | None = None) -> tuple[Effect, ...]:
        """What each number does to a measure, the largest effect first, in the measure's unit.

        The measure is one by name; default: the one that is asked about. The intervals of all
        numbers hold together with the confidence that is named (Bonferroni).
        """
        about = self.measure_of(measure)
        name, support = about.name, about.support
        values = [self.findings.values(k, name) for k in range(2 * len(self.factors) + 1)]
        level = 1 - (1 - LEVEL) / max(1, len(self.factors))
        matters_from = about.matters_from(self.findings.mean(0, name).mean)
        effects = []
        for k, factor in enumerate(self.factors):
            low, high = values[2 * k + 1], values[2 * k + 2]
            moves = [
                estimate(to - since, level, support.between(to, since))
                for to, since in ((low, values[0]), (high, values[0]), (high, low))
            ]
            effects.append(Effect(factor, moves[0], moves[1], moves[2], matters_from))
        return tuple(sorted(effects, key=lambda effect: -effect.size))

    def measure_of(self, measure: str | None = None) -> Measure:
        """The measure of a name; by default the one that is asked about."""
        return self.measure if measure is None else measure_named(measure, self.findings.measures)

    def table(self) -> pd.DataFrame:
        """One row a number and measure, in the order of the ledger.

        Columns: key, low_end, high_end (texts), measure, of ``low``, ``high`` and ``move`` the
        mean and both ends of its interval, in the measure's unit: shares as fractions, times in
        seconds; and the verdict.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for measure in self.findings.measures:
            effects = {effect.factor.name: effect for effect in self.of(measure.name)}
            for factor in self.factors:
                row = {"key": factor.name, "low_end": factor.shown(0), "high_end": factor.shown(1)}
                rows.append(row | {"measure": measure.name} | _columns(effects[factor.name]))
        return pd.DataFrame(rows)

    def document(self) -> Document:
        """The answer in words, with its table and picture, and the numbers that it is about."""
        effects, scenario = self.of(), self.ledger.scenario
        kind, label = self.measure.kind, self.measure.label_at(scenario.deadline)
        begins = scenario.clock.begins
        shown = [effect for effect in effects if effect.verdict in ("moves", "unclear")]
        changes = [change for effect in shown for change in effect.changes]
        texts = format_estimates(kind, changes, begins, signed=True)
        rows = [
            [f"{effect.factor.name}: {effect.factor.ends}", *texts[3 * k : 3 * k + 3]]
            for k, effect in enumerate(shown)
        ]
        base = format_estimate(kind, self.base, begins)
        document = Document(
            id="effects",
            title="How far does each number move the answer?",
            answer=self._most(label),
            asked=(
                f"{scenario.name}: {label} as it stands: {base}; each of {len(self.factors)} "
                f"numbers at both ends of its range: {self.replications} paired replications, "
                f"seed {self.findings.seed}."
            ),
            more=self._by_verdict(effects, label),
            tables=[
                Table(
                    f"Change of {label}, from the scenario as it stands and from low to high end",
                    ["number: range", "low end", "high end", "low to high"],
                    rows,
                )
            ]
            if rows
            else [],
            pictures=[
                Picture(
                    "effects",
                    self,
                    alt=f"Bars of how far each number moves {label}. "
                    + "; ".join(f"{row[0]}: {row[1]} to {row[2]}" for row in rows),
                    caption=f"What moves {label}",
                )
            ],
            notes=[
                "Changes are paired. The intervals of a column hold together with 95 % "
                "(Bonferroni). One number is moved at a time."
            ],
            parts=[Assumptions(self.ledger).document()],
        )
        missing = explain_missing(change for change in changes if not change.is_zero)
        return with_foot(document, self.findings, missing)

    def _most(self, label: str) -> str:
        """Which number moves the measure most, and by how much."""
        moving = [effect for effect in self.of() if effect.verdict == "moves"]
        if not moving or moving[0].largest is None:
            return f"No number is shown to move {label} by so much that it matters."
        begins = self.ledger.scenario.clock.begins
        by = format_estimate(self.measure.kind, moving[0].largest, begins, signed=True)
        others = f"; {len(moving) - 1} more matter" if len(moving) > 1 else ""
        return f"{moving[0].factor.name} moves {label} most within its range, {by}{others}."

    def _by_verdict(self, effects: tuple[Effect, ...], label: str) -> list[str]:
        """Names of the numbers that matter, of those that don't, and of those nobody knows of."""
        least = format_matters(self.measure.kind, effects[0].matters_from) if effects else ""
        headings = {
            "moves": f"Within their ranges these move {label} by so much that it matters",
            "unclear": "Not clear, which more replications may change",
            "small": f"Too small to matter, under {least}",
            "none": f"Without any effect on {label}, in every replication",
        }
        names = {
            verdict: [effect.factor.name for effect in effects if effect.verdict == verdict]
            for verdict in headings
        }
        return [
            f"{heading}: {', '.join(names[verdict])}."
            for verdict, heading in headings.items()
            if names[verdict]
        ]

    def to_dict(self) -> dict[str, Any]:
        """The effects for machines, of every measure, by key."""
        measures = self.findings.measures
        return Assumptions(self.ledger).to_dict() | plain(
            {
                "seed": self.findings.seed,
                "replications": self.replications,
                "confidence": LEVEL,
                "measure": self.measure.name,
                "base": {
                    measure.name: self.findings.mean(0, measure.name).to_dict()
                    for measure in measures
                },
                "effects": {
                    measure.name: [_entry(effect) for effect in self.of(measure.name)]
                    for measure in measures
                },
            }
        )


def _entry(effect: Effect) -> dict[str, Any]:
    return {
        "key": effect.factor.name,
        "low_end": effect.factor.text(0),
        "high_end": effect.factor.text(1),
        "low": effect.low.to_dict(),
        "high": effect.high.to_dict(),
        "move": effect.move.to_dict(),
        "verdict": effect.verdict,
        "matters_from": effect.matters_from,
    }


def _columns(effect: Effect) -> dict[str, float | str]:
    columns: dict[str, float | str] = {}
    for name in ("low", "high", "move"):
        value: Estimate = getattr(effect, name)
        columns |= {name: value.mean, f"{name}_from": value.low, f"{name}_to": value.high}
    return columns | {"verdict": effect.verdict}


@asks(StudyOptions, usual=SWEEP)
def assumption_effects(
    scenario: Scenario, *, measure: str = USUAL_MEASURE, **options: Unpack[StudyOptions]
) -> StudyQuestion[Effects]:
    """Run a scenario with each of its numbers at both ends of its plausible range.

    Every number of `outsim.assumptions` that has a range takes two runs a replication; the
    scenario as it stands takes one. All have the same tapes.

    Parameters
    ----------
    scenario : Scenario
        What is asked about; its measures are those of its campaign under study.
    measure : str
        Measure by which the numbers are put in order.

    Raises
    ------
    ScenarioError
        If a range can't be used.
    StudyError
        If there is no such measure, or the study can't be made as asked.

    Examples
    --------
    >>> effects = await outsim.assumption_effects(scenario, measure="wait_p90_s")  # doctest: +SKIP
    """
    about, ledger = measure_named(measure), assumptions(scenario)
    check(ledger.factors, [scenario])
    check_replications(options.get("replications"))
    changes: dict[str, Mapping[str, str]] = {"as it stands": {}}
    for factor in ledger.factors:
        changes |= {f"{factor.name} {end}": factor.changes(end) for end in (0.0, 1.0)}
    run = Variants(scenario, changes, are_named=False).stream(**options)
    return StudyQuestion("effects", run, lambda findings: Effects(ledger, findings, about))
