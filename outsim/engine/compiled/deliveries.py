"""result_url posts (rule 11): one final result per call, once its final update is visible."""

from __future__ import annotations

from outsim.clock import MISSING
from outsim.engine.compiled import events
from outsim.engine.compiled.events import (
    KINDS,
    OTHER,
    POST_DUE,
    attempt_of,
    call_key,
    campaign_of,
    index_of,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    NONE,
    POSTING,
    campaign_at,
    endpoint_at,
    posts_at,
    wait_at,
)
from outsim.engine.compiled.memory import (
    Row,
    code_at,
    flag_at,
    instant_at,
    kernel,
    number_at,
    set_code,
    set_instant,
    set_number,
)
from outsim.engine.order import POST_DUE_STEP, POST_ENDS_STEP
from outsim.engine.records import NOT_KNOWN
from outsim.vocabulary import ACCEPTED, TIMEOUT, UNREACHABLE

RESULTS = 4
"""Of a post under way it is known how it will end: its entry says so."""


@kernel
def _endpoint_of(p: Row, row: int) -> Row:
    rank = campaign_of(instant_at(p.delivery_key, row))
    return endpoint_at(p.endpoints, campaign_at(p.campaigns, rank).endpoint)


@kernel
def final_visible(p: Row, rank: int, at: int) -> None:
    """The customer can see how a call ended: post it, if it is to be posted."""
    if campaign_at(p.campaigns, rank).endpoint != NONE:
        due(p, rank, at, 1)


@kernel
def due(p: Row, rank: int, at: int, post: int) -> None:
    """A call's final result is to be posted now, for the first time or again."""
    row = p.deliveries
    p.deliveries += 1
    index = at - campaign_at(p.campaigns, rank).first_call
    set_instant(p.delivery_key, row, call_key(rank, index, post, POST_ENDS_STEP))
    set_number(p.delivery_call_id, row, at)
    set_code(p.delivery_post, row, post)
    set_instant(p.delivery_due, row, p.now)
    set_instant(p.delivery_begun, row, MISSING)
    set_instant(p.delivery_ended, row, MISSING)
    set_code(p.delivery_result, row, NOT_KNOWN)
    set_number(p.delivery_next, row, NONE)
    endpoint = _endpoint_of(p, row)
    if endpoint.first == NONE:
        endpoint.first = row
    else:
        set_number(p.delivery_next, endpoint.last, row)
    endpoint.last = row
    p.posts_waiting += 1
    _begin(p)


@kernel
def _begin(p: Row) -> None:
    """Begin the oldest posts whose endpoint takes one, while senders are free."""
    while p.posts_busy < p.delivery_pool and p.posts_waiting > 0:
        oldest = NONE
        for place in range(p.endpoint_count):
            endpoint = endpoint_at(p.endpoints, place)
            able = endpoint.first != NONE and endpoint.busy < endpoint.posts_at_once
            if able and (
                oldest == NONE or endpoint.first < endpoint_at(p.endpoints, oldest).first
            ):
                oldest = place
        if oldest == NONE:
            return
        endpoint = endpoint_at(p.endpoints, oldest)
        row = endpoint.first
        endpoint.first = number_at(p.delivery_next, row)
        p.posts_waiting -= 1
        _send(p, endpoint, row)


@kernel
def _send(p: Row, endpoint: Row, row: int) -> None:
    set_instant(p.delivery_begun, row, p.now)
    p.posts_busy += 1
    endpoint.busy += 1
    key = instant_at(p.delivery_key, row)
    index, post = index_of(key), attempt_of(key)
    draws = posts_at(p.posts, campaign_at(p.campaigns, campaign_of(key)).posts + post)
    latency_us = max(1, number_at(draws.latency_ms, index) * 1000)
    result, lasts_us = ACCEPTED, latency_us
    if endpoint.outages > 0:
        result, lasts_us = UNREACHABLE, endpoint.timeout_us
    elif latency_us > endpoint.timeout_us:
        result, lasts_us = TIMEOUT, endpoint.timeout_us
    elif flag_at(draws.fails, index):
        result = TIMEOUT + flag_at(draws.fails, index)
    events.schedule(p, POSTING, p.now + lasts_us, OTHER | key, row * RESULTS + result)


@kernel
def post_ends(p: Row) -> None:
    """The first of the posts under way is answered, or given up."""
    item = events.first_of(p, POSTING).item
    events.drop_first(p, POSTING)
    row, result = item // RESULTS, item % RESULTS
    set_instant(p.delivery_ended, row, p.now)
    set_code(p.delivery_result, row, result)
    post, endpoint = code_at(p.delivery_post, row), _endpoint_of(p, row)
    p.posts_busy -= 1
    endpoint.busy -= 1
    if result != ACCEPTED and post <= endpoint.waits:
        _wait(p, endpoint.first_wait + post - 1, row)
    _begin(p)


@kernel
def _due_key(p: Row, row: int) -> int:
    key = instant_at(p.delivery_key, row)
    post = attempt_of(key) + 1
    return OTHER | call_key(campaign_of(key), index_of(key), post, POST_DUE_STEP)


@kernel
def _wait(p: Row, place: int, row: int) -> None:
    """Have a post that failed wait for its next time, behind those that wait as long."""
    wait = wait_at(p.waits, place)
    set_number(p.delivery_next, row, NONE)
    if wait.first != NONE:
        set_number(p.delivery_next, wait.last, row)
        wait.last = row
        return
    wait.first = row
    wait.last = row
    key = _due_key(p, row)
    events.schedule(p, AGENDA, p.now + wait.wait_us, key, POST_DUE + KINDS * place)


@kernel
def due_again(p: Row, place: int) -> None:
    """The first of the posts that wait so long is due."""
    wait = wait_at(p.waits, place)
    row = wait.first
    wait.first = number_at(p.delivery_next, row)
    if wait.first == NONE:
        events.drop_first(p, AGENDA)
    else:
        due_at = instant_at(p.delivery_ended, wait.first) + wait.wait_us
        events.replace_first(p, AGENDA, due_at, _due_key(p, wait.first))
    rank = campaign_of(instant_at(p.delivery_key, row))
    due(p, rank, number_at(p.delivery_call_id, row), code_at(p.delivery_post, row) + 1)
