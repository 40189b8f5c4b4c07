"""How calls, campaigns and deliveries are shown, of what a board has kept."""

from __future__ import annotations

from collections import Counter, deque

from outsim.clock import MISSING, NEVER
from outsim.engine.records import NOT_KNOWN
from outsim.live.board import Board
from outsim.live.campaigns import SessionCampaign
from outsim.live.views import CallView, CampaignView, DeliveryView, Dial, PageRow, Seen
from outsim.vocabulary import (
    ACCEPTED,
    AFTER_ATTEMPT_STATUSES,
    CALLEE_TYPES,
    NOT_ACCEPTED,
    OUTCOMES,
    POST_RESULTS,
    QUEUED,
    REJECTED,
    STATUSES,
)


def call_view(board: Board, campaign: SessionCampaign, index: int) -> CallView:
    """A call as it is and as it is seen."""
    plan, entry, definition = campaign.plan, campaign.entry, campaign.definition
    found = board.followed(campaign)
    seen = found.visible_place[index]
    last = None if seen < 0 else board.updates.row(seen)
    contacts = definition.contact_list
    start, expires = int(plan.wait_starts_us[index]), int(plan.call_expires_us[index])
    return CallView(
        call_id=plan.first_call_id + index,
        tenant=plan.tenant,
        campaign=plan.name,
        group=campaign.group,
        index=index,
        phone_number=_digits(int(plan.numbers[index])),
        ani=_digits(int(plan.anis[index])),
        submitted_at=int(plan.submitted_at_us[index]),
        start=start,
        expires=None if expires == NEVER else expires,
        max_retry=plan.rules.max_retry,
        retry_interval_s=plan.rules.retry_interval_us // 1_000_000,
        result_url=entry.result_url if entry is not None else definition.result_url,
        extra=dict(entry.extra) if entry is not None else {},
        variables={} if contacts is None or entry is None else campaign.variables(index),
        status=STATUSES[found.status[index]],
        visible_status=STATUSES[found.visible[index]],
        visible_attempts=0 if last is None else last["attempt"] - (last["status"] == QUEUED),
        attempts=tuple(
            _dial(board.attempts.row(place)) for place in found.attempts.get(index, ())
        ),
        changes=tuple(_seen(board.updates.row(place)) for place in found.updates.get(index, ())),
    )


def campaign_view(board: Board, campaign: SessionCampaign, now: int) -> CampaignView:
    """A campaign as it is and as it is seen."""
    plan, found = campaign.plan, board.followed(campaign)
    requested = plan.rules.stop_requested_us
    counts, visible_counts = found.counts_at(plan, now)
    return CampaignView(
        tenant=plan.tenant,
        name=plan.name,
        group=campaign.group,
        submitted_at=plan.submitted_us,
        start=plan.start_us,
        calls=plan.size,
        rejected=found.counts[REJECTED],
        first_call_id=plan.first_call_id,
        stop_requested=requested if campaign.is_stopped else None,
        dialed_after_stop=len(board.after_stop(campaign)) if campaign.is_stopped else 0,
        is_paused=campaign.is_paused,
        is_over=found.is_over,
        wedged=found.wedged,
        counts=_by_word(counts),
        visible_counts=_by_word(visible_counts),
        waiting_updates=found.waiting,
        status_lag_us=_mean(found.lags_us),
    )


def page_row(board: Board, campaign: SessionCampaign, index: int, now: int) -> PageRow:
    """A call on its customer's page, beside the truth."""
    plan, found = campaign.plan, board.followed(campaign)
    seen, changes = found.visible_place[index], found.updates.get(index, ())
    since = None
    status = found.visible[index]
    attempt, lag_us, is_behind, true_attempt = 0, None, False, 0
    if seen >= 0:
        since, attempt = board.updates.values(seen, "happened", "attempt")
    if changes:
        happened, visible, true_attempt = board.updates.values(
            changes[-1], "happened", "visible", "attempt"
        )
        is_behind = visible == MISSING
        lag_us = (now if is_behind else visible) - happened
    callee_type = outcome = ""
    if STATUSES[status] in AFTER_ATTEMPT_STATUSES and attempt:
        for place in found.attempts.get(index, ()):
            number, code, kind = board.attempts.values(place, "attempt", "outcome", "callee_type")
            if number == attempt:
                outcome, callee_type = OUTCOMES[code], CALLEE_TYPES[kind] or OUTCOMES[code]
    return PageRow(
        call_id=plan.first_call_id + index,
        number=_digits(int(plan.numbers[index])),
        ani=_digits(int(plan.anis[index])),
        status=STATUSES[status],
        attempt=attempt,
        callee_type=callee_type,
        call_info=outcome,
        since=since,
        true_status=STATUSES[found.status[index]],
        true_attempt=true_attempt,
        is_wedged=found.state.calls[index].is_wedged and found.status[index] not in NOT_ACCEPTED,
        lag_us=lag_us,
        is_behind=is_behind,
    )


def delivery_view(board: Board, place: int) -> DeliveryView:
    """A post of a row that the board has."""
    row = board.deliveries.row(place)
    campaign = board.session.campaign_of_call(row["call_id"])
    assert campaign is not None
    waits = board.waits(campaign)
    ended, result, number = row["ended"], row["result"], row["post"]
    is_last = result in (ACCEPTED, NOT_KNOWN) or number > len(waits)
    return DeliveryView(
        number=board.number_of_post(place),
        call_id=row["call_id"],
        tenant=campaign.plan.tenant,
        campaign=campaign.plan.name,
        url=(campaign.entry.result_url if campaign.entry else campaign.definition.result_url)
        or "",
        post=number,
        due_at=row["due"],
        begun_at=_or_none(row["begun"]),
        ended_at=_or_none(ended),
        result="" if result == NOT_KNOWN else POST_RESULTS[result],
        status=board.statuses.get((row["call_id"], number)),
        error=board.errors.get((row["call_id"], number), ""),
        next_at=None if is_last else ended + waits[number - 1],
    )


def _or_none(instant: int) -> int | None:
    return None if instant == MISSING else instant


def _digits(number: int) -> str:
    return str(number) if number else ""


def _mean(lags_us: deque[int]) -> int | None:
    return round(sum(lags_us) / len(lags_us)) if lags_us else None


def _by_word(counts: Counter[int]) -> dict[str, int]:
    return {STATUSES[status]: count for status, count in sorted(counts.items()) if count}


def _dial(row: dict[str, int]) -> Dial:
    is_over = row["ended"] != MISSING
    return Dial(
        attempt=row["attempt"],
        dispatched_at=row["dispatched"],
        dialed_at=_or_none(row["dialed"]),
        answered_at=_or_none(row["answered"]),
        ended_at=_or_none(row["ended"]),
        outcome=OUTCOMES[row["outcome"]] if is_over else "",
        callee_type=CALLEE_TYPES[row["callee_type"]] if is_over else "",
    )


def _seen(row: dict[str, int]) -> Seen:
    return Seen(
        status=STATUSES[row["status"]],
        attempt=row["attempt"],
        happened_at=row["happened"],
        visible_at=_or_none(row["visible"]),
    )
