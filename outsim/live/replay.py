"""A session in batch: scenario, seed and input log give the same records, on either engine."""

from __future__ import annotations

from pathlib import Path

from outsim.engine import Engine, Records, execute
from outsim.live import state as states
from outsim.live.log import moment_of, read_log
from outsim.live.planning import SessionPlan
from outsim.progress import Progress, unseen
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.run_tables import RunTables


def replay(
    directory: str | Path, *, engine: Engine = "auto", progress: Progress = unseen
) -> Result:
    """Run a session again, from what its directory holds, up to the moment that it came to.

    Parameters
    ----------
    directory : path
        What ``outsim serve --state`` or `Sandbox` wrote.
    engine : str
        "auto", "simpy" or "compiled"; the choice never changes a result.
    progress : callable, optional
        Told a few times a second (microseconds simulated, microseconds in all).

    Returns
    -------
    Result
        All tables; the same records as those of the session, bit for bit.

    Raises
    ------
    SandboxError
        If it holds no session, or one that can't be read.
    """
    place = Path(directory)
    begun = states.read(place)
    session = SessionPlan(begun.scenario, begun.seed, begun.handlers)
    path = place / states.INPUTS
    entries = read_log(path)[0] if path.exists() else []
    for entry in entries:
        session.number_others(entry.at)
        session.add(entry)
    records, ran_on = execute(session.plan(moment_of(entries)), engine, progress)
    return result_of(session, records, ran_on)


def result_of(session: SessionPlan, records: Records, engine: str) -> Result:
    """What was recorded of a session, with all its tables."""
    arrays = RunArrays(session.saved_scenario(), session.plan(records.ended_us), records)
    return Result(RunTables(arrays), session.tape.seed, session.tape.replication, engine)
