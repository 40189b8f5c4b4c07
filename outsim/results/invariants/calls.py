"""Where each call stands: rows, states, attempts, stops and expiries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from outsim.clock import MISSING, NEVER
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import (
    RunArrays,
    came,
    count_before,
    count_until,
    place_in_each,
)
from outsim.results.tables.resource_idle import replay
from outsim.results.tables.run_tables import RunTables
from outsim.vocabulary import (
    ANSWERED,
    CANCELED,
    COMPLETED,
    EXPIRED,
    FAILED,
    FIRST_FINAL,
    INVALID,
    NOT_ACCEPTED,
    QUEUED,
    REFUSED,
    REJECTED,
    RETRIED,
    SCHEDULED,
    WAITING_RETRY,
)


def every_row_is_rejected_refused_or_accepted(run: RunArrays) -> Iterator[Violation]:
    """Rows and requests = rejected + refused + accepted.

    Rejected are those that can't be dialed, and no others; refused those that were not taken.
    """
    reason = run.of_calls(lambda campaign: campaign.reject_reason)
    cannot = np.asarray(reason != 0, dtype=np.bool_)
    rejected = run.calls["status"] == REJECTED
    yield from violation(run, "rejected, or not, against its row", "calls", rejected != cannot)
    refused, not_taken = run.calls["status"] == REFUSED, ~came(run.taken_us) & ~cannot
    wrong = run.handed_in & (refused != not_taken)
    yield from violation(run, "refused, or not, against its request", "calls", wrong)
    table = RunTables(run).calls(("call_id", "status"))
    shown = len(table) == int(run.handed_in.sum()) and table["call_id"].is_unique
    if not shown or (table["status"] == "rejected").sum() != (cannot & run.handed_in).sum():
        counted = table["status"].astype(str).value_counts().to_frame()
        yield Violation(f"{int(run.handed_in.sum())} rows were handed in (calls)", counted)


def accepted_calls_add_up(run: RunArrays) -> Iterator[Violation]:
    """Accepted = completed + failed + canceled + expired + pending, from status changes."""
    u, status = run.updates, run.calls["status"]
    last = run.last_update
    last_status = (
        np.where(last >= 0, u["status"][last], SCHEDULED) if len(u["status"]) else 0 * status
    )
    last_status = np.where(np.isin(status, NOT_ACCEPTED), status, last_status)
    yield from violation(
        run, "state is not that of the last change", "calls", last_status != status
    )
    final = u["status"] >= FIRST_FINAL
    is_last = np.zeros(len(final), dtype=np.bool_)
    is_last[last[last >= 0]] = True
    yield from violation(run, "changes after the final status", "updates", final & ~is_last)
    over = (status >= FIRST_FINAL) & ~np.isin(status, NOT_ACCEPTED)
    happened = u["happened"][last] if len(u["status"]) else last
    since = np.where(over, np.where(last >= 0, happened, MISSING), MISSING)
    yield from violation(run, "final instant", "calls", since != run.calls["final"])
    late = came(u["happened"]) & ((u["happened"] < 0) | (u["happened"] >= run.ended_us))
    yield from violation(run, "outside the run", "updates", late)
    yield from violation(run, "not in order", "updates", np.diff(u["happened"], prepend=0) < 0)


def attempts_are_counted(run: RunArrays) -> Iterator[Violation]:
    """Attempts of a call are numbered without a gap, at most 1 + max_retry with a snapshot's."""
    a, order = run.attempts, run.by_call
    number, call_id = a["attempt"][order], a["call_id"][order]
    wrong = number != place_in_each(~run.follows) + 1 + run.made_before[call_id]
    yield from violation(run, "numbers", "attempts", wrong, order)
    most = 1 + run.per_campaign(lambda campaign: campaign.rules.max_retry)
    over = number > most[run.rank[order]]
    yield from violation(run, "more than 1 + max_retry", "attempts", over, order)
    counted = np.bincount(call_id, minlength=len(run.rank_of_call)) + run.made_before
    yield from violation(run, "attempts", "calls", counted != run.calls["attempts"])


def final_status_is_what_ended_the_call(run: RunArrays) -> Iterator[Violation]:
    """Completed if answered; failed only if no attempt is left; else what ended the call.

    Canceled only by a stop that was in effect, expired only by an expiry; only what was not
    answered is dialed again, and an invalid number never.
    """
    a, status = run.attempts, run.calls["status"]
    over = np.isin(status, (COMPLETED, FAILED, CANCELED, EXPIRED))
    last = run.last_attempt
    has = last >= 0
    padded = np.append(a["outcome"], -1)
    outcome = np.where(has & came(np.append(a["ended"], MISSING)[last]), padded[last], -1)
    answered = np.isin(outcome, ANSWERED)
    wrong = over & (answered != (status == COMPLETED))
    yield from violation(run, "completed, or not, against its last outcome", "calls", wrong)
    most = run.per_campaign(lambda campaign: campaign.rules.max_retry)
    used_up = run.calls["attempts"] > most[run.rank_of_call]
    used_up |= has & ~came(np.append(run.retry_wait_us, MISSING)[last])
    allowed = (outcome == INVALID) | (np.isin(outcome, RETRIED) & used_up)
    yield from violation(run, "failed with attempts left", "calls", (status == FAILED) & ~allowed)
    yield from violation(run, "not failed", "calls", over & allowed & (status != FAILED))
    ends = {
        CANCELED: run.per_call(lambda campaign: campaign.rules.stop_effect_us),
        EXPIRED: run.of_calls(lambda campaign: campaign.call_expires_us),
    }
    for code, instant in ends.items():
        early = (status == code) & (run.calls["final"] < instant)
        yield from violation(run, "canceled or expired too early", "calls", early)
    again = run.follows[1:] & ~np.isin(a["outcome"][run.by_call][:-1], RETRIED)
    yield from violation(run, "dialed again after it", "attempts", again, run.by_call[:-1])


def stop_is_kept(run: RunArrays) -> Iterator[Violation]:
    """From a stop's effect on nothing new is loaded, and no call waits for a retry.

    With ``stop_reaches = "queue"`` nothing of what was in the queue is left in it either;
    with ``stop_cancels_retries = false`` retries go on. A stop by calls stops no campaign.
    """
    effect = run.per_campaign(
        lambda campaign: NEVER if campaign.rules.cancel_rate else campaign.rules.stop_effect_us
    )
    cancels = run.per_campaign(lambda campaign: campaign.rules.stop_cancels_retries) == 1
    reaches = run.per_campaign(lambda campaign: campaign.rules.stop_reaches_queue) == 1
    u, rank = run.updates, run.update_rank
    entered = (u["status"] == QUEUED) & (u["happened"] >= effect[rank])
    loaded = entered & ((u["attempt"] == 1) | cancels[rank])
    yield from violation(run, "entered the queue after the stop", "updates", loaded)
    waits = (u["status"] == WAITING_RETRY) & (u["happened"] > effect[rank]) & cancels[rank]
    yield from violation(run, "waits for a retry after the stop", "updates", waits)
    status, of = run.calls["status"], run.rank_of_call
    stopped = (effect < run.ended_us)[of] & run.handed_in
    left = stopped & (
        ((status == SCHEDULED) & run.comes_up(effect[of]))
        | ((status == WAITING_RETRY) & cancels[of])
        | ((status == QUEUED) & (reaches & cancels)[of] & ~run.wedged)
    )
    yield from violation(run, "still there after the stop", "calls", left)


def calls_are_canceled_one_by_one(run: RunArrays) -> Iterator[Violation]:
    """A stop by calls cancels no faster than its rate, and waits for nothing but its rate.

    Where a token is there and no call is canceled, none that was never dialed is in the queue.
    With ``stop_cancels_retries = false`` whoever was dialed before is spared.
    """
    status, final = run.calls["status"], run.calls["final"]
    for rank, campaign in enumerate(run.plan.campaigns):
        rules, begins = campaign.rules, campaign.rules.stop_effect_us
        if not rules.cancel_rate or begins >= run.ended_us:
            continue
        mine = (run.rank_of_call == rank) & (status == CANCELED) & (final < rules.clear_effect_us)
        calls = np.flatnonzero(mine)[np.argsort(final[mine], kind="stable")]
        since_us = final[calls] - begins
        overdrawn, ready = replay(since_us.tolist(), rules.cancel_rate, 1)
        yield from violation(run, "faster than cancel_rate", "calls", calls[overdrawn])
        if not rules.stop_cancels_retries:
            again = run.calls["attempts"][calls] > 0
            yield from violation(run, "canceled after an attempt", "calls", calls[again])
        over = min(run.ended_us, rules.clear_effect_us, rules.expires_us) - begins
        token = np.array(ready, dtype=np.int64)
        idle = begins + token[(np.append(since_us, over) > token)]
        entered, left = _first_stays(run, rank)
        there = count_before(np.sort(entered), idle) > count_until(np.sort(left), idle)
        if there.any():
            frame = pd.DataFrame({"campaign": campaign.full_name, "at_us": idle[there]})
            yield Violation("nobody is canceled while calls are in the queue", frame)


def _first_stays(run: RunArrays, rank: int) -> tuple[Integers, Integers]:
    """When the calls of a campaign entered the queue for the first time, and left it."""
    u, a = run.updates, run.attempts
    rows = (u["status"] == QUEUED) & (u["attempt"] == 1) & (run.update_rank == rank)
    rows &= ~run.wedged[u["call_id"]]
    calls = u["call_id"][rows]
    left = np.where(came(run.calls["final"]), run.calls["final"], run.ended_us)
    first = a["attempt"] == 1
    left[a["call_id"][first]] = a["dispatched"][first]
    return u["happened"][rows], left[calls]


def expired_calls_are_over(run: RunArrays) -> Iterator[Violation]:
    """From the expiry on no call waits for anything: it has expired, or is being dialed."""
    expires = run.of_calls(lambda campaign: campaign.call_expires_us)
    status = run.calls["status"]
    waits = (status == SCHEDULED) & run.comes_up(expires)
    waits |= (status == WAITING_RETRY) | ((status == QUEUED) & ~run.wedged)
    left = waits & (expires < run.ended_us) & run.handed_in
    yield from violation(run, "still there after the expiry", "calls", left)
