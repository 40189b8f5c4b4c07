"""The arrays of a run: made from a plan, bound to the platform's row, grown and copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim.clock import MISSING, NEVER, TOKEN
from outsim.engine.compiled.agenda import ENTERS_QUEUE, KINDS, LOAD, OTHER, RECONCILE
from outsim.engine.compiled.dispatch import DIAL_TOKENS
from outsim.engine.compiled.layout import (
    AGENDA,
    COLUMNS,
    COURSES,
    DROPPED,
    ENTRY,
    LOST,
    NONE,
    PLATFORM,
    POSTING,
    TABLES,
    WORK,
)
from outsim.engine.compiled.timetable import OUTAGES, timetable, windows
from outsim.engine.order import TURN, call_key
from outsim.outcomes import REJECTED, SCHEDULED
from outsim.plan import CampaignPlan, Plan

Array = np.ndarray[Any, Any]

GROWING = {"attempt": "dispatches", "update": "updates", "delivery": "deliveries"}
"""Columns that grow, by the first word of their name, and the platform's count of their rows."""

_LINE = 64
"""Bytes in a line of the processor's cache."""

ROWS_PER_CALL = {"attempt": 1.7, "update": 6.5, "delivery": 1.1}
"""Rows that there is room for at first. What is not used is never touched, and costs nothing."""


def address_of(array: Array) -> int:
    """Where an array's first element is."""
    return int(array.__array_interface__["data"][0])


def _call(rank: int, campaign: CampaignPlan) -> Array:
    """A call that nothing has happened to yet, of shape (1,)."""
    call: Array = np.zeros(1, TABLES["calls"])
    call["last_failure_at"] = call["final_at"] = MISSING
    call["campaign"], call["zone"] = rank, campaign.zone
    call["number"], call["status"] = 1, SCHEDULED
    return call


def _aligned(count: int, dtype: np.dtype[Any]) -> Array:
    """Rows of zeros, the first at the begin of a line of the processor's cache."""
    space: Array = np.zeros(count * dtype.itemsize + _LINE, np.uint8)
    skipped = -address_of(space) % _LINE
    return space[skipped : skipped + count * dtype.itemsize].view(dtype)


class State:
    """All that a run is made of, as arrays.

    Attributes
    ----------
    platform : structured array of shape (1,)
        The row that the kernel is given; everything else hangs on it.
    arrays : dict of arrays
        What hangs on it, by the name of the field that holds the address.
    heaps : list of arrays of ENTRY
        Entries of each heap.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.platform: Array = np.zeros(1, PLATFORM)
        self.arrays: dict[str, Array] = {}
        self.heaps: list[Array] = []
        self._kept: list[Array] = []
        self._first: list[tuple[int, int, int]] = []
        self._submit()
        self._open_queue()
        self._connect()
        self._post()
        self._open_heaps()
        self.set_timetable(plan)
        for kind in GROWING:
            self.make_room(kind, int(len(self.arrays["calls"]) * ROWS_PER_CALL[kind]) + 1024)
        self.bind()

    def _table(self, name: str, count: int) -> Array:
        self.arrays[name] = _aligned(max(1, count), TABLES[name])
        return self.arrays[name]

    def _keep(self, array: Array, dtype: type[np.generic]) -> int:
        """Address of an array that never changes, kept as long as this state or a copy of it."""
        kept = np.ascontiguousarray(array, dtype)
        self._kept.append(kept)
        return address_of(kept)

    def _submit(self) -> None:
        """Tenants, campaigns and calls."""
        plan, p = self.plan, self.platform[0]
        p["tenant_count"] = len(plan.tenants)
        tenants = self._table("tenants", len(plan.tenants))
        campaigns = self._table("campaigns", len(plan.campaigns))
        calls = self._table("calls", sum(campaign.size for campaign in plan.campaigns))
        buckets = [(plan.platform.dial_rate, plan.platform.dial_burst)]
        assert DIAL_TOKENS == 0
        for rank, tenant in enumerate(plan.tenants):
            tenants[rank]["max_simultaneous"] = tenant.max_simultaneous
            tenants[rank]["bucket"] = NONE
            if tenant.dial_rate:
                tenants[rank]["bucket"] = len(buckets)
                buckets.append((tenant.dial_rate, 1))
        blocks = posts = 0
        for rank, campaign in enumerate(plan.campaigns):
            row, rules = campaigns[rank], campaign.rules
            reject, contacts = campaign.reject_reason, campaign.contacts
            accepted = campaign.accepted
            ready_us = campaign.ready_us
            row["ready_us"] = self._keep(ready_us, np.int64)
            if campaign.requests_us is not None:
                row["requests_us"] = self._keep(campaign.requests_us, np.int64)
            row["submitted_us"] = campaign.submitted_us
            row["retry_interval_us"] = rules.retry_interval_us
            row["unfinished"] = len(accepted) - int(contacts.wedged[accepted].sum())
            row["tenant"] = campaign.tenant_rank
            row["first_call"] = campaign.first_call_id
            row["size"] = campaign.size
            row["profile"] = campaign.profile
            row["max_retry"] = rules.max_retry
            row["max_simultaneous"] = rules.max_simultaneous
            row["pacer"] = NONE
            if rules.pacing_rate:
                row["pacer"] = len(buckets)
                buckets.append((rules.pacing_rate, 1))
            row["blocks"] = blocks
            blocks += rules.max_retry + 2
            row["endpoint"] = NONE
            if campaign.result_url is not None:
                row["endpoint"] = campaign.result_url.endpoint
                row["posts"] = posts
                posts += len(plan.endpoints[campaign.result_url.endpoint].retry_after_us) + 2
            row["loading"] = accepted[0] if len(accepted) else campaign.size
            if len(accepted):
                key = ENTERS_QUEUE | call_key(rank, int(accepted[0]), 1)
                self._first.append((int(ready_us[accepted[0]]), key, LOAD + KINDS * rank))
            for name in ("first_paced", "first_retry", "last_retry", "before_last_retries"):
                row[name] = NONE
            row["stop_cancels_retries"] = rules.stop_cancels_retries
            row["stop_reaches_queue"] = rules.stop_reaches_queue
            row["paced_at_dispatch"] = rules.paced_at_dispatch
            mine = calls[campaign.first_call_id : campaign.first_call_id + campaign.size]
            # Whole words: numpy copies rows field by field.
            mine.view(np.int64).reshape(campaign.size, -1)[:] = _call(rank, campaign).view(
                np.int64
            )
            mine["trait"] = contacts.trait
            mine["wedged"] = contacts.wedged
            if campaign.zone_of_row is not None:
                mine["zone"] = campaign.zones
            if campaign.missing_ani.any():
                mine["missing_ani"] = campaign.missing_ani
            if len(accepted) < campaign.size:
                mine["status"] = np.where(reject == 0, SCHEDULED, REJECTED)
        self._table("blocks", blocks)
        self._table("posts", posts)
        table = self._table("buckets", len(buckets))
        table["rate"] = [rate for rate, _ in buckets]
        table["capacity"] = table["level"] = [burst * TOKEN for _, burst in buckets]

    def _open_queue(self) -> None:
        """Lanes, the groups that they are offered in, and ports."""
        plan, p = self.plan, self.platform[0]
        fair = plan.platform.queue == "fair"
        priorities = 2 if plan.platform.queue == "first_attempts_first" else 1
        p["retries_last"] = priorities == 2
        lane_count = sum(priorities * (len(c.rules.lane_zones) or 1) for c in plan.campaigns)
        lanes, at = self._table("lanes", lane_count), 0
        for rank, campaign in enumerate(plan.campaigns):
            row, zones = self.arrays["campaigns"][rank], campaign.rules.lane_zones or (0,)
            places = np.zeros(len(plan.zones), np.int32)
            if campaign.rules.lane_zones:
                places[list(zones)] = range(len(zones))
            row["lane_of_zone"] = self._keep(places, np.int32)
            row["first_lane"], row["zones"], row["lanes"] = at, len(zones), priorities * len(zones)
            mine = lanes[at : at + row["lanes"]]
            mine["campaign"] = rank
            mine["priority"] = np.repeat(np.arange(priorities), len(zones))
            mine["group"] = campaign.tenant_rank if fair else 0
            mine["first"] = NONE
            # A lane with a calling window is held back until it opens.
            mine["holds"] = bool(campaign.rules.window)
            tenant = self.arrays["tenants"][campaign.tenant_rank]
            if tenant["lanes"] == 0:
                tenant["first_lane"] = at
            tenant["lanes"] += row["lanes"]
            at += int(row["lanes"])
        p["lane_count"] = lane_count
        p["group_count"] = len(plan.tenants) if fair else 1
        groups = self._table("groups", int(p["group_count"]))
        if fair:
            groups["first_offer"][: len(plan.tenants)] = self.arrays["tenants"]["first_lane"]
            groups["turn"][: len(plan.tenants)] = [TURN // t.weight for t in plan.tenants]
        ports = plan.platform.ports
        self._table("ports", ports)
        self.arrays["offers"] = np.zeros(max(1, lane_count), np.int32)
        self.arrays["free_ports"] = np.arange(ports, dtype=np.int32)
        self.arrays["dial_work"] = np.zeros(ports, np.int32)
        p["port_count"] = p["free_ports_left"] = ports
        p["look_at"], p["head_lane"] = NEVER, NONE

    def _connect(self) -> None:
        """Workers, the carrier, and how callees answer."""
        plan, p = self.plan, self.platform[0]
        platform, answering = plan.platform, plan.answering
        p["worker_count"] = platform.workers
        p["delivery_pool"] = platform.delivery_pool
        for name in (
            "dial_work_us",
            "status_work_us",
            "ring_timeout_us",
            "refusal_us",
            "detection_person_us",
            "detection_machine_us",
            "reconciliation_us",
        ):
            p[name] = getattr(platform, name)
        p["carrier_rates"] = self._keep(platform.carrier_rates, np.int64)
        p["carrier_channels"] = self._keep(platform.carrier_channels, np.int64)
        p["most_channels"] = max(platform.carrier_channels)
        p["carrier_level"] = p["carrier_capacity"] = platform.carrier_burst * TOKEN
        p["carrier_at"] = p["carrier_offset_us"] = platform.carrier_minute_offset_us
        p["thresholds"] = self._keep(answering.thresholds, np.float64)
        _, factors, failures, gaps, _ = answering.thresholds.shape
        p["threshold_factors"], p["threshold_failures"] = factors, failures
        p["threshold_gaps"] = gaps
        zones = self._table("zones", len(plan.zones))
        for place, (starts, indexes) in enumerate(
            zip(answering.segment_starts_us, answering.segment_factors, strict=True)
        ):
            zones[place]["starts_us"] = self._keep(starts, np.int64)
            zones[place]["factors"] = self._keep(indexes, np.int16)
            zones[place]["segments"] = len(starts)

    def _post(self) -> None:
        """Endpoints, and the lines of posts that wait for their next time."""
        endpoints = self._table("endpoints", len(self.plan.endpoints))
        self.platform[0]["endpoint_count"] = len(self.plan.endpoints)
        waits: list[int] = []
        for place, endpoint in enumerate(self.plan.endpoints):
            row = endpoints[place]
            row["timeout_us"] = endpoint.timeout_us
            row["posts_at_once"] = endpoint.posts_at_once
            row["first"] = NONE
            row["first_wait"], row["waits"] = len(waits), len(endpoint.retry_after_us)
            waits.extend(endpoint.retry_after_us)
        table = self._table("waits", len(waits))
        table["wait_us"][: len(waits)] = waits
        table["first"] = NONE

    def _open_heaps(self) -> None:
        """Heaps that are large enough for whatever may come, and what is on the agenda first."""
        plan, calls = self.plan, len(self.arrays["calls"])
        agenda = 4 * len(plan.campaigns) + len(plan.tenants) + len(self.arrays["waits"]) + 1
        sizes = {
            COURSES: plan.platform.ports,
            WORK: plan.platform.workers,
            AGENDA: agenda,
            POSTING: plan.platform.delivery_pool,
            LOST: calls,
            DROPPED: plan.platform.ports,
        }
        rows = self._table("heaps", len(sizes))
        for which in sorted(sizes):
            entries = np.empty(sizes[which] + 1, ENTRY)
            entries[0] = (NEVER, 0, 0)
            self.heaps.append(entries)
        first = self._first
        if plan.platform.reconciliation_us:
            first.append((plan.platform.reconciliation_us, OTHER, RECONCILE))
        # A sorted list is a heap.
        for place, entry in enumerate(sorted(first)):
            self.heaps[AGENDA][place] = entry
        rows[AGENDA]["count"] = len(first)

    def set_timetable(self, plan: Plan, from_us: int = 0) -> None:
        """Put down what will be done to the platform from outside, from an instant on."""
        p = self.platform[0]
        entries = [entry for entry in timetable(plan) if entry[0] >= from_us]
        controls = self._table("controls", len(entries))
        controls[: len(entries)] = entries
        p["next_control"], p["control_count"] = 0, len(entries)
        found = windows(plan)
        self._table("windows", len(found))[: len(found)] = found
        rows = self._table("outages", len(plan.outages))
        for place, outage in enumerate(plan.outages):
            rows[place] = OUTAGES[outage.of], outage.count, outage.endpoint, outage.drop

    def make_room(self, kind: str, count: int) -> None:
        """Have the columns of a kind of record hold at least `count` rows.

        They grow one at a time, so that no more than one is there twice.
        """
        p = self.platform[0]
        used = int(p[GROWING[kind]])
        for name, dtype in COLUMNS.items():
            if name.startswith(f"{kind}_"):
                grown: Array = np.zeros(count, dtype)
                if name in self.arrays:
                    grown[:used] = self.arrays[name][:used]
                self.arrays[name] = grown
        p[f"{kind}_room"] = count

    def bind(self) -> None:
        """Write the addresses of all arrays into the platform's row."""
        for name, array in self.arrays.items():
            self.platform[0][name] = address_of(array)
        for which, entries in enumerate(self.heaps):
            self.arrays["heaps"][which]["entries"] = address_of(entries)

    def change(self, plan: Plan, from_us: int) -> None:
        """Go on with what another plan says of stops, suspensions and outages to come."""
        self.plan = plan
        self.set_timetable(plan, from_us)
        for rank, campaign in enumerate(plan.campaigns):
            row, rules = self.arrays["campaigns"][rank], campaign.rules
            row["stop_cancels_retries"] = rules.stop_cancels_retries
            row["stop_reaches_queue"] = rules.stop_reaches_queue
        self.bind()

    def copy(self) -> State:
        """A state of its own that goes on from here; what never changes is shared."""
        twin = object.__new__(State)
        twin.plan = self.plan
        twin.platform = self.platform.copy()
        twin._kept = self._kept
        twin.arrays = {}
        for name, array in self.arrays.items():
            if name not in COLUMNS:
                twin.arrays[name] = _aligned(len(array), array.dtype)
                twin.arrays[name][:] = array
        for kind, counted in GROWING.items():
            used = int(self.platform[0][counted])
            for name in COLUMNS:
                if name.startswith(f"{kind}_"):
                    twin.arrays[name] = np.zeros_like(self.arrays[name])
                    twin.arrays[name][:used] = self.arrays[name][:used]
        twin.heaps = []
        for heap, entries in zip(self.arrays["heaps"], self.heaps, strict=True):
            count = max(1, int(heap["count"]))
            twin.heaps.append(np.empty_like(entries))
            twin.heaps[-1][:count] = entries[:count]
        twin.bind()
        return twin
