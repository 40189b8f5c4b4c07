"""Measures of a run for everybody: named campaigns, tenants, background tenants as a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from outsim.clock import HOUR
from outsim.errors import ScenarioError, StudyError, unknown_name
from outsim.plan import CampaignPlan
from outsim.results.measures import (
    Measure,
    Subject,
    answered_by_person_share,
    attempts_per_call,
    completed_by,
    completed_by_deadline,
    completed_share,
    completions_per_port_hour,
    dial_throughput_per_min,
    done_by,
    measure,
    peak_queue,
    peak_queue_at_s,
    port_share,
    port_use,
    wait_at_s,
    wait_mean_s,
    wait_p50_s,
    wait_p90_s,
)
from outsim.results.port_time import WaitingShares, jain_index, waiting_shares
from outsim.results.result import Result
from outsim.results.view import NEEDED, ByTenant, View
from outsim.scenario.campaigns import ALL_CALLS, Campaign
from outsim.scenario.model import Scenario
from outsim.text import brief

Array = NDArray[np.float64]

EVERYBODY = Subject("everybody")
BACKGROUND = Subject("background")

_NEEDED = {
    name: (*columns, *(("tenant",) if name != "updates" else ()))
    for name, columns in NEEDED.items()
}

_BY_TENANT = frozenset[Callable[..., object]](
    {
        *(completed_share, completed_by_deadline, completed_by, done_by, answered_by_person_share),
        *(wait_at_s, wait_p50_s, wait_p90_s, wait_mean_s, attempts_per_call),
        *(completions_per_port_hour, port_share),
    }
)
"""What is had of all tenants at once, without going through them."""

_WHOLE = frozenset[Callable[..., object]](
    {port_share, port_use, peak_queue, peak_queue_at_s, dial_throughput_per_min}
)
"""What counts the calls of all campaigns, also of those that the end of the run cuts off."""


def _fair_share(_: View) -> float:
    """It is of a tenant, among all of them: `outsim.results.port_time.WaitingShares`."""
    return float("nan")


def _waiting_share(_: View) -> float:
    """As that: nobody has it alone."""
    return float("nan")


FAIR_SHARE = Measure(
    "fair_share",
    "port time over fair share",
    "number",
    _fair_share,
    "maximize",
    negligible=0.005,
)
"""Port time of a tenant while its calls waited, over its fair share of all port time then."""

WAITING_SHARE = Measure(
    "waiting_port_share", "share of ports while calls wait", "share", _waiting_share, "maximize"
)
"""Port time of a tenant while its calls waited, of that of all tenants then."""

OF_TENANTS_ALONE = (FAIR_SHARE, WAITING_SHARE)
"""Measures that only a tenant has."""

FAIRNESS = replace(
    FAIR_SHARE,
    name="jain_index",
    label="fairness (Jain's index)",
    of=Subject("tenants", pick="jain"),
)
"""How even the fair shares of all tenants are, from 1/n to 1."""


def is_of_every_tenant(item: Measure) -> bool:
    """Whether a measure is had of each tenant, so that one of them can be picked."""
    return _function(item) in _BY_TENANT or item in OF_TENANTS_ALONE


def _function(item: Measure) -> Callable[..., object]:
    return item.compute.func if isinstance(item.compute, partial) else item.compute


def tenants_of(scenario: Scenario) -> tuple[str, ...]:
    """Names of the scenario's own tenants, background tenants left out."""
    return tuple(
        sorted({*(c.tenant for c in scenario.campaign), *(t.name for t in scenario.tenant)})
    )


def campaign_subject(scenario: Scenario, named: str | Campaign) -> Subject:
    """A campaign of a scenario, by ``name``, ``tenant/name`` or the object."""
    try:
        return Subject("campaign", scenario.find_campaign(named).full_name)
    except ScenarioError as error:
        raise StudyError(str(error)) from None


def tenant_subject(scenario: Scenario, name: str) -> Subject:
    """One of a scenario's own tenants."""
    if name not in (known := tenants_of(scenario)):
        raise StudyError(unknown_name("tenant", name, known, f"in scenario {scenario.name!r}"))
    return Subject("tenant", name)


@dataclass(frozen=True, eq=False)
class Everybody:
    """What is measured of one run, whoever a measure is about.

    Campaigns of background tenants that start in the last hour of a run, or in the last quarter
    of a shorter one, count only in what the platform does: the run ends before their waits do.
    """

    __repr__ = brief

    result: Result

    def values(self, measures: Sequence[Measure]) -> dict[str, float]:
        """Figures by name."""
        own = [item for item in measures if item.of is None]
        campaign = self.result.scenario.campaign_under_study or ALL_CALLS
        figures = measure(self.result.measure_view(campaign), own) if own else {}
        return {
            item.name: figures[item.name] if item.of is None else self._of(item, item.of)
            for item in measures
        }

    def _of(self, item: Measure, whose: Subject) -> float:
        if whose.kind in ("tenant", "tenants"):
            values = self._of_tenants(item)
            if whose.kind == "tenant":
                values = (
                    values[self._names.index(whose.name)][None]
                    if whose.name in self._names
                    else values[:0]
                )
            return _picked(values, whose.pick)
        if whose.kind == "campaigns":
            campaigns = self.result.scenario.campaign
            values = np.array([item.compute(self._view(one)) for one in campaigns])
            is_asked = np.array([len(self._view(one).accepted) > 0 for one in campaigns], np.bool_)
            values[np.isnan(values) & is_asked] = np.inf
            return _picked(values, whose.pick)
        if whose.kind == "campaign":
            return item.compute(self._view(self.result.scenario.find_campaign(whose.name)))
        return item.compute(self._class(whose.kind, is_whole=_function(item) in _WHOLE))

    @cached_property
    def _names(self) -> list[str]:
        return [tenant.name for tenant in self.result.arrays.plan.tenants]

    @cached_property
    def _made(self) -> dict[object, View]:
        return {}

    def _view(self, campaign: Campaign) -> View:
        if campaign.full_name not in self._made:
            self._made[campaign.full_name] = self.result.measure_view(campaign)
        return self._made[campaign.full_name]

    def _class(self, kind: str, *, is_whole: bool) -> View:
        """Calls of all background tenants, or of everybody."""
        if (kind, is_whole) not in self._made:
            self._made[kind, is_whole] = self.result.view_of(
                lambda plan: (
                    (plan.background or kind == "everybody") and (is_whole or self._counts(plan))
                )
            )
        return self._made[kind, is_whole]

    def _counts(self, plan: CampaignPlan) -> bool:
        ended_us = self.result.arrays.ended_us
        return not plan.background or plan.start_us < ended_us - min(HOUR, ended_us // 4)

    def _by_tenant(self, whose: Callable[[CampaignPlan], bool]) -> ByTenant:
        result = self.result
        calls, attempts, updates = result.frames.columns(whose, _NEEDED)
        return ByTenant(
            *(calls, attempts, updates, result.start, result.scenario.deadline),
            arrays=result.arrays,
            whose=whose,
        )

    @cached_property
    def _counted(self) -> ByTenant:
        return self._by_tenant(self._counts)

    @cached_property
    def _waiting(self) -> WaitingShares:
        return waiting_shares(self.result.arrays)

    def _of_tenants(self, item: Measure) -> Array:
        """A measure of each tenant of the plan; NaN without calls, inf if the run is too short."""
        if item.compute is _fair_share:
            return self._waiting.of_fair
        if item.compute is _waiting_share:
            return self._waiting.of_ports
        if _function(item) in _WHOLE:
            whole = self._by_tenant(lambda _: True)
            return np.asarray(item.compute(whole), np.float64)  # type: ignore[arg-type]
        return np.asarray(item.compute(self._counted), np.float64)  # type: ignore[arg-type]


def _picked(values: Array, pick: str | None) -> float:
    """The one that counts; NaN where it is not known, or there is none."""
    if pick == "jain":
        return jain_index(values)
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    # Of one that is later than the end of the run nobody knows more: it is the largest.
    value = float(known.min() if pick == "min" else known.max())
    return value if np.isfinite(value) else float("nan")
