"""Changes as a file that extends the scenario's own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from outsim.errors import ScenarioError
from outsim.scenario.adjustable import adjustables
from outsim.scenario.difference import differences
from outsim.scenario.loading import load
from outsim.scenario.overlay import overlay

BASE = """
name = "two lists"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[platform]
ports = 10
status_work = { distribution = "lognormal", median = "20 ms", log_sd = 0.3 }
[background]
tenants = 2
[[endpoint]]
name = "page"
[[campaign]]
name = "reminders"
tenant = "clinic"
start = "09:05"
contacts = 20
window = { opens = "09:00", closes = "12:00" }
[[campaign]]
name = "reminders"
tenant = "bank"
start = "09:10"
contacts = 30
pacing = "30/min"
[[suspension]]
begins = "09:20"
ends = "09:30"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    return path


def kept(file: Path, changes: dict[str, str]) -> dict:
    scenario = load(file)
    text = overlay(scenario, changes, name="changed", file=file)
    beside = file.with_name("kept.toml")
    beside.write_text(text)
    assert differences(load(beside), scenario.with_(changes)) == []
    assert load(beside).name == "changed"
    return tomllib.loads(text)


def test_only_what_differs_is_written(file):
    changes = {"platform.ports": "12", "campaign[clinic/reminders].start": "09:15"}
    assert kept(file, changes) == {
        "extends": "base.toml",
        "name": "changed",
        "platform": {"ports": 12},
        "campaign": [{"name": "reminders", "tenant": "clinic", "start": "09:15"}],
    }


def test_changes_of_one_entry_stand_together(file):
    changes = {
        "campaign[bank/reminders].pacing": "none",
        "campaign[clinic/reminders].max_retry": "0",
        "campaign[bank/reminders].retry_interval": "12 min",
    }
    assert kept(file, changes)["campaign"] == [
        {"name": "reminders", "tenant": "bank", "pacing": "none", "retry_interval": "12 min"},
        {"name": "reminders", "tenant": "clinic", "max_retry": 0},
    ]


def test_tables_in_a_part_are_whole_where_the_file_does_not_have_them(file):
    changes = {
        "platform.status_work.median": "25 ms",
        "background.start_minutes.top": "0.9",
        "callees.redial_factors[1]": "0.7",
    }
    tables = kept(file, changes)
    assert tables["platform"] == {"status_work": {"median": "25 ms"}}
    assert tables["background"]["start_minutes"].keys() == {"top", "half", "quarter", "other"}
    assert len(tables["callees"]["redial_factors"]) == 6


@pytest.mark.parametrize("step", [0, -1])
def test_whatever_can_be_adjusted_can_be_kept(file, step):
    scenario = load(file)
    changes = {}
    for one in adjustables(scenario):
        values = one.choices or (
            [one.scale.text(k) for k in range(one.scale.last + 1)] if one.scale else [one.text]
        )
        with_it = changes | {one.key: values[step]}
        try:
            scenario.with_(with_it)
        except ScenarioError:  # at odds with others
            continue
        changes = with_it
    assert len(changes) > 60
    kept(file, changes)


def test_a_file_that_says_something_else_is_refused(file):
    scenario = load(file)
    file.write_text(BASE.replace("ports = 10", "ports = 11"))
    with pytest.raises(ScenarioError, match=r"base.toml: is not the .* \(platform.ports: 11, and"):
        overlay(scenario, {"platform.workers": "3"}, name="changed", file=file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"suspension[0].ends": "9:40"}, [{"begins": "09:20", "ends": "9:40"}]),
        ({"suspension[0]": "none"}, None),
        (
            {"suspension[0]": "none", "suspension[new].begins": "09:50"},
            [{"begins": "09:50"}],
        ),
    ],
)
def test_entries_without_a_name_that_are_changed_stand_instead(file, changes, said):
    tables = kept(file, changes)
    assert tables["replaces"] == ["suspension"]
    assert tables.get("suspension") == said


def test_entries_that_are_added_stand_beside(file):
    changes = {
        "outage[new].of": "ports",
        "outage[new].begins": "09:10",
        "outage[new].count": "3",
        "suspension[new].begins": "09:50",
        "campaign[new2].name": "news",
        "campaign[new2].tenant": "bank",
        "campaign[new2].start": "09:30",
        "campaign[new2].contacts": "7",
        "campaign[new2].window.opens": "09:00",
        "campaign[new2].window.closes": "10:00",
        "campaign[new2].window.days": "tue, wed",
    }
    tables = kept(file, changes)
    assert "replaces" not in tables
    assert tables["outage"] == [{"of": "ports", "begins": "09:10", "count": 3}]
    assert tables["suspension"] == [{"begins": "09:50"}]
    assert [campaign["name"] for campaign in tables["campaign"]] == ["news"]
    assert tables["campaign"][0]["window"]["days"] == ["tue", "wed"]


def test_a_named_entry_cannot_be_left_out_by_a_file_that_extends(file):
    with pytest.raises(ScenarioError, match=r"endpoint\[page\]: .* where it is written"):
        overlay(load(file), {"endpoint[page]": "none"}, name="changed", file=file)
