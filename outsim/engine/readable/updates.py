"""Status updates (rule 10): every change, and when the customer can see it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import NamedTuple

from outsim.clock import MISSING
from outsim.engine.order import FIRST_UPDATE_STEP, EventClass
from outsim.engine.readable.agenda import Agenda
from outsim.engine.readable.state import CampaignState
from outsim.engine.records import UPDATE_COLUMNS
from outsim.tape.draws import UPDATE_KINDS
from outsim.vocabulary import FIRST_FINAL

ENDED_KIND = UPDATE_KINDS.index("ended")
QUEUED_KIND = UPDATE_KINDS.index("queued")
DIALING_KIND = UPDATE_KINDS.index("dialing")
WITHDRAWN_KIND = UPDATE_KINDS.index("withdrawn")

_WIDTH = len(UPDATE_COLUMNS)
_BEGUN = UPDATE_COLUMNS.index("begun")
_VISIBLE = UPDATE_COLUMNS.index("visible")
_REPAIRED = UPDATE_COLUMNS.index("repaired")


class Update(NamedTuple):
    """One change of status on its way to being visible."""

    row: int
    campaign: CampaignState
    place: int
    """Of the call in its campaign."""
    attempt: int
    status: int
    kind: int
    lost: bool


class StatusBoard:
    """Keeps every change of status, and shows those that were processed and not lost.

    Parameters
    ----------
    enqueue : callable
        Puts an update at the end of the workers' backlog.
    final_visible : callable
        Told the campaign and index of a call whose final status became visible.
    """

    def __init__(
        self,
        agenda: Agenda,
        status_work_us: int,
        enqueue: Callable[[Update], None],
        final_visible: Callable[[CampaignState, int], None],
    ) -> None:
        self.agenda = agenda
        self.status_work_us = status_work_us
        self.enqueue = enqueue
        self.final_visible = final_visible
        self.rows = array("q")
        self._lost: list[Update] = []

    def change(
        self, campaign: CampaignState, index: int, attempt: int, status: int, kind: int
    ) -> None:
        """Note a change of status that happens now."""
        now = self.agenda.now
        if status >= FIRST_FINAL:
            campaign.final_at[index] = now
            if not campaign.wedged[index]:
                campaign.unfinished -= 1
        lost = (campaign.update_draws(attempt).lost[index] >> kind) & 1
        row = len(self.rows)
        self.rows.extend(
            (campaign.call_id(index), attempt, status, now, MISSING, MISSING, lost, 0)
        )
        self.enqueue(Update(row, campaign, index, attempt, status, kind, bool(lost)))

    def withdraw(self, campaign: CampaignState, index: int, status: int) -> None:
        """Give a call that is not being dialled a final status."""
        campaign.status[index] = status
        self.change(campaign, index, campaign.attempts[index], status, WITHDRAWN_KIND)

    def begin(self, update: Update) -> tuple[int, int]:
        """A worker begins with an update: how long it takes, and its place at its end."""
        self.rows[update.row + _BEGUN] = self.agenda.now
        campaign, length_us = update.campaign, self.status_work_us
        if length_us < 0:
            work = campaign.update_draws(update.attempt).status_work_us
            length_us = work[update.kind][update.place]
        return length_us, campaign.key(
            update.place, update.attempt, FIRST_UPDATE_STEP + update.kind
        )

    def end(self, update: Update) -> None:
        """A worker has processed an update: it is visible, unless it is lost."""
        if update.lost:
            if update.status >= FIRST_FINAL:
                self._lost.append(update)
            return
        self._show(update)

    def _show(self, update: Update) -> None:
        self.rows[update.row + _VISIBLE] = self.agenda.now
        if update.status >= FIRST_FINAL:
            self.final_visible(update.campaign, update.place)

    def reconcile(self) -> None:
        """Show the final statuses that were lost so far, in the order of their calls."""
        for update in sorted(self._lost, key=lambda u: (u.campaign.rank, u.place)):
            self.rows[update.row + _REPAIRED] = 1
            self._show(update)
        self._lost.clear()

    def schedule_reconciliation(self, every_us: int) -> None:
        """Reconcile every `every_us` from the start of the run."""

        def repair(_: None) -> None:
            self.reconcile()
            self.agenda.call(self.agenda.now + every_us, EventClass.OTHER, 0, repair)

        self.agenda.call(every_us, EventClass.OTHER, 0, repair)
