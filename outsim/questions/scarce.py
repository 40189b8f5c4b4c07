"""What calls wait for, where more of something else changes nothing."""

from __future__ import annotations

from outsim.clock import format_duration
from outsim.results.checkpoint import simulate
from outsim.results.tables.causes import CAUSES, WAIT_CAUSES
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of

WORDS = {"no_free_port": "a free port", "dial_rate": "the dial rate", "no_worker": "a worker"}
"""What calls wait for, where the name of the cause does not say it."""

NOTICED = 0.2
"""Share of the waits from which on it is said what they are for."""

_REFUSED = ("refused_attempt", "dialing_and_talking", "retry_gap")
"""What is waited for between a refused attempt and the first that the carrier takes."""


def scarce(scenario: Scenario, seed: int) -> tuple[str, ...]:
    """What the calls under study wait for most in one run, with the mean wait for it."""
    result = simulate(scenario, seed=seed)
    spent = result.time_by_cause(campaign_of(scenario), until="wait", by_resource=True)
    mean_us = {c: 1e6 * float(spent[c].dt.total_seconds().mean()) for c in WAIT_CAUSES}
    whole_us = sum(mean_us.values())
    by_words = {
        WORDS.get(cause, CAUSES[cause]): us
        for cause, us in mean_us.items()
        if cause not in (*_REFUSED, "calls_ahead")
    }
    by_words["the carrier, which refuses attempts"] = sum(mean_us[cause] for cause in _REFUSED)
    noticed = {words: us for words, us in by_words.items() if us > NOTICED * whole_us}
    return tuple(
        f"{words} ({format_duration(us)} on average)"
        for words, us in sorted(noticed.items(), key=lambda item: -item[1])
    )
