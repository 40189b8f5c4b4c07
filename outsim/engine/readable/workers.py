"""Workers (rule 5): a small pool with two priorities, not preemptive.

Dial work goes before status updates. Nothing here knows of a lag: it is what
happens to updates when dial work leaves the workers no time.
"""

from __future__ import annotations

from collections import deque

import simpy

from outsim.engine.order import EventClass
from outsim.engine.readable.events import Event, EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Attempt, Update
from outsim.plan import PlatformPlan


class Workers:
    """Workers, dial work that waits for them, and updates; work begins as an instant closes."""

    def __init__(self, events: EventList, recorder: Recorder, plan: PlatformPlan) -> None:
        self.events = events
        self.recorder = recorder
        self.count = plan.workers
        self.dial_work_us = plan.dial_work_us
        self.status_work_us = plan.status_work_us
        self.out_of_service = 0
        self.status_outages = 0
        self.busy = 0
        self.dial_work: deque[Attempt] = deque()
        self.backlog: deque[Update] = deque()

    def dial(self, attempt: Attempt) -> Event:
        """Have an attempt's dial work done; what is returned happens at its end."""
        attempt.dial_work = self.events.event()
        attempt.dial_work.callbacks.append(self._finish)
        self.dial_work.append(attempt)
        return attempt.dial_work

    def process(self, update: Update) -> None:
        """Have an update processed."""
        update.callbacks.append(self._finish)
        self.backlog.append(update)
        if self.status_outages:
            self.recorder.note(13, update, "{} wait for processing", len(self.backlog))

    def close_instant(self) -> None:
        """Have idle workers begin what waits; called once nothing is left at this instant."""
        able = self.count - self.out_of_service
        while self.busy < able:
            if self.dial_work:
                self._begin_dial(self.dial_work.popleft())
            elif self.backlog and not self.status_outages:
                self._begin_update(self.backlog.popleft())
            else:
                return

    def _begin_dial(self, attempt: Attempt) -> None:
        attempt.work_started = self.events.now
        length_us = self.dial_work_us
        if length_us < 0:
            length_us = attempt.draws.dial_work_us[attempt.call.index]
        self.recorder.note(5, "workers", "one begins dial work, {} wait", len(self.dial_work))
        self.recorder.note(5, attempt, "is worked on for {}", length_us)
        self._work(attempt.dial_work, length_us, attempt.key)

    def _begin_update(self, update: Update) -> None:
        update.begun = self.events.now
        length_us = self.status_work_us
        if length_us < 0:
            work = update.call.campaign.update_draws(update.attempt).status_work_us
            length_us = work[update.kind, update.call.index]
        self.recorder.note(5, "workers", "one begins an update")
        self.recorder.note(10, update, "is processed for {}", length_us)
        self._work(update, length_us, update.key)

    def _work(self, work: Event, length_us: int, key: int) -> None:
        self.busy += 1
        at = self.events.now + length_us
        self.events.schedule(work, at, EventClass.WORKER_FINISHES, key)

    def _finish(self, _: simpy.Event) -> None:
        self.busy -= 1
