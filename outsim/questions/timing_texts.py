"""What studies of starts and stops say in words."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.questions.schedule import Ranking, Schedule

WHICH_COUNTS = (
    "Which figure counts depends on whether you promise a clock time, a duration or a result."
)


def kept_clock_times(answer: Schedule) -> str:
    """What keeps its clock time wherever the campaign starts."""
    campaign = answer.campaign
    told = [
        f"{what} {moment:%H:%M:%S}"
        for what, moment in (
            ("handed in at", campaign.submitted_at),
            ("stopped at", campaign.stop_at),
            ("expires at", campaign.expires_at),
        )
        if moment is not None
    ]
    if campaign.window is not None:
        told.append(
            f"dialled from {campaign.window.opens:%H:%M} to {campaign.window.closes:%H:%M}"
        )
    return ", ".join(told)


def best_start(answer: Schedule, ranking: Ranking) -> str:
    """Which start is best by a figure, as far as that is clear."""
    labels = [answer.label(start) for start in ranking.candidates]
    if ranking.incomplete:
        return "no best start is named, since not every run came to its figure."
    if ranking.best is not None:
        return f"{labels[0]} is best."
    if not ranking.any_clear:
        return "no difference between any two starts that is clear and matters."
    others = ", ".join(labels[:-1])
    return (
        f"the best is one of {others} and {labels[-1]}; between these no difference is clear and "
        "matters."
    )


def conflicts(answer: Schedule) -> Iterator[str]:
    """Starts that figures order differently, one text each."""
    label = answer.findings.label
    for each in answer.conflicts:
        start, other = answer.label(each.start), answer.label(each.other)
        by, other_by = (", ".join(map(label, found)) for found in (each.by, each.other_by))
        yield f"{start} is better than {other} by: {by}; {other} by: {other_by}"
