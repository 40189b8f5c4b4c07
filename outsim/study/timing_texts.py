"""What studies of starts and stops say in words."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.clock import format_duration
from outsim.display import format_estimate
from outsim.study.schedule import Ranking, Schedule
from outsim.study.stop_race import LastMoment, StopRace
from outsim.study.stops import written

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


def stop_settings(answer: StopRace) -> str:
    """What a stop does in this scenario."""
    campaign = answer.campaign
    reach = {
        "loading": "what is not in the queue yet",
        "queue": "what is not dispatched yet",
    }[campaign.stop_reaches]
    retries = "cancels" if campaign.stop_cancels_retries else "spares"
    return (
        f"A stop takes effect after {format_duration(answer.effect_us)} (stop_latency), reaches "
        f'{reach} (stop_reaches = "{campaign.stop_reaches}") and {retries} calls that wait for a '
        f"retry (stop_cancels_retries = {str(campaign.stop_cancels_retries).lower()})."
    )


def last_moment(answer: StopRace, found: LastMoment) -> str:
    """Until when a stop saves a share of the calls."""
    replications, share = answer.findings.replications, f"{found.share:.0%}"
    if found.never == replications:
        return f"None of these stops saves {share} of the calls."
    if found.always == replications:
        latest = written(answer.after_us[-1])
        return f"Even the latest of these stops, {latest} after the start, saves {share}."
    if found.is_known:
        last = format_estimate("seconds", found.after_s, answer.campaign.start)
        early, late = map(written, found.between_us)
        return (
            f"A stop saves {share} of the calls until {last} after the start (on a straight line "
            f"between the stops at {early} and {late})."
        )
    return (
        f"Until when a stop saves {share} of the calls these stops don't tell: in {found.never} "
        f"of {replications} replications not even the first one does, in {found.always} the "
        "latest one still does. Give others with --after."
    )
