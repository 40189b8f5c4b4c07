"""What the kernel's arrays hold: the rows of `outsim.engine.readable.state`, as plain numbers.

Instants are microseconds since the scenario begins. A list of calls is linked
through the calls themselves: a call is in one list at a time, be it a sub-queue of the
queue, the pacer's, or those that wait for their retry. -1 stands for none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim.engine.compiled.memory import rows_of
from outsim.engine.records import ATTEMPT_TYPES, DELIVERY_TYPES, UPDATE_TYPES
from outsim.tape.draws import ATTEMPT_ROW

NONE = -1


def _rows(*fields: tuple[str, str]) -> np.dtype[Any]:
    return np.dtype([*fields], align=True)


def _fields(kind: str, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name in names)


ENTRY = _rows(("at", "i8"), ("order", "i8"), ("item", "i8"))
"""What is to happen when: an instant, the place among what is due then, and to whom."""

HEAP = _rows(("entries", "i8"), ("count", "i8"))
"""A heap of entries, earliest first. An empty one has an entry at NEVER."""

BUCKET = _rows(*_fields("i8", "rate", "capacity", "level", "at", "ready_at"))
"""A token bucket; see `outsim.engine.readable.bucket.TokenBucket`."""

CALL = _rows(
    *_fields("i8", "ready_at", "queued_at", "last_failure_at", "final_at"),
    ("sequence", "i4"),  # counts entries into the queue over the whole platform
    ("next", "i4"),
    ("campaign", "i4"),
    ("zone", "i2"),
    *_fields("i1", "status", "attempts", "failures", "number", "lost"),
    *_fields("i1", "trait", "wedged", "missing_ani"),
)
"""A call, by call_id. `number` is of the attempt that it waits for, or is in; `lost` has a bit
for each kind of update about that attempt that is lost."""

CAMPAIGN = _rows(
    # What every attempt needs comes first: it fills one line of the processor's cache.
    *_fields("i8", "first_call", "blocks", "tenant", "active", "max_simultaneous", "bucket"),
    *_fields("i8", "endpoint", "posts"),
    *_fields("i8", "max_retry", "retry_interval_us", "unfinished", "profile"),
    *_fields("i8", "first_retry", "last_retry", "before_last_retries"),
    *_fields("i8", "handed_in", "size", "loading", "ready_us", "requests_us", "submitted_us"),
    *_fields("i8", "first_sub_queue", "sub_queues", "zones", "place_of_zone"),
    # What few campaigns have but each attempt asks for shares a line.
    *_fields("i8", "stopped", "expired", "canceling", "stop_cancels_retries"),
    *_fields("i8", "stop_reaches_queue", "retry_intervals", "own_expires_us", "loading_order"),
    *_fields("i8", "paced_at_dispatch", "pacer_awake", "first_paced", "last_paced"),
    *_fields("i8", "refusable_from_us", "asking", "asked_for", "request"),
    *_fields("i8", "refusals", "waits_after_refusal", "asks_again_after_us"),
    *_fields("i8", "stops_by_calls", "shared_number", "first_number"),
    ("call_expires_us", "i8"),
    *_fields("i8", "retry_jitters", "first_tally", "expiry_order", "expiring", "expiries"),
)
"""A campaign, by rank. `ready_us`, `requests_us`, `place_of_zone`, `call_expires_us` (where the
queue goes by expiry), `retry_intervals` and `retry_jitters` (0 where there is one interval for
all), `own_expires_us`, `loading_order` and `expiry_order` (0 where calls bring no times of their
own) are addresses; `bucket` is the place of its pacer, `blocks` and `posts` of its first draws,
`first_tally` of its first call among the tallies; `loading` is the place in the loader's order of
what it waits for, `expiring` in the order of expiries of the call that expires next;
`before_last_retries` is the last call that is ready before `last_retry`. `asking` is the call
whose request comes next, `asked_for` how many calls a request is for, `request` that of a list;
`asks_again_after_us` is the address of the waits after each of `refusals`, of which there are
`waits_after_refusal`: one for all calls, or one for each."""

NUMBER = _rows(*_fields("i8", "is_up", "free_since", "first_waiting"))
"""A number that several calls of a campaign have, of which one is up at most, with those that came
to the head of the queue while it was. A campaign's begin at `first_number`; `shared_number` is the
address of which of them each call has, or 0 where none is shared."""

CANCELER = _rows(*_fields("i8", "step", "place", "is_awake"))
"""Whoever cancels the calls of a campaign one by one, by the campaign's rank; see
`outsim.engine.readable.state.Canceler`."""

TENANT = _rows(
    *_fields("i8", "active", "max_simultaneous", "bucket", "first_sub_queue", "sub_queues"),
    *_fields("i8", "unfinished", "intake", "queue_limit"),
)
"""A customer, by rank. `intake` is the place of the bucket of its requests."""

REQUEST = _rows(
    *_fields("i8", "came", "taken"),
    *_fields("i4", "call_id", "campaign"),
    *_fields("i8", "tries", "reason"),
)
"""A list, or a single call, that intake may refuse, in the order in which they come."""

SUB_QUEUE = _rows(
    ("order", "i8"),  # its priority, and when its first call entered
    ("eligible_since", "i8"),
    *_fields("i8", "campaign", "priority", "group", "first", "last", "blockers", "place"),
)
"""Queued calls that are held back together. `place` is its place among the offers."""

EXPIRY_QUEUE = _rows(("first_entry", "i8"), ("entries", "i8"), ("expires", "i8"))
"""A heap of queued calls, by sub-queue, where the queue goes by expiry; see `by_expiry`. `expires`
is when the first of them does."""

GROUP = _rows(*_fields("i8", "turn_ends", "turn", "first_offer", "offers", "guaranteed"))
"""Sub-queues among which the oldest entry goes first: of a tenant where tenants take turns or have
guarantees, a single one where the queue goes by expiry, else all. Its offers are a heap of
sub-queues from `first_offer` on."""

ATTEMPT = _rows(
    # What its end needs comes first: it fills one line of the processor's cache.
    *_fields("i8", "row", "key", "dispatched_at", "ends_at"),
    *_fields("i4", "call", "campaign"),
    *_fields("i1", "number", "outcome", "cause", "callee_type", "under_way", "at_carrier"),
    *_fields("i8", "work_started_at", "dialed_at", "ringing_at", "answered_at", "detected_at"),
)
"""An attempt from its dispatch to its end, by the port that it holds."""

BLOCK = _rows(*_fields("i8", "attempts", "lost", "dial_work_us", "status_work_us", "jitter"))
"""Addresses of what the tape says about one attempt number of a campaign; 0 if not drawn."""

POSTS = _rows(*_fields("i8", "latency_ms", "fails"))
"""The same about posts."""

ENDPOINT = _rows(
    *_fields("i8", "timeout_us", "posts_at_once", "busy", "outages"),
    *_fields("i8", "first", "last", "first_wait", "waits"),
)
"""A result_url, and the posts that wait for it."""

WAIT = _rows(("wait_us", "i8"), ("first", "i8"), ("last", "i8"))
"""Posts that failed and wait for their next time, by endpoint and post number."""

CONTROL = _rows(("at", "i8"), ("order", "i8"), ("kind", "i8"), ("item", "i8"))
"""What is done to the platform from outside, in the order in which it happens."""

WINDOW = _rows(("campaign", "i8"), ("place", "i8"))
"""A callee zone of a campaign with a calling window."""

OUTAGE = _rows(("of", "i8"), ("count", "i8"), ("endpoint", "i8"), ("drop", "i8"))
"""Something that is out of service for a while."""

ZONE = _rows(("starts_us", "i8"), ("factors", "i8"), ("segments", "i8"))
"""A callee zone: where the local hour changes, and the factor from there on."""

TABLES: dict[str, np.dtype[Any]] = {
    "calls": CALL,
    "campaigns": CAMPAIGN,
    "numbers": NUMBER,
    "cancelers": CANCELER,
    "cancel_tokens": BUCKET,
    "tenants": TENANT,
    "requests": REQUEST,
    "sub_queues": SUB_QUEUE,
    "expiry_queues": EXPIRY_QUEUE,
    "groups": GROUP,
    "ports": ATTEMPT,
    "buckets": BUCKET,
    "heaps": HEAP,
    "blocks": BLOCK,
    "posts": POSTS,
    "endpoints": ENDPOINT,
    "waits": WAIT,
    "controls": CONTROL,
    "windows": WINDOW,
    "outages": OUTAGE,
    "zones": ZONE,
}
"""Arrays of rows that hang on the platform, by the field that holds their address."""

LISTS = ("offers", "free_ports", "dial_work", "expiry_entries", "tallies")
"""Plain int32 arrays: heaps of sub-queues, free ports, ports whose dial work waits, heaps of
queued calls, and how often a call came to each outcome, `retries.TALLY_BITS` for each."""

COURSES, WORK, AGENDA, POSTING, LOST, DROPPED = range(6)
"""Heaps: what attempts at the carrier come to next, what workers finish, what is due for
campaigns, tenants and posts, posts under way, lost final updates, calls to be cut off."""

COLUMNS = {
    **{f"attempt_{name}": kind for name, kind in ATTEMPT_TYPES.items()},
    **{f"update_{name}": kind for name, kind in UPDATE_TYPES.items()},
    "update_key": np.int64,
    **{f"delivery_{name}": kind for name, kind in DELIVERY_TYPES.items()},
    "delivery_key": np.int64,
    "delivery_next": np.int32,
}
"""Plain arrays that grow: the records' columns, and some that only the kernel reads.

The key of an update or a post is its place among what ends at one instant. It says whose it is,
so that nothing of the call need be fetched, which is long out of the processor's cache by then.
"""

ZEROED = ("update_lost", "update_repaired")
"""Columns that are written only where they are not zero."""

PLATFORM = _rows(
    *_fields("i8", "now", *TABLES, *COLUMNS, *LISTS),
    *_fields("i8", "carrier_rates", "carrier_channels", "thresholds"),
    # How many rows there are, and how many there is room for.
    *_fields("i8", "dispatches", "updates", "deliveries", "begun_updates", "begun_dials"),
    *_fields("i8", "attempt_room", "update_room", "delivery_room"),
    # The dispatcher, and what it looks at.
    *_fields("i8", "look_at", "head_sub_queue", "head_call", "head_since", "sequence"),
    *_fields("i8", "port_count", "ports_out", "ports_busy", "ports_free_since", "free_ports_left"),
    *_fields(
        "i8", "sub_queue_count", "group_count", "endpoint_count", "retries_last", "turns_reached"
    ),
    *_fields("i8", "looks_at_all", "by_expiry"),
    *_fields("i8", "worker_count", "workers_out", "workers_busy", "status_outages"),
    *_fields("i8", "dial_work_us", "status_work_us"),
    *_fields("i8", "carrier_level", "carrier_at", "carrier_capacity", "carrier_offset_us"),
    *_fields("i8", "channels_busy", "channels_out", "carrier_outages", "most_channels"),
    *_fields("i8", "refusal_us", "ring_timeout_us", "detection_person_us", "detection_machine_us"),
    *_fields("i8", "threshold_factors", "threshold_failures", "threshold_gaps"),
    *_fields("i8", "delivery_pool", "posts_busy", "posts_waiting", "reconciliation_us"),
    *_fields("i8", "next_control", "control_count", "instant_open"),
    *_fields("i8", "unfinished", "intake", "queue_limit", "request_count"),
    ("holds_numbers", "i8"),  # whether any campaign has a number that calls wait for
    # What the kernel wants before it can go on; see `outsim.engine.compiled.platform`.
    *_fields("i8", "wanted_campaign", "wanted_number"),
    *_fields("i8", "wanted_updates", "wanted_deliveries"),
)
"""The platform: everything else hangs on it, by address."""

entry_at = rows_of(ENTRY)
call_at = rows_of(CALL)
campaign_at = rows_of(CAMPAIGN)
shared_number_at = rows_of(NUMBER)
canceler_at = rows_of(CANCELER)
tenant_at = rows_of(TENANT)
request_at = rows_of(REQUEST)
sub_queue_at = rows_of(SUB_QUEUE)
group_at = rows_of(GROUP)
expiry_queue_at = rows_of(EXPIRY_QUEUE)
attempt_at = rows_of(ATTEMPT)
bucket_at = rows_of(BUCKET)
heap_at = rows_of(HEAP)
block_at = rows_of(BLOCK)
posts_at = rows_of(POSTS)
endpoint_at = rows_of(ENDPOINT)
wait_at = rows_of(WAIT)
control_at = rows_of(CONTROL)
window_at = rows_of(WINDOW)
outage_at = rows_of(OUTAGE)
zone_at = rows_of(ZONE)
draws_at = rows_of(ATTEMPT_ROW)

CALL_BYTES, DRAWS_BYTES = CALL.itemsize, ATTEMPT_ROW.itemsize
