"""What a sweep found: points, which assumption matters, and which one flips the order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from outsim.display import INTERVALS, Unit, format_estimate, format_matters, unit_of
from outsim.document import Answer, Document, Picture, Table
from outsim.estimates import LEVEL, Estimate
from outsim.questions.sweep_runs import SweepRuns
from outsim.results.measures import MEASURES, Measure
from outsim.studies.comparable import unlike
from outsim.studies.crossover import Crossing, Crossover, Probe
from outsim.studies.sensitivity import LABELS, MAIN, Sensitivity
from outsim.text import plain

if TYPE_CHECKING:
    pass

TITLE = "Which assumption matters most?"

MOST_POINTS = 30
"""Points of a design that are listed one by one; `Sweep.to_dict` has all of them."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(SweepRuns, Answer):
    """What a sweep found: which assumption matters, and which one turns the answer round."""

    def document(self) -> Document:
        """Which assumption matters, and which one turns the answer round."""
        parts = [*_flip_parts(self), *_matter_parts(self)]
        answer = next((part.answer for part in parts if part.answer), "")
        names = " against ".join(scenario.name for scenario in self.scenarios)
        varied = [
            [each.name, each.ends, "factors" if each.is_log else "steps", each.source]
            for each in self.factors
        ]
        return Document(
            id="sweep",
            title=TITLE,
            asked=(
                f"{names}: {len(self.factors)} varied, {self.replications} paired replications "
                f"at each point, seed {self.seed}; measure: {_label(self, self.measure)}."
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
                "design": _design(self),
                "difference": None if base is None else base.to_dict(),
                "flips": [_flip(flip) for flip in self.flips],
            }
        )


_FLIP_COLUMNS = ("assumption", "flips", "difference, low end", "difference, high end")
"""Headers of `_flip_rows`."""


def _label(found: SweepRuns, measure: Measure) -> str:
    """What people call a figure of a sweep."""
    return measure.label_at(*(scenario.deadline for scenario in found.scenarios))


def _written(
    found: SweepRuns, value: Estimate, measure: Measure, *, signed: bool, unit: Unit | None = None
) -> str:
    """An estimate of a figure with its interval."""
    begins = found.scenarios[0].clock.begins
    return format_estimate(measure.kind, value, begins, signed=signed, unit=unit)


def _index(
    found: SweepRuns, sensitivity: Sensitivity, index: str, name: str, measure: Measure
) -> str:
    value, begins = sensitivity.of(index, name), found.scenarios[0].clock.begins
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


def _matters_columns(found: SweepRuns) -> list[str]:
    """Headers of `matters_rows`."""
    main = MAIN[next(iter(found.sensitivities.values())).kind]
    return ["figure", "matters most", LABELS[main]]


def _matters_rows(found: SweepRuns) -> list[list[str]]:
    """By figure, which assumption matters most, and how much."""
    main = MAIN[next(iter(found.sensitivities.values())).kind]
    rows = []
    for measure in MEASURES:
        sensitivity = found.sensitivities.get(measure.name)
        if sensitivity is None:
            continue
        if not sensitivity.ranked:
            rows.append([_label(found, measure), sensitivity.nothing, "-"])
            continue
        first = sensitivity.ranked[0]
        index = _index(found, sensitivity, main, first, measure)
        clear = "" if sensitivity.is_clear else " (not clearly)"
        rows.append([_label(found, measure), first + clear, index])
    return rows


def _index_columns(chosen: Sensitivity) -> list[str]:
    """Headers of `index_rows`."""
    return ["assumption", *(LABELS[index] for index in chosen.indices)]


def _index_rows(found: SweepRuns, chosen: Sensitivity) -> list[list[str]]:
    """How much each assumption matters for the figure that is asked about."""
    return [
        [name, *(_index(found, chosen, each, name, found.measure) for each in chosen.indices)]
        for name in chosen.ranked
    ]


def _base_texts(found: SweepRuns) -> tuple[str, str]:
    """What the two scenarios differ by as they stand, and which of them is better."""
    base = found.base_difference
    assert base is not None
    told = _written(found, base, found.measure, signed=True)
    first, second = (scenario.name for scenario in found.scenarios)
    differ = f"As the scenarios stand, {second} less {first}: {told}."
    assert found.base is not None
    verdict = found.base.verdict(1, found.measure.name)
    if verdict == "small":
        least = found.base.matters_from(found.measure.name)
        limit = format_matters(found.measure.kind, least)
        return differ, f"That is too small to matter (less than {limit}): neither is better."
    if verdict == "unclear":
        return differ, "That may be chance: neither is clearly better; more replications may tell."
    better = "better" if found.measure.sign else "higher"
    return differ, f"So {found.preferred(1 if base.mean > 0 else -1)} is {better}."


def _flip_rows(found: SweepRuns) -> list[list[str]]:
    """What each assumption does to the sign of the difference."""
    ends = [
        probe.difference for flip in found.flips for probe in (flip.probes[0], flip.probes[-1])
    ]
    unit = unit_of(found.measure.kind, ends, signed=True)
    return [
        [
            flip.name,
            _verdict(flip),
            _written(found, flip.probes[0].difference, found.measure, signed=True, unit=unit),
            _written(found, flip.probes[-1].difference, found.measure, signed=True, unit=unit),
        ]
        for flip in found.flips
    ]


def _verdict(flip: Crossover) -> str:
    if not flip.crossings:
        return flip.verdict
    shown = flip.factor.shown
    return "; ".join(
        f"at {shown(each.position)} ({shown(each.low.position)} to {shown(each.high.position)})"
        + ("" if each.is_confirmed else ", not confirmed")
        for each in flip.crossings
    )


def _crossing_text(found: SweepRuns, flip: Crossover, crossing: Crossing) -> str:
    """Where a recommendation is turned round."""
    shown, better = flip.factor.shown, "better" if found.measure.sign else "higher"
    low, high = crossing.low, crossing.high
    fresh = [_written(found, each, found.measure, signed=True) for each in crossing.fresh]
    again = "Confirmed" if crossing.is_confirmed else "NOT confirmed"
    return (
        f"{flip.name}: {found.preferred(low.sign)} is {better} up to {shown(low.position)}, "
        f"{found.preferred(high.sign)} from {shown(high.position)} on. {again} by "
        f"{crossing.fresh[0].count} fresh replications on both sides: {fresh[0]} and {fresh[1]}."
    )


def _flip_parts(found: SweepRuns) -> list[Document]:
    """What two scenarios differ by, and which assumption turns that round; [] for one."""
    if found.base is None:
        return []
    differ, better = _base_texts(found)
    verdicts = [flip.verdict for flip in found.flips]
    more = [
        _crossing_text(found, flip, crossing)
        for flip in found.flips
        for crossing in flip.crossings
    ]
    if "flips" not in verdicts:
        more.append("No assumption was found to turn the answer round within its range.")
        uncertain = verdicts.count("undecided") + verdicts.count("not confirmed")
        if uncertain:
            more.append(
                f"For {uncertain} of {len(verdicts)} that is not certain: more replications may "
                "tell."
            )
    pictures = []
    if found.flips:
        first = found.flips[0]
        values = "; ".join(
            f"{probe.text}: {_written(found, probe.difference, found.measure, signed=True)}"
            for probe in first.probes
        )
        pictures.append(
            Picture(
                "crossover",
                found,
                alt=f"The difference over {first.name}, with intervals. {values}.",
                caption=f"The difference over {first.name}",
                rows=7,
            )
        )
    return [
        Document(
            "",
            "",
            answer=f"{differ} {better}",
            more=more,
            pictures=pictures,
            tables=[
                Table(
                    "What would turn the answer round",
                    _FLIP_COLUMNS,
                    _flip_rows(found),
                    text_columns=("flips",),
                )
            ],
            notes=[
                "Each assumption by itself, the others as they stand; the intervals hold together "
                "with 95 %. Undecided: somewhere the interval holds 0, or the difference is too "
                "small to matter, and nowhere has it changed sides."
            ],
        )
    ]


def _matter_parts(found: SweepRuns) -> list[Document]:
    """The points of a design, and which assumption matters; [] where none was run."""
    design = found.design
    if design is None:
        return []
    label = _label(found, found.measure)
    more = [
        f"Design: {design.kind}, {design.points} points, {len(set(found.places))} of them differ."
    ]
    tables, pictures, notes = [], [], []
    if design.points > MOST_POINTS:
        notes.append("Points are not listed one by one: --json has each, with every measure.")
    else:
        tables.append(_points(found))
        notes.append(f"{INTERVALS[0].upper()}{INTERVALS[1:]}.")
    if len(found.factors) == 1:
        only = "All that differs between the points is due to the one number that is varied."
        return [
            Document("", "", answer=_span(found), more=[*more, only], tables=tables, notes=notes)
        ]
    chosen, answer = found.sensitivities.get(found.measure.name), ""
    if chosen is not None and chosen.ranked:
        clear = "" if chosen.is_clear else ", though not clearly"
        answer = f"{chosen.ranked[0]} matters most for what is {label}{clear}"
    if chosen is not None and chosen.indices:
        columns, rows = _index_columns(chosen), _index_rows(found, chosen)
        answer += f": {columns[1]} {rows[0][1]}"
        of = f"the difference in {label}" if found.is_paired else label
        tables.append(Table(f"How much each one matters: {of}", columns, rows))
        values = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
        pictures.append(
            Picture(
                "sensitivity",
                found,
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
    tables.append(
        Table(
            "What matters most, by measure",
            _matters_columns(found),
            _matters_rows(found),
            text_columns=("matters most",),
        )
    )
    answer = f"{answer}." if answer else ""
    return [
        Document("", "", answer=answer, more=more, tables=tables, pictures=pictures, notes=notes)
    ]


def _estimates(found: SweepRuns) -> list[list[Estimate]]:
    """By column of `_points`: of each scenario, and of their difference, at each point."""
    columns = [found.estimates(found.measure.name, k) for k in range(len(found.scenarios))]
    return [*columns, found.estimates(found.measure.name)] if found.is_paired else columns


def _points(found: SweepRuns) -> Table:
    assert found.design is not None
    estimates = _estimates(found)
    every = [value for column in estimates for value in column]
    units = [unit_of(found.measure.kind, every, signed=place == 2) for place in range(3)]
    rows = [
        [
            ", ".join(found.point(index).values()),
            *(
                _written(found, column[index], found.measure, signed=k == 2, unit=units[k])
                for k, column in enumerate(estimates)
            ),
        ]
        for index in range(found.design.points)
    ]
    names = [scenario.name for scenario in found.scenarios]
    return Table(
        f"{_label(found, found.measure)}, at each point",
        [
            ", ".join(factor.name for factor in found.factors),
            *names,
            *(["difference"] if found.is_paired else []),
        ],
        rows,
    )


def _span(found: SweepRuns) -> str:
    """What a measure is at both ends of the one range, in a sentence."""
    assert found.design is not None
    column, last = _estimates(found)[-1], found.design.points - 1
    low, high = (
        _written(found, column[index], found.measure, signed=found.is_paired)
        for index in (0, last)
    )
    ends = [", ".join(found.point(index).values()) for index in (0, last)]
    of = "difference in " if found.is_paired else ""
    return (
        f"{of}{_label(found, found.measure)}: {low} at {found.factors[0].name} = {ends[0]}, "
        f"{high} at {ends[1]}."
    )


def _design(sweep: SweepRuns) -> dict[str, Any] | None:
    if sweep.design is None:
        return None
    estimates = {each.name: sweep.estimates(each.name) for each in MEASURES}
    return {
        "kind": sweep.design.kind,
        "points": [
            {
                "values": sweep.point(index),
                "measures": {name: found[index].to_dict() for name, found in estimates.items()},
            }
            for index in range(sweep.design.points)
        ],
        "sensitivity": {
            name: {
                "matters_most": list(found.ranked),
                "replications": found.replications,
                "n_missing": found.n_missing,
                "nothing": found.nothing or None,
                "indices": {
                    index: {
                        key: each.to_dict()
                        for key, each in zip(found.names, estimates, strict=True)
                    }
                    for index, estimates in found.indices.items()
                },
            }
            for name, found in sweep.sensitivities.items()
        },
    }


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
                "fresh": [each.to_dict() for each in crossing.fresh],
            }
            for crossing in flip.crossings
        ],
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {"value": probe.text, "difference": probe.difference.to_dict()}
