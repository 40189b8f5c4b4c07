"""What an engine is told: integers, arrays of integers, and names for the records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MINUTE, NEVER, RATE_SECONDS, SECOND
from outsim.plan.answering import Answering
from outsim.plan.campaigns import CampaignPlan
from outsim.scenario.campaigns import Tenant
from outsim.scenario.model import Scenario
from outsim.scenario.platform import Platform
from outsim.tape.draws import constant_us
from outsim.text import brief
from outsim.units import WHOLE, millionths
from outsim.vocabulary import DISCIPLINES, OWN_DISCIPLINE, Discipline


@dataclass(frozen=True)
class IntakePlan:
    """What a tenant, or the platform, takes of requests (rule 18)."""

    rate: int = 0
    """Tokens per million seconds; 0 for no limit."""
    burst: int = 0
    queue_limit: int = 0
    """Calls that may wait; 0 for no limit."""

    @property
    def is_limited(self) -> bool:
        """Whether a request may be refused by it."""
        return bool(self.rate or self.queue_limit)


def intake_plan(limits: Platform | Tenant) -> IntakePlan:
    """Resolve what the platform, or a tenant, takes of requests."""
    rate = limits.intake_rate or 0
    burst = limits.intake_burst or max(1, rate // RATE_SECONDS)
    return IntakePlan(rate, burst if rate else 0, limits.queue_limit or 0)


@dataclass(frozen=True)
class TenantPlan:
    """A customer: its limits, its turn in the fair queue, and what it is guaranteed."""

    name: str
    weight: int
    max_simultaneous: int
    """0 for no limit."""
    dial_rate: int
    """Tokens per million seconds; 0 for no limit."""
    guaranteed: int = 0
    """Share of the ports in service that it can count on, in millionths."""
    intake: IntakePlan = IntakePlan()


@dataclass(frozen=True)
class EndpointPlan:
    """A result_url endpoint."""

    name: str
    timeout_us: int
    retry_after_us: tuple[int, ...]
    posts_at_once: int


@dataclass(frozen=True, order=True)
class OutagePlan:
    """A time in which something is out of service. Ordered so that the file's order is moot."""

    begins_us: int
    of: str
    count: int
    """Ports, workers or channels that are out; 0 where all are, or where there is no number."""
    endpoint: int
    """Index of the endpoint; -1 where none is meant."""
    ends_us: int
    drop: bool
    order: int = 0
    """Which of the orders of a run under way it is; 0 if it was known beforehand."""


@dataclass(frozen=True, order=True)
class SuspensionPlan:
    """A time in which calls are held back."""

    begins_us: int
    tenant: str
    """Empty for everybody."""
    ends_us: int
    order: int = 0
    """Which of the orders of a run under way it is; 0 if it was known beforehand."""
    campaign: str = ""
    """The one campaign of the tenant that is paused; empty for all of them."""

    @property
    def label(self) -> str:
        """What it is, for people."""
        if self.campaign:
            return f"pause of {self.tenant}/{self.campaign}"
        return f"suspension of {self.tenant or 'everybody'}"

    def holds(self, campaign: CampaignPlan) -> bool:
        """Whether it holds the calls of a campaign back."""
        return self.tenant in ("", campaign.tenant) and self.campaign in ("", campaign.name)


@dataclass(frozen=True, eq=False)
class PlatformPlan:
    """The platform and the carrier in integers."""

    __repr__ = brief

    ports: int
    dial_rate: int
    dial_burst: int
    workers: int
    dial_work_us: int
    """-1 where it is drawn."""
    status_work_us: int
    """-1 where it is drawn."""
    ring_timeout_us: int
    reconciliation_us: int
    """0 for none."""
    queue: str
    intake: IntakePlan
    delivery_pool: int
    detection_person_us: int
    detection_machine_us: int
    carrier_rates: NDArray[np.int64]
    """Shape (60,): tokens per million seconds left to the platform in each minute of the hour."""
    carrier_channels: NDArray[np.int64]
    """Shape (60,): channels left to the platform in each minute of the hour."""
    carrier_burst: int
    carrier_minute_offset_us: int
    """Time since the hour at the scenario's begin: where in the 60 minutes it starts."""
    refusal_us: int

    @property
    def discipline(self) -> Discipline:
        """Who goes next in the queue."""
        return DISCIPLINES.get(self.queue, OWN_DISCIPLINE)


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that an engine needs to know."""

    __repr__ = brief

    platform: PlatformPlan
    tenants: tuple[TenantPlan, ...]
    """In the order of their names."""
    campaigns: tuple[CampaignPlan, ...]
    """In the order of (tenant name, campaign name), and then as they are handed in."""
    endpoints: tuple[EndpointPlan, ...]
    outages: tuple[OutagePlan, ...]
    suspensions: tuple[SuspensionPlan, ...]
    answering: Answering
    zones: tuple[str, ...]
    ends_us: int
    latest_us: int
    under_study: int
    """Rank of the campaign that the run goes on for; -1 for none."""

    @property
    def calls_begun(self) -> int:
        """Calls of the campaigns that start before the run ends by the clock: its size."""
        return sum(c.size for c in self.campaigns if c.start_us < self.ends_us)

    @cached_property
    def by_call(self) -> tuple[CampaignPlan, ...]:
        """Campaigns in the order of their calls' numbers."""
        return tuple(sorted(self.campaigns, key=lambda campaign: campaign.first_call_id))

    def in_run(self, ended_us: int) -> tuple[CampaignPlan, ...]:
        """Campaigns that a run to `ended_us` tells of, in the order of their calls' numbers.

        They are the scenario's, and those that started or were handed in before; all others have
        the highest numbers.
        """
        return tuple(c for c in self.by_call if c.numbered_us < ended_us)

    @property
    def may_refuse(self) -> bool:
        """Whether any request of any customer may be refused."""
        limits = (self.platform.intake, *(tenant.intake for tenant in self.tenants))
        return any(limit.is_limited for limit in limits)

    @property
    def disturbances(self) -> list[SuspensionPlan | OutagePlan]:
        """Suspensions and outages in the order that they have at one instant."""
        return sorted([*self.suspensions, *self.outages], key=lambda each: each.order)


def of_own_discipline(plan: Plan, name: str) -> Plan:
    """The same plan for a queue with a discipline of the user's, by the name of its class."""
    return replace(plan, platform=replace(plan.platform, queue=f"own {name}"))


def platform_plan(scenario: Scenario) -> PlatformPlan:
    """Resolve the platform and the carrier of a scenario."""
    platform, carrier = scenario.platform, scenario.carrier
    # What is left is exact: 80 % of 5 leaves 1.
    left = [WHOLE - millionths(share) for share in carrier.other_traffic_by_minute]
    begins = scenario.clock.begins
    return PlatformPlan(
        ports=platform.ports,
        dial_rate=platform.dial_rate,
        dial_burst=platform.dial_burst,
        workers=platform.workers,
        dial_work_us=constant_us(platform.dial_work),
        status_work_us=constant_us(platform.status_work),
        ring_timeout_us=platform.ring_timeout,
        reconciliation_us=platform.reconciliation_every or 0,
        queue=platform.queue,
        intake=intake_plan(platform),
        delivery_pool=platform.delivery_pool,
        detection_person_us=platform.detection_person,
        detection_machine_us=platform.detection_machine,
        carrier_rates=np.array([carrier.rate * part // WHOLE for part in left], np.int64),
        carrier_channels=np.array([carrier.channels * p // WHOLE for p in left], np.int64),
        carrier_burst=carrier.burst,
        carrier_minute_offset_us=begins.minute * MINUTE
        + begins.second * SECOND
        + begins.microsecond,
        refusal_us=carrier.refusal_time,
    )


def outages(scenario: Scenario, endpoints: list[str]) -> tuple[OutagePlan, ...]:
    """Resolve the outages; `endpoints` are the names of the plan's endpoints in their order."""
    return tuple(
        sorted(
            OutagePlan(
                begins_us=scenario.instant_us(outage.begins),
                of=outage.of,
                count=outage.count or 0,
                endpoint=endpoints.index(outage.endpoint) if outage.endpoint else -1,
                ends_us=scenario.instant_us(outage.ends) if outage.ends else NEVER,
                drop=outage.drop,
            )
            for outage in scenario.outage
        )
    )


def suspensions(scenario: Scenario) -> tuple[SuspensionPlan, ...]:
    """Resolve the suspensions, and the pauses of single campaigns."""
    return tuple(
        sorted(
            [
                SuspensionPlan(
                    begins_us=scenario.instant_us(pause.begins),
                    tenant=campaign.tenant,
                    ends_us=scenario.instant_us(pause.ends) if pause.ends else NEVER,
                    campaign=campaign.name,
                )
                for campaign, pause in scenario.pauses
            ]
            + [
                SuspensionPlan(
                    begins_us=scenario.instant_us(suspension.begins),
                    tenant=suspension.tenant or "",
                    ends_us=scenario.instant_us(suspension.ends) if suspension.ends else NEVER,
                )
                for suspension in scenario.suspensions
            ]
        )
    )
