"""`outsim sweep`: what it says of points, of what matters and of what flips."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import outsim as package
from outsim.studies.synchronous import run_sync

HASTY = """\
name = "hasty"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "09:10"
[platform]
start_jitter = "none"
lost_updates = 0
wedged_calls = 0
[carrier]
rate = "1000/s"
burst = 1000
[profiles.people]
human = 1
voicemail = 0
no_answer = 0
busy = 0
[callees]
redial_factors = [1]
hour_factors = {morning = 1, afternoon = 1, evening = 1, night = 1}
fax_share = 0
[[campaign]]
name = "list"
tenant = "acme"
start = "09:00"
contacts = 60
profile = "people"
expires_at = "09:00:20"
"""

PACED = """\
extends = "hasty.toml"
name = "paced"
[[campaign]]
name = "list"
expires_at = "09:00:30"
pacing = "1/s"
"""

ASKED = ("hasty.toml", "paced.toml", "--replications", "2", "--vary")


@pytest.fixture
def pair(files):
    """Two files whose order flips where the loader admits 30 contacts in 20 s: 90 a minute."""
    (files / "hasty.toml").write_text(HASTY)
    (files / "paced.toml").write_text(PACED)
    return files


def said(ended) -> str:
    return " ".join(ended.out.split())


def test_a_flip_is_told_with_both_sides_and_its_confirmation(outsim, pair):
    ended = outsim("sweep", *ASKED, "platform.loader_rate=60/min:120/min:2")
    assert ended.code == 0
    text = said(ended)
    told = re.search(
        r"platform\.loader_rate: paced is better up to (\d+)/min, hasty from (\d+)/min on\. "
        r"Confirmed by \d+ fresh replications on both sides: \+",
        text,
    )
    assert told is not None
    assert 84 <= int(told[1]) <= 90 <= int(told[2]) <= 96
    assert "No assumption was found" not in text


def test_where_nothing_flips_that_is_told(outsim, pair):
    ended = outsim("sweep", *ASKED, "platform.loader_rate=100/min:120/min:2")
    assert "none" in said(ended)
    assert "No assumption was found to turn the answer round" in said(ended)


def test_the_document_is_that_of_the_function(outsim, pair):
    ended = outsim("sweep", *ASKED, "platform.loader_rate=100/min:120/min:2", "--json")
    found = run_sync(
        package.sweep(
            package.load("hasty.toml"),
            package.load("paced.toml"),
            vary=["platform.loader_rate=100/min:120/min:2"],
            replications=2,
            executor="threads",
        )
    )
    assert json.loads(ended.out) == found.to_dict()


def test_points_and_what_matters_are_told_for_one_scenario(outsim, pair):
    ended = outsim("sweep", "hasty.toml", *ASKED[2:], "platform.loader_rate=60/min:120/min:3")
    text = said(ended)
    assert "Design: grid, 3 points, 3 of them differ" in text
    for rate, calls in (("60/min", 20), ("90/min", 30), ("120/min", 40)):
        assert f"{rate} {100 * calls / 60:.1f} % (all 2 runs)" in text
    assert "due to the one number that is varied" in text


def test_assumptions_are_listed_with_their_ranges_and_those_left_out_with_the_reason(outsim):
    arguments = ("sweep", "small.toml", "--assumptions", "--design", "morris", "--points", "4")
    ended = outsim(*arguments, "--replications", "2")
    text = said(ended)
    assert "carrier.rate" in text
    assert "platform.dial_burst 10 to 40 steps none given: half to double" in text
    assert "Not varied: campaign.pacing_at: it is a word, not a number" in text


def test_a_sweep_that_is_kept_is_told_again_without_a_run(outsim, pair, monkeypatch):
    from outsim.studies import study_run

    arguments = ("sweep", *ASKED, "platform.loader_rate=100/min:120/min:2", "--directory", "kept")
    first = outsim(*arguments)

    def refuse(_jobs, _executor):
        raise AssertionError("a run was begun that is there already")

    monkeypatch.setattr(study_run.StudyRun, "_jobs", refuse)
    assert outsim(*arguments) == first


def test_one_number_alone_has_no_rank(outsim):
    ended = outsim("sweep", "small.toml", "--vary", "platform.ports=5:20:2", "--replications", "2")
    assert ended.code == 0
    told = " ".join(ended.out.split())
    assert "All that differs between the points is due to the one number that is varied." in told
    assert "100.0" not in told


def test_a_sweep_goes_nowhere_where_one_of_an_earlier_outsim_is(outsim, pair):
    Path("kept").mkdir()
    Path("kept/asked.json").write_text("{}", encoding="utf-8")
    ended = outsim(
        "sweep", *ASKED, "platform.loader_rate=100/min:120/min:2", "--directory", "kept"
    )
    assert ended.code == 2
    assert "asked.json) already; give another directory" in " ".join(ended.err.split())
