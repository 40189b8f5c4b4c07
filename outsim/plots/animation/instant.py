"""One instant: who holds the ports, and who is ahead in the queue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outsim.clock import SECOND, after
from outsim.errors import MomentError
from outsim.plots.animation.numbers import seconds
from outsim.results.result import Result
from outsim.results.tables.instants import PHASES, calls_in_queue, calls_on_ports

MOST_CALLS = 50
"""Calls on ports, and in the queue, that are named."""
MOST_CAMPAIGNS = 50
"""Campaigns that are named of those who hold ports, or are in the queue."""


def instant(result: Result, at_s: float) -> dict[str, Any]:
    """Who holds the ports, and who is ahead in the queue, at one instant of a run.

    Parameters
    ----------
    result : Result
        A run, or a session of the sandbox so far.
    at_s : float
        Seconds since the run begins.

    Returns
    -------
    dict
        ``local``, the clock time; of ``ports``: how many are in service and busy, and by campaign
        how many in each phase, most first; of the ``queue``: how many calls, by campaign in the
        order of who is first, and the ``rule`` of who goes next. Each has its first ``calls``.

    Raises
    ------
    MomentError
        If the instant lies outside the run.
    """
    run = result.arrays
    at_us = round(at_s * SECOND)
    if not 0 <= at_us <= run.ended_us:
        raise MomentError(
            f"{at_s} s lies outside the run; give seconds from 0 to {run.ended_us / SECOND:g}"
        )
    on_ports, in_queue = calls_on_ports(run, at_us), calls_in_queue(run, at_us)
    discipline = run.plan.platform.discipline
    local = after(result.start, at_us)
    return {
        "at_s": at_s,
        "local": local.isoformat(),
        "clock": f"{local:%H:%M:%S}",
        "ports": {
            "in_service": int(run.ports_in_service(np.array([at_us]))[0]),
            "busy": len(on_ports),
            "by_campaign": _holders(on_ports),
            "calls": _named(on_ports, "phase"),
        },
        "queue": {
            "calls_waiting": len(in_queue),
            "rule": discipline.rule,
            "by_campaign": _waiting(in_queue),
            "calls": _named(in_queue),
        },
    }


def _holders(on_ports: pd.DataFrame) -> list[dict[str, Any]]:
    """Campaigns that hold ports, most first."""
    counts = on_ports.groupby(["tenant", "campaign"], sort=True)["phase"].value_counts()
    by_phase = counts.unstack(fill_value=0).reindex(columns=list(PHASES), fill_value=0)
    by_phase.insert(0, "busy", by_phase.sum(axis=1))
    order = by_phase.sort_values("busy", ascending=False, kind="stable").head(MOST_CAMPAIGNS)
    return _records(order)


def _waiting(in_queue: pd.DataFrame) -> list[dict[str, Any]]:
    """Campaigns that are in the queue, in the order of their first call."""
    placed = in_queue.assign(place=np.arange(1, len(in_queue) + 1))
    order = placed.groupby(["tenant", "campaign"], sort=False).agg(
        waiting=("place", "size"), first_place=("place", "min"), since=("since", "min")
    )
    return _records(order.head(MOST_CAMPAIGNS))


def _named(table: pd.DataFrame, *more: str) -> list[dict[str, Any]]:
    """The first calls of a table."""
    columns = ["call_id", "tenant", "campaign", "attempt", "since", *more]
    return _records(table[columns].head(MOST_CALLS).set_index("call_id"))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    shown = table.reset_index()
    if "since" in shown:
        shown["since_s"] = [seconds(instant) for instant in shown.pop("since")]
    rows: Any = shown.to_dict(orient="records")
    return list(rows)
