"""The platform: who tells whom, and the passing of time.

This is the model of `outsim.engine.readable`, rule by rule and name by name, on
plain arrays. It pauses when it needs something of Python: room for records,
draws that nobody has asked for yet, or a sign of life.
"""

from __future__ import annotations

from numpy import int64

from outsim.engine.compiled import (
    calls,
    canceling,
    controls,
    deliveries,
    events,
    intake,
    pacing,
    queue,
    workers,
)
from outsim.engine.compiled.events import (
    ADMIT,
    ASKS,
    ASKS_AGAIN,
    BEGIN,
    CANCEL,
    DISPATCH,
    EXPIRY_OF_CALL,
    KINDS,
    LOAD,
    MOVE,
    POST_DUE,
    RECONCILE,
    RELEASE_CAMPAIGN,
    RELEASE_TENANT,
    RETRY,
    RETRY_OF_CALL,
    is_before,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    COURSES,
    LOST,
    POSTING,
    WORK,
    block_at,
    call_at,
    campaign_at,
    control_at,
    heap_at,
    posts_at,
    request_at,
    wait_at,
)
from outsim.engine.compiled.memory import Row, code_at, instant_at, kernel
from outsim.engine.compiled.queue import release_campaign, release_tenant
from outsim.engine.compiled.updates import reconcile

REACHED, PAUSED, NEEDS_ROOM, NEEDS_CALLS, NEEDS_DRAWS, NEEDS_POST_DRAWS, NEEDS_LOADING = range(7)
"""Why `advance` came back."""

CONTROLS, LOOK = 100, 101
"""Where the next event is, beside the heaps."""


def advance(platforms: Row, until_us: int, most: int) -> int:
    """Let everything happen that is due before `until_us`.

    It comes back early after `most` events, or when something is wanting, and can then be
    called again.
    """
    p = platforms[0]
    source, at, order = _next_event(p)
    while True:
        work = events.first_of(p, WORK)
        works = is_before(work.at, work.order, at, order)
        coming = work.at if works else at
        if coming > p.now and p.instant_open:
            p.instant_open = 0
            workers.close_instant(p)
            continue
        if coming >= until_us:
            return REACHED
        if most == 0:
            return PAUSED
        most -= 1
        wanting = _wanting(p, WORK if works else source)
        if wanting != REACHED:
            return wanting
        p.now = coming
        p.instant_open = 1
        if works:
            # Most updates bring about nothing: then what comes next but for them is the same.
            if not workers.finish(p):
                continue
        elif source == COURSES:
            calls.go_on(p)
        elif source == LOOK:
            queue.look(p)
        elif source == AGENDA:
            _act(p)
        elif source == POSTING:
            deliveries.post_ends(p)
        else:
            controls.act(p)
        source, at, order = _next_event(p)


@kernel
def _next_event(p: Row) -> tuple[int, int, int]:
    """Where the next event is that no worker finishes, when, and its place among others then."""
    first = events.first_of(p, COURSES)
    source, at, order = COURSES, first.at, first.order
    first = events.first_of(p, AGENDA)
    if is_before(first.at, first.order, at, order):
        source, at, order = AGENDA, first.at, first.order
    first = events.first_of(p, POSTING)
    if is_before(first.at, first.order, at, order):
        source, at, order = POSTING, first.at, first.order
    if is_before(p.look_at, DISPATCH, at, order):
        source, at, order = LOOK, p.look_at, DISPATCH
    if p.next_control < p.control_count:
        control = control_at(p.controls, p.next_control)
        if is_before(control.at, control.order, at, order):
            source, at, order = CONTROLS, control.at, control.order
    return source, at, order


@kernel
def _act(p: Row) -> None:
    """Do what is first on the list of rare events."""
    item = events.first_of(p, AGENDA).item
    kind, place = item % KINDS, item // KINDS
    if kind == LOAD:
        calls.load(p, place)
    elif kind == RETRY:
        calls.retry_is_due(p, place)
    elif kind == RETRY_OF_CALL:
        calls.retry_of_call_is_due(p, place)
    elif kind == EXPIRY_OF_CALL:
        calls.expire(p, place)
    elif kind == POST_DUE:
        deliveries.due_again(p, place)
    elif kind == ADMIT:
        events.drop_first(p, AGENDA)
        pacing.let_in(p, place)
    elif kind == CANCEL:
        events.drop_first(p, AGENDA)
        canceling.turn(p, place)
    elif kind == RELEASE_CAMPAIGN:
        events.drop_first(p, AGENDA)
        release_campaign(p, campaign_at(p.campaigns, place))
    elif kind == RELEASE_TENANT:
        events.drop_first(p, AGENDA)
        release_tenant(p, place)
    elif kind == RECONCILE:
        reconcile(p)
    elif kind == ASKS:
        intake.comes(p, place)
    elif kind == ASKS_AGAIN:
        intake.comes_again(p, place)
    elif kind == BEGIN:
        intake.begin(p, place)
    else:
        intake.move(p, place)


@kernel
def _wanting(p: Row, source: int) -> int:
    """What is wanting before this event can happen: REACHED if nothing is."""
    updates, deliveries = p.port_count + 1, 1
    if source == CONTROLS:
        control = control_at(p.controls, p.next_control)
        if control.kind == controls.STOP or control.kind == controls.EXPIRY:
            updates += campaign_at(p.campaigns, control.item).size
            if not _handed_in(p, control.item):
                return NEEDS_CALLS
            if not _has_draws(p, control.item, 0):
                return NEEDS_DRAWS
    elif source == AGENDA:
        item = events.first_of(p, AGENDA).item
        kind, place = item % KINDS, item // KINDS
        if kind == LOAD:
            campaign = campaign_at(p.campaigns, place)
            if not _handed_in(p, place):
                return NEEDS_CALLS
            if not _has_first_draws(p, place, campaign):
                return NEEDS_DRAWS
        elif kind in (RETRY, RETRY_OF_CALL):
            first = call_at(p.calls, place if kind != RETRY else calls.first_retry(p, place))
            if not _has_draws(p, int64(first.campaign), int64(first.number)):
                return NEEDS_DRAWS
        elif kind == EXPIRY_OF_CALL:
            if not _handed_in(p, place):
                return NEEDS_CALLS
            campaign = campaign_at(p.campaigns, place)
            call = call_at(p.calls, campaign.first_call + calls.expiring(campaign))
            if not _has_draws(p, place, int64(call.attempts)):
                return NEEDS_DRAWS
        elif kind == POST_DUE:
            row = wait_at(p.waits, place).first
            rank = events.campaign_of(instant_at(p.delivery_key, row))
            if not _posts_has_draws(p, rank, code_at(p.delivery_post, row) + 1):
                return NEEDS_POST_DRAWS
        elif kind == RECONCILE:
            deliveries += heap_at(p.heaps, LOST).count
        elif kind == ASKS:
            if not _handed_in(p, place):
                return NEEDS_CALLS
        elif kind == BEGIN:
            p.wanted_campaign = place
            if campaign_at(p.campaigns, place).ready_us == 0:
                return NEEDS_LOADING
        elif kind == MOVE:
            rank = int64(request_at(p.requests, place).campaign)
            campaign = campaign_at(p.campaigns, rank)
            if not _has_first_draws(p, rank, campaign):
                return NEEDS_DRAWS
    if (
        p.dispatches + p.port_count > p.attempt_room
        or p.updates + updates > p.update_room
        or p.deliveries + deliveries > p.delivery_room
    ):
        p.wanted_updates = updates
        p.wanted_deliveries = deliveries
        return NEEDS_ROOM
    return REACHED


@kernel
def _has_first_draws(p: Row, rank: int, campaign: Row) -> bool:
    """Whether there is what a call needs that is loaded, or comes too late."""
    if campaign.stopped or campaign.expired:
        return _has_draws(p, rank, 0)
    # One of them may have expired by itself.
    return _has_draws(p, rank, 1) and (campaign.own_expires_us == 0 or _has_draws(p, rank, 0))


@kernel
def _handed_in(p: Row, rank: int) -> bool:
    """Whether the calls of a campaign are there."""
    p.wanted_campaign = rank
    return campaign_at(p.campaigns, rank).handed_in != 0


@kernel
def _has_draws(p: Row, rank: int, attempt: int) -> bool:
    """Whether the tape has been asked about attempts of a campaign with this number."""
    p.wanted_campaign = rank
    p.wanted_number = attempt
    return block_at(p.blocks, campaign_at(p.campaigns, rank).blocks + attempt).lost != 0


@kernel
def _posts_has_draws(p: Row, rank: int, post: int) -> bool:
    """The same about posts."""
    p.wanted_campaign = rank
    p.wanted_number = post
    return posts_at(p.posts, campaign_at(p.campaigns, rank).posts + post).fails != 0
