"""Promises and what matters on the command line: schedule, stop, eta, capacity, check, compare."""

from __future__ import annotations

import json

import pytest

SMALL = ("small.toml", "--replications", "3")
LATE = "finished by 09:40"


def test_the_latest_value_of_capacity_and_the_latest_start_are_the_same(outsim):
    between = ("--between", "09:00", "09:50")
    start = outsim("schedule", *SMALL, *between, "--promise", LATE, "--latest", "--json")
    key = "campaign[appointment reminders].start"
    vary = ("--vary", f"{key}=09:00:09:50", "--target", LATE, "--latest", "--json")
    value = outsim("capacity", *SMALL, *vary)
    assert start.code == value.code == 0
    found, same = json.loads(start.out), json.loads(value.out)
    assert found["looked_for"] == same["looked_for"] == "latest"
    assert found["value"] == same["value"]
    assert found["above"] == same["above"]


@pytest.mark.parametrize("columns", [80, 60])
def test_the_first_line_says_which_start_and_how_surely(outsim, columns):
    ended = outsim(
        *("schedule", *SMALL, "--between", "09:00", "09:50", "--every", "5min"),
        *("--promise", LATE, "--confidence", "90%"),
        columns=columns,
    )
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert said.startswith("Latest start of ")
    assert "90 % confidence" in said
    assert max(map(len, ended.out.splitlines())) <= columns


def test_a_stop_that_no_time_keeps_is_a_no(outsim):
    ended = outsim("stop", *SMALL, "--promise", "at least 100000 calls dialed", "--json")
    document = json.loads(ended.out)
    assert ended.code == 1
    assert document["value"] is None
    assert "No run can keep" in document["never"][0]


def test_stops_that_are_given_are_not_searched(outsim):
    ended = outsim("stop", *SMALL, "--promise", "at most 5 dialed", "--after", "0s")
    assert ended.code == 2
    assert "leave out --after" in " ".join(ended.err.split())


def test_a_forecast_says_how_probably_a_promise_is_kept(outsim):
    ended = outsim("eta", *SMALL, "--promise", "100% of calls out by 09:00", "--json")
    (promise,) = json.loads(ended.out)["promises"]
    assert promise["kept_in"]["mean"] == 0
    assert ended.code == (promise["verdict"] == "broken")


def test_a_check_warns_of_a_promise_that_no_run_can_keep(outsim):
    ended = outsim("check", "small.toml", "--promise", "95% of calls out by 08:30")
    assert ended.code == 0
    assert "No run can keep '95% of calls out by 08:30'" in " ".join(ended.out.split())


def test_a_measure_that_is_not_there_is_named(outsim):
    ended = outsim("schedule", *SMALL, "--promise", "p95 wiat <= 1 min")
    assert ended.code == 2
    assert "did you mean 'p95 wait'" in " ".join(ended.err.split())


def test_what_matters_is_said_on_the_command_line(outsim):
    pair = ("compare", *SMALL[:1], "small.toml", *SMALL[1:])
    ended = outsim(*pair, "--matters", "wait=1h,completed=50points", "--json")
    measures = json.loads(ended.out)["measures"]
    assert measures["wait_p90_s"]["matters_from"] == 3600
    assert measures["completed_share"]["matters_from"] == 0.5
    wrong = outsim(*pair, "--matters", "wiat=1min")
    assert wrong.code == 2
    assert "did you mean 'wait'" in " ".join(wrong.err.split())
