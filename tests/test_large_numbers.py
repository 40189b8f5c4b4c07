"""Numbers of thousands of digits are refused in the words of outsim, not in those of Python."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

import outsim
from outsim.cli import app
from outsim.errors import OutsimError
from tests.engine.scenarios import campaign, run

HUGE = 10**5000
DIGITS = "9" * 5000
INTERNALS = ("set_int_max_str_digits", "Exceeds the limit", "_Node(", " object at 0x", "ssize_t")
SCENARIO = "scenarios/stop-race.toml"

ASKED: dict[str, Callable[[outsim.Result], object]] = {
    "seed": lambda r: outsim.simulate(r.scenario, seed=HUGE),
    "seed below 0": lambda r: outsim.simulate(r.scenario, seed=-HUGE),
    "replication": lambda r: outsim.simulate(r.scenario, replication=HUGE),
    "tape": lambda _: outsim.Tape(HUGE),
    "stratum": lambda _: outsim.Tape(1).in_stratum(HUGE),
    "recorded": lambda _: outsim.Tape.from_table({"campaign": ["a"], "index": [HUGE]}),
    "replications": lambda r: outsim.Study(r.scenario).run(replications=HUGE),
    "range of replications": lambda r: outsim.Study(r.scenario).run(replications=range(HUGE)),
    "seed of a study": lambda r: outsim.Study(r.scenario, seed=HUGE).run(replications=2),
    "moment": lambda r: r.status_page(DIGITS),
    "clock time": lambda r: r.snapshot(f"{DIGITS}:00"),
}

COMMANDS = (
    ["run", SCENARIO, "--seed", DIGITS],
    ["run", SCENARIO, "--replication", DIGITS],
    ["status", SCENARIO, "--at", DIGITS],
    ["compare", SCENARIO, SCENARIO, "--replications", DIGITS],
    ["compare", SCENARIO, SCENARIO, "--precision", f"wait_p50_s={DIGITS} s"],
    ["capacity", SCENARIO, "--vary", f"platform.ports=1:{DIGITS}", "--target", "wait_p50_s<60s"],
    ["capacity", SCENARIO, "--vary", "platform.ports=1:9", "--target", f"wait_p50_s<{DIGITS}s"],
    ["sweep", SCENARIO, "--vary", f"platform.ports=1:{DIGITS}"],
    ["explain", SCENARIO, "--call", DIGITS],
    ["eta", SCENARIO, "--number", DIGITS],
    ["stop", SCENARIO, "--after", f"{DIGITS} min"],
    ["schedule", SCENARIO, "--every", f"{DIGITS} min"],
    ["map", SCENARIO, "--loads", DIGITS],
)


@pytest.mark.parametrize("asked", ASKED)
def test_python_refuses_them(asked):
    with pytest.raises(OutsimError) as refused:
        ASKED[asked](run(campaign()))
    assert not [word for word in INTERNALS if word in refused.value.message]


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: f"{command[0]} {command[-2][:20]}"
)
def test_commands_refuse_them(command):
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, SystemExit | OutsimError), repr(done.exception)[:300]
    if isinstance(done.exception, SystemExit):
        assert done.exit_code == 2
    said = done.output + str(done.exception)
    assert not [word for word in INTERNALS if word in said]


def test_a_kept_run_with_a_number_of_many_digits_is_refused_in_words_of_its_own(tmp_path):
    (tmp_path / "run.json").write_text("9" * 6_000)
    with pytest.raises(outsim.OutsimError) as refused:
        outsim.load_result(tmp_path)
    assert "a number of too many digits" in str(refused.value)
    assert "sys." not in str(refused.value)
