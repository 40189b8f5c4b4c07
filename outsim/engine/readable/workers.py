"""Workers (rule 5): a small pool with two priorities, not preemptive.

Dial work goes before status updates. Nothing here knows of a lag: it is what
happens to updates when dial work leaves the workers no time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from outsim.engine.order import EventClass
from outsim.engine.readable.agenda import Agenda

DialJob = TypeVar("DialJob")
StatusJob = TypeVar("StatusJob")


class WorkerPool(Generic[DialJob, StatusJob]):
    """Workers, the dial work that waits for them, and the backlog of updates.

    Work begins when an instant closes, after everything else that happens at
    it: so an update is never begun at an instant that also brings dial work.

    Parameters
    ----------
    begin_dial, begin_status : callable
        Told which job begins; returns its length in microseconds and its key.
    end_dial, end_status : callable
        Told which job has ended.
    """

    def __init__(
        self,
        agenda: Agenda,
        count: int,
        begin_dial: Callable[[DialJob], tuple[int, int]],
        end_dial: Callable[[DialJob], None],
        begin_status: Callable[[StatusJob], tuple[int, int]],
        end_status: Callable[[StatusJob], None],
    ) -> None:
        self.agenda = agenda
        self.count = count
        self.out_of_service = 0
        self.status_outages = 0
        self.busy = 0
        self.dial_work: deque[DialJob] = deque()
        self.backlog: deque[StatusJob] = deque()
        self.begin_dial, self.end_dial = begin_dial, end_dial
        self.begin_status, self.end_status = begin_status, end_status

    def close_instant(self) -> None:
        """Have idle workers begin what waits; called once nothing is left at this instant."""
        able = self.count - self.out_of_service
        while self.busy < able:
            if self.dial_work:
                dial = self.dial_work.popleft()
                length_us, key = self.begin_dial(dial)
                self._work(length_us, key, self._dial_ended, dial)
            elif self.backlog and not self.status_outages:
                status = self.backlog.popleft()
                length_us, key = self.begin_status(status)
                self._work(length_us, key, self._status_ended, status)
            else:
                return

    def _work(
        self, length_us: int, key: int, ended: Callable[..., None], job: DialJob | StatusJob
    ) -> None:
        self.busy += 1
        self.agenda.call(self.agenda.now + length_us, EventClass.WORKER_FINISHES, key, ended, job)

    def _dial_ended(self, job: DialJob) -> None:
        self.busy -= 1
        self.end_dial(job)

    def _status_ended(self, job: StatusJob) -> None:
        self.busy -= 1
        self.end_status(job)
