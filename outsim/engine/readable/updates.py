"""Status updates (rule 10): every change, and when the customer can see it."""

from __future__ import annotations

import simpy

from outsim.engine.order import EventClass
from outsim.engine.readable.deliveries import Deliveries
from outsim.engine.readable.events import EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Call, Update
from outsim.engine.readable.workers import Workers
from outsim.vocabulary import FIRST_FINAL, STATUS_TABLE, STATUSES, WITHDRAWN_KIND


class StatusPipeline:
    """Takes every change of status, and shows those that were processed and not lost."""

    def __init__(
        self, events: EventList, recorder: Recorder, workers: Workers, deliveries: Deliveries
    ) -> None:
        self.events = events
        self.recorder = recorder
        self.workers = workers
        self.deliveries = deliveries
        self._lost: list[Update] = []

    def change(self, call: Call, attempt: int, status: int) -> None:
        """A call's status changes now, in an attempt."""
        kind = STATUS_TABLE[status].update
        assert kind is not None
        self._change(call, attempt, status, kind)

    def withdraw(self, call: Call, status: int) -> None:
        """Give a call that is not being dialed a final status."""
        self.recorder.note(9, call, "what ended it: {}", STATUSES[status])
        self._change(call, call.attempts, status, WITHDRAWN_KIND)

    def _change(self, call: Call, attempt: int, status: int, kind: int) -> None:
        call.status = status
        campaign = call.campaign
        if status >= FIRST_FINAL:
            call.final = self.events.now
            campaign.tenant.unfinished -= 1
            if not call.is_wedged:
                campaign.unfinished -= 1
        update = Update(call, attempt, kind, self.events)
        update.lost = (campaign.update_draws(attempt).lost[call.index] >> kind) & 1
        self.recorder.updates.begin(update)
        self.recorder.note(10, update, "{}", STATUSES[status])
        self.workers.process(update)
        update.callbacks.append(self._processed)

    def _processed(self, update: simpy.Event) -> None:
        """A worker has processed an update: it is visible, unless it is lost."""
        assert isinstance(update, Update)
        if not update.lost:
            self._show(update)
        elif update.is_final:
            self._lost.append(update)
        else:
            self.recorder.updates.settle(update)

    def _show(self, update: Update) -> None:
        update.visible = self.events.now
        self.recorder.updates.settle(update)
        self.recorder.note(10, update, "is visible")
        if update.is_final:
            self.deliveries.final_visible(update.call)

    def reconcile(self) -> None:
        """Show the final statuses that were lost so far, in the order of their calls."""
        for update in sorted(self._lost, key=lambda lost: lost.call.key()):
            update.repaired = 1
            self._show(update)
        self._lost.clear()

    def schedule_reconciliation(self, every_us: int) -> None:
        """Reconcile every `every_us` from now on."""

        def repair() -> None:
            self.reconcile()
            self.schedule_reconciliation(every_us)

        self.events.call(self.events.now + every_us, EventClass.OTHER, 0, repair)
