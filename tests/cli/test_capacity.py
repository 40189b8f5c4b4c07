"""`outsim capacity` on a small platform: its answer, its exit code, and mistakes."""

from __future__ import annotations

import json

import pytest

from outsim.display import percent

from .stored import run, stored

ASKED = ("capacity", "small.toml", "--vary", "platform.ports=2:12", "--replications", "3")
WAIT = ("--target", "p90 wait <= 4 min")


def test_the_smallest_value_is_named_with_the_one_below_it_and_what_it_took(files):
    made = run((*ASKED, *WAIT))
    document, said = made.facts, made.words
    assert document["outcome"] == "found"
    value, below = int(document["value"]), int(document["below"])
    assert below == value - 1
    assert made.ended.code == 0
    assert f"platform.ports = {value}." in said
    if document["broken_below"] == document["below"]:
        assert f"{below}, the next below, is shown to break one" in said
    else:
        assert f"{below} is undecided" in said or f"to {below} are undecided" in said
    assert (
        f"{document['runs']} runs; testing all 11 values with 3 each would have taken 33" in said
    )
    assert "p90 wait <= 4 min" in said


def test_the_least_of_the_range_may_be_enough(outsim):
    ended = outsim(*ASKED, "--target", "p90 wait <= 50 min")
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert "Both ends of the range keep the promises: platform.ports = 2, the smallest" in said
    assert "Less than that may do, too" in said


LATE = ("--target", "finished by 09:40", "--replications", "8")
START = "campaign[appointment reminders].start"


def test_a_start_is_kept_up_to_a_clock_time_in_any_range(files):
    """Later is worse: what is said is up to when, and it is the same in every range."""
    made, other = (
        run(("capacity", "small.toml", "--vary", f"{START}={times}", *LATE))
        for times in ("09:00:09:50", "09:02:09:45")
    )
    first, second = made.facts, other.facts
    assert first["breaks_again"] == second["breaks_again"]
    (edge,) = first["breaks_again"]
    assert first["kept_up_to"] == second["kept_up_to"] == edge["kept"] < edge["broken"]
    for document in (first, second):
        for each in document["tested"]:
            assert each["verdict"] == each["promises"][0]["verdict"]
            if each["value"] >= edge["broken"]:
                assert each["verdict"] == "broken"
            elif each["value"] <= edge["kept"]:
                assert each["verdict"] == "kept"
    assert f"The promises are kept from {START} = 09:00" in made.words
    assert f"up to {edge['kept']}, as far as is shown" in made.words
    assert f"{edge['broken']} is shown to break one" in made.words


def test_what_a_narrow_range_can_not_show_is_not_called_broken(outsim):
    ended = outsim("capacity", "small.toml", "--vary", f"{START}=09:00:09:03", *LATE)
    said = " ".join(ended.out.split())
    assert ended.code == 0
    assert "Both ends of the range keep the promises" in said
    assert "broken" not in said.partition("runs verdict")[2].partition("Fresh runs")[0]
    assert "break one" not in said


def test_nothing_in_the_range_exits_with_1(files):
    made = run((*ASKED, "--target", "p90 wait <= 1 ms"))
    assert made.ended.code == 1
    assert made.facts["outcome"] == "nothing"
    assert "No value of platform.ports from 2 to 12 keeps the promises" in made.words


@pytest.mark.parametrize("limit", [("--most", "10"), ("--timeout", "1 us")])
def test_undecided_is_said_and_exits_with_1(files, limit):
    made = run((*ASKED, *WAIT, *limit))
    assert made.ended.code == 1
    assert "Undecided: the runs or the time ran out" in made.words
    assert (made.facts["outcome"], made.facts["value"]) == ("undecided", None)
    assert made.facts["out_of_budget"]


def test_a_precision_says_how_many_runs_each_tested_value_has(outsim):
    """As many as the scenario as it stands takes: at least the 20 of a first decision."""
    asked = ASKED[:-2]  # but for the count
    precise = ("--precision", "wait_p90_s=1h")
    made = run((*asked, *precise, *WAIT))
    assert made.ended.code == 0
    assert "20 runs at each value that is tested" in made.words
    assert "precision wait_p90_s=3600: reached with 20 replications" in made.words
    assert made.facts["replications"] == 20
    ended = outsim(*asked, *precise, *WAIT, "--replications", "5")
    assert (ended.code, ended.out) == (2, "")
    assert "replications and precision: give one or the other" in ended.message


def test_two_keys_give_a_frontier():
    made = stored("plan of two keys")
    document = made.facts
    assert (made.ended.code, document["key"]) == (0, "platform.dial_rate")
    assert [each["at"] for each in document["frontier"]] == ["1/s", "20/s"]
    for each in document["frontier"]:
        assert each["value"] in made.ended.out


def test_a_frontier_of_nothing_exits_with_1(outsim):
    rates = ("--vary", "platform.dial_rate=1/s:20/s:2")
    ended = outsim(*ASKED, *rates, "--target", "p90 wait <= 1 ms")
    assert ended.code == 1
    assert ended.out.count("none in range") == 4


@pytest.mark.parametrize("second", [(), ("--vary", "platform.dial_rate=1/s:20/s:2")])
def test_a_picture_is_written_where_it_is_asked_for(outsim, files, second):
    ended = outsim(*ASKED, *second, *WAIT, "--plot", "plan.png")
    assert ended.code == 0
    assert (files / "plan.png").read_bytes().startswith(b"\x89PNG")


def test_replications_are_kept_by_value_and_not_run_again(outsim, files):
    first = outsim(*ASKED, *WAIT, "--directory", "kept", "--json")
    value = json.loads(first.out)["value"]
    kept = files / "kept" / f"platform.ports={value}"
    before = {path: path.stat().st_mtime_ns for path in kept.rglob("*.parquet")}
    assert before
    assert outsim(*ASKED, *WAIT, "--directory", "kept", "--json").out == first.out
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("*.parquet")} == before


MISTAKES = {
    "no target": ((), "Missing option '--target'"),
    "a target that is none": (("--target", "soon"), "promise 'soon': found no limit in 'soon'"),
    "a figure that is none": (
        ("--target", "p95 weight <= 1 min"),
        "measure 'p95 weight'",
    ),
    "a probability of too few": (
        ("--target", "P(p95 wait <= 1 min) >= 0.9"),
        "it takes 30 replications or more to show that",
    ),
    "a confidence that is none": ((*WAIT, "--confidence", "sure"), "confidence sure: write one"),
    "three keys": (
        (*WAIT, "--vary", "platform.workers=1:2", "--vary", "carrier.channels=1:2"),
        "3 keys to vary: give one, or two for a frontier",
    ),
    "an unknown key": ((*WAIT, "--vary", "platform.worker=1:2"), 'did you mean "workers"?'),
    "one key twice": ((*WAIT, "--vary", "platform.ports=1:2"), "platform.ports is varied twice"),
    "tables nowhere": ((*WAIT, "--keep-tables"), "--keep-tables: say where, with --directory DIR"),
    "a picture of no kind": (
        (*WAIT, "--plot", "plan.xyz"),
        "picture plan.xyz",
    ),
    "a picture nowhere": (
        (*WAIT, "--plot", "nowhere/plan.png"),
        "picture nowhere/plan.png: there is no directory nowhere",
    ),
    "one replication": ((*WAIT, "--replications", "1"), "must be 2 or more"),
    "no runs": ((*WAIT, "--most", "0"), "must be 1 or more"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_and_exits_with_2(outsim, mistake):
    arguments, message = MISTAKES[mistake]
    ended = outsim(*ASKED, *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert message in ended.message
    assert "Traceback" not in ended.err


def test_a_scenario_without_campaigns_can_not_be_planned(outsim):
    ended = outsim("capacity", "nobody.toml", "--vary", "platform.ports=1:9", *WAIT)
    assert ended.code == 2
    assert "has no campaign to make promises about" in ended.message


CROWDED = """
name = "a carrier of six a second"
[clock]
zone = "UTC"
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[platform]
ports = 1000
dial_rate = "5/s"
[carrier]
rate = "6/s"
channels = 2000
other_traffic = 0
[[campaign]]
name = "list"
tenant = "acme"
start = "09:00"
contacts = 300
max_retry = 0
"""


def test_an_answer_that_asks_the_carrier_for_more_than_it_takes_is_warned_of(files):
    """The scenario itself does not: at 5/s nine calls in ten are dialed within 54 s."""
    (files / "crowded.toml").write_text(CROWDED)
    asked = ("capacity", "crowded.toml", "--vary", "platform.dial_rate=5/s:20/s:4")
    promise = ("--target", "p90 time to first dispatch <= 30 s", "--replications", "3")
    made = run((*asked, *promise))
    document, said = made.facts, made.words
    rate = document["value"]
    per_s = float(rate.removesuffix("/s"))
    assert 6 < per_s < 20
    warning = (
        f"carrier.rate: while calls queue, the platform makes up to {per_s:.3g} attempts a "
        f"second, {percent(per_s / 6)} of the 6/s that other traffic leaves: up to "
        f"{percent(1 - 6 / per_s)} of them are refused"
    )
    assert f"warning: with platform.dial_rate = {rate}: {warning}" in said
    assert said.count("warning: ") == 1
    assert document["warnings"] == [warning]
