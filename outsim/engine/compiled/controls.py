"""What is done to the platform from outside: stops, expiries, windows, pauses, outages ..."""

from __future__ import annotations

from outsim.engine.compiled import canceling, events, ports, queue
from outsim.engine.compiled.calls import cut_off
from outsim.engine.compiled.carrier import channels_left
from outsim.engine.compiled.layout import (
    DROPPED,
    NONE,
    attempt_at,
    call_at,
    campaign_at,
    control_at,
    endpoint_at,
    outage_at,
    window_at,
)
from outsim.engine.compiled.memory import Row, instant_at, kernel, rare
from outsim.engine.compiled.updates import withdraw
from outsim.vocabulary import CANCELED, EXPIRED, QUEUED, SCHEDULED, WAITING_RETRY

STOP, EXPIRY, WINDOW_OPENS, WINDOW_CLOSES, SUSPENSION, RESUMPTION, OUTAGE, REPAIR, CLEAR = range(9)
PAUSE, PAUSE_ENDS = CLEAR + 1, CLEAR + 2
"""What a control does."""

PORTS, WORKERS, CHANNELS, CARRIER, STATUS, ENDPOINT = range(6)
"""What an outage is of."""


@rare
def act(p: Row) -> None:
    """Do what is due next."""
    control = control_at(p.controls, p.next_control)
    p.next_control += 1
    item = control.item
    if control.kind == STOP:
        _stop(p, item)
    elif control.kind == CLEAR:
        _withdraw(p, item, CANCELED, True, True)
    elif control.kind == EXPIRY:
        _expire(p, item)
    elif control.kind == WINDOW_OPENS:
        _keep_window(p, item, True)
    elif control.kind == WINDOW_CLOSES:
        _keep_window(p, item, False)
    elif control.kind == SUSPENSION:
        _suspend(p, item, True)
    elif control.kind == RESUMPTION:
        _suspend(p, item, False)
    elif control.kind == PAUSE:
        queue.hold_campaign(p, campaign_at(p.campaigns, item))
    elif control.kind == PAUSE_ENDS:
        queue.release_campaign(p, campaign_at(p.campaigns, item))
    elif control.kind == OUTAGE:
        _change_service(p, item, 1)
        if outage_at(p.outages, item).drop:
            _drop(p, item)
    else:
        _change_service(p, item, -1)


@kernel
def _stop(p: Row, rank: int) -> None:
    """A stop of a campaign takes effect (rules 12 and 19)."""
    campaign = campaign_at(p.campaigns, rank)
    if campaign.stops_by_calls:
        canceling.begin(p, rank)
        return
    campaign.stopped = 1
    _withdraw(
        p, rank, CANCELED, campaign.stop_cancels_retries != 0, campaign.stop_reaches_queue != 0
    )


@kernel
def _expire(p: Row, rank: int) -> None:
    """A campaign's calls expire (rule 9)."""
    campaign_at(p.campaigns, rank).expired = 1
    _withdraw(p, rank, EXPIRED, True, True)


@kernel
def _withdraw(p: Row, rank: int, status: int, retries: bool, queued: bool) -> None:
    """Give the calls that this reaches a final status, in list order."""
    campaign = campaign_at(p.campaigns, rank)
    for index in range(campaign.size):
        call = call_at(p.calls, campaign.first_call + index)
        submitted_us = campaign.submitted_us
        if campaign.requests_us != 0:
            submitted_us = instant_at(campaign.requests_us, index)
        if (
            (call.status == SCHEDULED and submitted_us <= p.now)
            or (call.status == WAITING_RETRY and retries)
            or (call.status == QUEUED and queued and not call.wedged)
        ):
            withdraw(p, rank, campaign.first_call + index, status)
    if queued:
        queue.clear(p, campaign)


@kernel
def _keep_window(p: Row, place: int, opens: bool) -> None:
    """Hold back the sub-queues of a callee zone outside the calling window (rule 9)."""
    window = window_at(p.windows, place)
    campaign = campaign_at(p.campaigns, window.campaign)
    for k in range(window.place, campaign.sub_queues, campaign.zones):
        if opens:
            queue.release(p, campaign.first_sub_queue + k, 1)
        else:
            queue.hold(p, campaign.first_sub_queue + k, 1)


@kernel
def _suspend(p: Row, rank: int, begins: bool) -> None:
    """Hold back the calls of a tenant, or all calls, for a while (rule 13)."""
    if rank == NONE:
        if begins:
            queue.hold(p, 0, p.sub_queue_count)
        else:
            queue.release(p, 0, p.sub_queue_count)
    elif begins:
        queue.hold_tenant(p, rank)
    else:
        queue.release_tenant(p, rank)


@kernel
def _change_service(p: Row, place: int, sign: int) -> None:
    """Take something out of service, or put it back (rule 13)."""
    outage = outage_at(p.outages, place)
    if outage.of == PORTS:
        ports.change_service(p, sign * (outage.count if outage.count else p.port_count))
        queue.wake(p, p.now)
    elif outage.of == WORKERS:
        p.workers_out += sign * (outage.count if outage.count else p.worker_count)
    elif outage.of == CHANNELS:
        p.channels_out += sign * (outage.count if outage.count else p.most_channels)
    elif outage.of == CARRIER:
        p.carrier_outages += sign
    elif outage.of == STATUS:
        p.status_outages += sign
    else:
        endpoint_at(p.endpoints, outage.endpoint).outages += sign


@kernel
def _drop(p: Row, place: int) -> None:
    """Cut calls off, in the order of their keys, until no more are up than may be."""
    outage = outage_at(p.outages, place)
    most = p.channels_busy
    if outage.of == PORTS:
        most = max(0, -ports.free(p))
    elif outage.of == CHANNELS:
        most = max(0, p.channels_busy - channels_left(p, p.now))
    for port in range(p.port_count):
        attempt = attempt_at(p.ports, port)
        if attempt.under_way and attempt.at_carrier:
            events.schedule(p, DROPPED, 0, attempt.key, port)
    while events.first_of(p, DROPPED).at == 0:
        port = events.first_of(p, DROPPED).item
        events.drop_first(p, DROPPED)
        if most > 0:
            most -= 1
            cut_off(p, port)
