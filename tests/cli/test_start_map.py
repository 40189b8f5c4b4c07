"""`outsim start-map` on a small platform: what it prints, writes and refuses."""

from __future__ import annotations

import json

import pytest

import outsim as package

from .stored import run

SMALL_MAP = """\
extends = "small.toml"
name = "a small map"

[clock]
latest = "10:00"

[[campaign]]
name = "appointment reminders"
contacts = 10

[background]
campaigns_per_hour = 2
median_size = 5
"""

COMMAND = ("start-map", "map.toml", "--replications", "2", "--loads", "2", "--carriers", "0.2,1")
COMMAND += ("--retries", "0,1")


@pytest.fixture
def scenario(files):
    (files / "map.toml").write_text(SMALL_MAP)
    return files


def test_the_map_says_regimes_axes_starts_and_what_the_signs_mean(scenario):
    made = run(COMMAND)
    ended, text = made.ended, made.words
    assert ended.code == 0
    assert "4 regimes, 2 replications each, seed 1" in text
    assert "Completed in the end, 0 retries:" in text
    assert "Completed in the end, 1 retry:" in text
    assert "carrier's headroom :15 :30 :45" in text
    assert "from left to right, the backlog of :00 is drained after" in text
    assert "all 12 intervals of the map hold together with 95 % confidence" in text
    assert all(line.startswith("warning: ") for line in ended.err.splitlines())
    for columns in (80, 60):
        assert max(map(len, made.at(columns).splitlines())) <= columns


def test_json_is_what_the_api_gives(outsim, scenario):
    document = json.loads(outsim(*COMMAND, "--minutes", "20", "--seed", "3", "--json").out)
    made = package.start_map(
        package.load("map.toml"),
        loads=(2,),
        carriers=(0.2, 1),
        retries=(0, 1),
        minutes=(20,),
        replications=2,
        seed=3,
        executor="threads",
        progress=None,
    )
    assert document == json.loads(json.dumps(made.run().to_dict()))
    assert document["minutes"] == [20]


def test_a_picture_is_written(outsim, scenario):
    ended = outsim(*COMMAND, "--plot", "map.png", "--json")
    assert "picture written to map.png" in ended.err
    assert (scenario / "map.png").read_bytes().startswith(b"\x89PNG")


def test_with_a_directory_the_same_map_comes_back(outsim, scenario):
    first = outsim(*COMMAND, "--directory", "kept", "--json")
    kept = sorted(path.name for path in (scenario / "kept").iterdir())
    assert len(kept) == 4
    assert "retries-0_load-2_carrier-0.2" in kept
    assert outsim(*COMMAND, "--directory", "kept", "--json").out == first.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["small.toml"], "scenario 'small' has no [background]"),
        (["nobody.toml"], "scenario 'nobody' has no campaign to study"),
        (["map.toml", "--loads", "much"], "much: write numbers, such as 0.5,1,2"),
        (["map.toml", "--retries", "1.5"], "1.5: write whole numbers"),
        (["map.toml", "--minutes", "0"], "starts 0: give minutes of the hour"),
        (["map.toml", "--carriers", "-1"], "carriers -1: give one or more factors"),
        (["map.toml", "--replications", "1"], "replications = 1: must be 2 or more"),
        (
            [*COMMAND[1:], "--plot", "nowhere/map.png"],
            "picture nowhere/map.png: there is no directory",
        ),
        ([*COMMAND[1:], "--plot", "map.doc"], "picture map.doc: its ending must be one of"),
    ],
)
def test_what_cannot_be_mapped_is_one_message_and_exit_code_2(
    outsim, scenario, arguments, message
):
    ended = outsim("start-map", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.message
    assert "Traceback" not in ended.err
