"""A sandbox that refuses requests, by the rule of the model: at once, with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from outsim.clock import SECOND
from outsim.errors import SandboxError
from outsim.live import Sandbox, Submit
from outsim.live.replay import replay
from outsim.scenario import Scenario
from outsim.testing.differences import find_first
from outsim.vocabulary import PLATFORM_QUEUE, PLATFORM_RATE

ScenarioOf = Callable[..., Scenario]
ONE = "destination\n2125550100\n"
LIST = "destination\n" + "".join(f"21255501{k:02d}\n" for k in range(20))


def run(session: Awaitable[None]) -> None:
    async def whole() -> None:
        await session

    asyncio.run(whole())


async def refused(sandbox: Sandbox, **values: str) -> str:
    with pytest.raises(SandboxError, match="try again later") as found:
        await sandbox.submit(Submit(**{"tenant": "acme", "contacts": ONE} | values))
    return found.value.reason


def test_requests_beyond_the_rate_are_refused_until_there_is_a_token_again(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(intake_rate="1/min")) as sandbox:
            await sandbox.submit(Submit(tenant="acme", contacts=LIST))
            assert await refused(sandbox) == "rate"
            assert await refused(sandbox, tenant="bolt") == "rate"
            await sandbox.clock.advance_by(60 * SECOND)
            taken = await sandbox.submit(Submit(tenant="bolt", contacts=ONE))
            assert sandbox.call(taken.call_ids[0]).status == "scheduled"

    run(session())


def test_a_list_that_has_no_room_is_refused_and_its_name_is_free_again(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(queue_limit=25)) as sandbox:
            await sandbox.submit(Submit(tenant="acme", campaign="first", contacts=LIST))
            assert await refused(sandbox, campaign="offer", contacts=LIST) == "full"
            taken = await sandbox.submit(Submit(tenant="acme", campaign="offer", contacts=ONE))
            assert taken.campaign == "offer"
            campaigns = {campaign.name: campaign.counts for campaign in sandbox.campaigns("acme")}
            assert campaigns["offer refused 2"] == {"refused": 20}
            assert campaigns["offer"] == {"scheduled": 1}

    run(session())


def test_a_session_with_refusals_and_its_replay_have_the_same_records(
    scenario_of: ScenarioOf, tmp_path: Path
) -> None:
    async def session() -> None:
        scenario = scenario_of(intake_rate="1/s", intake_burst=2, queue_limit=30)
        async with Sandbox(scenario, state=tmp_path) as sandbox:
            for k in range(30):
                try:
                    contacts = LIST if k % 3 else ONE
                    await sandbox.submit(Submit(tenant="acme", contacts=contacts))
                except SandboxError:
                    await sandbox.clock.advance_by(SECOND // 2)
            live = sandbox.result().arrays.records
        assert {PLATFORM_RATE, PLATFORM_QUEUE} <= set(live.requests["reason"].tolist())
        for engine in ("simpy", "compiled"):
            again = replay(tmp_path, engine=engine)  # type: ignore[arg-type]
            assert find_first(live, again.arrays.records) is None
            assert (again.calls["status"] == "refused").sum() > 20

    run(session())
