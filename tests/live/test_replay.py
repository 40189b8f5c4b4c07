"""A session and its replay are the same run: scenario, seed and log say all of it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outsim
from outsim.cli import main
from outsim.engine import Records
from outsim.live import Answer, Sandbox, Submit
from outsim.live.log import read_log
from outsim.live.replay import MOST_CAMPAIGNS, ManyCampaigns, answer_of, replay
from outsim.live.state import INPUTS
from outsim.results.invariants import check_invariants
from outsim.scenario import Scenario
from outsim.testing.differences import find_first
from outsim.vocabulary import FIRST_CALL_ID
from tests.both_engines import first_difference
from tests.live.sessions import URLS, Order, answer, held_session, sessions
from tests.strategies import LISTS, crowded_scenarios, scenarios

OFTEN = 15
RESULTS = ("accepted", "server_error", "unreachable", "timeout")

DEPTHS = ("quick", pytest.param("deep", marks=pytest.mark.deep))


def test_a_free_session_and_its_replay_have_the_same_records(
    scenario_of: Callable[..., Scenario], tmp_path: Path
) -> None:
    async def session() -> Records:
        sandbox = await Sandbox(scenario_of(), state=tmp_path, poster=answer, speed=1000).open()
        for k in range(10):
            submitted = await sandbox.submit(
                Submit(tenant="acme", contacts=LISTS["plain"], result_url=URLS[k % 2])
            )
            await sandbox.wait_for("visible", call_id=submitted.call_ids[0], after=0)
            sandbox.result()  # looking at it on the way changes nothing
        await sandbox.wait_for("delivery_ended", after=0)
        await sandbox.clock.hold()
        records = sandbox.result().arrays.records
        await sandbox.close()
        return records

    live = asyncio.run(session())
    for engine in ("simpy", "compiled"):
        again = replay(tmp_path, engine=engine)  # type: ignore[arg-type]
        assert find_first(live, again.arrays.records) is None


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_session_and_its_replay_on_either_engine_have_the_same_records(depth: str) -> None:
    """And everything that can come from outside comes often, or the test would mean nothing."""
    done: Counter[str] = Counter()

    @settings(max_examples=max(200, settings.default.max_examples))
    @given(
        st.one_of(scenarios(), crowded_scenarios()),
        sessions(),
        st.sampled_from(("real", "scenario")),
    )
    def agree(scenario: Scenario, orders: list[Order], handler_time: str) -> None:
        with tempfile.TemporaryDirectory() as room:
            state = Path(room)
            live, counted = asyncio.run(
                held_session(scenario, orders, state, handler_time=handler_time)
            )
            done.update(counted)
            for engine in ("simpy", "compiled"):
                again = replay(state, engine=engine)  # type: ignore[arg-type]
                difference = first_difference(
                    again.arrays.plan, live.arrays.records, again.arrays.records
                )
                assert not difference, f"{engine}: {difference}"
            done.update(
                entry.result for entry in read_log(state / INPUTS)[0] if isinstance(entry, Answer)
            )
            check_invariants(live)

    agree()
    wanted = (
        "submit",
        "stop",
        "cancel",
        "suspend",
        "pause",
        "resume",
        "pin",
        "fault",
        "end_fault",
    )
    assert min(done[name] for name in (*wanted, *RESULTS)) > OFTEN, done


@settings(max_examples=25)
@given(st.one_of(scenarios(), crowded_scenarios()), sessions())
def test_the_result_of_a_session_is_read_again(scenario: Scenario, orders: list[Order]) -> None:
    with tempfile.TemporaryDirectory() as room:
        asyncio.run(held_session(scenario, orders, Path(room, "session")))
        result = replay(Path(room, "session"))
        again = outsim.load_result(result.save(Path(room, "result")))
        assert find_first(result.arrays.records, again.arrays.records) is None
        for name, table in result.tables.items():
            pd.testing.assert_frame_equal(again.tables[name], table, check_categorical=False)
        pd.testing.assert_frame_equal(again.summary(), result.summary())
        ours, theirs = result.arrays.plan, again.arrays.plan
        for field in ("rank", "tenant_rank", "first_call_id", "numbered_us", "start_us", "size"):
            values = [getattr(c, field) for c in ours.campaigns]
            assert [getattr(c, field) for c in theirs.campaigns] == values, field
        check_invariants(again)


def test_a_session_of_many_single_calls_is_told_by_status(
    scenario_of: Callable[..., Scenario], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), state=tmp_path) as sandbox:
            for number in range(MOST_CAMPAIGNS + 1):
                contacts = f"destination\n212555{2000 + number}\n"
                await sandbox.submit(Submit(tenant="acme", contacts=contacts))
            await sandbox.clock.advance_until("idle")

    asyncio.run(session())
    result = replay(tmp_path)
    answer_in_short = answer_of(result)
    assert isinstance(answer_in_short, ManyCampaigns)
    assert sum(answer_in_short.to_dict()["calls"].values()) == MOST_CAMPAIGNS + 1
    assert answer_in_short.document().answer.startswith(f"{MOST_CAMPAIGNS + 1} calls: ")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a command of outsim: its exit code."""

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["outsim", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_the_tables_of_a_replay_are_a_result(
    scenario_of: Callable[..., Scenario],
    tmp_path: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def session() -> None:
        async with Sandbox(scenario_of(), state=tmp_path / "session") as sandbox:
            await sandbox.submit(
                Submit(
                    tenant="bolt", campaign="first", contacts=LISTS["plain"], result_url=URLS[0]
                )
            )
            await sandbox.clock.advance_until("idle")

    asyncio.run(session())
    out = str(tmp_path / "tables")
    assert command("replay", str(tmp_path / "session"), "--out", out) == 0
    assert outsim.load_result(out).summary().equals(replay(tmp_path / "session").summary())
    assert command("explain", out, "--campaign", "first") == 0
    assert "bolt" in capsys.readouterr().out
    assert "of the calls of first are" in replay(tmp_path / "session").document().answer
    result = outsim.load_result(out)
    assert result.scenario.campaign_under_study.full_name == "bolt/first"
    call_id = result.view("first").calls["call_id"].iloc[0]
    assert command("explain", out, "--call", str(FIRST_CALL_ID + call_id)) == 0
    assert f"call {call_id}" in capsys.readouterr().out.lower()


def test_where_the_tables_go_is_checked_before_the_run(
    tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert command("replay", "no-such-session", "--out", str(tmp_path / "file")) == 2
    assert "file: can't be written to" in " ".join(capsys.readouterr().err.split())
