"""What is cut short: an advance, listening, and orders that cross a reset or the end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from outsim.clock import HOUR, MINUTE, SECOND
from outsim.errors import SandboxError
from outsim.live import Fault, Post, Reply, Sandbox, Submit
from outsim.live.feed import EventFeed
from outsim.live.inbox import Inbox
from outsim.live.inputs import Clock
from outsim.live.log import moment_of, read_log
from outsim.live.state import INPUTS

URL = "http://127.0.0.1:9/results"


def _calls(**values: Any) -> Submit:
    contacts = "destination\n2125550101\n"
    return Submit(**{"tenant": "acme", "campaign": "offer", "contacts": contacts} | values)


async def _never(_: Post) -> Reply:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def _waits(sandbox: Sandbox) -> None:
    """Until an advance waits for a handler that never answers."""
    while not sandbox.clock.view.reasons:
        await asyncio.sleep(0)


def test_an_advance_ends_when_the_sandbox_is_closed(scenario_of: Any, tmp_path: Path) -> None:
    async def session() -> int:
        sandbox = await Sandbox(scenario_of(), state=tmp_path, poster=_never).open()
        await sandbox.submit(_calls(result_url=URL))
        advance = asyncio.create_task(sandbox.clock.advance_by(HOUR))
        await _waits(sandbox)
        now = sandbox.clock.now
        await sandbox.close()
        with pytest.raises(SandboxError, match="the sandbox was closed"):
            await advance
        return now

    now = asyncio.run(session())
    assert asyncio.run(_as_it_comes_up(scenario_of(), tmp_path)) == ("held", now)
    last = read_log(tmp_path / INPUTS).entries[-1]
    assert (last.kind, last.at) == ("clock", now)


def test_a_canceled_advance_leaves_the_clock_held_where_it_got_to(
    scenario_of: Any, tmp_path: Path
) -> None:
    async def session() -> int:
        async with Sandbox(scenario_of(), state=tmp_path, poster=_never) as sandbox:
            await sandbox.submit(_calls(result_url=URL))
            advance = asyncio.create_task(sandbox.clock.advance_by(HOUR))
            await _waits(sandbox)
            advance.cancel()
            with pytest.raises(asyncio.CancelledError):
                await advance
            assert sandbox.clock.state == "held"
            now = sandbox.clock.now
            assert 0 < now < HOUR
            *_, last = sandbox.log
            assert isinstance(last, Clock)
            assert (last.state, last.at) == ("held", now)
            # It takes orders again.
            await sandbox.suspend("acme")
            return now

    now = asyncio.run(session())
    assert asyncio.run(_as_it_comes_up(scenario_of(), tmp_path)) == ("held", now)


async def _as_it_comes_up(scenario: Any, state: Path) -> tuple[str, int]:
    async with Sandbox(scenario, state=state, poster=_never) as sandbox:
        view = sandbox.clock.view
        return view.state, view.now


def test_an_advance_that_is_refused_leaves_the_one_under_way_its_condition(
    scenario_of: Any,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.submit(_calls(start=HOUR))
            first = asyncio.create_task(sandbox.clock.advance_until("next update visible"))
            while sandbox.clock.state != "advancing":
                await asyncio.sleep(0)
            with pytest.raises(SandboxError, match="is advancing"):
                await sandbox.clock.advance_until("next delivery")
            await first
            assert HOUR <= sandbox.clock.now < HOUR + MINUTE

    asyncio.run(session())


def test_an_order_right_after_an_advance_is_the_last_word_of_the_log(scenario_of: Any) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:

            async def free() -> None:
                while sandbox.clock.state != "ready":
                    await asyncio.sleep(0)
                await sandbox.clock.free()

            freed = asyncio.create_task(free())
            await sandbox.clock.advance_by(MINUTE)
            await freed
            assert sandbox.clock.state == "free"
            states = [entry.state for entry in sandbox.log if isinstance(entry, Clock)]
            assert states[-1] == "free"

    asyncio.run(session())


def test_what_can_be_read_outlives_a_crash_even_on_a_slow_disk(
    scenario_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall_s = 0.0
    monkeypatch.setattr("outsim.live.pace.perf_counter", lambda: wall_s)

    async def session() -> None:
        nonlocal wall_s
        async with Sandbox(scenario_of(), state=tmp_path, speed=60) as sandbox:
            durable, stalls = sandbox.log.durable, [5.0, 0.4, 0.7]

            async def slowly() -> None:
                nonlocal wall_s
                await durable()
                wall_s += stalls.pop() if stalls else 0.0

            monkeypatch.setattr(sandbox.log, "durable", slowly)
            for _ in range(3):
                await sandbox.committed()
                shown = sandbox.clock.now
                assert shown <= moment_of(read_log(tmp_path / INPUTS).entries)
            assert shown > 6 * 60 * SECOND

    asyncio.run(session())


def test_calls_that_are_taken_while_the_sandbox_closes_are_in_the_log(
    scenario_of: Any, tmp_path: Path
) -> None:
    async def session() -> None:
        sandbox = await Sandbox(scenario_of(), state=tmp_path).open()
        taken = asyncio.create_task(sandbox.submit(_calls()))
        await asyncio.sleep(0)
        await sandbox.close()
        assert len((await taken).call_ids) == 1

    asyncio.run(session())
    assert "submit" in [entry.kind for entry in read_log(tmp_path / INPUTS).entries]


def test_nothing_is_promised_by_a_log_that_was_closed(scenario_of: Any, tmp_path: Path) -> None:
    async def session() -> None:
        sandbox = await Sandbox(scenario_of(), state=tmp_path).open()
        log = sandbox.log
        await sandbox.close()
        with pytest.raises(SandboxError, match="the sandbox was closed"):
            log.append(Clock(state="held"))

    asyncio.run(session())


@pytest.mark.parametrize("is_kept", [True, False])
def test_resets_at_once_come_one_after_the_other(
    scenario_of: Any, tmp_path: Path, is_kept: bool
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), state=tmp_path if is_kept else None) as sandbox:
            await sandbox.submit(_calls())
            await asyncio.gather(*(sandbox.reset(seed) for seed in (5, 6, 7)))
            assert sandbox.seed == 7
            assert sandbox.campaigns() == []
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert names.count("outsim sandbox") == 1

    asyncio.run(session())


def test_who_listened_as_it_was_reset_meets_the_session_that_comes_next(
    scenario_of: Any, tmp_path: Path
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), state=tmp_path) as sandbox:
            before = sandbox.log

            async def listen() -> bool:
                async for _ in sandbox.events():
                    pass
                return sandbox.log is not before

            listening = asyncio.create_task(listen())
            # A line that is being written as it is reset.
            writing = asyncio.create_task(sandbox.submit(_calls()))
            await asyncio.sleep(0)
            await sandbox.reset()
            assert await listening
            await writing

    asyncio.run(session())


def test_a_listener_that_was_busy_as_it_closed_comes_to_an_end() -> None:
    async def session() -> list[int]:
        feed = EventFeed()
        feed.add(1, "clock", "", "", -1, "held", 0)
        numbers = []
        async for event in feed.listen(0):
            numbers.append(event.number)
            feed.close()
        return numbers

    assert asyncio.run(session()) == [1]


def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    async def session() -> None:
        inbox, feed = Inbox(lambda: (0, "")), EventFeed()
        for _ in range(3):
            for waiting in (inbox.wait("results", 1), anext(feed.listen(None))):
                task = asyncio.ensure_future(waiting)
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        assert not inbox._waiting
        assert not feed._listening

    asyncio.run(session())


def test_a_share_of_requests_is_struck_by_the_seed_however_many_there_are(
    scenario_of: Any,
) -> None:
    async def session(seed: int) -> list[bool]:
        async with Sandbox(scenario_of(), seed=seed) as sandbox:
            await sandbox.order_fault(Fault(of="intake_503", share=0.3))
            return [sandbox.strikes("intake_503") is not None for _ in range(300)]

    first = asyncio.run(session(1))
    assert first == asyncio.run(session(1)) != asyncio.run(session(2))
    assert 60 < sum(first) < 120
