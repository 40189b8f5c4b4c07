"""What studies of starts and stops say in words."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.clock import format_duration
from outsim.display import format_estimate
from outsim.questions.schedule import Ranking, Schedule
from outsim.questions.stop import LastMoment, StopRace
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.stop_times import written

SAVED = (
    "Dials count with retries: before and after the effect from the request to stop on. Dials "
    "saved are those of the same run without the stop, less those with it; calls never dialled "
    "would be dialled without the stop."
)
"""What the counts of a stop are."""

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


def stop_rule(scenario: Scenario, campaign: Campaign) -> str:
    """Why calls still go out after a stop: what it does not reach."""
    effect = format_duration(scenario.platform.stop_latency)
    reached = {
        "loading": "what is in the outbound queue or dispatched by then still goes out",
        "queue": "what is dispatched by then still goes out",
    }[campaign.stop_reaches]
    retries = (
        "and no call of it is dialled again"
        if campaign.stop_cancels_retries
        else "and calls that wait for a retry are dialled again"
    )
    return f"Because a stop takes effect after {effect} and {reached}, {retries}"


def why_after(answer: StopRace) -> str:
    """Why calls still go out after a stop, and how many at the most."""
    campaign, why = answer.campaign, stop_rule(answer.findings.scenarios[0], answer.campaign)
    most_us = max(answer.after_us, key=lambda each: answer.dialled_after(each).mean)
    most = answer.dialled_after(most_us)
    if not most.mean > 0:
        return f"{why}. After none of these stops a call went out."
    count = format_estimate("number", most, campaign.start)
    return f"{why}. Most go out after a stop {written(most_us)} after the start: {count} dials."


def last_moment(answer: StopRace, found: LastMoment) -> str:
    """Until when a stop saves a share of the dials."""
    replications, share = answer.findings.replications, f"{found.share:.0%}"
    if found.never == replications:
        return f"None of these stops saves {share} of the dials."
    if found.always == replications:
        latest = written(answer.after_us[-1])
        latest = f"{latest} after the start"
        return f"Even the latest of these stops, {latest}, saves {share} of the dials."
    if found.is_known:
        last = format_estimate("seconds", found.after_s, answer.campaign.start)
        early, late = map(written, found.between_us)
        return (
            f"A stop saves {share} of the dials until {last} after the start (on a straight line "
            f"between the stops at {early} and {late})."
        )
    return (
        f"Until when a stop saves {share} of the dials these stops don't tell: in {found.never} "
        f"of {replications} replications not even the first one does, in {found.always} the "
        "latest one still does. Give others with --after."
    )
