"""The platform on SimPy: its actors, and the passing of time.

This engine is the definition of the model, written to be read. What a call goes
through stands in `calls`, what is done to the platform from outside in
`controls`; each actor that they speak of has a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from outsim.engine.discipline import Discipline
from outsim.engine.order import CLASS_BITS, EventClass
from outsim.engine.readable.canceling import Canceling
from outsim.engine.readable.carrier import Carrier
from outsim.engine.readable.connection import Connection
from outsim.engine.readable.deliveries import Deliveries
from outsim.engine.readable.events import EventList
from outsim.engine.readable.intake import Intake
from outsim.engine.readable.pacing import Pacing
from outsim.engine.readable.queue import OutboundQueue
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import TenantState
from outsim.engine.readable.updates import StatusPipeline
from outsim.engine.readable.workers import Workers
from outsim.plan import Plan

FIRST_OF_OTHERS = (EventClass.REQUEST + 1) << CLASS_BITS
"""Priority from which on an event is no request."""


class Platform:
    """Everybody who acts in a run; `notes` has them say which rule they act by."""

    def __init__(
        self,
        plan: Plan,
        env: simpy.Environment | None = None,
        *,
        notes: bool = False,
        deliveries: type[Deliveries] = Deliveries,
        discipline: Discipline | None = None,
    ) -> None:
        self.env = env or simpy.Environment()
        self.events = EventList(self.env)
        self.recorder = Recorder(self.events, notes=notes)
        shared = (self.events, self.recorder)
        self.tenants = {
            tenant.name: TenantState(tenant, rank) for rank, tenant in enumerate(plan.tenants)
        }
        self.intake = Intake(*shared, plan.platform.intake, self.tenants)
        self.pacing = Pacing(*shared)
        self.queue = OutboundQueue(*shared, plan.platform, discipline)
        self.workers = Workers(*shared, plan.platform)
        self.carrier = Carrier(*shared, plan.platform)
        self.connection = Connection(*shared, self.carrier, plan)
        self.deliveries = deliveries(*shared, plan.platform.delivery_pool, plan.endpoints)
        self.statuses = StatusPipeline(*shared, self.workers, self.deliveries)
        self.canceling = Canceling(*shared, self.statuses, self.queue)

    def advance(self, until_us: int) -> None:
        """Let everything happen that is due before `until_us`."""
        for _ in self.instants(until_us):
            pass

    def answer_requests(self, at: int) -> None:
        """Let the requests of an instant come, before all else that is due then."""
        self.advance(at)
        events = self.env._queue
        while events and events[0][0] == at and events[0][1] < FIRST_OF_OTHERS:
            self.events.now = at
            self.env.step()

    def instants(self, until_us: int) -> Iterator[int]:
        """The same, instant by instant: each is given out once nothing is left of it."""
        events, peek, step = self.events, self.env.peek, self.env.step
        coming = peek()
        while coming < until_us:
            events.now = int(coming)
            step()
            following = peek()
            if following > coming:
                self.workers.close_instant()
                following = peek()
                yield events.now
            coming = following
