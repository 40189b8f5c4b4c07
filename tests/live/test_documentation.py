"""What docs/sandbox.md shows works as it is written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from outsim.live.inputs import FAULTS, MODEL_FAULTS, PINNED, FaultKind
from outsim.live.posts import CALLEE_TYPE_MEANINGS
from outsim.testing.running import RunningSandbox

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "sandbox.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(kind, body.replace("\\\n", " ")) for kind, body in BLOCK.findall(PAGE)]
SHOWN = "http://127.0.0.1:8900"


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each command answers, in order, of the sandbox that the page starts."""
    (start,) = [body for kind, body in BLOCKS if kind == "console"]
    program, command, scenario, *options = shlex.split(start.removeprefix("$ "))
    assert (program, command) == ("outsim", "serve")
    options = [option if option != "8900" else "0" for option in options]
    place = tmp_path_factory.mktemp("page")
    found = {}
    with RunningSandbox([str(ROOT / scenario), *options]) as sandbox:
        for line in [line for kind, body in BLOCKS if kind == "sh" for line in body.splitlines()]:
            ended = subprocess.run(
                ["bash", "-euc", line.replace(SHOWN, sandbox.url)],
                cwd=place,
                capture_output=True,
                text=True,
                check=True,
            )
            found[line] = ended.stdout
    return found


def answer_to(answers, *words):
    (found,) = [text for line, text in answers.items() if all(word in line for word in words)]
    return found


def test_a_list_is_queued(answers):
    assert '<queuecalls status="queued"' in answer_to(answers, "queuecalls.php")


def test_results_arrive_and_the_stop_comes_too_late_for_some(answers):
    results = json.loads(answer_to(answers, "sandbox/inbox/results"))
    assert {message["fields"]["result"] for message in results} == {"completed", "failed"}
    campaign = json.loads(answer_to(answers, "/reminders?size=5"))
    assert campaign["is_over"]
    assert 0 < campaign["dialed_after_stop"] < campaign["calls"]
    assert campaign["calls_after_stop"][0]["phone_number"].startswith("212555")


def test_numbers_and_faults_are_ordered(answers):
    faults = json.loads(answers[[line for line in answers if line.endswith("/faults")][-1]])
    assert {fault["of"] for fault in faults} >= {"duplicated"}
    assert "number" in json.loads(answer_to(answers, "-X PUT"))


def test_every_endpoint_that_is_named_is_there(server):
    known = set(server.client.get("/openapi.json").json()["paths"])
    named = set(re.findall(r"`(?:GET|POST|PUT|DELETE) (/[^`?]*)", PAGE))
    for path in named:
        pattern = re.sub(r"[A-Z]{2,}", "[^/]+", path)
        assert any(re.fullmatch(pattern, re.sub(r"\{\w+\}", "X", each)) for each in known), path


def test_the_test_that_it_shows_passes(tmp_path):
    tests = [body for kind, body in BLOCKS if kind == "python"]
    tests.append("def live_a_day(platform):\n    platform.advance(by='1 min')\n")
    (account,) = [body for kind, body in BLOCKS if kind == "toml"]
    (tmp_path / "test_shown.py").write_text("\n".join(tests))
    (tmp_path / "scenario.toml").write_text(
        f'[clock]\ndate = 2026-03-10\nbegins = "09:00"\nends = "12:00"\n{account}'
    )
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "outsim.testing.plugin", "test_shown.py"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_its_options_are_there():
    shown = set(re.findall(r"`(--[a-z-]+)", PAGE))
    ended = subprocess.run(
        [sys.executable, "-m", "outsim", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown <= set(re.findall(r"--[a-z-]+", ended.stdout))


def rows_of(header):
    """Rows of the table with this header, as their cells without the marks of code."""
    table = PAGE.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in table]


def test_it_has_every_outcome_that_a_number_can_be_given():
    known = [
        [outcome, word.meaning, word.result or "none", word.callee_type]
        for outcome, word in PINNED.items()
    ]
    assert rows_of("`outcome`")[:-1] == known


def test_it_has_every_callee_type():
    known = [[name or "empty", meaning] for name, meaning in CALLEE_TYPE_MEANINGS.items()]
    assert rows_of("`callee_type` | meaning") == known


def test_it_has_every_fault_that_can_be_ordered():
    assert rows_of("`of`") == [[kind, word.meaning.strip("`")] for kind, word in FAULTS.items()]
    assert set(FAULTS) == set(get_args(FaultKind))
    assert tuple(FAULTS)[: len(MODEL_FAULTS)] == MODEL_FAULTS
