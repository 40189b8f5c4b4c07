"""result_url posts (rule 11): one final result per call, once its final update is visible."""

from __future__ import annotations

from collections import deque

from outsim.engine.order import POST_DUE_STEP, POST_ENDS_STEP, EventClass
from outsim.engine.readable.events import Event, EventList, Process
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Call
from outsim.engine.records import DeliveryRecord
from outsim.plan import EndpointPlan
from outsim.vocabulary import ACCEPTED, POST_RESULTS, TIMEOUT, UNREACHABLE


class Endpoint:
    """A customer's result_url, and the posts that wait for it."""

    def __init__(self, plan: EndpointPlan) -> None:
        self.plan = plan
        self.waiting: deque[tuple[int, Event]] = deque()
        """Their numbers over the whole platform, and what they wait for."""
        self.busy = 0
        self.outages = 0


class Deliveries:
    """Posts final results: a pool of senders, and a limit for each endpoint."""

    def __init__(
        self, events: EventList, recorder: Recorder, pool: int, endpoints: tuple[EndpointPlan, ...]
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.pool = pool
        self.busy = 0
        self.endpoints = [Endpoint(plan) for plan in endpoints]

    def final_visible(self, call: Call) -> None:
        """The customer can see how a call ended: post it, if it is to be posted."""
        url = call.campaign.plan.result_url
        if url is not None:
            self.events.start(self._deliver(call, self.endpoints[url.endpoint]))

    def _deliver(self, call: Call, endpoint: Endpoint) -> Process:
        """A call's final result, posted until it is accepted or given up."""
        waits = endpoint.plan.retry_after_us
        for number in range(1, len(waits) + 2):
            post = DeliveryRecord(call.call_id, number, self.events.now)
            self.recorder.deliveries.begin(post)
            self.recorder.note(11, call, "post {} is due", number)
            yield self._sender(endpoint)

            post.begun = self.events.now
            result = yield self.answer(call, endpoint, number)

            post.ended, post.result = self.events.now, result
            self.recorder.deliveries.settle(post)
            self.recorder.note(11, call, "post {}: {}", number, POST_RESULTS[result])
            self.busy -= 1
            endpoint.busy -= 1
            is_last = result == ACCEPTED or number > len(waits)
            if not is_last:
                due = self.events.now + waits[number - 1]
                self.recorder.note(11, call, "post {} will be due at {}", number + 1, due)
            self._begin()
            if is_last:
                return
            key = call.key(number + 1, POST_DUE_STEP)
            yield self.events.at(due, EventClass.OTHER, key)

    def _sender(self, endpoint: Endpoint) -> Event:
        """What happens when a sender takes a post to an endpoint."""
        sender = self.events.event()
        endpoint.waiting.append((len(self.recorder.deliveries), sender))
        self._begin()
        return sender

    def _begin(self) -> None:
        """Begin the oldest posts whose endpoint takes one, while senders are free."""
        while self.busy < self.pool:
            able = [e for e in self.endpoints if e.waiting and e.busy < e.plan.posts_at_once]
            if not able:
                return
            endpoint = min(able, key=lambda e: e.waiting[0][0])
            _, sender = endpoint.waiting.popleft()
            self.busy += 1
            endpoint.busy += 1
            sender.happen()

    def answer(self, call: Call, endpoint: Endpoint, number: int) -> Event:
        """The end of a post that begins now; its value is what became of it."""
        draws = call.campaign.post_draws(number)
        timeout_us = endpoint.plan.timeout_us
        latency_us = max(1, draws.latency_ms[call.index] * 1000)
        rule = 13 if endpoint.outages else 11
        self.recorder.note(rule, call, "post {} begins, {} to it", number, endpoint.busy)
        if endpoint.outages:
            result, lasts_us = UNREACHABLE, timeout_us
        elif latency_us > timeout_us:
            result, lasts_us = TIMEOUT, timeout_us
        elif draws.fails[call.index]:
            result, lasts_us = TIMEOUT + draws.fails[call.index], latency_us
        else:
            result, lasts_us = ACCEPTED, latency_us
        ended = self.events.event(result)
        key = call.key(number, POST_ENDS_STEP)
        self.events.schedule(ended, self.events.now + lasts_us, EventClass.OTHER, key)
        return ended
