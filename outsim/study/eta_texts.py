"""What a forecast says, as people write it."""

from __future__ import annotations

import math

from outsim.display import format_figure
from outsim.study.eta import of_findings
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
    return [
        measure.label,
        _clock(findings, found.median),
        _span(findings, found.median_low, found.median_high),
        _span(findings, found.low, found.high),
    ]


def _clock(findings: Findings, seconds: float) -> str:
    if not math.isfinite(seconds):
        return "not in the run" if seconds > 0 else "unknown"
    return format_figure("clock", seconds, findings.scenarios[0].clock.begins)


def _span(findings: Findings, low: float, high: float) -> str:
    return f"{_clock(findings, low)} to {_clock(findings, high)}"
