"""Status updates (rule 10): every change, and when the customer can see it.

The backlog is the part of the records that no worker has begun: updates are
begun in the order in which they happened.
"""

from __future__ import annotations

from numpy import int64

from outsim.clock import MISSING
from outsim.engine.compiled import events
from outsim.engine.compiled.deliveries import final_visible
from outsim.engine.compiled.events import (
    OTHER,
    attempt_of,
    call_key,
    campaign_of,
    index_of,
    schedule,
    step_of,
)
from outsim.engine.compiled.layout import (
    AGENDA,
    LOST,
    block_at,
    call_at,
    campaign_at,
    heap_at,
    tenant_at,
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
from outsim.engine.order import FIRST_UPDATE_STEP
from outsim.vocabulary import FIRST_FINAL, STATUS_TABLE, WITHDRAWN_KIND

_KINDS = tuple(-1 if status.update is None else status.update for status in STATUS_TABLE)


@kernel
def lost_updates(p: Row, campaign: Row, at: int, attempt: int) -> int:
    """Bits of the kinds of updates about an attempt of a call that are lost."""
    return flag_at(block_at(p.blocks, campaign.blocks + attempt).lost, at - campaign.first_call)


@kernel
def change(p: Row, rank: int, at: int, attempt: int, status: int, lost: int) -> None:
    """Note a change of status of a call that happens now; `lost` has a bit for each kind."""
    _change(p, rank, at, attempt, status, _KINDS[status], lost)


@kernel
def _change(p: Row, rank: int, at: int, attempt: int, status: int, kind: int, lost: int) -> None:
    """The same for an update of any kind; its begin and visibility are written when they come."""
    call, campaign = call_at(p.calls, at), campaign_at(p.campaigns, rank)
    call.status = status
    if status >= FIRST_FINAL:
        call.final_at = p.now
        p.unfinished -= 1
        tenant_at(p.tenants, campaign.tenant).unfinished -= 1
        if not call.wedged:
            campaign.unfinished -= 1
    row = p.updates
    p.updates += 1
    key = call_key(rank, at - campaign.first_call, attempt, FIRST_UPDATE_STEP + kind)
    set_instant(p.update_key, row, key)
    set_number(p.update_call_id, row, at)
    set_code(p.update_attempt, row, attempt)
    set_code(p.update_status, row, status)
    set_instant(p.update_happened, row, p.now)
    if lost != 0:
        set_code(p.update_lost, row, (lost >> kind) & 1)


@kernel
def withdraw(p: Row, rank: int, at: int, status: int) -> None:
    """Give a call that is not being dialed a final status."""
    attempts = int64(call_at(p.calls, at).attempts)
    lost = lost_updates(p, campaign_at(p.campaigns, rank), at, attempts)
    _change(p, rank, at, attempts, status, WITHDRAWN_KIND, lost)


@kernel
def begin_update(p: Row, row: int) -> tuple[int, int]:
    """A worker begins with an update: how long it takes, and its place at its end."""
    set_instant(p.update_begun, row, p.now)
    set_instant(p.update_visible, row, MISSING)
    key = instant_at(p.update_key, row)
    length_us = p.status_work_us
    if length_us < 0:
        campaign = campaign_at(p.campaigns, campaign_of(key))
        work = block_at(p.blocks, campaign.blocks + attempt_of(key)).status_work_us
        kind = step_of(key) - FIRST_UPDATE_STEP
        length_us = instant_at(work, kind * campaign.size + index_of(key))
    return length_us, key


@kernel
def end_update(p: Row, row: int) -> None:
    """A worker has processed an update: it is visible, unless it is lost."""
    if code_at(p.update_lost, row) == 0:
        _show(p, row)
    elif code_at(p.update_status, row) >= FIRST_FINAL:
        schedule(p, LOST, 0, instant_at(p.update_key, row), row)


@kernel
def _show(p: Row, row: int) -> None:
    set_instant(p.update_visible, row, p.now)
    if code_at(p.update_status, row) >= FIRST_FINAL:
        rank = campaign_of(instant_at(p.update_key, row))
        final_visible(p, rank, number_at(p.update_call_id, row))


@kernel
def reconcile(p: Row) -> None:
    """Show the final statuses that were lost so far, in the order of their calls."""
    while heap_at(p.heaps, LOST).count > 0:
        row = events.first_of(p, LOST).item
        events.drop_first(p, LOST)
        set_code(p.update_repaired, row, 1)
        _show(p, row)
    events.replace_first(p, AGENDA, p.now + p.reconciliation_us, OTHER)
