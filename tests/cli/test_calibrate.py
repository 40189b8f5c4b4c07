"""`outsim calibrate`: from a call log to a file that scenarios extend."""

from __future__ import annotations

import csv
import json
import re

import outsim as package

CALIBRATE = ("calibrate", "Master.csv", "--zone", "America/New_York")


def test_it_prints_what_the_api_gives(outsim):
    document = json.loads(outsim(*CALIBRATE, "--json").out)
    found = package.calibrate("Master.csv", zone="America/New_York").run()
    assert document["parameters"] == json.loads(json.dumps(found.to_dict()))["parameters"]
    assert document["log"]["attempts"] == 399
    assert document["log"]["files"][0]["format"] == "asterisk"


def test_it_says_what_was_read_and_names_what_was_not(outsim):
    text = " ".join(outsim(*CALIBRATE).out.split())
    assert "400 rows of 1 file (asterisk): 399 attempts used, 0 left out, 1 can't be read" in text
    assert "Master.csv:8: found 1 field: 'a line that is no row'" in text


def test_the_profile_serves_scenarios_and_bad_rows_are_listed_beside_it(outsim, files):
    ended = outsim(*CALIBRATE, "--out", "callees.toml")
    assert ended.code == 0
    mine = 'extends = "callees.toml"\n' + (files / "small.toml").read_text()
    (files / "mine.toml").write_text(mine)
    assert package.load("mine.toml").callees != package.load("small.toml").callees
    with (files / "callees.unreadable.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["file"], row["line"]) == ("Master.csv", "8")


def test_a_log_too_thin_for_anything_keeps_defaults_and_exits_with_1(outsim, files):
    ended = outsim(
        *("calibrate", "own.csv", "--columns", "started=when,outcome=what", "--zone", "UTC"),
        *("--out", "callees.toml"),
    )
    assert ended.code == 1
    assert "Nothing could be fitted" in ended.out
    assert "default" in ended.out
    assert not (files / "callees.toml").exists()


def test_hours_are_those_of_the_callees_zone(outsim):
    told = ("--columns", "started=when,outcome=what", "--zone", "UTC", "--json")
    document = json.loads(outsim("calibrate", "own.csv", *told).out)
    assert any("--callee-zone" in note for note in document["notes"])
    other = outsim("calibrate", "own.csv", *told, "--callee-zone", "America/Chicago").out
    assert json.loads(other)["log"]["zone"] == "America/Chicago"
    assert not any("--callee-zone" in note for note in json.loads(other)["notes"])


def test_a_file_can_say_what_columns_are(outsim, files):
    (files / "own.toml").write_text(
        '[columns]\nstarted = "when"\noutcome = "what"\n[outcomes]\nbusy = "no_answer"\n'
    )
    arguments = ("calibrate", "own.csv", "--columns", "own.toml", "--zone", "UTC", "--json")
    document = json.loads(outsim(*arguments).out)
    assert document["log"]["attempts"] == 1


def test_a_load_is_shown_by_class_hour_and_weekday_and_written(outsim, files):
    shown = outsim(*CALIBRATE, "--load", "--out", "load.toml").out
    text = " ".join(shown.split())
    assert "background.tenant_class" in text
    assert re.search("The load, by class: class tenants starts .* calls 1 399", text)
    assert re.search("Starts an hour, by local hour: hour calls ─* 09:00 ", text)
    assert re.search("Factor on them, by weekday: weekday calls ─* mon ", text)
    assert "calls: acme." in text
    assert "load: the log names no campaigns" in text
    (files / "mine.toml").write_text(
        'extends = "load.toml"\n' + (files / "small.toml").read_text()
    )
    (mine,) = package.load("mine.toml").background.tenant_class
    assert (mine.name, mine.kind) == ("calls", "calls")


def test_a_load_without_a_zone_says_what_to_give(outsim, files):
    lines = ["when,what"] + [f"2026-03-10T09:{k:02d}:00Z,busy" for k in range(50)]
    (files / "own.csv").write_text("\n".join(lines))
    ended = outsim("calibrate", "own.csv", "--columns", "started=when,outcome=what", "--load")
    assert ended.code == 2
    assert "--zone America/New_York" in ended.message


def test_a_campaign_may_be_named_beside_the_columns_of_a_maker(outsim):
    document = json.loads(
        outsim(*CALIBRATE, "--columns", "campaign=lastapp", "--load", "--json").out
    )
    assert document["log"]["files"][0]["format"] == "asterisk"
    assert any("told apart by campaign" in note for note in document["notes"])
    (part,) = document["load"]
    assert (part["class"], part["tenants"], part["names"]) == ("calls", 1, ["acme"])


def test_a_log_is_not_written_over(outsim, files):
    before = (files / "Master.csv").read_bytes()
    ended = outsim("calibrate", "Master.csv", "--zone", "America/New_York", "--out", "Master.csv")
    assert ended.code == 2
    assert "is the log itself" in ended.err
    assert (files / "Master.csv").read_bytes() == before
