"""Pacing at admission (rule 2): attempts enter the queue at the pace of their campaign."""

from __future__ import annotations

from outsim.engine.order import ADMIT_STEP, EventClass
from outsim.engine.readable.events import Event, EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Attempt, CampaignState
from outsim.vocabulary import STATUSES


class Pacing:
    """Lets attempts of a campaign in, whoever has waited longest first."""

    def __init__(self, events: EventList, recorder: Recorder) -> None:
        self.events = events
        self.recorder = recorder

    def admit(self, attempt: Attempt) -> Event:
        """What happens when an attempt may enter the queue."""
        call = attempt.call
        attempt.admitted = self.events.event()
        call.campaign.paced.append(attempt)
        self.recorder.note(2, attempt, "waits for its pace while {}", STATUSES[call.status])
        if not call.campaign.pacer_awake:
            self._let_in(call.campaign)
        return attempt.admitted

    def _let_in(self, campaign: CampaignState) -> None:
        assert campaign.pace is not None
        now = self.events.now
        campaign.pacer_awake = False
        while campaign.paced:
            attempt = campaign.paced[0]
            if attempt.call.is_over:
                campaign.paced.popleft()
                continue
            ready_at = campaign.pace.ready_at
            if ready_at > now:
                campaign.pacer_awake = True
                key = attempt.key | ADMIT_STEP
                self.events.call(
                    ready_at, EventClass.ENTERS_QUEUE, key, lambda: self._let_in(campaign)
                )
                return
            campaign.pace.take(now)
            campaign.paced.popleft()
            self.recorder.note(
                2, attempt, "is let in; the next one from {}", campaign.pace.ready_at
            )
            attempt.admitted.happen()
