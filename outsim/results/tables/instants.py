"""One instant of a run: which calls hold the ports, and which stand in the queue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.results.run_arrays import RunArrays
from outsim.vocabulary import QUEUED

PHASES = ("dialing", "ringing", "talking")
"""What a port is held for: see `outsim.results.tables.flows.port_phases`."""


def _whose(run: RunArrays, call_ids: np.ndarray) -> dict[str, list[str]]:
    plans = [run.plan.campaigns[rank] for rank in run.rank_of_call[call_ids]]
    return {"tenant": [p.tenant for p in plans], "campaign": [p.name for p in plans]}


def calls_on_ports(run: RunArrays, at_us: int) -> pd.DataFrame:
    """One row a port that is held at an instant, in the order of dispatch.

    Returns
    -------
    DataFrame
        ``call_id``, ``tenant``, ``campaign``, ``attempt``, ``phase`` of `PHASES`, and
        ``since``, when the attempt was dispatched, in microseconds since the run begins.
    """
    a = run.attempts
    ended = a["ended"]
    rows = np.flatnonzero((a["dispatched"] <= at_us) & ((ended == MISSING) | (ended > at_us)))
    phase = np.zeros(len(rows), dtype=np.int64)
    for code, column in enumerate(("ringing", "answered"), 1):
        instants = a[column][rows]
        phase[(instants != MISSING) & (instants <= at_us)] = code
    call_id = a["call_id"][rows]
    return pd.DataFrame(
        {
            "call_id": call_id,
            **_whose(run, call_id),
            "attempt": a["attempt"][rows],
            "phase": np.array(PHASES, dtype=object)[phase],
            "since": a["dispatched"][rows],
        }
    )


def calls_in_queue(run: RunArrays, at_us: int) -> pd.DataFrame:
    """One row a call that is in the outbound queue at an instant, in the order of entry.

    Returns
    -------
    DataFrame
        ``call_id``, ``tenant``, ``campaign``, ``attempt``, the one that it waits for, and
        ``since``, when it entered, in microseconds since the run begins.
    """
    u = run.updates
    happened = u["happened"]
    last = np.full(len(run.rank_of_call), -1, dtype=np.int64)
    so_far = int(np.searchsorted(happened, at_us, side="right"))
    # Rows are in the order of happening, and assignment keeps the last one.
    last[u["call_id"][:so_far]] = np.arange(so_far)
    rows = last[last >= 0]
    rows = rows[(u["status"][rows] == QUEUED) & ~run.wedged[u["call_id"][rows]]]
    place = u["attempt"][rows], u["call_id"][rows], run.update_rank[rows]
    rows = rows[np.lexsort((*place, happened[rows]))]
    call_id = u["call_id"][rows]
    return pd.DataFrame(
        {
            "call_id": call_id,
            **_whose(run, call_id),
            "attempt": u["attempt"][rows],
            "since": happened[rows],
        }
    )
