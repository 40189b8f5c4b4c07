"""Pictures of results and of answers.

Every function takes what it draws and, as ``ax``, the axes to draw on, and returns the axes:
``outsim.plots.queue(result)``, or several in one figure made by ``matplotlib.pyplot.subplots``.
Clock times are local ones, in the scenario's zone. What is drawn is computed in `outsim.results`
and by the studies; matplotlib is imported when something is drawn.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outsim.plots.assumptions import flip, sensitivity
    from outsim.plots.estimates import findings, forecast
    from outsim.plots.fitting import fitted_duration, fitted_quantiles
    from outsim.plots.load import load_over_replications, ports, queue
    from outsim.plots.outcomes import outcome_mix
    from outsim.plots.quarter import quarter_panel, start_map
    from outsim.plots.sizing import capacity, frontier
    from outsim.plots.status import status_lag, truth_and_seen
    from outsim.plots.timing import dials_after_stop, saved_by_stop, start_sweep
    from outsim.plots.tornadoes import tornado
    from outsim.plots.waiting import wait_causes, waits

_HOMES = {
    "capacity": "sizing",
    "dials_after_stop": "timing",
    "findings": "estimates",
    "fitted_duration": "fitting",
    "fitted_quantiles": "fitting",
    "flip": "assumptions",
    "forecast": "estimates",
    "frontier": "sizing",
    "load_over_replications": "load",
    "outcome_mix": "outcomes",
    "ports": "load",
    "start_map": "quarter",
    "quarter_panel": "quarter",
    "queue": "load",
    "saved_by_stop": "timing",
    "sensitivity": "assumptions",
    "start_sweep": "timing",
    "tornado": "tornadoes",
    "status_lag": "status",
    "truth_and_seen": "status",
    "wait_causes": "waiting",
    "waits": "waiting",
}

__all__ = [
    "capacity",
    "dials_after_stop",
    "findings",
    "fitted_duration",
    "fitted_quantiles",
    "flip",
    "forecast",
    "frontier",
    "load_over_replications",
    "outcome_mix",
    "ports",
    "quarter_panel",
    "queue",
    "saved_by_stop",
    "sensitivity",
    "start_map",
    "start_sweep",
    "status_lag",
    "tornado",
    "truth_and_seen",
    "wait_causes",
    "waits",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module 'outsim.plots' has no attribute {name!r}",
            name=name,
            obj=sys.modules[__name__],
        )
    return getattr(import_module(f"outsim.plots.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
