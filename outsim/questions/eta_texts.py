"""What a forecast says, as people write it."""

from __future__ import annotations

import math

from outsim.display import format_estimate, format_figure
from outsim.estimates import Probability, probability
from outsim.questions.eta_measures import NEVER_OUT, of_findings
from outsim.results.measures import Measure
from outsim.scenario.campaigns import Campaign
from outsim.studies.study_result import StudyResult

COLUMNS = ("", "median", "95 % interval of it", "90 % of runs")
"""Headers of `row`."""


def row(findings: StudyResult, measure: Measure) -> list[str]:
    """An instant over replications: its median with its interval, and the 90 % band."""
    found = of_findings(findings, measure)
    snapshot = findings.scenarios[0].snapshot
    if snapshot is not None and measure.name != "call_out_s":
        moment_s = findings.scenarios[0].instant_us(snapshot.at) / 1e6
        if found.high < moment_s:
            return [measure.label, "already", "", ""]
    never = "never" if measure.name == "call_out_s" else "not in the run"
    return [
        measure.label,
        _clock(findings, found.median, never),
        _span(findings, found.median_low, found.median_high, never),
        _span(findings, found.low, found.high, never),
    ]


def canceled_text(findings: StudyResult, campaign: Campaign) -> str:
    """How many of a campaign's calls are canceled before they go out; empty if none is."""
    share = findings.mean(0, "canceled_before_out")
    if not share.count or share.is_zero:
        return ""
    stop = campaign.stop_at
    when = "" if stop is None else f" (it is stopped at {stop:%H:%M:%S})"
    if share.rare is not None and share.rare.least == share.rare.most == 1:
        return f"In every run all of its calls are canceled before they go out{when}."
    told = format_estimate("share", share, findings.scenarios[0].clock.begins)
    return (
        f"{told} of its calls are canceled before they go out{when}; the times at which calls go "
        "out are of the others."
    )


def never_out(findings: StudyResult) -> dict[str, Probability]:
    """By reason of `NEVER_OUT`, how probably the call that was asked about does not go out.

    Reasons that never came are left out.
    """
    found = {
        why: probability(findings.values(0, f"call_{why}") > 0)
        for why in NEVER_OUT
        if any(each.name == f"call_{why}" for each in findings.measures)
    }
    return {why: each for why, each in found.items() if each.mean > 0}


def never_out_texts(findings: StudyResult, campaign: Campaign) -> list[str]:
    """Why the call that was asked about may not go out, and how probably; one text a reason."""
    scenario = findings.scenarios[0]
    at = {
        "canceled": campaign.stop_at,
        "expired": campaign.expires_at,
        "pending": scenario.clock.latest_end,
    }
    because = {
        "canceled": "the campaign is stopped at",
        "expired": "the campaign expires at",
        "pending": "the run ends at the latest at",
    }
    texts = []
    for why, each in never_out(findings).items():
        moment = at.get(why)
        told = "" if moment is None else f" ({because[why]} {moment:%H:%M:%S})"
        texts.append(
            f"In {each.mean:.0%} of runs (95 %: {each.low:.0%} to {each.high:.0%}) it is "
            f"{NEVER_OUT[why]}{told}."
        )
    return texts


def _clock(findings: StudyResult, seconds: float, never: str) -> str:
    if not math.isfinite(seconds):
        return never
    return format_figure("clock", seconds, findings.scenarios[0].clock.begins)


def _span(findings: StudyResult, low: float, high: float, never: str) -> str:
    if low == -math.inf and high == math.inf:
        return f"{findings.replications} runs: no interval yet"
    first, last = (_clock(findings, each, never) for each in (low, high))
    return never if first == last == never else f"{first} to {last}"
