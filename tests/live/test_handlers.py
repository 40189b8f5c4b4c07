"""Handlers that are dead, hang or answer nonsense: nothing owed is lost, nobody is delayed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from outsim.clock import SECOND
from outsim.errors import SandboxError
from outsim.live import DeliveryView, Post, Reply, Sandbox, Submit
from outsim.scenario import Scenario, load

HEALTHY, DEAD, HANGING = (f"http://127.0.0.1:{port}/done" for port in (8001, 8002, 8003))
CALLS = 3
TIMEOUT_US, WAITS_US = SECOND // 10, (60 * SECOND, 120 * SECOND)


@pytest.fixture
def impatient(scenario_of: Any) -> Scenario:
    """Handlers have a tenth of a second, and two more tries."""
    tables = scenario_of().model_dump(mode="json", exclude_unset=True)
    handlers = {"name": "handlers", "timeout": "100 ms", "retry_after": ["1 min", "2 min"]}
    return load(tables | {"endpoint": [handlers | {"posts_at_once": 2}]})


def _calls(url: str) -> Submit:
    numbers = "".join(f"21255501{k:02d}\n" for k in range(CALLS))
    return Submit(tenant="acme", contacts=f"destination\n{numbers}", result_url=url)


async def _posts(sandbox: Sandbox) -> dict[str, list[DeliveryView]]:
    await sandbox.clock.advance_until("idle")
    found = defaultdict(list)
    for delivery in sandbox.deliveries():
        found[delivery.url].append(delivery)
    return found


class _Handlers:
    """A healthy handler, one that refuses connections, and one that never answers."""

    def __init__(self) -> None:
        self.tries: dict[tuple[str, int], int] = defaultdict(int)
        self.arrived: list[tuple[str, int]] = []
        self.are_back = False

    async def __call__(self, post: Post) -> Reply:
        key = post.url, post.call.call_id
        self.tries[key] += 1
        if not self.are_back and post.url == DEAD:
            return Reply("unreachable", None, 0.0)
        if not self.are_back and post.url == HANGING:
            await asyncio.get_running_loop().create_future()
        self.arrived.append(key)
        return Reply("accepted", 200, 0.0)


def test_a_dead_and_a_hanging_handler_delay_nobody_and_are_tried_as_often_as_they_should(
    impatient: Scenario,
) -> None:
    async def session() -> None:
        handlers = _Handlers()
        async with Sandbox(impatient, poster=handlers) as sandbox:
            for url in (DEAD, HANGING, HEALTHY):
                await sandbox.submit(_calls(url))
            posts = await _posts(sandbox)
        assert len(posts[HEALTHY]) == CALLS
        for post in posts[HEALTHY]:
            assert post.begun_at == post.due_at
            assert (post.result, post.post) == ("accepted", 1)
        for url, result in ((DEAD, "unreachable"), (HANGING, "timeout")):
            by_call = defaultdict(list)
            for post in posts[url]:
                assert post.result == result
                by_call[post.call_id].append(post)
            assert len(by_call) == CALLS
            for tries in by_call.values():
                assert [post.post for post in tries] == [1, 2, 3]
                for earlier, later, wait_us in zip(tries, tries[1:], WAITS_US, strict=False):
                    assert earlier.ended_at is not None
                    assert later.due_at == earlier.next_at == earlier.ended_at + wait_us
        assert {*handlers.tries.values()} == {1, 3}
        assert all(post.ended_at == (post.begun_at or 0) + TIMEOUT_US for post in posts[HANGING])

    asyncio.run(session())


def test_what_is_owed_arrives_once_the_handler_is_back(impatient: Scenario) -> None:
    async def session() -> None:
        handlers = _Handlers()
        async with Sandbox(impatient, poster=handlers) as sandbox:
            owed = [
                (url, call_id)
                for url in (DEAD, HANGING)
                for call_id in (await sandbox.submit(_calls(url))).call_ids
            ]
            while len(handlers.tries) < len(owed):
                await sandbox.clock.advance_until("next delivery")
            assert handlers.arrived == []
            handlers.are_back = True
            posts = await _posts(sandbox)
        assert sorted(handlers.arrived) == sorted(owed)
        last = {(post.url, post.call_id): post.result for url in posts for post in posts[url]}
        assert last == dict.fromkeys(owed, "accepted")

    asyncio.run(session())


@pytest.mark.parametrize("handler_time", ["real", "scenario"])
def test_a_poster_that_hangs_is_ended_by_the_timeout_of_its_endpoint(
    impatient: Scenario, handler_time: Any
) -> None:
    async def session() -> list[str]:
        options: dict[str, Any] = {"poster": _Handlers(), "handler_time": handler_time}
        async with Sandbox(impatient, **options) as sandbox:
            await sandbox.submit(_calls(HANGING))
            posts = await _posts(sandbox)
            return [post.result for post in posts[HANGING]]

    assert asyncio.run(session()) == ["timeout"] * 3 * CALLS


@pytest.mark.parametrize("handler_time", ["real", "scenario"])
@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (Reply("acepted"), r"result 'acepted': .*did you mean 'accepted'"),  # type: ignore[arg-type]
        (None, "found None; return a Reply"),
        (Reply("accepted", "200"), "status: found '200'"),  # type: ignore[arg-type]
        (Reply("accepted", 200, -1.0), r"wall_s: found -1\.0; must be"),
    ],
)
def test_a_reply_that_is_none_is_refused_and_holds_up_nobody(
    impatient: Scenario, reply: Any, named: str, handler_time: Any
) -> None:
    async def poster(_: Post) -> Any:
        return reply

    async def session() -> None:
        options: dict[str, Any] = {"poster": poster, "handler_time": handler_time}
        async with Sandbox(impatient, **options) as sandbox:
            await sandbox.submit(_calls(HEALTHY))
            for _ in range(2):
                with pytest.raises(SandboxError, match=f"the poster's reply about call .*{named}"):
                    await sandbox.clock.advance_until("idle")
            with pytest.raises(SandboxError, match="the poster's reply"):
                await sandbox.stop("acme", "default 000001")
            assert sandbox.clock.view.state == "held"

    asyncio.run(session())


def test_a_session_goes_on_with_a_better_poster(impatient: Scenario, tmp_path: Any) -> None:
    async def nonsense(_: Post) -> Any:
        return "fine"

    async def session() -> None:
        async with Sandbox(impatient, state=tmp_path, poster=nonsense) as sandbox:
            await sandbox.submit(_calls(HEALTHY))
            with pytest.raises(SandboxError, match="found 'fine'"):
                await sandbox.clock.advance_until("idle")
        handlers = _Handlers()
        async with Sandbox(impatient, state=tmp_path, poster=handlers) as sandbox:
            posts = await _posts(sandbox)
        assert {*handlers.tries.values()} == {1}
        assert [post.result for post in posts[HEALTHY]] == ["accepted"] * CALLS

    asyncio.run(session())


def test_a_poster_that_fails_is_warned_of_once_and_every_delivery_has_its_error(
    impatient: Scenario, tmp_path: Path
) -> None:
    async def fail(post: Post) -> Reply:
        raise (KeyError if post.number == 2 else ValueError)(f"no {post.number}")

    async def session() -> None:
        async with Sandbox(impatient, state=tmp_path, poster=fail) as sandbox:
            await sandbox.submit(_calls(DEAD))
            (posts,) = (await _posts(sandbox)).values()
        assert len(posts) == 3 * CALLS
        errors = {1: "ValueError: no 1", 2: "KeyError: 'no 2'", 3: "ValueError: no 3"}
        assert {(p.post, p.result, p.error) for p in posts} == {
            (number, "unreachable", error) for number, error in errors.items()
        }
        async with Sandbox(impatient, state=tmp_path, poster=fail) as sandbox:
            assert sandbox.deliveries() == posts

    with pytest.warns(UserWarning, match="the poster failed about call") as warned:
        asyncio.run(session())
    assert sorted(str(warning.message).split("(")[1].split(":")[0] for warning in warned) == [
        "KeyError",
        "ValueError",
    ]


def test_deliveries_are_read_piece_by_piece(impatient: Scenario) -> None:
    async def session() -> None:
        async with Sandbox(impatient, poster=_Handlers()) as sandbox:
            for tenant, url in (("acme", DEAD), ("bolt", HEALTHY), ("acme", HEALTHY)):
                await sandbox.submit(_calls(url).model_copy(update={"tenant": tenant}))
            await sandbox.clock.advance_until("idle")
            for whose in (None, "acme", "bolt"):
                everything = [*sandbox.deliveries(whose)]
                pieces: list[DeliveryView] = []
                while piece := sandbox.deliveries(
                    whose, last=2, before=pieces[0].number if pieces else None
                ):
                    assert len(piece) <= 2
                    pieces = [*piece, *pieces]
                assert pieces == everything
                assert {post.tenant for post in pieces} <= {whose or "acme", whose or "bolt"}
            numbers = [post.number for post in sandbox.deliveries()]
            assert numbers == [*range(1, 5 * CALLS + 1)]
            call_id = everything[0].call_id
            assert sandbox.deliveries("acme", call_id) == []
            assert sandbox.deliveries("bolt", call_id) == everything[:1]
            assert [*sandbox.deliveries(before=2**40)] == [*sandbox.deliveries()]

    asyncio.run(session())
