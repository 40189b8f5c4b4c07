"""`outsim describe`: all items of the checklist, with gaps where only the author can know."""

from __future__ import annotations

import json


def test_it_says_what_has_gaps(outsim):
    told = outsim("describe", "small.toml")
    assert told.code == 0
    gaps = "6 items have gaps that only the author can fill: 1.1, 1.3, 3.1, 3.2, 5.4, 6.1;"
    assert " ".join(told.out.split()).startswith(gaps)


def test_the_document_has_all_twenty_items(outsim):
    told = json.loads(outsim("describe", "small.toml", "--json").out)
    assert len(told["items"]) == 20
    assert [part["number"] for item in told["items"] for part in item["parts"]] == [
        f"2.5.{k}" for k in range(1, 6)
    ]


def test_other_scenarios_are_described_by_how_they_differ(outsim):
    told = json.loads(outsim("describe", "small.toml", "later.toml", "--json").out)
    logic = next(item for item in told["items"] if item["number"] == "2.3")
    assert [(row["key"], row["base case"], row["here"]) for row in logic["table"]] == [
        ("campaign[clinic/appointment reminders].start", "09:05", "09:15")
    ]


def test_markdown_and_json_are_two_answers(outsim):
    ended = outsim("describe", "small.toml", "--json", "--markdown")
    assert ended.code == 2
    assert "--markdown and --json: give one or the other" in ended.message
