"""What the document of any study ends with: precisions, input uncertainty, variance reduction."""

from __future__ import annotations

import math
from dataclasses import replace

from outsim.display import INTERVALS, UNKNOWN, format_half_width, percent
from outsim.document import Document, Table
from outsim.studies.input_uncertainty import VarianceComponents
from outsim.studies.study_result import StudyResult
from outsim.studies.variance_reduction import Reduction

_DRAWN = (
    "Callees are drawn for each replication. The rest is stochastic uncertainty: more "
    "replications narrow that, and only more calls in the log narrow the share that is shown."
)


def with_foot(document: Document, findings: StudyResult, *missing: str) -> Document:
    """A document and what belongs to every study; `missing` explains missing intervals."""
    tables = [uncertainty_table(findings), variance_table(findings)]
    return replace(
        document,
        tables=[*document.tables, *(table for table in tables if table is not None)],
        notes=[
            f"{INTERVALS[0].upper()}{INTERVALS[1:]}.",
            *filter(None, missing),
            *document.notes,
            *precision_notes(findings),
            *([] if findings.swapped is None else [_DRAWN]),
            *variance_notes(findings),
        ],
    )


def precision_notes(findings: StudyResult) -> list[str]:
    """Of each precision that was asked for, whether it was reached, and the one there is."""
    notes = []
    for precision in findings.precisions:
        reached = "reached" if findings.is_reached(precision) else "NOT reached"
        widest = findings.widest(precision)
        kind = findings.measure(precision.measure).kind
        there = f"mean ± {format_half_width(kind, widest)} at most"
        if math.isnan(widest):
            there = "too few runs have it for an interval"
        notes.append(
            f"precision {precision}: {reached} with {findings.replications} replications; {there}"
        )
    return notes


def uncertainty_table(findings: StudyResult) -> Table | None:
    """Share of input uncertainty in the first mean and the differences, if callees are drawn."""
    if findings.swapped is None:
        return None
    others = range(1, len(findings.scenarios))
    rows = []
    for measure in findings.measures:
        row = [_input_share([findings.uncertainty(0, measure.name)])]
        if others:
            name = measure.name
            row.append(
                _input_share([findings.uncertainty(k, name, of_difference=True) for k in others])
            )
        rows.append([findings.label(measure), *row])
    heads = ["", "mean", "difference" if len(others) == 1 else "differences"]
    return Table(
        "Share of the interval's square that is input uncertainty, and its 95 % interval",
        heads if others else heads[:2],
        rows,
    )


def _input_share(answers: list[VarianceComponents]) -> str:
    """Share of one answer with its interval, or the least and the largest of several."""
    known = [answer for answer in answers if not math.isnan(answer.input_share)]
    if not known:
        return UNKNOWN
    if len(known) == 1:
        low, high = known[0].input_share_interval
        return f"{percent(known[0].input_share)} ({percent(low)} to {percent(high)})"
    shares = [answer.input_share for answer in known]
    return f"{percent(min(shares))} to {percent(max(shares))}"


def variance_table(findings: StudyResult) -> Table | None:
    """What antithetic and stratified runs and control variates saved, measure by measure."""
    if not findings.switches.methods:
        return None
    rows = []
    for measure in findings.measures:
        row = [_range(reduction.saved_for(measure.name)) for reduction in findings.reductions]
        if findings.switches.controls:
            row.append(_of_controls(findings, measure.name))
        if {*row} != {UNKNOWN}:
            rows.append([findings.label(measure), *row])
    about = "the differences" if len(findings.scenarios) > 1 else "the means"
    return Table(
        f"Variance saved in {about}: as good as so many times the runs, at the same cost",
        ["", *findings.switches.methods],
        rows,
    )


def variance_notes(findings: StudyResult) -> list[str]:
    """Which ways of saving variance were used, and why."""
    notes = [f"{reduction.name}: {_verdict(reduction)}" for reduction in findings.reductions]
    if findings.switches.controls:
        means = " and in the means where they help" if len(findings.scenarios) > 1 else ""
        notes.append(f"controls: used where a number stands{means}, and nowhere else.")
    return notes


def _verdict(reduction: Reduction) -> str:
    count, runs = reduction.decided_on, reduction.runs
    if not count:
        return (
            f"{runs} runs a replication; whether that helps is decided on the first replications "
            "of the whole study, which are not in this part."
        )
    if reduction.is_used:
        return (
            f"used, {runs} runs a replication: it saves variance over all measures, by the first "
            f"{count} replications."
        )
    return (
        f"NOT used: by the first {count} replications it does not clearly save variance over all "
        "measures. What was run for it is left out."
    )


def _range(saved: list[float]) -> str:
    """A saving, or from the smallest to the largest."""
    if not saved:
        return UNKNOWN
    low, high = (_times(value) for value in (min(saved), max(saved)))
    return low if low == high else f"{low} to {high}"


def _times(saved: float) -> str:
    return f"{saved:.1f}" if saved < 10 else f"{saved:.2g}" if saved < 100 else "100 and more"


def _of_controls(findings: StudyResult, name: str) -> str:
    first = min(1, len(findings.scenarios) - 1)
    controlled = [
        findings.saved_by_controls(k, name) for k in range(first, len(findings.scenarios))
    ]
    return _range([of.saved for of in controlled if of.is_used])
