"""How calls come into the queue: loading, pacing at admission, retries (rules 1, 2 and 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

from outsim.engine.order import ADMIT_STEP, EventClass
from outsim.engine.readable.agenda import Agenda, Moment
from outsim.engine.readable.queue import OutboundQueue
from outsim.engine.readable.state import CampaignState
from outsim.engine.readable.updates import QUEUED_KIND, StatusBoard
from outsim.vocabulary import CANCELED, EXPIRED, QUEUED, SCHEDULED, WAITING_RETRY


class Pacer:
    """Calls of one campaign that are ready to enter the queue and wait for their pace."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, int, int]] = deque()
        """(index, attempt, ready_at), in the order in which they became ready."""
        self.awake = False


class Admission:
    """Lets calls into the outbound queue, at the campaign's pace where that is its place."""

    def __init__(self, agenda: Agenda, queue: OutboundQueue, board: StatusBoard) -> None:
        self.agenda = agenda
        self.queue = queue
        self.board = board
        self._pacers: dict[int, Pacer] = {}

    def load(self, campaign: CampaignState) -> Generator[Moment, None, None]:
        """The loader of a campaign: a process that moves its calls in list order."""
        ready_us = campaign.plan.ready_us.data
        for index in range(campaign.plan.size):
            if campaign.status[index] != SCHEDULED:
                continue
            key = campaign.key(index, 1)
            yield self.agenda.moment(ready_us[index], EventClass.ENTERS_QUEUE, key)
            if campaign.status[index] != SCHEDULED:
                continue
            if campaign.stopped or campaign.expired:
                # Handed in after the campaign was over: it never gets a place.
                ending = EXPIRED if campaign.expired else CANCELED
                self.board.withdraw(campaign, index, ending)
            else:
                self._ready((campaign, index, campaign.attempts[index] + 1))

    def retry(self, campaign: CampaignState, index: int, attempt: int, ended_at: int) -> None:
        """Have a call ask for the queue again after its retry interval."""
        self.agenda.call(
            ended_at + campaign.rules.retry_interval_us,
            EventClass.ENTERS_QUEUE,
            campaign.key(index, attempt),
            self._ready,
            (campaign, index, attempt),
        )

    def _ready(self, ready: tuple[CampaignState, int, int]) -> None:
        campaign, index, attempt = ready
        if campaign.is_over(index):
            return
        now = self.agenda.now
        if campaign.pacer is None or campaign.rules.paced_at_dispatch:
            self._enter(campaign, index, attempt, now)
            return
        pacer = self._pacers.setdefault(campaign.rank, Pacer())
        pacer.waiting.append((index, attempt, now))
        if not pacer.awake:
            self._admit(campaign, pacer)

    def _admit(self, campaign: CampaignState, pacer: Pacer) -> None:
        """Let in whoever has waited longest, as fast as the pace allows."""
        assert campaign.pacer is not None
        now = self.agenda.now
        pacer.awake = False
        while pacer.waiting:
            index, attempt, ready_at = pacer.waiting[0]
            if campaign.is_over(index):
                pacer.waiting.popleft()
                continue
            if campaign.pacer.ready_at > now:
                pacer.awake = True
                self.agenda.call(
                    campaign.pacer.ready_at,
                    EventClass.ENTERS_QUEUE,
                    campaign.key(index, attempt, ADMIT_STEP),
                    lambda _: self._admit(campaign, pacer),
                )
                return
            campaign.pacer.take(now)
            pacer.waiting.popleft()
            self._enter(campaign, index, attempt, ready_at)

    def _enter(self, campaign: CampaignState, index: int, attempt: int, ready_at: int) -> None:
        campaign.status[index] = QUEUED
        self.board.change(campaign, index, attempt, QUEUED, QUEUED_KIND)
        if not campaign.wedged[index]:
            self.queue.enter(campaign, index, attempt, ready_at, self.agenda.now)

    def withdraw(
        self, campaign: CampaignState, status: int, *, retries: bool, queued: bool
    ) -> None:
        """Give the calls that this reaches a final status, in list order."""
        now = self.agenda.now
        submitted_us = campaign.plan.submitted_at_us.data
        for index in range(campaign.plan.size):
            found = campaign.status[index]
            reached = (
                (found == SCHEDULED and submitted_us[index] <= now)
                or (found == WAITING_RETRY and retries)
                or (found == QUEUED and queued and not campaign.wedged[index])
            )
            if reached:
                self.board.withdraw(campaign, index, status)
        if queued:
            self.queue.clear(campaign)
