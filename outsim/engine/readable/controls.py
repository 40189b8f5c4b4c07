"""What is done to the platform from outside: stops, expiries, windows, pauses, outages ...

Each is a process that waits for its instant and then changes what the others may do.
"""

from __future__ import annotations

from outsim.clock import NEVER
from outsim.engine.order import (
    CLEAR_STEP,
    EXPIRY_STEP,
    STOP_STEP,
    WINDOW_STEP,
    EventClass,
    call_key,
)
from outsim.engine.readable.events import Event, Process
from outsim.engine.readable.platform import Platform
from outsim.engine.readable.state import CampaignState, SubQueue
from outsim.plan import OutagePlan, SuspensionPlan
from outsim.vocabulary import CANCELED, EXPIRED, QUEUED, SCHEDULED, WAITING_RETRY

Spans = tuple[tuple[int, int], ...]


def control(p: Platform, at: int, key: int) -> Event:
    """An instant at which something is done from outside; what is late is done at once."""
    return p.events.at(max(at, p.events.now), EventClass.CONTROL, key)


def stop(p: Platform, campaign: CampaignState, effect_us: int) -> Process:
    """A stop of a campaign takes effect (rules 12 and 19)."""
    yield control(p, effect_us, call_key(campaign.plan.rank, 0, 0, STOP_STEP))
    if campaign.stopped or campaign.canceler is not None:
        return
    if campaign.rules.cancel_rate:
        p.canceling.begin(campaign)
        return
    campaign.stopped = True
    p.recorder.note(12, campaign, "is stopped")
    rules = campaign.rules
    _withdraw(
        p, campaign, CANCELED, retries=rules.stop_cancels_retries, queued=rules.stop_reaches_queue
    )


def clear(p: Platform, campaign: CampaignState, effect_us: int) -> Process:
    """A cancellation empties the queue of a campaign that was stopped already (rule 12)."""
    yield control(p, effect_us, call_key(campaign.plan.rank, 0, 0, CLEAR_STEP))
    p.recorder.note(12, campaign, "is cleared")
    _withdraw(p, campaign, CANCELED, retries=True, queued=True)


def expire(p: Platform, campaign: CampaignState) -> Process:
    """A campaign's calls expire (rule 9)."""
    key = call_key(campaign.plan.rank, 0, 0, EXPIRY_STEP)
    yield control(p, campaign.rules.expires_us, key)
    campaign.expired = True
    p.recorder.note(9, campaign, "expires")
    _withdraw(p, campaign, EXPIRED, retries=True, queued=True)


def expire_calls(p: Platform, campaign: CampaignState) -> Process:
    """Calls of a campaign expire one by one, each at an instant of its own (rule 16)."""
    expires_us = campaign.plan.own_expires_us
    assert expires_us is not None
    for index in campaign.plan.expiry_order:
        call = campaign.calls[index]
        yield control(p, int(expires_us[index]), call.key(0, EXPIRY_STEP))
        in_queue = call.status == QUEUED and not call.is_wedged
        if in_queue or call.status in (SCHEDULED, WAITING_RETRY):
            p.recorder.note(16, call, "expires by itself")
            p.statuses.withdraw(call, EXPIRED)
        if in_queue:
            p.queue.leave(call)


def _withdraw(
    p: Platform, campaign: CampaignState, status: int, *, retries: bool, queued: bool
) -> None:
    """Give the calls that this reaches a final status, in list order."""
    rule = 12 if status == CANCELED else 9
    for call in campaign.calls:
        if (
            (call.status == SCHEDULED and campaign.submitted_us[call.index] <= p.events.now)
            or (call.status == WAITING_RETRY and retries)
            or (call.status == QUEUED and queued and not call.is_wedged)
        ):
            p.recorder.note(rule, call, "is reached")
            p.statuses.withdraw(call, status)
    if queued:
        p.queue.clear(campaign)


def keep_window(p: Platform, campaign: CampaignState, place: int, spans: Spans) -> Process:
    """Hold back the sub-queues of a callee zone outside the calling window (rule 9)."""
    zones = len(campaign.place_of_zone)
    sub_queues = campaign.sub_queues[place::zones]
    key = call_key(campaign.plan.rank, place, 0, WINDOW_STEP)
    p.queue.hold(sub_queues, 9)
    for opens, closes in spans:
        if opens > p.events.now:
            yield control(p, opens, key)
        p.queue.release(sub_queues, 9)
        yield control(p, closes, key)
        p.queue.hold(sub_queues, 9)


def disturb(p: Platform, disturbance: SuspensionPlan | OutagePlan, place: int) -> Process:
    """A suspension, a pause or an outage comes and goes (rules 13 and 19)."""
    yield control(p, disturbance.begins_us, 2 * place)
    begin(p, disturbance)
    if disturbance.ends_us == NEVER:
        return
    yield control(p, disturbance.ends_us, 2 * place + 1)
    end(p, disturbance)


def begin(p: Platform, disturbance: SuspensionPlan | OutagePlan) -> None:
    """Hold back the calls of a campaign, a tenant or all; or take something out of service."""
    if isinstance(disturbance, SuspensionPlan):
        _count_blocker(p, disturbance, +1)
        p.queue.hold(_suspended(p, disturbance), _rule_of(disturbance))
        return
    _change_service(p, disturbance, +1)
    if disturbance.drop:
        _drop(p, disturbance)


def end(p: Platform, disturbance: SuspensionPlan | OutagePlan) -> None:
    """A suspension or an outage is over."""
    if isinstance(disturbance, SuspensionPlan):
        _count_blocker(p, disturbance, -1)
        p.queue.release(_suspended(p, disturbance), _rule_of(disturbance))
    else:
        _change_service(p, disturbance, -1)


def _rule_of(suspension: SuspensionPlan) -> int:
    return 19 if suspension.campaign else 13


def _count_blocker(p: Platform, suspension: SuspensionPlan, sign: int) -> None:
    if suspension.campaign:
        return
    if suspension.tenant:
        p.tenants[suspension.tenant].blockers += sign
    else:
        p.queue.blockers += sign


def _suspended(p: Platform, suspension: SuspensionPlan) -> list[SubQueue]:
    tenants = [p.tenants[suspension.tenant]] if suspension.tenant else p.tenants.values()
    return [
        sub_queue
        for tenant in tenants
        for sub_queue in tenant.sub_queues
        if suspension.holds(sub_queue.campaign.plan)
    ]


def _change_service(p: Platform, outage: OutagePlan, sign: int) -> None:
    if outage.of == "ports":
        ports = p.queue.ports
        ports.change_service(sign * (outage.count or ports.count), p.events.now)
        p.recorder.note(13, "ports", "{} in service, {} free", ports.in_service, ports.free)
        p.queue.wake()
    elif outage.of == "workers":
        p.workers.out_of_service += sign * (outage.count or p.workers.count)
        p.recorder.note(13, "workers", "{} out of service", p.workers.out_of_service)
    elif outage.of == "channels":
        p.carrier.channels_out += sign * (outage.count or max(p.carrier.channels))
        p.recorder.note(13, "channels", "{} out of service", p.carrier.channels_out)
    elif outage.of == "carrier":
        p.carrier.outages += sign
        p.recorder.note(13, "carrier", "{} outages", p.carrier.outages)
    elif outage.of == "status":
        p.workers.status_outages += sign
        p.recorder.note(13, "status processing", "{} outages", p.workers.status_outages)
    else:
        endpoint = p.deliveries.endpoints[outage.endpoint]
        endpoint.outages += sign
        p.recorder.note(13, f"endpoint {outage.endpoint}", "{} outages", endpoint.outages)


def _drop(p: Platform, outage: OutagePlan) -> None:
    """Cut calls off, in the order of their keys, until no more are up than may be."""
    attempts = [p.carrier.attempts[key] for key in sorted(p.carrier.attempts)]
    if outage.of == "ports":
        attempts = attempts[: max(0, -p.queue.ports.free)]
    elif outage.of == "channels":
        attempts = attempts[: max(0, len(attempts) - p.carrier.channels_left)]
    for attempt in attempts:
        attempt.call.process.interrupt()
