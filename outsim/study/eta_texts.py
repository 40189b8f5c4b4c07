"""What a forecast says, as people write it."""

from __future__ import annotations

import math

from outsim.display import format_figure
from outsim.estimates import Probability, probability
from outsim.scenario.campaigns import Campaign
from outsim.study.eta import NEVER_OUT, of_findings
from outsim.study.findings import Findings
from outsim.tables.measures import Measure

COLUMNS = ("", "median", "95 % interval of it", "90 % of runs")
"""Headers of `row`."""


def row(findings: Findings, measure: Measure) -> list[str]:
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


def never_out(findings: Findings) -> dict[str, Probability]:
    """By reason of `NEVER_OUT`, how probably the call that was asked about does not go out.

    Reasons that never came are left out.
    """
    found = {
        why: probability(findings.values(0, f"call_{why}") > 0)
        for why in NEVER_OUT
        if any(each.name == f"call_{why}" for each in findings.measures)
    }
    return {why: each for why, each in found.items() if each.mean > 0}


def never_out_texts(findings: Findings, campaign: Campaign) -> list[str]:
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


def _clock(findings: Findings, seconds: float, never: str) -> str:
    if not math.isfinite(seconds):
        return never if seconds > 0 else "unknown"
    return format_figure("clock", seconds, findings.scenarios[0].clock.begins)


def _span(findings: Findings, low: float, high: float, never: str) -> str:
    first, last = (_clock(findings, each, never) for each in (low, high))
    return never if first == last == never else f"{first} to {last}"
