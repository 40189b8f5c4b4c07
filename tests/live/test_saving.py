"""A session as a scenario: what it comes to in batch, what is left out, and where it may go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import outsim
from outsim.clock import MINUTE, SECOND
from outsim.errors import SandboxError
from outsim.live import EndFault, Fault, Pin, Post, Reply, Sandbox, Submit
from outsim.results.result import Result
from outsim.scenario import Scenario
from outsim.testing.differences import find_first
from tests.strategies import LISTS

ScenarioOf = Callable[..., Scenario]
URL = "http://127.0.0.1:9/results"


def _submit(tenant: str, campaign: str, name: str = "plain", **values: object) -> Submit:
    values |= {"contacts": LISTS[name], "result_url": URL}
    return Submit(tenant=tenant, campaign=campaign, **values)  # type: ignore[arg-type]


def test_a_saved_session_has_the_same_records_in_batch(
    scenario_of: ScenarioOf, tmp_path: Path
) -> None:
    async def session() -> Result:
        async with Sandbox(scenario_of(ports=2), seed=7) as sandbox:
            await sandbox.submit(_submit("acme", "first", max_retry=2, retry_interval_s=60))
            await sandbox.order_fault(
                Fault(of="ports", count=1, begins=20 * SECOND, ends=3 * MINUTE, drop=True)
            )
            await sandbox.clock.advance_by(30 * SECOND)
            await sandbox.submit(_submit("acme", "second", "zones", start=MINUTE))
            await sandbox.submit(_submit("bolt", "third", pacing_per_min=60))
            await sandbox.suspend("bolt")
            await sandbox.pause("acme", "second")
            await sandbox.clock.advance_by(45 * SECOND)
            await sandbox.stop("acme", "first")
            await sandbox.resume("bolt")
            await sandbox.unpause("acme", "second")
            carrier = await sandbox.order_fault(Fault(of="carrier"))
            await sandbox.clock.advance_by(MINUTE)
            await sandbox.end_fault(EndFault(fault=carrier.number))
            await sandbox.clock.advance_to(sandbox.clock.instant(sandbox.scenario.clock.ends))
            assert sandbox.save(tmp_path / "saved.toml").words == ""
            return sandbox.result()

    live = asyncio.run(session())
    saved = outsim.load(tmp_path / "saved.toml")
    assert saved.outage[0].drop
    assert saved.pause[0].campaign == "acme/second"
    again = outsim.simulate(saved)
    assert again.seed == 7
    assert len(again.attempts) > 20
    assert find_first(live.arrays.records, again.arrays.records) is None


async def accept(_: Post) -> Reply:
    return Reply("accepted", 200, wall_s=0.1)


def test_what_a_scenario_has_no_words_for_is_counted(
    scenario_of: ScenarioOf, tmp_path: Path
) -> None:
    async def session() -> str:
        async with Sandbox(scenario_of(), poster=accept) as sandbox:
            await sandbox.pin(Pin(numbers=["2125550101", "2125550199"], outcome="busy"))
            await sandbox.order_fault(Fault(of="intake_503", tenant="bolt"))
            await sandbox.order_fault(Fault(of="ports", count=1, ends=MINUTE))
            contacts = "destination\n2125550101\n2125550102\n"
            await sandbox.submit(
                Submit(tenant="acme", campaign="offer", contacts=contacts, result_url=URL)
            )
            await sandbox.clock.advance_until("reported", tenant="acme")
            await sandbox.stop("acme", "offer")
            await sandbox.cancel("acme", "default")
            return sandbox.save(tmp_path / "saved.toml").words

    left_out = asyncio.run(session())
    assert left_out == (
        "1 outcome that was given, 1 fault of the interface, 2 answers of handlers, "
        "1 cancellation after a stop"
    )
    assert f"# Not in it: {left_out}." in (tmp_path / "saved.toml").read_text()


def test_only_the_same_session_takes_the_place_of_a_saved_one(
    scenario_of: ScenarioOf, tmp_path: Path
) -> None:
    saved, own = tmp_path / "saved.toml", tmp_path / "own.toml"
    own.write_text("seed = 1\n")

    async def session(state: Path, seed: int, campaign: str) -> None:
        async with Sandbox(scenario_of(), state=state, seed=seed) as sandbox:
            with pytest.raises(SandboxError, match="is not this session; name another file"):
                sandbox.check_save(own)
            sandbox.check_save(saved)
            await sandbox.submit(_submit("acme", campaign))
            sandbox.save(saved)

    asyncio.run(session(tmp_path / "one", 1, "first"))
    asyncio.run(session(tmp_path / "one", 1, "second"))
    for directory, seed in (("two", 1), ("three", 2)):
        with pytest.raises(SandboxError, match="is not this session"):
            asyncio.run(session(tmp_path / directory, seed, "first"))


def test_a_place_that_can_not_be_written_is_refused_before_anything_is_done(
    scenario_of: ScenarioOf, tmp_path: Path
) -> None:
    (tmp_path / "contacts").write_text("")

    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            with pytest.raises(SandboxError, match=r"nowhere/x.toml: can't be written to"):
                sandbox.check_save(tmp_path / "nowhere" / "x.toml")
            with pytest.raises(SandboxError, match=r"contacts: can't be written to"):
                sandbox.check_save(tmp_path / "x.toml")

    asyncio.run(session())
