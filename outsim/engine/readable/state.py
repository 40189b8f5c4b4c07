"""Who and what there is: tenants, campaigns with their calls, lanes, attempts."""

from __future__ import annotations

from array import array
from collections import deque
from typing import NamedTuple

from outsim.clock import MISSING
from outsim.engine.order import call_key
from outsim.engine.readable.bucket import TokenBucket
from outsim.plan import CampaignPlan
from outsim.tape.draws import AttemptDraws, PostDraws, UpdateDraws
from outsim.vocabulary import FIRST_FINAL, REJECTED, SCHEDULED


class Entry(NamedTuple):
    """A call's place in the outbound queue."""

    sequence: int
    """Counts entries over the whole platform."""
    place: int
    """Of the call in its campaign."""
    attempt: int
    ready_at: int
    queued_at: int


class Lane:
    """The queued calls of a campaign that are held back together, in order of entry."""

    def __init__(self, campaign: CampaignState, priority: int) -> None:
        self.campaign = campaign
        self.priority = priority
        """Lanes of a lower one go first, whenever their calls entered."""
        self.entries: deque[Entry] = deque()
        self.holds = 0
        """How many reasons hold it back: suspension, window, limits, pacing at dispatch."""
        self.eligible_since = 0


class TenantState:
    """A customer: its lanes and its limits."""

    def __init__(
        self, name: str, rank: int, weight: int, max_simultaneous: int, dial_rate: int
    ) -> None:
        self.name = name
        self.rank = rank
        self.weight = weight
        self.max_simultaneous = max_simultaneous
        self.bucket = TokenBucket(dial_rate, 1) if dial_rate else None
        self.active = 0
        """Its attempts that hold a port."""
        self.holds = 0
        """Reasons that hold back all its lanes, those to come included."""
        self.lanes: list[Lane] = []


class AttemptViews:
    """Draws of one attempt number, to be read one call at a time without copying."""

    def __init__(self, draws: AttemptDraws) -> None:
        self.outcome = draws.outcome.data
        self.recorded_outcome = draws.recorded_outcome.data
        self.post_dial_ms = draws.post_dial_ms.data
        self.ring_human_ms = draws.ring_human_ms.data
        self.ring_voicemail_ms = draws.ring_voicemail_ms.data
        self.talk_human_ms = draws.talk_human_ms.data
        self.talk_voicemail_ms = draws.talk_voicemail_ms.data
        self.misdetected = draws.misdetected.data
        self.ani_refused = draws.ani_refused.data
        self.dial_work_us = draws.dial_work_us.data


class UpdateViews:
    """The same for the updates about one attempt number."""

    def __init__(self, draws: UpdateDraws) -> None:
        self.lost = draws.lost.data
        self.status_work_us = [work.data for work in draws.status_work_us]


class PostViews:
    """The same for the posts with one number."""

    def __init__(self, draws: PostDraws) -> None:
        self.latency_ms = draws.latency_ms.data
        self.fails = draws.fails.data


class CampaignState:
    """A campaign and where each of its calls stands."""

    def __init__(self, plan: CampaignPlan, tenant: TenantState) -> None:
        self.plan = plan
        self.rules = plan.rules
        self.tenant = tenant
        self.rank = plan.rank
        self.status = bytearray([SCHEDULED]) * plan.size
        for index in range(plan.size):
            if plan.reject_reason[index]:
                self.status[index] = REJECTED
        self.attempts = bytearray(plan.size)
        """Attempts so far."""
        self.failures = bytearray(plan.size)
        """Those of them that reached the callee and were not answered."""
        self.last_failure_at = array("q", [MISSING]) * plan.size
        if plan.opening is not None:
            self.attempts[:] = plan.opening.attempts.tobytes()
            self.failures[:] = plan.opening.failures.tobytes()
            self.last_failure_at = array("q", plan.opening.last_failure_us.tolist())
        self.final_at = array("q", [MISSING]) * plan.size
        self.wedged = plan.contacts.wedged.data
        self.trait = plan.contacts.trait.data
        self.missing_ani = plan.missing_ani.data
        self.zones = plan.zones.data
        accepted = plan.accepted
        self.unfinished = len(accepted) - int(plan.contacts.wedged[accepted].sum())
        """Calls that will still get a final status, if the run is long enough."""
        self.active = 0
        self.stopped = False
        self.expired = False
        self.pacer = TokenBucket(plan.rules.pacing_rate, 1) if plan.rules.pacing_rate else None
        self.lanes: list[Lane] = []
        self.lane_of_zone: dict[int, int] = {}
        self._attempts: dict[int, AttemptViews] = {}
        self._updates: dict[int, UpdateViews] = {}
        self._posts: dict[int, PostViews] = {}

    def key(self, index: int, attempt: int = 0, step: int = 0) -> int:
        """Place of an event of one of its calls among those of its class."""
        return call_key(self.rank, index, attempt, step)

    def call_id(self, index: int) -> int:
        """Number of a call over the whole run."""
        return self.plan.first_call_id + index

    def attempt_draws(self, attempt: int) -> AttemptViews:
        """What the tape says about attempts with this number."""
        views = self._attempts.get(attempt)
        if views is None:
            views = self._attempts[attempt] = AttemptViews(self.plan.attempts(attempt))
        return views

    def update_draws(self, attempt: int) -> UpdateViews:
        """What the tape says about updates on attempts with this number."""
        views = self._updates.get(attempt)
        if views is None:
            views = self._updates[attempt] = UpdateViews(self.plan.updates(attempt))
        return views

    def post_draws(self, post: int) -> PostViews:
        """What the tape says about posts with this number."""
        views = self._posts.get(post)
        if views is None:
            views = self._posts[post] = PostViews(self.plan.posts(post))
        return views

    def is_over(self, index: int) -> bool:
        """Whether a call has a final status."""
        return self.status[index] >= FIRST_FINAL


class Attempt:
    """One dial of a call, from its dispatch to its end; instants in microseconds."""

    __slots__ = (
        "answered_at",
        "at_carrier",
        "at_head_at",
        "callee_type",
        "campaign",
        "cause",
        "detected_at",
        "dialed_at",
        "dispatched_at",
        "eligible_at",
        "ended_at",
        "index",
        "key",
        "number",
        "order",
        "outcome",
        "port_free_at",
        "queued_at",
        "ready_at",
        "ringing_at",
        "token_free_at",
        "work_started_at",
    )

    def __init__(self, campaign: CampaignState, entry: Entry, order: int) -> None:
        self.campaign = campaign
        self.index = entry.place
        self.number = entry.attempt
        self.key = campaign.key(entry.place, entry.attempt)
        self.order = order
        """Counts dispatches over the whole platform."""
        self.ready_at = entry.ready_at
        self.queued_at = entry.queued_at
        self.eligible_at = self.at_head_at = self.port_free_at = self.token_free_at = MISSING
        self.dispatched_at = self.work_started_at = self.dialed_at = self.ringing_at = MISSING
        self.answered_at = self.detected_at = self.ended_at = MISSING
        self.outcome = self.cause = self.callee_type = 0
        self.at_carrier = False
        """Whether it holds one of the carrier's channels."""
