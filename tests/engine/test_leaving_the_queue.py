"""A call that gets its final status leaves the queue from wherever it stands there."""

from __future__ import annotations

import random
from typing import Any

import pytest
from numba import from_dtype, njit, types

from outsim.clock import SECOND
from outsim.engine.compiled import queue, updates
from outsim.engine.compiled.layout import PLATFORM, call_at
from outsim.engine.compiled.memory import Row
from outsim.engine.compiled.run import Run as CompiledRun
from outsim.engine.order import EventClass
from outsim.engine.readable.run import Run as ReadableRun
from outsim.plan import Plan, build_plan
from outsim.tape import Tape
from outsim.vocabulary import EXPIRED, QUEUED
from tests.both_engines import first_difference

from .scenarios import campaign, part, scenario

PLATFORM_OF = {"ports": 3, "dial_rate": "20/min", "dial_burst": 1}
CAMPAIGNS = (
    campaign("one", contacts=12, max_retry=2),
    campaign("two", contacts=12, max_retry=2, max_simultaneous=1),
    campaign("three", tenant="zeta", contacts=12, start=20, max_retry=1, pacing="3/min"),
)


def _take_out(platforms: Row, now: int, at: int) -> None:
    p = platforms[0]
    p.now = now
    p.instant_open = 1
    if call_at(p.calls, at).status == QUEUED:
        updates.withdraw(p, call_at(p.calls, at).campaign, at, EXPIRED)
        queue.leave(p, at)


@pytest.fixture(scope="module")
def take_out() -> Any:
    """Has a call leave a run of the compiled engine, if it is in the queue."""
    signature = types.void(from_dtype(PLATFORM)[::1], types.int64, types.int64)
    return njit(signature)(_take_out)


def _plan(discipline: str, seed: int) -> Plan:
    held = scenario(
        *CAMPAIGNS,
        platform=PLATFORM_OF | {"queue": discipline},
        callees={"message": {"distribution": "exponential", "mean": "15 s"}},
        profiles={"people": {"human": 40, "voicemail": 0, "no_answer": 30, "busy": 30}},
        suspension=[part(tenant="acme", begins=100, ends=130)],
    )
    return build_plan(held, Tape(seed))


def _leaving(seed: int) -> list[tuple[int, int]]:
    """Instants, at which nothing else happens, and the call that leaves then."""
    draw = random.Random(seed)
    calls = draw.sample(range(36), 30)
    return [
        (k * 10 * SECOND + draw.randrange(7 * SECOND) // 10 * 10 + 7, call)
        for k, call in enumerate(calls, 1)
    ]


@pytest.mark.parametrize("discipline", ["fifo", "fair", "first_attempts_first"])
def test_both_engines_go_on_with_those_that_stay(take_out: Any, discipline: str) -> None:
    """From the head, the middle and the tail, and while the sub-queue is held back."""
    places = set()
    for seed in range(12):
        plan, leaving = _plan(discipline, seed), _leaving(seed)

        readable = ReadableRun(plan)
        calls = [call for campaign in readable.campaigns for call in campaign.calls]
        by_id = {call.call_id: call for call in calls}

        def leave(call_id: int, readable: ReadableRun = readable, by_id: Any = by_id) -> None:
            call = by_id[call_id]
            if call.status == QUEUED:
                sub_queue = readable.platform.queue._sub_queue_of(call.entry)
                place = list(sub_queue.entries).index(call.entry.sequence)
                last = len(sub_queue.entries) - 1
                places.add((place == 0, place == last, sub_queue.blockers > 0))
                readable.platform.statuses.withdraw(call, EXPIRED)
                readable.platform.queue.leave(call)

        events = readable.platform.events
        compiled = CompiledRun(plan)
        for at, call_id in leaving:
            events.call(at, EventClass.CONTROL, 1, lambda call_id=call_id: leave(call_id))
            compiled.advance(at)
            for campaign_plan in plan.campaigns:
                compiled.draws.hand_attempts(compiled._state, campaign_plan.rank, 0)
            take_out(compiled._state.platform, at, call_id)
        difference = first_difference(plan, readable.finish(), compiled.finish())
        assert not difference, difference
    assert places == {
        (first, last, held)
        for first in (True, False)
        for last in (True, False)
        for held in (True, False)
    }


def test_the_next_one_is_at_the_head_from_then_on() -> None:
    """Four calls for one port: the third leaves at 7 s, the second at 9 s: the last is next."""
    plan = build_plan(
        scenario(campaign(contacts=4), platform={"ports": 1, "dial_burst": 1}), Tape(1)
    )
    run = ReadableRun(plan)

    def leave(index: int) -> None:
        call = run.campaigns[0].calls[index]
        run.platform.statuses.withdraw(call, EXPIRED)
        run.platform.queue.leave(call)

    for at, index in ((7, 2), (9, 1)):
        run.platform.events.call(at * SECOND, EventClass.CONTROL, 1, lambda k=index: leave(k))
    attempts = run.finish().attempts
    assert attempts["call_id"].tolist() == [0, 3]
    assert attempts["at_head"].tolist()[1] == 9 * SECOND
    assert attempts["port_free"].tolist()[1] == 20 * SECOND
