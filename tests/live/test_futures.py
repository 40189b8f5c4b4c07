"""An application over many days: what is varied, which days fail, and what is kept of them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import outsim
from outsim.cli import main
from outsim.errors import SandboxError
from outsim.live.futures import Futures
from outsim.live.replay import replay
from outsim.live.search import Lived, Search
from outsim.live.variations import KINDS, Day, Variation, draw_day, named
from tests.live.handler import a_day

HANDLER = Path(__file__).with_name("handler.py")
SCENARIO = """\
name = "one customer"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "12:00"
[platform]
ports = 20
lost_updates = "0 %"
wedged_calls = "0 %"
[[tenant]]
name = "clinic"
[[account]]
tenant = "clinic"
login = "desk@clinic.example"
pin = "4711"
"""
EVERYTHING = tuple(KINDS)


@pytest.fixture
def scenario():
    return outsim.load(SCENARIO)


@pytest.fixture
def futures(tmp_path, monkeypatch, capsys):
    """Runs `outsim serve --futures` in a directory of its own: exit code, answer, errors."""
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)

    def run(*options, command=f"{sys.executable} {HANDLER}"):
        words = ["outsim", "serve", "scenario.toml", *options]
        monkeypatch.setattr(
            sys, "argv", words if command is None else [*words, "--command", command]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


def test_a_seed_has_the_same_day_each_time(scenario):
    days = [draw_day(scenario, seed, EVERYTHING) for seed in range(30)]
    assert days == [draw_day(scenario, seed, EVERYTHING) for seed in range(30)]
    assert len({day.words for day in days}) > 25
    assert {name for day in days for name in day.names} == set(named(EVERYTHING))


def test_what_is_left_out_changes_nothing_else(scenario):
    for seed in range(20):
        day = draw_day(scenario, seed, EVERYTHING)
        part = draw_day(scenario, seed, day.names[1:])
        assert part == Day(seed, day.variations[1:])


def test_days_can_be_served(scenario):
    for seed in range(20):
        day = draw_day(scenario, seed, EVERYTHING)
        varied = day.scenario(scenario)
        assert (varied.platform.status_work != scenario.platform.status_work) == (
            "slow updates" in day.names
        )
        assert (varied.platform.lost_updates > 0) == ("lost updates" in day.names)
        for fault in (fault for v in day.variations for fault in v.faults):
            assert fault.ends is None or 0 < fault.begins < fault.ends


def test_what_is_no_variation_is_refused():
    with pytest.raises(SandboxError, match=r"did you mean.*order"):
        named(["orders"])


def _search(scenario, fails, seeds=8):
    search = Search(scenario, range(seeds), EVERYTHING)
    for day in search:
        search.lived(Lived(day, "exit code 1" if fails(day) else "", inputs=10))
    return search


def test_of_the_smallest_failing_day_only_what_it_takes_is_left(scenario):
    def fails(day):
        return {"duplicated callbacks", "no ports"} <= {*day.names}

    search = _search(scenario, fails, seeds=40)
    assert len(search.days) == 40
    assert {lived.day.names for lived in search.days if lived.why}
    assert search.smallest.day.names == ("duplicated callbacks", "no ports")


def test_in_whatever_order_days_are_over_the_same_is_found(scenario):
    def fails(day):
        return len({"duplicated callbacks", "no ports", "late callbacks"} & {*day.names}) >= 2

    def found(order):
        search = Search(scenario, range(40), EVERYTHING)
        for days in search.rounds():
            for day in order([*days]):
                search.lived(Lived(day, "exit code 1" if fails(day) else "", inputs=10))
        return search.smallest, search.days

    in_order = found(list)
    assert in_order == found(lambda days: days[::-1])
    assert len(in_order[0].day.variations) == 2
    one_by_one = _search(scenario, fails, seeds=40)
    assert (one_by_one.smallest, one_by_one.days) == in_order


def test_an_application_that_always_fails_does_so_with_nothing_varied(scenario):
    search = _search(scenario, lambda _: True)
    assert search.smallest.day.variations == ()
    assert search.smallest.words.endswith("nothing varied (exit code 1).")


def test_where_nothing_fails_there_is_no_smallest(scenario):
    assert _search(scenario, lambda _: False).smallest is None


def test_a_failing_day_has_the_line_that_tells_most():
    said = "x\nFAILED tests/test_it.py::test_it - assert 23 == 20\n1 failed in 0.1s\n"
    assert Lived(Day(1), "exit code 1", 1, said).problem.endswith("test_it - assert 23 == 20")
    assert Lived(Day(1), "exit code 1", 1, "Error: late\n\n").problem.endswith(": Error: late")
    assert Lived(Day(1), "exit code 1").problem == "exit code 1"


def test_the_smallest_failing_day_can_be_tried_again(scenario):
    day = next(
        day for seed in range(50) if len((day := draw_day(scenario, seed, KINDS)).names) > 1
    )
    found = Futures("x", "my test", (), Lived(day, "no"), None, file=Path("s.toml"))
    words = shlex.split(found.again)
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--command"] == "my test"
    assert draw_day(scenario, int(options["--seed"]), options["--vary"].split(",")) == day


def test_the_answer_has_its_exact_interval():
    days = tuple(Lived(Day(seed), "exit code 1" if seed < 3 else "") for seed in range(50))
    found = Futures("a day", "true", days, days[0], None)
    assert found.sentence() == "3 of 50 days failed (6 %, 95 % interval 1.3 to 16.5 %)"
    assert found.is_no


def test_an_application_that_counts_twice_is_found_out(futures, tmp_path):
    code, out, error = futures("--futures", "4", "--vary", "order", "--json", "--jobs", "2")
    assert code == 1, error
    found = json.loads(out)
    assert found["days"] == 4
    scenario = outsim.load(SCENARIO)
    assert [day["seed"] for day in found["failing"]] == [
        seed
        for seed in range(scenario.seed, scenario.seed + 4)
        if "duplicated callbacks" in draw_day(scenario, seed, ["order"]).names
    ]
    assert list(found["smallest"]["variations"]) == ["duplicated callbacks"]
    kept = tmp_path / "failing-day"
    assert "more results than calls" in (kept / "output.txt").read_text()
    for engine in ("simpy", "compiled"):
        assert len(replay(kept, engine=engine).calls) == 20


def test_an_application_that_is_right_passes(futures, tmp_path):
    code, out, _ = futures("--futures", "3", "--vary", "slow updates,lost updates")
    assert code == 0
    assert out.startswith("0 of 3 days failed (0 %, 95 % interval 0 to 70.8 %)")
    assert not (tmp_path / "failing-day").exists()


def test_a_command_that_never_ends_has_failed_the_day(futures):
    command = f"{sys.executable} -c 'import signal; print(1, flush=True); signal.pause()'"
    code, out, _ = futures(
        "--futures", "1", "--vary", "order", "--timeout", "1 s", command=command
    )
    assert code == 1
    assert "longer than 1 s" in out


def test_an_interrupt_ends_the_command_and_tells_of_the_days_so_far(tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    there = tmp_path / "there"
    os.mkfifo(there)
    script = f"""import os, signal
if os.environ["OUTSIM_SEED"] == "1":
    raise SystemExit(3)
open({str(there)!r}, "w").write(str(os.getpid()))
signal.pause()"""
    command = f"{sys.executable} -c {shlex.quote(script)}"
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "outsim", "serve", "scenario.toml"),
            *("--futures", "3", "--jobs", "1", "--command", command),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        child = int(there.read_text())
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert process.returncode == 130
    assert out.startswith(
        "1 of 1 day failed (100 %, 95 % interval 2.5 to 100 %), and 3 were asked for"
    )
    assert "Nothing was left out of it" in " ".join(out.split())
    assert (tmp_path / "failing-day" / "output.txt").exists()
    assert error.splitlines()[-1] == "outsim: interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize(
    ("options", "command", "said"),
    [
        (["--futures", "3"], None, "--command"),
        ([], "true", "--futures"),
        (["--futures", "3", "--vary", "orders"], "true", "order"),
        (["--futures", "3"], "no-such-program-here", "there is no such program"),
        (["--futures", "3"], "", "empty"),
        (["--futures", "0"], "true", "1 or more"),
        (["--futures", "3", "--state", "."], "true", "holds no failing day"),
        (["--futures", "3", "--state", "session"], "true", "holds a session"),
        (["--futures", "3", "--timeout", "soon"], "true", "10 min"),
        (["--futures", "3", "--jobs", "0"], "true", "1 or more"),
        (["--jobs", "2"], None, "--jobs is about days"),
    ],
)
def test_wrong_use_is_told(futures, tmp_path, options, command, said):
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "session.json").write_text("{}")
    code, out, error = futures(*options, command=command)
    assert code == 2
    assert out == ""
    assert said in " ".join(error.split())


def test_a_reset_begins_the_same_day_again(server):
    def day():
        return server.client.get("/sandbox/faults").json()

    order = {"seed": 3, "vary": ["lag", "order", "outages"]}
    said = server.client.post("/sandbox/reset", json=order).json()["varied"]
    first = day()
    assert first
    assert server.client.post("/sandbox/reset").json()["varied"] == said
    assert day() == first
    nothing = server.client.post("/sandbox/reset", json={"vary": []}).json()
    assert nothing["varied"] == "nothing varied"
    assert day() == []


def test_the_fixture_lives_many_days(sandbox):
    seeds = []

    def live():
        for future in sandbox(SCENARIO, futures=5, vary=["order"]):
            with future as platform:
                seeds.append(future.day.seed)
                a_day(platform.client, "desk@clinic.example", "4711")

    with pytest.raises(pytest.fail.Exception, match=r"(?s)of 5 days failed .*twice") as failed:
        live()
    assert seeds[:5] == [1, 2, 3, 4, 5]
    assert "test_futures.py:" in str(failed.value)
    directory = str(failed.value).rpartition("outsim replay ")[2]
    assert len(replay(directory).calls) == 20


def test_a_test_that_is_run_on_a_day_has_that_days_sandbox(futures, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_it.py").write_text(
        "def test_it(sandbox):\n"
        "    platform = sandbox('scenario.toml')\n"
        "    assert platform.accounts['clinic']['pin'] == '4711'\n"
        "    platform.advance(by='1 min')\n"
        "def test_it_again(sandbox):\n"
        "    assert sandbox('scenario.toml').clock['now'] == 0\n"
    )
    command = (
        f"{sys.executable} -m pytest -q -p no:cacheprovider -p outsim.testing.plugin test_it.py"
    )
    code, out, error = futures("--futures", "1", command=command)
    assert code == 0, out + error


def test_variations_say_what_they_do(scenario):
    for kinds in KINDS.values():
        for name, draw in kinds.items():
            drawn = draw(scenario, [0.5, 0.5, 0.5])
            assert isinstance(drawn, Variation)
            assert drawn.name == name
            assert drawn.words
