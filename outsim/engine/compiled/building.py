"""From a plan to the state in which a run begins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from outsim.clock import MISSING, NEVER, TOKEN
from outsim.engine.compiled.controls import (
    CARRIER,
    CHANNELS,
    CLEAR,
    ENDPOINT,
    EXPIRY,
    OUTAGE,
    PAUSE,
    PAUSE_ENDS,
    PORTS,
    REPAIR,
    RESUMPTION,
    STATUS,
    STOP,
    SUSPENSION,
    WINDOW_CLOSES,
    WINDOW_OPENS,
    WORKERS,
)
from outsim.engine.compiled.events import (
    ASKS,
    CONTROL,
    ENTERS_QUEUE,
    EXPIRY_OF_CALL,
    KINDS,
    LOAD,
    OTHER,
    RECONCILE,
    REQUEST,
)
from outsim.engine.compiled.layout import AGENDA, COURSES, DROPPED, LOST, NONE, POSTING, WORK
from outsim.engine.compiled.state import GROWING, State
from outsim.engine.compiled.supply import hand_loading, hand_times
from outsim.engine.order import (
    CLEAR_STEP,
    EXPIRY_STEP,
    STOP_STEP,
    TURN,
    WINDOW_STEP,
    call_key,
)
from outsim.plan import CampaignPlan, Plan, SuspensionPlan
from outsim.vocabulary import DISCIPLINES, SCHEDULED

ROWS_PER_CALL = {"attempt": 1.7, "update": 6.5, "delivery": 1.1}
"""Rows that there is room for at first."""

_CONSTANTS = (
    "dial_work_us",
    "status_work_us",
    "ring_timeout_us",
    "refusal_us",
    "detection_person_us",
    "detection_machine_us",
    "reconciliation_us",
    "delivery_pool",
)
"""What the platform's row and plan call by the same name."""


def build_state(plan: Plan) -> State:
    """State of a run before anything has happened; `supply` fills in campaigns and calls."""
    state = State()
    _hand_in(state, plan)
    _fill_buckets(state, plan)
    _open_intake(state, plan)
    _open_sub_queues(state, plan)
    _open_ports(state, plan)
    _connect(state, plan)
    _open_endpoints(state, plan)
    _open_heaps(state, plan)
    set_timetable(state, plan)
    for kind in GROWING:
        state.make_room(kind, int(plan.calls_begun * ROWS_PER_CALL[kind]) + 1024)
    state.bind()
    return state


def _calls(plan: Plan) -> int:
    return sum(campaign.size for campaign in plan.campaigns)


def _starts(counts: list[int]) -> list[int]:
    """Where each of some ranges begins that lie one behind the other."""
    return [0, *np.cumsum(counts).tolist()][: len(counts)]


def _hand_in(state: State, plan: Plan) -> None:
    """Tenants and campaigns."""
    tenants = state.table("tenants", len(plan.tenants))
    tenants["max_simultaneous"][: len(plan.tenants)] = [t.max_simultaneous for t in plan.tenants]
    blocks = [campaign.rules.max_retry + 2 for campaign in plan.campaigns]
    posts = [
        len(plan.endpoints[campaign.result_url.endpoint].retry_after_us) + 2
        if campaign.result_url
        else 0
        for campaign in plan.campaigns
    ]
    state.table("blocks", sum(blocks))
    state.table("posts", sum(posts))
    campaigns = state.table("campaigns", len(plan.campaigns))[: len(plan.campaigns)]
    campaigns["tenant"] = [c.tenant_rank for c in plan.campaigns]
    campaigns["first_call"] = [c.first_call_id for c in plan.campaigns]
    campaigns["size"] = [c.size for c in plan.campaigns]
    campaigns["profile"] = [c.profile for c in plan.campaigns]
    campaigns["submitted_us"] = [c.submitted_us for c in plan.campaigns]
    campaigns["endpoint"] = [
        c.result_url.endpoint if c.result_url else NONE for c in plan.campaigns
    ]
    campaigns["blocks"], campaigns["posts"] = _starts(blocks), _starts(posts)
    for name in ("max_retry", "retry_interval_us", "max_simultaneous", "paced_at_dispatch"):
        campaigns[name] = [getattr(c.rules, name) for c in plan.campaigns]
    shared = [campaign.shared_number for campaign in plan.campaigns]
    counts = [0 if of_call is None else int(of_call.max()) + 1 for of_call in shared]
    state.table("numbers", sum(counts))["first_waiting"] = NONE
    state.platform[0]["holds_numbers"] = sum(counts) > 0
    campaigns["first_number"] = _starts(counts)
    campaigns["shared_number"] = [
        0 if of_call is None else state.keep(of_call, np.int32) for of_call in shared
    ]
    _set_retries(state, plan)
    for name in ("first_paced", "first_retry", "last_retry", "before_last_retries"):
        campaigns[name] = NONE


def _set_retries(state: State, plan: Plan) -> None:
    """Retries outcome by outcome: tables for each campaign, and a tally for each of its calls."""
    tallies = 0
    for campaign, row in zip(plan.campaigns, state.arrays["campaigns"], strict=False):
        retries = campaign.rules.retries
        if retries is not None:
            intervals = retries.table(retries.intervals_us, NEVER)
            row["retry_intervals"] = state.keep(intervals, np.int64)
            row["retry_jitters"] = state.keep(retries.table(retries.jitters_us, 0), np.int64)
            row["first_tally"] = tallies
            tallies += campaign.size
    state.arrays["tallies"] = np.zeros(tallies, np.int32)


def _fill_buckets(state: State, plan: Plan) -> None:
    """The platform's dial tokens, those of who has a pace, and of what limits requests."""
    buckets = [(plan.platform.dial_rate, plan.platform.dial_burst)]
    tenants, p = state.arrays["tenants"], state.platform[0]
    tenants["intake"] = p["intake"] = NONE
    for row, intake in [
        (p, plan.platform.intake),
        *zip(tenants, (tenant.intake for tenant in plan.tenants), strict=False),
    ]:
        if intake.rate:
            row["intake"] = len(buckets)
            buckets.append((intake.rate, intake.burst))
    for rows, rates in (
        (state.arrays["tenants"], [tenant.dial_rate for tenant in plan.tenants]),
        (state.arrays["campaigns"], [campaign.rules.pacing_rate for campaign in plan.campaigns]),
    ):
        rows["bucket"] = NONE
        for rank, rate in enumerate(rates):
            if rate:
                rows[rank]["bucket"] = len(buckets)
                buckets.append((rate, 1))
    table = state.table("buckets", len(buckets))
    table["rate"] = [rate for rate, _ in buckets]
    table["capacity"] = table["level"] = [burst * TOKEN for _, burst in buckets]


def _open_intake(state: State, plan: Plan) -> None:
    """Room for the requests that may be refused, and who was taken before."""
    p, tenants = state.platform[0], state.arrays["tenants"]
    campaigns = state.arrays["campaigns"][: len(plan.campaigns)]
    campaigns["refusable_from_us"] = [c.refusable_from_us for c in plan.campaigns]
    campaigns["request"] = NONE
    p["queue_limit"] = plan.platform.intake.queue_limit
    tenants["queue_limit"][: len(plan.tenants)] = [t.intake.queue_limit for t in plan.tenants]
    room = 0
    for row, campaign in zip(campaigns, plan.campaigns, strict=True):
        if not plan.may_refuse:
            break
        refusable, is_list = campaign.refusable, campaign.is_list
        taken = np.count_nonzero(campaign.first_statuses == SCHEDULED)
        tenants[campaign.tenant_rank]["unfinished"] += taken
        p["unfinished"] += taken
        row["asking"] = refusable[0] if len(refusable) else campaign.size
        row["asked_for"] = len(campaign.accepted) if is_list else 1
        row["refusals"] = len(campaign.rules.asks_again_us)
        row["waits_after_refusal"] = campaign.asks_again_after_us.shape[1]
        room += min(1, len(refusable)) if is_list else len(refusable)
    requests = state.table("requests", room)
    requests["taken"] = MISSING


def _asks(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """Entries of the agenda at which the first request of each campaign comes."""
    for rank, campaign in enumerate(plan.campaigns):
        refusable = campaign.refusable
        if len(refusable):
            index = 0 if campaign.is_list else int(refusable[0])
            yield _asking(rank, index, int(campaign.submitted_at_us[index]))


def _asking(rank: int, index: int, at_us: int) -> tuple[int, int, int]:
    return at_us, REQUEST | call_key(rank, index), ASKS + KINDS * rank


def _open_sub_queues(state: State, plan: Plan) -> None:
    """Sub-queues of campaigns and tenants, and the groups that they are offered in."""
    p, campaigns = state.platform[0], state.arrays["campaigns"][: len(plan.campaigns)]
    discipline = DISCIPLINES[plan.platform.queue]
    apart = discipline.tenants_take_turns or discipline.has_guarantees
    priorities = 2 if discipline.retries_last else 1
    zones = [len(campaign.rules.lane_zones) or 1 for campaign in plan.campaigns]
    counts = [priorities * count for count in zones]
    # Those of a tenant lie together, campaigns that it hands in later included.
    by_tenant = np.argsort([campaign.tenant_rank for campaign in plan.campaigns], kind="stable")
    first = np.zeros(len(counts), dtype=np.int64)
    first[by_tenant] = _starts([counts[rank] for rank in by_tenant])
    campaigns["zones"], campaigns["sub_queues"], campaigns["first_sub_queue"] = (
        zones,
        counts,
        first,
    )
    one_sub_queue = state.keep(np.zeros(len(plan.zones)), np.int32)
    sub_queues = state.table("sub_queues", sum(counts))
    sub_queues["first"] = NONE
    for rank, campaign in enumerate(plan.campaigns):
        mine = sub_queues[first[rank] : first[rank] + counts[rank]]
        mine["campaign"] = rank
        mine["priority"] = np.repeat(np.arange(priorities), zones[rank])
        if discipline.by_priority:
            mine["priority"] = campaign.rules.priority
        mine["group"] = campaign.tenant_rank if apart else 0
        # A sub-queue with a calling window is held back until it opens.
        mine["blockers"] = bool(campaign.rules.window)
        campaigns[rank]["place_of_zone"] = one_sub_queue
        if campaign.rules.lane_zones:
            places = np.zeros(len(plan.zones), np.int32)
            places[list(campaign.rules.lane_zones)] = range(zones[rank])
            campaigns[rank]["place_of_zone"] = state.keep(places, np.int32)
        tenant = state.arrays["tenants"][campaign.tenant_rank]
        if tenant["sub_queues"] == 0:
            tenant["first_sub_queue"] = first[rank]
        tenant["sub_queues"] += counts[rank]
    if discipline.by_expiry:
        # Each sub-queue is a group of its own.
        groups = state.table("groups", len(sub_queues))
        sub_queues["group"] = groups["first_offer"] = np.arange(len(sub_queues))
    else:
        groups = state.table("groups", len(plan.tenants) if apart else 1)
    if apart:
        groups["first_offer"] = state.arrays["tenants"]["first_sub_queue"]
        groups["turn"][: len(plan.tenants)] = [TURN // tenant.weight for tenant in plan.tenants]
        groups["guaranteed"][: len(plan.tenants)] = [t.guaranteed for t in plan.tenants]
    state.arrays["offers"] = np.zeros(len(sub_queues), np.int32)
    p["sub_queue_count"], p["group_count"] = sum(counts), len(groups)
    _open_expiry_queues(state, plan, discipline.by_expiry)
    p["retries_last"] = priorities == 2
    p["looks_at_all"] = discipline.has_guarantees or discipline.by_expiry


def _open_expiry_queues(state: State, plan: Plan, by_expiry: bool) -> None:
    """Room in each sub-queue for all calls of its campaign, where the queue goes by expiry."""
    state.platform[0]["by_expiry"] = by_expiry
    rows = state.arrays["sub_queues"]["campaign"] if by_expiry else np.zeros(0, np.int64)
    sizes = [plan.campaigns[rank].size for rank in rows]
    state.table("expiry_queues", len(sizes))["first_entry"][: len(sizes)] = _starts(sizes)
    state.arrays["expiry_entries"] = np.zeros(max(1, sum(sizes)), np.int32)


def _open_ports(state: State, plan: Plan) -> None:
    """Ports, and what the dispatcher knows of them."""
    p, ports = state.platform[0], plan.platform.ports
    state.table("ports", ports)
    state.arrays["free_ports"] = np.arange(ports, dtype=np.int32)
    state.arrays["dial_work"] = np.zeros(ports, np.int32)
    p["port_count"] = p["free_ports_left"] = ports
    p["look_at"], p["head_sub_queue"] = NEVER, NONE


def _connect(state: State, plan: Plan) -> None:
    """Workers, the carrier, and how callees answer."""
    p, platform, answering = state.platform[0], plan.platform, plan.answering
    p["worker_count"] = platform.workers
    for name in _CONSTANTS:
        p[name] = getattr(platform, name)
    p["carrier_rates"] = state.keep(platform.carrier_rates, np.int64)
    p["carrier_channels"] = state.keep(platform.carrier_channels, np.int64)
    p["most_channels"] = max(platform.carrier_channels)
    p["carrier_level"] = p["carrier_capacity"] = platform.carrier_burst * TOKEN
    p["carrier_at"] = p["carrier_offset_us"] = platform.carrier_minute_offset_us
    p["thresholds"] = state.keep(answering.thresholds, np.float64)
    shape = answering.thresholds.shape
    p["threshold_factors"], p["threshold_failures"], p["threshold_gaps"] = shape[1:4]
    zones = state.table("zones", len(plan.zones))
    for place, (starts, factors) in enumerate(
        zip(answering.segment_starts_us, answering.segment_factors, strict=True)
    ):
        zones[place]["starts_us"] = state.keep(starts, np.int64)
        zones[place]["factors"] = state.keep(factors, np.int16)
        zones[place]["segments"] = len(starts)


def _open_endpoints(state: State, plan: Plan) -> None:
    """Endpoints, and the lines of posts that wait for their next time."""
    state.platform[0]["endpoint_count"] = len(plan.endpoints)
    endpoints = state.table("endpoints", len(plan.endpoints))[: len(plan.endpoints)]
    counts = [len(endpoint.retry_after_us) for endpoint in plan.endpoints]
    endpoints["timeout_us"] = [endpoint.timeout_us for endpoint in plan.endpoints]
    endpoints["posts_at_once"] = [endpoint.posts_at_once for endpoint in plan.endpoints]
    endpoints["waits"], endpoints["first_wait"] = counts, _starts(counts)
    endpoints["first"] = NONE
    waits = state.table("waits", sum(counts))
    waits["wait_us"][: sum(counts)] = [
        wait_us for endpoint in plan.endpoints for wait_us in endpoint.retry_after_us
    ]
    waits["first"] = NONE


def _loading(rank: int, index: int, at_us: int) -> tuple[int, int, int]:
    """Entry of the agenda at which a campaign's loader moves a call."""
    return at_us, ENTERS_QUEUE | call_key(rank, index, 1), LOAD + KINDS * rank


def move_starts(state: State, past: Plan, plan: Plan) -> None:
    """Have campaigns that have not begun do so when another plan says."""
    agenda, p = state.heaps[AGENDA], state.arrays["heaps"][AGENDA]
    for rank, (before, now) in enumerate(zip(past.campaigns, plan.campaigns, strict=True)):
        row = state.arrays["campaigns"][rank]
        if row["handed_in"] and state.platform[0]["by_expiry"]:
            row["call_expires_us"] = state.keep(now.call_expires_us, np.int64)
        if (before.submitted_us, before.loading_us) == (now.submitted_us, now.loading_us):
            continue
        row["submitted_us"] = now.submitted_us
        items = agenda[: p["count"]]["item"]
        load = first_load(now)
        if now.is_refusable_list:
            asks = items == ASKS + KINDS * rank
            agenda[: p["count"]][asks] = _asking(rank, 0, now.submitted_us)
            load = hand_loading(state, rank, now) if row["ready_us"] else None
        elif row["handed_in"]:
            row["ready_us"] = state.keep(now.ready_us, np.int64)
            hand_times(state, rank, now)
        mine = items == LOAD + KINDS * rank
        if load and mine.any():
            agenda[: p["count"]][mine] = _loading(rank, *load)
    # A sorted list is a heap.
    agenda[: p["count"]] = np.sort(agenda[: p["count"]], order=("at", "order"))


def first_load(campaign: CampaignPlan) -> tuple[int, int] | None:
    """Which call the loader moves first, and when; None if there is none."""
    if campaign.is_refusable_list:
        return None
    if campaign.contact_list is None and campaign.is_list:
        return (0, campaign.loading_us) if campaign.size else None
    taken = np.flatnonzero(campaign.first_statuses == SCHEDULED)
    if len(taken) == 0:
        return None
    # Of those that are ready together the first in the list.
    first = int(taken[np.argmin(campaign.ready_us[taken])])
    return first, int(campaign.ready_us[first])


def _open_heaps(state: State, plan: Plan) -> None:
    """Heaps that are large enough for whatever may come, and what is on the agenda first."""
    first = [*_asks(plan)] if plan.may_refuse else []
    for rank, campaign in enumerate(plan.campaigns):
        load = first_load(campaign)
        row = state.arrays["campaigns"][rank]
        row["loading"] = campaign.size if load is None else campaign.loading_place(load[0])
        if load:
            first.append(_loading(rank, *load))
        order = campaign.expiry_order
        row["expiries"] = len(order)
        if len(order):
            assert campaign.own_expires_us is not None
            key = CONTROL | call_key(rank, int(order[0]), 0, EXPIRY_STEP)
            at_us = int(campaign.own_expires_us[order[0]])
            first.append((at_us, key, EXPIRY_OF_CALL + KINDS * rank))
    if plan.platform.reconciliation_us:
        first.append((plan.platform.reconciliation_us, OTHER, RECONCILE))
    size = 6 * len(plan.campaigns) + len(plan.tenants) + len(state.arrays["waits"]) + 1
    size += len(state.arrays["requests"])
    # Of calls that wait by their outcome each is on the agenda, of others the first.
    size += len(state.arrays["tallies"])
    sizes = {
        COURSES: plan.platform.ports,
        WORK: plan.platform.workers,
        AGENDA: size,
        POSTING: plan.platform.delivery_pool,
        LOST: _calls(plan),
        DROPPED: plan.platform.ports,
    }
    for which in sorted(sizes):
        state.open_heap(sizes[which], first if which == AGENDA else [])
    state.table("heaps", len(sizes))[AGENDA]["count"] = len(first)


OUTAGES = {
    "ports": PORTS,
    "workers": WORKERS,
    "channels": CHANNELS,
    "carrier": CARRIER,
    "status": STATUS,
    "endpoint": ENDPOINT,
}

Entry = tuple[int, int, int, int]
"""When, the place among what happens then, what, and to whom."""


def _campaigns(plan: Plan) -> Iterator[Entry]:
    for rank, campaign in enumerate(plan.campaigns):
        rules = campaign.rules
        if rules.stop_effect_us < plan.latest_us:
            yield rules.stop_effect_us, call_key(rank, 0, 0, STOP_STEP), STOP, rank
        if rules.clear_effect_us < plan.latest_us:
            yield rules.clear_effect_us, call_key(rank, 0, 0, CLEAR_STEP), CLEAR, rank
        if rules.expires_us < plan.latest_us:
            yield rules.expires_us, call_key(rank, 0, 0, EXPIRY_STEP), EXPIRY, rank


def windows(plan: Plan) -> list[tuple[int, int]]:
    """Campaign and place of each callee zone with a calling window."""
    return [
        (rank, place)
        for rank, campaign in enumerate(plan.campaigns)
        for place in range(len(campaign.rules.window))
    ]


def _windows(plan: Plan) -> Iterator[Entry]:
    for item, (rank, place) in enumerate(windows(plan)):
        key = call_key(rank, place, 0, WINDOW_STEP)
        for opens, closes in plan.campaigns[rank].rules.window[place]:
            yield opens, key, WINDOW_OPENS, item
            yield closes, key, WINDOW_CLOSES, item


def _disturbances(plan: Plan) -> Iterator[Entry]:
    ranks = {tenant.name: rank for rank, tenant in enumerate(plan.tenants)}
    campaigns = {campaign.key: campaign.rank for campaign in plan.campaigns}
    items = {id(outage): item for item, outage in enumerate(plan.outages)}
    for place, each in enumerate(plan.disturbances):
        begins, ends = (each.begins_us, 2 * place), (each.ends_us, 2 * place + 1)
        if isinstance(each, SuspensionPlan) and each.campaign:
            paused = campaigns[each.tenant, each.campaign]
            yield *begins, PAUSE, paused
            yield *ends, PAUSE_ENDS, paused
        elif isinstance(each, SuspensionPlan):
            whom = ranks[each.tenant] if each.tenant else NONE
            yield *begins, SUSPENSION, whom
            yield *ends, RESUMPTION, whom
        else:
            item = items[id(each)]
            yield *begins, OUTAGE, item
            yield *ends, REPAIR, item


def timetable(plan: Plan) -> list[Entry]:
    """All of it, in order; what was to happen before the run happens as it begins."""
    entries = [*_campaigns(plan), *_windows(plan), *_disturbances(plan)]
    return sorted(
        ((max(0, at), CONTROL | key, kind, item) for at, key, kind, item in entries if at < NEVER),
        key=lambda entry: entry[:2],
    )


def set_timetable(state: State, plan: Plan, from_us: int = 0) -> None:
    """Put down what will be done to the platform from outside, from an instant on."""
    p = state.platform[0]
    entries = [entry for entry in timetable(plan) if entry[0] >= from_us]
    state.table("controls", len(entries))[: len(entries)] = entries
    p["next_control"], p["control_count"] = 0, len(entries)
    campaigns = state.arrays["campaigns"][: len(plan.campaigns)]
    for name in ("stop_cancels_retries", "stop_reaches_queue"):
        campaigns[name] = [getattr(campaign.rules, name) for campaign in plan.campaigns]
    campaigns["stops_by_calls"] = [c.rules.cancel_rate > 0 for c in plan.campaigns]
    _set_cancelers(state, plan)
    spans = windows(plan)
    state.table("windows", len(spans))[: len(spans)] = spans
    rows = state.table("outages", len(plan.outages))
    for place, outage in enumerate(plan.outages):
        rows[place] = OUTAGES[outage.of], outage.count, outage.endpoint, outage.drop


def _set_cancelers(state: State, plan: Plan) -> None:
    """Rate and order in which calls are canceled; how far that has come stays as it is."""
    count = len(plan.campaigns)
    for name in ("cancelers", "cancel_tokens"):
        if name not in state.arrays:
            state.table(name, count)
    tokens = state.arrays["cancel_tokens"][:count]
    tokens["capacity"] = TOKEN
    tokens["rate"] = [campaign.rules.cancel_rate for campaign in plan.campaigns]
    newest_first = [campaign.rules.cancels_newest_first for campaign in plan.campaigns]
    state.arrays["cancelers"][:count]["step"] = np.where(newest_first, -1, 1)
