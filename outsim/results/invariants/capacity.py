"""What the platform can hold and how fast it may go: ports, limits, rates, pace."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import RunArrays, came, count_before, count_until
from outsim.results.tables.resource_idle import replay
from outsim.vocabulary import (
    QUEUED,
)

_RANK_SHIFT = 44
"""Instants fit below it: half a year in microseconds."""


def ports_are_enough(run: RunArrays) -> Iterator[Violation]:
    """Busy ports <= ports in service + those due to leave: a port is taken only if one is free.

    And a call waits for a port only while none is free.
    """
    a, ports = run.attempts, run.plan.platform.ports
    out = run.out_of_service("ports", ports)
    ended = np.sort(a["ended"][came(a["ended"])])
    at = a["dispatched"]
    busy = np.arange(1, len(at) + 1) - count_until(ended, at)
    taken = busy > np.maximum(0, ports - out(at))
    yield from violation(run, "no port was free", "attempts", taken)
    waited = np.flatnonzero(a["port_free"] > a["at_head"])
    at = a["port_free"][waited]
    busy = count_before(np.sort(a["dispatched"]), at) - count_before(ended, at)
    idle = busy < np.maximum(0, ports - out(at - 1))
    yield from violation(run, "waited for a port while one was free", "attempts", waited[idle])


def limits_on_simultaneous_calls_are_kept(run: RunArrays) -> Iterator[Violation]:
    """A campaign or tenant never has more calls up than it may."""
    most = run.per_campaign(lambda campaign: campaign.rules.max_simultaneous)
    yield from _too_many_up(run, "of the campaign", run.rank, most)
    tenants = np.array([t.max_simultaneous for t in run.plan.tenants], dtype=np.int64)
    yield from _too_many_up(run, "of the tenant", run.tenant_of_rank[run.rank], tenants)


def _too_many_up(
    run: RunArrays, whose: str, group: Integers, most: Integers
) -> Iterator[Violation]:
    a = run.attempts
    rows = np.flatnonzero(most[group] > 0)
    if len(rows) == 0:
        return
    key = group[rows] << _RANK_SHIFT
    begins = np.sort(key | a["dispatched"][rows])
    over = came(a["ended"][rows])
    ends = np.sort((key | np.where(over, a["ended"][rows], 0))[over])
    up = np.arange(1, len(begins) + 1) - count_until(ends, begins)
    # Groups before this one have begun more than they have ended: start each at its own.
    of = begins >> _RANK_SHIFT
    first = np.searchsorted(of, of)
    up -= first - count_before(ends, of << _RANK_SHIFT)
    by_key = np.argsort(key | a["dispatched"][rows], kind="stable")
    yield from violation(
        run, f"too many calls {whose} up", "attempts", rows[by_key][up > most[of]]
    )


def dial_rate_is_kept(run: RunArrays) -> Iterator[Violation]:
    """The platform never dials faster than its rate and burst allow.

    And a call waits for a token only while there is none.
    """
    platform, a = run.plan.platform, run.attempts
    overdrawn, ready = replay(a["dispatched"].tolist(), platform.dial_rate, platform.dial_burst)
    yield from violation(run, "no dial token was there", "attempts", np.array(overdrawn, np.int64))
    free = np.maximum(a["at_head"], np.array(ready[:-1], dtype=np.int64))
    yield from violation(run, "token free at another instant", "attempts", a["token_free"] != free)


def tenants_keep_their_dial_rates(run: RunArrays) -> Iterator[Violation]:
    """A tenant with a dial rate of its own never dials faster."""
    tenant_of = run.tenant_of_rank[run.rank]
    for rank, tenant in enumerate(run.plan.tenants):
        if tenant.dial_rate:
            rows = np.flatnonzero(tenant_of == rank)
            at = run.attempts["dispatched"][rows].tolist()
            overdrawn, _ = replay(at, tenant.dial_rate, 1)
            yield from violation(run, f"too fast for {tenant.name}", "attempts", rows[overdrawn])


def pacing_is_kept(run: RunArrays) -> Iterator[Violation]:
    """A paced campaign never enters the queue, or is dispatched, faster than its pace."""
    for rank, campaign in enumerate(run.plan.campaigns):
        rules = campaign.rules
        if not rules.pacing_rate:
            continue
        if rules.paced_at_dispatch:
            table, instants = "attempts", run.attempts["dispatched"]
            rows = np.flatnonzero(run.rank == rank)
        else:
            table, instants = "updates", run.updates["happened"]
            entered = run.updates["status"] == QUEUED
            rows = np.flatnonzero(entered & (run.update_rank == rank))
        overdrawn, _ = replay(instants[rows].tolist(), rules.pacing_rate, 1)
        yield from violation(run, f"too fast for {campaign.name}", table, rows[overdrawn])
