"""The gaps between dispatches: what each dispatch waited for, and whose it was.

While a call in the queue may go, every gap between two dispatches has a reason: there is no
port, or no dial token. Both at once: the one that came last. Where ports were lacking, the time
that those held stood idle, since their dial work waited for a worker, is put down to workers: of
the gap that share which they stood idle of all the time that ports were held in it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from outsim.clock import NEVER, TOKEN
from outsim.engine.records import Integers
from outsim.results.run_arrays import RunArrays, came

RESOURCES = ("no_free_port", "dial_rate", "no_worker")
"""What a dispatch may wait for."""
PORT, DIAL_TOKEN, WORKER, NOTHING = range(4)
"""Their places, and that of a gap in which nothing was lacking: nobody was there to go."""

_ALWAYS = -NEVER


class Gaps:
    """Time of a run in microseconds, cut at its dispatches; the last gap goes on to its end."""

    def __init__(self, run: RunArrays) -> None:
        # A copy: result tables move the recorded column to another origin.
        self.at = run.attempts["dispatched"].astype(np.int64)
        """Instants of the dispatches."""
        last = self.at[-1:] if len(self.at) else np.zeros(1, dtype=np.int64)
        self.begins = np.concatenate([np.zeros(1, dtype=np.int64), self.at])
        self.ends = np.concatenate([self.at, np.maximum(last, run.ended_us)])
        self.rank = np.append(run.rank, -1)
        """Rank of the campaign that is dispatched at the end of each; -1 for none."""
        port, platform = self._port_free(run), run.plan.platform
        _, ready = replay(self.at.tolist(), platform.dial_rate, platform.dial_burst)
        token = np.array(ready, dtype=np.int64)
        lacking = np.maximum(port, token) > self.begins
        self.lacks = np.where(lacking, np.where(port >= token, PORT, DIAL_TOKEN), NOTHING)
        """What each dispatch waited for: `PORT`, `DIAL_TOKEN` or `NOTHING`."""
        self.worker_us = self._idle_us(run)
        """Time at the beginning of each gap that is put down to workers."""
        self._spent = self._sums()

    def _port_free(self, run: RunArrays) -> Integers:
        """Since when a port is free where each gap ends; after it where none is."""
        edges = sorted(
            {
                edge
                for o in run.plan.outages
                if o.of == "ports"
                for edge in (o.begins_us, o.ends_us)
            }
        )
        since = np.array([_ALWAYS, *edges], dtype=np.int64)
        service = run.ports_in_service(since)
        ended = run.attempts["ended"]
        ended = np.append(np.sort(ended[came(ended)]), NEVER)
        count = np.arange(len(self.ends))

        def free(rows: Integers, ports: Integers) -> Integers:
            """When, with so many ports, the calls dispatched before left one of them."""
            ends = count[rows] - ports
            return np.where(ends < 0, _ALWAYS, ended[np.clip(ends, 0, len(ended) - 1)])

        rows, part = count, np.searchsorted(since, self.ends, side="right") - 1
        free_ports = free(rows, service[part])
        # A port that is free where the ports in service change may have been so before.
        while True:
            changes = since[part]
            goes_back = (part > 0) & (free_ports[rows] <= changes) & (changes > self.begins[rows])
            rows, part, changes = rows[goes_back], part[goes_back] - 1, changes[goes_back]
            if len(rows) == 0:
                return free_ports
            before = free(rows, service[part])
            free_ports[rows] = np.where(before < changes, before, changes)
            rows, part = rows[before < changes], part[before < changes]

    def _idle_us(self, run: RunArrays) -> Integers:
        """Time of each gap without a port that ports stood idle for want of a worker."""
        a, lengths = run.attempts, self.ends - self.begins
        idle, held = (
            np.diff(waited(self.at, np.sort(a[name][came(a[name])]), edges))
            for edges in [np.concatenate([self.begins, self.ends[-1:]])]
            for name in ("work_started", "ended")
        )
        share = np.divide(idle, held, out=np.zeros(len(lengths)), where=held > 0)
        return np.where(self.lacks == PORT, (lengths * share).astype(np.int64), 0)

    def _sums(self) -> Integers:
        """Time by resource up to the beginning of each gap, shape (gaps, 4)."""
        lengths = self.ends - self.begins
        spent = np.zeros((len(lengths), 4), dtype=np.int64)
        spent[np.arange(len(lengths)), self.lacks] = lengths
        spent[:, PORT] -= self.worker_us
        spent[:, WORKER] = self.worker_us
        return np.cumsum(spent, axis=0) - spent

    def of(self, instants: Integers) -> Integers:
        """Gap that leads up to each of these instants."""
        return np.searchsorted(self.at, instants, side="left").astype(np.int64)

    def spent(self, instants: Integers) -> Integers:
        """Time by `RESOURCES` and `NOTHING` up to each of these instants, shape (instants, 4)."""
        gap = self.of(instants)
        spent, into = self._spent[gap], instants - self.begins[gap]
        worker = np.clip(into, 0, self.worker_us[gap])
        spent[np.arange(len(gap)), self.lacks[gap]] += into
        spent[:, PORT] -= worker
        spent[:, WORKER] += worker
        return spent


def waited(since: Integers, until: Integers, at: Integers) -> Integers:
    """Time that stays, their ends sorted apart, lasted up to each of some instants, together."""

    def after(instants: Integers) -> Integers:
        # Sums may wrap around: what is wanted of them is differences, and those come out right.
        sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(instants)])
        count = np.searchsorted(instants, at, side="right")
        return np.asarray(count * at - sums[count])

    return after(since) - after(until)


def replay(instants: Iterable[int], rate: int, burst: int) -> tuple[list[int], list[int]]:
    """Go through a bucket that gains tokens at a rate (per million seconds) and starts full.

    Gives where a token was taken that was not there, and since when each was there, and the next.
    """
    level, at, ready_at = burst * TOKEN, 0, 0
    capacity = level
    overdrawn, ready = [], [ready_at]
    for place, now in enumerate(instants):
        level = min(capacity, level + (now - at) * rate) - TOKEN
        if level < 0:
            overdrawn.append(place)
        at = now
        ready_at = now if level >= TOKEN else now - (level - TOKEN) // rate
        ready.append(ready_at)
    return overdrawn, ready
