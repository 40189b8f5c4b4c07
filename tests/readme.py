"""The figures of the README, and where each of them comes from.

A block that shows a command holds what it prints. A figure in a sentence is one of `FIGURES`:
the sentence, with ``{}`` for each figure, and what gives them. That is a command or a file of
results that is kept; what takes a command minutes is kept in ``readme.json`` beside this module.
All of them are renewed by

    OUTSIM_KEEP=readme .venv/bin/python -m pytest tests/test_readme.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import outsim
from outsim.engine.rules import RULES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
KEPT = Path(__file__).with_suffix(".json")
COMMAND = "OUTSIM_KEEP=readme .venv/bin/python -m pytest tests/test_readme.py"
BLOCK = re.compile(r"^```\n\$ (outsim [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH = "80"
TENTHS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Figures = list[str]


@cache
def printed(command: str) -> str:
    """What a command prints on a terminal of 80 columns, without spaces at the ends of lines."""
    arguments = command.removeprefix("outsim ").split()
    done = subprocess.run(
        [sys.executable, "-m", "outsim", *arguments],
        env=os.environ | {"COLUMNS": WIDTH},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def blocks() -> list[tuple[str, str]]:
    """Commands that the README shows with what they print."""
    return BLOCK.findall(README.read_text())


def shown(output: str) -> str:
    """What is printed, as a block of the README has it."""
    return f"\n{output}"


# What gives figures: commands


def _cells(first: str, second: str) -> dict[str, list[str]]:
    """By figure, what `outsim compare` says of two scenarios: both means, and the difference."""
    pair = [outsim.load(ROOT / "scenarios" / f"{name}.toml") for name in (first, second)]
    found = outsim.compare(*pair, progress=None).run().findings
    rows = found.text_table().to_numpy().tolist()
    return {measure.name: row[1:] for measure, row in zip(_rowed(found), rows, strict=True)}


def _rowed(found: Any) -> list[Any]:
    count = found.replications
    return [
        each
        for each in found.measures
        if not each.optional or found.mean(0, each.name).n_missing < count
    ]


def peak() -> Figures:
    cells = _cells("top-of-hour-peak", "quarter-past-peak")
    refused, later = cells["refused_share"][:2]
    more, fewer = cells["completed_share"][2], cells["completed_by_deadline"][2]
    return [refused, later, more.lstrip("+"), fewer.lstrip("-")]


def worth_of_a_port() -> Figures:
    """Seconds that one more port takes off the mean wait."""
    line = printed("outsim explain scenarios/port-shortage.toml")
    found = re.findall(r"1 more +[\d,]+ to [\d,]+ +-([\d.]+ ± [\d.]+) s", line)[0]
    return [str(found)]


def controls() -> Figures:
    """Replications without controls that are as precise as 60 with them, to the hundred."""
    study = outsim.Study(outsim.load(ROOT / "scenarios" / "top-of-hour.toml"), controls=True)
    saved = study.run(replications=60, progress=None).saved_by_controls(0, "wait_p90_s").saved
    return [f"{60 * saved:.0f}"[:1] + "00"]


def pace() -> Figures:
    """How long after the earliest moment the last first call goes out."""
    said = " ".join(printed("outsim check scenarios/top-of-hour.toml --theory").split())
    (found,) = re.findall(r"is that of ports: it goes out (.+?) after\.", said)
    return [str(found)]


DEAR: dict[str, Callable[[], Figures]] = {
    "peak": peak,
    "worth of a port": worth_of_a_port,
    "controls": controls,
    "pace": pace,
}
"""What takes too long for every run of the tests."""


def kept(name: str) -> Callable[[], Figures]:
    return lambda: json.loads(KEPT.read_text())[name]


def own_others() -> Figures:
    command = "outsim explain scenarios/stop-race.toml --no-worth --campaign"
    done = subprocess.run(
        [sys.executable, "-m", "outsim", *command.split()[1:], "paced offer"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"(\d+) % of the time that the calls", " ".join(done.stdout.split()))
    assert found is not None
    return [found[1]]


def headline() -> Figures:
    """Minutes less, minutes later and points fewer, in words, of the block above."""
    rows = " ".join(printed(blocks()[0][0]).split("quarter past is better:")[1].split())
    words = []
    for pattern in (r"p50 wait -([\d.]+) ", r"finished at \+([\d.]+) ", r"10:30 -([\d.]+) "):
        (found,) = re.findall(pattern, rows)
        words.append(TENTHS[round(float(found))])
    less, later, fewer = words
    return [less, later, fewer, later]


# What gives figures: files


@cache
def _deep() -> str:
    return (ROOT / "tests" / "deep-result.md").read_text()


def theory() -> Figures:
    found = re.search(r"largest of (\d+) figures is off: ([\d.]+) standard errors", _deep())
    assert found is not None
    return [*found.groups()]


def coverage() -> Figures:
    _, _, section = _deep().partition("## Intervals on a morning in miniature\n")
    table, _, _ = section.partition("\n## ")
    shares = [float(share) for share in re.findall(r"\| (\d\d\.\d) ?%(?= \|)", table)]
    return [f"{min(shares):.0f}", f"{max(shares):.0f}"]


def thin_logs() -> Figures:
    found = re.search(r"the truth in (\d+) of (\d+), (\d+) and (\d+) of (\d+);", _deep())
    assert found is not None
    held, logs, waits, ends, few = map(int, found.groups())
    return [f"{logs}", f"{100 * held / logs:.1f}", f"{few}", f"{waits}", f"{ends}"]


@cache
def _bench() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "tests" / "bench" / "result.json").read_text())
    return found


def _sizes(name: str, form: Callable[[float], str]) -> Callable[[], Figures]:
    return lambda: [
        form(_bench()["sizes"][size][name])
        for size in ("100000", "1000000", "10000000")
        if name in _bench()["sizes"][size]
    ]


def _million(value: float) -> str:
    return f"{value / 1e6:.2f}"


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _giga(value: float) -> str:
    return f"{value / 1e9:.2g}"


def _tens(value: float) -> str:
    return f"{value / 10:.0f}0"


def two_cores() -> Figures:
    found = _bench()
    return [f"{found['study_replications']}", f"{found['two_cores_over_one']:.1f}"]


def overhead() -> Figures:
    return [f"{_bench()['study_overhead_percent']:.0f}"]


def sweeps() -> Figures:
    found = _bench()
    return [f"{found['schedule_replications']}", f"{found['schedule_s']:.0f}"]


def plans() -> Figures:
    shares = [each["share_of_grid"] * 100 for each in _bench()["plans"].values()]
    return [f"{shares[0]:.0f}", f"{shares[1]:.0f}", f"{shares[2]:.1f}"]


def first_command() -> Figures:
    return [f"{_bench()['first_command_s'] / 10:.0f}0"]


def suite() -> Figures:
    traces = [*(ROOT / "examples" / "queue-tests" / "golden").iterdir()]
    return [str(len(RULES)), str(len(traces))]


def mutants() -> Figures:
    count = len([*(ROOT / "tests" / "testing" / "mutants").glob("*.toml")])
    return [str(count)]


def _of_notebook(pattern: str, table: int) -> Callable[[], Figures]:
    """What the notebook about the shared scheduler has printed: of one of the tables like this."""

    def found() -> Figures:
        cells = json.loads((ROOT / "notebooks" / "a-shared-scheduler.ipynb").read_text())["cells"]
        text = "\n".join(
            "".join(output.get("text") or output.get("data", {}).get("text/plain", []))
            for cell in cells
            for output in cell.get("outputs", [])
        )
        match = [*re.finditer(pattern, text, re.DOTALL)][table]
        return [*match.groups()]

    return found


@dataclass(frozen=True)
class Sentence:
    """Part of a sentence of the README, with ``{}`` for each figure, and what gives them."""

    text: str
    figures: Callable[[], Figures]

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds it, with a group for each figure."""
        return re.compile(r"([^|\n]+?)".join(map(re.escape, self.text.split("{}"))))

    def stated(self) -> Figures:
        """The figures that the README states."""
        (found,) = self.pattern.findall(README.read_text())
        return [found] if isinstance(found, str) else [*found]

    def renewed(self, text: str) -> str:
        """The README, with the figures of today."""
        return self.pattern.sub(lambda _: self.text.format(*self.figures()), text)


SENTENCES = (
    Sentence("Calls that start at 09:15 wait {} minutes less than", lambda: headline()[:1]),
    Sentence(
        "so they go out {} minutes later by the clock: {} points fewer are completed by",
        lambda: headline()[1:3],
    ),
    Sentence("the campaign is finished about {} minutes later", lambda: headline()[3:]),
    Sentence(
        "in the first minutes of each hour: {} of the attempts are refused at 09:00 and {} at "
        "09:15, and the later start completes {} more in the end, though {} fewer by 10:30",
        kept("peak"),
    ),
    Sentence("Here {} % of it went to calls of the retailer's own other campaign", own_others),
    Sentence("one more port shortens the mean wait by {} seconds", kept("worth of a port")),
    Sentence("the last first call goes out {} after the earliest moment", kept("pace")),
    Sentence("as precisely as about {} without", kept("controls")),
    Sentence(
        "In `make test-deep`, {} figures are held against their formulas, each powered to find "
        "an error of 2 %: the largest is {} standard errors off",
        theory,
    ),
    Sentence("they hold the truth in {} to {} % of studies of 20 or 40 runs", coverage),
    Sentence(
        "On {} made-up logs of 500 dials the 95 % interval of the completed share held the truth "
        "{} % of the time",
        lambda: thin_logs()[:2],
    ),
    Sentence("From so few calls ({} logs of 500 dials", lambda: thin_logs()[2:3]),
    Sentence("the true 90th percentile of waits in {} logs", lambda: thin_logs()[3:4]),
    Sentence("which hangs on the few longest calls, in {}:", lambda: thin_logs()[4:]),
    Sentence(
        "| compiled engine, attempts a second | {} million | {} million | {} million |",
        _sizes("engine_attempts_per_s", _million),
    ),
    Sentence("| times the SimPy engine | {} |", _sizes("engine_over_simpy", "{:.0f}".format)),
    Sentence("| times cimba, same part | {} | {} |", _sizes("engine_over_cimba", "{:.1f}".format)),
    Sentence(
        "| scenario to tables and summary, attempts a second | {} million | {} million | {} "
        "million |",
        _sizes("whole_attempts_per_s", _million),
    ),
    Sentence(
        "| scenario to tables and summary | {} s | {} s | {} s |",
        _sizes("whole_s", _seconds),
    ),
    Sentence(
        "| memory of a result with all tables, bytes an attempt | {} | {} | {} |",
        _sizes("bytes_per_attempt", _tens),
    ),
    Sentence(
        "| memory of the process at its peak | {} GB | {} GB | {} GB |",
        _sizes("peak_bytes", _giga),
    ),
    Sentence("a study takes some {} % more than its bare runs", overhead),
    Sentence(
        "| ten branches of one past, times as quick as ten runs | {} | {} |",
        _sizes("branches_over_runs", "{:.1f}".format),
    ),
    Sentence(
        "Studies, on two cores: {} replications of the morning (92,000 calls) are done {} times",
        two_cores,
    ),
    Sentence(
        "50,000 calls, {} replications each, up to 390,000 attempts a run, takes {} s;", sweeps
    ),
    Sentence(
        "`outsim capacity` over 39 values takes {} to {} % of the replications of the full grid, "
        "and over 1,901 values {} %.",
        plans,
    ),
    Sentence("takes two to four seconds as a whole, and some {} the first time", first_command),
    Sentence("a scenario or more for each of the {} rules; its {} traces take", suite),
    Sentence("The suite was tried on {} planted changes of rules", mutants),
    Sentence("and now all {} are caught with the right rule", mutants),
    Sentence(
        "for the rest of the year with a mean error of {} s ({}), where the averages of 2022, "
        "scaled by one number of January, are off by {} s ({}). January's own averages, 72 "
        "numbers, are off by {} s ({}).",
        _of_notebook(
            r"slot_error_s +hour_error_s +minute_error_s[ \\\\]*\n"
            r"outsim, 33 runners +(\d+) \((\d+ to \d+)\).*?"
            r"waits of 2022 x [\d.]+ +(\d+) \((\d+ to \d+)\).*?"
            r"averages of January +(\d+) \((\d+ to \d+)\)",
            table=-1,
        ),
    ),
    Sentence(
        "less well than plain averages (rank correlation {} against {})",
        _of_notebook(
            r"slot_rank +hour_rank *\noutsim +([\d.]+) .*?averages of 2022 +([\d.]+) ", table=0
        ),
    ),
)


def renew() -> None:
    """Measure what is dear, and write today's figures and blocks into the README."""
    measured = {name: of() for name, of in DEAR.items()}
    KEPT.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n")
    text = README.read_text()
    for command, output in blocks():
        before = f"$ {command}\n{output}"
        text = text.replace(before, f"$ {command}\n{shown(printed(command))}")
    README.write_text(text)
    for sentence in SENTENCES:
        README.write_text(sentence.renewed(README.read_text()))
