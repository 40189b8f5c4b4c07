"""What the calls under study wait for: whose go first, and what is used up meanwhile.

Meanwhile is from the first entry of one of them to the queue to the last dispatch of a first
attempt; all measures are about first attempts, whose dispatch a wait ends with as a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outsim.clock import MISSING, TOKEN
from outsim.engine.records import Integers
from outsim.results.measures import Measure
from outsim.results.run_arrays import RunArrays
from outsim.results.view import View


@dataclass(frozen=True)
class _Waiting:
    """First attempts of the calls under study, and what they wait in."""

    run: RunArrays
    rows: Integers
    """Their rows among the attempts."""
    since: int
    until: int

    @property
    def lasts_us(self) -> int:
        """How long it is that some of them wait."""
        return self.until - self.since


def _waiting(view: View) -> _Waiting | None:
    """None where no call under study waits, or the run is not known."""
    run = view.arrays
    if run is None or run.plan.under_study < 0:
        return None
    campaign, a = run.plan.campaigns[run.plan.under_study], run.attempts
    own = a["call_id"] - campaign.first_call_id
    rows = np.flatnonzero((own >= 0) & (own < campaign.size) & (a["attempt"] == 1))
    if len(rows) == 0:
        return None
    since, until = int(a["queued"][rows].min()), int(a["dispatched"][rows[-1]])
    return _Waiting(run, rows, since, until) if until > since else None


def others_first(view: View) -> float:
    """Dials of others between a call's entry to the queue and its dispatch, mean; 0 for none."""
    waiting = _waiting(view)
    if waiting is None:
        return 0.0
    a, campaign = waiting.run.attempts, waiting.run.plan.campaigns[waiting.run.plan.under_study]
    own = a["call_id"] - campaign.first_call_id
    others = np.cumsum((own < 0) | (own >= campaign.size))
    # Rows are in the order of dispatch.
    before = np.searchsorted(a["dispatched"], a["queued"][waiting.rows])
    there = np.where(before > 0, others[before - 1], 0)
    return float((others[waiting.rows] - there).mean())


def ports_busy(view: View) -> float:
    """Share of the ports in service that are busy while calls wait; NaN where none does.

    Where no port is in service they are all used up: the share is 1.
    """
    waiting = _waiting(view)
    return float("nan") if waiting is None else _share_of_ports(waiting, "ended")


def ports_without_worker(view: View) -> float:
    """Share of the ports in service whose dial work waits for a worker while calls wait.

    NaN where no call waits.
    """
    waiting = _waiting(view)
    return float("nan") if waiting is None else _share_of_ports(waiting, "work_started")


def dial_rate_used(view: View) -> float:
    """Share of the platform's dial rate that is used while calls wait; NaN where none does."""
    waiting = _waiting(view)
    if waiting is None:
        return float("nan")
    ends = np.array([waiting.since, waiting.until])
    first, last = np.searchsorted(waiting.run.attempts["dispatched"], ends)
    return float((last - first) * TOKEN / (waiting.run.plan.platform.dial_rate * waiting.lasts_us))


def _share_of_ports(waiting: _Waiting, until: str) -> float:
    """Share of the time of ports in service between the dispatch of attempts and an instant."""
    held_us, in_service_us = _held_us(waiting, "dispatched", until), _in_service_us(waiting)
    # Ports that leave as their calls end are held, and in service no more.
    return held_us / in_service_us if held_us < in_service_us else 1.0


def _in_service_us(waiting: _Waiting) -> float:
    """Time of ports in service while calls wait."""
    run = waiting.run
    changes = {at for o in run.plan.outages if o.of == "ports" for at in (o.begins_us, o.ends_us)}
    inside = sorted(at for at in changes if waiting.since < at < waiting.until)
    edges = np.array([waiting.since, *inside, waiting.until])
    return float((run.ports_in_service(edges[:-1]) * np.diff(edges)).sum())


def _held_us(waiting: _Waiting, begins: str, ends: str) -> float:
    """Time of ports between two instants of attempts while calls wait."""
    a, run = waiting.run.attempts, waiting.run
    # Nothing that is dispatched later counts.
    rows = slice(0, int(waiting.rows[-1]) + 1)
    begun, ended = a[begins][rows], a[ends][rows]
    over = np.where(ended == MISSING, run.ended_us, ended)
    span = waiting.since, waiting.until
    return float((np.clip(over, *span) - np.clip(begun, *span)).sum())


WAITING_MEASURES: tuple[Measure, ...] = (
    Measure("others_first", "dials of others that go first", "number", others_first, None),
    Measure("ports_busy", "ports busy while calls wait", "share", ports_busy, None),
    Measure(
        "ports_without_worker",
        "ports without a worker while calls wait",
        "share",
        ports_without_worker,
        None,
    ),
    Measure("dial_rate_used", "dial rate used while calls wait", "share", dial_rate_used, None),
)
