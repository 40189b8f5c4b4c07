"""Plan, replications against a full grid: how many runs `outsim capacity` takes.

Held against testing every value of the range at the same precision. The scenario is
scenarios/port-shortage.toml with fewer calls. The grid is not run: how many runs it takes is
known.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).parents[2] / "scenarios" / "port-shortage.toml"
CHANGES = {
    "campaign[renewal notices].contacts": "1000",
    "campaign[hotline callbacks].requests.rate": "10/min",
}
PLANS = {
    "39 values, a mean": ("platform.ports=20:400:39", "p95 wait <= 5 min"),
    "39 values, a probability": ("platform.ports=20:400:39", "P(p95 wait <= 5 min) >= 0.9"),
    "1,901 values, a mean": ("platform.ports=100:2000", "p95 wait <= 2 min"),
}
REPLICATIONS = 60
MOST = 0.25
"""Share of the grid's runs that a plan may take."""


def plan_figures(replications: int = REPLICATIONS) -> dict[str, Any]:
    """Runs of each plan, of its grid, their share, and seconds that the plan took."""
    from outsim.questions.capacity import capacity
    from outsim.scenario import load
    from outsim.studies.synchronous import run_sync

    scenario = load(SCENARIO).with_(CHANGES)
    figures = {}
    for name, (key, target) in PLANS.items():
        begin = time.perf_counter()
        found = run_sync(
            capacity(scenario, key, [target], replications=replications, progress=None)
        )
        figures[name] = {
            "outcome": found.outcome,
            "value": found.value,
            "runs": found.runs,
            "grid_runs": found.grid_runs,
            "share_of_grid": found.runs / found.grid_runs,
            "plan_s": time.perf_counter() - begin,
        }
    return figures


if __name__ == "__main__":
    print(json.dumps(plan_figures(), indent=2))
