"""What a comparison says in words: what is clear about a scenario, and where figures disagree."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.display import format_estimate
from outsim.study.findings import Findings
from outsim.tables.measures import MEASURES

DISAGREE = (
    "The figures disagree: which one counts depends on whether you promise a clock time, a "
    "duration or a result."
)


def nothing_clear(findings: Findings, place: int) -> str:
    """Why nothing is said of a scenario against the first one; empty where there is something."""
    name, base = findings.labels[place], findings.labels[0]
    if not any(findings.difference(place, each.name).count for each in MEASURES):
        return f"{name}: there are no figures to hold against {base}: is there anybody to call?"
    differences = [findings.difference(place, each.name) for each in findings.measures]
    if all(each.mean == each.half_width == 0 for each in differences if each.count):
        return f"{name}: no figure differs from {base} in any replication."
    if not any(True for _ in findings.changes(place)):
        return f"{name}: no clear difference from {base}; more replications may show one."
    return ""


def better_and_worse(findings: Findings, place: int) -> Iterator[tuple[str, list[str]]]:
    """Figures in which a scenario is clearly better than the first one, and clearly worse.

    Yields
    ------
    (heading, texts)
        ``better`` and ``worse``, each with its figures and their paired differences; one that
        has none is left out, and so are figures that are neither better high nor low.
    """
    deadline = findings.scenarios[0].deadline
    for heading, sign in (("better", 1), ("worse", -1)):
        named = [
            f"{findings.label(each)} {format_estimate(each.kind, value, deadline, signed=True)}"
            for each, value in findings.changes(place)
            if each.better * (1 if value.mean > 0 else -1) == sign
        ]
        if named:
            yield heading, named
