"""What a comparison says in words: what is clear about a scenario, and where figures disagree."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.display import format_estimate, format_matters
from outsim.estimates import Estimate
from outsim.results.measures import MEASURES, Measure
from outsim.studies.study_result import StudyResult

DISAGREE = (
    "The figures disagree: which one counts depends on whether you promise a clock time, a "
    "duration or a result."
)


def nothing_clear(findings: StudyResult, place: int) -> str:
    """Why nothing is said of a scenario against the first one; empty where there is something."""
    name, base = findings.labels[place], findings.labels[0]
    if not any(findings.difference(place, each.name).count for each in MEASURES):
        return f"{name}: there are no figures to hold against {base}: is there anybody to call?"
    differences = [findings.difference(place, each.name) for each in findings.measures]
    if all(each.is_zero for each in differences if each.count):
        alone = [
            findings.label(each)
            for each, difference in zip(findings.measures, differences, strict=True)
            if not difference.count and any(findings.mean(k, each.name).count for k in (0, place))
        ]
        if alone:
            return (
                f"{name}: what it has in common with {base} does not differ in any replication; "
                f"only one of them has: {', '.join(alone)}."
            )
        return f"{name}: no figure differs from {base} in any replication."
    if not any(True for found in (findings.changes, findings.small_changes) for _ in found(place)):
        return f"{name}: no clear difference from {base}; more replications may show one."
    return ""


def better_and_worse(findings: StudyResult, place: int) -> Iterator[tuple[str, list[str]]]:
    """Figures in which a scenario is clearly better than the first one, and clearly worse.

    Yields
    ------
    (heading, texts)
        ``better`` and ``worse``, each with its figures, their paired differences, and from where
        on a difference matters; then those that are there and too small to matter. A heading
        that has none is left out, and so are figures that are neither better high nor low.
    """
    changes = list(findings.changes(place))
    for heading in ("better", "worse"):
        named = [
            _told(findings, each, value, "matters from {} on")
            for each, value in changes
            if findings.verdict(place, each.name) == heading
        ]
        if named:
            yield heading, named
    small = [
        _told(findings, each, value, "less than {}")
        for each, value in findings.small_changes(place)
    ]
    if small:
        yield "too small to matter", small


def _told(findings: StudyResult, each: Measure, value: Estimate, limit: str) -> str:
    text = format_estimate(each.kind, value, findings.scenarios[0].deadline, signed=True)
    if value.rare is None:
        least = format_matters(each.kind, findings.matters_from(each.name))
        text += f" ({limit.format(least)})"
    return f"{findings.label(each)} {text}"
