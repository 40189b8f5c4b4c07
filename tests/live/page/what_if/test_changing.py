"""A scenario that is changed key by key, and what is wrong with a change."""

from __future__ import annotations

import pytest

from outsim.live.page.what_if.changing import FIRST, SECOND

from .pages import CAMPAIGN, START, what_if_of, write_scenarios


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


def test_all_load_is_changed_by_a_key_of_no_part(what_if):
    what_if.set({"load": "1.5"})
    assert what_if.changed.load == 1.5
    assert what_if.changed.name == "a small morning, load 1.5"
    what_if.set({"load": "-1"})
    assert what_if.problems.keys() == {"load"}


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


def test_the_second_scenario_is_changed_and_compared_with_the_first(tmp_path):
    what_if = what_if_of(*write_scenarios(tmp_path))
    assert (what_if.scenario.name, what_if.base.name) == ("ten ports", "a small morning")
    assert what_if.is_compared
    assert what_if.base_texts("platform")["platform.ports"] == "6"
    what_if.base_name = SECOND
    assert not what_if.is_compared
    what_if.set({"platform.workers": "2"})
    what_if.choose(FIRST)
    assert what_if.changed.name == "a small morning, workers 2"
    assert what_if.base_texts("tenant[nobody]") == {}


@pytest.mark.parametrize(
    ("key", "text", "written"),
    [
        (START, "9:15", "09:15"),
        (f"{CAMPAIGN}.retry_interval", "300 s", "5 min"),
        (f"{CAMPAIGN}.stop_at", "9:20", "09:20"),
        ("platform.ports", "1e2", "100"),
        ("platform.lost_updates", "0.5", "50 %"),
        ("callees.redial_factors", "1,0.5", "1.0, 0.5"),
        ("carrier.other_traffic_peak", "0: 0.5, 30: 20 %", "0: 0.5, 30: 0.2"),
    ],
)
def test_a_text_is_written_as_elsewhere(what_if, key, text, written):
    what_if.set({key: text})
    assert what_if.changes == {key: written}
    assert what_if.problems == {}


def test_an_empty_text_takes_a_change_back(what_if):
    what_if.set({"platform.ports": "8", "platform.workers": "2"})
    what_if.set({"platform.ports": " "})
    assert what_if.changes == {"platform.workers": "2"}


def test_a_table_that_is_not_there_can_be_given_and_turned_off(what_if):
    opens, closes = f"{CAMPAIGN}.window.opens", f"{CAMPAIGN}.window.closes"
    what_if.set({opens: "9:00"})
    assert what_if.problems.keys() == {closes}
    assert what_if.problems[closes].startswith("is missing: local time of day")
    what_if.set({closes: "12:00"})
    assert what_if.problems == {}
    assert what_if.changed.campaign[0].window is not None
    what_if.set({f"{CAMPAIGN}.window": "none"})
    assert what_if.changes == {}


def test_entries_that_are_added_have_keys_until_they_are_forgotten(what_if):
    suspension, campaign = what_if.add("suspension"), what_if.add("campaign")
    assert what_if.add("suspension") == "suspension[new2]"
    assert what_if.changes == {}  # nothing is said of them
    what_if.set({f"{suspension}.begins": "9:20", f"{suspension}.ends": "9:10"})
    assert what_if.problems.keys() == {f"{suspension}.ends"}
    what_if.set({f"{suspension}.ends": ""})
    what_if.set({f"{campaign}.name": "news", f"{campaign}.tenant": "bank"})
    assert what_if.problems.keys() == {f"{campaign}.start"}
    what_if.set({f"{campaign}.start": "8:00", f"{campaign}.contacts": "9"})
    assert what_if.problems.keys() == {f"{campaign}.start"}  # by a name that is not there yet
    what_if.set({f"{campaign}.start": "9:10"})
    assert what_if.changed.name == (
        "a small morning, suspension 09:20, campaign news bank 9 09:10"
    )
    what_if.remove(campaign)
    assert what_if.changed.name == "a small morning, suspension 09:20"
    assert what_if.entries("campaign") == ["campaign[clinic/reminders]"]


def test_values_of_entries_behind_one_that_is_taken_out_are_theirs(tmp_path):
    first, _ = write_scenarios(tmp_path)
    spans = ("10", "20"), ("30", "35")
    text = "".join(f'[[suspension]]\nbegins = "09:{a}"\nends = "09:{b}"\n' for a, b in spans)
    first.write_text(first.read_text() + text)
    what_if = what_if_of(first)
    what_if.remove("suspension[0]")
    what_if.set({"suspension[1].ends": "9:25"})
    assert what_if.problems.keys() == {"suspension[1].ends"}
    what_if.set({"suspension[1].ends": "9:36"})
    assert what_if.changes == {"suspension[0]": "none", "suspension[1].ends": "09:36"}
    what_if.set({"suspension[1].ends": "9:35"})
    assert what_if.changes == {"suspension[0]": "none"}
    what_if.set({"suspension[0]": ""})
    assert what_if.changes == {}
