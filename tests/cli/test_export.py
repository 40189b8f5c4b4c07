"""`outsim export`: a scenario or a kept result, in each format."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

FORMATS = ("perfetto", "xes", "ocel", "parquet", "csv")


@pytest.mark.parametrize("form", FORMATS)
def test_a_kept_result_and_its_scenario_give_the_same_export(outsim, files, form):
    outsim("run", "small.toml", "--out", "run", "--seed", "7")
    kept = outsim("export", "run", "--format", form, "-o", "kept")
    anew = outsim("export", "small.toml", "--seed", "7", "--format", form, "-o", "anew")
    assert (kept.code, anew.code, kept.err) == (0, 0, "")
    assert kept.out.startswith("small, seed 7, replication 0: 80 calls written to kept as")
    for path in [Path("kept")] if Path("kept").is_file() else Path("kept").iterdir():
        other = Path("anew", *path.parts[1:])
        assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_the_document_names_what_was_written(outsim, form):
    ended = outsim("export", "small.toml", "--format", form, "-o", "out", "--json")
    document = json.loads(ended.out)
    assert (document["format"], document["path"], document["seed"]) == (form, "out", 1)
    written = [Path("out")] if Path("out").is_file() else [*Path("out").iterdir()]
    assert document["files"] == {path.name: path.stat().st_size for path in written}


def test_one_campaign_is_exported_by_its_name(outsim):
    ended = outsim(
        "export", "small.toml", "--campaign", "notices", "--format", "parquet", "-o", "out"
    )
    assert "20 calls written to out" in ended.out
    assert set(pd.read_parquet("out/calls.parquet")["campaign"]) == {"notices"}


MISTAKES = {
    "no format": (["small.toml", "-o", "out"], "Missing option '--format'"),
    "an unknown format": (["small.toml", "--format", "xls", "-o", "out"], "'xls' is not one of"),
    "no place": (["small.toml", "--format", "csv"], "Missing option '-o'"),
    "a missing file": (["nil.toml", "--format", "csv", "-o", "out"], "nil.toml: no such file"),
    "a missing directory": (
        ["nil", "--format", "csv", "-o", "out"],
        "nil: no such directory",
    ),
    "a directory of something else": (
        ["directory", "--format", "csv", "-o", "out"],
        "directory: holds no result",
    ),
    "an unknown campaign": (
        ["small.toml", "--format", "csv", "-o", "out", "--campaign", "nobody"],
        "campaign 'nobody'",
    ),
    "a file in the way": (
        ["small.toml", "--format", "csv", "-o", "a file"],
        "a file: is a file",
    ),
    "a directory in the way": (
        ["small.toml", "--format", "xes", "-o", "directory"],
        "directory: is a directory",
    ),
    "no directory to write to": (
        ["small.toml", "--format", "xes", "-o", "nowhere/log.xes"],
        "nowhere/log.xes: can't be written to (No such file or directory)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(outsim, files, mistake):
    arguments, message = MISTAKES[mistake]
    ended = outsim("export", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.message
    assert not Path("out").exists()
    assert not [path for path in files.iterdir() if path.name.startswith(".")]


def test_what_was_run_already_is_not_run_with_another_seed(outsim):
    outsim("run", "small.toml", "--out", "run")
    ended = outsim("export", "run", "--seed", "2", "--format", "csv", "-o", "out")
    assert (ended.code, ended.out) == (2, "")
    assert "the result has its own; give its scenario to run it anew" in ended.message


def test_what_is_exported_is_not_written_over(outsim, files):
    outsim("run", "small.toml", "--out", "run")
    for given, out in (("small.toml", "small.toml"), ("run", "run/run.json")):
        before = Path(out).read_bytes()
        ended = outsim("export", given, "--format", "xes", "-o", out)
        assert ended.code == 2
        assert "is what is exported; name another file" in ended.message
        assert Path(out).read_bytes() == before


@pytest.mark.parametrize("question", [["status", "--at", "09:15"], ["failed"], ["explain"]])
def test_a_question_about_one_run_is_answered_by_a_result_that_is_kept(outsim, question):
    name, *options = question
    options += ["--no-worth"] * (name == "explain")
    outsim("run", "small.toml", "--out", "run", "--seed", "7")
    kept = outsim(name, "run", *options)
    assert (kept.code, kept.err) == (0, "")
    assert kept.out == outsim(name, "small.toml", "--seed", "7", *options).out
