"""What customers and test writers order: stops, cancellations, suspensions, pins, faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from outsim.clock import MINUTE, SECOND
from outsim.errors import SandboxError
from outsim.live import EndFault, Fault, Pin, Sandbox, Submit
from outsim.live.inputs import PinnedOutcome
from outsim.scenario import Scenario

ScenarioOf = Callable[..., Scenario]
NUMBERS = [f"21255501{k:02d}" for k in range(20)]
LIST = "destination,name\n" + "".join(f"{number},n{number}\n" for number in NUMBERS)


def _calls(**values: Any) -> Submit:
    return Submit(**{"tenant": "acme", "campaign": "offer", "contacts": LIST} | values)


def run(session: Awaitable[None]) -> None:
    async def whole() -> None:
        await session

    asyncio.run(whole())


def test_calls_are_numbered_and_keep_what_was_given_with_them(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            one = await sandbox.submit(_calls(extra={"message_reference": "m"}))
            other = await sandbox.submit(_calls(campaign=None, tenant="bolt"))
            assert (one.call_ids, other.call_ids) == (range(20), range(20, 40))
            call = sandbox.call(1)
            assert (call.phone_number, call.variables) == (NUMBERS[1], {"name": f"n{NUMBERS[1]}"})
            assert call.extra == {"message_reference": "m"}
            assert sandbox.call(21).tenant == "bolt"
            assert sandbox.campaigns("bolt")[0].name == other.campaign

    run(session())


@pytest.mark.parametrize(
    ("values", "reason", "message"),
    [
        ({"tenant": "acne"}, "unknown", "did you mean 'acme'"),
        ({"campaign": "there"}, "conflict", "is there already"),
        ({"contacts": "number\n2125550100\n"}, "invalid", "must be 'destination'"),
        ({"expires": 0}, "outside", "must be after"),
        ({"result_url": "ftp://127.0.0.1/x"}, "invalid", "write http://HOST/PATH"),
    ],
)
def test_a_submission_that_cant_be_taken_leaves_no_trace(
    scenario_of: ScenarioOf, values: dict[str, Any], reason: str, message: str
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.submit(_calls(campaign="there"))
            with pytest.raises(SandboxError, match=message) as refused:
                await sandbox.submit(_calls(**values))
            assert refused.value.reason == reason
            assert [entry.kind for entry in sandbox.log] == ["submit"]

    run(session())


def test_a_stop_spares_what_is_in_the_queue_and_a_cancellation_does_not(
    scenario_of: ScenarioOf,
) -> None:
    async def session(*, is_cancel: bool) -> Counter[str]:
        async with Sandbox(scenario_of(ports=1, stop_latency="1 s")) as sandbox:
            await sandbox.submit(_calls())
            await sandbox.clock.advance_by(5 * SECOND)
            if is_cancel:
                await sandbox.cancel("acme", "default")
            else:
                await sandbox.stop("acme", "offer")
            await sandbox.clock.advance_until("campaign over", tenant="acme", campaign="offer")
            return Counter(sandbox.campaign("acme", "offer").counts)

    stopped, canceled = asyncio.run(session(is_cancel=False)), asyncio.run(session(is_cancel=True))
    assert stopped["canceled"] == 0
    assert canceled["canceled"] > 15


def test_a_cancellation_empties_the_queue_of_a_campaign_that_was_stopped(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(ports=1)) as sandbox:
            await sandbox.submit(_calls())
            await sandbox.clock.advance_by(5 * SECOND)
            await sandbox.stop("acme", "offer")
            await sandbox.clock.advance_by(5 * SECOND)
            assert sandbox.campaign("acme", "offer").counts.get("queued", 0) > 10
            await sandbox.cancel("acme", "default")
            await sandbox.clock.advance_by(5 * SECOND)
            assert "queued" not in sandbox.campaign("acme", "offer").counts

    run(session())


def test_a_suspension_holds_one_tenant_back_until_it_is_resumed(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.suspend("acme")
            with pytest.raises(SandboxError, match="suspended already"):
                await sandbox.suspend("acme")
            await sandbox.submit(_calls())
            await sandbox.submit(_calls(tenant="bolt"))
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "offer").counts == {"queued": 20}
            assert sandbox.campaign("bolt", "offer").counts.get("queued", 0) < 20
            await sandbox.resume("acme")
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "offer").counts.get("queued", 0) < 20

    run(session())


def test_a_pause_holds_one_campaign_back_until_it_goes_on(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            for name in ("paused", "sister"):
                await sandbox.submit(_calls(campaign=name))
            await sandbox.pause("acme", "paused")
            with pytest.raises(SandboxError, match="paused of acme is paused already"):
                await sandbox.pause("acme", "paused")
            with pytest.raises(SandboxError, match="did you mean"):
                await sandbox.pause("acme", "pausd")
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "paused").counts == {"queued": 20}
            assert sandbox.campaign("acme", "paused").is_paused
            assert sandbox.campaign("acme", "sister").counts.get("queued", 0) < 20
            await sandbox.unpause("acme", "paused")
            with pytest.raises(SandboxError, match="no pause of campaign paused of acme is on"):
                await sandbox.unpause("acme", "paused")
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "paused").counts.get("queued", 0) < 20
            assert not sandbox.campaign("acme", "paused").is_paused

    run(session())


EXPECTED: dict[PinnedOutcome, tuple[str, str, str]] = {
    "human": ("completed", "completed", "human"),
    "voicemail": ("completed", "completed", "voicemail"),
    "busy": ("failed", "failed", "busy"),
    "no_answer": ("failed", "failed", "no_answer"),
    "invalid": ("failed", "failed", "invalid"),
    "fax": ("completed", "completed", "fax"),
    "refused": ("failed", "failed", "congestion"),
    "stuck": ("completed", "queued", "human"),
    "wedged": ("queued", "queued", ""),
    "misdetected": ("completed", "completed", "human"),
}
"""Status as it is and as it is seen, and outcome, of a call whose number is pinned."""


def test_a_pinned_number_has_its_outcome_and_changes_nobody_elses_draws(
    scenario_of: ScenarioOf,
) -> None:
    async def session(pins: dict[str, PinnedOutcome]) -> list[Any]:
        # So much of everything that no call waits for another: then only draws tell them apart.
        roomy = scenario_of(ports=1000, workers=1000, dial_rate="1000/s", dial_burst=100)
        async with Sandbox(roomy) as sandbox:
            for number, outcome in pins.items():
                await sandbox.pin(Pin(numbers=[number], outcome=outcome, after_s=3, talk_s=7))
            assert {number: pin.outcome for number, pin in sandbox.pins().items()} == pins
            await sandbox.submit(_calls())
            await sandbox.clock.advance_by(10 * MINUTE)
            return list(sandbox.calls())

    pins = dict(zip(NUMBERS[:10], EXPECTED, strict=True))
    plain, pinned = asyncio.run(session({})), asyncio.run(session(pins))
    for call, (number, outcome) in zip(pinned, pins.items(), strict=False):
        assert call.phone_number == number
        status, visible, found = EXPECTED[outcome]
        assert (call.status, call.visible_status) == (status, visible), outcome
        assert [dial.outcome for dial in call.attempts] == ([found] if found else []), outcome
    answered = pinned[0].attempts[0]
    assert answered.ended_at - answered.answered_at == 7 * SECOND
    misdetected = pinned[9].attempts[0]
    assert misdetected.callee_type != answered.callee_type
    assert [call.attempts for call in pinned[10:]] == [call.attempts for call in plain[10:]]


def test_only_reserved_numbers_can_be_pinned(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            for number in ("2125550200", "12125550100", "2125551100", "x"):
                with pytest.raises(SandboxError, match="reserved numbers"):
                    await sandbox.pin(Pin(numbers=[number], outcome="busy"))

    run(session())


def test_an_outage_on_order_ends_on_order(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            ordered = await sandbox.order_fault(Fault(of="ports"))
            await sandbox.submit(_calls())
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "offer").counts == {"queued": 20}
            assert [fault.number for fault in sandbox.faults()] == [ordered.number]
            await sandbox.end_fault(EndFault(fault=ordered.number))
            await sandbox.clock.advance_by(10 * SECOND)
            assert sandbox.campaign("acme", "offer").counts.get("queued", 0) < 20
            assert sandbox.faults() == []

    run(session())


def test_a_fault_of_the_interface_strikes_as_often_as_it_is_told_and_whom(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.order_fault(Fault(of="intake_503", tenant="acme", count=2, status=503))
            struck = [sandbox.strikes("intake_503", tenant=t) for t in ("bolt", *["acme"] * 3)]
            assert [each is not None for each in struck] == [False, True, True, False]
            await sandbox.order_fault(Fault(of="preflight", share=0.5))
            often = sum(sandbox.strikes("preflight") is not None for _ in range(200))
            assert 60 < often < 140

    run(session())


def test_a_session_can_be_saved_as_a_scenario(scenario_of: ScenarioOf, tmp_path: Any) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.submit(_calls(result_url="http://127.0.0.1:9/x", max_retry=2))
            await sandbox.suspend("acme")
            await sandbox.clock.advance_by(10 * SECOND)
            await sandbox.resume("acme")
            await sandbox.stop("acme", "offer")
            sandbox.save(tmp_path / "session.toml")

    run(session())
    from outsim.scenario import load

    (campaign,) = load(tmp_path / "session.toml").campaigns
    assert campaign.contact_list is not None
    assert (campaign.name, len(campaign.contact_list), campaign.max_retry) == ("offer", 20, 2)
    assert (campaign.result_url, f"{campaign.stop_at:%H:%M:%S}") == ("127.0.0.1:9", "09:00:10")
