"""Studies that are kept by one command, grown by another and joined by a third."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import outsim as package

COMPARE = ("compare", "small.toml", "later.toml", "--engine", "simpy")


@pytest.fixture
def parts(outsim, files) -> Path:
    """A directory with two parts of a study, `first` and `second`."""
    assert outsim(*COMPARE, "--replications", "2", "--directory", "first").code == 0
    assert outsim(*COMPARE, "--replications", "1:4", "--directory", "second").code == 0
    return files


def test_merge_says_how_many_replications_came_from_where(outsim, parts):
    ended = outsim("merge", "out", "first", "second")
    assert (ended.code, ended.err) == (0, "")
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert "first 0:2 none" in lines
    assert "second 2:4 1:2" in lines
    assert lines[0] == "out has 4 replications: 0:4"


def test_merge_says_the_same_to_machines(outsim, parts):
    ended = outsim("merge", "out", "first", "second", "--json")
    assert json.loads(ended.out) == {
        "directory": "out",
        "replications": [0, 1, 2, 3],
        "parts": [
            {"directory": "first", "taken": [0, 1], "there": []},
            {"directory": "second", "taken": [2, 3], "there": [1]},
        ],
    }


@pytest.mark.parametrize("columns", [80, 60, 45])
def test_what_merge_says_fits_the_terminal(outsim, parts, columns):
    ended = outsim("merge", "out", "first", "second", columns=columns)
    assert max(map(len, ended.out.splitlines())) <= columns


def test_what_was_joined_answers_as_if_it_had_been_made_at_once(outsim, parts):
    outsim("merge", "out", "first", "second")
    joined = outsim(*COMPARE, "--replications", "4", "--directory", "out", "--json")
    assert joined.out == outsim(*COMPARE, "--replications", "4", "--json").out


def test_another_seed_is_no_part_of_it(outsim, parts):
    outsim(*COMPARE, "--replications", "2", "--seed", "9", "--directory", "other")
    ended = outsim("merge", "out", "first", "other")
    assert (ended.code, ended.out) == (2, "")
    assert "other: holds another study: seed: 9, and not 1" in ended.message
    assert not (parts / "out").exists()


def test_tables_that_are_kept_are_those_of_the_run(outsim, files):
    ended = outsim(*COMPARE, "--replications", "2", "--directory", "kept", "--keep-tables")
    assert ended.code == 0
    tables = files / "kept" / "replications" / "000001" / "tables" / "1"
    result = package.simulate(package.load("later.toml"), replication=1)
    for name, table in result.tables.items():
        there = pd.read_parquet(tables / f"{name}.parquet")
        assert there.astype(object).equals(table.astype(object)), name
