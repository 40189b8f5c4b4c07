"""The platform at one instant of a run, from its records: who waits, who is held back, what is up.

Rules are told apart by it when two runs part there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING
from outsim.engine.records import Records
from outsim.plan import CampaignPlan, Plan
from outsim.testing.differences import Row, record_name
from outsim.vocabulary import DIALING, FIRST_FINAL, QUEUED

SHOWN = 8
"""Calls of the queue that are shown."""

HELD_BY_RULE = {"suspended": 13, "outside its window": 9, "expired": 9, "at its limit": 3}
"""Why a call in the queue may not go, and the rule that says so."""


class Waiting(NamedTuple):
    """A call in the outbound queue."""

    queued: int
    call_id: int
    attempt: int
    held: str
    """Why it may not go: a word of `HELD_BY_RULE`; empty where it may."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A run at an instant."""

    plan: Plan
    records: Records
    at: int

    def campaign(self, call_id: int) -> CampaignPlan:
        """The campaign of a call."""
        firsts = [campaign.first_call_id for campaign in self.plan.by_call]
        return self.plan.by_call[int(np.searchsorted(firsts, call_id, side="right")) - 1]

    def is_wedged(self, call_id: int) -> bool:
        """Whether a call is one that is never dialled."""
        campaign = self.campaign(call_id)
        return bool(campaign.contacts.wedged[call_id - campaign.first_call_id])

    @cached_property
    def _up(self) -> NDArray[np.bool_]:
        """Attempts that hold a port before anything is dispatched at this instant."""
        attempts = self.records.attempts
        begun, ended = attempts["dispatched"], attempts["ended"]
        return np.asarray((begun < self.at) & ((ended > self.at) | (ended == MISSING)))

    @property
    def busy_ports(self) -> int:
        """Ports that are held."""
        return int(self._up.sum())

    def _active(self, *campaigns: CampaignPlan) -> int:
        calls = self.records.attempts["call_id"][self._up]
        return sum(
            int(((calls >= c.first_call_id) & (calls < c.first_call_id + c.size)).sum())
            for c in campaigns
        )

    def is_suspended(self, campaign: CampaignPlan) -> bool:
        """Whether a suspension holds its calls back."""
        return any(
            s.begins_us <= self.at < s.ends_us and s.tenant in ("", campaign.tenant)
            for s in self.plan.suspensions
        )

    def is_outside_window(self, campaign: CampaignPlan, index: int) -> bool:
        """Whether the calling window of a call is closed."""
        rules = campaign.rules
        if not rules.window:
            return False
        zone = int(campaign.zones[index])
        place = rules.lane_zones.index(zone) if rules.lane_zones else 0
        return not any(opens <= self.at < closes for opens, closes in rules.window[place])

    def is_at_limit(self, campaign: CampaignPlan) -> bool:
        """Whether campaign or tenant have as many calls up as they may."""
        own = campaign.rules.max_simultaneous
        tenant = self.plan.tenants[campaign.tenant_rank]
        siblings = [c for c in self.plan.campaigns if c.tenant == campaign.tenant]
        return bool(
            (own and self._active(campaign) >= own)
            or (tenant.max_simultaneous and self._active(*siblings) >= tenant.max_simultaneous)
        )

    def held(self, call_id: int) -> str:
        """Why a call in the queue may not go; empty if it may."""
        campaign = self.campaign(call_id)
        if self.is_suspended(campaign):
            return "suspended"
        if campaign.rules.expires_us <= self.at:
            return "expired"
        if self.is_outside_window(campaign, call_id - campaign.first_call_id):
            return "outside its window"
        return "at its limit" if self.is_at_limit(campaign) else ""

    def released_by(self, call_id: int, eligible: int) -> str:
        """What had held a call back until `eligible`, as `held` says it; empty if unknown."""
        return Scene(self.plan, self.records, eligible - 1).held(call_id)

    def rule_that_released(self, call_id: int, eligible: int) -> int | None:
        """The rule of what ends at `eligible` and may have held a call back until then."""
        if any(s.ends_us == eligible for s in self.plan.suspensions):
            return 13
        windows = self.campaign(call_id).rules.window
        return 9 if any(opens == eligible for spans in windows for opens, _ in spans) else None

    def outages(self, *of: str) -> bool:
        """Whether something of this kind is out of service, or just went or came back."""
        return any(o.of in of and o.begins_us <= self.at <= o.ends_us for o in self.plan.outages)

    @cached_property
    def queue(self) -> list[Waiting]:
        """Calls in the queue before anything is dispatched at this instant, in order of entry."""
        updates = self.records.updates
        there: dict[int, tuple[int, int]] = {}
        rows = zip(
            *(updates[name].tolist() for name in ("call_id", "attempt", "status", "happened")),
            strict=True,
        )
        for call_id, attempt, status, happened in rows:
            if happened > self.at or (happened == self.at and status == DIALING):
                continue
            if status == QUEUED and not self.is_wedged(call_id):
                there[call_id] = (happened, attempt)
            elif status == DIALING or status >= FIRST_FINAL:
                there.pop(call_id, None)
        return [
            Waiting(queued, call_id, attempt, self.held(call_id))
            for call_id, (queued, attempt) in there.items()
        ]

    def told(self) -> Iterator[str]:
        """Lines for people: the queue, the ports, and what acts from outside."""
        platform, waiting = self.plan.platform, self.queue
        held = sum(1 for each in waiting if each.held)
        yield (
            f"  {len(waiting)} calls in the queue, {held} of them held back; "
            f"{self.busy_ports} of {platform.ports} ports busy; {platform.workers} workers"
        )
        for each in waiting[:SHOWN]:
            name = record_name(self.plan, "attempts", (each.call_id, each.attempt))
            state = f"held back: {each.held}" if each.held else "may go"
            yield f"  {name:36} since {each.queued / 1e6:14.6f} s  {state}"
        if len(waiting) > SHOWN:
            yield f"  and {len(waiting) - SHOWN} more behind them"


def rows_at(records: Records, table: str, column: str, value: int) -> list[Row]:
    """Rows of a table in which a column has this value, in their order."""
    columns = getattr(records, table)
    rows = (columns[column] == value).nonzero()[0]
    return [{name: int(columns[name][row]) for name in columns} for row in rows]
