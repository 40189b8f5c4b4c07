"""Mornings that several look at: each has what is there, and hears of more."""

from __future__ import annotations

import asyncio
import gzip
import json
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from outsim.clock import MINUTE
from outsim.live.inputs import Submit
from outsim.live.page import mornings
from outsim.live.page.mornings import Live, Mornings
from outsim.live.page.session import Page
from outsim.live.page.work import Work
from outsim.live.sandbox import Sandbox
from outsim.scenario.loading import load

SMALL = {
    "name": "small",
    "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
    "platform": {"ports": 5},
    "tenant": [{"name": "clinic"}],
    "campaign": [{"name": "calls", "tenant": "clinic", "start": "09:05", "contacts": 20}],
}


@pytest.fixture
def always_due(monkeypatch):
    """A session may be looked at again at once."""
    monkeypatch.setattr(mornings, "RENEWED_S", 0.0)
    monkeypatch.setattr(mornings, "MOST_OF_TIME", float("inf"))


def until_s(data: bytes) -> float:
    return float(json.loads(gzip.decompress(data))["until_s"])


def test_two_who_look_first_at_once_both_get_the_session():
    async def look() -> list[bytes]:
        async with Sandbox(load(SMALL), held=True) as sandbox:
            work = Work()
            live = Live(work, sandbox)
            found = await asyncio.gather(live.renew(), live.data(), live.data())
            work.close()
            return found[1:]

    first, second = asyncio.run(look())
    assert first == second


@pytest.mark.usefixtures("always_due")
def test_everybody_can_tell_that_the_session_was_looked_at_again():
    async def look() -> tuple[list[int], float]:
        async with Sandbox(load(SMALL), held=True) as sandbox:
            work = Work()
            live = Live(work, sandbox)
            looks = []
            for _ in range(2):
                await asyncio.gather(live.renew(), live.renew())
                looks.append(live.looks)
            await sandbox.clock.advance_by(10 * MINUTE)
            await asyncio.gather(live.renew(), live.renew())
            looks.append(live.looks)
            found = until_s(await live.data())
            work.close()
            return looks, found

    assert asyncio.run(look()) == ([1, 1, 2], 600.0)


@pytest.mark.usefixtures("always_due")
def test_what_is_handed_in_while_the_clock_is_held_is_seen():
    async def look() -> list[int]:
        async with Sandbox(load(SMALL), held=True) as sandbox:
            work = Work()
            live = Live(work, sandbox)
            looks = []
            for number in ("2125550101", "2125550102"):
                contacts = f"destination\ntel:+1{number}\n"
                await sandbox.submit(Submit(tenant="clinic", contacts=contacts))
                await live.renew()
                looks.append(live.looks)
            work.close()
            return looks

    assert asyncio.run(look()) == [1, 2]


@pytest.mark.parametrize("at_min", [4, 5, 6])
def test_at_every_instant_the_morning_counts_what_the_customer_does(at_min):
    """Also at the one at which a campaign is handed in: there the clock stands as often as not."""
    words = ("pending", "completed", "failed")

    async def look() -> tuple[list[int], list[int]]:
        async with Sandbox(load(SMALL), held=True) as sandbox:
            if at_min:
                await sandbox.clock.advance_by(at_min * MINUTE)
            work = Work()
            [counter] = json.loads(gzip.decompress(await Live(work, sandbox).data()))["counters"]
            work.close()
            seen = sandbox.campaign("clinic", "calls").seen
            return [counter["seen"][word][-1] for word in words], [
                seen.get(word, 0) for word in words
            ]

    in_the_morning, to_the_customer = asyncio.run(look())
    assert in_the_morning == to_the_customer
    assert sum(to_the_customer) == (20 if at_min >= 5 else 0)


def test_a_reset_with_another_seed_is_compared_anew():
    sandbox: Any = SimpleNamespace(scenario=load(SMALL), seed=1)
    page = Page(SimpleNamespace(sandbox=sandbox), other=load({**SMALL, "name": "other"}))
    first = page.comparing
    assert page.comparing is first
    sandbox.seed = 2
    assert page.comparing is not first
    assert page.comparing is page.comparing
    page.work.close()


def test_who_gives_up_waiting_for_the_first_picture_does_not_take_it_from_others():
    async def look() -> bytes:
        picture: Future[bytes] = Future()
        picture.set_running_or_notify_cancel()
        sandbox: Any = SimpleNamespace(scenario=load(SMALL), seed=1)
        work = Work()
        recorded = Mornings(work, sandbox, None, first=picture).named("recorded")
        gone = asyncio.ensure_future(recorded.data())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        picture.set_result(b"drawn")
        work.close()
        return await recorded.data()

    assert asyncio.run(look()) == b"drawn"
