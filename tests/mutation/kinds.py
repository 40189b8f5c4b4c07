"""Kinds of inputs: how each is mutated, and what is asked of outsim about it.

A kind gives for a number of an input the act that is done in a process of its own. The act
returns what became of the input (``read``, ``refused``, ...) and everything that is wrong with
how outsim took it.
"""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import tomlkit

from tests.calibration.logs import COLUMNS, OUTCOMES, TIME_FORMAT, WRITERS, ZONE
from tests.mutation import samples
from tests.mutation.commands import call
from tests.mutation.mutators import (
    TEXTS,
    changed_bytes,
    changed_rows,
    changed_text,
    changed_tree,
    delimited,
    json_text,
)

Answer = dict[str, Any]
_RUN_CALLS = 2_000
"""Scenarios of more calls are only checked: what they take is their right."""


@dataclass(frozen=True)
class Workspace:
    """Where right inputs stand, and where a mutated one is written."""

    given: Path
    room: Path

    @classmethod
    def made(cls, directory: Path) -> Workspace:
        """Write the right inputs into a directory."""
        made = cls(directory / "given", directory / "room")
        made.given.mkdir()
        made.room.mkdir()
        samples.keep_runs(made.given)
        made.given.joinpath("list.csv").write_text(samples.text(samples.CONTACTS))
        return made

    @cached_property
    def trace(self) -> bytes:
        """A golden trace of the kept result."""
        from outsim import load_result
        from outsim.testing.traces import trace_of, write

        result = load_result(self.given / "result")
        return write(trace_of(result), self.given / "golden" / "run.trace").read_bytes()

    @cached_property
    def trace_name(self) -> str:
        """The file that the trace is in."""
        assert self.trace
        (file,) = (self.given / "golden").iterdir()
        return file.name


Kind = Callable[[Random, Workspace], Answer]


def _asked(*arguments: str) -> tuple[str, list[str]]:
    """What became of a command, and what is wrong with how it ended."""
    ended = call(*arguments)
    return ("refused" if ended.code == 2 else "read"), ended.problems()


def _scenario_text(random: Random) -> str:
    if random.random() < 0.3:
        return changed_text(random, samples.SCENARIO, random.choice((1, 1, 2, 4)))
    tables = tomllib.loads(samples.SCENARIO)
    for _ in range(random.choice((0, 0, 1, 2))):
        table, key, value = random.choice(samples.SETTINGS)
        owner = tables.setdefault(table, {})
        owner = random.choice(owner) if isinstance(owner, list) else owner
        owner[key] = value
        if key == "requests":
            owner.pop("contacts", None)
    if random.random() < 0.2:
        return tomlkit.dumps(tables)
    changed = changed_tree(random, tables, random.choice((1, 1, 1, 2, 3)))
    try:
        return tomlkit.dumps(changed)
    except (TypeError, ValueError, AttributeError, tomlkit.exceptions.TOMLKitError):
        # Some trees can't be said in TOML, such as a list of tables and numbers.
        return changed_text(random, samples.SCENARIO, 2)


def scenario(random: Random, at: Workspace) -> Answer:
    """A scenario file: checked, compared with the one it was; run with all invariants if small."""
    file = at.room / "scenario.toml"
    file.write_bytes(_scenario_text(random).encode(errors="surrogateescape"))
    became, problems = _asked("check", str(file))
    if became == "read":
        problems += _asked("diff", str(at.given / "small.toml"), str(file))[1]
        if _calls_of(file) <= _RUN_CALLS:
            ran, wrong = _asked("run", str(file), "--engine", "simpy", "--verify")
            became, problems = f"{became}, run {ran}", problems + wrong
    return {"became": became, "problems": problems}


def _calls_of(file: Path) -> float:
    """How many calls a scenario may have, roughly; infinite where a clock or a rate is extreme."""
    from outsim import load

    loaded = load(file)
    clock = loaded.clock
    calls = 0.0
    for each in loaded.campaign:
        calls += each.contacts or 0
        if each.contact_list is not None:
            calls += len(each.contact_list)
        if each.requests is not None:
            calls += 600
    if loaded.background is not None:
        calls += loaded.background.tenants * loaded.background.median_size * 3
    days = (clock.latest_end - clock.begins).total_seconds() / 86_400
    often = loaded.platform.reconciliation_every
    return calls if days < 1 and (often is None or often >= 1_000_000) else float("inf")


def contact_list(random: Random, at: Workspace) -> Answer:
    """A contact list: every row that any CSV reader finds is accepted or rejected."""
    import csv

    from outsim.errors import ScenarioError
    from outsim.scenario.contacts import ContactList

    file = at.room / "list.csv"
    rows = changed_rows(random, samples.CONTACTS, random.choice((0, 1, 2, 4)))
    data, delimiter = delimited(random, rows)
    whole = delimiter == "," and random.random() < 0.5
    if not whole:
        data = changed_bytes(random, data, random.choice((1, 1, 2, 3)))
    file.write_bytes(data)
    problems = []
    try:
        found = ContactList.read(file)
    except ScenarioError:
        became = "refused"
    else:
        became = "read"
        if whole:
            # What was written by the csv module is known row by row; a row of no fields, or one
            # empty one, is a blank line.
            told = [row for row in rows[1:] if any(cell.strip() for cell in row)]
            if len(found) < len(told):
                problems.append(f"lost: {len(told)} rows written, {len(found)} found")
        else:
            text = data.decode("utf-8-sig", "replace").replace("\0", "")
            if "\n" in text:
                text = text.replace("\r\n", "\n").replace("\r", " ")
            lines = io.StringIO(text, newline=None)
            records = sum(1 for row in csv.reader(lines, strict=False) if any(row)) - 1
            if len(found) < records:
                problems.append(f"lost: {records} rows in the file, {len(found)} found")
    config = at.room / "scenario.toml"
    config.write_text(samples.SCENARIO.replace("contacts = 60", 'contact_list = "list.csv"'))
    problems += _asked("check", str(config))[1]
    return {"became": became, "problems": problems}


def call_log(random: Random, at: Workspace) -> Answer:
    """A call log of any format: rows = used + left out + unreadable; the profile loads."""
    import csv

    name = random.choice(sorted(WRITERS))
    text, _ = WRITERS[name](samples.attempts())
    changes = random.choice((0, 1, 1, 2, 4))
    if name in ("asterisk", "twilio", "csv") and random.random() < 0.6:
        delimiter = ";" if name == "csv" else ","
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
        data, _ = delimited(random, changed_rows(random, rows, changes))
    elif name in ("call log", "result_url as JSON") and random.random() < 0.6:
        parts = [text] if name == "call log" else text.splitlines()
        documents = [json.loads(part) for part in parts]
        data = "\n".join(
            json_text(random, changed_tree(random, each, random.choice((0, 0, 1))))
            for each in documents
        ).encode(errors="surrogatepass")
    elif random.random() < 0.5:
        data = changed_text(random, text, changes + 1).encode(errors="surrogatepass")
    else:
        data = changed_bytes(random, text.encode(), changes + 1)
    file, out = at.room / "log.csv", at.room / "callees.toml"
    file.write_bytes(data)
    arguments = [str(file), "--zone", ZONE, "--json", "--out", str(out)]
    if name == "csv":
        pairs = ",".join(f"{field}={column}" for field, column in COLUMNS.items())
        words = ",".join(f"{word}={what}" for word, what in OUTCOMES.items())
        arguments += ["--columns", pairs, "--outcomes", words, "--time-format", TIME_FORMAT]
    ended = call("calibrate", *arguments)
    problems = ended.problems()
    if ended.code != 2:
        log = json.loads(ended.out)["log"]
        used, missed = log["attempts"], log["unreadable"]["rows"]
        left_out = sum(log["left_out"].values())
        if used + missed + left_out != log["rows"]:
            problems.append(f"lost: {log['rows']} rows, {used} + {left_out} + {missed} told of")
    if out.exists():
        user = at.room / "scenario.toml"
        before, _, after = samples.SCENARIO.partition("[callees]")
        after = after[after.index("[[campaign]]") :]
        user.write_text(f'extends = "callees.toml"\n{before}{after}')
        became, wrong = _asked("check", str(user))
        problems += wrong
        if became == "refused":
            problems.append("altered: the profile that was written is refused")
    return {"became": f"{name}, exit code {ended.code}", "problems": problems}


def snapshot(random: Random, at: Workspace) -> Answer:
    """A snapshot: a forecast from it, or a refusal."""
    file = at.room / "queue.json"
    if random.random() < 0.7:
        tree = changed_tree(random, samples.SNAPSHOT, random.choice((1, 1, 2, 3)))
        data = json_text(random, tree).encode(errors="surrogatepass")
    else:
        data = changed_bytes(random, json.dumps(samples.SNAPSHOT).encode(), random.choice((1, 2)))
    file.write_bytes(data)
    options = ("--replications", "2", "--executor", "threads", "--engine", "simpy")
    scenario = str(at.given / "small.toml")
    became, problems = _asked("eta", scenario, "--snapshot", str(file), *options)
    return {"became": became, "problems": problems}


def _damaged(random: Random, given: Path, room: Path) -> tuple[Path, str]:
    """A copy of a kept directory in which one file is changed, and which one."""
    import shutil

    shutil.copytree(given, room)
    file = random.choice(sorted(each for each in room.rglob("*") if each.is_file()))
    what = random.randrange(12)
    before = file.read_bytes()
    if what == 0:
        file.unlink()
    elif what == 1:
        file.write_bytes(b"")
    elif what == 2:
        other = random.choice(sorted(each for each in room.rglob("*") if each.is_file()))
        file.write_bytes(other.read_bytes())
    elif what < 6 and file.suffix == ".json":
        changed = changed_tree(random, json.loads(before), 1)
        file.write_text(json.dumps(changed, default=str))
    else:
        file.write_bytes(changed_bytes(random, before, random.choice((1, 1, 1, 2))))
    return room, str(file.relative_to(room))


def result(random: Random, at: Workspace) -> Answer:
    """A kept result with a damaged file: refused, or read as what it was."""
    from outsim import load_result
    from outsim.errors import OutsimError

    room, name = _damaged(random, at.given / "result", at.room / "result")
    problems = []
    try:
        tables = load_result(room).tables
    except OutsimError:
        became = "refused"
    else:
        became = "read"
        right = load_result(at.given / "result").tables
        problems = [
            f"altered: {name}: {table} is another one"
            for table in right
            if not right[table].equals(tables[table])
        ]
    problems += _asked("export", str(room), "--format", "csv", "-o", str(at.room / "tables"))[1]
    return {"became": became, "problems": problems}


def study(random: Random, at: Workspace) -> Answer:
    """A kept study with a damaged file: refused, or read as what it was."""
    from outsim import load_study
    from outsim.errors import OutsimError

    room, name = _damaged(random, at.given / "study", at.room / "study")

    def told(directory: Path) -> list[str]:
        kept = load_study(directory)
        return [kept.result.to_dataframe().to_csv(), kept.series().to_csv(), *kept.labels]

    problems = []
    try:
        found = told(room)
    except OutsimError:
        became = "refused"
    else:
        became = "read"
        if found != told(at.given / "study"):
            problems = [f"altered: {name}: it tells of other figures"]
    problems += _asked("merge", str(at.room / "merged"), str(room))[1]
    return {"became": became, "problems": problems}


def golden(random: Random, at: Workspace) -> Answer:
    """A golden trace that was changed: no run is taken for the one that it was kept of."""
    from outsim import load_result
    from outsim.testing.golden import Golden, GoldenError

    file = at.room / at.trace_name
    if file.suffix == ".xz" and random.random() < 0.7:
        import lzma

        text = changed_text(random, lzma.decompress(at.trace).decode(), 1)
        data = lzma.compress(text.encode(errors="replace"))
        same = text == lzma.decompress(at.trace).decode()
    else:
        data = changed_bytes(random, at.trace, 1)
        same = data == at.trace
    file.write_bytes(data)
    holds = Golden(at.room, "run", update=False, note=lambda _: None)
    problems: list[str] = []
    try:
        holds(load_result(at.given / "result"))
    except GoldenError as error:
        became = "refused"
        problems += [f"internals: {error}"] if "Traceback" in str(error) else []
    else:
        became = "held"
        if not same:
            became = "held, as it tells the same"
            problems += _not_the_same(file, at)
    return {"became": became, "problems": problems}


def _not_the_same(file: Path, at: Workspace) -> list[str]:
    """Whether a trace that a run was held to tells of other records than it was written with."""
    from outsim.testing.differences import same
    from outsim.testing.traces import read

    kept, whole = read(file), read(at.given / "golden" / at.trace_name)
    if not same(kept.records, whole.records) or kept.campaigns != whole.campaigns:
        return ["altered: a changed trace is taken for the run"]
    return []


_QUICK = ("--replications", "2", "--executor", "threads", "--engine", "simpy")
_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "run": (("--engine", "simpy"), {"--seed": ("1", "7"), "--replication": ("0", "3")}),
    "status": ((), {"--campaign": ("clinic/reminders",), "--at": ("09:20", "09:20:30")}),
    "failed": ((), {"--campaign": ("reminders",), "--seed": ("1",)}),
    "schedule": (_QUICK, {"--campaign": ("reminders",), "--every": ("20min",)}),
    "eta": (_QUICK, {"--campaign": ("reminders",), "--call": ("3",), "--number": ("2125550100",)}),
    "stop": (_QUICK, {"--campaign": ("reminders",), "--seed": ("1",)}),
    "explain": (("--no-worth",), {"--campaign": ("reminders",), "--call": ("3",)}),
    "compare": (_QUICK, {"--precision": ("wait_p90_s=30s",), "--timeout": ("5s",)}),
    "capacity": (
        _QUICK,
        {"--vary": ("platform.ports=5:20",), "--target": ("p95 wait <= 10 min",)},
    ),
    "sweep": (_QUICK, {"--vary": ("platform.ports=5:20:2",), "--measure": ("wait_p90_s",)}),
    "assumptions": ((), {"--seed": ("1",)}),
    "describe": ((), {}),
    "check": (("--theory",), {"--replications": ("2",), "--seed": ("3",)}),
    "export": ((), {"--format": ("csv", "xes")}),
}
_TIMES = ("09:00", "25:00", "09:20:61", "2026-03-10 09:20", "tomorrow", "09:20 PM", "-1")
_COUNTS = ("0", "-1", "1", "2.5", "1e3", "99999999999999999999", "0:3", "3:0", ":", "0:1:2", "a")
_NAMES = ("clinic/", "/", "clinic/reminder", "REMINDERS", "bank/alerts", "campaign[0]", "nobody")
_VARY = (
    *("platform.ports=20:5", "platform.ports=5:20:0", "platform.prots=5:20", "platform.ports"),
    *("platform.ports=5:20:99999999", "platform.ports=a:b"),
    *("campaign[reminders].start=09:00:09:30",),
    *("campaign[nobody].start=09:00:09:30", "platform.ports=1:1", "=", "a=b=c", "clock.zone=1:2"),
)
_PROMISES = (
    *("p95 wait", "p95 wait <=", "p95 wait <= 10", "p101 wait <= 5 min", "mean wait <= -5 min"),
    *("P(finished by 11:00) >= 2", "P(x) >= 0.5", "finished by 25:00", "completed_share >= 900 %"),
    *("p95 wait <= 10 min or so", "wait_p91_s <= 5", "95% of calls done by 10:00", "<= >="),
)
_WORDS = {
    "--at": _TIMES,
    "--campaign": _NAMES,
    "--vary": _VARY,
    "--target": _PROMISES,
    "--precision": ("wait_p90_s=", "wait=3s", "x=1", "completed_share=5%", "wait_p90_s=-1s", "="),
    "--measure": ("wait", "wait_p9_s", ""),
    "--every": ("0min", "-5min", "1us", "5", "1000 d"),
    "--format": ("XES", "pdf", ""),
}


def option(random: Random, at: Workspace) -> Answer:
    """A command with values of options that are mutated: an answer, or a message.

    A report is left out: its runs and pictures take their time.
    """
    command = random.choice(sorted(_OPTIONS))
    always, options = _OPTIONS[command]
    place = str(at.given / ("result" if command == "export" else "small.toml"))
    arguments = [command, place]
    if command == "compare":
        arguments.append(str(at.given / "later.toml"))
    arguments += always
    is_right = random.random() < 0.3
    wrong = random.choice(sorted(options)) if options and not is_right else ""
    for name, values in options.items():
        value = random.choice(values)
        if name == wrong:
            words = (*_WORDS.get(name, _COUNTS if value.isdecimal() else TEXTS), *TEXTS)
            is_text = random.random() < 0.2
            value = changed_text(random, value, 1) if is_text else random.choice(words)
        if random.random() < 0.7 or name == wrong or command in ("capacity", "sweep"):
            # What the operating system can't hand to a program is never seen by it.
            arguments += [name, value.replace("\0", "")]
    if command == "export":
        arguments += ["-o", str(at.room / "out")]
    if not wrong and not is_right:
        arguments.append(random.choice(TEXTS).replace("\0", ""))
    became, problems = _asked(*arguments)
    return {"became": f"{command} {became}", "problems": [f"{x}; {arguments}" for x in problems]}


KINDS: dict[str, Kind] = {
    each.__name__: each
    for each in (scenario, contact_list, call_log, snapshot, result, study, golden, option)
}
