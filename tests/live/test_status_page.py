"""The customer's page while a session goes on is that of its result at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter

import numpy as np
import pytest

from outsim.live import Pin, Sandbox, Submit
from outsim.plots.animation import animation
from outsim.scenario import load
from outsim.vocabulary import PENDING_STATUSES

NUMBERS = [f"212555{k:04}" for k in range(100, 160)]
LIST = "destination\n" + "".join(f"{number};ani=2125550199\n" for number in NUMBERS) + "nonsense\n"


@pytest.fixture
def live(scenario_of):
    """Runs a session: a list of which calls fail, are tried again, lost or wedged, and another."""
    scenario = scenario_of(lost_updates=0.1, wedged_calls=0.1, workers=1, status_work="900 ms")

    def live(session):
        async def whole():
            async with Sandbox(scenario, seed=3) as sandbox:
                for outcome, numbers in (("busy", NUMBERS[:8]), ("voicemail", NUMBERS[8:14])):
                    await sandbox.pin(Pin(numbers=numbers, outcome=outcome))
                for campaign in ("reminders", "surveys"):
                    order = Submit(
                        tenant="acme",
                        campaign=campaign,
                        contacts=LIST if campaign == "reminders" else "destination\n2125550101\n",
                        max_retry=1,
                        retry_interval_s=60,
                    )
                    await sandbox.submit(order)
                await session(sandbox)

        asyncio.run(whole())

    return live


def rows_of(sandbox):
    return [
        row
        for are_pending in (True, False)
        for row in sandbox.page_rows("acme", "reminders", are_pending=are_pending, size=1000)
    ]


@pytest.mark.parametrize("seconds", [1, 12, 45, 100, 300, 1800])
def test_it_is_the_page_of_the_result(live, seconds):
    async def session(sandbox):
        await sandbox.clock.advance_by(seconds * 1_000_000)
        page = sandbox.result().status_page(sandbox.clock.local(sandbox.clock.now))
        page = page[page["campaign"] == "reminders"].set_index("call_id")
        rows = rows_of(sandbox)
        assert sorted(row.call_id for row in rows) == sorted(page.index)
        for row in rows:
            found = page.loc[row.call_id]
            assert (row.status, row.true_status) == (found["status"], found["true_status"])
            assert (row.attempt, row.true_attempt) == (found["attempt"], found["true_attempt"])
            assert (row.callee_type, row.call_info) == (found["callee_type"], found["call_info"])
            assert row.number == (str(found["number"]) if found["number"] else "")
            assert row.is_wedged == found["wedged"]
            if row.since is not None:
                assert sandbox.clock.local(row.since) == found["since"]
            assert row.is_behind or row.status == row.true_status

    live(session)


def test_it_is_behind_and_then_catches_up(live):
    async def session(sandbox):
        await sandbox.clock.advance_by(45_000_000)
        rows = rows_of(sandbox)
        behind = [row for row in rows if row.is_behind]
        assert behind
        assert all(row.lag_us is not None and row.lag_us >= 0 for row in behind)
        view = sandbox.campaign("acme", "reminders")
        updates = sandbox.result().updates
        own = updates[updates["call_id"].isin([row.call_id for row in rows])]
        now = sandbox.clock.local(sandbox.clock.now)
        happened, visible = own["happened_at"] <= now, own["visible_at"] <= now
        assert view.waiting_updates == int((happened & ~visible).sum()) > 0
        shown = own[visible & (own["happened_at"] != own["visible_at"])].sort_values("visible_at")
        lags = (shown["visible_at"] - shown["happened_at"]).tail(100)
        assert view.status_lag_us == pytest.approx(lags.mean() / np.timedelta64(1, "us"), abs=1)

    live(session)


def test_pending_calls_come_in_the_order_of_the_list(live):
    async def session(sandbox):
        await sandbox.clock.advance_by(60_000_000)
        pending = sandbox.page_rows("acme", "reminders", are_pending=True, size=1000)
        assert [row.call_id for row in pending] == sorted(row.call_id for row in pending)
        middle = sandbox.page_rows("acme", "reminders", are_pending=True, begin=2, size=3)
        assert middle == pending[2:5]

    live(session)


def test_completed_entries_come_latest_first(live):
    async def session(sandbox):
        await sandbox.clock.advance_by(300_000_000)
        over = sandbox.page_rows("acme", "reminders", are_pending=False, size=1000)
        since = [row.since for row in over if row.since is not None]
        assert len(since) > 10
        assert since == sorted(since, reverse=True)
        assert over[-1].status == "rejected"

    live(session)


def test_calls_after_a_stop_are_those_of_the_campaign(live):
    async def session(sandbox):
        await sandbox.clock.advance_by(5_000_000)
        assert sandbox.dialed_after_stop("acme", "reminders") == []
        await sandbox.stop("acme", "reminders")
        await sandbox.clock.advance_until("idle")
        after = sandbox.dialed_after_stop("acme", "reminders")
        attempts = sandbox.result().attempts
        stopped = sandbox.clock.local(5_000_000)
        own = attempts[
            attempts["campaign"].eq("reminders") & (attempts["dispatched_at"] >= stopped)
        ]
        assert sorted(after) == sorted(own["call_id"])
        assert len(after) == sandbox.campaign("acme", "reminders").dialed_after_stop > 3
        middle = sandbox.dialed_after_stop("acme", "reminders", begin=1, size=2)
        assert middle == after[1:3]

    live(session)


@pytest.fixture
def handed_in_later():
    """A scenario whose campaigns come in at the beginning of the session, and later."""
    return load(
        {
            "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "12:00"},
            "tenant": [{"name": "acme"}],
            "campaign": [
                {"tenant": "acme", "start": "09:30", "contacts": 20, "name": name, **submitted}
                for name, submitted in (
                    ("at once", {"submitted_at": "09:00"}),
                    ("later", {"submitted_at": "09:10"}),
                    ("at its start", {}),
                )
            ]
            + [
                {
                    "tenant": "acme",
                    "name": "by request",
                    "start": "09:05",
                    "requests": {"rate": "60/h"},
                }
            ],
        }
    )


@pytest.mark.parametrize("seconds", [1, 599, 601, 1799, 1801, 2700])
def test_what_waits_to_be_handed_in_is_pending_nowhere(handed_in_later, seconds):
    async def whole():
        async with Sandbox(handed_in_later, seed=3) as sandbox:
            await sandbox.clock.advance_by(seconds * 1_000_000)
            result = sandbox.result()
            page = result.status_page(sandbox.clock.local(sandbox.clock.now))
            data = animation(result, step_s=1)
            drawn = {counter["campaign"]: counter for counter in data["counters"]}
            for view in sandbox.campaigns("acme"):
                own = page[page["campaign"] == view.name]
                assert view.visible_counts == Counter(own["status"])
                assert view.counts == Counter(own["true_status"])
                rows = [
                    row.call_id
                    for are_pending in (True, False)
                    for row in sandbox.page_rows(
                        "acme", view.name, are_pending=are_pending, size=1000
                    )
                ]
                assert sorted(rows) == sorted(own["call_id"])
                for word, counts in drawn[view.name]["seen"].items():
                    assert counts[-1] == view.seen.get(word, 0)

    asyncio.run(whole())


@pytest.mark.parametrize("seconds", [0, 600, 1800])
def test_what_is_handed_in_at_this_instant_is_pending(handed_in_later, seconds):
    async def whole():
        async with Sandbox(handed_in_later, seed=3) as sandbox:
            await sandbox.clock.advance_by(seconds * 1_000_000)
            at, views = sandbox.clock.local(sandbox.clock.now), sandbox.campaigns("acme")
            await sandbox.clock.advance_by(1_000_000)
            page = sandbox.result().status_page(at)
            for view in views:
                own = page[page["campaign"] == view.name]
                pending = own["status"].isin(PENDING_STATUSES).sum()
                assert view.seen["pending"] == pending
                assert sum(view.seen.values()) == len(own)

    asyncio.run(whole())
