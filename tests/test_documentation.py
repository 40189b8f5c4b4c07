"""What the documents show works: Python blocks run, scenarios load, commands have these options.

The blocks run in a directory of their own, on the scenarios that they name, cut to a few calls.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import typer

import outsim
from outsim.cli import app, main
from outsim.scenario import load
from tests.in_a_thread import studies_in_a_thread

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/calibrate-a-load.md",
    "docs/page.md",
    "docs/planning.md",
    "docs/queue.md",
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(outsim [^`\n]+)`")
GROUP = typer.main.get_command(app)

SMALL = """\
extends = "{path}"
{stop}
[[campaign]]
name = "appointment reminders"
tenant = "clinic"
contacts = 60

[background]
campaigns_per_hour = 1
median_size = 10
"""


def blocks(document: str, kind: str) -> list[str]:
    text = (ROOT / document).read_text()
    return [body for name, body in BLOCK.findall(text) if name == kind]


def fenced_commands() -> list[str]:
    """Commands that stand in blocks, joined where a line goes on."""
    lines = "\n".join(body for each in DOCUMENTS for body in blocks(each, ""))
    found = re.sub(r"\\\n\s*", "", lines).splitlines()
    return [line.removeprefix("$ ") for line in found if re.match(r"(\$ )?outsim ", line)]


def inline_commands() -> list[str]:
    return sorted(
        {found for each in DOCUMENTS for found in INLINE.findall((ROOT / each).read_text())}
    )


def options_of(command) -> set[str]:
    options = {option for parameter in command.params for option in parameter.opts}
    return options | {"--help"}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directory with small scenarios of the names that the documents use, and a study."""
    (tmp_path / "scenarios").mkdir()
    for file in ("morning.toml", "top-of-hour.toml", "quarter-past.toml"):
        small = SMALL.format(path=ROOT / "scenarios" / file, stop="")
        (tmp_path / "scenarios" / file).write_text(small)
    stopped = SMALL.format(path=tmp_path / "scenarios" / "top-of-hour.toml", stop="")
    stopped = stopped.replace("contacts = 60", 'contacts = 60\nstop_at = "10:10"')
    (tmp_path / "stopped-at-ten.toml").write_text(stopped)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def threads():
    with studies_in_a_thread():
        yield


@pytest.mark.usefixtures("threads")
def test_python_blocks_of_the_readme_run_in_their_order(workplace):
    pair = [load(f"scenarios/{name}.toml") for name in ("top-of-hour", "quarter-past")]
    outsim.compare(*pair, replications=13, directory="all", progress=None).run()
    names = {"outsim": outsim, "scenario": pair[0], "moment": "09:30"}

    async def run() -> None:
        for block in blocks("README.md", "python"):
            code = compile(block, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            waiting = eval(code, names)
            if waiting is not None:
                await waiting

    asyncio.run(run())
    assert names["stopped"].summary().index.equals(names["as_planned"].summary().index)


@pytest.mark.parametrize("block", blocks("README.md", "toml"))
def test_scenarios_in_the_readme_can_be_used(workplace, block):
    file = workplace / "scenarios" / "shown.toml"
    file.write_text(block)
    assert load(file).campaign


@pytest.mark.parametrize("block", blocks("README.md", "json"))
def test_the_queue_in_the_readme_can_be_forecast_from(workplace, block):
    (workplace / "queue.json").write_text(block)
    scenario = load("scenarios/top-of-hour.toml")
    study = outsim.eta(scenario, snapshot="queue.json", replications=2, progress=None)
    forecast = study.run()
    assert len(forecast.table())
    assert json.loads(block)["at"] == "09:20"


LOG = """\
name = "three weeks"
[clock]
zone = "America/New_York"
date = 2026-03-02
begins = "00:00"
ends = "2026-03-21 00:00"
[platform]
ports = 200
[[background.tenant_class]]
name = "offices"
kind = "batch"
tenants = 3
rate_by_hour = { 9 = "1/h", 10 = "1/h", 14 = "1/h" }
rate_by_weekday = { sat = 0, sun = 0 }
contacts = { distribution = "lognormal", median = 30, log_sd = 0.5 }
[[campaign]]
name = "notices"
tenant = "utility"
start = "2026-03-02 09:00"
contacts = 1
"""


def master_csv(result: outsim.Result) -> str:
    """Attempts of a run as Asterisk's cdr_csv writes them, with its customers and campaigns."""
    words = {"human": "ANSWERED", "voicemail": "ANSWERED", "busy": "BUSY", "invalid": "FAILED"}
    dialed = result.attempts[result.attempts["ended_at"].notna()]
    rows = []
    for k, row in enumerate(dialed.sort_values("dialed_at").itertuples()):
        word = words.get(row.outcome, "NO ANSWER")
        times = [row.dialed_at, row.answered_at if word == "ANSWERED" else None, row.ended_at]
        written = ["" if time is None else f'"{time:%Y-%m-%d %H:%M:%S}"' for time in times]
        lasted = round((row.ended_at - row.dialed_at).total_seconds())
        spoke = round((row.ended_at - row.answered_at).total_seconds()) if times[1] else 0
        rows.append(
            f'"{row.tenant}","5550100","{row.number}","out","","a","b","Dial","c",'
            f'{",".join(written)},{lasted},{spoke},"{word}","DOCUMENTATION","1.{k}",'
            f'"{row.campaign}"'
        )
    return "\n".join([*rows, ""])


@pytest.mark.usefixtures("threads")
def test_the_way_from_a_log_to_next_monday_goes_by_its_commands_alone(workplace, monkeypatch):
    page = "docs/calibrate-a-load.md"
    (workplace / "weeks.toml").write_text(LOG)
    (workplace / "Master.csv").write_text(master_csv(outsim.simulate(load("weeks.toml"))))
    (block,) = blocks(page, "toml")
    (workplace / "monday.toml").write_text(block)
    commands = "".join(blocks(page, "")).splitlines()
    assert len(commands) == 4
    for line in commands:
        more = ["--replications", "2"] if " schedule " in line else []
        monkeypatch.setattr(sys, "argv", [*shlex.split(line), *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, line
    classes = load("monday.toml").background.tenant_class
    assert [known.name for known in classes if known.tenants == 3] == ["batch"]


PLANNING = (ROOT / "docs/planning.md").read_text()
SAVED = re.compile(r"Save `(\S+)`:?\n\n```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWERED = re.compile(r"^```\n(outsim [^`]*)```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLOW = ("schedule", "capacity black-friday", "run scenarios/week")


@pytest.fixture
def planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directory with the scenarios that the jobs have one save, beside those that come along."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    for name, text in SAVED.findall(PLANNING):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_scenarios_of_the_jobs_are_all_saved_and_can_be_used(planner):
    saved = [name for name, _ in SAVED.findall(PLANNING)]
    assert len(saved) == len(blocks("docs/planning.md", "toml"))
    for name in saved:
        assert load(name).campaign


@pytest.mark.usefixtures("threads", "planner")
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        pytest.param(line.replace("\\\n", " "), answer, id=" ".join(line.split()[1:3]))
        for line, answer in ANSWERED.findall(PLANNING)
        if not line.removeprefix("outsim ").startswith(SLOW)
    ],
)
def test_a_job_has_the_answer_that_is_shown(line, answer, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert " ".join(capsys.readouterr().out.split()).startswith(" ".join(answer.split()))


@pytest.mark.parametrize("line", fenced_commands())
def test_a_command_in_a_block_is_one_that_can_be_given(line):
    name, *arguments = shlex.split(line)[1:]
    command = GROUP.commands[name]
    with command.make_context(name, arguments) as context:
        assert context.params


@pytest.mark.parametrize("line", inline_commands())
def test_a_command_in_a_sentence_exists_with_its_options(line):
    words = line.split()[1:]
    if words[0] in options_of(GROUP):
        return
    command = GROUP.commands[words[0]]
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= options_of(command)


@pytest.mark.parametrize("command", GROUP.commands)
def test_every_command_says_what_it_and_each_of_its_options_is_for(command):
    found = GROUP.commands[command]
    assert found.help
    for parameter in found.params:
        assert parameter.help, parameter.name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_links_to_are_there(document):
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", (ROOT / document).read_text())
    place = (ROOT / document).parent
    assert [each for each in linked if not (place / each).exists()] == []
