"""Which requests are taken, and which are refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from outsim.clock import MISSING
from outsim.engine.readable.bucket import TokenBucket
from outsim.engine.records import Integers
from outsim.plan.model import IntakePlan
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import Mask, RunArrays, came, count_before, count_until
from outsim.vocabulary import NO_REFUSAL, REFUSED, REJECTED


def requests_come_once_and_are_answered(run: RunArrays) -> Iterator[Violation]:
    """Each request comes as it is handed in, and again as often as its client asks, no oftener."""
    r, submitted = run.requests, run.submitted_us
    wrong = r["came"] != submitted[r["call_id"]]
    yield from violation(run, "came at another time", "requests", wrong)
    firsts = run.of_calls(
        lambda c: c.refusable[:1] + c.first_call_id if c.is_list else c.refusable + c.first_call_id
    )
    expected = firsts[submitted[firsts] < run.ended_us]
    missing = np.setxor1d(expected, r["call_id"])
    yield from violation(run, "not one request each", "calls", missing)
    again = run.per_campaign(lambda c: len(c.rules.asks_again_us))[run.rank_of_call[r["call_id"]]]
    wrong = (r["tries"] < 1) | (r["tries"] > 1 + again)
    yield from violation(run, "tries", "requests", wrong)
    at_once = came(r["taken"]) & (r["tries"] == 1)
    wrong = at_once != (r["reason"] == NO_REFUSAL)
    yield from violation(run, "taken at once, or not, against its reason", "requests", wrong)
    wrong = came(r["taken"]) & ((r["taken"] < r["came"]) | (r["taken"] >= run.ended_us))
    wrong |= at_once & (r["taken"] != r["came"])
    yield from violation(run, "taken", "requests", wrong)


def no_more_is_taken_than_intake_allows(run: RunArrays) -> Iterator[Violation]:
    """Requests are taken by the token buckets of platform and tenant, and by the bounds on calls.

    Calls wait that were taken and are neither being dialed nor over. Requests come before
    everything else at their instant.
    """
    ranks = run.tenant_of_rank[run.rank_of_call]
    everybody = np.ones(len(ranks), dtype=np.bool_)
    yield from _kept(run, run.plan.platform.intake, everybody, "the platform")
    for rank, tenant in enumerate(run.plan.tenants):
        yield from _kept(run, tenant.intake, ranks == rank, tenant.name)


def _kept(run: RunArrays, intake: IntakePlan, mine: Mask, whose: str) -> Iterator[Violation]:
    r = run.requests
    rows = np.flatnonzero(came(r["taken"]) & mine[r["call_id"]])
    rows = rows[np.argsort(r["taken"][rows], kind="stable")]
    taken = r["taken"][rows]
    if intake.rate:
        tokens, early = TokenBucket(intake.rate, intake.burst), []
        for row, at in zip(rows.tolist(), taken.tolist(), strict=True):
            if tokens.ready_at > at:
                early.append(row)
            else:
                tokens.take(at)
        what = f"taken without a token of {whose}"
        yield from violation(run, what, "requests", np.array(early, dtype=np.int64))
    if intake.queue_limit:
        over = _waiting(run, mine, taken) > intake.queue_limit
        yield from violation(run, f"too many calls of {whose} wait", "requests", rows[over])


def _waiting(run: RunArrays, mine: Mask, at: Integers) -> Integers:
    """Calls that wait at instants, once all that is taken at each of them has been."""
    status, a = run.calls["status"], run.attempts
    was_taken = mine & came(run.taken_us) & ~np.isin(status, (REJECTED, REFUSED))
    # A call of the scenario that is still to come in has no request yet.
    before = np.where(_refusable(run), run.taken_us, MISSING)
    there = count_until(np.sort(before[was_taken]), at)
    final = run.calls["final"][mine]
    over = count_before(np.sort(final[came(final)]), at)
    of_mine = mine[a["call_id"]]
    ended = a["ended"][of_mine]
    busy = count_before(np.sort(a["dispatched"][of_mine]), at)
    busy -= count_before(np.sort(ended[came(ended)]), at)
    return np.asarray(there - over - busy)


def _refusable(run: RunArrays) -> Mask:
    refusable = np.zeros(len(run.rank_of_call), dtype=np.bool_)
    for campaign in run.campaigns:
        refusable[campaign.refusable + campaign.first_call_id] = True
    return refusable
