"""The readable engine, given its campaigns while it runs, with posts to real handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from typing_extensions import override

from outsim.clock import NEVER
from outsim.engine.order import POST_ENDS_STEP, EventClass
from outsim.engine.readable import controls
from outsim.engine.readable.deliveries import Deliveries, Endpoint
from outsim.engine.readable.events import Event, Process
from outsim.engine.readable.platform import Platform
from outsim.engine.readable.run import submit
from outsim.engine.readable.state import Call, CampaignState
from outsim.engine.records import Records
from outsim.live.board import Board
from outsim.live.inputs import Answer
from outsim.live.planning import Change, SessionPlan
from outsim.live.tape import SessionTape
from outsim.plan import CampaignPlan, OutagePlan, SuspensionPlan
from outsim.vocabulary import POST_RESULTS, TIMEOUT

_OFTEN = 16
"""Instants between two looks at whether the slice is over."""


def latest_answer_us(begun_us: int, timeout_us: int) -> int:
    """When an answer is in time at the latest: a latency is whole milliseconds."""
    return begun_us + timeout_us // 1000 * 1000


@dataclass(eq=False)
class OpenPost:
    """A post to a real handler that has begun, and is not answered yet."""

    call: Call
    number: int
    begun: int
    timeout_us: int
    ended: Event
    """The end of the post, in the engine."""
    answer: Answer | None = None
    is_in_time: bool = False
    """Whether it was answered before its time was out."""

    @property
    def latest_us(self) -> int:
        """When an answer is in time at the latest."""
        return latest_answer_us(self.begun, self.timeout_us)

    @property
    def drawn_us(self) -> int:
        """How long it takes by the scenario."""
        plan = self.call.campaign.plan
        assert isinstance(plan.tape, SessionTape)
        assert plan.result_url is not None
        drawn = plan.tape.drawn_posts(*plan.key, plan.result_url.latency, self.number, plan.size)
        return max(1, int(drawn[self.call.index]) * 1000)


class LiveDeliveries(Deliveries):
    """Posts to real handlers end when these have answered, or when time is out."""

    posts: dict[tuple[int, int], OpenPost]
    """Those open, by call and number."""
    is_begun: Callable[[Call, int], None]

    def is_open(self, post: OpenPost) -> bool:
        """Whether a post is still waited for."""
        return post.answer is None and (post.call.call_id, post.number) in self.posts

    def unanswered(self) -> Iterator[OpenPost]:
        """Posts whose handlers have not answered yet."""
        return (post for post in self.posts.values() if post.answer is None)

    @override
    def answer(self, call: Call, endpoint: Endpoint, number: int) -> Event:
        ended = self._answer(call, endpoint, number)
        self.is_begun(call, number)
        return ended

    def _answer(self, call: Call, endpoint: Endpoint, number: int) -> Event:
        tape = call.campaign.plan.tape
        has_handler = isinstance(tape, SessionTape) and tape.has_handler
        if not has_handler or endpoint.outages:
            return super().answer(call, endpoint, number)
        timeout_us = endpoint.plan.timeout_us
        now, ended = self.events.now, self.events.event()
        post = OpenPost(call, number, now, timeout_us, ended)
        self.posts[call.call_id, number] = post
        key_of_end = call.key(number, POST_ENDS_STEP)
        self.recorder.note(11, call, "post {} begins, {} to it", number, endpoint.busy)

        def time_out() -> None:
            if not post.is_in_time:
                self.end(post, TIMEOUT)

        self.events.call(now + timeout_us, EventClass.OTHER, key_of_end, time_out)
        return ended

    def answered(self, answer: Answer) -> None:
        """A handler has answered: the post ends when its latency is over."""
        post = self.posts[answer.call_id, answer.post]
        latency_us = max(1, answer.latency_ms * 1000)
        result = POST_RESULTS.index(answer.result)
        post.answer = answer
        if result == TIMEOUT or latency_us > post.timeout_us:
            return
        post.is_in_time = True
        key = post.call.key(answer.post, POST_ENDS_STEP)
        self.events.call(
            post.begun + latency_us, EventClass.OTHER, key, lambda: self.end(post, result)
        )

    def end(self, post: OpenPost, result: int) -> None:
        """A post is over."""
        if self.posts.pop((post.call.call_id, post.number), None) is not None:
            post.ended._value = result
            post.ended.happen()


class LiveRun:
    """A run of a session: time is let pass up to any instant, and inputs are taken between.

    Parameters
    ----------
    session : SessionPlan
        What is to be run, inputs not yet added.
    board : Board
        Follows the campaigns of the scenario and those submitted.
    is_begun : callable
        Told of posts as they begin, by call and number.
    """

    def __init__(
        self, session: SessionPlan, board: Board, is_begun: Callable[[Call, int], None]
    ) -> None:
        plan = self.plan = session.base
        self.session = session
        self.board = board
        self.reached_us = 0
        """Everything that was due before is done, and nothing that is due then or later."""
        self.stop_asked = False
        """Set by whoever is told of something: the slice ends with this instant."""
        self.platform = p = Platform(plan, deliveries=LiveDeliveries)
        p.recorder.attempts = board.attempts
        p.recorder.updates = board.updates
        p.recorder.deliveries = board.deliveries
        p.recorder.requests = board.requests
        assert isinstance(p.deliveries, LiveDeliveries)
        self.deliveries = p.deliveries
        self.deliveries.posts, self.deliveries.is_begun = {}, is_begun
        self.campaigns: dict[int, CampaignState] = {}
        self._disturbances: dict[int, SuspensionPlan | OutagePlan] = {}
        for campaign in session.campaigns.values():
            board.follow(self._submit(campaign.plan))
        for place, disturbance in enumerate(plan.disturbances):
            p.events.start(controls.disturb(p, disturbance, place))
        if plan.platform.reconciliation_us:
            p.statuses.schedule_reconciliation(plan.platform.reconciliation_us)

    def _submit(self, plan: CampaignPlan) -> CampaignState:
        self.campaigns[plan.rank] = submit(self.platform, self.plan, plan)
        return self.campaigns[plan.rank]

    def hand_in_others(self) -> None:
        """Hand in the campaigns of others that start by now: whoever comes now is behind them."""
        for plan in self.session.number_others(self.reached_us):
            self._submit(plan)

    def refusal(self, tenant: str, calls: int) -> int:
        """Why a request for so many calls would be refused now; `NO_REFUSAL` if it would not."""
        p = self.platform
        self.hand_in_others()
        p.answer_requests(self.reached_us)
        return p.intake.refusal(p.tenants[tenant], calls, self.reached_us)

    @property
    def next_us(self) -> int:
        """When something happens next; `clock.NEVER` if nothing ever does."""
        coming = self.platform.env.peek()
        return min(self.session.next_of_others(), NEVER if coming > NEVER else int(coming))

    def advance(self, until_us: int, is_over: Callable[[], bool] = lambda: False) -> None:
        """Let everything happen that is due before `until_us`, or until somebody asks to stop.

        Parameters
        ----------
        until_us : int
            Where to.
        is_over : callable
            Asked now and then whether enough has been done for now.
        """
        self.stop_asked = False
        while self.reached_us < until_us:
            others_us = self.session.next_of_others()
            if others_us <= self.reached_us:
                self.hand_in_others()
                continue
            for number in self._instants(min(until_us, others_us)):
                if self.stop_asked or (number % _OFTEN == 0 and is_over()):
                    return
            self.reached_us = min(until_us, others_us)

    def _instants(self, until_us: int) -> Iterator[int]:
        for number, instant in zip(count(1), self.platform.instants(until_us), strict=False):
            self.reached_us = max(self.reached_us, instant + 1)
            yield number

    def apply(self, change: Change) -> None:
        """Have an input act: `change` is what the session made of it, at `reached_us`."""
        p = self.platform
        if change.endpoint is not None:
            self.deliveries.endpoints.append(Endpoint(change.endpoint))
        if change.submitted is not None:
            self.board.follow(self._submit(change.submitted.plan))
            if self.plan.may_refuse:
                p.answer_requests(self.reached_us)
        for rank, effect_us in change.stopped:
            campaign = self.campaigns[rank]
            campaign.rules = self.session.of_rank(rank).plan.rules
            p.events.start(controls.stop(p, campaign, effect_us))
        for rank, effect_us in change.cleared:
            p.events.start(controls.clear(p, self.campaigns[rank], effect_us))
        if change.begins is not None:
            place = change.begins.place
            self._disturbances[place] = change.begins.plan
            p.events.start(self._begin(place))
        if change.ends is not None:
            place = change.ends.place
            self._disturbances[place] = change.ends.plan
            p.events.start(self._end(place, change.ends.plan.ends_us))
        if change.answered is not None:
            self.deliveries.answered(change.answered)

    def _begin(self, place: int) -> Process:
        begins_us = self._disturbances[place].begins_us
        yield controls.control(self.platform, begins_us, 2 * place)
        if begins_us < self._disturbances[place].ends_us:
            controls.begin(self.platform, self._disturbances[place])

    def _end(self, place: int, ends_us: int) -> Process:
        yield controls.control(self.platform, ends_us, 2 * place + 1)
        disturbance = self._disturbances[place]
        if disturbance.begins_us < ends_us == disturbance.ends_us:
            controls.end(self.platform, disturbance)

    def read_ahead(self, most: int) -> bool:
        """Read so many rows of what has happened before `records`; whether there are more."""
        tables = (self.board.attempts, self.board.updates, self.board.deliveries)
        return any(table.read_ahead(most) for table in tables)

    def records(self, *, with_now: bool = False) -> Records:
        """What has happened before `reached_us`, or up to it and at it."""
        ends_us = self.reached_us + with_now
        plan = self.session.plan(ends_us)
        campaigns = [self.campaigns[campaign.rank] for campaign in plan.in_run(ends_us)]
        return self.platform.recorder.records(ends_us, campaigns)
