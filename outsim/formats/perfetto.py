"""A run as a trace for the Perfetto viewer, https://ui.perfetto.dev.

Written with Perfetto's own message types, of the package `perfetto`. Tracks:

campaigns
    a slice for each campaign of the scenario from its start to the end of its last call, with
    instants for stop and expiry
disturbances
    a slice for each suspension, pause and outage
ports
    a track for each port with a slice for each attempt, from dispatch to end, and within it
    what went on. Records know no numbers of ports: an attempt is shown on the free port with
    the lowest number, which is as good as any other
counters
    queue (in all, and by tenant), busy ports and channels, connected calls, workers at dial work
    and at status work, dialed calls waiting for a worker, backlog of updates, deliveries
    waiting and under way

Times are of the wall clock: microseconds are kept, and the viewer is told the time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND, after
from outsim.errors import ResultError
from outsim.formats.selection import Selection, binary_file, blocks_of
from outsim.formats.trace import TraceWriter, Track
from outsim.results.result import Result
from outsim.results.tables.flows import (
    Flow,
    flows,
    moves,
    queue_flow,
    settled,
    worker_tasks,
)
from outsim.results.tables.schema import microseconds
from outsim.scenario.platform import Outage, Pause, Suspension

EVERY_US = SECOND
"""A counter that changes often is told this often, and its title says so."""
OFTEN = 20_000
"""Changes from which on a counter counts as one that changes often."""

_PHASES = (
    ("waits for a worker", "dispatched_at"),
    ("dial work", "work_started_at"),
    ("connecting", "dialed_at"),
    ("ringing", "ringing_at"),
    ("answered", "answered_at"),
)
"""What goes on within an attempt, and when it begins."""

_COUNTERS = {
    "queue": ("queue", "calls"),
    "busy_ports": ("busy ports", "ports"),
    "busy_channels": ("busy channels", "channels"),
    "connected": ("connected calls", "calls"),
    "waiting_for_worker": ("dialed calls waiting for a worker", "calls"),
    "status_backlog": ("backlog of updates", "updates"),
}
"""Title and unit of the quantities of `outsim.results.tables.flows.flows`."""


def write_perfetto(selection: Selection, path: Path) -> None:
    """Write a run as a trace that opens in the Perfetto viewer."""
    if find_spec("perfetto") is None:
        raise ResultError(
            "--format perfetto: the package perfetto is not there; install it with "
            "pip install 'outsim[perfetto]'"
        )
    result = selection.result
    with binary_file(path) as file, TraceWriter(file, result.start) as trace:
        _write_campaigns(trace, result)
        _write_disturbances(trace, result)
        _write_counters(trace, result)
        _write_ports(trace, selection)


def _write_campaigns(trace: TraceWriter, result: Result) -> None:
    group = trace.group("campaigns")
    for campaign in result.scenario.campaigns:
        name = campaign.full_name
        track = trace.track(name, group)
        calls = result.view(campaign).calls
        if campaign.start < result.end:
            over = calls["final_at"].notna().all() and len(calls)
            end = max(calls["final_at"].max(), campaign.start) if over else None
            trace.span(track, name, campaign.start, end, {"calls": len(calls)})
        stop = campaign.stop_at
        effect = None if stop is None else after(stop, result.scenario.platform.stop_latency)
        for title, at in (
            ("stop asked for", stop),
            ("stop takes effect", effect),
            ("expires", campaign.expires_at),
        ):
            if at is not None and at < result.end:
                trace.instant(track, title, at)


def _write_disturbances(trace: TraceWriter, result: Result) -> None:
    group = trace.group("disturbances")
    scenario = result.scenario
    disturbances: list[Suspension | Pause | Outage] = [
        *scenario.suspensions,
        *(pause for _, pause in scenario.pauses),
        *scenario.outage,
    ]
    for disturbance in disturbances:
        begins, ends = disturbance.begins, disturbance.ends
        if begins < result.end:
            over = ends if ends is not None and ends <= result.end else None
            track = trace.track(disturbance.label, group)
            trace.span(track, disturbance.label, begins, over, {})


def _write_counters(trace: TraceWriter, result: Result) -> None:
    calls, attempts, updates = result.calls, result.attempts, result.updates
    group = trace.group("platform")
    for key, flow in flows(calls, attempts, updates).items():
        title, unit = _COUNTERS[key]
        _write_counter(trace, group, title, unit, flow)
    for task, flow in worker_tasks(result.arrays, attempts, updates).items():
        name = task.replace("_", " ")
        _write_counter(trace, group, f"workers at {name}", "workers", flow)
    due, started, ended = (
        moves(result.deliveries, name) for name in ("due_at", "started_at", "ended_at")
    )
    _write_counter(trace, group, "deliveries waiting", "posts", Flow(due, started))
    _write_counter(trace, group, "deliveries under way", "posts", Flow(started, ended))
    group = trace.group("queue by tenant")
    for tenant in calls["tenant"].cat.categories:
        mine = [table[table["tenant"] == tenant] for table in (calls, attempts, updates)]
        _write_counter(trace, group, f"queue of {tenant}", "calls", queue_flow(*mine))


def _write_counter(trace: TraceWriter, group: Track, title: str, unit: str, flow: Flow) -> None:
    at, values = settled(flow.steps())
    if len(at) > OFTEN:
        title += ", every second"
        last = np.append(np.diff(at // EVERY_US) > 0, True)
        at, values = at[last], values[last]
    trace.counter(trace.track(title, group, unit=unit), at, values)


def ports_of(dispatched_us: NDArray[np.int64], ended_us: NDArray[np.int64]) -> NDArray[np.int32]:
    """A port for each attempt, numbered from 1: the free one with the lowest number."""
    ports = np.empty(len(dispatched_us), dtype=np.int32)
    free: list[int] = []
    taken: list[tuple[int, int]] = []
    count = 0
    for row, (begin, end) in enumerate(
        zip(dispatched_us.tolist(), ended_us.tolist(), strict=True)
    ):
        while taken and taken[0][0] <= begin:
            heappush(free, heappop(taken)[1])
        if free:
            port = heappop(free)
        else:
            count += 1
            port = count
        if end != MISSING:
            heappush(taken, (end, port))
        ports[row] = port
    return ports


def _write_ports(trace: TraceWriter, selection: Selection) -> None:
    everything = selection.result.attempts
    ports = ports_of(
        microseconds(everything["dispatched_at"]), microseconds(everything["ended_at"])
    )
    attempts = selection.table("attempts")
    if attempts is not everything:
        ports = ports[attempts.index.to_numpy()]
    group = trace.group("ports")
    tracks = {int(n): trace.track(f"port {n}", group, rank=int(n)) for n in np.unique(ports)}
    more = selection.counting(len(attempts))
    begin = 0
    for block in blocks_of(attempts):
        here = ports[begin : begin + len(block)].tolist()
        for port, (name, values, marks) in zip(here, _slices(block), strict=True):
            trace.attempt(tracks[port], name, values, marks)
        begin += len(block)
        more(len(block))


def _slices(block: pd.DataFrame) -> Iterator[tuple[str, dict[str, Any], list[tuple[str, int]]]]:
    """Name, values, and phases with their instants of each attempt; the end has no name."""
    columns = [microseconds(block[column]).tolist() for _, column in _PHASES]
    titles = [title for title, _ in _PHASES]
    words = {
        name: block[name].astype(object).fillna("under way" if name == "outcome" else "").tolist()
        for name in ("tenant", "campaign", "outcome", "cause", "callee_type")
    }
    ended = microseconds(block["ended_at"]).tolist()
    numbers = {name: block[name].tolist() for name in ("call_id", "attempt", "number")}
    for row, end in enumerate(ended):
        marks = [
            (title, column[row])
            for title, column in zip(titles, columns, strict=True)
            if column[row] != MISSING
        ]
        if end != MISSING:
            marks.append(("", end))
        values = {name: column[row] for name, column in numbers.items()}
        values |= {name: words[name][row] for name in ("outcome", "cause", "callee_type")}
        yield f"{words['tenant'][row]}/{words['campaign'][row]}", values, marks
