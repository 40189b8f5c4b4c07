"""A run on SimPy: hands the platform its campaigns, lets time pass, and gives the records."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import simpy

from outsim.clock import HOUR
from outsim.engine.discipline import Discipline
from outsim.engine.readable import calls, controls
from outsim.engine.readable.platform import Platform
from outsim.engine.readable.state import CampaignState
from outsim.engine.records import Note, Records
from outsim.plan import CampaignPlan, Plan
from outsim.progress import Progress, unseen

PARTS = 200
"""Parts of a run between which it tells how far it has come."""


@contextmanager
def collection_deferred() -> Iterator[None]:
    """Collect no garbage meanwhile.

    Each call that waits is a process that lives on. The collector would walk all of them again
    and again, which takes a third of a large run and frees nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def submit(p: Platform, plan: Plan, submitted: CampaignPlan) -> CampaignState:
    """Hand a campaign in; its actors wait for their instants."""
    rules = submitted.rules
    campaign = CampaignState(submitted, p.tenants[submitted.tenant])
    p.queue.open_sub_queues(campaign)
    for place, spans in enumerate(rules.window):
        p.events.start(controls.keep_window(p, campaign, place, spans))
    calls.hand_in(p, campaign)
    if rules.stop_effect_us < plan.latest_us:
        p.events.start(controls.stop(p, campaign, rules.stop_effect_us))
    if rules.clear_effect_us < plan.latest_us:
        p.events.start(controls.clear(p, campaign, rules.clear_effect_us))
    if rules.expires_us < plan.latest_us:
        p.events.start(controls.expire(p, campaign))
    if submitted.own_expires_us is not None:
        p.events.start(controls.expire_calls(p, campaign))
    return campaign


class Run:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        progress: Progress = unseen,
        env: simpy.Environment | None = None,
        *,
        notes: bool = False,
        discipline: Discipline | None = None,
    ) -> None:
        self.plan = plan
        self.progress = progress
        self.platform = Platform(plan, env, notes=notes, discipline=discipline)
        self.campaigns = [submit(self.platform, plan, campaign) for campaign in plan.campaigns]
        for place, disturbance in enumerate(plan.disturbances):
            self.platform.events.start(controls.disturb(self.platform, disturbance, place))
        if plan.platform.reconciliation_us:
            self.platform.statuses.schedule_reconciliation(plan.platform.reconciliation_us)

    def advance(self, until_us: int) -> None:
        """Let everything happen that is due before `until_us`."""
        self.platform.advance(until_us)

    def finish(self) -> Records:
        """Run to the plan's end, and on by whole hours until the campaign under study is over."""
        plan = self.plan
        ends_us = plan.ends_us
        for part in range(1, PARTS + 1):
            self.advance(ends_us * part // PARTS)
            self.progress(ends_us * part // PARTS, ends_us)
        if plan.under_study >= 0:
            study = self.campaigns[plan.under_study]
            while study.unfinished > 0 and ends_us < plan.latest_us:
                ends_us = min(ends_us + HOUR, plan.latest_us)
                self.advance(ends_us)
                self.progress(ends_us, plan.latest_us)
        return self.records(ends_us)

    def records(self, ends_us: int) -> Records:
        """What has happened before `ends_us`."""
        campaigns = [self.campaigns[campaign.rank] for campaign in self.plan.in_run(ends_us)]
        return self.platform.recorder.records(ends_us, campaigns)

    @property
    def notes(self) -> list[Note]:
        """Which rules have acted, in order; empty if nobody asked."""
        return self.platform.recorder.notes or []


@collection_deferred()
def run(plan: Plan, progress: Progress = unseen, discipline: Discipline | None = None) -> Records:
    """Run a plan from its begin to its end."""
    return Run(plan, progress, discipline=discipline).finish()
