"""What is done to the platform from outside: stops, expiries, windows, suspensions, outages."""

from __future__ import annotations

from collections.abc import Generator

from outsim.clock import NEVER
from outsim.engine.order import EXPIRY_STEP, STOP_STEP, WINDOW_STEP, EventClass, call_key
from outsim.engine.readable.agenda import Agenda, Moment
from outsim.engine.readable.carrier import Carrier
from outsim.engine.readable.deliveries import Deliveries
from outsim.engine.readable.dispatch import Dispatcher
from outsim.engine.readable.line import Line
from outsim.engine.readable.state import Attempt, CampaignState, Lane, TenantState
from outsim.engine.readable.submission import Admission
from outsim.engine.readable.updates import Update
from outsim.engine.readable.workers import WorkerPool
from outsim.plan import OutagePlan, SuspensionPlan
from outsim.vocabulary import CANCELED, EXPIRED

Process = Generator[Moment, None, None]


class Controls:
    """Actors that wait for their instant and then change what the others may do."""

    def __init__(
        self,
        agenda: Agenda,
        dispatcher: Dispatcher,
        admission: Admission,
        carrier: Carrier,
        line: Line,
        workers: WorkerPool[Attempt, Update],
        deliveries: Deliveries,
    ) -> None:
        self.agenda = agenda
        self.dispatcher = dispatcher
        self.queue = dispatcher.queue
        self.admission = admission
        self.carrier = carrier
        self.line = line
        self.workers = workers
        self.deliveries = deliveries

    def _control(self, at: int, key: int) -> Moment:
        return self.agenda.moment(max(at, self.agenda.now), EventClass.CONTROL, key)

    def stop(self, campaign: CampaignState, effect_us: int) -> Process:
        """A stop of a campaign takes effect (rule 12)."""
        yield self._control(effect_us, call_key(campaign.rank, 0, 0, STOP_STEP))
        campaign.stopped = True
        self.admission.withdraw(
            campaign,
            CANCELED,
            retries=campaign.rules.stop_cancels_retries,
            queued=campaign.rules.stop_reaches_queue,
        )

    def expire(self, campaign: CampaignState) -> Process:
        """A campaign's calls expire (rule 9)."""
        yield self._control(campaign.rules.expires_us, call_key(campaign.rank, 0, 0, EXPIRY_STEP))
        campaign.expired = True
        self.admission.withdraw(campaign, EXPIRED, retries=True, queued=True)

    def keep_window(
        self, campaign: CampaignState, place: int, spans: tuple[tuple[int, int], ...]
    ) -> Process:
        """Hold back the lanes of a callee zone outside the calling window (rule 9)."""
        zones = len(campaign.lane_of_zone)
        lanes = [lane for k, lane in enumerate(campaign.lanes) if k % zones == place]
        key = call_key(campaign.rank, place, 0, WINDOW_STEP)
        for opens, closes in spans:
            if opens > self.agenda.now:
                yield self._control(opens, key)
            self.queue.release(lanes, self.agenda.now)
            yield self._control(closes, key)
            self.queue.hold(lanes)

    def suspend(
        self, suspension: SuspensionPlan, tenants: dict[str, TenantState], place: int
    ) -> Process:
        """Hold back the calls of a tenant, or all calls, for a while (rule 13)."""
        yield self._control(suspension.begins_us, 2 * place)
        self._count_hold(suspension, tenants, +1)
        self.queue.hold(self._suspended(suspension, tenants))
        if suspension.ends_us == NEVER:
            return
        yield self._control(suspension.ends_us, 2 * place + 1)
        self._count_hold(suspension, tenants, -1)
        self.queue.release(self._suspended(suspension, tenants), self.agenda.now)

    def _count_hold(
        self, suspension: SuspensionPlan, tenants: dict[str, TenantState], sign: int
    ) -> None:
        if suspension.tenant:
            tenants[suspension.tenant].holds += sign
        else:
            self.queue.holds += sign

    def _suspended(
        self, suspension: SuspensionPlan, tenants: dict[str, TenantState]
    ) -> list[Lane]:
        if suspension.tenant:
            return tenants[suspension.tenant].lanes
        return [lane for tenant in tenants.values() for lane in tenant.lanes]

    def fail(self, outage: OutagePlan, place: int) -> Process:
        """Take something out of service for a while (rule 13)."""
        yield self._control(outage.begins_us, 2 * place)
        self._change_service(outage, +1)
        if outage.drop:
            self._drop(outage)
        if outage.ends_us == NEVER:
            return
        yield self._control(outage.ends_us, 2 * place + 1)
        self._change_service(outage, -1)

    def _change_service(self, outage: OutagePlan, sign: int) -> None:
        now = self.agenda.now
        if outage.of == "ports":
            self.dispatcher.ports.change_service(
                sign * (outage.count or self.dispatcher.ports.count), now
            )
            self.dispatcher.wake()
        elif outage.of == "workers":
            self.workers.out_of_service += sign * (outage.count or self.workers.count)
        elif outage.of == "channels":
            self.carrier.channels_out += sign * (outage.count or max(self.carrier.channels))
        elif outage.of == "carrier":
            self.carrier.outages += sign
        elif outage.of == "status":
            self.workers.status_outages += sign
        else:
            self.deliveries.endpoints[outage.endpoint].outages += sign

    def _drop(self, outage: OutagePlan) -> None:
        """Cut calls off, in the order of their keys, until no more are up than may be."""
        calls = [self.carrier.calls[key] for key in sorted(self.carrier.calls)]
        if outage.of == "ports":
            calls = calls[: max(0, -self.dispatcher.ports.free)]
        elif outage.of == "channels":
            calls = calls[: max(0, len(calls) - self.carrier.channels_left(self.agenda.now))]
        for attempt in calls:
            self.line.drop(attempt)
