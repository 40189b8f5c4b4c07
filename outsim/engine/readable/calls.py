"""The life of a call, in order: loaded, admitted, queued, dispatched, dialed, answered, ended."""

from __future__ import annotations

from collections.abc import Sequence

from simpy import Interrupt

from outsim.clock import MISSING
from outsim.engine.order import ANSWER_STEP, EventClass
from outsim.engine.readable.events import Process
from outsim.engine.readable.intake import Request
from outsim.engine.readable.platform import Platform
from outsim.engine.readable.state import Attempt, Call, CampaignState
from outsim.vocabulary import (
    ANSWERED,
    CALLEE_FAILURES,
    CANCELED,
    COMPLETED,
    CONGESTION,
    CONNECTED,
    DIALING,
    EXPIRED,
    FAILED,
    QUEUED,
    REFUSED,
    RETRIED,
    SCHEDULED,
    STATUSES,
    WAITING_RETRY,
)


def hand_in(p: Platform, campaign: CampaignState) -> None:
    """Have the calls of a campaign come in: known beforehand, or as requests (rules 1 and 18)."""
    plan = campaign.plan
    refusable = [campaign.calls[index] for index in plan.refusable]
    if plan.is_refusable_list:
        p.events.start(submit_list(p, campaign, refusable))
        return
    taken = [call for call in campaign.calls if call.status == SCHEDULED]
    p.events.start(load(p, campaign, taken, plan.ready_us.data))
    if refusable:
        p.events.start(request_calls(p, campaign, refusable))


def load(
    p: Platform, campaign: CampaignState, taken: list[Call], ready_us: Sequence[int]
) -> Process:
    """The loader of a campaign: it moves the calls in list order (rules 1 and 2)."""
    if campaign.plan.own_times.scheduled_us is not None:
        taken = sorted(taken, key=lambda call: ready_us[call.index])
    for call in taken:
        if call.status == SCHEDULED:
            yield p.events.at(ready_us[call.index], EventClass.ENTERS_QUEUE, call.key(1))
            move(p, call)
    p.recorder.note(1, campaign, "has no more rows")


def move(p: Platform, call: Call) -> None:
    """Have a call begin to live, unless it was withdrawn before."""
    campaign = call.campaign
    if call.status != SCHEDULED:
        return
    plan, expired = campaign.plan, p.events.now >= campaign.expires_us[call.index]
    if campaign.stopped or expired:
        # Taken after it was over: it never gets a place.
        p.recorder.note(9 if expired else 12, call, "comes too late")
        p.statuses.withdraw(call, EXPIRED if expired else CANCELED)
    else:
        rule = 2 if plan.is_list else 1
        if plan.own_times.scheduled_us is not None:
            rule = 16
        p.recorder.note(rule, call, "is ready")
        call.process = p.events.start(live(p, call))
        if campaign.canceler is not None:
            p.canceling.wake(call)


def submit_list(p: Platform, campaign: CampaignState, rows: list[Call]) -> Process:
    """A list comes in, and is loaded if it is taken (rule 18)."""
    plan = campaign.plan
    calls = [call for call in rows if call.status == REFUSED]
    request = Request(campaign, calls, plan.submitted_us)
    yield p.intake.comes(request, plan.submitted_us)
    yield from ask(p, request)
    if request.taken != MISSING:
        yield from load(p, campaign, calls, plan.list_ready_us(request.taken).data)


def request_calls(p: Platform, campaign: CampaignState, calls: list[Call]) -> Process:
    """Single calls come in, each a request of its own (rule 18)."""
    ready_us = campaign.plan.ready_us.data
    for call in calls:
        request = Request(campaign, [call], campaign.submitted_us[call.index])
        yield p.intake.comes(request, request.came)
        p.events.start(request_call(p, request, call, ready_us[call.index]))


def request_call(p: Platform, request: Request, call: Call, ready_us: int) -> Process:
    """A single call comes in, and begins to live if it is taken (rule 18)."""
    yield from ask(p, request)
    if request.taken != MISSING:
        ready_us = max(request.taken, ready_us)
        yield p.events.at(ready_us, EventClass.ENTERS_QUEUE, call.key(1))
        move(p, call)


def ask(p: Platform, request: Request) -> Process:
    """A request comes; where it is refused, its client gives up or asks again (rule 18)."""
    while not p.intake.takes(request):
        if not request.is_given_up:
            yield p.intake.comes(request, p.events.now + request.wait_us)
        if request.is_given_up:
            p.intake.give_up(request)
            return


def live(p: Platform, call: Call) -> Process:
    """A call's attempts, one after the other, until one of them is the last (rule 8)."""
    number = call.attempts + 1
    while True:
        attempt = Attempt(call, number, p.events)
        yield from make(p, attempt)
        if call.status != WAITING_RETRY:
            return
        number += 1
        rule = 6 if attempt.outcome == CONGESTION else 8
        p.recorder.note(rule, call, "comes back as attempt {}", number)
        due = attempt.ended + retry_wait_us(attempt)
        rule = 8 if call.campaign.rules.retries is None else 17
        p.recorder.note(rule, call, "comes back at {}", due)
        yield p.events.at(due, EventClass.ENTERS_QUEUE, call.key(number))
        if call.is_over:
            return


def make(p: Platform, attempt: Attempt) -> Process:
    """One attempt, from asking for the queue to its end (rules 2 to 10)."""
    call, number = attempt.call, attempt.attempt
    campaign = call.campaign
    if campaign.pace is not None and not campaign.rules.paced_at_dispatch:
        yield p.pacing.admit(attempt)

    p.statuses.change(call, number, QUEUED)
    if call.is_wedged:
        p.recorder.note(10, call, "is wedged: it gets no place in the queue")
        return
    yield p.queue.enter(attempt)

    # A port and a dial token are taken.
    p.statuses.change(call, number, DIALING)
    yield p.workers.dial(attempt)

    p.connection.dial(attempt)
    try:
        if attempt.answered != MISSING:
            key = attempt.key | ANSWER_STEP
            yield p.events.at(attempt.answered, EventClass.OTHER, key)
            p.statuses.change(call, number, CONNECTED)
        yield p.events.at(attempt.ends, EventClass.ATTEMPT_ENDS, attempt.key)
    except Interrupt:
        p.connection.cut_off(attempt)

    attempt.ended = p.events.now
    p.recorder.attempts.settle(attempt)
    p.carrier.hang_up(attempt)
    p.queue.give_back(attempt)
    if attempt.outcome in CALLEE_FAILURES:
        call.failures += 1
        call.last_failure_at = attempt.ended
    if campaign.rules.retries is not None:
        campaign.came_to[call.index, attempt.outcome] += 1
    rule = 6 if attempt.outcome == CONGESTION else 7
    p.recorder.note(rule, call, "{} failures, last at {}", call.failures, call.last_failure_at)
    status = next_status(attempt)
    p.recorder.note(rule_of_status(attempt, status), attempt, "leaves it {}", STATUSES[status])
    p.statuses.change(call, number, status)
    if status == WAITING_RETRY and campaign.canceler is not None:
        p.canceling.wake(call)


def next_status(attempt: Attempt) -> int:
    """What ended the call, or a wait for its retry (rules 8, 9 and 12)."""
    campaign = attempt.call.campaign
    if attempt.outcome in ANSWERED:
        return COMPLETED
    if attempt.outcome not in RETRIED or not has_retry_left(attempt):
        return FAILED
    if campaign.expired or attempt.ended > campaign.expires_us[attempt.call.index]:
        return EXPIRED
    if campaign.stopped and campaign.rules.stop_cancels_retries:
        return CANCELED
    return WAITING_RETRY


def has_retry_left(attempt: Attempt) -> bool:
    """Whether the call may be dialed again, by its attempts and what they came to (rule 17)."""
    campaign, outcome = attempt.call.campaign, attempt.outcome
    rules = campaign.rules
    if attempt.attempt > rules.max_retry:
        return False
    if rules.retries is None:
        return True
    return rules.retries.is_left(outcome, campaign.came_to[attempt.call.index, outcome])


def retry_wait_us(attempt: Attempt) -> int:
    """From the end of an attempt to the queue again, by what attempts came to (rule 17)."""
    campaign, index, outcome = attempt.call.campaign, attempt.call.index, attempt.outcome
    retries = campaign.rules.retries
    if retries is None:
        return campaign.rules.retry_interval_us
    millionths = campaign.retry_jitter(attempt.attempt)[index] if retries.has_jitter else 0
    return retries.wait_us(outcome, campaign.came_to[index, outcome], millionths)


def rule_of_status(attempt: Attempt, status: int) -> int:
    """The rule that gives a call this status at the end of an attempt."""
    campaign = attempt.call.campaign
    if status == FAILED:
        if campaign.expired or campaign.stopped:
            return 9
        if attempt.attempt <= campaign.rules.max_retry and attempt.outcome in RETRIED:
            return 17
        return 6 if attempt.outcome == CONGESTION else 8
    if status == EXPIRED:
        return 9 if campaign.expired else 16
    return {COMPLETED: 7, CANCELED: 12, WAITING_RETRY: 8}[status]
