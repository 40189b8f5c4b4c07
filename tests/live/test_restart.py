"""The log is the state: a session that was cut off anywhere goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import errno
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.engine import Engine
from outsim.errors import SandboxError
from outsim.live import Sandbox, Submit
from outsim.live.log import InputLog
from outsim.live.replay import replay
from outsim.live.state import INPUTS
from outsim.live.views import Post, Reply
from outsim.scenario import Scenario
from outsim.testing.differences import find_first
from outsim.vocabulary import ACCEPTED
from tests.live.sessions import (
    Order,
    answer,
    held_session,
    sessions,
)
from tests.strategies import crowded_scenarios


def _cut(state: Path, copy: Path, share: float) -> int:
    """Copy a session with a part of its log only, the last line torn; bytes that are left."""
    shutil.copytree(state, copy)
    data = (copy / INPUTS).read_bytes()
    left = round(len(data) * share)
    (copy / INPUTS).write_bytes(data[:left])
    return left


@settings(max_examples=30)
@given(crowded_scenarios(), sessions(), st.floats(0, 1))
def test_what_is_left_of_a_log_is_gone_on_with(
    scenario: Scenario, orders: list[Order], share: float
) -> None:
    async def go_on(state: Path, whole: InputLog) -> Any:
        # Orders to the clock are not all given again: what comes after them has other numbers.
        numbers: dict[int, int] = {}
        async with Sandbox(scenario, state=state, poster=answer) as sandbox:
            for entry in list(whole)[len(sandbox.log) :]:
                if entry.kind == "clock":
                    if entry.at > sandbox.clock.now:
                        await sandbox.clock.advance_to(entry.at)
                elif entry.kind != "answer":
                    assert sandbox.clock.now == entry.at
                    if entry.kind == "end_fault":
                        fault = numbers.get(entry.fault, entry.fault)
                        entry = entry.model_copy(update={"fault": fault})
                    numbers[entry.number] = sandbox._driver.take(entry).number
            return sandbox.result().arrays.records

    with tempfile.TemporaryDirectory() as room:
        state, copy = Path(room, "whole"), Path(room, "cut")
        whole, _ = asyncio.run(held_session(scenario, orders, state))
        log = InputLog(state / INPUTS)
        _cut(state, copy, share)
        again = asyncio.run(go_on(copy, log))
        difference = find_first(whole.arrays.records, again)
        assert difference is None, difference
        asyncio.run(log.close())


LIST = "destination\n" + "".join(f"21255501{k:02d}\n" for k in range(20))


@pytest.fixture
def small(scenario_of: Any) -> Scenario:
    """Something that calls can be handed in to."""
    found: Scenario = scenario_of()
    return found


def test_a_torn_last_line_is_dropped_and_counted(small: Scenario, tmp_path: Path) -> None:
    async def session() -> None:
        async with Sandbox(small, state=tmp_path) as sandbox:
            await sandbox.submit(Submit(tenant="acme", campaign="a", contacts=LIST))
            await sandbox.submit(Submit(tenant="acme", campaign="b", contacts=LIST))

    async def again() -> tuple[int, list[str]]:
        async with Sandbox(small, state=tmp_path) as sandbox:
            return sandbox.log.torn, [campaign.name for campaign in sandbox.campaigns()]

    asyncio.run(session())
    path = tmp_path / INPUTS
    path.write_bytes(path.read_bytes()[:-10])
    notes: list[str] = []
    replay(tmp_path, note=notes.append)
    assert len(notes) == 1
    assert str(path) in notes[0]
    with pytest.warns(UserWarning, match="its last line is not whole"):
        replay(tmp_path)
    assert asyncio.run(again()) == (1, ["a"])
    assert asyncio.run(again()) == (0, ["a"])


def test_a_damaged_line_in_the_middle_is_refused(small: Scenario, tmp_path: Path) -> None:
    async def session() -> None:
        async with Sandbox(small, state=tmp_path) as sandbox:
            for name in "abc":
                await sandbox.submit(Submit(tenant="acme", campaign=name, contacts=LIST))

    asyncio.run(session())
    path = tmp_path / INPUTS
    lines = path.read_bytes().splitlines(keepends=True)
    for damage, why in (
        (lines[0] + b'{"kind":"submit"}\n' + lines[2], r"2: is damaged \(submit.tenant: Field"),
        (lines[0] + lines[2], r"2: is damaged \(it has number 3, and lines are missing"),
        (b"".join(lines[:2]) + b"{]\n", r"3: is damaged \(it is no JSON"),
    ):
        path.write_bytes(damage)
        for read_again in (lambda: asyncio.run(session()), lambda: replay(tmp_path)):
            with pytest.raises(SandboxError, match=rf"inputs\.jsonl:{why}.*Restore the file"):
                read_again()


def test_nothing_is_answered_once_the_log_cant_be_written(
    small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def session() -> None:
        async with Sandbox(small, state=tmp_path) as sandbox:
            await sandbox.submit(Submit(tenant="acme", campaign="a", contacts=LIST))
            monkeypatch.setattr("outsim.live.lines.os.fsync", full)
            for name in "bc":
                with pytest.raises(SandboxError, match="can't be written"):
                    await sandbox.submit(Submit(tenant="acme", campaign=name, contacts=LIST))

    asyncio.run(session())


def test_a_session_is_open_once(small: Scenario, tmp_path: Path) -> None:
    async def session() -> None:
        async with Sandbox(small, state=tmp_path):
            with pytest.raises(SandboxError, match="another process has this session open"):
                await Sandbox(small, state=tmp_path).open()
        await (await Sandbox(small, state=tmp_path).open()).close()

    asyncio.run(session())


def test_the_clock_of_a_restarted_session_never_goes_back(small: Scenario, tmp_path: Path) -> None:
    async def session() -> int:
        async with Sandbox(small, state=tmp_path, speed=1000) as sandbox:
            await sandbox.submit(Submit(tenant="acme", contacts=LIST))
            await sandbox.wait_for("visible")
            await sandbox.committed()
            return sandbox.clock.now

    async def again() -> int:
        async with Sandbox(small, state=tmp_path) as sandbox:
            return sandbox.clock.now

    assert asyncio.run(session()) <= asyncio.run(again())


def test_what_a_handler_has_answered_is_not_posted_again(small: Scenario, tmp_path: Path) -> None:
    answered: list[int] = []
    asked_again: list[int] = []

    async def until_it_crashes(post: Post) -> Reply:
        if len(answered) == 10 and not (tmp_path / "crashed").exists():
            shutil.copytree(tmp_path / "state", tmp_path / "crashed")
        answered.append(post.call.call_id)
        return Reply("accepted", 200)

    async def record(post: Post) -> Reply:
        asked_again.append(post.call.call_id)
        return Reply("accepted", 200)

    async def live() -> None:
        url = "http://127.0.0.1:1/results"
        async with Sandbox(small, state=tmp_path / "state", poster=until_it_crashes) as sandbox:
            await sandbox.submit(
                Submit(tenant="acme", campaign="list", contacts=LIST, result_url=url)
            )
            await sandbox.clock.advance_until("idle")
        async with Sandbox(small, state=tmp_path / "crashed", poster=record) as sandbox:
            await sandbox.clock.advance_until("idle")

    asyncio.run(live())
    assert len(answered) == 20
    assert not set(answered[:9]) & set(asked_again)
    assert set(answered) == {*answered[:10], *asked_again}


ENGINES: tuple[Engine, ...] = ("simpy", "compiled")


@pytest.mark.parametrize("speed", [None, 1000.0])
def test_a_post_that_was_open_at_a_crash_has_all_its_time_again(
    small: Scenario, tmp_path: Path, speed: float | None
) -> None:
    """However far a free clock had been put down to go."""
    crashed, asked_again = tmp_path / "crashed", []

    async def until_it_crashes(_: Post) -> Reply:
        if not crashed.exists():
            shutil.copytree(tmp_path / "state", crashed)
        return Reply("accepted", 200, 0.0)

    async def record(post: Post) -> Reply:
        asked_again.append((post.call.call_id, post.number))
        return Reply("accepted", 200, 0.0)

    async def live() -> None:
        url = "http://127.0.0.1:1/results"
        state = tmp_path / "state"
        async with Sandbox(small, state=state, speed=1000, poster=until_it_crashes) as sandbox:
            await sandbox.submit(Submit(tenant="acme", contacts=LIST, result_url=url))
            await sandbox.wait_for("delivery_ended", after=0)
        killed = [replay(crashed, engine=engine).arrays.records for engine in ENGINES]
        options: dict[str, Any] = {"held": True} if speed is None else {"speed": speed}
        async with Sandbox(small, state=crashed, poster=record, **options) as sandbox:
            if speed is None:
                for records in killed:
                    assert find_first(sandbox.result().arrays.records, records) is None
            await sandbox.clock.advance_until("idle")
            assert {post.result for post in sandbox.deliveries()} == {"accepted"}
        assert len(asked_again) == len(set(asked_again)) == 20

    asyncio.run(live())
    one, other = (replay(crashed, engine=engine).arrays.records for engine in ENGINES)
    assert find_first(one, other) is None
    assert {*one.deliveries["result"]} == {ACCEPTED}
