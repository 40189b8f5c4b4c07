"""result_url posts (rule 11): one final result per call, once its final update is visible."""

from __future__ import annotations

from array import array
from collections import deque
from typing import NamedTuple

from outsim.clock import MISSING
from outsim.engine.order import POST_DUE_STEP, POST_ENDS_STEP, EventClass
from outsim.engine.readable.agenda import Agenda
from outsim.engine.readable.state import CampaignState
from outsim.engine.records import DELIVERY_COLUMNS, NOT_KNOWN
from outsim.plan import EndpointPlan
from outsim.vocabulary import ACCEPTED, SERVER_ERROR, TIMEOUT, UNREACHABLE

_BEGUN = DELIVERY_COLUMNS.index("begun")
_ENDED = DELIVERY_COLUMNS.index("ended")
_RESULT = DELIVERY_COLUMNS.index("result")


class Post(NamedTuple):
    """One POST of a call's final result."""

    row: int
    sequence: int
    campaign: CampaignState
    place: int
    """Of the call in its campaign."""
    number: int


class Endpoint:
    """A customer's result_url, and the posts that wait for it."""

    def __init__(self, plan: EndpointPlan) -> None:
        self.plan = plan
        self.waiting: deque[Post] = deque()
        self.busy = 0
        self.outages = 0


class Deliveries:
    """Posts final results: a pool of senders, and a limit for each endpoint."""

    def __init__(self, agenda: Agenda, pool: int, endpoints: tuple[EndpointPlan, ...]) -> None:
        self.agenda = agenda
        self.pool = pool
        self.busy = 0
        self.endpoints = [Endpoint(plan) for plan in endpoints]
        self.rows = array("q")
        self._sequence = 0

    def final_visible(self, campaign: CampaignState, index: int) -> None:
        """The customer can see how a call ended: post it, if it is to be posted."""
        if campaign.plan.result_url is not None:
            self._due((campaign, index, 1))

    def _due(self, due: tuple[CampaignState, int, int]) -> None:
        campaign, index, number = due
        assert campaign.plan.result_url is not None
        row = len(self.rows)
        now = self.agenda.now
        self.rows.extend((campaign.call_id(index), number, now, MISSING, MISSING, NOT_KNOWN))
        post = Post(row, self._sequence, campaign, index, number)
        self._sequence += 1
        self.endpoints[campaign.plan.result_url.endpoint].waiting.append(post)
        self._begin()

    def _begin(self) -> None:
        """Begin the oldest posts whose endpoint takes one, while senders are free."""
        while self.busy < self.pool:
            able = [e for e in self.endpoints if e.waiting and e.busy < e.plan.posts_at_once]
            if not able:
                return
            endpoint = min(able, key=lambda e: e.waiting[0].sequence)
            self._send(endpoint, endpoint.waiting.popleft())

    def _send(self, endpoint: Endpoint, post: Post) -> None:
        now = self.agenda.now
        self.rows[post.row + _BEGUN] = now
        self.busy += 1
        endpoint.busy += 1
        draws = post.campaign.post_draws(post.number)
        latency_us = max(1, draws.latency_ms[post.place] * 1000)
        if endpoint.outages:
            result, lasts_us = UNREACHABLE, endpoint.plan.timeout_us
        elif latency_us > endpoint.plan.timeout_us:
            result, lasts_us = TIMEOUT, endpoint.plan.timeout_us
        elif draws.fails[post.place]:
            result, lasts_us = SERVER_ERROR, latency_us
        else:
            result, lasts_us = ACCEPTED, latency_us
        key = post.campaign.key(post.place, post.number, POST_ENDS_STEP)
        self.agenda.call(
            now + lasts_us, EventClass.OTHER, key, self._ended, (endpoint, post, result)
        )

    def _ended(self, ended: tuple[Endpoint, Post, int]) -> None:
        endpoint, post, result = ended
        now = self.agenda.now
        self.rows[post.row + _ENDED] = now
        self.rows[post.row + _RESULT] = result
        self.busy -= 1
        endpoint.busy -= 1
        waits = endpoint.plan.retry_after_us
        if result != ACCEPTED and post.number <= len(waits):
            key = post.campaign.key(post.place, post.number + 1, POST_DUE_STEP)
            self.agenda.call(
                now + waits[post.number - 1],
                EventClass.OTHER,
                key,
                self._due,
                (post.campaign, post.place, post.number + 1),
            )
        self._begin()
