"""The clock: held, free, advancing; what it waits for, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from outsim.clock import HOUR, MINUTE, SECOND
from outsim.errors import SandboxError
from outsim.live import Pin, Post, Reply, Sandbox, Submit
from outsim.live.pace import BEHIND_S
from outsim.scenario import Scenario
from outsim.vocabulary import FIRST_CALL_ID

ScenarioOf = Callable[..., Scenario]
LIST = "destination\n" + "".join(f"21255501{k:02d}\n" for k in range(20))
URL = "http://127.0.0.1:9/results"


def _calls(**values: Any) -> Submit:
    return Submit(**{"tenant": "acme", "campaign": "offer", "contacts": LIST} | values)


async def accept(_: Post) -> Reply:
    return Reply("accepted", 200, wall_s=0.25)


def run(session: Awaitable[None]) -> None:
    async def whole() -> None:
        await session

    asyncio.run(whole())


def test_a_held_clock_stands_still_until_it_is_told_to_advance(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            submitted = await sandbox.submit(_calls())
            assert sandbox.clock.state == "held"
            assert sandbox.call(submitted.call_ids[0]).status == "scheduled"
            await sandbox.clock.advance_by(MINUTE)
            assert (sandbox.clock.state, sandbox.clock.now) == ("ready", MINUTE)
            assert sandbox.call(submitted.call_ids[0]).status in ("completed", "failed")

    run(session())


def test_until_a_campaign_is_over_every_call_has_its_final_status(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.submit(_calls())
            await sandbox.clock.advance_until("campaign over", tenant="acme", campaign="offer")
            campaign = sandbox.campaign("acme", "offer")
            assert campaign.is_over
            assert campaign.counts.get("completed", 0) + campaign.counts.get("failed", 0) == 20

    run(session())


@pytest.mark.parametrize(
    "whose", [{"tenant": "acme", "campaign": "offer"}, {"tenant": "acme"}, {}]
)
def test_until_it_is_reported_every_result_has_been_answered(
    scenario_of: ScenarioOf, whose: dict[str, str]
) -> None:
    async def session() -> None:
        async with Sandbox(
            scenario_of(reconciliation_every="1 h", lost_updates=0.2), poster=accept
        ) as sandbox:
            await sandbox.submit(_calls(result_url=URL))
            await sandbox.submit(_calls(tenant="bolt", start=2 * HOUR, result_url=URL))
            await sandbox.clock.advance_until("campaign over", tenant="acme", campaign="offer")
            over = sandbox.campaign("acme", "offer")
            assert over.counts != over.visible_counts
            await sandbox.clock.advance_until("reported", **whose)
            reported = sandbox.campaign("acme", "offer")
            assert reported.counts == reported.visible_counts == over.counts
            posts = sandbox.deliveries("acme")
            assert [post.result for post in posts] == ["accepted"] * 20
            # It ends with the last answer, and waits for nobody else.
            ended = max(post.ended_at or 0 for post in sandbox.deliveries())
            assert sandbox.clock.now == ended + 1
            assert bool(sandbox.deliveries("bolt")) == (not whose)

    run(session())


@pytest.mark.parametrize(
    ("what", "whose", "said"),
    [
        ("idle", {"tenant": "acme"}, "idle is about everybody"),
        ("reported", {"campaign": "offer"}, "name the tenant"),
        ("reported", {"tenant": "acne"}, "did you mean 'acme'"),
        ("campaign over", {"tenant": "acme"}, "name tenant and campaign"),
    ],
)
def test_a_condition_is_about_somebody_who_is_there(
    scenario_of: ScenarioOf, what: Any, whose: dict[str, str], said: str
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            with pytest.raises(SandboxError, match=said):
                await sandbox.clock.advance_until(what, **whose)

    run(session())


def test_until_idle_every_status_is_visible_and_every_result_is_delivered(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), poster=accept) as sandbox:
            await sandbox.submit(_calls(result_url=URL))
            await sandbox.clock.advance_until("idle")
            campaign = sandbox.campaign("acme", "offer")
            assert campaign.counts == campaign.visible_counts
            assert [post.result for post in sandbox.deliveries()] == ["accepted"] * 20

    run(session())


def test_until_the_next_update_is_visible_it_stands_right_after(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            submitted = await sandbox.submit(_calls())
            await sandbox.clock.advance_until("next update visible", tenant="acme")
            first = sandbox.call(submitted.call_ids[0]).changes[0]
            assert first.visible_at == sandbox.clock.now - 1
            with pytest.raises(SandboxError, match="did not come before"):
                await sandbox.clock.advance_until("next update visible", tenant="bolt")

    run(session())


def test_an_advancing_clock_waits_for_a_handler_and_what_it_sends_back(
    scenario_of: ScenarioOf,
) -> None:
    asked: list[tuple[int, int]] = []

    async def session() -> None:
        async def call_again(post: Post) -> Reply:
            before = sandbox.clock.now
            await asyncio.sleep(0)
            await sandbox.submit(_calls(campaign=f"again {post.call.call_id}", result_url=None))
            asked.append((before, sandbox.clock.now))
            return Reply("accepted", 200, wall_s=0.25)

        async with Sandbox(scenario_of(), poster=call_again) as sandbox:
            await sandbox.submit(_calls(contacts="destination\n2125550101\n", result_url=URL))
            await sandbox.clock.advance_until("next delivery")
            assert len(asked) == 1
            await sandbox.clock.advance_by(MINUTE)
            (post,) = sandbox.deliveries()
            assert post.begun_at is not None
            assert post.ended_at == post.begun_at + SECOND // 4
            # No time passed for the handler until it had answered.
            assert asked == [(post.begun_at + 1, post.begun_at + 1)]

    run(session())


def test_a_late_handler_holds_up_no_advancing_clock_while_it_waits_for_simulated_time(
    scenario_of: ScenarioOf,
) -> None:
    async def session() -> None:
        async def late(_: Post) -> Reply:
            await sandbox.clock.sleep(2 * SECOND)
            return Reply("accepted", 200, wall_s=0.0)

        async with Sandbox(scenario_of(), poster=late) as sandbox:
            await sandbox.submit(_calls(contacts="destination\n2125550101\n", result_url=URL))
            await sandbox.clock.advance_until("idle")
            (post,) = sandbox.deliveries()
            assert post.begun_at is not None
            assert post.ended_at == post.begun_at + 2 * SECOND + 1000

    run(session())


def test_a_handler_that_answers_too_late_is_posted_to_again(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async def slow(post: Post) -> Reply:
            return Reply("accepted", 200, wall_s=60.0 if post.number == 1 else 0.0)

        async with Sandbox(scenario_of(), poster=slow) as sandbox:
            await sandbox.submit(_calls(contacts="destination\n2125550101\n", result_url=URL))
            await sandbox.clock.advance_until("idle")
            assert [post.result for post in sandbox.deliveries()] == ["timeout", "accepted"]

    run(session())


def test_by_the_scenario_a_handler_takes_as_long_as_its_endpoint(scenario_of: ScenarioOf) -> None:
    async def session(wall_s: float) -> list[int | None]:
        async def slow(_: Post) -> Reply:
            return Reply("accepted", 200, wall_s=wall_s)

        async with Sandbox(scenario_of(), poster=slow, handler_time="scenario") as sandbox:
            await sandbox.submit(_calls(result_url=URL))
            await sandbox.clock.advance_until("idle")
            assert sandbox.clock.view.handler_time == "scenario"
            return [post.ended_at for post in sandbox.deliveries()]

    assert asyncio.run(session(0.0)) == asyncio.run(session(5.0))


def _slow_machine(monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """Each look at the wall clock takes so long."""
    looks = count()
    for module in ("driver", "pace"):
        monkeypatch.setattr(f"outsim.live.{module}.perf_counter", lambda: next(looks) * step_s)


def test_a_free_clock_that_falls_behind_says_so_and_skips_nothing(
    scenario_of: ScenarioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slow_machine(monkeypatch, 0.5)  # a slice is over at once

    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            submitted = await sandbox.submit(_calls())
            await sandbox.clock.free(1000)
            await sandbox.wait_for("clock", status="behind", after=0)
            assert sandbox.clock.view.behind_s >= BEHIND_S
            await sandbox.wait_for("campaign_over", after=0)
            final = [sandbox.call(call_id).changes[-1].status for call_id in submitted.call_ids]
            assert {*final} <= {"completed", "failed"}

    run(session())


@pytest.mark.parametrize("handler_time", ["real", "scenario"])
def test_what_the_sandbox_takes_itself_is_not_the_handlers_time(
    scenario_of: ScenarioOf, monkeypatch: pytest.MonkeyPatch, handler_time: Any
) -> None:
    # A minute of simulated time passes between two looks: the timeout is 5 s.
    _slow_machine(monkeypatch, 1.0)
    answered: list[int] = []

    async def session() -> None:
        async def quick(post: Post) -> Reply:
            await sandbox.committed()
            answered.append(post.call.call_id)
            return Reply("accepted", 200, wall_s=0.001)

        async with Sandbox(scenario_of(), poster=quick, handler_time=handler_time) as sandbox:
            submitted = await sandbox.submit(_calls(result_url=URL))
            await sandbox.clock.free(60)
            while len(sandbox.deliveries()) < 20 or sandbox.clock.view.open_posts:
                await asyncio.sleep(0)
            assert sorted(answered) == list(submitted.call_ids)
            assert [post.result for post in sandbox.deliveries()] == ["accepted"] * 20
            assert sandbox.clock.view.behind_s > 0

    run(session())


def test_a_free_clock_waits_where_a_post_would_time_out_and_says_so(
    scenario_of: ScenarioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slow_machine(monkeypatch, 1.0)

    async def session() -> None:
        answers = asyncio.Event()

        async def waits(_: Post) -> Reply:
            await answers.wait()
            return Reply("accepted", 200, wall_s=0.001)

        async with Sandbox(scenario_of(), poster=waits) as sandbox:
            one = "destination\n2125550101\n"
            (call_id,) = (await sandbox.submit(_calls(contacts=one, result_url=URL))).call_ids
            await sandbox.clock.free(60)
            begun = await sandbox.wait_for("delivery_begun", after=0)
            await sandbox.wait_for("clock", status="behind", after=0)
            view = sandbox.clock.view
            assert view.now == begun.at + 5 * SECOND
            assert view.reasons == [f"the answer of {URL} about call {FIRST_CALL_ID + call_id}"]
            assert view.behind_s >= BEHIND_S
            answers.set()
            ended = await sandbox.wait_for("delivery_ended", after=0)
            assert (ended.status, ended.at) == ("accepted", view.now)
            while sandbox.clock.now == view.now:
                await asyncio.sleep(0)
            assert sandbox.clock.view.reasons == []

    run(session())


def test_the_latency_of_a_handler_is_its_own_times_the_speed(
    scenario_of: ScenarioOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall_s = 0.0
    for module in ("driver", "pace"):
        monkeypatch.setattr(f"outsim.live.{module}.perf_counter", lambda: wall_s)

    async def session() -> list[int]:
        nonlocal wall_s

        async def quick(post: Post) -> Reply:
            return Reply("accepted", 200, wall_s=0.02 * (1 + post.call.index))

        async with Sandbox(scenario_of(), poster=quick) as sandbox:
            await sandbox.submit(_calls(result_url=URL))
            await sandbox.clock.free(10)
            while len(sandbox.deliveries()) < 20 or sandbox.clock.view.open_posts:
                wall_s += 0.01
                for _ in range(20):  # whatever is to be done is done before any time passes
                    await asyncio.sleep(0)
                assert sandbox.clock.now
            posts = sandbox.deliveries()
            lasted = {p.call_id: (p.ended_at or 0) - (p.begun_at or 0) for p in posts}
            return [lasted[call_id] for call_id in sorted(lasted)]

    assert asyncio.run(session()) == [SECOND // 5 * (1 + index) for index in range(20)]


def test_an_advance_of_a_free_clock_ends_with_the_clock_held(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), speed=100) as sandbox:
            until = sandbox.clock.now + MINUTE
            await sandbox.clock.advance_to(until)
            assert (sandbox.clock.state, sandbox.clock.now) == ("ready", until)

    run(session())


def test_a_clock_that_comes_to_the_end_of_the_run_says_so(scenario_of: ScenarioOf) -> None:
    day_after = scenario_of()
    earlier = day_after.with_({"clock.latest": "13:00"})

    async def session(scenario: Scenario, hours: int, why: str) -> None:
        async with Sandbox(scenario) as sandbox:
            assert not sandbox.clock.view.is_over
            await sandbox.clock.advance_by(hours * HOUR)
            view = sandbox.clock.view
            assert view.is_over
            assert view.local == view.ends
            assert why in view.ends_why
            await sandbox.clock.free(1000)
            with pytest.raises(SandboxError, match=rf"the run is over: it ends at .*{why}"):
                await sandbox.submit(_calls())
            assert sandbox.clock.now == hours * HOUR
            event = await sandbox.wait_for("clock", status="over", after=0)
            assert event.at == hours * HOUR

    run(session(day_after, 27, "a day after clock.ends"))
    run(session(earlier, 4, "clock.latest of the scenario"))


def test_wedged_calls_stay_pending_and_are_counted(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            await sandbox.pin(Pin(numbers=["2125550100", "2125550101"], outcome="wedged"))
            submitted = await sandbox.submit(_calls())
            await sandbox.clock.advance_until("idle")
            campaign = sandbox.campaign(submitted.tenant, submitted.campaign)
            assert campaign.is_over
            assert campaign.wedged == campaign.happened["pending"] == 2
            assert campaign.seen["pending"] == 2

    run(session())


def test_times_outside_the_run_are_refused_with_both_times(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            begins = sandbox.scenario.clock.begins
            assert sandbox.clock.instant(begins + timedelta(hours=1)) == HOUR
            with pytest.raises(SandboxError, match=r"2026-03-09 .* it is 2026-03-10 09:00:00 UTC"):
                sandbox.clock.instant(begins - timedelta(days=1))
            await sandbox.clock.advance_to(HOUR)
            with pytest.raises(SandboxError, match="no clock goes back"):
                await sandbox.clock.advance_to(HOUR - 1)
            with pytest.raises(SandboxError, match="which ends at 2026-03-11 12:00:00"):
                await sandbox.submit(_calls(start=40 * HOUR))

    run(session())


def test_a_scenario_that_begins_now_has_all_its_times_moved(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        before = datetime.now(UTC)
        async with Sandbox(scenario_of(), begins="now") as sandbox:
            clock = sandbox.scenario.clock
            assert abs(clock.begins - before) < timedelta(minutes=5)
            assert clock.ends - clock.begins == timedelta(hours=3)
            assert clock.date == clock.begins.date()

    run(session())


def test_a_reset_begins_anew_with_the_same_draws(scenario_of: ScenarioOf) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of()) as sandbox:
            seen = []
            for _ in range(2):
                await sandbox.submit(_calls())
                await sandbox.clock.advance_until("idle")
                seen.append((sandbox.clock.now, [call.changes for call in sandbox.calls()]))
                await sandbox.reset()
                assert (sandbox.clock.now, len(sandbox.log)) == (0, 0)
            assert seen[0] == seen[1]

    run(session())
