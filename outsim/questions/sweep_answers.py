"""What a sweep found: points, which assumption matters, and which one flips the order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from outsim.display import (
    INTERVALS,
    UNKNOWN,
    format_estimate,
    format_estimates,
    format_matters,
    unit_of,
)
from outsim.document import Answer, Document, Picture, Table
from outsim.estimates import LEVEL, Estimate
from outsim.questions.sweep_runs import SweepRuns
from outsim.questions.sweep_tables import tables_of_everybody, tables_of_measures
from outsim.results.measures import MEASURES, Measure
from outsim.studies.comparable import unlike
from outsim.studies.crossover import Crossing, Crossover, Probe
from outsim.studies.sensitivity import LABELS, MAIN, Sensitivity
from outsim.studies.study_result import StudyResult
from outsim.text import plain

TITLE = "Which assumption matters most?"

NOT_SWEPT = (
    "Not looked at here: a sweep varies every assumption through its range, and tells which one "
    "would turn an answer round."
)

_FEW = 4
"""Values that were listed of which the first line has each."""

MOST_POINTS = 30
"""Points of a design that are listed one by one; `Sweep.to_dict` has all of them."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(SweepRuns, Answer):
    """What a sweep found: which assumption matters, and which one turns the answer round."""

    def document(self) -> Document:
        """Which assumption matters, and which one turns the answer round."""
        parts = [part for part in (self._of_flips(), self._of_design()) if part is not None]
        answer = next((part.answer for part in parts if part.answer), "")
        names = " against ".join(scenario.name for scenario in self.scenarios)
        varied = [
            [factor.name, factor.ends, "factors" if factor.is_log else "steps", factor.source]
            for factor in self.factors
        ]
        return Document(
            id="sweep",
            title=TITLE,
            asked=(
                f"{names}: {len(self.factors)} varied, {self.replications} paired replications "
                f"at each point, seed {self.seed}; measure: {self._label(self.measure)}."
            ),
            answer=answer,
            more=[*self.unlike_texts, *(text for part in parts for text in part.more)],
            tables=[
                *(table for part in parts for table in part.tables),
                Table(
                    "What was varied",
                    ["varied", "range", "by equal", "where it comes from"],
                    varied,
                    is_text=True,
                ),
            ],
            pictures=[picture for part in parts for picture in part.pictures],
            notes=[
                *(note for part in parts for note in part.notes),
                *(f"Not varied: {key}: {why}" for key, why in self.left_out),
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The sweep for machines: ranges, points, indices, flips."""
        base = self.base_difference
        return plain(
            {
                "scenarios": [scenario.name for scenario in self.scenarios],
                "unlike": unlike(self.scenarios, MEASURES),
                "seed": self.seed,
                "replications": self.replications,
                "confidence": LEVEL,
                "measure": self.measure.name,
                "assumptions": [
                    {
                        "key": factor.name,
                        "low": factor.text(0),
                        "high": factor.text(1),
                        "scale": "log" if factor.is_log else "linear",
                        "values": factor.levels,
                        "source": factor.source,
                    }
                    for factor in self.factors
                ],
                "left_out": dict(self.left_out),
                "design": self._design(),
                "difference": None if base is None else base.to_dict(),
                "flips": [_flip(flip) for flip in self.flips],
            }
        )

    def _label(self, measure: Measure) -> str:
        """What people call a measure of a sweep."""
        return measure.label_at(*(scenario.deadline for scenario in self.scenarios))

    def _written(self, value: Estimate, *, signed: bool = True) -> str:
        """An estimate of the measure that is asked about, with its interval."""
        begins = self.scenarios[0].clock.begins
        return format_estimate(self.measure.kind, value, begins, signed=signed)

    def _index(self, sensitivity: Sensitivity, index: str, name: str, measure: Measure) -> str:
        value, begins = sensitivity.of(index, name), self.scenarios[0].clock.begins
        of_size = sensitivity.indices.get("mu_star")
        is_unknown = value.half_width != value.half_width
        shown = replace(value, count=1) if is_unknown else value
        if of_size is not None:
            unit = unit_of(measure.kind, of_size, signed=True)
            text = format_estimate(measure.kind, shown, begins, signed=True, unit=unit)
            text = text.replace("+", "")
        else:
            text = format_estimate("share", shown, begins)
        return f"{text} (too few points for an interval)" if is_unknown else text

    def _matters_table(self) -> Table:
        """By measure, which assumption matters most, and how much."""
        main = MAIN[next(iter(self.sensitivities.values())).kind]
        rows = []
        for measure in dict.fromkeys((*MEASURES, self.measure)):
            sensitivity = self.sensitivities.get(measure.name)
            if sensitivity is None:
                continue
            first, index = sensitivity.nothing, UNKNOWN
            if sensitivity.ranked:
                first = sensitivity.ranked[0]
                index = self._index(sensitivity, main, first, measure)
                first += "" if sensitivity.is_clear else " (not clearly)"
            rows.append([self._label(measure), first, index])
        return Table(
            "What matters most, by measure",
            ["measure", "matters most", LABELS[main]],
            rows,
            text_columns=("matters most",),
        )

    def _as_they_stand(self, base: StudyResult) -> str:
        """What the two scenarios differ by as they stand, and which of them is better."""
        difference = base.difference(1, self.measure.name)
        first, second = (scenario.name for scenario in self.scenarios)
        text = f"As the scenarios stand, {second} less {first}: {self._written(difference)}."
        verdict = base.verdict(1, self.measure.name)
        if verdict == "small":
            limit = format_matters(self.measure.kind, base.matters_from(self.measure.name))
            return f"{text} That is too small to matter (less than {limit}): neither is better."
        if verdict == "unclear":
            return (
                f"{text} That may be chance: neither is clearly better; more replications may "
                "tell."
            )
        better = "better" if self.measure.sign else "higher"
        return f"{text} So {self.preferred(1 if difference.mean > 0 else -1)} is {better}."

    def _flip_rows(self) -> list[list[str]]:
        """What each assumption does to the sign of the difference."""
        ends = [flip.probes[end].difference for flip in self.flips for end in (0, -1)]
        begins = self.scenarios[0].clock.begins
        texts = format_estimates(self.measure.kind, ends, begins, signed=True)
        return [
            [flip.name, _verdict(flip), *texts[2 * k : 2 * k + 2]]
            for k, flip in enumerate(self.flips)
        ]

    def _crossing_text(self, flip: Crossover, crossing: Crossing) -> str:
        """Where a recommendation is turned round."""
        shown, better = flip.factor.shown, "better" if self.measure.sign else "higher"
        low, high = crossing.low, crossing.high
        fresh = [self._written(estimate) for estimate in crossing.fresh]
        again = "Confirmed" if crossing.is_confirmed else "NOT confirmed"
        return (
            f"{flip.name}: {self.preferred(low.sign)} is {better} up to {shown(low.position)}, "
            f"{self.preferred(high.sign)} from {shown(high.position)} on. {again} by "
            f"{crossing.fresh[0].count} fresh replications on both sides: {' and '.join(fresh)}."
        )

    def _of_flips(self) -> Document | None:
        """What two scenarios differ by, and which assumption turns that round; None for one."""
        if self.base is None:
            return None
        verdicts = [flip.verdict for flip in self.flips]
        more = [
            self._crossing_text(flip, crossing)
            for flip in self.flips
            for crossing in flip.crossings
        ]
        if "flips" not in verdicts:
            more.append("No assumption was found to turn the answer round within its range.")
            uncertain = verdicts.count("undecided") + verdicts.count("not confirmed")
            if uncertain:
                more.append(
                    f"For {uncertain} of {len(verdicts)} that is not certain: more replications "
                    "may tell."
                )
        pictures = []
        if self.flips:
            first = self.flips[0]
            values = "; ".join(
                f"{probe.text}: {self._written(probe.difference)}" for probe in first.probes
            )
            pictures.append(
                Picture(
                    "crossover",
                    self,
                    alt=f"The difference over {first.name}, with intervals. {values}.",
                    caption=f"The difference over {first.name}",
                    rows=7,
                )
            )
        return Document(
            "",
            "",
            answer=self._as_they_stand(self.base),
            more=more,
            pictures=pictures,
            tables=[
                Table(
                    "What would turn the answer round",
                    ["assumption", "flips", "difference, low end", "difference, high end"],
                    self._flip_rows(),
                    text_columns=("flips",),
                )
            ],
            notes=[
                "Each assumption by itself, the others as they stand; the intervals hold "
                "together with 95 %. Undecided: somewhere the interval holds 0, or the difference "
                "is too small to matter, and nowhere has it changed sides."
            ],
        )

    def _of_design(self) -> Document | None:
        """The points of a design, and which assumption matters; None where none was run."""
        design = self.design
        if design is None:
            return None
        label = self._label(self.measure)
        differ = f"{len(set(self.places))} of them differ"
        more = [f"Design: {design.kind}, {design.points} points, {differ}."]
        notes = ["Points are not listed one by one: --json has each, with every measure."]
        tables = []
        if design.points <= MOST_POINTS:
            tables, notes = [self._points()], [f"{INTERVALS[0].upper()}{INTERVALS[1:]}."]
            tables += [*tables_of_everybody(self), *tables_of_measures(self)]
        if len(self.factors) == 1:
            more.append(
                "All that differs between the points is due to the one number that is varied."
            )
            return Document("", "", answer=self._span(), more=more, tables=tables, notes=notes)
        pictures = []
        chosen, answer = self.sensitivities.get(self.measure.name), ""
        if chosen is not None and chosen.ranked:
            clear = "" if chosen.is_clear else ", though not clearly"
            answer = f"{chosen.ranked[0]} matters most for what is {label}{clear}"
        if chosen is not None and chosen.indices:
            columns = ["assumption", *(LABELS[index] for index in chosen.indices)]
            rows = [
                [name, *(self._index(chosen, kind, name, self.measure) for kind in chosen.indices)]
                for name in chosen.ranked
            ]
            answer += f": {columns[1]} {rows[0][1]}"
            of = f"the difference in {label}" if self.is_paired else label
            tables.append(Table(f"How much each one matters: {of}", columns, rows))
            values = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
            pictures.append(
                Picture(
                    "sensitivity",
                    self,
                    alt=f"A bar for each assumption, with its interval. {columns[1]}: {values}.",
                    caption=f"How much each assumption matters: {label}",
                    rows=max(4, len(rows)),
                )
            )
            over = "over designs of this size and over replications"
            if chosen.kind == "grid":
                over = "over replications; the grid is as given"
            notes.append(f"Index ± half of its 95 % interval {over}.")
            if chosen.n_missing:
                notes.append(
                    f"{chosen.n_missing} replications are left out: somewhere a run was too short."
                )
        tables.append(self._matters_table())
        answer = f"{answer}." if answer else ""
        return Document(
            "", "", answer=answer, more=more, tables=tables, pictures=pictures, notes=notes
        )

    def _estimates(self) -> list[list[Estimate]]:
        """By column of `_points`: of each scenario, and of their difference, at each point."""
        columns = [self.estimates(self.measure.name, k) for k in range(len(self.scenarios))]
        return [*columns, self.estimates(self.measure.name)] if self.is_paired else columns

    def _points(self) -> Table:
        assert self.design is not None
        estimates, begins = self._estimates(), self.scenarios[0].clock.begins
        every = [value for column in estimates for value in column]
        units = [unit_of(self.measure.kind, every, signed=place == 2) for place in range(3)]
        rows = [
            [
                ", ".join(self.point(index).values()),
                *(
                    format_estimate(
                        self.measure.kind, column[index], begins, signed=k == 2, unit=units[k]
                    )
                    for k, column in enumerate(estimates)
                ),
            ]
            for index in range(self.design.points)
        ]
        names = [scenario.name for scenario in self.scenarios]
        return Table(
            f"{self._label(self.measure)}, at each point",
            [
                ", ".join(factor.name for factor in self.factors),
                *names,
                *(["difference"] if self.is_paired else []),
            ],
            rows,
        )

    def _span(self) -> str:
        """What a measure is at both ends of the one range, in a sentence."""
        assert self.design is not None
        column, last = self._estimates()[-1], self.design.points - 1
        low, high = (self._written(column[index], signed=self.is_paired) for index in (0, last))
        ends = [", ".join(self.point(index).values()) for index in (0, last)]
        of = "difference in " if self.is_paired else ""
        if self.factors[0].range.listed and len(column) <= _FEW:
            texts = [self._written(value, signed=self.is_paired) for value in column]
            shown = [self.factors[0].shown(place / last) for place in range(len(column))]
            each = ", ".join(f"{text} at {at}" for text, at in zip(texts, shown, strict=True))
            return f"{of}{self._label(self.measure)}, by {self.factors[0].name}: {each}."
        return (
            f"{of}{self._label(self.measure)}: {low} at {self.factors[0].name} = {ends[0]}, "
            f"{high} at {ends[1]}."
        )

    def _design(self) -> dict[str, Any] | None:
        if self.design is None:
            return None
        estimates = {measure.name: self.estimates(measure.name) for measure in self.measures}
        return {
            "kind": self.design.kind,
            "points": [
                {
                    "values": self.point(index),
                    "measures": {
                        name: of_points[index].to_dict() for name, of_points in estimates.items()
                    },
                }
                for index in range(self.design.points)
            ],
            "sensitivity": {
                name: {
                    "matters_most": list(analysis.ranked),
                    "replications": analysis.replications,
                    "n_missing": analysis.n_missing,
                    "nothing": analysis.nothing or None,
                    "indices": {
                        index: {
                            key: estimate.to_dict()
                            for key, estimate in zip(analysis.names, estimates, strict=True)
                        }
                        for index, estimates in analysis.indices.items()
                    },
                }
                for name, analysis in self.sensitivities.items()
            },
        }


def _verdict(flip: Crossover) -> str:
    if not flip.crossings:
        return flip.verdict
    shown = flip.factor.shown
    return "; ".join(
        f"at {shown(flip_at.position)} ({shown(flip_at.low.position)} to "
        f"{shown(flip_at.high.position)})" + ("" if flip_at.is_confirmed else ", not confirmed")
        for flip_at in flip.crossings
    )


def _flip(flip: Crossover) -> dict[str, Any]:
    return {
        "key": flip.name,
        "verdict": flip.verdict,
        "replications": flip.replications,
        "values": [_probe(probe) for probe in flip.probes],
        "crossings": [
            {
                "at": flip.factor.text(crossing.position),
                "low": _probe(crossing.low),
                "high": _probe(crossing.high),
                "confirmed": crossing.is_confirmed,
                "fresh": [estimate.to_dict() for estimate in crossing.fresh],
            }
            for crossing in flip.crossings
        ],
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {"value": probe.text, "difference": probe.difference.to_dict()}
