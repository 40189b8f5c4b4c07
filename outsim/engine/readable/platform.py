"""The platform on SimPy: who tells whom, and the passing of time.

This engine is the definition of the model, written to be read. Each actor of
the design is a class or a process in a module of its own; this module joins
them and lets time pass. Calls are no processes: actors and timers carry them,
so a run costs a handful of events per attempt.
"""

from __future__ import annotations

import simpy

from outsim.clock import HOUR
from outsim.engine.readable.agenda import Agenda
from outsim.engine.readable.carrier import Carrier
from outsim.engine.readable.controls import Controls
from outsim.engine.readable.deliveries import Deliveries
from outsim.engine.readable.dispatch import Dispatcher, Ports
from outsim.engine.readable.journal import Journal
from outsim.engine.readable.line import Line
from outsim.engine.readable.state import Attempt, CampaignState, TenantState
from outsim.engine.readable.submission import Admission
from outsim.engine.readable.updates import DIALING_KIND, StatusBoard, Update
from outsim.engine.readable.workers import WorkerPool
from outsim.engine.records import Records
from outsim.plan import CampaignPlan, Plan
from outsim.progress import Progress, unseen
from outsim.vocabulary import DIALING

PARTS = 200
"""Parts of a run between which it tells how far it has come."""


class Platform:
    """A running platform. Campaigns and stops may also be handed in while it runs."""

    def __init__(self, plan: Plan, env: simpy.Environment | None = None) -> None:
        self.plan = plan
        self.env = env or simpy.Environment()
        self.agenda = Agenda(self.env)
        self.dial_work_us = plan.platform.dial_work_us
        self.journal = Journal()
        self.deliveries = Deliveries(self.agenda, plan.platform.delivery_pool, plan.endpoints)
        self.board = StatusBoard(
            self.agenda,
            plan.platform.status_work_us,
            enqueue=lambda update: self.workers.backlog.append(update),
            final_visible=self.deliveries.final_visible,
        )
        self.dispatcher = Dispatcher(
            self.agenda,
            Ports(plan.platform.ports),
            plan.platform.dial_rate,
            plan.platform.dial_burst,
            plan.platform.queue,
            dispatched=self._dispatched,
        )
        self.admission = Admission(self.agenda, self.dispatcher.queue, self.board)
        self.carrier = Carrier(plan.platform)
        self.line = Line(
            self.agenda,
            plan,
            self.carrier,
            self.dispatcher,
            self.board,
            self.admission,
            self.journal,
        )
        self.workers: WorkerPool[Attempt, Update] = WorkerPool(
            self.agenda,
            plan.platform.workers,
            begin_dial=self._begin_dial,
            end_dial=self.line.dial,
            begin_status=self.board.begin,
            end_status=self.board.end,
        )
        self.controls = Controls(
            self.agenda,
            self.dispatcher,
            self.admission,
            self.carrier,
            self.line,
            self.workers,
            self.deliveries,
        )
        self.tenants = {
            tenant.name: TenantState(
                tenant.name, rank, tenant.weight, tenant.max_simultaneous, tenant.dial_rate
            )
            for rank, tenant in enumerate(plan.tenants)
        }
        self.campaigns: list[CampaignState] = []
        for campaign in plan.campaigns:
            self.submit(campaign)
        self._start_controls()

    def submit(self, plan: CampaignPlan) -> CampaignState:
        """Hand a campaign in; its actors wait for their instants."""
        campaign = CampaignState(plan, self.tenants[plan.tenant])
        self.campaigns.append(campaign)
        self.dispatcher.queue.open_lanes(campaign)
        rules = plan.rules
        for place, spans in enumerate(rules.window):
            zones = len(campaign.lane_of_zone)
            for k, lane in enumerate(campaign.lanes):
                lane.holds += k % zones == place
            self.env.process(self.controls.keep_window(campaign, place, spans))
        self.env.process(self.admission.load(campaign))
        if rules.stop_effect_us < self.plan.latest_us:
            self.env.process(self.controls.stop(campaign, rules.stop_effect_us))
        if rules.expires_us < self.plan.latest_us:
            self.env.process(self.controls.expire(campaign))
        return campaign

    def _start_controls(self) -> None:
        place = 0
        for suspension in self.plan.suspensions:
            self.env.process(self.controls.suspend(suspension, self.tenants, place))
            place += 1
        for outage in self.plan.outages:
            self.env.process(self.controls.fail(outage, place))
            place += 1
        if self.plan.platform.reconciliation_us:
            self.board.schedule_reconciliation(self.plan.platform.reconciliation_us)

    def _dispatched(self, attempt: Attempt) -> None:
        """A port and a token are taken: the dial work waits for a worker."""
        self.journal.begin(attempt)
        self.board.change(attempt.campaign, attempt.index, attempt.number, DIALING, DIALING_KIND)
        self.workers.dial_work.append(attempt)

    def _begin_dial(self, attempt: Attempt) -> tuple[int, int]:
        attempt.work_started_at = self.agenda.now
        length_us = self.dial_work_us
        if length_us < 0:
            draws = attempt.campaign.attempt_draws(attempt.number)
            length_us = draws.dial_work_us[attempt.index]
        return length_us, attempt.key

    def advance(self, until_us: int) -> None:
        """Let everything happen that is due before `until_us`."""
        agenda, peek, step = self.agenda, self.env.peek, self.env.step
        coming = peek()
        while coming < until_us:
            agenda.now = int(coming)
            step()
            following = peek()
            if following > coming:
                self.workers.close_instant()
                following = peek()
            coming = following

    def run(self, progress: Progress = unseen) -> Records:
        """Run to the plan's end, and on by whole hours until the campaign under study is over.

        `progress` is told now and then how far the run has come; what it raises ends the run.
        """
        plan = self.plan
        ends_us = plan.ends_us
        for part in range(1, PARTS + 1):
            self.advance(ends_us * part // PARTS)
            progress(ends_us * part // PARTS, ends_us)
        if plan.under_study >= 0:
            study = self.campaigns[plan.under_study]
            while study.unfinished > 0 and ends_us < plan.latest_us:
                ends_us = min(ends_us + HOUR, plan.latest_us)
                self.advance(ends_us)
                progress(ends_us, plan.latest_us)
        return self.records(ends_us)

    def records(self, ends_us: int) -> Records:
        """What has happened before `ends_us`."""
        campaigns = [self.campaigns[campaign.rank] for campaign in self.plan.in_run(ends_us)]
        return self.journal.records(ends_us, campaigns, self.board.rows, self.deliveries.rows)
