"""Who gains and who loses: several campaigns, or all tenants, in scenarios that are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from outsim.display import format_estimate, format_estimates
from outsim.document import Document, Table
from outsim.estimates import Estimate
from outsim.results.everybody import (
    BACKGROUND,
    FAIR_SHARE,
    FAIRNESS,
    WAITING_SHARE,
    campaign_subject,
    tenants_of,
)
from outsim.results.measures import ALL_MEASURES, Measure, Subject, measure_named
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.promises import find_measure
from outsim.studies.study_result import StudyResult

_P95 = find_measure("p95 wait", "measure")

GAINS = (_P95, *(measure_named(n) for n in ("completed_by_deadline", "completed_share")))
"""Measures by which somebody gains or loses."""

_PER_PORT_HOUR = measure_named("completions_per_port_hour", ALL_MEASURES)

_OF_TENANTS = (measure_named("port_share", ALL_MEASURES), WAITING_SHARE, FAIR_SHARE)

_MOST = 3
"""Of those who gain, and of those who lose, that the first line names."""

OVERALL = (
    FAIRNESS,
    FAIR_SHARE.about(Subject("tenants", pick="min")),
    _P95.about(Subject("tenants", pick="max")),
)
"""Measures of all tenants together: fairness, and the worst of them."""


@dataclass(frozen=True)
class Everybody:
    """Whose calls are asked about, beside those of the campaign under study."""

    subjects: tuple[Subject, ...] = ()

    @classmethod
    def of(
        cls,
        scenarios: Sequence[Scenario],
        campaigns: Sequence[str | Campaign],
        *,
        all_tenants: bool,
    ) -> Everybody:
        """Campaigns that all of these scenarios have; all tenants that one of them has."""
        named = [campaign_subject(scenario, one) for scenario in scenarios for one in campaigns]
        if all_tenants:
            tenants = (name for scenario in scenarios for name in tenants_of(scenario))
            named += [Subject("tenant", name) for name in dict.fromkeys(tenants)]
            if any(scenario.background is not None for scenario in scenarios):
                named.append(BACKGROUND)
        return cls(tuple(dict.fromkeys(named)))

    @classmethod
    def measured(cls, findings: StudyResult) -> Everybody:
        """All of whom a study has kept what is measured; nobody where something is missing."""
        kinds = ("campaign", "tenant", "background")
        found = (measure.of for measure in findings.measures)
        whose = cls(
            tuple(dict.fromkeys(of for of in found if of is not None and of.kind in kinds))
        )
        names = {measure.name for measure in whose.measures}
        return whose if names <= {measure.name for measure in findings.measures} else NOBODY

    @property
    def has_tenants(self) -> bool:
        """Whether all tenants are asked about."""
        return any(subject.kind == "tenant" for subject in self.subjects)

    def bases(self, subject: Subject) -> tuple[Measure, ...]:
        """What is measured of a subject."""
        of_all = (*GAINS, _PER_PORT_HOUR)
        if subject.kind == "campaign":
            return of_all
        return of_all + (_OF_TENANTS if subject.kind == "tenant" else _OF_TENANTS[:1])

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that is measured of them."""
        of = [base.about(subject) for subject in self.subjects for base in self.bases(subject)]
        return (*of, *(OVERALL if self.has_tenants else ()))

    def label(self, subject: Subject) -> str:
        """What a subject is called in a table, as short as it is plain."""
        short = subject.name.rpartition("/")[2]
        names = [other.name.rpartition("/")[2] for other in self.subjects]
        if subject.kind == "campaign" and names.count(short) == 1:
            return short
        return subject.name or str(subject)


NOBODY = Everybody()


@dataclass(frozen=True, eq=False)
class Gains:
    """What the scenarios of a study do to everybody, each against the first one."""

    findings: StudyResult
    whose: Everybody

    def difference(self, place: int, measure: Measure) -> Estimate:
        """A paired difference; those of one measure hold together for everybody (Bonferroni)."""
        together = len(self.whose.subjects) if measure.of in self.whose.subjects else 1
        return self.findings.difference(place, measure.name, together=together)

    def _verdict(self, place: int, measure: Measure) -> str:
        together = len(self.whose.subjects) if measure.of in self.whose.subjects else 1
        return self.findings.verdict(place, measure.name, together=together)

    def _changes(self, place: int, subject: Subject) -> Iterator[tuple[str, Measure]]:
        """Where a subject is clearly better or worse."""
        for base in GAINS:
            measure = base.about(subject)
            verdict = self._verdict(place, measure)
            if verdict in ("better", "worse"):
                yield verdict, base

    def side(self, place: int, subject: Subject) -> str:
        """Whether a subject gains, loses, does both in different measures, or neither clearly."""
        verdicts = {verdict for verdict, _ in self._changes(place, subject)}
        if len(verdicts) == 2:
            return "both"
        return {"better": "gains", "worse": "loses"}.get("".join(verdicts), "unclear")

    def sentence(self, place: int) -> str:
        """Who gains, who loses, and by how much."""
        parts = []
        sides = {subject: self.side(place, subject) for subject in self.whose.subjects}
        heads = {"gains": "gain", "loses": "lose", "both": "both gain and lose"}
        for side, head in heads.items():
            theirs = [subject for subject, found in sides.items() if found == side]
            if not theirs:
                continue
            texts = [self._by_how_much(place, subject) for subject in theirs[:_MOST]]
            more = f" and {len(theirs) - _MOST} more" if len(theirs) > _MOST else ""
            parts.append(f"{head}: {', '.join(texts)}{more}")
        unclear = [self.whose.label(one) for one, side in sides.items() if side == "unclear"]
        if unclear:
            named = f"{', '.join(unclear[:_MOST])}" + (
                f" and {len(unclear) - _MOST} more" if len(unclear) > _MOST else ""
            )
            parts.append(f"not clearly either: {named}")
        name, base = self.findings.labels[place], self.findings.labels[0]
        return f"{name}, compared with {base}: {'; '.join(parts)}."

    def _by_how_much(self, place: int, subject: Subject) -> str:
        _, base = next(self._changes(place, subject))
        difference = self.difference(place, base.about(subject))
        label = base.label_at(*(scenario.deadline for scenario in self.findings.scenarios))
        text = format_estimate(base.kind, difference, signed=True)
        return f"{self.whose.label(subject)} ({label} {text})"

    def tables(self) -> list[Table]:
        """A table a measure, with a row for everybody it is had of; then fairness."""
        by_base: dict[Measure, list[tuple[str, Measure]]] = {}
        for subject in self.whose.subjects:
            for base in self.whose.bases(subject):
                row = (self.whose.label(subject), base.about(subject))
                by_base.setdefault(base, []).append(row)
        tables = [self._table(self._label(base), rows) for base, rows in by_base.items()]
        if self.whose.has_tenants:
            rows = [(measure.label, measure) for measure in OVERALL]
            tables.append(self._table("Fairness", rows))
        return tables

    def _label(self, base: Measure) -> str:
        label = base.label_at(*(scenario.deadline for scenario in self.findings.scenarios))
        return f"{label[0].upper()}{label[1:]}"

    def _table(self, caption: str, rows: Sequence[tuple[str, Measure]]) -> Table:
        findings, begins = self.findings, self.findings.scenarios[0].clock.begins
        places = range(len(findings.scenarios))
        cells = []
        for label, measure in rows:
            means = [findings.mean(place, measure.name) for place in places]
            differences = [self.difference(place, measure) for place in places[1:]]
            cells.append(
                [
                    label,
                    *format_estimates(measure.kind, means, begins),
                    *format_estimates(measure.kind, differences, begins, signed=True),
                ]
            )
        heads = [f"{findings.labels[place]}: difference" for place in places[1:]]
        heads = ["difference"] if len(heads) == 1 else heads
        return Table(caption, ["", *findings.labels, *heads], cells)

    @property
    def answer(self) -> str:
        """Who gains and who loses in each of the scenarios, in one line each."""
        return " ".join(map(self.sentence, range(1, len(self.findings.scenarios))))

    def extend(self, document: Document, answer: str) -> Document:
        """The document of a comparison with everybody's part first; `answer` is empty if early."""
        count = len(self.whose.subjects)
        notes = [
            f"The differences of one measure for all {count} of them hold together with 95 %: "
            "each interval is the wider for it (Bonferroni).",
        ]
        if self.whose.has_tenants:
            notes += [
                "Fair share: at each instant, of the busy ports, by the weights of the tenants "
                "with calls in the queue; 1 is exactly that. Jain's index of these is 1 where all "
                "tenants have the same, background tenants included.",
            ]
            if BACKGROUND in self.whose.subjects:
                notes.append(
                    "Background campaigns that start in a run's last hour, or last quarter if "
                    "that is shorter, do not count in waits and completed: the run ends before "
                    "they do."
                )
        return replace(
            document,
            answer=answer or document.answer,
            more=[*([document.answer] if answer else []), *document.more],
            tables=[*self.tables(), *document.tables],
            notes=[*document.notes, *notes],
        )

    def to_dict(self) -> dict[str, Any]:
        """For machines: by subject, who gains and all measures; then those of all tenants."""
        places = range(1, len(self.findings.scenarios))
        subjects = {
            self.whose.label(subject): {
                "kind": subject.kind,
                "name": subject.name,
                "side": [self.side(place, subject) for place in places],
                "measures": {
                    base.name: self._measure(base.about(subject))
                    for base in self.whose.bases(subject)
                },
            }
            for subject in self.whose.subjects
        }
        overall = OVERALL if self.whose.has_tenants else ()
        return {
            "subjects": subjects,
            "all_tenants": {measure.name: self._measure(measure) for measure in overall},
        }

    def _measure(self, measure: Measure) -> dict[str, Any]:
        findings = self.findings
        places = range(len(findings.scenarios))
        return {
            "kind": measure.kind,
            "means": [findings.mean(place, measure.name).to_dict() for place in places],
            "differences": [
                self.difference(place, measure).to_dict()
                | {"verdict": self._verdict(place, measure)}
                for place in places[1:]
            ],
        }
