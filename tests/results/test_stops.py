"""What still goes out after a stop: counted from the request, split at its effect (rule 12)."""

from __future__ import annotations

import math

from outsim.results.checkpoint import simulate
from outsim.scenario import load


def test_dispatches_after_a_stop_are_split_at_its_effect():
    """One call a second; the stop at ten seconds takes effect two seconds later."""
    scenario = load(
        {
            "clock": {
                "zone": "UTC",
                "date": "2026-03-10",
                "begins": "09:00",
                "ends": "10:00",
                "latest": "10:00",
            },
            "platform": {"start_jitter": "none", "stop_latency": "2 s", "wedged_calls": 0},
            "campaign": [
                {
                    "name": "stopped",
                    "tenant": "t",
                    "start": "09:00",
                    "contacts": 60,
                    "pacing": "60/min",
                    "max_retry": 0,
                    "stop_at": "09:00:10",
                },
                {"name": "going on", "tenant": "t", "start": "09:00", "contacts": 5},
            ],
        }
    )
    result = simulate(scenario)
    stopped, going_on = (result.measures(campaign) for campaign in scenario.campaigns)
    # Admitted at 0, 1, ... s: those of 10 s and 11 s come between request and effect, and the
    # one of 12 s is no longer let in.
    assert stopped["dispatched_before_stop_effect"] == 2
    assert stopped["dispatched_after_stop_effect"] == 0
    assert math.isnan(going_on["dispatched_before_stop_effect"])
