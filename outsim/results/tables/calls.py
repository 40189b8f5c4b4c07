"""The columns of the calls table: what became of each call, and how long it waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND
from outsim.engine.records import Integers, Records, shift
from outsim.plan import CampaignPlan
from outsim.results.run_arrays import RunArrays, first_carried_us
from outsim.results.tables.columns import Array, blocks, code_type, take
from outsim.results.tables.schema import WAIT_STATES
from outsim.vocabulary import CANCELED, FIRST_FINAL, REJECTED, STATUSES

_COMPLETE, _CENSORED, _NEVER, _CANCELED, _WEDGED, _REJECTED, _BEFORE = range(len(WAIT_STATES))

_STATE_OF_OTHERS = np.array(
    [
        _CANCELED if code == CANCELED else _NEVER if code >= FIRST_FINAL else _CENSORED
        for code in range(len(STATUSES))
    ],
    dtype=np.int8,
)
"""What is known of the wait of a call that has not gone out, by its status."""


@dataclass(frozen=True, eq=False)
class Calls:
    """Columns of the calls of one run, each made when it is first asked for and then kept.

    Rows are those of `RunArrays`. Instants count from 1970, `origin_us` before the run begins.
    """

    run: RunArrays

    @property
    def campaigns(self) -> tuple[CampaignPlan, ...]:
        """Campaigns that the run tells of, in the order of their calls."""
        return self.run.campaigns

    @property
    def records(self) -> Records:
        """Records of the run."""
        return self.run.records

    @property
    def origin_us(self) -> int:
        """From 1970 to where the run begins."""
        return self.run.origin_us

    def __getitem__(self, name: str) -> Array:
        """Column of the calls table by its name."""
        array: Array = getattr(self, name)
        return array

    @cached_property
    def tenant_names(self) -> list[str]:
        """Words of `tenant`."""
        return [tenant.name for tenant in self.run.plan.tenants]

    @cached_property
    def campaign_names(self) -> list[str]:
        """Words of `campaign`: campaigns of several tenants may share one."""
        return sorted({campaign.name for campaign in self.campaigns})

    @cached_property
    def reasons(self) -> list[str]:
        """Words of `reject_reason`."""
        found = {reason for c in self.campaigns for reason in c.reject_reasons}
        return ["", *sorted(found)]

    @cached_property
    def call_id(self) -> Array:
        """Number of each call."""
        return np.arange(sum(c.size for c in self.campaigns), dtype=np.int32)

    @cached_property
    def tenant(self) -> Array:
        """Code of each call's tenant."""
        return self.run.per_call(lambda c: c.tenant_rank, code_type(self.tenant_names))

    @cached_property
    def campaign(self) -> Array:
        """Code of the name of each call's campaign."""
        code_of = {name: code for code, name in enumerate(self.campaign_names)}
        return self.run.per_call(lambda c: code_of[c.name], code_type(self.campaign_names))

    @cached_property
    def endpoint(self) -> Array:
        """Code of the endpoint that each call's results are posted to; -1 for none."""
        return self.run.per_call(
            lambda c: c.result_url.endpoint if c.result_url else -1,
            code_type(self.run.plan.endpoints),
        )

    @cached_property
    def background(self) -> Array:
        """Whether each call is a background tenant's."""
        return self.run.per_call(lambda c: c.background, np.bool_)

    @cached_property
    def index(self) -> Array:
        """Place of each call in its campaign."""
        return self.run.of_calls(lambda c: np.arange(c.size, dtype=np.int32), np.int32)

    @cached_property
    def number(self) -> Array:
        """National number of each call."""
        return self.run.of_calls(lambda c: c.numbers, np.int64)

    @cached_property
    def ani(self) -> Array:
        """Caller ID of each call."""
        return self.run.of_calls(lambda c: c.anis, np.int64)

    @cached_property
    def callee_zone(self) -> Array:
        """Code of the time zone of each callee."""
        return self.run.of_calls(lambda c: c.zones, code_type(self.run.plan.zones))

    @cached_property
    def submitted_at(self) -> Integers:
        """When each call was handed in."""
        submitted: Integers = self.run.submitted_us + self.origin_us
        return submitted

    @cached_property
    def wait_starts_at(self) -> Integers:
        """Start of the campaign, or submission if later."""
        start = self.run.per_call(lambda c: c.start_us + self.origin_us)
        return np.asarray(np.maximum(self.submitted_at, start, out=start))

    @property
    def status(self) -> Array:
        """Status when the run ended."""
        return self.records.calls["status"]

    @property
    def attempts(self) -> Array:
        """Attempts dispatched."""
        return self.records.calls["attempts"]

    @property
    def final_at(self) -> Integers:
        """When the final status came."""
        return self.records.calls.since("final", self.origin_us)

    @cached_property
    def first_dispatched_at(self) -> Integers:
        """Dispatch of the first attempt."""
        raw = self.records.attempts
        call_id, attempt = raw["call_id"], raw["attempt"]
        dispatched = raw.since("dispatched", self.origin_us)
        first = np.full(len(self.call_id), MISSING, dtype=np.int64)
        for rows in blocks(len(call_id)):
            is_first = attempt[rows] == 1
            first[call_id[rows][is_first]] = dispatched[rows][is_first]
        return first

    @cached_property
    def outcome(self) -> Array:
        """Outcome of the last attempt that ended; -1 for none."""
        raw = self.records.attempts
        call_id, outcome = raw["call_id"], raw["outcome"]
        ended = raw.since("ended", self.origin_us)
        last = np.full(len(self.call_id), -1, dtype=np.int8)
        for rows in blocks(len(call_id)):
            over = ended[rows] != MISSING
            # Rows are in the order of dispatch, and assignment keeps the last one.
            last[call_id[rows][over]] = outcome[rows][over]
        return last

    @cached_property
    def went_out_at(self) -> Integers:
        """Dispatch of the first attempt that the carrier took."""
        first = first_carried_us(self.records.attempts, len(self.call_id))
        first[self.run.out_before] = MISSING
        shift(first, self.origin_us)
        return first

    @cached_property
    def wait_s(self) -> NDArray[np.float64]:
        """From `wait_starts_at` to when each call went out."""
        first, wait_starts_at = self.went_out_at, self.wait_starts_at
        waits = np.empty(len(first), dtype=np.float64)
        for rows in blocks(len(first)):
            np.divide(first[rows] - wait_starts_at[rows], SECOND, out=waits[rows])
            waits[rows][first[rows] == MISSING] = np.nan
        return waits

    @cached_property
    def wait_state(self) -> Array:
        """What is known of the wait."""
        state = take(_STATE_OF_OTHERS, self.status)
        state[self.wedged] = _WEDGED
        state[self.went_out_at != MISSING] = _COMPLETE
        state[self.run.out_before] = _BEFORE
        state[self.status == REJECTED] = _REJECTED
        return state

    @cached_property
    def wedged(self) -> NDArray[np.bool_]:
        """Whether each call is accepted and never dialed."""
        wedged = self.run.of_calls(lambda c: c.contacts.wedged, np.bool_)
        return np.asarray(wedged & (self.status != REJECTED))

    @cached_property
    def reject_reason(self) -> Array:
        """Code of the reason for which each row was rejected."""
        dtype = code_type(self.reasons)

        def codes(campaign: CampaignPlan) -> Array:
            known = [0, *(self.reasons.index(r) for r in campaign.reject_reasons)]
            return np.array(known, dtype=dtype)[campaign.reject_reason]

        return self.run.of_calls(codes, dtype)

    @cached_property
    def names(self) -> dict[str, Sequence[str]]:
        """Words of the columns whose words the schema does not know."""
        return {
            "tenant": self.tenant_names,
            "campaign": self.campaign_names,
            "reject_reason": self.reasons,
            "callee_zone": self.run.plan.zones,
            "endpoint": [endpoint.name for endpoint in self.run.plan.endpoints],
        }
