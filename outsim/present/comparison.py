"""The section of a comparison: scenarios held against each other."""

from __future__ import annotations

from outsim.display import INTERVALS, format_estimate
from outsim.document import Document, Picture, Table
from outsim.present.context import ReportContext
from outsim.questions.compare_texts import DISAGREE, better_and_worse, nothing_clear
from outsim.results.measures import Measure
from outsim.studies.study_result import StudyResult

SHOWN = ("completed_by_deadline", "finish_time_s", "wait_p90_s", "status_lag_p90_s")
"""Figures that have a picture."""


def comparison(context: ReportContext) -> Document:
    """What is clear about each scenario, held against the first one."""
    findings = context.comparison
    assert findings is not None
    labels = findings.labels
    places = range(1, len(labels))
    first, *rest = [_told(findings, place) for place in places]
    answer, *more = first
    text = findings.text_table()
    return Document(
        id="comparison",
        title="Which scenario does better?",
        asked=(
            f"{_listed(labels)} were run on the same days: {findings.replications:,} paired "
            f"replications, seed {findings.seed}."
        ),
        answer=" ".join([*findings.unlike_texts, answer]),
        more=[*more, *(line for lines in rest for line in lines)],
        pictures=[_picture(findings, each) for each in findings.measures if each.name in SHOWN],
        tables=[
            Table("Figures of each scenario", [*text.columns], text.to_numpy().tolist()),
        ],
        notes=[
            f"{INTERVALS.capitalize()}; differences are paired."
            + (f" {findings.missing_intervals}" if findings.missing_intervals else "")
            + (
                f" The {len(places)} differences of one figure hold together with 95 %."
                if len(places) > 1
                else ""
            )
        ],
    )


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]])


def _told(findings: StudyResult, place: int) -> list[str]:
    nothing = nothing_clear(findings, place)
    if nothing:
        return [nothing]
    said = "; ".join(
        f"{heading} by {', '.join(named)}" for heading, named in better_and_worse(findings, place)
    )
    name, base = findings.labels[place], findings.labels[0]
    lines = [f"{name}, held against {base}, is {said or 'clearly different, and neither better'}."]
    if findings.conflicts(place):
        lines.append(DISAGREE)
    return lines


def _picture(findings: StudyResult, measure: Measure) -> Picture:
    begins, label = findings.scenarios[0].clock.begins, findings.label(measure)
    values = "; ".join(
        f"{name}: {format_estimate(measure.kind, findings.mean(place, measure.name), begins)}"
        for place, name in enumerate(findings.labels)
    )
    return Picture(
        "compare",
        findings,
        alt=f"Marks with intervals, one for each scenario. {label}: {values}.",
        caption=label,
        options={"measure": measure.name},
        rows=max(3, len(findings.labels)),
    )
