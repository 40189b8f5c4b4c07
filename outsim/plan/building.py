"""From a scenario and a tape to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from outsim.clock import NEVER
from outsim.errors import TapeError, unknown_name
from outsim.plan.answering import answering
from outsim.plan.background import BackgroundCampaign, background_campaigns
from outsim.plan.campaigns import CampaignPlan, CampaignRules, ResultUrl, list_size, requests_us
from outsim.plan.initial_state import initial_plan
from outsim.plan.model import (
    EndpointPlan,
    OutagePlan,
    Plan,
    SuspensionPlan,
    TenantPlan,
    intake_plan,
    outages,
    platform_plan,
    suspensions,
)
from outsim.plan.own_times import own_times
from outsim.plan.retries import retry_plan
from outsim.plan.tenant_classes import class_campaigns
from outsim.scenario.background import Background, TenantClass
from outsim.scenario.campaigns import USUAL_PRIORITY, Campaign, Tenant, window_spans
from outsim.scenario.memory import check_drawn, check_size
from outsim.scenario.model import Scenario
from outsim.tape import Tape
from outsim.tape.draws import call_model
from outsim.units import millionths


class Builder:
    """Resolves the campaigns of one scenario with one tape."""

    def __init__(self, scenario: Scenario, tape: Tape) -> None:
        self.scenario = scenario
        self.tape = tape
        self.ends_us = scenario.instant_us(scenario.clock.ends)
        self.latest_us = scenario.instant_us(scenario.clock.latest_end)
        self.profiles = tuple(sorted(scenario.all_profiles))
        self.endpoints = tuple(sorted(scenario.endpoint, key=lambda endpoint: endpoint.name))
        self.endpoint_names = [endpoint.name for endpoint in self.endpoints]
        self.zones = self._zones()
        self.tenants = {tenant.name: tenant for tenant in scenario.tenant}
        self.is_limited = intake_plan(scenario.platform).is_limited

    def _zones(self) -> tuple[str, ...]:
        names = {self.scenario.clock.zone}
        for campaign in self.scenario.campaign:
            names.add(campaign.callee_zone or self.scenario.clock.zone)
            if campaign.contact_list is not None:
                names.update(campaign.contact_list.zones)
        return tuple(sorted(names))

    def _common(self, caller: Campaign | Background | TenantClass, **own: Any) -> dict[str, Any]:
        """What the scenario's own campaigns and those of its background have in common."""
        scenario, url = self.scenario, None
        if caller.result_url is not None:
            index = self.endpoint_names.index(caller.result_url)
            endpoint = self.endpoints[index]
            url = ResultUrl(index, endpoint.latency, endpoint.failure_share)
        return {
            "model": call_model(
                scenario.platform,
                scenario.callees,
                scenario.all_profiles[caller.profile],
                missing_ani_refusal=scenario.carrier.missing_ani_refusal,
                **own,
            ),
            "profile": self.profiles.index(caller.profile),
            "loader_rate": scenario.platform.loader_rate,
            "jitter_us": scenario.platform.start_jitter or 0,
            "tape": self.tape,
            "result_url": url,
        }

    def _zone_of_row(self, campaign: Campaign, zone: int) -> NDArray[np.int16] | None:
        contacts = campaign.contact_list
        if contacts is None or not contacts.zones:
            return None
        known = {name: index for index, name in enumerate(self.zones)}
        plan_zones = np.array([known.get(name, zone) for name in contacts.zones] + [zone])
        return plan_zones[contacts.zone_index].astype(np.int16)

    def _window(
        self, campaign: Campaign, zone_of_row: NDArray[np.int16] | None, zone: int
    ) -> tuple[tuple[int, ...], tuple[tuple[tuple[int, int], ...], ...]]:
        """Zones that have a lane each, and the spans of the calling window in each."""
        if campaign.window is None:
            return (), ()
        clock = self.scenario.clock
        if campaign.window.zone == "scenario":
            spans = window_spans(campaign.window, clock.begins, self.latest_us, clock.zone_info)
            return (), (spans,)
        zones = (zone,) if zone_of_row is None else tuple(int(z) for z in np.unique(zone_of_row))
        return zones, tuple(
            window_spans(
                campaign.window, clock.begins, self.latest_us, ZoneInfo(self.zones[lane_zone])
            )
            for lane_zone in zones
        )

    def refusable_from_us(self, tenant: str) -> int:
        """From when on requests of a customer may be refused; what came before was taken."""
        scenario = self.scenario
        own = self.tenants.get(tenant)
        if not self.is_limited and (own is None or not intake_plan(own).is_limited):
            return NEVER
        return 0 if scenario.snapshot is None else scenario.instant_us(scenario.snapshot.at) + 1

    def _priority(self, tenant: str) -> int:
        return self.tenants[tenant].priority if tenant in self.tenants else USUAL_PRIORITY

    def _with_priority(self, rules: CampaignRules, tenant: str) -> CampaignRules:
        priority = self._priority(tenant)
        return rules if priority == rules.priority else replace(rules, priority=priority)

    def campaign(self, campaign: Campaign) -> CampaignPlan:
        """Resolve a campaign that the scenario names."""
        scenario = self.scenario
        arrivals_us = requests_us(scenario, campaign, self.tape, self.latest_us)
        contacts = campaign.contact_list
        calls = contacts if contacts is not None else arrivals_us
        zone = self.zones.index(campaign.callee_zone or scenario.clock.zone)
        zone_of_row = self._zone_of_row(campaign, zone)
        lane_zones, window = self._window(campaign, zone_of_row, zone)
        submitted_us = scenario.instant_us(campaign.submitted)
        stop_us, expires_us = (
            NEVER if at is None else scenario.instant_us(at)
            for at in (campaign.stop_at, campaign.expires_at)
        )
        return CampaignPlan(
            tenant=campaign.tenant,
            name=campaign.name,
            background=False,
            size=list_size(scenario, campaign, self.tape) if calls is None else len(calls),
            submitted_us=submitted_us,
            start_us=scenario.instant_us(campaign.start),
            rules=CampaignRules(
                max_retry=campaign.max_retry,
                retry_interval_us=campaign.retry_interval,
                retries=retry_plan(campaign),
                expires_us=min(expires_us, *_expiries_after(campaign, submitted_us)),
                expires_after_us=campaign.expires_after or 0 if campaign.requests else 0,
                stop_requested_us=stop_us,
                stop_effect_us=stop_us
                if stop_us == NEVER
                else stop_us + scenario.platform.stop_latency,
                stop_reaches_queue=campaign.stop_reaches == "queue",
                stop_cancels_retries=campaign.stop_cancels_retries,
                cancel_rate=campaign.cancel_rate if campaign.stop_mode == "calls" else 0,
                cancels_newest_first=campaign.cancel_order == "newest",
                pacing_rate=campaign.pacing or 0,
                paced_at_dispatch=campaign.pacing_at == "dispatch",
                max_simultaneous=campaign.max_simultaneous or 0,
                one_call_per_number=scenario.platform.one_call_per_number,
                priority=campaign.priority or self._priority(campaign.tenant),
                lane_zones=lane_zones,
                window=window,
                **_asks_again(campaign),
            ),
            refusable_from_us=self.refusable_from_us(campaign.tenant),
            **self._common(
                campaign,
                message=campaign.message,
                asks_for_key=campaign.asks_for_key,
                transfers_to_agent=campaign.transfers_to_agent,
                missing_ani_share=campaign.missing_ani_share,
            ),
            contact_list=contacts,
            ani=int(campaign.ani or 0),
            reject_duplicates=campaign.duplicates == "reject",
            requests_us=arrivals_us,
            zone_of_row=zone_of_row,
            zone=zone,
            own_times=own_times(scenario, campaign),
            patience=campaign.gives_up_after,
        )

    def background(self) -> list[CampaignPlan]:
        """Resolve the drawn campaigns of the background tenants."""
        background, scenario = self.scenario.background, self.scenario
        if background is None:
            return []
        plans = self._others(background, background_campaigns(scenario, self.tape, self.latest_us))
        for of in background.tenant_class:
            drawn = class_campaigns(scenario, self.tape, of, self.latest_us)
            plans += self._others(of, drawn)
        return plans

    def _others(
        self, caller: Background | TenantClass, drawn: Iterable[BackgroundCampaign]
    ) -> list[CampaignPlan]:
        rules = CampaignRules(
            max_retry=caller.max_retry,
            retry_interval_us=caller.retry_interval,
            retries=retry_plan(caller),
            pacing_rate=caller.pacing or 0,
            **_asks_again(caller),
        )
        common = self._common(caller)
        if isinstance(caller, TenantClass) and not caller.lists_calls:
            common["jitter_us"] = 0
        return [
            CampaignPlan(
                tenant=campaign.tenant,
                name=campaign.name,
                background=True,
                size=campaign.size,
                submitted_us=campaign.start_us,
                start_us=campaign.start_us,
                rules=self._with_priority(rules, campaign.tenant),
                requests_us=campaign.requests_us,
                zone=self.zones.index(self.scenario.clock.zone),
                refusable_from_us=self.refusable_from_us(campaign.tenant),
                **common,
            )
            for campaign in drawn
        ]


def _expiries_after(campaign: Campaign, submitted_us: int) -> Iterator[int]:
    """When the calls of a list expire that were handed in together."""
    yield NEVER
    if campaign.expires_after and campaign.requests is None:
        yield submitted_us + campaign.expires_after


def _asks_again(caller: Campaign | Background | TenantClass) -> dict[str, Any]:
    """What becomes of requests that were refused, as `CampaignRules` has it."""
    if caller.when_refused == "gives up":
        return {}
    again = caller.asks_again
    waits_us = again.waits_us
    return {"asks_again_us": tuple((wait_us, again.jitter_us(wait_us)) for wait_us in waits_us)}


def _ranked(campaigns: list[CampaignPlan], tenants: list[str]) -> tuple[CampaignPlan, ...]:
    """Give each campaign its rank, its tenant's, and its first call_id; in the order of names."""
    by_call = sorted(campaigns, key=lambda c: (c.numbered_us, c.key))
    ends = accumulate(campaign.size for campaign in by_call)
    tenant_ranks = {name: rank for rank, name in enumerate(tenants)}
    first_call_ids = {c.key: end - c.size for c, end in zip(by_call, ends, strict=True)}
    return tuple(
        replace(
            campaign,
            rank=rank,
            tenant_rank=tenant_ranks[campaign.tenant],
            first_call_id=first_call_ids[campaign.key],
        )
        for rank, campaign in enumerate(sorted(campaigns, key=lambda c: c.key))
    )


def numbered(campaigns: Iterable[CampaignPlan]) -> tuple[CampaignPlan, ...]:
    """Campaigns by their ranks, with the numbers that their calls have in a run under way."""
    found, first = [], 0
    for campaign in sorted(campaigns, key=lambda c: (c.numbered_us, c.rank)):
        has_it = campaign.first_call_id == first
        found.append(campaign if has_it else replace(campaign, first_call_id=first))
        first += campaign.size
    return tuple(sorted(found, key=lambda c: c.rank))


def _check_recorded(tape: Tape, campaigns: tuple[CampaignPlan, ...]) -> None:
    """Refuse a record of a campaign that is not in the scenario: a typing error, most likely."""
    known = {campaign.key for campaign in campaigns}
    known |= {("", name) for _, name in known}
    for tenant, name in tape.recorded_campaigns:
        if (tenant, name) not in known:
            there = sorted(c.full_name for c in campaigns if not c.background)
            whose = f"{tenant}/{name}" if tenant else name
            raise TapeError("recorded " + unknown_name("campaign", whose, there))


def _under_study(scenario: Scenario, campaigns: tuple[CampaignPlan, ...]) -> int:
    """Rank of the campaign that the run goes on for; -1 for none."""
    study = scenario.campaign_under_study
    return next((c.rank for c in campaigns if study and c.key == study.key), -1)


def build_sibling(plan: Plan, scenario: Scenario, tape: Tape) -> Plan:
    """Plan of a scenario that differs from that of another plan only in what is to come.

    What may differ is in `outsim.results.checkpoint.TO_COME`; all else, such as the campaigns of
    background tenants with what was drawn for them, is that of `plan`. Both have one tape.
    """
    builder = Builder(scenario, tape)
    own = {c.key: builder.campaign(c) for c in scenario.campaigns}
    return replace(
        plan,
        campaigns=tuple(
            campaign
            if campaign.background
            else replace(
                own[campaign.key],
                rank=campaign.rank,
                tenant_rank=campaign.tenant_rank,
                first_call_id=campaign.first_call_id,
            )
            for campaign in plan.campaigns
        ),
        outages=outages(scenario, builder.endpoint_names),
        suspensions=suspensions(scenario),
        ends_us=scenario.instant_us(scenario.clock.ends),
        under_study=_under_study(scenario, plan.campaigns),
    )


def build_submitted(
    scenario: Scenario, tape: Tape, submitted: Mapping[tuple[str, str], Sequence[int]]
) -> Plan:
    """Plan of a run that some of its campaigns were submitted to while it was under way.

    Parameters
    ----------
    scenario : Scenario
        With these campaigns.
    tape : Tape
        Its random inputs.
    submitted : mapping
        Tenant and name of each in the order of submission, with the calls of it that are wedged.
    """
    plan = build_plan(scenario, tape, {account.tenant for account in scenario.accounts})
    before = [c for c in plan.campaigns if c.key not in submitted]
    own = {c.key: c for c in plan.campaigns}
    late = [
        replace(own[key], handed_in_us=own[key].submitted_us, wedged_calls=tuple(wedged))
        for key, wedged in submitted.items()
    ]
    ranked = [replace(c, rank=rank) for rank, c in enumerate([*before, *late])]
    return replace(plan, campaigns=numbered(ranked), under_study=-1)


def build_plan(scenario: Scenario, tape: Tape, idle_tenants: Iterable[str] = ()) -> Plan:
    """Resolve a scenario and a tape into what an engine needs.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    tape : Tape
        Its random inputs.
    idle_tenants : iterable of str
        Tenants that have no campaign yet, and may hand one in.
    """
    check_size(scenario)
    builder = Builder(scenario, tape)
    platform = platform_plan(scenario)
    answers = answering(scenario, builder.profiles, builder.zones, builder.latest_us)
    background = builder.background()
    check_drawn(scenario, [c.size for c in background if c.start_us < builder.ends_us])
    if scenario.snapshot is None:
        campaigns = [builder.campaign(c) for c in scenario.campaigns] + background
        under_way: list[OutagePlan] = []
        held: list[SuspensionPlan] = []
    else:
        campaigns, under_way, held = initial_plan(
            scenario, tape, platform, answers, builder.campaign, background
        )
    names = {*idle_tenants, *(campaign.tenant for campaign in campaigns)}
    tenants = {name: Tenant(name=name) for name in names}
    tenants |= {tenant.name: tenant for tenant in scenario.tenant}
    ranked = _ranked(campaigns, sorted(tenants))
    _check_recorded(tape, ranked)
    return Plan(
        platform=platform,
        tenants=tuple(
            TenantPlan(
                name,
                tenant.weight,
                tenant.max_simultaneous or 0,
                tenant.dial_rate or 0,
                millionths(tenant.guaranteed_share),
                intake_plan(tenant),
            )
            for name, tenant in sorted(tenants.items())
        ),
        campaigns=ranked,
        endpoints=tuple(
            EndpointPlan(e.name, e.timeout, tuple(e.retry_after), e.posts_at_once)
            for e in builder.endpoints
        ),
        outages=tuple(sorted([*under_way, *outages(scenario, builder.endpoint_names)])),
        suspensions=tuple(sorted([*held, *suspensions(scenario)])),
        answering=answers,
        zones=builder.zones,
        ends_us=scenario.instant_us(scenario.clock.ends),
        latest_us=builder.latest_us,
        under_study=_under_study(scenario, ranked),
    )
