"""Engines: from a plan to records. They add mechanics, and nothing random.

There are two, and they give the same records. `readable` is the model's
definition, on SimPy; `compiled` is for speed, on numba.
"""

from __future__ import annotations

from typing import Literal, get_args

from outsim.engine.discipline import Discipline
from outsim.engine.records import Records
from outsim.errors import EngineError, unknown_name
from outsim.plan import Plan
from outsim.progress import Progress, unseen

__all__ = ["ENGINES", "Engine", "Records", "choose", "execute"]

Engine = Literal["auto", "simpy", "compiled"]
ENGINES: tuple[str, ...] = get_args(Engine)

LARGE = 10_000
"""Calls from which on the compiled engine is worth the second that it takes to load."""


def choose(engine: Engine, calls: int) -> Literal["simpy", "compiled"]:
    """Name of the engine for runs of so many calls in all; results don't depend on it.

    Raises
    ------
    EngineError
        If there is no such engine.
    """
    if engine not in ENGINES:
        raise EngineError(unknown_name("engine", engine, ENGINES))
    if engine == "auto":
        return "compiled" if calls >= LARGE else "simpy"
    return engine


def execute(
    plan: Plan,
    engine: Engine = "auto",
    progress: Progress = unseen,
    discipline: Discipline | None = None,
) -> tuple[Records, str]:
    """Run a plan; return its records and the name of the engine that ran it.

    Parameters
    ----------
    plan : Plan
        What to run.
    engine : str
        "simpy", "compiled", or "auto", which goes by the number of calls.
    progress : callable, optional
        Told a few times a second (instant reached, end of the run), both in microseconds since
        the run begins; what it raises ends the run.
    discipline : Discipline, optional
        Says who goes next, instead of the plan's; the readable engine takes one.

    Raises
    ------
    EngineError
        If there is no such engine, or the compiled one is asked for with a discipline.
    """
    chosen = choose(engine, plan.calls_begun)
    if discipline is not None:
        if engine == "compiled":
            raise EngineError(
                "discipline: the compiled engine takes none of your own; give engine='simpy'"
            )
        chosen = "simpy"
    if chosen == "simpy":
        from outsim.engine.readable.run import run

        return run(plan, progress, discipline), chosen
    from outsim.engine.compiled.run import Run

    return Run(plan, progress).finish(), chosen
