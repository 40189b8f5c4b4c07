"""Tables of a sweep's points: all measures, and everybody's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from outsim.display import format_estimates
from outsim.document import Table
from outsim.estimates import Estimate
from outsim.questions.everybody import OVERALL
from outsim.questions.sweep_runs import SweepRuns
from outsim.results.measures import Measure

_BESIDE = 3
"""Points that stand beside each other in a table of 80 columns."""


def tables_of_measures(sweep: SweepRuns) -> Iterator[Table]:
    """All measures of the campaign under study and of all calls, a few points beside each other.

    Of two scenarios, the differences.
    """
    if not sweep.shows_all or sweep.design is None:
        return
    subjects = sweep.whose.subjects
    shown = [
        measure
        for measure in sweep.measures
        if measure.of not in subjects and measure not in OVERALL
    ]
    estimates = {measure: sweep.estimates(measure.name) for measure in shown}
    shown = [m for m in shown if not m.optional or any(value.count for value in estimates[m])]
    count = sweep.design.points
    for first in range(0, count, _BESIDE):
        places = range(first, min(count, first + _BESIDE))
        rows = [
            [label(sweep, m), *_written(sweep, m, [estimates[m][k] for k in places])]
            for m in shown
        ]
        heads = [", ".join(sweep.point(k).values()) for k in places]
        names = ", ".join(factor.name for factor in sweep.factors)
        yield Table(f"All measures, by {names}", ["", *heads], rows)


def tables_of_everybody(sweep: SweepRuns) -> Iterator[Table]:
    """For each measure of everybody, a row a point and a column for each of them."""
    if not sweep.whose.subjects or sweep.design is None:
        return
    names = ", ".join(factor.name for factor in sweep.factors)
    points = [", ".join(sweep.point(k).values()) for k in range(sweep.design.points)]
    by_base: dict[Measure, dict[str, Measure]] = {}
    for subject in sweep.whose.subjects:
        for base in sweep.whose.bases(subject):
            by_base.setdefault(base, {})[sweep.whose.label(subject)] = base.about(subject)
    tables = {label(sweep, base): of for base, of in by_base.items()}
    if sweep.whose.has_tenants:
        tables["all tenants"] = {measure.label: measure for measure in OVERALL}
    for caption, of in tables.items():
        columns = [
            _written(sweep, measure, sweep.estimates(measure.name)) for measure in of.values()
        ]
        rows = [[point, *cells] for point, *cells in zip(points, *columns, strict=True)]
        yield Table(f"{caption}, at each point", [names, *of], rows)


def label(sweep: SweepRuns, measure: Measure) -> str:
    """What people call a measure of a sweep."""
    return measure.label_at(*(scenario.deadline for scenario in sweep.scenarios))


def _written(sweep: SweepRuns, measure: Measure, values: Sequence[Estimate]) -> list[str]:
    begins = sweep.scenarios[0].clock.begins
    return format_estimates(measure.kind, values, begins, signed=sweep.is_paired)
