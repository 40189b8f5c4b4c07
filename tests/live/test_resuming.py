"""A session is gone on with as it was begun, or not at all."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outsim.errors import SandboxError
from outsim.live import Post, Reply, Sandbox, Submit
from outsim.live.state import INPUTS, read
from outsim.scenario import Scenario, load

TEXT = """
name = "at first"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "12:00"
[[tenant]]
name = "acme"
[[account]]
tenant = "acme"
login = "desk@acme.example"
pin = "4711"
"""
LIST = "destination\n" + "".join(f"21255501{k:02d}\n" for k in range(20))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The scenario's file."""
    path = tmp_path / "scenario.toml"
    path.write_text(TEXT)
    return path


async def _live(scenario: Scenario | Path, state: Path, **options: Any) -> tuple[str, float, int]:
    """State, speed and time of the clock as it begins."""
    async with Sandbox(scenario, state=state, **options) as sandbox:
        view = sandbox.clock.view
        return view.state, view.speed, view.now


@pytest.mark.parametrize(
    ("begun", "given", "named"),
    [
        ({"seed": 9}, {"seed": 8}, "its seed is 9, and 8 was given"),
        ({}, {"seed": 8}, "its seed is 1, and 8 was given"),
        (
            {},
            {"handler_time": "scenario"},
            "its handler time is real, and scenario was given",
        ),
        (
            {"begins": "now"},
            {"begins": "scenario"},
            "its beginning is now, and scenario was given",
        ),
        ({}, {"begins": "now"}, "its beginning is scenario, and now was given"),
    ],
)
def test_other_options_are_refused_with_both_named(
    written: Path, tmp_path: Path, begun: dict[str, Any], given: dict[str, Any], named: str
) -> None:
    asyncio.run(_live(written, tmp_path / "session", **begun))
    kept = (tmp_path / "session" / INPUTS).read_bytes()
    with pytest.raises(SandboxError, match=f"{named}.*or another directory"):
        asyncio.run(_live(written, tmp_path / "session", **given))
    assert (tmp_path / "session" / INPUTS).read_bytes() == kept
    for same in (begun, {}):
        asyncio.run(_live(written, tmp_path / "session", **same))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('pin = "4711"', 'pin = "4712"'), r"\(the logins of acme are others\)"),
        (('ends = "12:00"', 'ends = "13:00"'), r"clock.ends is .*12:00.*13:00.* was given"),
        (('name = "acme"\n[[acc', 'name = "acme"\n[[tenant]]\nname = "bolt"\n[[acc'), "bolt"),
    ],
)
def test_another_scenario_is_refused_with_what_differs(
    written: Path, tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    asyncio.run(_live(written, tmp_path / "session"))
    written.write_text(TEXT.replace(*change).replace("at first", "later"))
    with pytest.raises(SandboxError, match=rf"'at first', and 'later' was given.*{named}"):
        asyncio.run(_live(written, tmp_path / "session"))


def test_a_scenario_that_says_the_same_is_the_same(written: Path, tmp_path: Path) -> None:
    asyncio.run(_live(written, tmp_path / "session", begins="now"))
    moved = written.rename(tmp_path / "moved.toml")
    moved.write_text("# a comment\n" + TEXT.replace('"09:00"', '"9:00"'))
    asyncio.run(_live(moved, tmp_path / "session", begins="now"))


def test_a_poster_that_is_missing_is_refused(written: Path, tmp_path: Path) -> None:
    async def accept(_: Post) -> Reply:
        return Reply("accepted", 200)

    asyncio.run(_live(written, tmp_path / "session", poster=accept))
    with pytest.raises(SandboxError, match="its kind of handlers is real, and drawn was given"):
        asyncio.run(_live(written, tmp_path / "session"))


def test_a_varied_day_is_gone_on_with_by_the_scenario_without_variations(
    written: Path, tmp_path: Path
) -> None:
    async def vary() -> None:
        async with Sandbox(written, state=tmp_path / "session") as sandbox:
            await sandbox.reset(3, load(TEXT.replace("12:00", "11:00")))

    async def again() -> tuple[str, str, int]:
        async with Sandbox(written, state=tmp_path / "session") as sandbox:
            ends = (scenario.clock.ends for scenario in (sandbox.scenario, sandbox.base))
            varied, base = (f"{end:%H:%M}" for end in ends)
            return varied, base, sandbox.seed

    asyncio.run(vary())
    assert asyncio.run(again()) == ("11:00", "12:00", 3)


def test_a_clock_goes_on_as_it_was_or_as_it_is_told(written: Path, tmp_path: Path) -> None:
    state = tmp_path / "session"

    async def run_freely() -> int:
        async with Sandbox(written, state=state, speed=1000) as sandbox:
            await sandbox.submit(Submit(tenant="acme", contacts=LIST))
            await sandbox.wait_for("dialed", after=0)
            return sandbox.clock.now

    first = asyncio.run(run_freely())
    kind, speed, resumed = asyncio.run(_live(written, state))
    assert (kind, speed) == ("free", 1000)
    assert resumed >= first > 0
    kind, speed, _ = asyncio.run(_live(written, state, speed=20))
    assert (kind, speed) == ("free", 20)
    # From here on it is held from the first instant, and stays so.
    kind, speed, held = asyncio.run(_live(written, state, held=True))
    assert kind == "held"
    assert asyncio.run(_live(written, state)) == ("held", speed, held)
    assert asyncio.run(_live(written, state, held=True)) == ("held", speed, held)


def test_a_held_restart_lets_no_time_pass(written: Path, tmp_path: Path) -> None:
    state = tmp_path / "session"

    async def crash_freely() -> None:
        sandbox = await Sandbox(written, state=state, speed=1000).open()
        await sandbox.submit(Submit(tenant="acme", contacts=LIST))
        await sandbox.wait_for("dialed", after=0)
        await sandbox.committed()
        (tmp_path / "kept").write_bytes((state / INPUTS).read_bytes())
        await sandbox.close()

    async def hold(times: int) -> list[int]:
        found = []
        for _ in range(times):
            async with Sandbox(written, state=state, held=True) as sandbox:
                for _ in range(20):
                    await asyncio.sleep(0)
                found.append(sandbox.clock.now)
        return found

    asyncio.run(crash_freely())
    (state / INPUTS).write_bytes((tmp_path / "kept").read_bytes())
    entries = [json.loads(line) for line in (tmp_path / "kept").read_bytes().splitlines()]
    promised = max(entry.get("until") or entry.get("at", 0) for entry in entries[-2:])
    assert asyncio.run(hold(3)) == [promised] * 3


def _serve(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outsim", "serve", *words, "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_refuses_another_session_with_exit_code_2(
    written: Path, tmp_path: Path
) -> None:
    asyncio.run(_live(written, tmp_path / "session", poster=_never))
    ended = _serve(written, "--state", tmp_path / "session", "--seed", "9")
    assert ended.returncode == 2
    assert "its seed is 1, and 9 was given" in " ".join(ended.stderr.split())
    assert read(tmp_path / "session").seed == 1


async def _never(_: Post) -> Reply:
    raise AssertionError
