"""How figures are written for people: units they think in, and no digit too many."""

from __future__ import annotations

import math
from datetime import datetime

from outsim.clock import SECOND, after, format_duration
from outsim.estimates import Estimate

UNKNOWN = "-"

_STEPS_S = (0.001, 0.01, 0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600)


def _decimals(half_width: float) -> int:
    """Decimals that an interval deserves: two digits of its half-width."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    return max(0, 1 - math.floor(math.log10(half_width)))


def _rounded_s(seconds: float, half_width_s: float) -> float:
    """Seconds rounded to a step that people use, not finer than a tenth of the half-width."""
    if not math.isfinite(half_width_s):
        return seconds
    steps = [step for step in _STEPS_S if step <= max(half_width_s / 5, _STEPS_S[0])]
    return round(seconds / steps[-1]) * steps[-1]


def _duration(seconds: float, half_width_s: float) -> str:
    return format_duration(_rounded_s(seconds, half_width_s) * SECOND)


def _clock_time(seconds: float, half_width_s: float, begins: datetime) -> str:
    local = after(begins, round(_rounded_s(seconds, half_width_s) * SECOND))
    seconds_shown = math.isfinite(half_width_s) and half_width_s < 60
    return local.strftime("%H:%M:%S" if seconds_shown else "%H:%M")


def format_figure(kind: str, value: float, begins: datetime) -> str:
    """One figure of one run: what happened in it, so no interval belongs to it."""
    if math.isnan(value):
        return UNKNOWN
    if kind == "share":
        return f"{value:.1%}"
    if kind == "seconds":
        return format_duration(value * SECOND)
    if kind == "clock":
        return after(begins, round(value * SECOND)).strftime("%H:%M:%S")
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def format_estimate(kind: str, value: Estimate, begins: datetime, *, signed: bool = False) -> str:
    """An estimate with its interval, such as ``68.4 % ± 1.2``."""
    if value.count == 0:
        return UNKNOWN
    mean, half = value.mean, value.half_width
    if signed and mean == half == 0:
        return "none"
    plus = "+" if signed and mean >= 0 else ""
    if kind == "clock" and not signed:
        return f"{_clock_time(mean, half, begins)} ± {_duration(half, half)}"
    if kind in ("seconds", "clock"):
        return f"{plus}{_duration(mean, half)} ± {_duration(half, half)}"
    if kind == "share":
        decimals = _decimals(half * 100)
        unit = "points" if signed else "%"
        return f"{plus}{mean * 100:.{decimals}f} ± {half * 100:.{decimals}f} {unit}"
    decimals = _decimals(half)
    return f"{plus}{mean:.{decimals}f} ± {half:.{decimals}f}"
