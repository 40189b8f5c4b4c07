"""Mistakes of the user's: one clear message on standard error, exit code 2, never a traceback."""

from __future__ import annotations

import pytest

MISTAKES = {
    "a missing file": (["run", "missing.toml"], "outsim: missing.toml: no such file"),
    "a directory": (["run", "directory"], "outsim: directory: found a directory"),
    "an empty name": (["run", ""], "outsim: .: found a directory"),
    "no TOML": (["run", "broken.toml"], "outsim: broken.toml:1: is not valid TOML"),
    "an unknown key": (
        ["run", "wrong.toml"],
        "wrong.toml:18: campaign[clinic/appointment reminders].start_at",
    ),
    "a file in one of two": (["compare", "small.toml", "nil.toml"], "nil.toml: no such file"),
    "a file in a difference": (["diff", "small.toml", "nil.toml"], "nil.toml: no such file"),
    "a file to check": (["check", "nil.toml"], "nil.toml: no such file"),
    "runs of theory without theory": (
        ["check", "small.toml", "--replications", "9"],
        "--replications is about runs: ask for them, with --theory",
    ),
    "another simulator without runs": (
        ["check", "small.toml", "--ciw"],
        "--ciw is about runs",
    ),
    "one run of theory": (
        ["check", "small.toml", "--theory", "--replications", "1"],
        "replications = 1: must be 2 or more",
    ),
    "a negative seed": (["run", "small.toml", "--seed", "-1"], "-1: must be 0 or more"),
    "a seed that is none": (
        ["run", "small.toml", "--seed", "x"],
        "x is not a whole number",
    ),
    "a seed too large": (["run", "small.toml", "--seed", str(2**63)], "or less"),
    "a negative replication": (
        ["run", "small.toml", "--replication", "-1"],
        "-1: must be 0 or more",
    ),
    "a file as directory": (
        ["run", "small.toml", "--out", "a file"],
        "a file: can't be written to (File exists)",
    ),
    "a place below a file": (
        ["run", "small.toml", "--out", "a file/below"],
        "a file/below: can't be written to (Not a directory)",
    ),
    "no name for a run's directory": (["run", "small.toml", "--out", ""], "the name is empty"),
    "no name for a study's directory": (
        ["compare", "small.toml", "later.toml", "--directory", ""],
        "the name is empty",
    ),
    "a port where nothing is served": (
        ["serve", "small.toml", "--export", "day.html", "--port", "80"],
        "--port is about serving, and --export serves nothing",
    ),
    "a second scenario where nothing is served": (
        ["serve", "small.toml", "later.toml", "--export", "day.html"],
        "OTHER is about serving, and --export serves nothing",
    ),
    "a day that is no page": (
        ["serve", "small.toml", "--export", "day.pdf"],
        "animation day.pdf: its name must end in .html",
    ),
    "no name for a merge": (["merge", "", "directory"], "the name is empty"),
    "one scenario": (["compare", "small.toml"], "1 scenario given: a comparison needs two"),
    "one replication": (
        ["compare", "small.toml", "later.toml", "--replications", "1"],
        "replications = 1: must be 2 or more",
    ),
    "nothing to compare": (
        ["compare", "small.toml", "nobody.toml"],
        "scenario 'nobody' has no campaign to study",
    ),
    "no scenario": (["run"], "Missing argument 'SCENARIO'"),
    "a snapshot that is none": (
        ["eta", "small.toml", "--snapshot", "small.toml"],
        "small.toml:1: is not valid JSON",
    ),
    "a snapshot and a time": (
        ["eta", "small.toml", "--snapshot", "queue.json", "--at", "09:07"],
        "snapshot and at: give one or the other",
    ),
    "a call that is not there": (
        ["eta", "small.toml", "--call", "99"],
        "call 99: no such call in the scenario",
    ),
    "a call that no snapshot names": (
        ["eta", "small.toml", "--snapshot", "queue.json", "--call", "3"],
        "call 3: no such call among the calls that the snapshot names",
    ),
    "a number that is none": (
        ["eta", "small.toml", "--number", "911"],
        "number 911: write a number of ten digits",
    ),
    "a call of another campaign": (
        ["eta", "small.toml", "--campaign", "notices", "--call", "3"],
        "the call is one of clinic/appointment reminders",
    ),
    "no call to explain": (
        ["explain", "small.toml", "--call", "99"],
        "call 99: no such call of the scenario's campaigns in this run; there is: 0 to 79",
    ),
    "a call and a number": (
        ["explain", "small.toml", "--call", "1", "--number", "2125550100"],
        "call and number: give one or the other",
    ),
    "nothing to explain": (["explain", "nobody.toml"], "has no campaign to study"),
    "a campaign that is none": (
        ["explain", "small.toml", "--campaign", "nil"],
        "campaign 'nil'",
    ),
    "a directory without a result": (["explain", "directory"], "outsim: directory"),
    "no time": (["status", "small.toml"], "Missing option '--at'"),
    "no such time": (["status", "small.toml", "--at", "25:00"], "found '25:00'"),
    "a time that is none": (["status", "small.toml", "--at", "noon"], "found 'noon'"),
    "a time before the run": (
        ["status", "small.toml", "--at", "08:59"],
        "08:59:00 lies outside the run",
    ),
    "a time after the run": (
        ["status", "small.toml", "--at", "2026-03-12 09:00"],
        "2026-03-12 09:00:00 lies outside the run",
    ),
    "no rows": (
        ["status", "small.toml", "--at", "09:10", "--calls", "--limit", "0"],
        "0: must be 1 or more",
    ),
    "an unknown campaign": (
        ["status", "small.toml", "--at", "09:10", "--campaign", "reminder"],
        "campaign 'reminder': there is no such campaign in scenario 'small'; did you mean "
        "'clinic/appointment reminders'? allowed: clinic/appointment reminders, utility/notices",
    ),
    "an unknown campaign of failures": (
        ["failed", "small.toml", "--campaign", "reminder"],
        "campaign 'reminder'",
    ),
    "a campaign of two customers": (
        ["failed", "namesakes.toml", "--campaign", "appointment reminders"],
        "is the name of several",
    ),
    "the status of nobody": (
        ["status", "nobody.toml", "--at", "09:10"],
        "scenario 'nobody' has no campaign to study",
    ),
    "a part that is none": (["merge", "out", "directory"], "directory: holds no study"),
    "tables without a place": (
        ["compare", "small.toml", "later.toml", "--keep-tables"],
        "--keep-tables: say where, with --directory DIR",
    ),
    "nothing to sweep": (["sweep", "small.toml"], "nothing to vary: give a range KEY=LOW:HIGH"),
    "a range that is none": (
        ["sweep", "small.toml", "--vary", "platform.ports"],
        "range 'platform.ports': write KEY=LOW:HIGH",
    ),
    "a range of an unknown key": (
        ["sweep", "small.toml", "--vary", "platform.prots=1:2"],
        'unknown key "prots"',
    ),
    "a range that ends too low": (
        ["sweep", "small.toml", "--vary", "platform.ports=0:2"],
        "platform.ports = 0",
    ),
    "an unknown figure": (
        ["sweep", "small.toml", "--vary", "platform.ports=1:2", "--measure", "speed"],
        "measure 'speed'",
    ),
    "an unknown design": (
        ["sweep", "small.toml", "--vary", "platform.ports=1:2", "--design", "star"],
        "'star' is not one of",
    ),
    "a Sobol design of odd size": (
        [
            *("sweep", "small.toml", "--vary", "platform.ports=1:2"),
            *("--design", "sobol", "--points", "100"),
        ],
        "takes a power of two, such as 64 or 128",
    ),
    "points of no design": (
        ["sweep", "small.toml", "later.toml", "--vary", "platform.ports=1:2", "--points", "9"],
        "points: they are a design's",
    ),
    "a part of a sweep": (
        ["sweep", "small.toml", "--vary", "platform.ports=1:2", "--replications", "2:4"],
        "--replications 2:4",
    ),
    "a sweep of one replication": (
        ["sweep", "small.toml", "--vary", "platform.ports=1:2", "--replications", "1"],
        "replications = 1: must be 2 or more",
    ),
    "a sweep of nobody": (
        ["sweep", "nobody.toml", "--vary", "platform.ports=1:2"],
        "scenario 'nobody' has no campaign to study",
    ),
    "a start after the stop": (
        ["schedule", "stopped.toml", "--between", "09:05", "09:30"],
        "start 09:20:00: clinic/appointment reminders can't start when it is stopped already",
    ),
    "one start": (
        ["schedule", "small.toml", "--between", "09:05", "09:05"],
        "the latest start must be later than the first by 15 min or more",
    ),
    "no campaign to start": (
        ["schedule", "small.toml", "--campaign", "reminder"],
        "campaign 'reminder'",
    ),
    "nobody to start": (["schedule", "nobody.toml"], "'nobody' has no campaign to study"),
    "a picture of no kind": (
        ["schedule", "small.toml", "--plot", "picture.bmpx"],
        "picture picture.bmpx",
    ),
    "a picture nowhere": (
        ["stop", "small.toml", "--plot", "nowhere/picture.png"],
        "picture nowhere/picture.png: there is no directory nowhere",
    ),
    "a stop at no time": (
        ["stop", "small.toml", "--after", "0s,soon"],
        "after: found 'soon'",
    ),
    "nobody to stop": (["stop", "zero.toml"], "acme/list: none of its calls is ever dialed"),
    "no log": (["calibrate", "missing.csv"], "missing.csv: no such file"),
    "a log of unknown columns": (
        ["calibrate", "own.csv"],
        "own.csv: is in no format that is known by its first lines",
    ),
    "a log without a zone": (
        ["calibrate", "own.csv", "--columns", "started=when,outcome=what"],
        "own.csv: its times say no time zone",
    ),
    "a log of another format": (
        ["calibrate", "own.csv", "--format", "asterisk"],
        "own.csv: has no row of Asterisk's tables of calls",
    ),
    "a column that is not there": (
        ["calibrate", "own.csv", "--columns", "started=wen"],
        "own.csv: has no column 'wen'; did you mean 'when'?",
    ),
    "a field that is none": (
        ["calibrate", "own.csv", "--columns", "strated=when"],
        "--columns: field 'strated'",
    ),
    "an outcome that is none": (
        ["calibrate", "own.csv", "--outcomes", "busy=engaged"],
        "--outcomes: outcome 'engaged'",
    ),
    "no list of columns": (
        ["calibrate", "own.csv", "--columns", "when"],
        "--columns: found 'when'",
    ),
    "a holdout that is none": (
        ["calibrate", "Master.csv", "--zone", "UTC", "--holdout", "90%"],
        "holdout: found '90%'",
    ),
    "a profile nowhere": (
        ["calibrate", "Master.csv", "--zone", "UTC", "--out", "nowhere/callees.toml"],
        "out nowhere/callees.toml: there is no directory nowhere",
    ),
    "one log twice": (
        ["calibrate", "Master.csv", "Master.csv", "--zone", "UTC"],
        "Master.csv: is given twice",
    ),
    "an unknown command": (["simulate", "small.toml"], "No such command 'simulate'"),
    "an unknown option": (["run", "small.toml", "--sede", "1"], "No such option: --sede"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_and_exits_with_2(outsim, mistake):
    arguments, message = MISTAKES[mistake]
    ended = outsim(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert message in ended.message
    assert "Traceback" not in ended.err


def test_every_error_of_a_file_is_named_at_once(outsim, files):
    (files / "many.toml").write_text(
        (files / "small.toml")
        .read_text()
        .replace("ports = 10", "ports = -10")
        .replace("max_retry = 1", "max_retry = 11")
    )
    ended = outsim("run", "many.toml")
    assert ended.code == 2
    assert ended.err.count("many.toml:") == 2
    assert "platform.ports" in ended.err
    assert "campaign[clinic/appointment reminders].max_retry" in ended.err


@pytest.mark.parametrize("command", ["run", "failed", "check", "diff"])
def test_a_mistake_leaves_no_half_document(outsim, command):
    files = ["broken.toml"] * (2 if command == "diff" else 1)
    ended = outsim(command, *files, "--json")
    assert ended.code == 2
    assert ended.out == "" or command == "check"
