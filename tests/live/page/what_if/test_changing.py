"""A scenario that is changed key by key, and what is wrong with a change."""

from __future__ import annotations

import pytest

from outsim.live.page.what_if.changing import SECOND, SERVED

from .pages import START, what_if_of, write_scenarios


@pytest.fixture
def what_if(tmp_path):
    return what_if_of(write_scenarios(tmp_path)[0])


def test_nothing_is_compared_before_anything_is_changed(what_if):
    assert what_if.base == what_if.changed == what_if.scenario
    assert not what_if.is_compared


def test_changes_are_made_together_and_named(what_if):
    what_if.set({START: "09:15"})
    what_if.set({"platform.ports": " 8 "})
    assert what_if.changed.name == "a small morning, start 09:15, ports 8"
    assert f"{what_if.changed.campaign_under_study.start:%H:%M}" == "09:15"
    assert what_if.changed.platform.ports == 8
    assert what_if.base == what_if.scenario
    assert what_if.is_compared


@pytest.mark.parametrize(
    ("key", "text", "same"),
    [
        (START, "09:15", "09:05:00"),
        ("campaign[clinic/reminders].retry_interval", "5 min", "120 s"),
        ("platform.dial_rate", "10/s", "1200/min"),
        ("campaign[clinic/reminders].pacing", "30/min", "none"),
    ],
)
def test_what_means_the_same_as_before_is_no_change(what_if, key, text, same):
    what_if.set({key: text})
    assert what_if.changes == {key: text}
    what_if.set({key: same})
    assert what_if.changes == {}
    assert what_if.changed == what_if.scenario
    assert not what_if.is_compared


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("09.15", "found '09.15'; write a local clock time: '09:15', '09:15:30' or"),
        ("08:00", "found 2026-03-10 08:00:00, before the scenario begins (2026-03-10 09:00:00)"),
    ],
)
def test_a_value_that_cant_be_used_is_said_in_the_scenarios_own_words(what_if, text, message):
    what_if.set({"platform.ports": "8"})
    what_if.set({START: text})
    assert list(what_if.problems) == [START]
    assert what_if.problems[START].startswith(message)
    assert what_if.changed.name == "a small morning, ports 8"  # the last that could be used
    what_if.set({START: "09:10"})
    assert what_if.problems == {}
    assert what_if.changed.name == "a small morning, ports 8, start 09:10"


def test_values_that_are_at_odds_are_said_at_their_keys(what_if):
    stop = "campaign[clinic/reminders].stop_at"
    what_if.set({stop: "09:10"})
    what_if.set({START: "09:20"})
    assert what_if.problems.keys() == {stop}
    assert "must not be earlier than submitted_at" in what_if.problems[stop]


def test_all_changes_can_be_taken_back(what_if):
    what_if.set({"platform.ports": "many"})
    what_if.reset()
    assert (what_if.changes, what_if.problems) == ({}, {})
    assert what_if.changed == what_if.scenario


def test_the_second_scenario_is_the_base_where_there_is_one(tmp_path):
    what_if = what_if_of(*write_scenarios(tmp_path))
    assert what_if.base.name == "ten ports"
    assert what_if.is_compared  # with the scenario as it is
    assert what_if.base_texts("platform")["platform.ports"] == "10"
    what_if.base_name = SERVED
    assert what_if.base_texts("platform")["platform.ports"] == "6"
    assert not what_if.is_compared
    what_if.base_name = SECOND
    what_if.set({"platform.ports": "10"})
    assert what_if.is_compared
    assert what_if.base_texts("tenant[nobody]") == {}
