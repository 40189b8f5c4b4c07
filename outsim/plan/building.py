"""From a scenario and a tape to a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from outsim.clock import NEVER
from outsim.errors import TapeError, unknown_name
from outsim.plan.answering import answering
from outsim.plan.background import background_campaigns
from outsim.plan.campaigns import CampaignPlan, CampaignRules, ResultUrl, requests_us
from outsim.plan.initial_state import InitialPlan, initial_plan
from outsim.plan.model import (
    EndpointPlan,
    Plan,
    TenantPlan,
    outages,
    platform_plan,
    suspensions,
)
from outsim.scenario.campaigns import Campaign, window_spans
from outsim.scenario.memory import check_drawn, check_size
from outsim.scenario.model import Scenario
from outsim.tape import Tape
from outsim.tape.draws import call_model


class _Builder:
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

    def _zones(self) -> tuple[str, ...]:
        names = {self.scenario.clock.zone}
        for campaign in self.scenario.campaign:
            names.add(campaign.callee_zone or self.scenario.clock.zone)
            if campaign.contact_list is not None:
                names.update(campaign.contact_list.zones)
        return tuple(sorted(names))

    def _instant_us(self, local: object) -> int:
        return self.scenario.instant_us(local) if isinstance(local, datetime) else NEVER

    def _result_url(self, name: str | None) -> ResultUrl | None:
        if name is None:
            return None
        index = self.endpoint_names.index(name)
        endpoint = self.endpoints[index]
        return ResultUrl(index, endpoint.latency, endpoint.failure_share)

    def _zone_of_row(self, campaign: Campaign, zone: int) -> NDArray[np.int16] | None:
        contacts = campaign.contact_list
        if contacts is None or not contacts.zones:
            return None
        plan_zones = np.array([self.zones.index(name) for name in contacts.zones] + [zone])
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

    def campaign(self, campaign: Campaign) -> CampaignPlan:
        """Resolve a campaign that the scenario names."""
        scenario = self.scenario
        platform = scenario.platform
        arrivals_us = requests_us(scenario, campaign, self.tape, self.latest_us)
        contacts = campaign.contact_list
        size = (
            len(contacts)
            if contacts is not None
            else len(arrivals_us)
            if arrivals_us is not None
            else campaign.contacts or 0
        )
        zone = self.zones.index(campaign.callee_zone or scenario.clock.zone)
        zone_of_row = self._zone_of_row(campaign, zone)
        lane_zones, window = self._window(campaign, zone_of_row, zone)
        stop_us = self._instant_us(campaign.stop_at)
        return CampaignPlan(
            tenant=campaign.tenant,
            name=campaign.name,
            background=False,
            size=size,
            submitted_us=scenario.instant_us(campaign.submitted),
            start_us=scenario.instant_us(campaign.start),
            rules=CampaignRules(
                max_retry=campaign.max_retry,
                retry_interval_us=campaign.retry_interval,
                expires_us=self._instant_us(campaign.expires_at),
                stop_requested_us=stop_us,
                stop_effect_us=stop_us if stop_us == NEVER else stop_us + platform.stop_latency,
                stop_reaches_queue=campaign.stop_reaches == "queue",
                stop_cancels_retries=campaign.stop_cancels_retries,
                pacing_rate=campaign.pacing or 0,
                paced_at_dispatch=campaign.pacing_at == "dispatch",
                max_simultaneous=campaign.max_simultaneous or 0,
                lane_zones=lane_zones,
                window=window,
            ),
            model=call_model(
                platform,
                scenario.callees,
                scenario.all_profiles[campaign.profile],
                message=campaign.message,
                asks_for_key=campaign.asks_for_key,
                transfers_to_agent=campaign.transfers_to_agent,
                missing_ani_share=campaign.missing_ani_share,
                missing_ani_refusal=scenario.carrier.missing_ani_refusal,
            ),
            profile=self.profiles.index(campaign.profile),
            loader_rate=platform.loader_rate,
            jitter_us=platform.start_jitter or 0,
            tape=self.tape,
            result_url=self._result_url(campaign.result_url),
            contact_list=contacts,
            ani=int(campaign.ani or 0),
            reject_duplicates=campaign.duplicates == "reject",
            requests_us=arrivals_us,
            zone_of_row=zone_of_row,
            zone=zone,
        )

    def background(self) -> list[CampaignPlan]:
        """Resolve the drawn campaigns of the background tenants."""
        background, scenario = self.scenario.background, self.scenario
        if background is None:
            return []
        rules = CampaignRules(
            max_retry=background.max_retry,
            retry_interval_us=background.retry_interval,
            pacing_rate=background.pacing or 0,
        )
        model = call_model(
            scenario.platform,
            scenario.callees,
            scenario.all_profiles[background.profile],
            message=None,
            asks_for_key=False,
            transfers_to_agent=False,
            missing_ani_share=0.0,
            missing_ani_refusal=scenario.carrier.missing_ani_refusal,
        )
        return [
            CampaignPlan(
                tenant=drawn.tenant,
                name=drawn.name,
                background=True,
                size=drawn.size,
                submitted_us=drawn.start_us,
                start_us=drawn.start_us,
                rules=rules,
                model=model,
                profile=self.profiles.index(background.profile),
                loader_rate=scenario.platform.loader_rate,
                jitter_us=scenario.platform.start_jitter or 0,
                tape=self.tape,
                result_url=self._result_url(background.result_url),
                zone=self.zones.index(scenario.clock.zone),
            )
            for drawn in background_campaigns(scenario, self.tape, self.latest_us)
        ]


def _ranked(campaigns: list[CampaignPlan], tenants: list[str]) -> tuple[CampaignPlan, ...]:
    """Give each campaign its rank, its tenant's, and its first call_id; in the order of names."""
    by_call = sorted(campaigns, key=lambda c: (c.start_us if c.background else -1, c.key))
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
    key = (study.tenant, study.name) if study else None
    return next((campaign.rank for campaign in campaigns if campaign.key == key), -1)


def build_sibling(plan: Plan, scenario: Scenario, tape: Tape) -> Plan:
    """Plan of a scenario that differs from that of another plan only in what is to come.

    What may differ is in `outsim.results.checkpoint.TO_COME`; all else, such as the campaigns of
    background tenants with what was drawn for them, is that of `plan`. Both have one tape.
    """
    builder = _Builder(scenario, tape)
    own = {(c.tenant, c.name): builder.campaign(c) for c in scenario.campaign}
    return replace(
        plan,
        campaigns=tuple(
            each
            if each.background
            else replace(
                own[each.key],
                rank=each.rank,
                tenant_rank=each.tenant_rank,
                first_call_id=each.first_call_id,
            )
            for each in plan.campaigns
        ),
        outages=outages(scenario, builder.endpoint_names),
        suspensions=suspensions(scenario),
        ends_us=scenario.instant_us(scenario.clock.ends),
        under_study=_under_study(scenario, plan.campaigns),
    )


def build_plan(scenario: Scenario, tape: Tape) -> Plan:
    """Resolve a scenario and a tape into what an engine needs."""
    check_size(scenario)
    builder = _Builder(scenario, tape)
    platform = platform_plan(scenario)
    answers = answering(scenario, builder.profiles, builder.zones, builder.latest_us)
    background = builder.background()
    check_drawn(scenario, [c.size for c in background if c.start_us < builder.ends_us])
    if scenario.snapshot is None:
        campaigns = [builder.campaign(c) for c in scenario.campaign] + background
        standing = InitialPlan(campaigns, [], [])
    else:
        standing = initial_plan(scenario, tape, platform, answers, builder.campaign, background)
        campaigns = standing.campaigns
    said = {tenant.name: tenant for tenant in scenario.tenant}
    tenants = sorted({campaign.tenant for campaign in campaigns} | set(said))
    ranked = _ranked(campaigns, tenants)
    _check_recorded(tape, ranked)
    return Plan(
        platform=platform,
        tenants=tuple(
            TenantPlan(
                name=name,
                weight=said[name].weight if name in said else 1,
                max_simultaneous=(said[name].max_simultaneous or 0) if name in said else 0,
                dial_rate=(said[name].dial_rate or 0) if name in said else 0,
            )
            for name in tenants
        ),
        campaigns=ranked,
        endpoints=tuple(
            EndpointPlan(e.name, e.timeout, tuple(e.retry_after), e.posts_at_once)
            for e in builder.endpoints
        ),
        outages=tuple(sorted([*standing.outages, *outages(scenario, builder.endpoint_names)])),
        suspensions=tuple(sorted([*standing.suspensions, *suspensions(scenario)])),
        answering=answers,
        zones=builder.zones,
        ends_us=scenario.instant_us(scenario.clock.ends),
        latest_us=builder.latest_us,
        under_study=_under_study(scenario, ranked),
    )
