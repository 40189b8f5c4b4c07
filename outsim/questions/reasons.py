"""Why a scenario does better or worse than another: what its calls wait for, in both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from outsim.clock import SECOND, format_duration
from outsim.display import format_estimate, format_estimates
from outsim.estimates import Estimate
from outsim.scenario.campaigns import Campaign
from outsim.studies.comparable import campaign_of
from outsim.studies.study_result import StudyResult

USED_UP = 0.95
"""Share of the ports, or of the dial rate, from which on calls wait for it."""
NOTICED = 0.05
"""Share of the ports that stand without a worker from which on that is said."""

_LIMITS = {"ports_busy": "a free port", "dial_rate_used": "the dial rate"}


def reasons(findings: StudyResult) -> list[str]:
    """Why the second scenario differs from the first, in few sentences.

    `findings` has `outsim.results.measures.MEASURES` and those of
    `outsim.results.tables.waiting`.
    """
    return [
        text
        for sentences in (_by_the_clock, _who_goes_first, _what_is_used_up, _refused)
        for text in sentences(findings)
    ]


def _by_the_clock(findings: StudyResult) -> Iterator[str]:
    """When calls go out, which is another thing than how long they wait from their start."""
    first, second = (_start(campaign_of(scenario)) for scenario in findings.scenarios[:2])
    if first is None or second is None or first == second or "zone" in findings.unlike:
        return
    shift_s = (second - first).total_seconds()
    later = findings.estimate_of(
        lambda values: values(1, "wait_p50_s") - values(0, "wait_p50_s") + shift_s
    )
    if not later.count:
        return
    name = findings.labels[1]
    moved = f"{format_duration(abs(shift_s) * SECOND)} {'later' if shift_s > 0 else 'earlier'}"
    yield (
        f"A wait counts from its own start: {name} starts {moved}, and by the clock its median "
        f"call goes out {_later(later)}."
    )


def _start(campaign: Campaign) -> datetime | None:
    """From when all waits of a campaign count; None where each call has a start of its own."""
    is_list = campaign.requests is None and campaign.submitted <= campaign.start
    return campaign.start if is_list else None


def _later(value: Estimate) -> str:
    """A difference of clock times in words."""
    if not value.is_clear:
        return f"neither clearly later nor earlier ({_signed('seconds', value)})"
    text = format_estimate("seconds", value, signed=True)
    return f"{text.replace('+', '').replace('-', '')} {'later' if value.mean > 0 else 'earlier'}"


def _signed(kind: str, value: Estimate) -> str:
    return format_estimate(kind, value, signed=True)


def _who_goes_first(findings: StudyResult) -> Iterator[str]:
    """How many dials of others go out before a call's own."""
    base, other = (findings.mean(place, "others_first") for place in (0, 1))
    if base.is_zero and other.is_zero:
        return
    difference = findings.difference(1, "others_first")
    found, of_base = format_estimates("number", (other, base))
    clear = "" if difference.is_clear or difference.is_zero else ", no clear difference"
    yield (
        f"Before a call of {findings.labels[1]} is dialed, {found} dials of others go first on "
        f"average; before one of {findings.labels[0]}, {of_base} (difference "
        f"{_signed('number', difference)}{clear})."
    )


def _what_is_used_up(findings: StudyResult) -> Iterator[str]:
    """What calls wait for, by how much of it is used meanwhile."""
    used = [
        {name: findings.mean(place, name) for name in (*_LIMITS, "ports_without_worker")}
        for place in (1, 0)
    ]
    if not all(value.count for by_name in used for value in by_name.values()):
        return
    waits_for = [
        [what for name, what in _LIMITS.items() if by_name[name].mean >= USED_UP]
        for by_name in used
    ]
    labels = findings.labels[1], findings.labels[0]
    same = waits_for[0] == waits_for[1]
    for label, by_name, limits in zip(labels, used, waits_for, strict=True):
        whose = "In both, calls wait" if same else f"In {label}, calls wait"
        what = (
            f" for {' and '.join(limits)}" if limits else "; ports and dial rate are not used up"
        )
        ports, rate, idle = (format_estimate("share", value) for value in by_name.values())
        text = f"{whose}{what}: meanwhile {ports} of the ports are busy, {rate} of the dial rate"
        text += " is used"
        if by_name["ports_without_worker"].mean >= NOTICED:
            text += f", and {idle} of the ports stand without a worker"
        yield f"{text}{f' ({label})' if same else ''}."
        if same:
            return


def _refused(findings: StudyResult) -> Iterator[str]:
    """What the carrier refuses, which is what costs completions."""
    means = [findings.mean(place, "refused_share") for place in (1, 0)]
    if not all(mean.count for mean in means):
        return
    least = findings.measure("refused_share").matters_from()
    if all(mean.mean < least for mean in means):
        yield "The carrier refuses next to nothing in either, so that no attempt is lost to it."
        return
    texts = format_estimates("share", means)
    yield (
        f"The carrier refuses {texts[0]} of the attempts in {findings.labels[1]}, {texts[1]} in "
        f"{findings.labels[0]}: each uses up one of a call's attempts."
    )
