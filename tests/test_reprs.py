"""What public objects show of themselves: short enough for a cell, whatever they hold."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

import outsim
from outsim.display import MOST_ROWS
from outsim.errors import OutsimError, Problem
from outsim.questions.question import Question
from outsim.questions.schedule import Schedule
from outsim.questions.stop import StopRace
from outsim.scenario.loading import load
from outsim.scenario.snapshot import Snapshot
from outsim.text import MOST_SHOWN, bounded, brief
from tests.engine import scenarios

MANY = 150
LONG = "a name as long as names may be and of words that nobody reads to the end".ljust(80, "x")

TABLES = {
    "name": "scenario " * 20,
    "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "09:40"},
    "about": {"purpose": "word " * 2000},
    "profiles": {
        f"{k} {LONG}"[:80]: {"human": 0.5, "no_answer": 0.5, "voicemail": 0, "busy": 0}
        for k in range(MANY)
    },
    "tenant": [{"name": f"{k} {LONG}"[:80]} for k in range(MANY)],
    "campaign": [
        {
            "name": f"{k} {LONG}"[:80],
            "tenant": f"{k} {LONG}"[:80],
            "start": "09:01",
            "contacts": 5 if k else 2000,
            "max_retry": 1,
        }
        for k in range(MANY)
    ],
    "suspension": [
        {"begins": f"09:{k % 30:02d}:{k // 30:02d}", "ends": "09:35"} for k in range(MANY)
    ],
    "sources": {
        key: {"grade": "vendor", "source": "word " * 500}
        for key in ("platform.ports", "platform.workers")
    },
}


@pytest.fixture(scope="module")
def scenario() -> outsim.Scenario:
    return load(TABLES)


@pytest.fixture(scope="module")
def result(scenario) -> outsim.Result:
    return outsim.simulate(scenario)


@pytest.fixture(scope="module")
def small() -> outsim.Scenario:
    return load(TABLES | {"campaign": TABLES["campaign"][:3], "suspension": []})


def is_ours(thing: Any) -> bool:
    return type(thing).__module__.startswith("outsim") and not inspect.isroutine(thing)


def members(thing: Any) -> Iterator[tuple[str, Any]]:
    """What an object's public attributes and methods without parameters give."""
    for name in [*dir(type(thing)), *getattr(thing, "__dict__", ())]:
        if name.startswith("_") or name in SLOW or hasattr(BaseModel, name):
            continue
        with suppress(OutsimError):  # what a study finds that nobody has run
            value = getattr(thing, name)
            if not inspect.ismethod(value):
                yield name, value
            elif _needs_nothing(value):
                yield name, value()


def _needs_nothing(method: Any) -> bool:
    waits = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    takes = inspect.signature(method).parameters.values()
    return not waits and all(each.default is not each.empty for each in takes)


SLOW = (
    *("plot", "run", "results", "branch", "save", "copy"),
    *("to_toml", "to_dict", "to_markdown"),
)
"""What draws, runs or writes something, and documents that are asked for by name."""


def walked(root: Any, most: int = 3) -> Iterator[tuple[str, Any]]:
    """Objects of outsim that can be come to from one, a few of each kind, with the way there."""
    seen: dict[type, int] = {}
    waiting: list[tuple[str, Any]] = [(type(root).__name__, root)]
    known: set[int] = set()
    while waiting:
        way, thing = waiting.pop(0)
        if isinstance(thing, dict):
            thing = [*thing.values()]
        if isinstance(thing, list | tuple):
            waiting += [(f"{way}[{k}]", each) for k, each in enumerate(thing[:most])]
            continue
        if not is_ours(thing) or id(thing) in known or seen.get(type(thing), 0) >= most:
            continue
        known.add(id(thing))
        seen[type(thing)] = seen.get(type(thing), 0) + 1
        yield way, thing
        waiting += [(f"{way}.{name}", value) for name, value in members(thing)]


def check(root: Any) -> int:
    """Hold everything that can be come to from an object to the bounds; how much that is."""
    count = 0
    for way, thing in walked(root):
        for show in (repr, str):
            text = show(thing)
            assert len(text) <= MOST_SHOWN, (way, len(text), text[:300])
            assert text.isprintable() or show is str, way
            if type(thing).__name__ in outsim.__all__:
                assert " object at 0x" not in text, (way, text)
        html = getattr(thing, "_repr_html_", None)
        if html is not None:
            text = html()
            assert text.count("<tr") <= MOST_ROWS + 20, way
            assert len(text) <= 600_000, (way, len(text))
        count += 1
    return count


def test_results_and_scenarios_show_little_of_what_they_hold(scenario, result):
    assert check(scenario) > 10
    assert check(result) > 20


@pytest.mark.parametrize("at", ["09:01", "09:02", "09:20"])
def test_a_snapshot_of_many_calls_is_short(result, at):
    """That of a day of usual size took 2.8 million characters."""
    snapshot = result.snapshot(at)
    assert isinstance(snapshot, Snapshot)
    assert check(snapshot) > 2
    assert repr(snapshot).startswith("Snapshot(at=2026-03-10 09:")
    assert f"campaign=[{MANY} CampaignSnapshot]" in repr(snapshot)


def test_answers_and_studies_are_short(small, tmp_path):
    other = small.model_copy(update={"name": ("other " * 30).strip()})
    study = outsim.Study([small, other])
    check(study)
    findings = study.run(directory=tmp_path / "study", replications=2)
    check(findings)
    check(outsim.load_study(tmp_path / "study"))
    check(outsim.explain(outsim.simulate(small), replications=2).run())
    check(outsim.simulate(small, until="09:02"))
    check(outsim.assumptions(small))
    check(outsim.describe(small).run())


def test_other_answers_are_short(small):
    campaign = small.campaign[0].name
    starts = {"every": "10 min", "between": ("09:01", "09:21")}
    asked: list[Any] = [
        outsim.eta(small, campaign=campaign, replications=2),
        outsim.schedule(small, campaign=campaign, **starts, replications=2),
        outsim.stop(small, campaign=campaign, replications=2),
    ]
    for each in asked:
        if isinstance(each, Question):
            check(each)
        answer = each.run()
        assert isinstance(answer, outsim.Forecast | Schedule | StopRace)
        check(answer)


def test_calibrations_and_their_parts_are_short(result, tmp_path):
    calibration = outsim.calibrate(result.save(tmp_path / "run")).run()
    assert check(calibration) > 3


@pytest.mark.parametrize(
    "kind", [getattr(outsim, name) for name in outsim.__all__ if name.endswith("Error")]
)
def test_errors_of_many_lines_say_how_many_are_left(kind):
    lines = "\n".join(f"line {k}: {LONG}" for k in range(500))
    error = kind(lines)
    for show in (repr, str):
        assert len(show(error)) <= MOST_SHOWN
        assert show(error).endswith("characters more; .message has all of it)") or show is repr
    assert error.message == lines


def test_errors_keep_all_their_problems():
    problems = [Problem("file.toml", k, "key", LONG) for k in range(500)]
    error = outsim.ScenarioError(problems)
    assert len(str(error)) <= MOST_SHOWN
    assert error.shown.endswith("and 480 more")
    assert len(error.message.splitlines()) == 500
    assert error.problems == problems


def test_what_is_left_out_is_counted():
    assert bounded("x" * 10, 10) == "x" * 10
    cut = bounded("x" * 5000, 100, "; ask")
    assert len(cut) <= 100
    assert cut.endswith(f"... ({5000 - cut.count('x'):,} characters more; ask)")


def test_a_value_of_any_kind_is_short():
    class Thing:
        def __repr_args__(self) -> list[tuple[str, Any]]:
            return [
                ("array", np.zeros((3000, 2))),
                ("table", pd.DataFrame({"a": range(5)})),
                ("number", 10**5000),
                ("text", "x" * 5000),
                ("bytes", b"x" * 5000),
                ("few", (1, "two")),
                ("many", {k: k for k in range(9)}),
                ("path", Path("x" * 300)),
            ]

    said = brief(Thing())
    assert len(said) < 800
    for part in (
        "array=<ndarray, 3,000 x 2>",
        "table=<DataFrame, 5 x 1>",
        "number=a number of 5001 digits",
        "few=(1, 'two')",
        "many={9}",
        "its attributes have the rest",
    ):
        assert part in said


def test_documents_for_machines_are_shown_by_their_beginning():
    result = outsim.simulate(scenarios.scenario())
    for document in (result.provenance(), result.assumptions.to_dict()):
        whole = json.dumps(document)
        assert len(repr(document)) <= MOST_SHOWN < len(whole)
        assert json.loads(whole) == document
        assert pickle.loads(pickle.dumps(document)) == document
    assert len(repr(result.provenance()["assumptions"])) <= MOST_SHOWN
    assert len(repr(result.assumptions)) <= MOST_SHOWN
