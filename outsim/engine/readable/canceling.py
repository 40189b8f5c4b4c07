"""A stop by calls (rule 19): the calls of a campaign are canceled one by one, at a rate."""

from __future__ import annotations

from outsim.engine.order import CANCEL_STEP, EventClass, call_key
from outsim.engine.readable.events import EventList
from outsim.engine.readable.queue import OutboundQueue
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Call, CampaignState, Canceler
from outsim.engine.readable.updates import StatusPipeline
from outsim.vocabulary import CANCELED, QUEUED, SCHEDULED, WAITING_RETRY


class Canceling:
    """Cancels calls that nobody has dialed before their turn comes."""

    def __init__(
        self,
        events: EventList,
        recorder: Recorder,
        statuses: StatusPipeline,
        queue: OutboundQueue,
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.statuses = statuses
        self.queue = queue

    def begin(self, campaign: CampaignState) -> None:
        """A stop by calls takes effect: the first call is canceled at once."""
        campaign.canceler = Canceler(campaign, self.events.now)
        self.recorder.note(19, campaign, "is canceled call by call")
        self._turn(campaign)

    def wake(self, call: Call) -> None:
        """A call has come in, or waits for its retry, while its campaign is being canceled."""
        canceler = call.campaign.canceler
        assert canceler is not None
        canceler.look_again(call.index)
        if not canceler.is_awake:
            self._next_turn(call.campaign, max(self.events.now, canceler.tokens.ready_at))

    def _next_turn(self, campaign: CampaignState, at: int) -> None:
        assert campaign.canceler is not None
        campaign.canceler.is_awake = True
        key = call_key(campaign.plan.rank, 0, 0, CANCEL_STEP)
        self.events.call(at, EventClass.CONTROL, key, lambda: self._turn(campaign))

    def _turn(self, campaign: CampaignState) -> None:
        """Cancel the newest call, or the oldest, that can be; wait where there is none."""
        canceler = campaign.canceler
        assert canceler is not None
        canceler.is_awake = False
        call = self._next(campaign, canceler)
        if call is None:
            self.recorder.note(19, campaign, "has nothing left to cancel")
            return
        canceler.tokens.take(self.events.now)
        self.recorder.note(19, call, "is reached; the next one from {}", canceler.tokens.ready_at)
        was_queued = call.status == QUEUED
        self.statuses.withdraw(call, CANCELED)
        if was_queued:
            self.queue.leave(call)
        self._next_turn(campaign, canceler.tokens.ready_at)

    def _next(self, campaign: CampaignState, canceler: Canceler) -> Call | None:
        index, is_passed = canceler.place, True
        while 0 <= index < len(campaign.calls):
            call = campaign.calls[index]
            if self._can_cancel(call):
                return call
            # One that is still to come in is looked at in each turn.
            is_passed = is_passed and call.status != SCHEDULED
            index += canceler.step
            if is_passed:
                canceler.place = index
        return None

    def _can_cancel(self, call: Call) -> bool:
        """Whether it is neither dialed nor over; one that was dialed can be spared."""
        campaign = call.campaign
        if call.attempts > 0 and not campaign.rules.stop_cancels_retries:
            return False
        if call.status == SCHEDULED:
            return bool(campaign.submitted_us[call.index] <= self.events.now)
        return call.status == WAITING_RETRY or (call.status == QUEUED and not call.is_wedged)
