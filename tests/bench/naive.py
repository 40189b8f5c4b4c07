"""The same queue as a textbook SimPy program: what the engine's speed is held against.

Rules 1 to 12 with SimPy's own parts: a Container for ports, Stores for the
queue and the backlog, a PriorityResource for the workers, and one process per
attempt. It reads the same tape, keeps no tables and settles no ties.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from outsim.clock import MISSING, SECOND
from outsim.outcomes import ANSWERED, BUSY, FAX, HUMAN, INVALID, NO_ANSWER, VOICEMAIL
from outsim.plan import CampaignPlan, Plan
from outsim.plan.answering import ORDER
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID

Process = Generator[simpy.Event, Any, None]


class NaivePlatform:
    """A platform of one process per attempt; times in seconds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.env = simpy.Environment()
        platform = plan.platform
        self.queue = simpy.Store(self.env)
        self.ports = simpy.Container(self.env, capacity=platform.ports, init=platform.ports)
        self.tokens = simpy.Container(
            self.env, capacity=platform.dial_burst, init=platform.dial_burst
        )
        self.workers = simpy.PriorityResource(self.env, capacity=platform.workers)
        self.backlog = simpy.Store(self.env)
        self.posts = simpy.Resource(self.env, capacity=platform.delivery_pool)
        self.carrier_level = float(platform.carrier_burst)
        self.carrier_at = 0.0
        self.channels_busy = 0
        self.attempts = 0
        self.stopped: set[int] = set()
        self.draws: dict[tuple[int, int], Any] = {}
        self.env.process(self.dial_tokens(platform.dial_rate / 1e6))
        self.env.process(self.dispatch())
        self.env.process(self.update())
        for campaign in plan.campaigns:
            self.env.process(self.load(campaign))
            if campaign.rules.stop_effect_us < plan.latest_us:
                self.env.process(self.stop(campaign))

    def attempt_draws(self, campaign: CampaignPlan, number: int) -> Any:
        key = campaign.rank, number
        if key not in self.draws:
            self.draws[key] = campaign.attempts(number)
        return self.draws[key]

    def dial_tokens(self, rate: float) -> Process:
        while True:
            yield self.env.timeout(1 / rate)
            yield self.tokens.put(1)

    def stop(self, campaign: CampaignPlan) -> Process:
        yield self.env.timeout(campaign.rules.stop_effect_us / SECOND)
        self.stopped.add(campaign.rank)

    def load(self, campaign: CampaignPlan) -> Process:
        ready_us = campaign.ready_us
        for index in campaign.accepted.tolist():
            yield self.env.timeout(ready_us[index] / SECOND - self.env.now)
            if campaign.rank in self.stopped:
                return
            if campaign.rules.pacing_rate and index:
                yield self.env.timeout(1e6 / campaign.rules.pacing_rate)
            self.change(campaign, index)
            yield self.queue.put((campaign, index, 1, 0))

    def dispatch(self) -> Process:
        while True:
            campaign, index, number, failures = yield self.queue.get()
            if self.env.now * SECOND >= campaign.rules.expires_us:
                continue
            yield self.ports.get(1)
            yield self.tokens.get(1)
            self.env.process(self.attempt(campaign, index, number, failures))

    def change(self, campaign: CampaignPlan, index: int) -> None:
        self.backlog.put((campaign, index))

    def update(self) -> Process:
        while True:
            yield self.backlog.get()
            with self.workers.request(priority=1) as worker:
                yield worker
                yield self.env.timeout(self.plan.platform.status_work_us / SECOND)

    def admitted(self) -> bool:
        platform = self.plan.platform
        minute = int(self.env.now / 60) % 60
        gained = (self.env.now - self.carrier_at) * platform.carrier_rates[minute] / 1e6
        self.carrier_level = min(platform.carrier_burst, self.carrier_level + gained)
        self.carrier_at = self.env.now
        if self.channels_busy >= platform.carrier_channels[minute] or self.carrier_level < 1:
            return False
        self.carrier_level -= 1
        self.channels_busy += 1
        return True

    def outcome(self, campaign: CampaignPlan, index: int, draws: Any, failures: int) -> int:
        trait = campaign.contacts.trait[index]
        if trait == TRAIT_INVALID:
            return INVALID
        if trait == TRAIT_FAX:
            return FAX
        tables = self.plan.answering
        zone = campaign.zones[index]
        segment = tables.segment_starts_us[zone].searchsorted(self.env.now * SECOND, "right") - 1
        by_failures = tables.thresholds[campaign.profile, tables.segment_factors[zone][segment]]
        bounds = by_failures[min(failures, len(by_failures) - 1), -1]
        for outcome, bound in zip(ORDER, bounds, strict=False):
            if draws.outcome[index] < bound:
                return outcome
        return BUSY

    def attempt(self, campaign: CampaignPlan, index: int, number: int, failures: int) -> Process:
        platform = self.plan.platform
        self.attempts += 1
        self.change(campaign, index)
        with self.workers.request(priority=0) as worker:
            yield worker
            yield self.env.timeout(platform.dial_work_us / SECOND)
        draws = self.attempt_draws(campaign, number)
        answered = False
        outcome = MISSING
        if self.admitted():
            outcome = self.outcome(campaign, index, draws, failures)
            yield self.env.timeout(draws.post_dial_ms[index] / 1e3)
            if outcome not in (BUSY, INVALID):
                ring_ms = draws.ring_human_ms if outcome != VOICEMAIL else draws.ring_voicemail_ms
                limit = platform.ring_timeout_us / SECOND
                ring_s = ring_ms[index] / 1e3
                answered = outcome in ANSWERED and ring_s <= limit
                yield self.env.timeout(ring_s if answered else limit)
            if answered:
                self.change(campaign, index)
                talk_ms = draws.talk_human_ms if outcome == HUMAN else draws.talk_voicemail_ms
                yield self.env.timeout(talk_ms[index] / 1e3)
            self.channels_busy -= 1
            failures += outcome in (NO_ANSWER, BUSY)
        else:
            yield self.env.timeout(platform.refusal_us / SECOND)
        self.ports.put(1)
        self.change(campaign, index)
        over = answered or outcome == INVALID or number > campaign.rules.max_retry
        if over:
            self.env.process(self.post(campaign, index))
        elif campaign.rank not in self.stopped:
            yield self.env.timeout(campaign.rules.retry_interval_us / SECOND)
            self.change(campaign, index)
            yield self.queue.put((campaign, index, number + 1, failures))

    def post(self, campaign: CampaignPlan, index: int) -> Process:
        if campaign.result_url is None:
            return
        key = campaign.rank, -1
        if key not in self.draws:
            self.draws[key] = campaign.posts(1)
        with self.posts.request() as sender:
            yield sender
            yield self.env.timeout(self.draws[key].latency_ms[index] / 1e3)

    def run(self) -> int:
        """Run to the plan's end; return the attempts made."""
        self.env.run(until=self.plan.ends_us / SECOND)
        return self.attempts
