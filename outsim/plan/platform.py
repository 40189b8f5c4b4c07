"""The platform, the carrier and what comes between, in integers (rules 4, 5, 6 and 13)."""

from __future__ import annotations

import numpy as np

from outsim.clock import MINUTE, NEVER, SECOND
from outsim.plan.model import OutagePlan, PlatformPlan, SuspensionPlan
from outsim.scenario.model import Scenario
from outsim.tape.draws import constant_us


def platform_plan(scenario: Scenario) -> PlatformPlan:
    """Resolve the platform and the carrier of a scenario."""
    platform, carrier = scenario.platform, scenario.carrier
    # Shares are counted in millionths, so that what is left is exact: 80 % of 5 leaves 1.
    left = [
        1_000_000 - round(carrier.other_traffic_peak.get(minute, carrier.other_traffic) * 1e6)
        for minute in range(60)
    ]
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
        delivery_pool=platform.delivery_pool,
        detection_person_us=platform.detection_person,
        detection_machine_us=platform.detection_machine,
        carrier_rates=np.array(
            [carrier.rate * part // 1_000_000 for part in left], dtype=np.int64
        ),
        carrier_channels=np.array(
            [carrier.channels * part // 1_000_000 for part in left], np.int64
        ),
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
    """Resolve the suspensions."""
    return tuple(
        sorted(
            SuspensionPlan(
                begins_us=scenario.instant_us(suspension.begins),
                tenant=suspension.tenant or "",
                ends_us=scenario.instant_us(suspension.ends) if suspension.ends else NEVER,
            )
            for suspension in scenario.suspension
        )
    )
