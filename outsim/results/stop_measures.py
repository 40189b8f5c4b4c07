"""The figures by which stops of a campaign are compared; see `outsim.results.measures`."""

from __future__ import annotations

from outsim.results.measures import MEASURES, Measure, View


def calls_dialed(view: View) -> float:
    """Calls that were dispatched at least once, be it in vain."""
    return float(view.calls["first_dispatched_at"].notna().sum())


def dials(view: View) -> float:
    """Attempts dispatched, retries included."""
    return float(len(view.attempts))


_AFTER = ("dispatched_before_stop_effect", "dispatched_after_stop_effect")

STOP_MEASURES: tuple[Measure, ...] = (
    Measure("calls_dialed", "calls dialed", "number", calls_dialed, "minimize"),
    Measure("dials", "dials, retries included", "number", dials, "minimize"),
    *(each for each in MEASURES if each.name in _AFTER),
)
