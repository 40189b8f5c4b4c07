"""Do runs do what theory says? Every formula that applies to a scenario, beside its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.display import UNKNOWN, format_estimate, format_figure
from outsim.document import Answer, Document, Table
from outsim.estimates import Estimate, estimate
from outsim.results.measures import Measure
from outsim.scenario.model import Scenario
from outsim.studies.default_replications import CHECK, check_replications
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.text import plain
from outsim.theory.applying import Check, DoesNotApply, checks
from outsim.theory.measures import last_first_dispatch_s

LEVEL = 0.01
"""How often it is said of any of the formulas that runs differ from it, where none does."""
ROUNDING = 1e-6
"""Seconds by which a bound may be missed: instants are whole microseconds."""


@dataclass(frozen=True)
class Line:
    """A formula that applies, with what it says and what the runs gave."""

    check: Check
    predicted: float
    """NaN where the runs don't give what the formula needs."""
    simulated: Estimate
    difference: float
    """Simulated less predicted."""
    error: float
    """Standard error of that."""
    broken: int
    """Runs that are beyond the bound; 0 where it is none."""
    critical: float
    """Standard errors from which on a difference is none by chance."""

    @property
    def is_bound(self) -> bool:
        """Whether the formula bounds the measure, run by run."""
        return self.check.kind in ("at least", "at most")

    @property
    def resource(self) -> str:
        """What the formula is about, in a word or two."""
        return self.check.formula.rpartition(", ")[2]

    @property
    def is_known(self) -> bool:
        """Whether there is anything to compare."""
        return bool(np.isfinite(self.difference) and np.isfinite(self.error))

    @property
    def errors(self) -> float:
        """Difference in standard errors; NaN for bounds, and where nearly all runs agree."""
        if self.is_bound or self.simulated.rare is not None or not self.error > 0:
            return float("nan")
        return self.difference / self.error

    @property
    def agrees(self) -> bool | None:
        """Whether runs are as the formula says; None for approximations, and if not known."""
        if self.is_bound:
            return self.broken == 0 if self.simulated.count else None
        if self.check.kind == "approximation" or not self.is_known:
            return None
        return bool(abs(self.difference) <= self.check.slack + self.critical * self.error)

    @property
    def verdict(self) -> str:
        """What comes of it, in a word or two."""
        if self.is_bound:
            if not self.simulated.count:
                return "no run has it"
            held = self.simulated.count - self.broken
            return "holds" if self.broken == 0 else f"BROKEN in {self.broken}, holds in {held}"
        return {True: "agrees", False: "DIFFERS", None: ""}[self.agrees]

    def to_dict(self) -> dict[str, Any]:
        """The line for machines; in seconds, clock times since the run begins."""
        return {
            "formula": self.check.formula,
            "of": self.check.of,
            "kind": self.check.kind,
            "predicted": self.predicted,
            "simulated": self.simulated.to_dict(),
            "difference": self.difference,
            "standard_error": self.error,
            "standard_errors": self.errors,
            "runs_beyond_the_bound": self.broken if self.is_bound else None,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Theory(Answer):
    """What theory says of a scenario, and what its runs gave."""

    scenario: Scenario
    findings: StudyResult
    applying: tuple[Check, ...]
    others: tuple[DoesNotApply, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every formula that applies, with its verdict."""
        return tuple(self._line(check) for check in self.applying)

    @property
    def agrees(self) -> bool:
        """Whether runs differ from no exact formula, and keep every bound."""
        return all(line.agrees is not False for line in self.lines)

    @property
    def critical(self) -> float:
        """Standard errors within which all exact formulas' measures lie, but for one time in 100.

        Student's t at `LEVEL`, shared out among them (Bonferroni).
        """
        from scipy.special import stdtrit

        exact = sum(check.kind == "exact" for check in self.applying)
        return float(stdtrit(self.findings.replications - 1, 1 - LEVEL / 2 / max(1, exact)))

    @property
    def pace(self) -> Line | None:
        """Of the bounds on the last first call, the latest: what sets the pace, if it is near."""
        name = last_first_dispatch_s.__name__
        lines = [
            line
            for line in self.lines
            if line.check.simulated.name == name and np.isfinite(line.predicted)
        ]
        # Where calls come no faster than they go, every bound is when the last one came: then it
        # is loading, the last of them, that sets the pace.
        return max(reversed(lines), key=lambda line: round(line.predicted, 3), default=None)

    def _line(self, check: Check) -> Line:
        simulated = self.findings.values(0, check.simulated.name)
        observed = {given.name: self.findings.values(0, given.name) for given in check.inputs}
        predicted, difference, error = _jackknife(check, simulated, observed)
        broken = 0
        if check.kind in ("at least", "at most"):
            beyond = simulated - observed[check.inputs[0].name]
            beyond = -beyond if check.kind == "at least" else beyond
            broken = int((beyond > ROUNDING).sum())
        return Line(
            check,
            predicted,
            estimate(simulated, support=check.simulated.support),
            difference,
            error,
            broken,
            self.critical,
        )

    def document(self) -> Document:
        """What theory says beside what runs gave, in words and tables."""
        lines = [line for line in self.lines if not line.is_bound]
        bounds = [line for line in self.lines if line.is_bound]
        wrong = [line.check.formula for line in self.lines if line.agrees is False]
        telling = [line for line in self.lines if line.agrees is not None]
        answer = f"Runs are as theory says, in all {len(telling)} of its formulas that can tell."
        if wrong:
            answer = f"Runs DIFFER from theory in {len(wrong)} of {len(telling)} formulas: " + (
                f"{'; '.join(wrong)}."
            )
        elif not telling:
            answer = "No formula of theory can tell whether the runs are right."
        tables = [
            Table(
                "Formulas",
                ["formula", "theory", "simulated", "standard errors", "verdict"],
                [self._row(line) for line in lines],
                text_columns=("verdict",),
            ),
            Table(
                "Bounds",
                ["bound", "theory", "simulated", "apart", "verdict"],
                [self._bound_row(line) for line in bounds],
                text_columns=("verdict",),
            ),
        ]
        return Document(
            id="theory",
            title="Theory beside simulation",
            answer=answer,
            asked=f"{self.findings.replications} runs, seed {self.findings.seed}.",
            more=[] if self.pace is None else [self._pace_text(self.pace)],
            tables=[table for table in tables if table.rows],
            notes=[
                *self._notes(lines, bounds),
                *(f"Does not apply: {other}." for other in self.others),
            ],
        )

    def _notes(self, lines: list[Line], bounds: list[Line]) -> Iterator[str]:
        if bounds:
            yield "Bounds are each run's own, by what came in: each run is compared with its own."
        kinds = {line.check.kind for line in lines}
        if "exact" in kinds:
            yield (
                "± is half of the 95 % interval. Formulas are given the times and rates of the "
                f"runs; within {self.critical:.1f} standard errors a measure agrees."
            )
        if "approximation" in kinds:
            yield "An approximation need not agree: the standard errors say how clearly it is one."

    def _pace_text(self, pace: Line) -> str:
        after = format_figure("seconds", pace.difference, self.scenario.clock.begins)
        return (
            f"The latest bound for the last first call is that of {pace.resource}: it goes out "
            f"{after} after."
        )

    def _row(self, line: Line) -> list[str]:
        kind, begins = line.check.simulated.kind, self.scenario.clock.begins
        return [
            f"{line.check.formula}: {line.check.of}",
            format_figure(kind, line.predicted, begins),
            format_estimate(kind, line.simulated, begins),
            f"{line.errors:+.1f}" if line.errors == line.errors else UNKNOWN,
            line.verdict or line.check.kind,
        ]

    def _bound_row(self, line: Line) -> list[str]:
        kind, begins = line.check.simulated.kind, self.scenario.clock.begins
        word = "from" if line.check.kind == "at least" else "by"
        clock = format_figure("clock", line.predicted, begins)
        return [
            f"{line.check.formula}: {line.check.of}",
            f"{word} {clock}" if clock != UNKNOWN else UNKNOWN,
            format_estimate(kind, line.simulated, begins),
            format_figure("seconds", line.difference, begins),
            line.verdict,
        ]

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return plain(
            {
                "scenario": self.scenario.name,
                "seed": self.findings.seed,
                "replications": self.findings.replications,
                "agrees": self.agrees,
                "standard_errors_allowed": self.critical,
                "applies": [line.to_dict() for line in self.lines],
                "does_not_apply": [
                    {"formula": other.formula, "because": other.because} for other in self.others
                ],
            }
        )


def _jackknife(
    check: Check, simulated: NDArray[np.float64], observed: dict[str, NDArray[np.float64]]
) -> tuple[float, float, float]:
    """Prediction from the means over all runs, simulated less predicted, and its standard error.

    A formula of means is no mean of formulas: leaving out one run at a time takes the bias of
    that away, and tells how much the difference varies, with what is common to both sides taken
    out (M. Quenouille 1956; J. Tukey 1958).
    """
    known = ~np.isnan(simulated)
    for values in observed.values():
        known &= ~np.isnan(values)
    if known.sum() < 2:
        return float("nan"), float("nan"), float("nan")
    simulated, observed = (
        simulated[known],
        {name: values[known] for name, values in observed.items()},
    )
    count = len(simulated)

    def predicted(rows: NDArray[np.bool_]) -> float:
        try:
            return check.predict({name: float(v[rows].mean()) for name, v in observed.items()})
        except (ValueError, ZeroDivisionError):
            return float("nan")  # what happened to come in has no steady state

    every = np.ones(count, dtype=np.bool_)
    without = np.array(
        [float(simulated[rows].mean()) - predicted(rows) for rows in _leaving(every)]
    )
    whole = predicted(every)
    difference = count * (float(simulated.mean()) - whole) - (count - 1) * float(without.mean())
    error = float(np.sqrt((count - 1) * without.var()))
    return whole, difference, error


def _leaving(every: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    for k in range(len(every)):
        rows = every.copy()
        rows[k] = False
        yield rows


async def check_theory(scenario: Scenario, replications: int = CHECK, **options: Any) -> Theory:
    """Hold every formula that applies to a scenario, or to part of it, against its runs."""
    check_replications(replications)
    applying, others = checks(scenario)
    measures: dict[str, Measure] = {}
    for check in applying:
        measures |= {measure.name: measure for measure in check.measures}
    findings = await run_of(
        scenario, replications=replications, measures=tuple(measures.values()), **options
    )
    return Theory(scenario, findings, tuple(applying), tuple(others))
