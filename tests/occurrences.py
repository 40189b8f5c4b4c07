"""How often each rule of the model had something to do in a run."""

from __future__ import annotations

import numpy as np

from outsim.clock import HOUR, MINUTE, MISSING, NEVER, after
from outsim.engine.records import NOT_KNOWN, Columns, Integers
from outsim.results.run_arrays import RunArrays
from outsim.scenario.sizes import SizeDistribution
from outsim.vocabulary import (
    ANSWERING_MACHINE,
    CANCELED,
    CAUSES,
    CONGESTION,
    DISCIPLINES,
    EXPIRED,
    FAILED,
    FIRST_FINAL,
    HUMAN,
    NO_REFUSAL,
    OUTCOMES,
    POST_RESULTS,
    PROCESSING,
    QUEUED,
    REFUSAL_REASONS,
    REFUSED,
    REJECTED,
    SCHEDULED,
    WAITING_RETRY,
)


def _dials_against_call_id(raw: Columns, rank: Integers) -> int:
    """Pairs of dials at one instant of which the later campaign has the lower call_id."""
    reached = raw["dialed"] != MISSING
    dialed, call_id, of = raw["dialed"][reached], raw["call_id"][reached], rank[reached]
    order = np.lexsort((of, dialed))
    dialed, call_id, of = dialed[order], call_id[order], of[order]
    together = (np.diff(dialed) == 0) & (np.diff(of) > 0)
    return int((together & (np.diff(call_id.astype(np.int64)) < 0)).sum())


def _went_before_an_older_one(run: RunArrays) -> int:
    """Dispatches after that of a younger entry, where the queue goes by rule 20."""
    discipline = run.plan.platform.discipline
    if not (discipline.by_priority or discipline.by_expiry or discipline.has_guarantees):
        return 0
    entry = run.entry_of_attempt
    return int((entry < np.maximum.accumulate(entry)).sum())


def occurrences(run: RunArrays) -> dict[str, int]:
    """How often each rule of the model had something to do in a run.

    Names begin with the number of the rule; a value of 0 says that it never did.
    """
    plan, records, calls = run.plan, run.records, run.records.calls
    raw, u, d = records.attempts, records.updates, records.deliveries
    cause, outcome, number = raw["cause"], raw["outcome"], raw["attempt"]
    status, attempts = calls["status"], calls["attempts"]
    dispatched, visible = raw["dispatched"], u["visible"]
    of_call = run.rank_of_call
    rank = of_call[raw["call_id"]]
    effect = np.array([c.rules.stop_effect_us for c in plan.campaigns], dtype=np.int64)
    requested = np.array([c.rules.stop_requested_us for c in plan.campaigns], dtype=np.int64)
    expires = np.array([c.rules.expires_us for c in plan.campaigns], dtype=np.int64)
    windowed = np.array([bool(c.rules.window) for c in plan.campaigns], dtype=np.bool_)
    zoned = np.array([len(c.rules.lane_zones) for c in plan.campaigns], dtype=np.int64)
    by_calls = np.array([c.rules.cancel_rate > 0 for c in plan.campaigns], dtype=np.bool_)
    requests = np.array([c.requests_us is not None for c in plan.campaigns], dtype=np.bool_)
    shared = run.of_calls(
        lambda c: np.zeros(c.size) if c.shared_number is None else c.shared_number >= 0,
        np.bool_,
    )
    paced = raw["queued"] > raw["ready"]
    held = raw["eligible"] > raw["queued"]
    at_dispatch = np.array([c.rules.paced_at_dispatch for c in plan.campaigns], dtype=np.bool_)
    background = np.array([c.background for c in plan.campaigns], dtype=np.bool_)
    begun = u["begun"]
    rules = [campaign.rules for campaign in plan.campaigns]
    by_outcome = np.array([r.retries is not None for r in rules], dtype=np.bool_)
    jitter = np.array([bool(r.retries and r.retries.has_jitter) for r in rules], dtype=np.bool_)
    most = np.array([r.max_retry for r in rules], dtype=np.int64)
    expiry = run.of_calls(lambda c: c.call_expires_us)
    own = (status == EXPIRED) & (expiry < expires[of_call]) & (calls["final"] >= expiry)
    last_status = np.full(len(status), -1)
    for code, call_id in zip(u["status"].tolist(), u["call_id"].tolist(), strict=True):
        if code < FIRST_FINAL:
            last_status[call_id] = code
    own_schedule = run.of_calls(
        lambda c: (
            np.full(c.size, NEVER)
            if c.own_times.scheduled_us is None
            else np.where(c.own_times.scheduled_us > c.start_us, c.own_times.scheduled_us, NEVER)
        )
    )

    def kept(of: str) -> int:
        return sum(
            outage.of == of and outage.begins_us < records.ended_us for outage in plan.outages
        )

    times = np.concatenate([raw["dispatched"], raw["ended"], raw["queued"], begun])
    per_instant = np.unique(times[times > 0], return_counts=True)[1]
    factors = run.scenario.callees.redial_factors
    starts = run.scenario.clock.begins
    return {
        "ties: events that share an instant": int(per_instant[per_instant > 1].sum()),
        "ties: dispatches that share an instant": int((np.diff(dispatched) == 0).sum()),
        "ties: dials that share an instant, not in the order of call_id": _dials_against_call_id(
            raw, rank
        ),
        "ties: an end and a dispatch": int(np.isin(raw["ended"], dispatched).sum()),
        "1 rejected rows": int((status == REJECTED).sum()),
        "1 single-call requests": int(requests[rank].sum()),
        "1 empty campaigns": sum(c.size == 0 for c in plan.campaigns),
        "1 refused for a missing caller ID": int((cause == CAUSES.index("missing_ani")).sum()),
        "2 paced at admission": int(paced.sum()),
        "2 paced at dispatch": int((held & at_dispatch[rank]).sum()),
        "2 loaders that began late": sum(c.jitter_us > 0 and c.size > 0 for c in plan.campaigns),
        "3 waited behind others": int((raw["at_head"] > raw["eligible"]).sum()),
        "3 held back": int(held.sum()),
        "3 waited for another call to the number": int(
            (shared[raw["call_id"]] & (raw["eligible"] > raw["queued"])).sum()
        ),
        **{
            f"3 and 20 {queue}": int((queue == plan.platform.queue) * len(rank))
            for queue in DISCIPLINES
        },
        "20 went before an older one": _went_before_an_older_one(run),
        "4 waited for a port": int((raw["port_free"] > raw["at_head"]).sum()),
        "4 waited for a dial token": int((raw["token_free"] > raw["at_head"]).sum()),
        "5 dial work waited": int((raw["work_started"] > dispatched).sum()),
        "5 updates waited": int((begun > u["happened"]).sum()),
        "6 refused for the rate": int((cause == CAUSES.index("carrier_rate")).sum()),
        "6 refused for channels": int((cause == CAUSES.index("carrier_channels")).sum()),
        "6 other traffic's peak": int(
            (np.ptp(plan.platform.carrier_rates) > 0) * (outcome == CONGESTION).sum()
        ),
        **{f"7 {word}": int((outcome == code).sum()) for code, word in enumerate(OUTCOMES)},
        "7 reported wrongly": int(
            ((outcome == HUMAN) & (raw["callee_type"] == ANSWERING_MACHINE)).sum()
        ),
        "7 over before it was detected": int((raw["callee_type"] == PROCESSING).sum()),
        "7 redial factors": int((number > 1).sum() * (len(factors) > 1)),
        "8 retries": int((number > 1).sum()),
        "8 third attempts": int((number > 2).sum()),
        "16 own schedules": int((raw["ready"] >= own_schedule[raw["call_id"]]).sum()),
        "16 expired by themselves": int(own.sum()),
        "16 expired by themselves after attempts": int((own & (attempts > 0)).sum()),
        "16 expired as they were queued": int((own & (last_status == QUEUED)).sum()),
        "16 dialed after they were wanted": int(
            (dispatched > run.wanted_until_us[raw["call_id"]]).sum()
        ),
        "17 retries by outcome": int((by_outcome[rank] & (number > 1)).sum()),
        "17 failed with retries left": int(
            (by_outcome[of_call] & (status == FAILED) & (attempts <= most[of_call])).sum()
        ),
        "17 jitter": int((jitter[rank] & (number > 1)).sum()),
        "9 expired": int((status == EXPIRED).sum()),
        "9 failed after the expiry": int(
            ((status == FAILED) & (calls["final"] >= expires[of_call])).sum()
        ),
        "9 expired after attempts": int(((status == EXPIRED) & (attempts > 0)).sum()),
        "9 waited for the window": int((held & windowed[rank]).sum()),
        "9 windows in several zones": int((zoned > 1).sum()),
        "10 lost updates": int(u["lost"].sum()),
        "10 wedged": int(run.wedged.sum()),
        "10 repaired": int(u["repaired"].sum()),
        "10 overtaken updates": int((np.diff(visible[visible != MISSING]) < 0).sum()),
        "11 posts": d.rows,
        "11 waited for a sender": int((d["begun"] > d["due"]).sum()),
        **{
            f"11 {word}": int((d["result"] == code).sum())
            for code, word in enumerate(POST_RESULTS)
        },
        "11 posted again": int((d["post"] > 1).sum()),
        "12 canceled": int((status == CANCELED).sum()),
        "12 canceled after attempts": int(((status == CANCELED) & (attempts > 0)).sum()),
        "12 dialed after the effect": int((dispatched >= effect[rank]).sum()),
        "12 dialed before it": int(
            ((dispatched >= requested[rank]) & (dispatched < effect[rank])).sum()
        ),
        "13 suspensions": sum(not hold.campaign for hold in plan.suspensions),
        **{
            f"13 outages of {of}": kept(of)
            for of in ("ports", "workers", "channels", "carrier", "status", "endpoint")
        },
        "13 refused in an outage": int((cause == CAUSES.index("carrier_outage")).sum()),
        "13 dropped": int((cause == CAUSES.index("dropped")).sum()),
        "19 held back by a pause": sum(
            int(
                (
                    (rank == c.rank)
                    & (raw["queued"] < hold.ends_us)
                    & (dispatched >= hold.ends_us)
                ).sum()
            )
            for hold in plan.suspensions
            for c in plan.campaigns
            if hold.campaign and hold.holds(c)
        ),
        "19 canceled call by call": int(((status == CANCELED) & by_calls[of_call]).sum()),
        "19 canceled call by call after attempts": int(
            ((status == CANCELED) & by_calls[of_call] & (attempts > 0)).sum()
        ),
        "19 dialed while calls are canceled": int(
            (by_calls[rank] & (dispatched >= effect[rank])).sum()
        ),
        "14 background attempts": int(background[rank].sum()),
        "15 single calls of others": sum(
            c.size for c in plan.campaigns if c.background and c.requests_us is not None
        ),
        "15 lists of classes": sum(
            c.background and c.requests_us is None and not c.name.startswith("h")
            for c in plan.campaigns
        ),
        "15 campaigns that repeat": sum(c.entry != c.full_name for c in run.scenario.campaigns),
        "15 sizes drawn": sum(
            isinstance(c.contacts, SizeDistribution) for c in run.scenario.campaigns
        ),
        "15 more or less load": int(run.scenario.load != 1),
        **{
            f"18 refused: {word}": int((run.requests["reason"] == code).sum())
            for code, word in enumerate(REFUSAL_REASONS)
            if word
        },
        "18 refused for good": int((status == REFUSED).sum()),
        "18 taken at once": int((run.requests["reason"] == NO_REFUSAL).sum()),
        "18 taken when asked again": int(
            ((run.requests["tries"] > 1) & (run.requests["taken"] != MISSING)).sum()
        ),
        "18 lists that could be refused": sum(c.is_refusable_list for c in run.campaigns),
        "end: attempts under way": int((outcome == NOT_KNOWN).sum()),
        "end: calls in the queue": int((status == QUEUED).sum()),
        "end: calls that wait for a retry": int((status == WAITING_RETRY).sum()),
        "end: calls never begun": int((status == SCHEDULED).sum()),
        "end: went on": int(records.ended_us > plan.ends_us),
        "clock: across a change": int(
            after(starts, records.ended_us + HOUR).utcoffset() != starts.utcoffset()
        ),
        "clock: minutes": records.ended_us // MINUTE,
        "calls with several attempts": int((number == 2).sum()),
    }
