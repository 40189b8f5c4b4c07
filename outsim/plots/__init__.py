"""Pictures of results and of answers.

Every function takes what it draws, and as ``ax`` the axes to draw on, or as ``axes`` those of a
picture with several panels, and returns them: ``outsim.plots.queue(result)``, or several in one
figure made by ``matplotlib.pyplot.subplots``. What a question answers is drawn by the function of
its name: ``outsim.plots.schedule(outsim.schedule(scenario).run())``. Clock times are local ones,
in the scenario's zone. Nothing is computed here but what a picture needs; matplotlib is imported
when something is drawn.
"""

from outsim.plots.calls import (
    explain,
    outcome_mix,
    status,
    status_lag,
    truth_and_seen,
    wait_causes,
    waits,
)
from outsim.plots.estimates import (
    compare,
    dials_after_stop,
    eta,
    saved_by_stop,
    schedule,
    start_sweep,
    stop,
)
from outsim.plots.fitting import fitted_duration, fitted_quantiles
from outsim.plots.load import load_over_replications, ports, queue, run
from outsim.plots.start_maps import start_map, start_map_panel
from outsim.plots.what_ifs import (
    capacity,
    crossover,
    effects,
    frontier,
    promise,
    sensitivity,
    sweep,
)
from outsim.plots.widget import live

__all__ = [
    "capacity",
    "compare",
    "crossover",
    "dials_after_stop",
    "effects",
    "eta",
    "explain",
    "fitted_duration",
    "fitted_quantiles",
    "frontier",
    "live",
    "load_over_replications",
    "outcome_mix",
    "ports",
    "promise",
    "queue",
    "run",
    "saved_by_stop",
    "schedule",
    "sensitivity",
    "start_map",
    "start_map_panel",
    "start_sweep",
    "status",
    "status_lag",
    "stop",
    "sweep",
    "truth_and_seen",
    "wait_causes",
    "waits",
]


def __dir__() -> list[str]:
    return __all__
